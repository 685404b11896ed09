# SPDX-License-Identifier: Apache-2.0
"""parts - what `make bench` measures. A part returns sections for report.py: a title, how it was measured, tables, and what is
drawn. Everything but `native` runs under QEMU's TCG: there instruction counts mean something by themselves, seconds only
as ratios of one run."""
import mmap, os, re, shutil, statistics, struct, subprocess, time
from guests import BUILD, GODWIT, HERE, NAMES, REQUESTS, ROOT, WORK, Server, User, godwit, linux, linux_files, native, reply, say, start


def section(title, how, columns, rows, notes=(), bars=(), curves=None):
    """bars: charts of (title, unit, groups), where a group is (label, {kind: (value, low, high)}).
    curves: {kind: [[1/(1-p), ns], ...]}."""
    return {"title": title, "how": how, "columns": columns, "rows": rows, "notes": list(notes), "bars": list(bars), "curves": curves}


def bar(v, low=None, high=None):
    return [v, v if low is None else low, v if high is None else high]


def times(a, b):
    """How many times a is b."""
    return f"{a / b:.1f}x" if a and b else "-"


def plugin(name="icnt"):
    so = os.path.join(WORK, name + ".so")
    os.makedirs(WORK, exist_ok=True)
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


def count_instructions(make, n=300, **more):
    """{request: (median, least)}, and to the first reply."""
    so, shm, net = plugin(), os.path.join(WORK, f"icnt-{os.getpid()}.shm"), User()
    how = f"-plugin {so},shm={shm}"
    try:
        with Server(make(net, extra=f"qemu-x86_64 {how}" if make is native else how, **more), net) as g, open(shm, "rb") as f:
            view = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)

            def count():
                return struct.unpack_from("<Q", view, 0)[0]

            result = {"first reply": (count(), count())}
            settle(count)
            for name, request in REQUESTS:
                costs = []
                for i in range(200 + n):
                    before = settle(count) if i >= 200 else 0
                    g.s.sendall(request)
                    reply(g.s)
                    if i >= 200:
                        costs.append(settle(count) - before)
                result[name] = (statistics.median_low(costs), min(costs))
            return result
    finally:
        if os.path.exists(shm):
            os.unlink(shm)


def instructions():
    made = [("godwit", godwit), ("linux", linux)]
    notes = ["alone: the program's own user instructions, the same redis under user-mode emulation (qemu-x86_64): no system can need fewer."]
    if shutil.which("qemu-x86_64"):
        made.append(("native", native))
    else:
        notes = ["alone: not measured, qemu-x86_64 is missing (apt-get install qemu-user)."]
    got = {}
    for kind, make in made:
        say(f"  {NAMES[kind]}")
        got[kind] = count_instructions(make)
    goal = {"PING": "8,500", "SET": "16,000", "GET": "13,500"}
    a, b, c = got["godwit"], got["linux"], got.get("native")
    rows = [[f"redis {r}", f"{a[r][0]:,} ({a[r][1]:,})", f"{b[r][0]:,} ({b[r][1]:,})", times(b[r][0], a[r][0]), goal[r],
             f"{c[r][0]:,} ({c[r][1]:,})" if c else "-"] for r, _ in REQUESTS]
    r = "first reply"
    rows.append(["power-on to first reply", f"{a[r][0] / 1e6:.1f} M", f"{b[r][0] / 1e6:,.1f} M", times(b[r][0], a[r][0]), "25 M",
                 f"{c[r][0] / 1e6:.1f} M" if c else "-"])

    def groups(names):
        return [(n, {k: bar(v[n][0]) for k, v in got.items()}) for n in names]
    return [section("Guest instructions", "One connection, one request at a time, counted from idle to idle over 300 requests by a TCG plugin "
                    "(`tests/bench/icnt.c`).", ["guest instructions, median (least)", "Godwit", "Linux guest", "ratio", "goal", "alone"], rows, notes,
                    [("Instructions of a redis request", "", groups([r for r, _ in REQUESTS])),
                     ("Instructions from power-on to the first reply", "", groups([r]))])]


def overhead():
    """A build without the shards' histograms, beside the usual one."""
    plain = os.path.join(BUILD, "unmeasured")
    say("  building without the histograms")
    p = subprocess.run(["make", "-C", ROOT, "--no-print-directory", f"BUILD={plain}", "GUEST_EXTRA=-include tests/bench/unmeasured.h",
                        f"{plain}/godwit", f"{plain}/kernel.elf", f"{plain}/linux.elf"], capture_output=True, text=True)
    if p.returncode:
        raise RuntimeError(p.stderr[-1500:])
    rows, worst, least = [], 0, {}
    for i in range(3):  # in turn; the least repeats best
        say(f"  round {i + 1} of 3")
        for how, more in (("with", {}), ("without", {"tool": os.path.join(plain, "godwit")})):
            for r, cost in count_instructions(godwit, 200, **more).items():
                least[how, r] = min(cost[1], least.get((how, r), cost[1]))
    for r, _ in REQUESTS:
        a, b = least["with", r], least["without", r]
        worst = max(worst, a / b - 1)
        rows.append([f"redis {r}", f"{a:,}", f"{b:,}", f"{100 * (a / b - 1):+.2f} %", "2 %"])
    if worst > 0.02:
        raise RuntimeError(f"the built-in measurement costs {100 * worst:.2f} %, more than 2 %: {rows}")
    return [section("What the built-in measurement costs", "Instructions of a request (as above, the least of three runs) with the shards' latency histograms, and in a build "
                    "without them (`tests/bench/unmeasured.h`).", ["guest instructions", "with", "without", "cost", "goal"], rows)]


def serves(make, memory):
    net = User()
    try:
        with Server(make(net, f"{memory}M"), net, limit=25) as g:
            for _ in range(50):
                g.s.sendall(REQUESTS[1][1])
                reply(g.s)
            return True
    except (RuntimeError, OSError, EOFError):
        return False


def hello(memory):
    p = subprocess.run([GODWIT, "run", "--accel", "tcg", "--machine", "microvm", "-m", f"{memory}M", "--", os.path.join(BUILD, "programs/hello.static")],
                       capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return p.returncode == 0 and p.stdout == "hello, world\n"


def smallest(works, low, high):
    """The smallest size in (low, high] that works; high must."""
    if not works(high):
        raise RuntimeError(f"does not even work with {high} MiB")
    while high - low > 1:
        mid = (low + high) // 2
        low, high = (low, mid) if works(mid) else (mid, high)
    return high


def resident(g):
    with open(f"/proc/{g.p.pid}/smaps_rollup") as f:
        return int(re.search(r"^Rss: +(\d+)", f.read(), re.M).group(1)) / 1024


def memory():
    sizes = {}
    for kind, make, low, high in (("godwit", godwit, 2, 32), ("linux", linux, 32, 160)):
        say(f"  {NAMES[kind]}: bisection of -m")
        sizes[kind] = smallest(lambda m: serves(make, m), low, high)
    net = User()
    with start("native", net) as g:
        for _ in range(50):
            g.s.sendall(REQUESTS[1][1])
            reply(g.s)
        sizes["native"] = resident(g)
    small = smallest(hello, 1, 16)
    return [section("Memory", "Bisection of `-m`, redis answering 50 SETs (native: its resident memory); a static hello-world on microvm.",
                    ["smallest machine, MiB", "Godwit", "Linux guest", "native", "goal"],
                    [["serves redis", sizes["godwit"], sizes["linux"], f"{sizes['native']:.0f}", 16], ["static hello", small, "-", "-", 6]],
                    bars=[("Smallest machine that serves redis", "MiB", [("redis", {k: bar(v) for k, v in sizes.items()})])])]


def size():
    rows, total = [], 0
    for name in ("kernel.elf", "linux.elf"):
        text = subprocess.run(["size", os.path.join(BUILD, name)], capture_output=True, text=True, check=True).stdout
        t, d, b = map(int, text.split("\n")[1].split()[:3])
        rows.append([name, f"{t:,}", f"{d:,}", f"{b:,}"])
        total += t + d
    rows.append(["text and data together (goal 400,000)", f"{total:,}", "", ""])
    sizes, notes = {"godwit": bar(total)}, []
    try:
        theirs = os.path.getsize(os.path.join(linux_files(), "vmlinuz"))
        sizes["linux"] = bar(theirs)
        rows.append(["Linux guest: kernel image (compressed, without its modules)", f"{theirs:,}", "", ""])
    except (RuntimeError, OSError) as e:
        notes.append(f"Linux guest: not measured, {e}")
    return [section("Size", "Text and data of what runs in the machine besides the program.", ["image", "text", "data", "bss"], rows, notes,
                    [("What runs besides the program", "bytes", [("image", sizes)])])]


def histogram():
    p = subprocess.run(["make", "-C", ROOT, "--no-print-directory", "bench-histogram"], capture_output=True, text=True)
    if p.returncode:
        raise RuntimeError(p.stderr[-1500:])
    rows = re.findall(r"^(\S.*?)  +([\d.]+ ns)", p.stdout, re.M)
    if len(rows) < 3:
        raise RuntimeError("bench-histogram says " + p.stdout)
    return [section("Recording into a histogram", "`make bench-histogram`, on this machine itself, not emulated; goal 3 ns, at most 5 ns.", ["one", "takes"],
                    [list(r) for r in rows])]
