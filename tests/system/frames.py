# SPDX-License-Identifier: Apache-2.0
"""frames - makes Ethernet frames, right ones and every wrong one, for test_hostile.py. Addresses are ints, MACs bytes."""
import random, struct

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
ICMP, TCP, UDP = 1, 6, 17
ALL = b"\xff" * 6


def ip(text):
    a, b, c, d = (int(x) for x in text.split("."))
    return a << 24 | b << 16 | c << 8 | d


def checksum(data):
    if len(data) & 1:
        data += b"\0"
    n = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while n >> 16:
        n = (n & 0xffff) + (n >> 16)
    return ~n & 0xffff


class Frames:
    """From mac_us to mac_it, 10.9.0.1-like `us` to `it` unless said otherwise."""

    def __init__(self, mac_us, mac_it, us, it):
        self.mac_us, self.mac_it, self.us, self.it = mac_us, mac_it, us, it

    def eth(self, payload, kind=0x800, dst=None, src=None):
        return (dst or self.mac_it) + (src or self.mac_us) + struct.pack("!H", kind) + payload

    def arp(self, op=1, sha=None, spa=None, tha=b"\0" * 6, tpa=None, head=(1, 0x800, 6, 4), dst=ALL):
        return self.eth(struct.pack("!HHBBH6sI6sI", *head, op, sha or self.mac_us, self.us if spa is None else spa, tha,
                                    self.it if tpa is None else tpa), 0x806, dst)

    def ip4(self, payload, proto, src=None, dst=None, options=b"", version=4, ihl=None, total=None, ident=0, frag=0, ttl=64,
            bad_sum=False, **eth):
        ihl = 5 + len(options) // 4 if ihl is None else ihl
        total = 20 + len(options) + len(payload) if total is None else total
        h = struct.pack("!BBHHHBBHII", (version & 15) << 4 | ihl & 15, 0, total & 0xffff, ident, frag, ttl, proto, 0,
                        self.us if src is None else src, self.it if dst is None else dst) + options
        h = h[:10] + struct.pack("!H", checksum(h) ^ bad_sum) + h[12:]
        return self.eth(h + payload, **eth)

    def pseudo(self, proto, data, src, dst):
        return struct.pack("!IIBBH", self.us if src is None else src, self.it if dst is None else dst, 0, proto, len(data))

    def tcp(self, sport, dport, seq=0, ack=0, flags=SYN, window=64240, options=b"", offset=None, urgent=0, data=b"",
            bad_sum=False, src=None, dst=None, **more):
        offset = 5 + len(options) // 4 if offset is None else offset
        t = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xffffffff, ack & 0xffffffff, (offset & 15) << 4, flags, window, 0,
                        urgent) + options + data
        t = t[:16] + struct.pack("!H", checksum(self.pseudo(TCP, t, src, dst) + t) ^ bad_sum) + t[18:]
        return self.ip4(t, TCP, src=src, dst=dst, **more)

    def udp(self, sport, dport, data=b"", length=None, check=None, src=None, dst=None, **more):
        length = 8 + len(data) if length is None else length
        u = struct.pack("!HHHH", sport, dport, length & 0xffff, 0) + data
        check = checksum(self.pseudo(UDP, u, src, dst) + u) if check is None else check
        return self.ip4(u[:6] + struct.pack("!H", check) + u[8:], UDP, src=src, dst=dst, **more)

    def icmp(self, kind, code=0, rest=b"\0" * 4, bad_sum=False, **more):
        m = struct.pack("!BBH", kind, code, 0) + rest
        return self.ip4(m[:2] + struct.pack("!H", checksum(m) ^ bad_sum) + m[4:], ICMP, **more)

    def quoting(self, kind, code, arg, sport, dport, seq, proto=TCP, src=None, dst=None):
        """An ICMP error that quotes a segment of theirs: from it, port sport, to us, port dport."""
        quote = struct.pack("!BBHHHBBHII", 0x45, 0, 60, 1, 0x4000, 64, proto, 0, self.it if src is None else src,
                            self.us if dst is None else dst) + struct.pack("!HHI", sport, dport, seq & 0xffffffff)
        return self.icmp(kind, code, struct.pack("!I", arg) + quote)


def ethernet(f, r):
    for n in (0, 1, 2, 6, 19, 20, 27, 33, 39, 45):
        yield f.eth(f.tcp(1, 6379)[14:14 + n])
        yield f.eth(f.arp()[14:14 + n], 0x806)
    for kind in (0, 5, 46, 1500, 0x86dd, 0x8100, 0x8847, 0xffff):
        yield f.eth(r.randbytes(r.randrange(46, 1500)), kind)
    yield f.eth(b"", dst=b"\0" * 6)
    yield f.eth(f.tcp(1, 6379)[14:], dst=b"\x52\x54\0\1\2\3")
    yield f.eth(f.tcp(1, 6379)[14:], dst=ALL)
    yield f.eth(f.tcp(1, 6379)[14:], dst=b"\1\0\x5e\0\0\1")
    yield f.eth(f.tcp(1, 6379)[14:], src=ALL)
    yield f.eth(f.tcp(1, 6379)[14:], src=f.mac_it)
    yield f.eth(f.tcp(1, 6379)[14:] + r.randbytes(1000))  # padding


def arp(f, r):
    for head in ((0, 0x800, 6, 4), (1, 0x806, 6, 4), (1, 0x800, 0, 4), (1, 0x800, 255, 255), (1, 0x800, 6, 16)):
        yield f.arp(head=head)
    for op in (0, 3, 4, 8, 255, 65535):
        yield f.arp(op, spa=r.getrandbits(32))
    for sha in (b"\0" * 6, ALL, b"\1\2\3\4\5\6", f.mac_it):
        yield f.arp(1, sha, spa=f.us + 77)
        yield f.arp(2, sha, spa=f.us + 77, dst=f.mac_it)
    for spa in (0, 0xffffffff, f.it, ip("127.0.0.1"), ip("224.0.0.1"), f.it | 255, f.it & ~255):
        yield f.arp(1, b"\2\0\0\0\0\1", spa=spa)
        yield f.arp(2, b"\2\0\0\0\0\1", spa=spa, dst=f.mac_it)
        yield f.arp(1, b"\2\0\0\0\0\1", spa=spa, tpa=spa)
    yield f.arp(2, b"\2\0\0\0\0\1", spa=f.us + 78, tha=f.mac_it, dst=f.mac_it)


def ipv4(f, r):
    syn = f.tcp(9, 6379)[34:]
    for version in (0, 1, 5, 6, 15):
        yield f.ip4(syn, TCP, version=version)
    for ihl in (0, 1, 4, 6, 10, 11, 15):
        yield f.ip4(syn, TCP, ihl=ihl)
    for total in (0, 1, 19, 20, 21, 39, 41, 1500, 65535):
        yield f.ip4(syn, TCP, total=total)
    yield f.ip4(syn, TCP, bad_sum=True)
    yield f.ip4(syn, TCP, ttl=0)
    for options in (b"\x83\x0b\x04" + b"\1\2\3\4" * 2 + b"\0", b"\x07\xff\x04\0", b"\x44\x00\0\0", b"\x44\x01\0\0", b"\x07\x27\4" + b"\0" * 37,
                    b"\xff" * 40, b"\1" * 40, b"\x94\x04\0\0", b"\x82\x50\0\0"):
        yield f.ip4(syn, TCP, options=options)
        yield f.icmp(8, options=options)
    for src in (0, 0xffffffff, f.it, ip("127.0.0.1"), ip("224.0.0.1"), ip("240.1.2.3"), f.it | 255, f.it & ~255):
        yield f.tcp(9, 6379, src=src)
        yield f.tcp(6379, 6379, src=src)
        yield f.udp(9, 9, src=src)
        yield f.icmp(8, src=src)
    for dst in (0, 0xffffffff, ip("127.0.0.1"), f.it | 255, f.it & ~255, f.it + 1, ip("224.0.0.1")):
        yield f.tcp(9, 6379, dst=dst)
        yield f.udp(9, 9, dst=dst)
        yield f.icmp(8, dst=dst)
    for proto in (0, 2, 4, 41, 47, 50, 89, 132, 255):
        yield f.ip4(r.randbytes(64), proto)
        yield f.ip4(b"", proto)


def fragments(f, r):
    ident, mf = r.randrange(65536), 0x2000
    body = f.icmp(8, rest=r.randbytes(1396))[34:]

    def part(at, n, more, **x):
        return f.ip4(body[at:at + n].ljust(n, b"\0"), x.pop("proto", ICMP), ident=x.pop("ident", ident), frag=at // 8 | (mf if more else 0), **x)
    yield part(0, 8, True)  # never completed
    yield part(0, 16, True, ident=ident + 1 & 65535)  # overlapping
    yield part(8, 24, True, ident=ident + 1 & 65535)
    yield part(0, 1400, False, ident=ident + 1 & 65535)
    yield part(0, 0, True, ident=ident + 2 & 65535)  # empty
    yield part(8, 0, False, ident=ident + 2 & 65535)
    yield part(0, 13, True, ident=ident + 3 & 65535)  # not in eights
    yield f.ip4(b"x" * 1400, ICMP, ident=ident + 4 & 65535, frag=0x1fff)  # beyond 65,535
    yield f.ip4(b"x" * 1400, UDP, ident=ident + 4 & 65535, frag=0x1fff | mf)
    yield f.ip4(b"x" * 8, TCP, ident=ident + 5 & 65535, frag=mf)  # tiny: half a TCP header
    yield f.ip4(b"x" * 16, TCP, ident=ident + 5 & 65535, frag=1)
    yield part(800, 600, False, ident=ident + 6 & 65535)  # two ends
    yield part(400, 400, False, ident=ident + 6 & 65535)
    yield part(0, 400, True, ident=ident + 7 & 65535)  # the same part again, and other bytes for it
    yield part(0, 400, True, ident=ident + 7 & 65535)
    yield f.ip4(r.randbytes(400), ICMP, ident=ident + 7 & 65535, frag=mf)
    yield part(400, 1000, False, ident=ident + 7 & 65535)
    for at in range(0, 1400, 8):  # whole, in the smallest pieces, from behind
        if r.random() < 0.1:
            yield part(1392 - at, 8, at != 0, ident=ident + 8 & 65535)


def icmp(f, r, port):
    yield f.ip4(b"", ICMP)
    yield f.ip4(b"\x08\0\xf7", ICMP)
    yield f.icmp(8, bad_sum=True, rest=r.randbytes(60))
    yield f.icmp(8, rest=b"\0\1\0\1" + r.randbytes(1468))
    for kind in (0, 1, 2, 4, 5, 6, 9, 10, 11, 12, 13, 15, 17, 30, 255):
        yield f.icmp(kind, r.randrange(256), r.randbytes(32))
    for kind in (3, 4, 5, 11, 12):
        for code in (0, 1, 2, 3, 4, 13, 15, 200):
            arg = r.choice([0, 1, 67, 68, 296, 552, 1499, 1500, 65535])
            yield f.quoting(kind, code, arg, 6379, port, r.getrandbits(32))  # a sequence number it never sent
            yield f.quoting(kind, code, arg, 6379, r.randrange(65536), r.getrandbits(32))
            yield f.quoting(kind, code, arg, 67, 68, 0, UDP)
    yield f.quoting(3, 3, 0, 6379, port, 0, src=f.us, dst=f.it)
    for n in (4, 8, 20, 24, 27, 31, 35):
        yield f.icmp(3, 3, f.quoting(3, 3, 0, 6379, port, 0)[38:38 + n])


def udp(f, r):
    for length in (0, 1, 7, 8, 9, 100, 65535):
        yield f.udp(5, 53, b"abcdefgh", length=length)
        yield f.udp(5, 68, b"abcdefgh", length=length, check=0)
    yield f.udp(5, 7, b"x" * 100, check=1)
    yield f.udp(0, 0)
    yield f.udp(67, 68, r.randbytes(300))
    yield f.udp(5, 7, b"x" * 1472)
    for n in range(8):
        yield f.ip4(b"\0" * n, UDP)


OPTIONS = [b"\2\0\0\0", b"\2\1\0\0", b"\2\4\0\0", b"\2\4\0\1", b"\2\4\xff\xff", b"\2\5\0\0", b"\3\3\xff\0", b"\3\0\0\0", b"\4\0\0\0", b"\4\3\1\1",
           b"\5\2\1\1", b"\5\xff\1\1", b"\5\x0a" + b"\0" * 8 + b"\1\1", b"\5\x0a" + b"\xff" * 8 + b"\1\1", b"\x08\x0a" + b"\xff" * 8 + b"\1\1",
           b"\x08\x0b" + b"\0" * 10, b"\x08\2\1\1", b"\1" * 40, b"\0" * 40, b"\xff" * 40, b"\xfe\x28" + b"\0" * 38, b"\1\1\1\2", b"\1\1\1\x08",
           b"\5\x22" + b"\1\2\3\4" * 8 + b"\1\1", b"\x22\x02\1\1", b"\x13\x12" + b"\0" * 16 + b"\1\1"]


def tcp(f, r, port):
    """port: of an established connection of ours to its 6379; all sequence numbers are far from its window."""
    for dport in (6379, 9, 0):
        for flags in list(range(64)) + [0xff, 0xc2]:
            yield f.tcp(r.randrange(1, 1024), dport, r.getrandbits(32), r.getrandbits(32), flags)
    for offset in (0, 1, 4, 6, 15):
        yield f.tcp(11, 6379, offset=offset)
        yield f.tcp(port, 6379, offset=offset, flags=ACK)
    for n in range(20):
        yield f.ip4(f.tcp(11, 6379)[34:34 + n], TCP)
    for options in OPTIONS:
        for flags in (SYN, SYN | ACK, ACK):
            yield f.tcp(r.randrange(1, 1024), 6379, r.getrandbits(32), options=options, flags=flags)
        yield f.tcp(port, 6379, r.getrandbits(32), r.getrandbits(32), ACK, options=options)
    yield f.tcp(12, 6379, bad_sum=True)
    yield f.tcp(port, 6379, bad_sum=True, flags=RST)
    yield f.tcp(12, 6379, data=b"PING\r\n" * 100)  # a SYN with data
    yield f.tcp(12, 6379, flags=SYN | URG | PSH | FIN, urgent=65535)
    yield f.tcp(0, 6379)
    yield f.tcp(6379, 6379, src=f.it)  # land
    for window in (0, 1, 65535):
        yield f.tcp(13, 6379, window=window)


KINDS = dict(ethernet=ethernet, arp=arp, ipv4=ipv4, fragments=fragments, icmp=icmp, udp=udp, tcp=tcp)


def mutate(frame, r):
    b = bytearray(frame)
    for _ in range(r.choice((1, 1, 2, 4, 16))):
        at = r.randrange(12, len(b))
        b[at] = r.choice((0, 255, b[at] ^ 1 << r.randrange(8), r.randrange(256)))
    if r.random() < 0.2:
        b = b[:r.randrange(14, len(b) + 1)]
    # most mutants get a right header checksum, to come further in
    if len(b) >= 34 and b[12:14] == b"\x08\0" and r.random() < 0.8:
        n = min((b[14] & 15) * 4, len(b) - 14)
        if n >= 12:
            b[24:26] = b"\0\0"
            b[24:26] = struct.pack("!H", checksum(bytes(b[14:14 + n])))
    return bytes(b)
