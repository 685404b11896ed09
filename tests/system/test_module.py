# SPDX-License-Identifier: Apache-2.0
"""Machines of several partitions (godwit module): servers side by side in windows and on cores of their own, restarts that
the neighbour does not notice, messages between Linux programs."""
import json, os, re, signal, socket, subprocess, tempfile, threading, time

from harness import GODWIT, GUEST, ROOT, Redis, end_process, equal, free_port, need, test, true


def redis_partition(name, port, more=""):
    return (f"[partition {name}]\nprogram = {need('redis-server')} --save '' --protected-mode no --enable-debug-command yes --crash-log-enabled no\n"
            f"memory = 48M\npublish = {port}:6379\n{more}\n")


class Module:
    """A running module: its lines as they come, connections to its servers."""

    def __init__(self, ini, *options):
        self.folder = tempfile.TemporaryDirectory(prefix="godwit-module-")
        self.file = os.path.join(self.folder.name, "test.ini")
        with open(self.file, "w") as f:
            f.write(ini)
        self.p = subprocess.Popen([GODWIT, "module", *options, self.file], cwd=ROOT, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.out, self.err = [], []
        self.threads = [threading.Thread(target=self._drain, args=a, daemon=True)
                        for a in ((self.p.stdout, self.out), (self.p.stderr, self.err))]
        for t in self.threads:
            t.start()

    @staticmethod
    def _drain(stream, lines):
        for line in stream:
            lines.append(line.decode(errors="replace").rstrip("\n"))

    def redis(self, port, timeout=60):
        end = time.monotonic() + timeout
        while True:
            try:
                r = Redis(socket.create_connection(("127.0.0.1", port), 5))
                r.s.settimeout(4)
                if r("PING") == "PONG":
                    r.s.settimeout(30)
                    return r
            except (OSError, EOFError):
                pass
            if time.monotonic() > end or self.p.poll() is not None:
                raise AssertionError(f"no redis on {port}, status {self.p.poll()}: {self.text()}")
            time.sleep(0.1)

    def text(self):
        return "\n".join(self.out[-40:] + self.err[-40:])

    def wait(self, timeout=60):
        try:
            self.p.wait(timeout)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
            raise AssertionError(f"no end after {timeout} s: {self.text()}")
        for t in self.threads:
            t.join(10)
        return self.p.returncode

    def stop(self):
        self.p.send_signal(signal.SIGINT)
        return self.wait(20)

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        end_process(self.p)
        if kind:
            print(self.text())
        self.folder.cleanup()


def side_by_side(head, tail, names, more=None):
    """A redis for each name; each keeps its own data. Yields the module and the ports."""
    ports = {n: free_port() for n in names}
    parts = "".join(redis_partition(n, ports[n], (more or {}).get(n, "")) for n in names)
    return Module(head + parts + tail, "--summary"), ports


def fill(m, ports):
    rs = {n: m.redis(p) for n, p in ports.items()}
    for round_ in range(50):
        for n, r in rs.items():
            equal(r("SET", f"key{round_}", f"{n}-{round_}" * 20), "OK")
    for n, r in rs.items():
        equal(r("DBSIZE"), 50, n)
        equal(r("GET", "key7"), (f"{n}-7" * 20).encode(), n)
    return rs


WINDOWS = """[window red]
partition = red
duration = 4ms
[window blue]
partition = blue
duration = 4ms
"""


@test
def module_two_redis_on_one_core():
    m, ports = side_by_side("[module]\ncores = 1\nframe = 8ms\n", WINDOWS, ["red", "blue"])
    with m:
        fill(m, ports)
        equal(m.stop(), 0, "status")
        err = "\n".join(m.err)
        true("red: ended with status 0" in err and "blue: ended with status 0" in err, err)
        true("summary of red" in err and "summary of blue" in err, err)
        true(any(line.startswith("red: ") and "Ready to accept" in line for line in m.out), "prefixed output")
        true(all(line.startswith(("red: ", "blue: ")) for line in m.out), "every line has its partition's name")


@test
def module_two_redis_on_two_cores():
    m, ports = side_by_side("[module]\ncores = 2\n", "", ["red", "blue"], {"blue": "first-core = 1"})
    with m:
        fill(m, ports)
        equal(m.stop(), 0, "status")


@test
def module_three_redis():
    """Two in windows of one core, the third with two vcores on both, in the pool's time."""
    tail = """[window red]
partition = red
duration = 3ms
[window blue]
partition = blue
duration = 3ms
elastic = yes
[window rest]
partition = pool
duration = 4ms
"""
    m, ports = side_by_side("[module]\ncores = 2\nframe = 10ms\n", tail, ["red", "blue", "green"], {"green": "vcores = 2"})
    with m:
        fill(m, ports)
        equal(m.stop(), 0, "status")


def crash(r):
    try:
        r("DEBUG", "SEGFAULT")
    except (OSError, EOFError):
        pass


def restart(head, tail, more, action="cold-restart"):
    more["red"] = f"health.memory = {action}\nrestarts = 2\n" + more.get("red", "")
    m, ports = side_by_side(head, tail, ["red", "blue"], more)
    with m:
        rs = fill(m, ports)
        answers, stop = [], threading.Event()

        def ask():
            r = m.redis(ports["blue"])
            while not stop.is_set():
                answers.append(r("GET", "key7"))
                time.sleep(0.01)

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            for round_ in range(2):
                before = len(answers)
                rs["red"].s.settimeout(3)
                crash(rs["red"])
                end = time.monotonic() + 60
                while not any(f"red: restarted, start {round_ + 2}" in line for line in m.err):
                    true(time.monotonic() < end, f"no restart: {m.text()}")
                    time.sleep(0.1)
                rs["red"] = m.redis(ports["red"])
                equal(rs["red"]("DBSIZE"), 0, "a new start has no data")
                equal(rs["red"]("SET", "again", "x" * 3000), "OK")
                equal(rs["red"]("GET", "again"), b"x" * 3000)
                true(len(answers) > before + 5, "the neighbour answers meanwhile")
        finally:
            stop.set()
            asking.join(40)
        equal(set(answers), {("blue-7" * 20).encode()}, "the neighbour's answers")
        equal(rs["blue"]("DBSIZE"), 50)
        rs["red"].s.settimeout(3)
        crash(rs["red"])  # the third time it is stopped
        equal(rs["blue"]("GET", "key8"), ("blue-8" * 20).encode())
        end = time.monotonic() + 60
        while sum("health: red: memory violation" in line for line in m.err) < 3:
            true(time.monotonic() < end, f"no third error: {m.text()}")
            time.sleep(0.1)
        equal(rs["blue"]("GET", "key9"), ("blue-9" * 20).encode())
        m.stop()
        true(any("blue: ended with status 0" in line for line in m.err), m.text())
        true(any(re.match(r"godwit: red: (ended with status 139|stopped)", line) for line in m.err), m.text())


@test
def module_restart_in_windows():
    restart("[module]\ncores = 1\nframe = 8ms\n", WINDOWS, {})


@test
def module_restart_on_two_cores():
    restart("[module]\ncores = 2\n", "", {"blue": "first-core = 1"})


@test
def module_restart_of_two_vcores():
    """A partition on both cores, one of which it shares with its neighbour in turn."""
    restart("[module]\ncores = 2\n", "", {"red": "vcores = 2", "blue": "first-core = 1"})


@test
def module_isolated_dma():
    """Behind an IOMMU, the neighbour not; the domain stays when the partition restarts."""
    restart("[module]\ncores = 1\nframe = 8ms\n", WINDOWS, {"red": "dma = isolated"})


@test
def module_warm_restart():
    """What is left in memory does not disturb a Linux program's new start."""
    restart("[module]\ncores = 1\nframe = 8ms\n", WINDOWS, {}, "warm-restart")


def linux(name, script, more=""):
    sh = need("busybox")
    return f'[partition {name}]\nprogram = {sh} sh -c \'{script}\'\nmemory = 16M\nnetwork = none\n{more}\n'


@test
def module_exit_status_is_the_first_ones():
    with Module(linux("one", "echo out; echo err >&2; exit 7") + linux("two", "exit 9")) as m:
        equal(m.wait(), 7, "status")
        equal(m.out, ["one: out"])
        true("one: err" in m.err, m.text())
        true("godwit: one: ended with status 7" in m.err and "godwit: two: ended with status 9" in m.err, m.text())


@test
def module_application_error_restarts():
    """health.application: a program that fails starts again, as often as is allowed, then its partition is stopped."""
    ini = linux("flaky", "echo start; exit 3", "health.application = cold-restart\nrestarts = 2") + linux("calm", "sleep 2; echo calm")
    with Module(ini) as m:
        equal(m.wait(), 125, "status of a partition that was stopped")
        equal([line for line in m.out if line.startswith("flaky")], ["flaky: start"] * 3)
        true("calm: calm" in m.out, m.text())


QUEUE = """[channel q]
kind = queuing
size = 1000
depth = 4
from = source
to = sink
[channel s]
kind = sampling
size = 64
refresh = 300ms
from = source:speed
to = sink:speed other:speed
"""


@test
def module_ports():
    """Messages from one Linux program to two others, with poll, EAGAIN, EMSGSIZE and validity (tests/guest/ports.c)."""
    program = os.path.join(GUEST, "ports")
    true(os.path.exists(program), f"{program} is built by make guest")
    parts = "".join(f"[partition {n}]\nprogram = {program} {n}\nmemory = 8M\nnetwork = none\n" for n in ("source", "sink", "other"))
    for head, tail in (("[module]\ncores = 1\n", ""),
                       ("[module]\ncores = 1\nframe = 6ms\n",
                        "".join(f"[window {n}]\npartition = {n}\nduration = 2ms\n" for n in ("source", "sink", "other")))):
        with Module(head + parts + QUEUE + tail) as m:
            equal(m.wait(), 0, "status")
            for n in ("source", "sink", "other"):
                true(f"{n}: passed" in m.out, m.text())


@test
def module_trace():
    """What the kernel recorded, by `godwit trace`, as a trace that a viewer opens: who ran in which window."""
    work = linux("head", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done") + linux("tail", "sleep 0.2")
    with Module("[module]\ncores = 1\nframe = 8ms\ntrace = 4096\n" + work + WINDOWS.replace("red", "head").replace("blue", "tail"), "-v") as m:
        equal(m.wait(), 0, m.text())
        log, trace = (os.path.join(m.folder.name, name) for name in ("log", "trace.json"))
        with open(log, "w") as f:
            f.write("\n".join(m.err))
        subprocess.run([GODWIT, "trace", "-o", trace, log], check=True)
        with open(trace) as f:
            events = json.load(f)
    names = {e["name"] for e in events if e["ph"] == "X"}
    true({"head vcore 0", "tail vcore 0", "window 0: head", "window 1: tail"} <= names, names)
    true(any(e["ph"] == "i" and e["name"] == "interrupt" for e in events), "interrupts")
    windows = sorted((e["ts"], e["dur"], e["name"]) for e in events if e["name"].startswith("window"))
    true(all(a[0] + a[1] <= b[0] + 0.002 for a, b in zip(windows, windows[1:])), "windows of one core follow each other")
    bad = subprocess.run([GODWIT, "trace", "/dev/null"], capture_output=True, text=True)
    true(bad.returncode == 2 and "no trace in it" in bad.stderr, bad)


@test
def module_examples():
    """Those that end by themselves; the others are checked."""
    folder = os.path.join(ROOT, "examples")
    need("cyclictest")
    for name in sorted(os.listdir(folder)):
        if name.endswith(".ini"):
            p = subprocess.run([GODWIT, "module", "--check", os.path.join(folder, name)], capture_output=True, timeout=30)
            equal(p.returncode, 0, f"{name}: {p.stderr.decode()}")
    p = subprocess.run([GODWIT, "module", os.path.join(folder, "ports.ini")], capture_output=True, timeout=60)
    equal(p.returncode, 0, p.stderr.decode())
    equal(p.stdout.decode().splitlines()[:4], ["display: 1", "display: 2", "display: 3", "display: 21.5"])


VIRTUAL = "accelerator = tcg\nqemu-args = -icount shift=0,sleep=off\n"  # 1 ns an instruction


@test
def module_arinc653_cores():
    """A partition of two cores whose processes run at the same time, beside another one, in virtual time (examples/arinc653-cores.ini)."""
    program = os.path.join(ROOT, "build/apex-test.elf")
    true(os.path.exists(program), f"{program} is built by make")
    with open(os.path.join(ROOT, "examples/arinc653-cores.ini")) as f:
        ini = f.read().replace("[module]\n", "[module]\n" + VIRTUAL).replace("../build/apex-test.elf", program)
    with Module(ini, "-v") as m:
        equal(m.wait(120), 0, "status")
        for name, least in (("pair", 1800), ("faults", 131)):
            counts = re.search(rf"^{name}: (\d+) passed, 0 failed", m.text(), re.M)
            true(counts and int(counts[1]) >= least, m.text())


@test
def module_latency_tools():
    """cyclictest and oslat of examples/latency.ini, in virtual time: nobody is late, and nothing but the neighbours' windows is missing."""
    need("cyclictest", "oslat")
    with open(os.path.join(ROOT, "examples/latency.ini")) as f:
        ini = f.read().replace("[module]\n", "[module]\n" + VIRTUAL)
    with Module(ini) as m:
        equal(m.wait(120), 0, "status")
        text = "\n".join(m.out)
        count, late = map(int, re.search(r"^cyclic: T: 0 .* C: +(\d+) Min: .* Max: +(\d+)", text, re.M).groups())
        equal(count, 250, "cycles")
        true(late <= 5, f"cyclictest woke {late} us late")
        buckets = {int(us): int(n) for us, n in re.findall(r"^gaps: +0*(\d+) \(us\):\s+(\d+)", text, re.M)}
        gap = int(re.search(r"^gaps: +Maximum:\s+(\d+)", text, re.M).group(1))
        true(4000 <= gap <= 4005, f"the longest gap is {gap} us")
        true(240 <= buckets[8] <= 255 and sum(buckets[us] for us in range(3, 8)) == 0, f"one gap a frame: {buckets}")


@test
def module_check_explains():
    """What the kernel would refuse at boot is told with file and line: a program's segments, windows of an elastic partition."""
    with tempfile.TemporaryDirectory() as folder:
        source, script, program, ini = (os.path.join(folder, n) for n in ("x.S", "x.ld", "x.elf", "x.ini"))
        with open(source, "w") as f:
            f.write(".globl _start\n_start: jmp _start\n.section .none,\"a\",@nobits\n.skip 16384\n")
        with open(script, "w") as f:
            f.write("PHDRS { t PT_LOAD FLAGS(5); n PT_LOAD FLAGS(4); }\nSECTIONS { . = 0x700000000000; .text : { *(.text) } :t\n"
                    ". = 0x700000010000; .none (NOLOAD) : { *(.none) } :n /DISCARD/ : { *(.note*) } }\n")
        subprocess.run(["gcc", "-nostdlib", "-static", "-no-pie", "-Wl,-T," + script, "-Wl,--build-id=none", "-o", program, source], check=True)
        with open(ini, "w") as f:
            f.write(f"[module]\nframe = 1ms\n[partition p]\nprogram = {program}\npersonality = native\nmemory = 4M\npolicy = latency\n"
                    "[window w]\npartition = p\nduration = 100us\n")
        p = subprocess.run([GODWIT, "module", "--check", ini], capture_output=True, text=True, timeout=30)
        equal(p.returncode, 2, p.stderr)
        true(f"{ini}:8: window w: p is elastic" in p.stderr, p.stderr)
        true(re.search(re.escape(ini) + r":4: p: .*segments\.mem_len .*of a read-only segment exceeds", p.stderr) is not None, p.stderr)


@test
def module_native():
    """A native program (apps/echo) in windows of its own, in both its styles, beside a Linux program that spins in the others."""
    program = os.path.join(ROOT, "build/apps/echo.elf")
    true(os.path.exists(program), f"{program} is built by make native")
    for style in ("tasks", "callbacks"):
        port = free_port()
        ini = ("[module]\ncores = 1\nframe = 6ms\n"
               f"[partition echo]\npersonality = native\nprogram = {program} {style} :7\nmemory = 8M\npublish = {port}:7\n"
               + linux("noise", "while :; do :; done") + "[window echo]\npartition = echo\nduration = 3ms\n[window noise]\npartition = noise\nduration = 3ms\n")
        with Module(ini) as m:
            end = time.monotonic() + 60
            while not any(f"echo: {style} on" in line for line in m.out + m.err):
                true(m.p.poll() is None and time.monotonic() < end, f"it does not start: {m.text()}")
                time.sleep(0.05)
            with socket.create_connection(("127.0.0.1", port), 20) as s:
                s.settimeout(30)
                sent = os.urandom(200000)
                threading.Thread(target=s.sendall, args=(sent,), daemon=True).start()
                got = b""
                while len(got) < len(sent):
                    part = s.recv(65536)
                    true(part != b"", f"it closed after {len(got)} bytes: {m.text()}")
                    got += part
                true(got == sent, "what comes back is what was sent")
            m.stop()
            true("godwit: echo: ended with status 0" in m.err, m.text())


@test
def module_metrics():
    """Counters of all partitions, each with its name."""
    port = free_port()
    with Module(linux("one", "echo one; sleep 60") + linux("two", "echo two; sleep 60"), "--metrics", str(port)) as m:
        end = time.monotonic() + 60
        while len(m.out) < 2 and time.monotonic() < end:
            time.sleep(0.1)
        p = subprocess.run([need("curl"), "-s", "--max-time", "10", f"http://127.0.0.1:{port}/metrics"], capture_output=True)
        text = p.stdout.decode()
        true('{partition="one"' in text and '{partition="two"' in text, text[:2000])
        true(all("partition=" in line or line.startswith(("#", "godwit_info")) for line in text.splitlines()), text[:2000])


@test
def module_top():
    """godwit top of windows, elastic cores, restarts and errors, each with its partition's name; the same figures over HTTP."""
    port = free_port()
    ini = ("[module]\ncores = 2\nframe = 10ms\n"
           + linux("fix", "sleep 0.5; exit 3", "health.application = cold-restart")
           + linux("spin", "while :; do :; done", "policy = batch\nvcores = 2\ncores = 1..2")
           + "[window mine]\npartition = fix\noffset = 1ms\nduration = 4ms\n[window rest]\npartition = pool\noffset = 5ms\nduration = 5ms\n")
    with Module(ini, "--metrics", str(port)) as m:
        end = time.monotonic() + 60
        while sum("fix: restarted" in line for line in m.err) < 2:
            true(m.p.poll() is None and time.monotonic() < end, f"no restart: {m.text()}")
            time.sleep(0.1)
        top = subprocess.run([GODWIT, "top", "--once", str(m.p.pid)], capture_output=True, text=True, timeout=30)
        equal(top.returncode, 0, top.stderr)
        true(re.search(r"^fix +runs .* - fixed .* [2-9] errors, the last: application error \(cold restart\)$", top.stdout, re.M), top.stdout)
        true(re.search(r"^spin +runs .* [12] +1\.\.2 batch +[1-9]\d* .* good$", top.stdout, re.M), top.stdout)
        true(re.search(r"^ +0 +0 fix +1\.0ms +4\.0ms +[1-9]\d* ", top.stdout, re.M), top.stdout)
        true(re.search(r"^ +1 +0 pool +5\.0ms +5\.0ms +[1-9]\d* ", top.stdout, re.M), top.stdout)
        true(re.search(r"^spin/1 +\d", top.stdout, re.M), top.stdout)
        text = subprocess.run([need("curl"), "-s", "--max-time", "10", f"http://127.0.0.1:{port}/metrics"], capture_output=True, text=True).stdout
        equal(len(re.findall(r'^godwit_window_late_seconds\{window="0",core="0",partition="fix",quantile="1"\}', text, re.M)), 1, text)
        true('godwit_elastic_cores{partition="spin",policy="batch",least="1",most="2"}' in text, text)
        true(int(re.search(r'^godwit_partition_starts_total\{partition="fix"\} (\d+)', text, re.M).group(1)) >= 3, text)
        true('partition="fix",policy' not in text, "only elastic ones have cores of the pool")
