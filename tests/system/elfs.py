# SPDX-License-Identifier: Apache-2.0
"""elfs - ELF programs made field by field, to damage any of them (gABI 4 and 5)."""
import struct

PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
R, W, X = 4, 2, 1
BASE = 0x400000
# mov $60, %eax; xor %edi, %edi; syscall: exit(0)
CODE = b"\xb8\x3c\x00\x00\x00\x31\xff\x0f\x05"


def segment(type=PT_LOAD, flags=R, offset=0, va=BASE, file=None, mem=None, align=0x1000):
    file = 0x1000 if file is None else file
    return struct.pack("<IIQQQQQQ", type, flags, offset, va, va, file, file if mem is None else mem, align)


def text(**k):
    return segment(**{"flags": R | X, "offset": 0x1000, "va": BASE + 0x1000, **k})


def data(**k):
    return segment(**{"flags": R | W, "offset": 0x2000, "va": BASE + 0x2000, "mem": 0x2000, **k})


def program(*segments, cls=2, endian=1, osabi=0, type=2, machine=62, version=1, entry=BASE + 0x1000, phoff=64, phentsize=56, phnum=None,
            size=0x3000, interp=None):
    """A file of three pages: headers, code, data. Without segments: a good program that exits with 0."""
    segments = list(segments) or [segment(), text(), data()]
    if interp is not None:
        segments.insert(0, segment(PT_INTERP, R, 0x800, BASE + 0x800, len(interp)))
    head = b"\x7fELF" + bytes([cls, endian, 1, osabi]) + bytes(8)
    head += struct.pack("<HHIQQQIHHHHHH", type, machine, version, entry, phoff, 0, 0, 64, phentsize,
                        len(segments) if phnum is None else phnum, 64, 0, 0)
    image = bytearray(max(size, 0x3000))
    image[:64] = head
    image[64:64 + 56 * len(segments)] = b"".join(segments)
    if interp is not None:
        image[0x800:0x800 + len(interp)] = interp
    image[0x1000:0x1000 + len(CODE)] = CODE
    return bytes(image[:size])
