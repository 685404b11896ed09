#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bundle.py ELF OUT [vcores=N] [flags=N] [mmio=PA,STRIDE,COUNT,GSI] [devices=0|1] [config=TEXT] [break=OFFSET,SIZE,VALUE]
A minimal bundle writer for the kernel's boot tests."""
import struct
import sys


def crc32c(data):
    table = []
    for i in range(256):
        c = i
        for _ in range(8):
            c = (c >> 1) ^ (0x82F63B78 if c & 1 else 0)
        table.append(c)
    crc = 0xFFFFFFFF
    for b in data:
        crc = (crc >> 8) ^ table[(crc ^ b) & 255]
    return crc ^ 0xFFFFFFFF


def segments(elf):
    entry, phoff = struct.unpack_from("<QQ", elf, 24)
    phentsize, phnum = struct.unpack_from("<HH", elf, 54)
    out = []
    for i in range(phnum):
        kind, flags, off, va, _, filesz, memsz, _ = struct.unpack_from("<IIQQQQQQ", elf, phoff + i * phentsize)
        if kind == 1 and memsz:
            out.append((va, elf[off:off + filesz], memsz, (1 if flags & 2 else 0) | (2 if flags & 1 else 0)))
    return entry, out


def main():
    opt = dict(a.split("=", 1) for a in sys.argv[3:])
    entry, segs = segments(open(sys.argv[1], "rb").read())
    config = opt.get("config", "").replace("\\0", "\0").encode()
    body, table = b"", b""

    def place(data):
        nonlocal body
        at = 4096 + len(body)
        body += data + bytes(-len(data) % 4096)
        return at

    for va, data, memsz, flags in segs:
        table += struct.pack("<QQQQII", va, place(data), len(data), memsz, flags, 0)
    config_at = place(config) if config else 0
    part = struct.pack("<32sQQQQIIIIIIII", b"probe", int(opt.get("memory", "0"), 0), entry, config_at, len(config),
                       int(opt.get("vcores", "1")), int(opt.get("flags", "1")), int(opt.get("pages", "0")), int(opt.get("health", "0"), 0), 0, 0, 0, 0)
    mmio = b"".join(struct.pack("<QIIII", *(int(x, 0) for x in w.split(",")), 0)
                    for w in opt.get("mmio", "").split(";") if w)
    devices = struct.pack("<HHHHI", 0, 0xFFFF, 0xFFFF, 0, 0xFFFFFFFF) if opt.get("devices", "1") == "1" else b""
    size = 4096 + len(body)
    head = struct.pack("<QIIQQIIII", 0x656C646E75427747, 2, 0, size, int(opt.get("epoch", "0")), 1, len(segs),
                       len(mmio) // 24, len(devices) // 12)
    page = head + part + bytes(96 * 7) + table + bytes(40 * (32 - len(segs))) + mmio + bytes(24 * 4 - len(mmio)) + devices
    image = bytearray(page + bytes(4096 - len(page)) + body)
    if "break" in opt:
        at, width, value = (int(x, 0) for x in opt["break"].split(","))
        image[at:at + width] = value.to_bytes(width, "little")
    if opt.get("crc", "1") == "1":
        image[12:16] = struct.pack("<I", crc32c(bytes(image)))
    if "cut" in opt:
        image = image[:int(opt["cut"], 0)]
    open(sys.argv[2], "wb").write(image)


main()
