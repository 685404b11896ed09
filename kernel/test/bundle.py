#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bundle.py ELF|- OUT [part=ELF:KEY=VALUE:...]... [vcores=N] [cores=N frame=NS slots=CORE,PARTITION,OFFSET,DURATION,FLAGS;...] [channels=BYTES,DEPTH,REFRESH,SOURCE,TO;...] [flags=N] [mmio=PA,STRIDE,COUNT,GSI] [devices=0 or 1 + PARTITION] [ncolours=N] [config=TEXT] [break=OFFSET,SIZE,VALUE]
A minimal bundle writer for the kernel's boot tests. health= (of a part) and module= are a byte (two hex digits) a class: its action;
config=@FILE takes the file's bytes."""
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


class Bundle:
    def __init__(self):
        self.body = self.partitions = self.segments = b""
        self.n = self.n_segments = 0

    def place(self, data):
        at = 8192 + len(self.body)
        self.body += data + bytes(-len(data) % 4096)
        return at

    def add(self, elf, opt, name):
        entry, segs = segments(open(elf, "rb").read())
        config = opt.get("config", "").replace("\\0", "\0").encode()
        if config.startswith(b"@"):
            config = open(config[1:], "rb").read()
        for va, data, memsz, flags in segs:
            self.segments += struct.pack("<QQQQII", va, self.place(data), len(data), memsz, flags, self.n)
            self.n_segments += 1
        config_at = self.place(config) if config else 0
        num = lambda key, default: int(opt.get(key, default), 0)
        self.partitions += struct.pack(
            "<32sQQQQQIIIIIIBBBB16s8s4x", name.encode(), num("memory", "0"), entry, config_at, len(config), num("colours", "0"),
            num("vcores", "1"), num("flags", "1"), num("pages", "0"), num("first", "0"), num("restarts", "0"), num("delay", "0"),
            num("policy", "0"), num("min", "0"), num("max", "0"), 0, b"", bytes.fromhex(opt.get("health", "")))
        self.n += 1


def main():
    opt = dict(a.split("=", 1) for a in sys.argv[3:] if not a.startswith("part="))
    b = Bundle()
    if sys.argv[1] != "-":
        b.add(sys.argv[1], opt, "probe")
    for i, a in enumerate(a[5:] for a in sys.argv[3:] if a.startswith("part=")):
        elf, *rest = a.split(":")
        b.add(elf, dict(x.split("=", 1) for x in rest), f"p{i}")
    mmio = b"".join(struct.pack("<QIIII", *(int(x, 0) for x in w.split(",")), 0)
                    for w in opt.get("mmio", "").split(";") if w)
    owner = int(opt.get("devices", "1")) - 1
    devices = struct.pack("<HHHHI", 0, 0xFFFF, 0xFFFF, owner, 0xFFFFFFFF) if owner >= 0 else b""
    slots = b""
    for w in filter(None, opt.get("slots", "").split(";")):
        core, owner, offset, duration, flags = (int(x, 0) for x in w.split(","))
        slots += struct.pack("<IIBBH", offset, duration, core, owner, flags)
    channels = b""
    for w in filter(None, opt.get("channels", "").split(";")):
        message, depth, refresh, source, to = (int(x, 0) for x in w.split(","))
        channels += struct.pack("<IIQII", message, depth, refresh, source, to)
    size = 8192 + len(b.body)
    head = struct.pack("<QIIQQIIII", 0x656C646E75427747, 3, 0, size, int(opt.get("epoch", "0")), b.n, b.n_segments,
                       len(mmio) // 24, len(devices) // 12)
    page = (head + b.partitions.ljust(128 * 8, b"\0") + b.segments.ljust(40 * 32, b"\0") + mmio.ljust(24 * 4, b"\0") +
            devices.ljust(12 * 32, b"\0") +
            struct.pack("<III", int(opt.get("cores", "0")), int(opt.get("frame", "0")), len(slots) // 12) +
            slots.ljust(12 * 64, b"\0") + struct.pack("<I", len(channels) // 24) + channels.ljust(24 * 32, b"\0") +
            bytes.fromhex(opt.get("module", "")).ljust(8, b"\0") + struct.pack("<II", int(opt.get("trace", "0")), int(opt.get("ncolours", "0"))))
    image = bytearray(page + bytes(8192 - len(page)) + b.body)
    if "break" in opt:
        at, width, value = (int(x, 0) for x in opt["break"].split(","))
        image[at:at + width] = value.to_bytes(width, "little")
    if opt.get("crc", "1") == "1":
        image[12:16] = struct.pack("<I", crc32c(bytes(image)))
    if "cut" in opt:
        image = image[:int(opt["cut"], 0)]
    open(sys.argv[2], "wb").write(image)


main()
