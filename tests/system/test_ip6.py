# SPDX-License-Identifier: Apache-2.0
"""IPv6 from outside: addresses given and advertised, Linux programs and native ones, both families on one listener, path MTU,
lossy links. Every client is Linux's own stack."""
import contextlib, os, random, re, socket, struct, subprocess, threading, time
from harness import GODWIT, GUEST, Redis, equal, need, test, true
from netlab import NO_OFFLOADS, Child, Namespace, TapMachine, Wire, sh
from test_http import site
from test_native import Hosted, app, echo_bytes, finish

NET = "2001:db8:9::"
ADDR, GATEWAY = NET + "2", NET + "1"
STATIC = ["--addr6", f"{ADDR}/64,gw={GATEWAY}"]
V4, V4_GATEWAY = "10.9.0.2", "10.9.0.1"


def six_up(ns, name, addr):
    """IPv6 on an interface, at once: without duplicate address detection, and deaf to routers."""
    conf = f"/proc/sys/net/ipv6/conf/{name}"
    ns.run("sh", "-c", f"echo 0 > {conf}/disable_ipv6; echo 0 > {conf}/accept_dad; echo 0 > {conf}/accept_ra")
    ns.ip("addr", "add", addr, "dev", name, "nodad")


def six_tap(ns, name="t0", addr=f"{GATEWAY}/64", queues=1):
    ns.tap(name, f"{V4_GATEWAY}/24", queues)
    six_up(ns, name, addr)


def machine(ns, *program, tap="t0", options=(), address=STATIC):
    return TapMachine(ns, tap, f"{V4}/24,gw={V4_GATEWAY}", program, [*address, *options])


def redis(ns, options=(), **more):
    return machine(ns, need("redis-server"), "--save", "", "--protected-mode", "no", options=["-m", "256M", *options], **more)


def connect(ns, child, addr, port, timeout=60):
    """A connection, once somebody listens there."""
    end = time.monotonic() + timeout
    while True:
        true(child.p.poll() is None, f"the program ended: {''.join(child.err)[-1500:]}")
        with ns.inside():
            s = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET)
        try:
            s.settimeout(2)
            s.connect((addr, port))
            s.settimeout(60)
            return s
        except OSError as e:
            s.close()
            true(time.monotonic() < end, f"nobody at {addr} port {port}: {e}")
            time.sleep(0.1)


def redis_at(ns, child, addr=ADDR):
    r = Redis(connect(ns, child, addr, 6379))
    equal(r("PING"), "PONG")
    return r


def values(r, sizes, seed=3):
    """Each value comes back as it was."""
    data = random.Random(seed).randbytes(max(sizes))
    for n in sizes:
        equal(r("SET", "x", data[:n]), "OK")
        true(r("GET", "x") == data[:n], f"a value of {n} bytes")


def reply_to(s, k):
    """The echo reply with this number, or None after a second."""
    end = time.monotonic() + 1
    while time.monotonic() < end:
        try:
            got, where = s.recvfrom(70000)
        except TimeoutError:
            break
        if got[0] == 129 and got[4:8] == struct.pack("!HH", 77, k):
            return got[8:], where[0]
    return None


def ping(ns, addr, sizes):
    """Echo requests (RFC 4443 4.1) of these many bytes, each answered with the same."""
    with ns.inside():
        s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    s.settimeout(1)
    for k, n in enumerate(sizes):
        body, got = random.Random(n).randbytes(n), None
        for _ in range(3):  # the machine is emulated, and shares its cores
            if got is None:
                s.sendto(struct.pack("!BBHHH", 128, 0, 0, 77, k) + body, (addr, 0))
                got = reply_to(s, k)
        true(got is not None, f"no echo reply of {n} bytes")
        true(got == (body, addr), f"{n} bytes in an echo reply from {got[1]}")
    s.close()


@test
def ip6_redis():
    """A static address: Linux's clients of both families, on one shard and on two."""
    for vcores in (1, 2):
        with Namespace() as ns:
            six_tap(ns, queues=vcores)
            with redis(ns, ["-c", str(vcores)]) as m:
                r = redis_at(ns, m)
                values(r, [1, 1427, 1428, 1429, 65535, 65536, 1 << 20, 8 << 20])
                line = r("CLIENT", "LIST").decode()
                true(f"addr=[{GATEWAY}]:" in line and f"laddr=[{ADDR}]:6379" in line, f"redis sees {line}")
                old = redis_at(ns, m, V4)
                true(f"addr={V4_GATEWAY}:" in old("CLIENT", "LIST").decode(), "IPv4 is served beside it")
                conns = [redis_at(ns, m) for _ in range(60)]
                for k in range(10):
                    for i, c in enumerate(conns):
                        c.send("INCR", f"n{i}")
                    for i, c in enumerate(conns):
                        equal(c.reply(), k + 1, f"connection {i}")
                ping(ns, ADDR, (0, 8, 1440, 1452, 1453, 4000, 8000))
                p = finish("redis-cli", "-h", ADDR, "INFO", "clients", ns=ns)
                equal(p[0], 0, "redis-cli")


class Router(threading.Thread):
    """Advertises a prefix on an interface (RFC 4861 4.2) until the block ends."""

    def __init__(self, ns, name, prefix, mtu=1400):
        super().__init__(daemon=True)
        with ns.inside():
            self.s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
            self.index = socket.if_nametoindex(name)
        self.s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        self.s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, self.index)
        raw = socket.inet_pton(socket.AF_INET6, prefix)
        self.message = (struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
                        + struct.pack("!BBBBIII16s", 3, 4, 64, 0xC0, 3600, 1800, 0, raw)
                        + struct.pack("!BBHI", 5, 1, 0, mtu)
                        + struct.pack("!BBHI16s", 25, 3, 0, 1800, raw[:15] + b"\x53"))
        self.over = threading.Event()

    def run(self):
        while not self.over.wait(0.3):
            try:
                self.s.sendto(self.message, ("ff02::1", 0, 0, self.index))
            except OSError:
                pass  # the link is not up yet

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()
        self.s.close()


def slaac_address(prefix, mac):
    """RFC 4291 appendix A."""
    m = bytes(int(x, 16) for x in mac.split(":"))
    return socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, prefix)[:8] + bytes([m[0] ^ 2]) + m[1:3] + b"\xff\xfe" + m[3:])


@test
def ip6_advertised():
    """No word about IPv6 on the command line: the address, the route and the MTU come from a router, to both shards."""
    prefix = "2001:db8:a::"
    with Namespace() as ns:
        six_tap(ns, addr=prefix + "1/64", queues=2)
        words = subprocess.run([GODWIT, "run", "--net", "tap=t0", "-c", "2", "--print-qemu", "--", need("redis-server")],
                               capture_output=True, text=True).stdout
        mac = re.search(r"mac=([0-9a-f:]{17})", words)
        true(mac, "QEMU's command says the MAC")
        addr = slaac_address(prefix, mac.group(1))
        with Router(ns, "t0", prefix), redis(ns, ["-c", "2"], address=()) as m:
            r = redis_at(ns, m, addr)
            values(r, [100, 100000, 2 << 20])
            # beyond the router: the namespace routes to its own loopback
            ns.run("sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/lo/disable_ipv6; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding")
            ns.ip("addr", "add", "2001:db8:ffff::1/128", "dev", "lo", "nodad")
            with ns.inside():
                s = socket.socket(socket.AF_INET6)
            s.bind(("2001:db8:ffff::1", 0))
            s.settimeout(20)
            s.connect((addr, 6379))
            far = Redis(s)
            values(far, [100, 100000])
            true("addr=[2001:db8:ffff::1]:" in far("CLIENT", "LIST").decode(), "a client from another network")
            conns = [redis_at(ns, m, addr) for _ in range(40)]
            for i, c in enumerate(conns):
                equal(c("SET", f"k{i}", "v" * i), "OK")
            for i, c in enumerate(conns):
                equal(c("GET", f"k{i}"), b"v" * i)


def who(ns, child, addr, port):
    s = connect(ns, child, addr, port)
    f = s.makefile("rwb")
    line = f.readline().decode()
    f.write(b"hello\n")
    f.flush()
    equal(f.readline(), b"hello\n")
    s.close()
    return line


def who_udp(ns, addr, port):
    with ns.inside():
        u = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET, socket.SOCK_DGRAM)
    u.settimeout(10)
    u.connect((addr, port))
    u.send(b"who")
    line = u.recv(1000).decode()
    for n in (0, 1, 1452, 1453, 9000, 30000):
        data = random.Random(n).randbytes(n)
        u.send(data)
        equal(u.recv(65536), data, f"a datagram of {n} bytes")
    u.close()
    return line


@test
def ip6_dual_listener():
    """One listener on ::, clients of both families: it tells each who he is in the words that it uses on Linux."""
    program = os.path.join(GUEST, "conf_ip6")
    for vcores in ("1", "2"):
        with Namespace() as ns:
            six_tap(ns, queues=int(vcores))
            with machine(ns, program, "serve", "7000", options=["-c", vcores]) as m:
                for addr, own, mine in ((V4, f"::ffff:{V4}", f"::ffff:{V4_GATEWAY}"), (ADDR, ADDR, GATEWAY)):
                    equal(who(ns, m, addr, 7000), f"you {mine}, I {own}\n")
                    equal(who_udp(ns, addr, 7000), f"you {mine}, I {own}\n")
            # the same program as a process of this Linux
            ns.run("sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/lo/disable_ipv6")
            with Child(ns.popen(program, "serve", "7000", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)) as linux:
                equal(who(ns, linux, "127.0.0.1", 7000), "you ::ffff:127.0.0.1, I ::ffff:127.0.0.1\n")
                equal(who(ns, linux, "::1", 7000), "you ::1, I ::1\n")
                equal(who_udp(ns, "127.0.0.1", 7000), "you ::ffff:127.0.0.1, I ::ffff:127.0.0.1\n")


def datagrams(ns, addr, port, sizes):
    """Each comes back; the first that is too long for the path is lost on the way, and again on the way back."""
    with ns.inside():
        u = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    u.settimeout(1)
    u.connect((addr, port))
    for n in sizes:
        data, got = random.Random(n).randbytes(n), None
        for _ in range(5):
            try:
                u.send(data)
                got = u.recv(65536)
                break
            except OSError:
                pass
        true(got == data, f"a datagram of {n} bytes over the narrow link")
    u.close()


def routed(stack, mtu):
    """machine - bench - middle - far; the link in the middle takes `mtu` bytes, all others 1,500."""
    bench, middle, far = (stack.enter_context(Namespace()) for _ in range(3))
    six_tap(bench)
    for a, x, b, y, net in ((bench, "m0", middle, "m1", "2001:db8:c::"), (middle, "f0", far, "f1", "2001:db8:d::")):
        sh("ip", "-n", a.name, "link", "add", x, "type", "veth", "peer", "name", y, "netns", b.name)
        for ns, name, host in ((a, x, "1"), (b, y, "2")):
            six_up(ns, name, f"{net}{host}/64")
            ns.up(name)
    for ns, name in ((bench, "m0"), (middle, "m1")):
        ns.ip("link", "set", name, "mtu", str(mtu))
    for ns in (bench, middle):
        ns.run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding")
    bench.ip("route", "add", "2001:db8:d::/64", "via", "2001:db8:c::2")
    middle.ip("route", "add", NET + "/64", "via", "2001:db8:c::1")
    far.ip("route", "add", "default", "via", "2001:db8:d::1")
    return bench, far


@test
def ip6_path_mtu():
    """Packet Too Big from the router in front of a narrow link (RFC 8201): large answers arrive all the same."""
    for mtu in (1280, 1400):
        with contextlib.ExitStack() as stack:
            bench, far = routed(stack, mtu)
            with redis(bench) as m:
                r = redis_at(far, m)
                start = time.monotonic()
                values(r, [1000, 1300, 5000, 100000, 4 << 20])
                took = time.monotonic() - start
                print(f"     4 MiB each way through a link of {mtu} bytes in {took:.1f} s", flush=True)
            with machine(bench, os.path.join(GUEST, "conf_ip6"), "serve", "7000") as m:
                connect(far, m, ADDR, 7000).close()
                datagrams(far, ADDR, 7000, (1000, 1400, 5000, 30000))


@test
def ip6_impaired():
    """Loss, reordering, repeats, damage and all together: the right bytes."""
    with Namespace() as bench, Namespace() as linux:
        bench.tap("g0")
        with redis(bench, ["--qemu-args", NO_OFFLOADS], tap="g0") as m, Wire(bench, "tap:l0", "packet:g0") as wire:
            bench.ip("link", "set", "l0", "netns", linux.name)
            linux.up("l0")
            six_up(linux, "l0", f"{GATEWAY}/64")
            r = redis_at(linux, m)
            for name, settings, kib in (("clean", {}, 2048), ("loss 1 %", dict(loss=1, delay=2), 1024), ("loss 5 %", dict(loss=5, delay=2), 512),
                                        ("reorder 10 %", dict(reorder=10, delay=1), 512), ("duplicate 10 %", dict(dup=10, delay=1), 512),
                                        ("corrupt 3 %", dict(corrupt=3, delay=1), 256),
                                        ("all at once", dict(loss=2, dup=3, reorder=5, corrupt=1, delay=2), 256)):
                lost = wire.set(seed=5, **settings)[1]
                start = time.monotonic()
                values(r, [kib << 10])
                print(f"     {name:16} {kib:5} KiB each way {time.monotonic() - start:6.1f} s, {wire.set()[1] - lost} frames lost", flush=True)
            wire.set(seed=6, loss=10)
            more = redis_at(linux, m)  # neighbour discovery and handshakes lose packets, too
            equal(more("PING"), "PONG")


def curl(ns, *words):
    return finish(need("curl"), "-6", "-s", "-S", "--max-time", "30", *words, ns=ns)


@test
def ip6_native_http():
    """apps/http as a Linux process on a tap, and as a partition: curl -6, files, and the address in the access log."""
    with site() as files, Namespace() as ns:
        six_tap(ns)
        words = [GODWIT, "host", "--net", "tap=t0", "--addr", f"{V4}/24", *STATIC, "--files", files, "--", app("http"), "--access-log"]
        p = ns.popen(*words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        with Child(p) as h:
            connect(ns, h, ADDR, 80).close()
            status, out, err = curl(ns, f"http://[{ADDR}]/plaintext")
            equal((status, out), (0, "Hello, World!"), err)
            status, out, err = curl(ns, "-o", os.devnull, "-w", "%{http_code} %{size_download} %{remote_ip}", f"http://[{ADDR}]/big.bin")
            equal(out, f"200 3000000 {ADDR}", err)
            status, out, err = finish(need("curl"), "-4", "-s", f"http://{V4}/plaintext", ns=ns)
            equal((status, out), (0, "Hello, World!"), err)
            equal(h.stop(), 0)
            log = p.stdout.read().decode()
            true(f"{GATEWAY} - - [" in log and f"{V4_GATEWAY} - - [" in log, f"the access log has both clients: {log[-1000:]}")
    with site() as files, Namespace() as ns:
        six_tap(ns)
        with machine(ns, app("http"), options=["--native", "--files", files]) as m:
            connect(ns, m, ADDR, 80).close()
            status, out, err = curl(ns, "-o", os.devnull, "-w", "%{http_code} %{size_download}", f"http://[{ADDR}]/big.bin")
            equal(out, "200 3000000", err)


@test
def ip6_native_echo():
    """apps/echo, both styles, TCP and UDP with fragments, on one core and on two."""
    for style, cores in (("callbacks", None), ("tasks", "0,0")):
        with Namespace() as ns:
            six_tap(ns, queues=2 if cores else 1)
            options = ["--net", "tap=t0", "--addr", f"{V4}/24", *STATIC, *(["--cores", cores] if cores else [])]
            with Hosted(ns, app("echo"), style, options=options) as h:
                for addr in (ADDR, V4):
                    many = [connect(ns, h, addr, 7) for _ in range(10)]
                    for i, s in enumerate(many):
                        echo_bytes(s, 1 + i * 20000, i)
                        s.close()
                    with ns.inside():
                        u = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET, socket.SOCK_DGRAM)
                    u.settimeout(5)
                    u.connect((addr, 7))
                    for n in (0, 1, 1452, 1453, 2048) + ((8000, 20000) if style == "callbacks" else ()):
                        data = random.Random(n).randbytes(n)
                        u.send(data)
                        equal(u.recv(65536), data, f"a datagram of {n} bytes at {addr}")
                    u.close()
                ping(ns, ADDR, (8, 1452, 5000))
                h.end()
