# SPDX-License-Identifier: Apache-2.0
"""A redis in a small machine on a tap goes on answering whatever the link brings. Frames are sent raw, in portions, and
between two portions PING has to be answered on a connection that stays: so a machine that stalls, resets or runs out of
packet buffers (each kind comes more often than there are buffers) is seen at the portion that did it."""
import contextlib, itertools, os, random, socket, struct, threading, time
import frames
from frames import ACK, FIN, PSH, RST, SYN, URG, Frames, ip
from harness import Redis, equal, need, test, true
from netlab import Namespace, TapMachine

US, IT = "10.9.0.1", "10.9.0.2"
PORTION = 150


class Target:
    def __init__(self, options=("-m", "64M"), args=()):
        self.stack = contextlib.ExitStack()
        server = need("redis-server")
        try:
            self.ns = self.stack.enter_context(Namespace())
            self.ns.tap("t0", US + "/16")
            self.machine = self.stack.enter_context(TapMachine(
                self.ns, "t0", IT + "/16,gw=" + US, [server, "--save", "", "--protected-mode", "no", *args], options))
            with self.ns.inside():
                self.raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
                self.raw.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)
                self.raw.bind(("t0", 3))
            mac_us = self.raw.getsockname()[4]
            self.redis = self.connect(60)
            equal(self.redis("PING"), "PONG")
            self.f = Frames(mac_us, self.neighbour(), ip(US), ip(IT))
            self.port = self.redis.s.getsockname()[1]
        except BaseException:
            self.stack.__exit__(AssertionError, None, None)
            raise

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.raw.close()
        self.stack.__exit__(*why)

    def socket(self, timeout=20, rcvbuf=0):
        with self.ns.inside():
            s = socket.socket()
        if rcvbuf:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        s.settimeout(timeout)
        return s

    def connect(self, timeout=20, rcvbuf=0):
        end = time.monotonic() + timeout
        while True:
            s = self.socket(min(timeout, 5), rcvbuf)
            try:
                s.connect((IT, 6379))
                s.settimeout(20)
                return Redis(s)
            except OSError:
                true(self.machine.p.poll() is None, f"the machine ended: {''.join(self.machine.err)[-1000:]}")
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def neighbour(self):
        text = self.ns.ip("neigh", "show", "to", IT).stdout.split()
        return bytes.fromhex(text[text.index("lladdr") + 1].replace(":", ""))

    def ping(self, what):
        try:
            equal(self.redis("PING"), "PONG")
        except (OSError, EOFError) as e:
            state = self.machine.p.poll()
            raise AssertionError(f"no PING after {what}: {e}; machine {'runs' if state is None else state}")

    def send(self, all_frames, what, portion=PORTION):
        """How many were sent; PING between portions."""
        n = 0
        for frame in all_frames:
            try:
                self.raw.send(frame)
            except OSError as e:
                if e.errno not in (90, 105):  # longer than the link carries; queue full
                    raise
            n += 1
            if n % portion == 0:
                self.ping(what)
        self.ping(what)
        return n

    def drain(self):
        self.raw.setblocking(False)
        got = []
        try:
            while True:
                data, where = self.raw.recvfrom(2048)
                if where[2] != socket.PACKET_OUTGOING:
                    got.append(data)
        except BlockingIOError:
            self.raw.setblocking(True)
            return got

    def sniff(self, conn, act):
        """The last segment the machine sent on a connection while act() ran: (seq, ack, after)."""
        port = conn.s.getsockname()[1]
        self.drain()
        act()
        time.sleep(0.05)
        mine = [d for d in self.drain() if d[12:14] == b"\x08\0" and d[23] == 6 and struct.unpack("!H", d[36:38])[0] == port]
        true(mine, "the machine's segments are seen")
        d = mine[-1]
        seq, ack = struct.unpack("!II", d[38:46])
        data = struct.unpack("!H", d[16:18])[0] - 20 - (d[46] >> 4) * 4
        return seq + data & 0xffffffff, ack

    def healthy(self):
        """What it must still be able to do after everything."""
        value = os.urandom(8 << 20)
        for i in range(3):
            r = self.connect()
            equal(r("SET", "after", value), "OK")
            equal(r("GET", "after"), value)
            equal(r("DEL", "after"), 1)
            r.close()


@test
def hostile_malformed():
    r = random.Random(2)
    with Target() as t:
        for name, kind in frames.KINDS.items():
            start, total, more = time.monotonic(), 0, [t.port] if name in ("icmp", "tcp") else []
            while total < 6000:
                total += t.send(kind(t.f, r, *more), name)
            print(f"     {name:10} {total} frames {time.monotonic() - start:.1f} s", flush=True)
        every = [f for name, kind in frames.KINDS.items() for f in kind(t.f, r, *([t.port] if name in ("icmp", "tcp") else []))]
        # an ARP message that says to be from the peer is believed, as ARP is: hostile_poisoned is about that
        mutants = (m for m in (frames.mutate(r.choice(every), r) for _ in range(20000)) if m[12:14] != b"\x08\x06" or m[28:32] != struct.pack("!I", t.f.us))
        print(f"     mutants    {t.send(mutants, 'mutants')} frames", flush=True)
        t.healthy()


@test
def hostile_blind():
    """Segments into an established connection by somebody who does not, or nearly, know its numbers (RFC 5961)."""
    r = random.Random(3)
    with Target() as t:
        nxt, want = t.sniff(t.redis, lambda: t.redis("PING"))  # it sends from nxt, expects want
        bad = []
        for flags in (RST, RST | ACK, SYN, SYN | ACK, ACK, FIN | ACK, PSH | ACK, PSH | ACK | URG, FIN | PSH | URG):
            for off in (-2 ** 31, -10 ** 6, -1000, -1, 1, 2, 1000, 30000, 10 ** 6, 2 ** 31 - 1):
                if off > 0 and off <= 30000 and flags & (ACK | FIN) and not flags & (RST | SYN):
                    continue  # in the window, with a good acknowledgement: real data
                bad.append(t.f.tcp(t.port, 6379, want + off, nxt, flags, data=b"BAD" if flags & PSH else b""))
        for ack in (nxt + 1, nxt + 10 ** 6, nxt + 2 ** 31, nxt - 10 ** 8):
            bad.append(t.f.tcp(t.port, 6379, want, ack, ACK | PSH, data=b"BAD"))
        t.send(itertools.chain.from_iterable(itertools.repeat(bad, 3)), "blind segments", 1000)
        nxt, want = t.sniff(t.redis, lambda: t.redis("PING"))
        for kind, code, arg in ((3, 0, 0), (3, 1, 0), (3, 2, 0), (3, 3, 0), (3, 4, 68), (3, 4, 0), (4, 0, 0), (11, 0, 0), (12, 0, 0)):
            t.send([t.f.quoting(kind, code, arg, 6379, t.port, nxt + off) for off in (1, 1000, -10 ** 6, 10 ** 6)], "ICMP of no segment in flight")
        big = os.urandom(300000)
        equal(t.redis("SET", "k", big), "OK")
        equal(t.redis("GET", "k"), big)
        victim = t.connect()
        nxt, want = t.sniff(victim, lambda: victim("PING"))
        t.send([t.f.tcp(victim.s.getsockname()[1], 6379, want, 0, RST)], "RST of another connection")
        try:
            victim("PING")
        except (OSError, EOFError):
            pass
        else:
            raise AssertionError("the exact RST was to end its connection: the test's numbers are wrong")


@test
def hostile_poisoned():
    """A neighbour's address that is not (or no longer) true: found out when nothing comes back, not after minutes."""
    with Target() as t:
        for _ in range(2):
            t.raw.send(t.f.arp(2, b"\2\1\2\3\4\5", dst=t.f.mac_it))
            start = time.monotonic()
            t.ping("a false neighbour")
            took = time.monotonic() - start
            print(f"     found out after {took:.1f} s", flush=True)
            true(took < 10, f"{took:.1f} s until the neighbour was asked again")
            time.sleep(1)


@test
def hostile_floods():
    r = random.Random(4)
    with Target() as t:
        clients = [t.connect() for _ in range(5)]
        senders = (t.f.arp(1, b"\2\0" + struct.pack("!I", i), spa=ip("10.9.1.0") + i) for i in range(10000))
        t.send(senders, "ARP flood")
        replies = (t.f.arp(2, b"\2\0" + struct.pack("!I", i), spa=ip("10.9.1.0") + i, dst=t.f.mac_it) for i in range(10000))
        t.send(replies, "ARP replies nobody asked for")
        t.connect().close()
        # UDP to closed ports: the answers are limited
        t.drain()
        start = time.monotonic()
        n = t.send((t.f.udp(r.randrange(1, 65536), r.randrange(1000, 6000), b"x", src=ip("10.9.0.1")) for _ in range(8000)), "UDP flood")
        took = time.monotonic() - start
        answers = sum(d[12:14] == b"\x08\0" and d[23] == 1 for d in t.drain())
        print(f"     {n} datagrams to closed ports, {answers} answers in {took:.1f} s", flush=True)
        true(0 < answers <= 200 * (took + 2), f"{answers} ICMP answers in {took:.1f} s")
        # half-open connections that stay, then a flood on top
        options = b"\2\4\5\xb4\4\2\x08\x0a\0\0\0\1\0\0\0\0\1\3\3\7"
        t.send((t.f.tcp(1024 + i, 6379, r.getrandbits(32), options=options, src=ip("10.9.0.3")) for i in range(1000)), "1,000 half-open")
        start = time.monotonic()
        equal(t.connect()("PING"), "PONG")
        half = time.monotonic() - start
        done, slow = threading.Event(), []

        def legitimate():
            while not done.is_set():
                begin = time.monotonic()
                try:
                    c = t.connect(30)
                    equal(c("PING"), "PONG")
                    c.close()
                    slow.append(time.monotonic() - begin)
                except Exception as e:
                    slow.append(e)
                time.sleep(0.01)
        others = threading.Thread(target=legitimate)
        others.start()
        try:
            t.send((t.f.tcp(r.randrange(1024, 65536), 6379, r.getrandbits(32), options=r.choice((options, b"", b"\2\4\2\x18")),
                            src=r.choice((ip("192.168.0.0"), ip("172.16.0.0"), ip("10.9.4.0"))) + r.randrange(1, 65000)) for _ in range(20000)), "SYN flood")
        finally:
            done.set()
            others.join()
        bad = [s for s in slow if not isinstance(s, float)]
        true(slow and not bad, f"new connections during the flood: {bad[:3]}")
        print(f"     SYN flood: {len(slow)} new connections meanwhile, slowest {max(slow) * 1000:.0f} ms; with 1,000 half-open {half * 1000:.0f} ms", flush=True)
        big = os.urandom(2 << 20)
        c = t.connect()  # through a cookie: must still scale windows and carry much
        equal(c("SET", "k", big), "OK")
        equal(c("GET", "k"), big)
        for c in clients:
            equal(c("PING"), "PONG")
        # ACKs that would have to be cookies
        t.send((t.f.tcp(r.randrange(1024, 65536), 6379, r.getrandbits(32), r.getrandbits(32), ACK) for _ in range(10000)), "ACK flood")
        t.healthy()


@test
def hostile_readers():
    """Peers that do not read: a shut window for ten seconds, 64 KiB/s, and many who never come back."""
    with Target() as t:
        value = os.urandom(1 << 20)
        equal(t.redis("SET", "big", value), "OK")
        shut, slow = t.connect(rcvbuf=4096), t.connect(rcvbuf=16384)
        gone = [t.connect(rcvbuf=4096) for _ in range(20)]
        for c in (shut, slow, *gone):
            c.send("GET", "big")
        start, got, header = time.monotonic(), b"", len(b"$1048576\r\n")
        while time.monotonic() - start < 10 or len(got) < len(value) + header + 2:
            data = slow.s.recv(6554)
            true(data or len(got) == len(value) + header + 2, "the slow reader's stream ended early")
            got += data
            if len(got) == len(value) + header + 2:
                break
            t.ping("readers that do not read")
            time.sleep(0.1)
        true(got[header:-2] == value, "the slow reader's value")
        true(shut.reply() == value, "the value behind a window shut for long")
        for c in gone[:10]:
            c.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for c in gone:
            c.close()
        t.healthy()
