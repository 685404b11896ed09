# SPDX-License-Identifier: Apache-2.0
"""TCP on a tap against the Linux stack, over links that lose, repeat, reorder, damage, delay and narrow."""
import os, random, socket, subprocess, time
from harness import GUEST, Redis, equal, need, test, true
from netlab import NO_OFFLOADS, Child, Namespace, TapMachine, Wire

os.environ["XFER_CONGESTION"] = "cubic"  # of the native xfer, unless a test says otherwise; the machine's is CUBIC
XFER = os.path.join(GUEST, "xfer")
PORT = "7000"
KIB = 1024
SERVER_SENDS, CLIENT_SENDS, BOTH = 1, 2, 3


def xfer(ns, mode, addr, op, size, seed, *mine, timeout=100):
    """One transfer by a client in ns; the sums of both directions must be the patterns'. Returns MB/s."""
    try:
        p = subprocess.run(ns.command(XFER, mode, addr, PORT, str(op), str(size), str(seed), *mine),
                           capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"xfer {mode} op {op}: no end after {timeout} s")
    true(p.returncode == 0, f"xfer {mode} op {op} of {size} bytes: status {p.returncode}, {p.stdout.strip()} {p.stderr.strip()}")
    return size / max(int(p.stdout.split()[4]), 1) / 1000


def serving(ns):
    child = Child(ns.popen(XFER, "server", PORT, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    true(child.p.stdout.readline() == b"serving\n", "the native server serves")
    return child


def await_server(ns, addr, machine):
    end = time.monotonic() + 60
    while True:
        true(machine.p.poll() is None, f"the machine ended: {''.join(machine.err)[-1000:]}")
        try:
            return xfer(ns, "client", addr, SERVER_SENDS, 1, 1, timeout=5)
        except AssertionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


class Impaired:
    """A machine that serves xfer, a wire, and a Linux namespace on the wire's other end."""

    def __init__(self, gso=False, vcores=1, congestion="cubic", more=()):
        self.more = list(more)
        self.vcores = vcores
        self.congestion = congestion
        self.gso = ["gso"] if gso else []
        self.stack = []

    def keep(self, thing):
        self.stack.append(thing)
        return thing.__enter__()

    def __enter__(self):
        try:
            self.bench, self.linux = self.keep(Namespace()), self.keep(Namespace())
            self.bench.tap("g0", queues=self.vcores)
            options = ["-c", str(self.vcores), "-e", f"XFER_CONGESTION={self.congestion}"] + ([] if self.gso else ["--qemu-args", NO_OFFLOADS]) + self.more
            self.machine = self.keep(TapMachine(self.bench, "g0", "10.9.0.2/24,gw=10.9.0.1", [XFER, "server", PORT], options))
            self.wire = self.keep(Wire(self.bench, "tap:l0", "packet:g0", *self.gso))
            self.bench.ip("link", "set", "l0", "netns", self.linux.name)
            self.linux.up("l0", "10.9.0.1/24")
            self.server = self.keep(serving(self.linux))
            await_server(self.linux, "10.9.0.2", self.machine)
        except BaseException:
            self.__exit__(AssertionError)
            raise
        return self

    def __exit__(self, kind, *_):
        while self.stack:
            self.stack.pop().__exit__(kind)

    def passive(self, op, size, seed, **more):
        return xfer(self.linux, "client", "10.9.0.2", op, size, seed, **more)

    def active(self, op, size, seed, **more):
        return xfer(self.linux, "back", "10.9.0.2", op, size, seed, "10.9.0.1", **more)


CASES = [
    ("clean", {}, 2048),
    ("loss 1 %", dict(loss=1, delay=5), 1024),
    ("loss 5 %", dict(loss=5, delay=5), 1024),
    ("loss 10 %", dict(loss=10, delay=5), 512),
    ("reorder 10 %", dict(reorder=10, delay=1), 1024),
    ("duplicate 10 %", dict(dup=10, delay=1), 1024),
    ("corrupt 3 %", dict(corrupt=3, delay=1), 512),
    ("delay 100 ms", dict(delay=100), 1024),
    ("rate 4 Mbit/s", dict(rate=4000, delay=5), 512),
    ("all at once", dict(loss=2, dup=3, reorder=5, corrupt=1, delay=5), 512),
]


def matrix(lab, cases):
    for name, settings, kib in cases:
        for seed, (role, go) in enumerate((("passive", lab.passive), ("active", lab.active))):
            lab.wire.set(seed=seed + 11, **settings)
            start = time.monotonic()
            try:
                mbs = go(BOTH, kib * KIB, 17 + seed)
            except AssertionError as e:
                raise AssertionError(f"{name}, {role} open: {e}; wire {lab.wire.set()}")
            print(f"     {name:16} {role:8} {kib:5} KiB both ways {mbs:8.3f} MB/s {time.monotonic() - start:6.1f} s", flush=True)


@test
def tap_impaired():
    with Impaired() as lab:
        matrix(lab, CASES)
        lab.wire.set()
        lab.linux.ip("link", "set", "l0", "mtu", "576")
        matrix(lab, [("MTU 576", {}, 512), ("MTU 576, loss 2 %", dict(loss=2, delay=2), 256)])


@test
def tap_ecn():
    """Explicit congestion notification with Linux through a queue of 64 KiB that marks what waits longer than 5 ms: the marks are
    answered, so that nothing is lost and nothing is sent twice."""
    for congestion in ("cubic", "bbr"):
        with Impaired(congestion=congestion, more=("--ecn", "request")) as lab:
            lab.linux.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/tcp_ecn")
            for name, go, op in (("machine to Linux, passive", lab.passive, SERVER_SENDS), ("machine to Linux, active", lab.active, CLIENT_SENDS),
                                 ("Linux to machine, passive", lab.passive, CLIENT_SENDS), ("Linux to machine, active", lab.active, SERVER_SENDS)):
                lost = lab.wire.set(rate=8000, delay=5, mark=5)[1]
                mbs = go(op, 2048 * KIB, 3)
                _, now_lost, marked, again, plain, ece, cwr = lab.wire.set()
                print(f"     {congestion:5} {name:26} {mbs:6.3f} MB/s of 1; {marked} marked, {ece} ECE, {cwr} CWR, {again} sent again", flush=True)
                if "machine to" not in name and congestion == "bbr":  # Linux's BBR does not heed marks
                    true(marked > 0 and ece > 0, f"{name}: nothing was marked, or not echoed")
                    continue
                true(marked > 0 and ece > 0 and cwr > 0, f"{name}: marked {marked}, echoed {ece}, answered {cwr}")
                equal((now_lost - lost, again), (0, 0), f"{name}, {congestion}: lost, sent again")
                true(plain <= 3, f"{name}: {plain} segments of new data not ECT")  # the order for the transfer, of an older connection


@test
def tap_impaired_offloads():
    with Impaired(gso=True) as lab:
        matrix(lab, [("clean", {}, 4096), ("loss 2 %", dict(loss=2, delay=5), 2048), ("reorder 10 %", dict(reorder=10, delay=1), 2048),
                     ("duplicate 10 %", dict(dup=10, delay=1), 2048)])


def goodput(go, wire, loss, op, kib, seeds):
    """The median over seeds, one direction."""
    got = []
    for seed in seeds:
        wire.set(loss=loss, delay=5, seed=seed)
        got.append(go(op, kib[loss] * KIB, seed))
    return sorted(got)[len(got) // 2]


def goodput_table(congestion, kib, seeds):
    os.environ["XFER_CONGESTION"] = congestion
    table = {}
    with Namespace() as bench, Namespace() as one, Namespace() as two, Wire(bench, "tap:l0", "tap:l1") as wire:
        for ns, name, addr in ((one, "l0", "10.9.0.1/24"), (two, "l1", "10.9.0.2/24")):
            bench.ip("link", "set", name, "netns", ns.name)
            ns.up(name, addr)
        with serving(two):
            for loss in kib:
                table[loss] = [goodput(lambda *a: xfer(one, "client", "10.9.0.2", *a), wire, loss, SERVER_SENDS, kib, seeds)]
    with Impaired(congestion=congestion) as lab:
        for loss in kib:
            table[loss] += [goodput(lab.passive, lab.wire, loss, op, kib, seeds) for op in (SERVER_SENDS, CLIENT_SENDS)]
    return table


@test
def tap_goodput():
    """Beside Linux to Linux over the same wire, 10 ms round trip. A report; timing is nobody's gate on a shared machine."""
    seeds = [int(s) for s in os.environ.get("TAP_SEEDS", "3 5 7").split()]
    kinds = open("/proc/sys/net/ipv4/tcp_available_congestion_control").read().split()
    print(f"     goodput in MB/s, median of {len(seeds)} transfers, 10 ms round trip, emulated machine, the same congestion control on both")
    print("              loss   Linux to Linux   machine to Linux   Linux to machine")
    try:
        for congestion, kib in (("cubic", {1: 1024, 5: 512, 10: 256}), ("bbr", {1: 2048, 5: 1024, 10: 1024})):
            if congestion not in kinds:
                print(f"     {congestion}: not in this kernel")
                continue
            for loss, (linux, out, into) in goodput_table(congestion, kib, seeds).items():
                print(f"     {congestion:6} {loss:5} % {linux:14.3f} {out:14.3f} {100 * out / linux:4.0f} % {into:12.3f} {100 * into / linux:4.0f} %"
                      + ("   below half" if min(out, into) < linux / 2 else ""), flush=True)
    finally:
        os.environ["XFER_CONGESTION"] = "cubic"


def redis_on_tap(ns, queues, tap="t0", **more):
    ns.tap(tap, "10.9.0.1/24", queues)
    server = need("redis-server")
    return TapMachine(ns, tap, "10.9.0.2/24,gw=10.9.0.1", [server, "--save", "", "--protected-mode", "no", *more.get("args", ())],
                      ["-c", str(queues), "-m", more.get("memory", "512M")])


def connect(ns, machine, port, timeout=60):
    end = time.monotonic() + timeout
    while True:
        true(machine.p.poll() is None, f"the machine ended: {''.join(machine.err)[-1000:]}")
        with ns.inside():
            s = socket.socket()
        try:
            s.settimeout(2)
            s.connect(("10.9.0.2", port))
            s.settimeout(30)
            return s
        except OSError:
            s.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def redis_at(ns, machine):
    end = time.monotonic() + 60
    while True:
        r = Redis(connect(ns, machine, 6379))
        try:
            equal(r("PING"), "PONG")
            return r
        except (OSError, EOFError):
            true(time.monotonic() < end, "redis does not answer")
            time.sleep(0.1)


class Sizes:
    """Frame lengths by direction, seen on an interface."""

    def __init__(self, ns, name):
        with ns.inside():
            self.s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self.s.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)
            self.s.bind((name, 3))
        self.s.setblocking(False)

    def take(self):
        got = ([], [])  # from the machine, to the machine
        buf = bytearray(64)
        try:
            while True:
                n, _, _, where = self.s.recvmsg_into([buf], 0, socket.MSG_TRUNC)
                got[where[2] == socket.PACKET_OUTGOING].append(n)
        except BlockingIOError:
            return got


@test
def tap_bulk_offloads():
    """64 MiB values both ways: segmentation and checksums are the device's work, and the bytes are right."""
    value = random.Random(5).randbytes(64 << 20)
    with Namespace() as ns, redis_on_tap(ns, 1) as m:
        r = redis_at(ns, m)
        sizes = Sizes(ns, "t0")
        equal(r("SET", "x", value[:2 << 20]), "OK")
        true(r("GET", "x") == value[:2 << 20], "2 MiB come back")
        from_it, to_it = sizes.take()
        sizes.s.close()
        for _ in range(2):
            start = time.monotonic()
            equal(r("SET", "big", value), "OK")
            into = 64 / (time.monotonic() - start)
            start = time.monotonic()
            true(r("GET", "big") == value, "the value comes back as it was")
            out = 64 / (time.monotonic() - start)
        print(f"     redis, 64 MiB: SET {into:.0f} MiB/s, GET {out:.0f} MiB/s (emulated); largest frame from the machine {max(from_it)}, to it {max(to_it)}", flush=True)
        true(max(from_it) > 30000, f"TSO: largest frame from the machine {max(from_it)}")
        true(max(to_it) > 15000, f"large receive in merged buffers: largest frame to the machine {max(to_it)}")
        true(max(max(from_it), max(to_it)) <= 65549, "frames above 64 KB")
        for size in [1, 1447, 1448, 1449, 2896, 16383, 65480, 65535, 65536, 131071] + random.Random(6).sample(range(1, 400000), 60):
            part = value[size:2 * size]
            equal(r("SET", "x", part), "OK")
            true(r("GET", "x") == part, f"a value of {size} bytes")


def many_connections(ns, machine, n, rounds):
    """n redis connections, pipelined rounds over all of them; each keeps its own key."""
    conns = [redis_at(ns, machine) for _ in range(n)]
    r = random.Random(8)
    values = [r.randbytes(r.choice((10, 100, 5000))) for _ in conns]
    for i, c in enumerate(conns):
        equal(c("SET", f"k{i}", values[i]), "OK")
    for k in range(rounds):
        for i, c in enumerate(conns):
            c.send("INCR", f"n{i}")
            c.send("GET", f"k{i}")
        for i, c in enumerate(conns):
            equal(c.reply(), k + 1, f"connection {i}")
            equal(c.reply(), values[i], f"connection {i}")
    return conns


@test
def tap_multiqueue_redis():
    with Namespace() as ns, redis_on_tap(ns, 2) as m:
        redis_at(ns, m)
        conns = many_connections(ns, m, 200, 20)
        big = os.urandom(16 << 20)
        for c in conns[:4]:
            equal(c("SET", "big", big), "OK")
            true(c("GET", "big") == big, "a big value on two queues")
        for c in conns:
            equal(c("PING"), "PONG")
        queues_used(ns)


def queues_used(ns):
    """Frames by the queue that the tap chose for them; the choice is made by hash. Where the kernel counts, both have some."""
    stat = ns.ip("-s", "-s", "link", "show", "dev", "t0").stdout
    true("t0" in stat, "the tap is there")
    text = ns.run("tc", "-s", "qdisc", "show", "dev", "t0", check=False).stdout
    sent = [int(line.split()[1]) for line in text.splitlines() if line.strip().startswith("Sent")]
    print(f"     bytes per queue of the tap {sent}", flush=True)
    if len(sent) >= 3:  # the mq parent and its queues
        true(all(n > 0 for n in sent[1:]), f"each queue pair has traffic: {sent}")


@test
def tap_multiqueue_memcached():
    box = need("memcached")
    with Namespace() as ns:
        ns.tap("t0", "10.9.0.1/24", 2)
        with TapMachine(ns, "t0", "10.9.0.2/24", [box, "-u", "root", "-t", "2", "-m", "32", "-c", "1024"], ["-c", "2"]) as m:
            first = connect(ns, m, 11211)
            socks = [first] + [connect(ns, m, 11211) for _ in range(199)]
            files = [s.makefile("rb") for s in socks]
            for k in range(20):
                for i, s in enumerate(socks):
                    value = b"%d-%d " % (k, i) * (i % 50 + 1)
                    s.sendall(b"set k%d 0 0 %d\r\n%s\r\nget k%d\r\n" % (i, len(value), value, i))
                for i, f in enumerate(files):
                    value = b"%d-%d " % (k, i) * (i % 50 + 1)
                    equal(f.readline(), b"STORED\r\n", f"round {k}, connection {i}")
                    f.readline()
                    equal(f.readline(), value + b"\r\n", f"round {k}, connection {i}")
                    equal(f.readline(), b"END\r\n")
            queues_used(ns)
            for round_ in range(10):  # connections that come and go
                more = [connect(ns, m, 11211) for _ in range(50)]
                for s in more:
                    s.sendall(b"version\r\n")
                for s in more:
                    true(s.recv(100).startswith(b"VERSION"), "a new connection answers")
                    s.close()
            for s, f in zip(socks, files):
                s.sendall(b"get k1\r\n")
                true(f.readline().startswith(b"VALUE k1"), "the old ones still answer")
                f.readline()
                f.readline()


@test
def tap_multiqueue_impaired():
    with Impaired(vcores=2) as lab:
        matrix(lab, [c for c in CASES if c[0] in ("clean", "loss 5 %", "all at once")])
