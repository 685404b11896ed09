#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gate.py [--update REASON] [--baseline FILE] [--figures FILE] [--slow] [--self-test]

The latency gate: client.c and redis-server in one deterministic machine, where an instruction takes a nanosecond. The
figures repeat exactly, so a rise over 3 % is a change of the code (or of the programs and compiler that the baseline
names), never noise. Without an option: two runs that must agree (of three at most), compared with baseline.json.

--update REASON  write the baseline anew     --baseline FILE  another one       --slow  plant a slowdown in redis
--figures FILE   compare these (`name value` lines) instead of a run            --self-test  prove that the gate bites"""
import argparse, contextlib, hashlib, json, os, re, shutil, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
LIMIT = 0.03
# Which requests wait behind a periodic job of redis, and behind each other, changes with every change of anything: far tails
# move more than their cause.
LIMITS = {"open_p999_ns": 0.25, "open_max_ns": 0.25, "get_p999_ns": 0.10, "set_p999_ns": 0.10, "mix_p999_ns": 0.10}
# QEMU 7.2 marks a processor halted before it has counted its last instructions. If its main thread looks right then, it
# skips idle time from that wrong moment: once in some runs the clock is some 20 ns ahead, and who waits behind whom in the
# open loop is another. `godwit run --deterministic` keeps both threads on one core, which makes that rare; a third run
# decides then.
SAME = 0.005
SERVER = "/usr/bin/redis-server"


def libraries(program):
    out = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(/\S+)", out)


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()[:16]


def first_line(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout.split("\n")[0]


def environment():
    """What besides this tree decides the figures."""
    libc = [p for p in libraries(SERVER) if "/libc.so" in p]
    return {"redis-server": digest(SERVER), "libc": digest(libc[0]) if libc else "?",
            "compiler": first_line("gcc", "--version"), "qemu": first_line("qemu-system-x86_64", "--version")}


def client():
    """The program at a path that is the same wherever the tree lies: its length moves the stack, and tails with it."""
    built, folder = os.path.join(BUILD, "gate", "client"), "/tmp/godwit-gate"
    with contextlib.suppress(OSError):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if os.stat(folder).st_uid == os.getuid():
            shutil.copy2(built, os.path.join(folder, f".{os.getpid()}"))
            os.rename(os.path.join(folder, f".{os.getpid()}"), os.path.join(folder, "client"))
            return os.path.join(folder, "client")
    return built


def run(slow=False):
    files = [SERVER, *libraries(SERVER)]
    library = os.path.join(BUILD, "gate", "slow.so")
    options = [x for f in files for x in ("-f", f)] + (["-f", f"{library}:/slow.so"] if slow else [])
    command = [os.path.join(BUILD, "godwit"), "run", "--deterministic", "-m", "64M", *options, "--",
               client(), *(["-l", "/slow.so"] if slow else []), SERVER, "--save", "",
               "--protected-mode", "no", "--bind", "127.0.0.1", "--hz", "50"]
    p = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, cwd=ROOT)
    if p.returncode != 0:
        raise RuntimeError(f"the benchmark ended with {p.returncode}: {p.stdout[-500:]} {p.stderr[-1500:]}")
    return parse(p.stdout)


def alike(a, b):
    return a.keys() == b.keys() and all(abs(b[n] / a[n] - 1) <= SAME for n in a)


def settled():
    """The figures that two runs agree on, of three at most; and the differences between the two."""
    runs = [run(), run()]
    if not alike(*runs):
        print("note: two runs differ (" + "; ".join(f"{n}: {runs[0][n]}, then {runs[1].get(n)}" for n in runs[0] if runs[0][n] != runs[1].get(n))
              + "): a third decides", flush=True)
        runs = next(([r, third] for third in [run()] for r in runs if alike(r, third)), runs)
    return runs[0], alike(*runs), [f"{n}: {runs[0][n]}, then {runs[1].get(n)}" for n in runs[0] if runs[0][n] != runs[1].get(n)]


def parse(text):
    return {name: int(value) for name, value in (line.split() for line in text.splitlines() if line.strip())}


class Count:
    passed = failed = 0

    @classmethod
    def result(cls, good, text):
        cls.passed += good
        cls.failed += not good
        print(f"{'ok  ' if good else 'FAIL'} {text}", flush=True)

    @classmethod
    def end(cls):
        print(f"{cls.passed} passed, {cls.failed} failed, 0 skipped")
        sys.exit(cls.failed != 0)


def compare(figures, baseline):
    old = baseline["figures"]
    for name in sorted(set(old) | set(figures), key=lambda n: (n not in old, list(old).index(n) if n in old else 0)):
        if name not in old or name not in figures:
            Count.result(False, f"{name}: {'not in the baseline' if name not in old else 'not measured'} (make gate-update)")
            continue
        change, limit = figures[name] / old[name] - 1, LIMITS.get(name, LIMIT)
        note = " (improved)" if change < -limit else f" (limit {limit:+.0%})" if change > limit else ""
        Count.result(change <= limit, f"{name}: was {old[name]}, is {figures[name]}, {change:+.2%}{note}")


def explain(baseline):
    now = environment()
    for key, value in baseline["environment"].items():
        if now.get(key) != value:
            print(f"note: {key} is not the baseline's: was {value}, is {now.get(key)}; figures may differ for that")


def update(path, reason, figures):
    with open(path, "w") as f:
        json.dump({"reason": reason, "environment": environment(), "figures": figures}, f, indent="\t")
        f.write("\n")
    print(f"wrote {path}: {reason}")


def gate(*args):
    p = subprocess.run([sys.executable, os.path.join(HERE, "gate.py"), *args], capture_output=True, text=True)
    return p.returncode, p.stdout + p.stderr


def self_test(baseline, figures):
    """The gate must fail on a server made slower, and on a single figure 5 % above its baseline; and not at 2 %."""
    with tempfile.TemporaryDirectory() as folder:
        now, old = os.path.join(folder, "now"), os.path.join(folder, "old.json")
        with open(now, "w") as f:
            f.writelines(f"{name} {value}\n" for name, value in figures.items())
        for change, name, bites in ((0.98, "get_p99_ns", False), (0.95, "get_p99_ns", True), (1.05, "get_p99_ns", False)):
            changed = dict(baseline, figures=dict(figures, **{name: round(figures[name] * change)}))
            with open(old, "w") as f:
                json.dump(changed, f)
            status, text = gate("--baseline", old, "--figures", now)
            said = re.search(rf"FAIL {name}: was \d+, is {figures[name]}, \+5", text)
            Count.result(status == bites and bool(said) == bites, f"a baseline at {change:.0%} {'fails' if bites else 'passes'}")
        with open(old, "w") as f:
            json.dump(dict(baseline, figures=figures), f)
        status, text = gate("--baseline", old, "--slow")
        slow = re.findall(r"FAIL (\w+_p50_ns): was", text)
        Count.result(status == 1 and len(slow) >= 3, f"a slower server fails the gate ({', '.join(slow) or text})")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--update", metavar="REASON")
    ap.add_argument("--baseline", default=os.path.join(HERE, "baseline.json"))
    ap.add_argument("--figures")
    ap.add_argument("--slow", action="store_true")
    ap.add_argument("--self-test", action="store_true")
    a = ap.parse_args()
    if not shutil.which(SERVER):
        sys.exit(f"gate: {SERVER} is not installed (tests/packages test)")
    if a.update is not None:
        if not a.update.strip():
            sys.exit("gate: why? make gate-update REASON='what made the figures change'")
        figures, same, _ = settled()
        if not same:
            sys.exit("gate: no two of three runs agree; try again on a machine with less to do")
        update(a.baseline, a.update.strip(), figures)
        return
    with open(a.baseline) as f:
        baseline = json.load(f)
    if a.figures:
        with open(a.figures) as f:
            figures = parse(f.read())
    elif a.slow:
        explain(baseline)
        figures = run(slow=True)
    else:
        explain(baseline)
        figures, same, changed = settled()
        Count.result(same, f"two runs have the same figures{' but for ' if changed else ''}{'; '.join(changed)}")
    compare(figures, baseline)
    if a.self_test:
        self_test(baseline, figures)
    Count.end()


main()
