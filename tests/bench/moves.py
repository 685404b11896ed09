#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""moves.py [--check] BUILD - instructions of a move of a core between partitions, from the clock's reading on which the decision
rests to the partition's first instruction: counted on the way itself, by a plugin (moves.c). What another core does meanwhile is
not counted, which the kernel's own figure in virtual time cannot tell apart; an interrupt that comes on the way is. The core moves
itself (a tick of the latency partition comes to the core where the batch spins; the watch finds a delay), or is interrupted by
another one that has decided. --check: at most one of a hundred moves above 2,000, none above 2,500."""
import array, bisect, collections, os, subprocess, sys, tempfile
from parts import plugin

MEMORY = "memory=0x400000"
GOAL, LIMIT = 2000, 2500
MACHINES = [
    ("itself, by a tick", ("config=lm20", "policy=1"), ("config=bm20s99", "policy=2", "vcores=2")),
    ("itself, by the watch", ("config=a", "policy=1", "vcores=2", "delay=5000"), ("config=bm20s99", "policy=2", "vcores=2")),
    ("another core, by an interrupt", ("config=km20", "policy=1", "vcores=2", "min=2"), ("config=bm20s99", "policy=2", "vcores=2")),
]


def run(build, parts):
    """[(address, processor, instructions)] in order."""
    with tempfile.TemporaryDirectory() as folder:
        bundle, out = f"{folder}/bundle", f"{folder}/blocks"
        subprocess.run([sys.executable, "kernel/test/bundle.py", "-", bundle, "cores=2"] +
                       [f"part={build}/kernel/test/parts.elf:{MEMORY}:" + ":".join(p) for p in parts], check=True)
        p = subprocess.run(["qemu-system-x86_64", "-M", "microvm", "-accel", "tcg", "-cpu", "max", "-m", "64", "-smp", "2", "-icount",
                            "shift=0,sleep=off", "-display", "none", "-serial", "stdio", "-no-reboot", "-device",
                            "isa-debug-exit,iobase=0xf4,iosize=4", "-kernel", f"{build}/kernel.elf", "-initrd", bundle, "-plugin",
                            f"{plugin('moves')},out={out}"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False)
        if p.returncode != 1:
            sys.exit(f"moves.py: the machine ended with {p.returncode}:\n{p.stdout[-2000:]}{p.stderr}")
        words = array.array("Q")
        with open(out, "rb") as f:
            words.frombytes(f.read())
    return words[0::2], words[1::2]


class Names:
    """Functions by address. The kernel moves by whole pages: by where its syscall entry runs most, as iprof.py does."""

    def __init__(self, build, pcs):
        lines = subprocess.run(["nm", "-n", f"{build}/kernel.elf"], capture_output=True, text=True, check=True).stdout.splitlines()
        symbols = [(int(f[0], 16), f[2]) for f in map(str.split, lines) if len(f) == 3 and f[1] in "tT"]
        self.starts, self.names = [a for a, _ in symbols], [n for _, n in symbols]
        entry = self.starts[self.names.index("syscall_entry")]
        shifts = collections.Counter()
        for pc, n in collections.Counter(pcs).items():
            if pc >> 63 and (pc - entry) % 4096 == 0:
                shifts[pc - entry] += n
        self.shift = shifts.most_common(1)[0][0]

    def of(self, pc):
        return self.names[bisect.bisect_right(self.starts, pc - self.shift) - 1] if pc else ""

    def start(self, name):
        return self.starts[self.names.index(name)] + self.shift


def moves(pcs, words, names):
    """[(whether the core has moved itself, instructions)]"""
    clock, kick, served = (names.start(n) for n in ("arch_now_ns", "elastic_kick", "elastic_served"))
    cpu, count = (lambda i: words[i] & 0xffffffff), (lambda i: words[i] >> 32)
    found, decided = [], None
    for i, pc in enumerate(pcs):
        if pc == kick and names.of(pcs[i - 1]) == "elastic_want":
            decided = i
        elif pc == served and decided is not None:
            a, b, n, j = cpu(decided), cpu(i), 0, decided - 1
            while pcs[j] != clock or cpu(j) != a:  # back to when the clock was read
                n += count(j) if cpu(j) == a else 0
                j -= 1
            j = decided
            while names.of(pcs[j]) in ("elastic_kick", "arch_vcore", "arch_kick", "apic_ipi") and a != b:
                n += count(j)
                j += 1
            while not (cpu(j) == b and pcs[j] == 0 and j > i):
                n += count(j) if cpu(j) == b and pcs[j] else 0
                j += 1
            found.append((a == b, n))
            decided = None
    return found


def main():
    build = ([a for a in sys.argv[1:] if a != "--check"] or ["build"])[0]
    failed = 0
    print("| who moves the core | moves | instructions: min, median, p99, max |")
    print("|---|---|---|")
    for name, *parts in MACHINES:
        pcs, words = run(build, parts)
        got = sorted(n for itself, n in moves(pcs, words, Names(build, pcs)) if itself == name.startswith("itself"))
        if len(got) < 40:
            sys.exit(f"moves.py: {name}: only {len(got)} moves")
        print(f"| {name} | {len(got)} | {got[0]:,}, {got[len(got) // 2]:,}, {got[(len(got) - 1) * 99 // 100]:,}, {got[-1]:,} |")
        failed += got[(len(got) - 1) * 99 // 100] > GOAL or got[-1] > LIMIT
    if "--check" in sys.argv:
        print(f"{len(MACHINES) - failed} passed, {failed} failed, 0 skipped")
        sys.exit(failed != 0)


main()
