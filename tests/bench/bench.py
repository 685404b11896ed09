#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench.py [--out FILE.md] [--only PART,...] - the figures of docs/measurements.md, Godwit beside a Linux guest in one run.

Parts: instructions  guest instructions to the first reply and per redis request (one connection, one request
                     at a time, idle to idle; counted by the TCG plugin icnt.c; minimum and median repeat)
       memory        smallest -m that serves redis, and that runs a static hello
       size          bytes of kernel, runtime and personality
       overhead      what the built-in measurement costs: instructions of kernel and runtime per redis request, beside a
                     build without it (make MEASURE=0), and with requests followed (godwit run --trace)
       throughput    redis-benchmark -c 20 at -P 1 and -P 16, the two guests in turn, ratio of the best runs (QEMU's user
                     network makes some connections wait for seconds, and a run with them measures that)
Everything runs under QEMU's TCG: instruction counts and ratios mean something, seconds do not."""
import argparse, mmap, os, platform, re, shlex, socket, struct, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
GODWIT = os.path.join(BUILD, "godwit")
WORK = os.path.join(ROOT, "build", "bench")
REQUESTS = [("PING", b"PING\r\n"), ("SET", b"SET key:000000000001 xxx\r\n"), ("GET", b"GET key:000000000001\r\n")]
REDIS = ["redis-server", "--save", "", "--appendonly", "no", "--protected-mode", "no", "--bind", "0.0.0.0"]


def free_port():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
    s.close()
    return port


def reply(s):
    data = b""
    while not data.endswith(b"\r\n"):
        chunk = s.recv(65536)
        if not chunk:
            raise EOFError
        data += chunk
    return data


class Guest:
    """A machine that serves redis on self.port."""

    def __init__(self, command, port, limit=120):
        self.port = port
        self.log = tempfile.TemporaryFile()
        self.p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        start = time.monotonic()
        while True:
            if self.p.poll() is not None or time.monotonic() - start > limit:
                self.stop()
                self.log.seek(0)
                raise RuntimeError("no reply: " + self.log.read().decode(errors="replace")[-1500:])
            try:
                self.s = socket.create_connection(("127.0.0.1", port), 1)
                self.s.settimeout(1)
                self.s.sendall(REQUESTS[0][1])
                reply(self.s)
                break
            except (OSError, EOFError):
                time.sleep(0.01)
        self.first = time.monotonic() - start
        self.s.settimeout(30)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def stop(self):
        if self.p.poll() is None:
            self.p.terminate()
            try:
                self.p.wait(15)
            except subprocess.TimeoutExpired:
                self.p.kill()
                self.p.wait()


def godwit(port, memory="256M", extra="", program=REDIS, options=()):
    command = [GODWIT, "run", "--accel", "tcg", "-m", memory, "-p", f"{port}:6379", *options]
    if extra:
        command += ["--qemu-args", extra]
    return [*command, "--", *program]


def linux(port, memory="256M", extra=""):
    out = os.path.join(WORK, "linux-redis")
    if not os.path.exists(os.path.join(out, "initrd.gz")):
        subprocess.run([os.path.join(HERE, "linux-guest"), "redis", out], check=True, stdout=subprocess.DEVNULL)
    return ["qemu-system-x86_64", "-accel", "tcg", "-M", "q35", "-cpu", "max", "-smp", "1", "-m", memory, "-display", "none",
            "-no-reboot", "-serial", "null", "-nodefaults", "-kernel", f"{out}/vmlinuz", "-initrd", f"{out}/initrd.gz",
            "-append", "console=ttyS0 quiet panic=-1 rdinit=/init", "-netdev",
            f"user,id=n0,hostfwd=tcp:127.0.0.1:{port}-:6379", "-device", "virtio-net-pci,netdev=n0", *shlex.split(extra)]


def plugin(name="icnt"):
    os.makedirs(WORK, exist_ok=True)
    so = os.path.join(WORK, name + ".so")
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", so, os.path.join(HERE, name + ".c")], check=True)
    return so


def settle(count):
    """The count once the guest is idle."""
    last, still, until = count(), 0, time.monotonic() + 1
    while still < 3 and time.monotonic() < until:
        time.sleep(0.0004)
        now = count()
        still = still + 1 if now == last else 0
        last = now
    return last


def instructions(make, n=300):
    so, shm, port = plugin(), os.path.join(WORK, f"icnt-{os.getpid()}.shm"), free_port()
    g = Guest(make(port, extra=f"-plugin {so},shm={shm}"), port)
    try:
        with open(shm, "rb") as f:
            view = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)

        def count():
            return struct.unpack_from("<Q", view, 0)[0]

        settle(count)
        result = {"first reply": (count(), count())}
        for name, request in REQUESTS:
            for _ in range(200):
                g.s.sendall(request)
                reply(g.s)
            costs = []
            for _ in range(n):
                before = settle(count)
                g.s.sendall(request)
                reply(g.s)
                costs.append(settle(count) - before)
            costs.sort()
            result[name] = (costs[n // 2], costs[0])
        return result
    finally:
        g.stop()
        if os.path.exists(shm):
            os.unlink(shm)


def part_instructions(out):
    ours, theirs = instructions(godwit), instructions(linux)
    alone = {"PING": 5000, "SET": 12600, "GET": 10100, "first reply": 21.7e6}
    goal = {"PING": 8500, "SET": 16000, "GET": 13500, "first reply": 25e6}
    out.append("| guest instructions, median (min) | Godwit | Linux 6.1 cloud | ratio | goal | the program alone |\n|---|---|---|---|---|---|")
    for name in ("PING", "SET", "GET", "first reply"):
        a, b = ours[name], theirs[name]
        if name == "first reply":
            out.append(f"| power-on to first reply | {a[0] / 1e6:.1f} M | {b[0] / 1e6:.1f} M | {b[0] / a[0]:.1f}x | "
                       f"{goal[name] / 1e6:.1f} M | {alone[name] / 1e6:.1f} M |")
        else:
            out.append(f"| redis {name} | {a[0]:,} ({a[1]:,}) | {b[0]:,} ({b[1]:,}) | {b[0] / a[0]:.1f}x | {goal[name]:,} | {alone[name]:,} |")


def serves(memory):
    port = free_port()
    try:
        g = Guest(godwit(port, f"{memory}M"), port, limit=25)
        try:
            for _ in range(50):
                g.s.sendall(REQUESTS[1][1])
                reply(g.s)
            return True
        finally:
            g.stop()
    except (RuntimeError, OSError, EOFError):
        return False


def hello(memory):
    p = subprocess.run([GODWIT, "run", "--accel", "tcg", "--machine", "microvm", "-m", f"{memory}M", "--", os.path.join(BUILD, "programs/hello.static")],
                       capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return p.returncode == 0 and p.stdout == "hello, world\n"


def smallest(works, low, high):
    """The smallest size in (low, high] that works, if high does."""
    if not works(high):
        return None
    while high - low > 1:
        mid = (low + high) // 2
        low, high = (low, mid) if works(mid) else (mid, high)
    return high


def part_memory(out):
    out.append("| smallest machine | Godwit | goal | best peer |\n|---|---|---|---|")
    out.append(f"| serves redis, -m MiB | {smallest(serves, 6, 32)} | 16 | 24 |")
    out.append(f"| static hello, -m MiB | {smallest(hello, 1, 16)} | 6 | - |")


def part_size(out):
    rows, total = [], 0
    for name in ("kernel.elf", "linux.elf"):
        text = subprocess.run(["size", os.path.join(BUILD, name)], capture_output=True, text=True, check=True).stdout
        t, d, b = map(int, text.split("\n")[1].split()[:3])
        rows.append((name, t, d, b))
        total += t + d
    out.append("| image | text | data | bss |\n|---|---|---|---|")
    for name, t, d, b in rows:
        out.append(f"| {name} | {t:,} | {d:,} | {b:,} |")
    out.append(f"| text and data together (goal 400,000) | {total:,} | | |")


def throughput(make, pipeline, runs=3):
    port = free_port()
    g = Guest(make(port), port)
    rates = {"SET": [], "GET": []}
    try:
        for _ in range(runs):
            n = 6000 if pipeline == 1 else 60000
            p = subprocess.run(["redis-benchmark", "-p", str(port), "-t", "set,get", "-c", "20", "-P", str(pipeline), "-n", str(n), "--csv"],
                               capture_output=True, text=True, timeout=240)
            for line in p.stdout.split("\n"):
                m = re.match(r'"(SET|GET)","([0-9.]+)"', line)
                if m:
                    rates[m.group(1)].append(float(m.group(2)))
            if p.returncode or "rror" in p.stderr:
                raise RuntimeError(p.stderr)
        return {k: max(v) for k, v in rates.items()}
    finally:
        g.stop()


def part_throughput(out):
    out.append("| redis-benchmark -c 20, requests/s (TCG: only the ratio means something) | Godwit | Linux | ratio | goal |\n|---|---|---|---|---|")
    for pipeline in (1, 16):
        ours, theirs = throughput(godwit, pipeline), throughput(linux, pipeline)
        for name in ("SET", "GET"):
            out.append(f"| {name} -P {pipeline} | {ours[name]:,.0f} | {theirs[name]:,.0f} | {ours[name] / theirs[name]:.2f}x | 3x |")


def profiled(build, request, options=""):
    """(all, those outside the program): instructions of the cheapest requests, the best of three machines."""
    best = (1 << 60, 1 << 60)
    for _ in range(3):
        text = subprocess.run([os.path.join(HERE, "iprof.py"), "--request", request, "--quantile", "0", "-n", "150", "-o", options],
                              env={**os.environ, "BUILD": build}, capture_output=True, text=True, timeout=240, check=True).stdout
        m = re.search(r"^([\d,]+) instructions .*; without the program ([\d,]+)$", text, re.M)
        best = tuple(min(a, int(b.replace(",", ""))) for a, b in zip(best, m.groups()))
    return best


def part_overhead(out):
    bare = os.path.join("build", "bare")
    subprocess.run(["make", "-C", ROOT, f"BUILD={bare}", "MEASURE=0", "all"], check=True, stdout=subprocess.DEVNULL)
    out.append("| kernel and runtime instructions | without measurement | with it | of the request | --trace FILE:1/100 | --trace FILE:1/1 |")
    out.append("|---|---|---|---|---|---|")
    for name, request in REQUESTS:
        request = request.decode().strip()
        without, usual, some, every = (profiled(*a) for a in ((bare, request), (BUILD, request), (BUILD, request, "--trace /dev/null"),
                                                              (BUILD, request, "--trace /dev/null:1/1")))
        share = 100 * (usual[1] - without[1]) / (without[0] - without[1] + usual[1])
        out.append(f"| redis {name} | {without[1]:,} | {usual[1]:,} (+{usual[1] - without[1]:,}) | {share:.1f} % (goal 2 %) | {some[1]:,} | {every[1]:,} |")


PARTS = {"instructions": part_instructions, "overhead": part_overhead, "memory": part_memory, "size": part_size, "throughput": part_throughput}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--out", help="also write the report to this file")
    ap.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    a = ap.parse_args()
    os.makedirs(WORK, exist_ok=True)
    qemu = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True).stdout.split("\n")[0]
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    out = [f"Machine: {cpu}, {os.cpu_count()} cores; {qemu}, TCG, -smp 1; redis {subprocess.run(['redis-server', '--version'], capture_output=True, text=True).stdout.split()[2]}.", ""]
    for part in a.only.split(","):
        if part not in PARTS:
            sys.exit(f"bench: no part '{part}'; parts are {', '.join(PARTS)}")
        print(f"bench: {part} ...", file=sys.stderr, flush=True)
        PARTS[part](out)
        out.append("")
    print("\n".join(out))
    if a.out:
        with open(a.out, "w") as f:
            f.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
