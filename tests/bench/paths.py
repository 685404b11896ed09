#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""paths.py [--check] BUILD - instructions of every path through the kernel, counted in virtual time (-icount: an instruction
is a nanosecond, so they repeat). Writes kernel/paths.txt, or with --check compares with it, and fails with the names of those
that have become more than 5 % longer, or are gone. Dedicated: the partition has the core for itself; shared: the kernel schedules."""
import re, subprocess, sys, tempfile

TABLE, LIMIT = "kernel/paths.txt", 1.05
MEMORY = ":memory=0x400000"


def machine(build, *bundle):
    with tempfile.NamedTemporaryFile() as f:
        subprocess.run([sys.executable, "kernel/test/bundle.py", "-", f.name, *bundle], check=True)
        run = subprocess.run(
            ["timeout", "120", "qemu-system-x86_64", "-M", "microvm", "-m", "64", "-accel", "tcg", "-cpu", "max", "-display", "none",
             "-serial", "stdio", "-no-reboot", "-icount", "shift=0,sleep=off", "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
             "-kernel", f"{build}/kernel.elf", "-initrd", f.name], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if run.returncode != 1:
        sys.exit(f"paths: the machine ended with {run.returncode}:\n{run.stdout[-2000:]}{run.stderr}")
    return run.stdout


def costs(text):
    return {name: int(n) for name, n in re.findall(r"cost: (.*) (\d+)\r?$", text, re.M)}


def measure(build):
    part = f"part={build}/kernel/test/parts.elf:config="
    dedicated = costs(machine(build, part + "m" + MEMORY))
    shared = costs(machine(build, part + "mp1y1" + MEMORY, part + "ym10" + MEMORY, "cores=1", "channels=4064,0,0,0,2;64,1,0,0,2;64,0,0,1,1"))
    shared.update(costs(machine(build, part + "mr1" + MEMORY + ":health=00010000", part + "e" + MEMORY, "cores=1")))
    text = machine(build, part + "sm20" + MEMORY, part + "sm20" + MEMORY, "cores=1", "frame=250000", "slots=0,0,0,100000,0;0,1,100000,120000,0")
    shared["window start, the neighbour spins: latest"] = int(re.search(r"window 0 .* max (\d+) ns", text).group(1))
    names = list(dedicated) + [n for n in shared if n not in dedicated]
    if len(names) < 30:
        sys.exit(f"paths: only {len(names)} paths were measured")
    return {n: (dedicated.get(n), shared.get(n)) for n in names}


def table(paths):
    out = ["# Instructions of each path through the kernel, from user mode to user mode: make paths", f"{'':<58}{'dedicated':>10}{'shared':>8}"]
    for name, values in paths.items():
        d, s = ("-" if v is None else str(v) for v in values)
        out.append(f"{name:<58}{d:>10}{s:>8}")
    return "\n".join(out) + "\n"


def read_table():
    paths = {}
    for line in open(TABLE, encoding="utf-8").read().splitlines()[2:]:
        d, s = (None if v == "-" else int(v) for v in line[58:].split())
        paths[line[:58].rstrip()] = (d, s)
    return paths


def compare(old, new):
    """What has become longer, or is gone: one line each."""
    worse = []
    for name, values in old.items():
        for kind, before, after in zip(("dedicated", "shared"), values, new.get(name, (None, None))):
            if before is not None and after is None:
                worse.append(f"{name} ({kind}): {before} before, not measured now")
            elif before is not None and after > before * LIMIT:
                worse.append(f"{name} ({kind}): {before} before, {after} now (+{100 * (after - before) / before:.1f} %)")
    return worse


def main():
    check = "--check" in sys.argv
    build = [a for a in sys.argv[1:] if a != "--check"] or ["build"]
    paths = measure(build[0])
    if not check:
        open(TABLE, "w", encoding="utf-8").write(table(paths))
        print(table(paths), end="")
        return
    old = read_table()
    worse = compare(old, paths)
    # The comparison itself: a table whose paths are 10 % shorter must make every one of these fail.
    planted = compare({n: tuple(v and int(v / 1.1) for v in vs) for n, vs in paths.items()}, paths)
    ok = len(planted) == sum(v is not None for vs in paths.values() for v in vs)
    for line in worse:
        print(f"FAIL {line}")
    if not ok:
        print("FAIL a rise of 10 % is not seen everywhere")
    passed = sum(v is not None for vs in old.values() for v in vs) - len(worse) + ok
    print(f"{passed} passed, {len(worse) + (not ok)} failed, 0 skipped")
    sys.exit(bool(worse) or not ok)


main()
