#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""wire.py A B [gso] - an impaired Ethernet link between two interfaces, in one process.

Why not netem: not every kernel has it (nor ifb), and this one is seeded, the same for both directions, and the same
for a machine and for Linux. A, B: `tap:NAME` (this process is the device's other end: make the tap first) or
`packet:NAME` (frames that arrive on NAME; for a tap that a machine holds). Standard input takes one line of settings at
a time (`loss=5 delay=10 seed=7`; everything else is reset) and answers `ok` with counts so far; end of input ends it.

A third word `gso` keeps offloads: frames travel with their virtio header, up to 64 KB each and unchecksummed (no corrupt).

settings, per direction: loss, dup, corrupt, reorder in percent; delay in ms; rate in kbit/s (64 KiB queue); mark: what waits
longer in that queue, in ms, is marked as congested (RFC 3168) where the packet allows it. Counts: frames, lost; since mark was
set: marked, TCP segments with data that had been there before, data that cannot be marked, ECE, CWR.
"""
import fcntl, heapq, os, random, select, socket, struct, sys, time

TUNSETIFF, TUNSETOFFLOAD, IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x400454CA, 0x400454D0, 2, 0x1000, 0x4000
TUN_F_CSUM, TUN_F_TSO4 = 1, 2
ETH_P_ALL, PACKET_OUTGOING = 3, 4
QUEUE_BYTES = 65536
TCP, SYN, ECE, CWR = 6, 2, 0x40, 0x80


class Tap:
    def __init__(self, name, gso):
        self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        flags = IFF_TAP | IFF_NO_PI | (IFF_VNET_HDR if gso else 0)
        fcntl.ioctl(self.fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
        fcntl.ioctl(self.fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 if gso else 0)

    def fileno(self):
        return self.fd

    def receive(self):
        return os.read(self.fd, 70000)

    def send(self, frame):
        os.write(self.fd, frame)


class Packet:
    def __init__(self, name, gso):
        self.s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.s.setsockopt(socket.SOL_SOCKET, 33, 4 << 20)  # SO_RCVBUFFORCE: the wire itself loses nothing
        if gso:
            self.s.setsockopt(263, 15, 1)  # PACKET_VNET_HDR
        self.s.bind((name, ETH_P_ALL))
        self.s.setblocking(False)

    def fileno(self):
        return self.s.fileno()

    def receive(self):
        frame, where = self.s.recvfrom(70000)
        return frame if where[2] != PACKET_OUTGOING else None

    def send(self, frame):
        self.s.send(frame)


class Ecn:
    """The queue that marks, and what TCP says about it."""

    def __init__(self):
        self.marked = self.again = self.plain = self.ece = self.cwr = 0
        self.top = {}  # flow: end of what went by

    def take(self, frame, wait_ms, limit_ms):
        if len(frame) < 54 or frame[12:15] != b"\x08\x00\x45" or frame[23] != TCP:
            return frame
        flags, seq = frame[47], struct.unpack_from(">I", frame, 38)[0]
        length = struct.unpack_from(">H", frame, 16)[0] - 20 - (frame[46] >> 4) * 4
        if flags & SYN:
            return frame
        self.ece += bool(flags & ECE)
        self.cwr += bool(flags & CWR)
        if length:
            flow, old = frame[26:38], False
            if flow in self.top:
                old = (seq - self.top[flow]) & 0x80000000
            if old:
                self.again += 1
            else:
                self.top[flow] = (seq + length) & 0xffffffff
                self.plain += not frame[15] & 3
        if not frame[15] & 3 or wait_ms <= limit_ms:
            return frame
        frame = bytearray(frame)
        frame[15] |= 3
        frame[24:26] = b"\0\0"
        total = sum(struct.unpack_from(">10H", frame, 14))
        total = (total & 0xffff) + (total >> 16)
        struct.pack_into(">H", frame, 24, ~((total & 0xffff) + (total >> 16)) & 0xffff)
        self.marked += 1
        return frame


class Direction:
    def __init__(self, source, sink):
        self.source, self.sink = source, sink
        self.heap, self.n, self.free_at = [], 0, 0.0
        self.seen = self.lost = 0
        self.ecn = Ecn()

    def settings(self, s, seed):
        self.s, self.random = s, random.Random(seed)
        if "mark" in s:
            self.ecn = Ecn()

    def chance(self, name):
        p = self.s.get(name, 0)
        return p and self.random.random() * 100 < p

    def take(self, frame, now):
        self.seen += 1
        if self.chance("loss"):
            self.lost += 1
            return
        if self.chance("corrupt"):
            frame = bytearray(frame)
            at = self.random.randrange(14, len(frame))
            frame[at] ^= 1 << self.random.randrange(8)
        at, rate = now, self.s.get("rate", 0)
        if rate:
            if (self.free_at - now) * rate * 125 > QUEUE_BYTES:
                self.lost += 1
                return
            if "mark" in self.s:
                frame = self.ecn.take(frame, (self.free_at - now) * 1000, self.s["mark"])
            self.free_at = at = max(self.free_at, now) + len(frame) / (rate * 125)
        at += self.s.get("delay", 0) / 1000
        if self.chance("reorder"):
            at += self.random.uniform(0.0005, 0.008)
        for _ in range(2 if self.chance("dup") else 1):
            self.n += 1
            heapq.heappush(self.heap, (at, self.n, bytes(frame)))

    def deliver(self, now):
        while self.heap and self.heap[0][0] <= now:
            try:
                self.sink.send(heapq.heappop(self.heap)[2])
            except OSError:
                self.lost += 1


def end(text, gso):
    kind, name = text.split(":")
    return Tap(name, gso) if kind == "tap" else Packet(name, gso)


def main():
    a, b = (end(w, "gso" in sys.argv[3:]) for w in sys.argv[1:3])
    ways = [Direction(a, b), Direction(b, a)]
    for d in ways:
        d.settings({}, 0)
    poll = select.poll()
    for d in ways:
        poll.register(d.source, select.POLLIN)
    poll.register(0, select.POLLIN)
    by_fd = {d.source.fileno(): d for d in ways}
    print("ok 0 0", flush=True)
    while True:
        due = min((d.heap[0][0] for d in ways if d.heap), default=None)
        wait = 1000 if due is None else max(0, (due - time.monotonic()) * 1000)
        for fd, _ in poll.poll(wait):
            if fd == 0:
                line = os.read(0, 4096).decode()
                if not line:
                    return
                s = {k: float(v) for k, v in (w.split("=") for w in line.split())}
                for i, d in enumerate(ways):
                    d.settings(s, s.get("seed", 1) * 2 + i)
                counts = [sum(getattr(d.ecn, n) for d in ways) for n in ("marked", "again", "plain", "ece", "cwr")]
                print("ok", sum(d.seen for d in ways), sum(d.lost for d in ways), *counts, flush=True)
                continue
            d, now = by_fd[fd], time.monotonic()
            for _ in range(64):
                try:
                    frame = d.source.receive()
                except (BlockingIOError, OSError):
                    break
                if frame:
                    d.take(frame, now)
        now = time.monotonic()
        for d in ways:
            d.deliver(now)


if __name__ == "__main__":
    main()
