# SPDX-License-Identifier: Apache-2.0
"""Native programs (apps/, tests/native) as Linux processes on taps and AF_XDP, under the sanitizers, and as partitions in QEMU."""
import os, random, re, shutil, signal, socket, struct, subprocess, tempfile, threading, time
from harness import GODWIT, ROOT, Skip, equal, free_port, need, test, true
from netlab import Child, Namespace, sh

BUILD = os.path.join(ROOT, "build")
LOAD = os.path.join(BUILD, "godwit-load")
SETTINGS = ["--set", "greeting=hello", "--set", "n=1", "--set", "n=2", "--files", os.path.join(ROOT, "tests/native/files")]


def app(name, asan=False):
    path = os.path.join(BUILD, "apps-asan" if asan else "apps", name)
    true(os.path.exists(path), f"{path} is there (make native hosted-asan)")
    return path


class Hosted(Child):
    """godwit host OPTIONS -- APP ARGS in a namespace (or here)."""

    def __init__(self, ns, program, *args, options=()):
        words = [GODWIT, "host", *options, "--", program, *args]
        more = dict(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        super().__init__(ns.popen(*words, **more) if ns else subprocess.Popen(words, cwd=ROOT, **more))

    def end(self):
        status = self.stop()
        equal(status, 0, f"status; it said: {''.join(self.err)[-2000:]}")


def finish(*words, timeout=120, ns=None):
    p = subprocess.run(ns.command(*words) if ns else words, cwd=ROOT, capture_output=True, text=True, timeout=timeout)
    return p.returncode, p.stdout, p.stderr


def connect(ns, where, timeout=30, child=None):
    """A connection that is echoed on: QEMU's own network takes connections before the program listens."""
    end = time.monotonic() + timeout
    while True:
        if child is not None:
            true(child.p.poll() is None, f"the program ended: {''.join(child.err)[-2000:]}")
        try:
            if ns:
                with ns.inside():
                    s = socket.socket()
            else:
                s = socket.socket()
            s.settimeout(5)
            s.connect(where)
            s.sendall(b"?")
            if s.recv(1) == b"?":
                s.settimeout(30)
                return s
        except OSError:
            pass
        s.close()
        true(time.monotonic() < end, f"nobody echoes at {where}")
        time.sleep(0.1)


def echo_bytes(s, n, seed=1):
    data = random.Random(seed).randbytes(n)
    t = threading.Thread(target=s.sendall, args=(data,))
    t.start()
    got = bytearray()
    while len(got) < n:
        part = s.recv(1 << 16)
        true(part, f"the end after {len(got)} of {n} bytes")
        got += part
    t.join()
    true(got == data, f"{n} bytes come back as they were")


def echo_all(ns, addr, tcp, udp, child, conns=20):
    s = connect(ns, (addr, tcp), child=child)
    for n in (1, 100, 1460, 20000, 1 << 20):
        echo_bytes(s, n, n)
    s.shutdown(socket.SHUT_WR)
    equal(s.recv(1), b"", "the end comes back too")
    s.close()
    many = [connect(ns, (addr, tcp), child=child) for _ in range(conns)]
    for k in range(3):
        for i, c in enumerate(many):
            c.sendall(b"%d %d\n" % (k, i))
        for i, c in enumerate(many):
            equal(c.recv(100), b"%d %d\n" % (k, i), "each connection has its own")
    for c in many:
        c.close()
    if ns:
        with ns.inside():
            u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    else:
        u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    u.settimeout(5)
    u.connect((addr, udp))
    for n in (1, 100, 1472):
        data = random.Random(n).randbytes(n)
        u.send(data)
        equal(u.recv(9000), data, f"a datagram of {n} bytes")
    u.close()


def load(ns, url, rate=2000, seconds=2, connections=20):
    """godwit-load: every answer comes and is right."""
    status, out, err = finish(LOAD, "run", url, "--rate", str(rate), "--duration", f"{seconds}s", "--connections", str(connections),
                              "--json", "-", ns=ns)
    true(status == 0, f"godwit-load {url}: status {status} {err[-800:]}")
    return out


class TapLab:
    """A tap with 10.9.0.1; the program is 10.9.0.2."""

    OPTIONS = ["--net", "tap=t0", "--addr", "10.9.0.2/24,gw=10.9.0.1"]

    def __init__(self, queues=1):
        self.ns, self.queues = Namespace(), queues

    def __enter__(self):
        self.ns.__enter__()
        self.ns.tap("t0", "10.9.0.1/24", self.queues)
        return self.ns

    def __exit__(self, *a):
        self.ns.__exit__(*a)


class VethLab:
    """Two namespaces joined by a veth: `card` has 10.8.0.1 on v0, where the program is; `peer` 10.8.0.2."""

    def __init__(self, queues=1):
        self.queues = [w for k in ("numtxqueues", "numrxqueues") for w in (k, str(queues))]

    def __enter__(self):
        self.card, self.peer = Namespace(), Namespace()
        p = sh("ip", "-n", self.card.name, "link", "add", "v0", *self.queues, "type", "veth", "peer", "name", "v1", *self.queues, "netns", self.peer.name, check=False)
        if p.returncode:
            raise Skip(f"no veth: {p.stderr.strip()}")
        self.card.up("v0", "10.8.0.1/24")
        self.peer.up("v1", "10.8.0.2/24")
        return self

    def __exit__(self, *a):
        self.card.__exit__(*a)
        self.peer.__exit__(*a)


def tap_echo(style, cores, asan=False):
    with TapLab(queues=cores.count(",") + 1 if cores else 1) as ns:
        options = TapLab.OPTIONS + (["--cores", cores] if cores else [])
        with Hosted(ns, app("echo", asan), style, options=options) as h:
            echo_all(ns, "10.9.0.2", 7, 7, h)
            if not asan:
                load(ns, "tcp://10.9.0.2:7")
                load(ns, "udp://10.9.0.2:7")
            h.end()


def cores_for_two():
    cores = sorted(os.sched_getaffinity(0))
    return f"{cores[0]},{cores[-1]}"  # one core twice is allowed


@test
def native_tap_tasks():
    tap_echo("tasks", None)


@test
def native_tap_callbacks():
    tap_echo("callbacks", None)


@test
def native_tap_two_shards():
    tap_echo("tasks", cores_for_two())
    tap_echo("callbacks", cores_for_two())


@test
def native_tap_asan():
    """The whole runtime and the program under the address and undefined-behaviour sanitizers."""
    tap_echo("tasks", None, asan=True)
    tap_echo("callbacks", cores_for_two(), asan=True)


@test
def native_asan_sees():
    """It is no sanitizer that sees nothing: freed memory that is read ends the process with its report."""
    status, _, err = finish(GODWIT, "host", "--", app("probe", True), "crash")
    true(status != 0 and "heap-use-after-free" in err and "in crash" in err, f"status {status}: {err[-1500:]}")


def probe_ends_well(result, least=1100):
    status, out, err = result
    m = re.search(r"probe: (\d+) passed, (\d+) failed", err)
    true(m and m[2] == "0" and int(m[1]) >= least and status == 0, f"status {status}: {out[-500:]} {err[-2000:]}")


@test
def native_probe_hosted():
    probe_ends_well(finish(GODWIT, "host", *SETTINGS, "--", app("probe"), "self"))
    probe_ends_well(finish(GODWIT, "host", *SETTINGS, "--cores", cores_for_two(), "--", app("probe"), "self"))


@test
def native_probe_asan():
    probe_ends_well(finish(GODWIT, "host", *SETTINGS, "--", app("probe", True), "self"))
    probe_ends_well(finish(GODWIT, "host", *SETTINGS, "--cores", cores_for_two(), "--", app("probe", True), "self"))


@test
def native_probe_partition():
    for more in ([], ["-c", "2"], ["--machine", "microvm", "-m", "32M"]):
        probe_ends_well(finish(GODWIT, "run", "--native", "--net", "none", *more, *SETTINGS, "--", app("probe"), "self"))


@test
def native_partition_echo():
    """The same programs as partitions in QEMU."""
    for style, more in (("tasks", []), ("callbacks", ["-c", "2", "--machine", "microvm"])):
        tcp, udp = free_port(), free_port()
        p = subprocess.Popen([GODWIT, "run", "--native", "-p", f"{tcp}:7", "-p", f"{udp}:7/udp", *more, "--", app("echo"), style], cwd=ROOT,
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        with Child(p, signal.SIGINT) as m:
            echo_all(None, "127.0.0.1", tcp, udp, m, conns=5)
            load(None, f"tcp://127.0.0.1:{tcp}", rate=300, connections=5)
            equal(m.stop(), 0, f"status: {''.join(m.err)[-1500:]}")


def linux_echo(ns, addr, port):
    """An ordinary Linux server in the namespace."""
    with ns.inside():
        s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((addr, port))
    s.listen(10)

    def serve(c):
        while True:
            data = c.recv(65536)
            if not data:
                break
            c.sendall(data)
        c.close()

    def accept():
        while True:
            try:
                c = s.accept()[0]
            except OSError:
                return
            threading.Thread(target=serve, args=(c,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return s


def xdp_on(ns):
    return "xdp" in ns.ip("link", "show", "v0").stdout


@test
def native_afxdp_shared_address():
    """The interface's own address: the program has the ports that it listens on, Linux everything else."""
    with VethLab() as lab:
        other = linux_echo(lab.card, "10.8.0.1", 2222)
        for style in ("tasks", "callbacks"):
            with Hosted(lab.card, app("echo"), style, options=["--net", "afxdp=v0", "--trust-checksums"]) as h:
                echo_all(lab.peer, "10.8.0.1", 7, 7, h)
                true(xdp_on(lab.card), "an XDP program is attached")
                s = connect(lab.peer, ("10.8.0.1", 2222))
                echo_bytes(s, 100000)
                s.close()
                with lab.card.inside():
                    taken = socket.socket()
                try:
                    taken.bind(("10.8.0.1", 7))
                    raise AssertionError("the port is not reserved")
                except OSError:
                    taken.close()
                load(lab.peer, "tcp://10.8.0.1:7")
                load(lab.peer, "udp://10.8.0.1:7")
                h.end()
            true(not xdp_on(lab.card), "nothing stays behind")
        with Hosted(lab.card, app("echo"), ":2222", options=["--net", "afxdp=v0"]) as h:
            h.p.wait(20)
            h.reader.join(5)
            true(h.p.returncode == 1 and "address in use" in "".join(h.err), f"a taken port: {h.p.returncode} {h.err}")
        other.close()


@test
def native_afxdp_killed():
    """However it ends, the card is Linux's again."""
    with VethLab() as lab:
        with Hosted(lab.card, app("echo"), options=["--net", "afxdp=v0", "--trust-checksums"]) as h:
            connect(lab.peer, ("10.8.0.1", 7), child=h).close()
            h.p.kill()
            h.p.wait(10)
        end = time.monotonic() + 10
        while xdp_on(lab.card) and time.monotonic() < end:
            time.sleep(0.1)
        true(not xdp_on(lab.card), "the XDP program went with the process")


@test
def native_afxdp_own_address():
    """An address beside the interface's: all of it is the program's, ARP too; Linux keeps its own."""
    with VethLab() as lab:
        other = linux_echo(lab.card, "10.8.0.1", 7)
        with Hosted(lab.card, app("echo"), options=["--net", "afxdp=v0", "--addr", "10.8.0.5/24", "--trust-checksums"]) as h:
            echo_all(lab.peer, "10.8.0.5", 7, 7, h)
            echo_bytes(connect(lab.peer, ("10.8.0.1", 7)), 100000)
            h.end()
        other.close()


@test
def native_afxdp_opens():
    """Connections that the program opens, on the shared address: ARP and ports are Linux's too."""
    with VethLab() as lab:
        server = linux_echo(lab.peer, "10.8.0.2", 7000)
        for asan in (False, True):
            probe_ends_well(finish(GODWIT, "host", "--net", "afxdp=v0", "--trust-checksums", "--", app("probe", asan), "connect",
                                   "10.8.0.2:7000", "1000000", ns=lab.card), least=5)
        server.close()


@test
def native_afxdp_asan_two_shards():
    with VethLab() as lab:
        with Hosted(lab.card, app("echo", True), "callbacks",
                    options=["--net", "afxdp=v0", "--trust-checksums", "--cores", cores_for_two()]) as h:
            echo_all(lab.peer, "10.8.0.1", 7, 7, h)
            h.end()


def metrics(ns):
    """{name with labels: value} of apps/http at 10.8.0.1."""
    with ns.inside(), socket.create_connection(("10.8.0.1", 80), 5) as s:
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        got = b"".join(iter(lambda: s.recv(65536), b""))
    return {m[1].decode(): float(m[2]) for m in re.finditer(rb"(?m)^(godwit_\S+) ([\d.]+)\r?$", got)}


def flows(values, word):
    """The counters of that name, by shard."""
    return {int(m[1]): v for k, v in values.items() if (m := re.match(rf'{word}{{shard="(\d+)"', k)) and 'direction="out"' not in k}


@test
def native_afxdp_two_queues():
    """A card of two queues: two shards, each with packets of its own; nothing is dropped."""
    with VethLab(queues=2) as lab:
        with Hosted(lab.card, app("http"), options=["--net", "afxdp=v0", "--trust-checksums", "--cores", cores_for_two()]) as h:
            wait_http(lab.peer, h)
            load(lab.peer, "http://10.8.0.1/plaintext", rate=2000, seconds=2, connections=64)
            m = metrics(lab.peer)
            got = flows(m, "godwit_packets_total")
            true(len(got) == 2 and min(got.values()) > 500, f"both shards received packets: {got}")
            true(not any("queues for" in line for line in h.err), "and none of them for another")
            dropped(m)
            h.end()


def wait_http(ns, child):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        true(child.p.poll() is None, f"the program ended: {''.join(child.err)[-2000:]}")
        try:
            return metrics(ns)
        except OSError:
            time.sleep(0.1)
    raise AssertionError("no answer from apps/http")


def dropped(m):
    """Nothing was, of packets with data: 'arp' and the like aside."""
    lost = {k: v for k, v in m.items() if k.startswith("godwit_drops_total") and v and re.search('reason="(no_buffer|device|ring_full|shard_full|queue|nomem|csum)"', k)}
    true(not lost, f"nothing is dropped: {lost}")


@test
def native_shard_moves():
    """Shards that change their cores every 50 ms while they serve: every request is answered, no packet is lost."""
    cores = cores_for_two().split(",")
    with VethLab() as lab:
        with Hosted(lab.card, app("http"), options=["--net", "afxdp=v0", "--trust-checksums", "--cores", cores[0]]) as h:
            wait_http(lab.peer, h)
            over, moves = threading.Event(), []

            def move():
                while not over.wait(0.05):
                    where = cores[len(moves) % 2 - 1]
                    status, _, err = finish(GODWIT, "host", "--move", str(h.p.pid), "--cores", where)
                    moves.append((status, err, os.sched_getaffinity(h.p.pid) == {int(where)}))
            t = threading.Thread(target=move)
            t.start()
            try:
                load(lab.peer, "http://10.8.0.1/plaintext", rate=5000, seconds=3, connections=50)
            finally:
                over.set()
                t.join()
            true(len(moves) > 5 and all(m[0] == 0 and m[2] for m in moves), f"it moved each time: {moves[:3]}")
            dropped(metrics(lab.peer))
            h.end()
        status, _, err = finish(GODWIT, "host", "--move", str(os.getpid()), "--cores", cores[0])
        true(status == 2 and "no program of 'godwit host'" in err, f"another process: {status} {err}")


@test
def native_afxdp_others_go_on():
    """While a program has its port: a server of Linux's on the same card, ping, and what tcpdump reads (a packet socket) are as before."""
    with VethLab() as lab:
        other = linux_echo(lab.card, "10.8.0.1", 2222)
        with Hosted(lab.card, app("echo"), "callbacks", options=["--net", "afxdp=v0", "--trust-checksums"]) as h:
            connect(lab.peer, ("10.8.0.1", 7), child=h).close()
            with lab.card.inside():
                dump = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            dump.bind(("v0", 0))
            dump.settimeout(0.5)
            dump.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            busy = threading.Thread(target=load, args=(lab.peer, "tcp://10.8.0.1:7", 3000, 2))
            busy.start()
            time.sleep(0.3)
            s = connect(lab.peer, ("10.8.0.1", 2222))
            for i in range(20):
                echo_bytes(s, 20000, i)
            s.close()
            p = lab.peer.run("ping", "-c", "2", "-W", "2", "10.8.0.1", check=False) if shutil.which("ping") else None
            true(p is None or p.returncode == 0, f"ping: {p and p.stdout}")
            busy.join()
            ports, end = {}, time.monotonic() + 10
            while time.monotonic() < end:
                try:
                    frame = dump.recv(65536)
                except TimeoutError:
                    break
                if frame[12:14] == b"\x08\x00" and frame[23] == 6:
                    a, b = struct.unpack(">HH", frame[34:38])
                    way = "in" if b in (7, 2222) else "out"
                    ports[b if way == "in" else a, way] = ports.get((b if way == "in" else a, way), 0) + 1
            true(ports.get((2222, "in"), 0) >= 20 and ports.get((2222, "out"), 0) >= 20, f"tcpdump sees Linux's packets: {ports}")
            true((7, "in") not in ports, f"the program's never come to Linux: {ports}")
            dump.close()
            h.end()
        other.close()


@test
def native_stack_overflow():
    """A task that runs over its stack ends the process at once, and is named."""
    status, _, err = finish(GODWIT, "host", "--", app("probe"), "overflow")
    true(status == -signal.SIGSEGV and 'stack overflow of task "app"' in err, f"status {status}: {err[-500:]}")


@test
def native_installed():
    """`make install` is enough to build a native program elsewhere (docs/native.md), as a process and as a partition."""
    cc = need("gcc")
    with tempfile.TemporaryDirectory() as d:
        status, _, err = finish("make", "--no-print-directory", "install", f"PREFIX={d}/usr")
        equal(status, 0, err[-800:])
        with open(f"{d}/app.c", "w") as f:
            f.write('#include <godwit.h>\nint app_main(int c, char **v) { (void)v; gw_log("outside %d", c); return 7; }\n')
        usr = f"{d}/usr"
        for words in (["-O2", "-fPIE", "-fno-stack-protector", "-fcf-protection=none", f"-I{usr}/include", "-c", "-o", f"{d}/app.o", f"{d}/app.c"],
                      ["-o", f"{d}/app", f"{d}/app.o", f"-L{usr}/lib", "-lgodwit", "-lxdp", "-lbpf", "-luring", "-pthread"],
                      ["-nostdlib", "-static", "-no-pie", f"-Wl,--gc-sections,-T,{usr}/lib/godwit/partition.ld,--build-id=none",
                       "-Wl,-z,noexecstack,-z,norelro,--no-warn-rwx-segments,-z,max-page-size=4096,--no-relax,-u,_start", "-o", f"{d}/app.elf",
                       f"{d}/app.o", f"-L{usr}/lib", "-lgodwit-part", "-lgcc"]):
            status, _, err = finish(cc, *words)
            equal(status, 0, err[-800:])
        for how in (["host"], ["run", "--native"]):
            status, _, err = finish(f"{usr}/bin/godwit", *how, "--", f"{d}/app")
            true(status == 7 and "outside 1" in err, f"{how}: status {status}: {err[-500:]}")


@test
def native_tap_opens():
    with TapLab() as ns:
        server = linux_echo(ns, "10.9.0.1", 7000)
        probe_ends_well(finish(GODWIT, "host", *TapLab.OPTIONS, "--", app("probe"), "connect", "10.9.0.1:7000", "5000000", ns=ns), least=5)
        server.close()


class Backend(Child):
    """tests/native/backend: a vhost-user back end that joins two ports."""

    def __init__(self, ns, *ports):
        super().__init__(ns.popen(os.path.join(BUILD, "programs", "backend"), *ports, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        equal(self.p.stdout.readline(), b"ready\n", "the back end is there")


@test
def native_vhost_user():
    """virtqueues in shared memory: with a tap behind them, and between two processes."""
    with tempfile.TemporaryDirectory() as folder, TapLab() as ns:
        a, b = os.path.join(folder, "a"), os.path.join(folder, "b")
        for asan in (False, True):
            with Backend(ns, "tap=t0", a), Hosted(ns, app("echo", asan), options=["--net", f"vhost-user={a}", "--addr", "10.9.0.2/24"]) as h:
                echo_all(ns, "10.9.0.2", 7, 7, h)
                h.end()
            os.unlink(a)
        with Backend(ns, a, b), Hosted(ns, app("echo"), ":7000", options=["--net", f"vhost-user={a}", "--addr", "10.9.0.2/24"]) as h:
            probe_ends_well(finish(GODWIT, "host", "--net", f"vhost-user={b}", "--addr", "10.9.0.3/24", "--", app("probe"),
                                   "connect", "10.9.0.2:7000", "3000000", ns=ns), least=5)
            h.end()


@test
def native_vhost_back():
    """A program that is the other's back end, without and with the sanitizers; front ends come and go, one at a time."""
    with tempfile.TemporaryDirectory() as folder:
        a = os.path.join(folder, "a")
        for asan in (False, True):
            with Hosted(None, app("echo", asan), ":7000", options=["--net", f"vhost-back={a}", "--addr", "10.9.0.2/24"]) as h:
                end = time.monotonic() + 30
                while not any("echo:" in line for line in h.err) and time.monotonic() < end:
                    time.sleep(0.05)
                for front in (False, True, False):
                    probe_ends_well(finish(GODWIT, "host", "--net", f"vhost-user={a}", "--addr", "10.9.0.3/24", "--", app("probe", front),
                                           "connect", "10.9.0.2:7000", "3000000"), least=5)
                with socket.socket(socket.AF_UNIX) as s:  # not a front end at all
                    s.connect(a)
                    s.sendall(os.urandom(4096))
                time.sleep(0.3)
                status, out, err = finish(GODWIT, "host", "--net", f"vhost-user={a}", "--addr", "10.9.0.3/24", "--", app("rate"), "ping", "10.9.0.2:7000", "32", "1", "64")
                true(status == 0 and int(out.split()[0]) > 100, f"status {status}: {out} {err[-800:]}")
                h.end()
            true(not os.path.exists(a), "the socket's name is gone")


@test
def native_vhost_user_gone():
    """A back end that dies: the program is told in a line, and goes on."""
    with tempfile.TemporaryDirectory() as folder, TapLab() as ns:
        a = os.path.join(folder, "a")
        with Backend(ns, "tap=t0", a) as back, Hosted(ns, app("echo"), options=["--net", f"vhost-user={a}", "--addr", "10.9.0.2/24"]) as h:
            connect(ns, ("10.9.0.2", 7), child=h).close()
            back.p.kill()
            end = time.monotonic() + 20
            while "the back end has gone" not in "".join(h.err) and time.monotonic() < end:
                time.sleep(0.1)
            true("the back end has gone" in "".join(h.err), f"it is said: {h.err}")
            h.end()


@test
def native_disk():
    """The io_uring block device, from one and from two shards, under the sanitizers."""
    with tempfile.NamedTemporaryFile(dir=BUILD) as f:
        f.write(struct.pack("<1048576I", *(i * 2654435761 & 0xffffffff for i in range(1 << 20))))
        f.flush()
        program = os.path.join(BUILD, "hosted-asan", "disk-test")
        for more in ([], ["--cores", cores_for_two()]):
            status, _, err = finish(GODWIT, "host", "--disk", f.name, *more, "--", program)
            m = re.search(r"disk: (\d+) passed, (\d+) failed", err)
            true(status == 0 and m and int(m[1]) >= 4000 and m[2] == "0", f"status {status}: {err[-1500:]}")
        status, _, err = finish(GODWIT, "host", "--disk", "/nosuch", "--", program)
        true(status == 2 and "--disk /nosuch" in err, f"{status} {err}")


@test
def native_mistakes():
    """Each says what is wrong and what to do."""
    echo = app("echo")
    cases = [
        (["host", "--", echo + ".elf"], "godwit run --native"),
        (["host", "--net", "afxdp=nosuch", "--", echo], "no such interface"),
        (["host", "--net", "foo=1", "--", echo], "vhost-user=SOCKET"),
        (["host", "--cores", "4000", "--", echo], "core 4000"),
        (["host", "--cores", "1-", "--", echo], "FIRST-LAST"),
        (["host", "--addr", "1.2.3.4/8", "--", echo], "without --net"),
        (["host", "--net", "tap=lo", "--addr", "1.2.3.4/8", "--", echo], "no tap"),
        (["host", "--net", "vhost-user=/nosuch", "--addr", "1.2.3.4/8", "--", echo], "nobody listens there"),
        (["host", "--files", "/nosuch", "--", echo], "--files /nosuch"),
        (["host", "--set", "x", "--", echo], "KEY=VALUE"),
        (["host", "--bogus", "--", echo], "unknown option --bogus"),
        (["host"], "which program"),
        (["host", "--", "/nosuch/app"], "No such file"),
        (["run", "--native", "--", "/nosuch/app"], "make native"),
        (["run", "--set", "a=b", "--", echo], "--native"),
    ]
    for words, say in cases:
        status, _, err = finish(GODWIT, *words, timeout=20)
        true(status == 2 and say in err, f"{' '.join(words)}: status {status}: {err}")
    status, _, err = finish(echo, timeout=20)
    true(status == 2 and "godwit host --" in err, f"the program by itself: {status} {err}")
