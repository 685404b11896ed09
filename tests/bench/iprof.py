#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""iprof.py [-n 200] [--request 'PING' | --boot | --load P] [-o 'GODWIT OPTIONS'] - where the guest instructions of redis go, by function.

--request  one request at a time, idle to idle, as bench.py counts them: the requests whose cost is nearest the median
           (so that redis' own timer, ten times a second, is left out)
--cron     that timer instead: half a second without any request
--boot     everything from power-on to the first reply
--load P   redis-benchmark -c 20 -P P -t get, per request
Program code counts as 'program'; kernel and runtime functions by name. Instructions repeat; seconds do not matter."""
import argparse, array, bisect, mmap, os, shlex, subprocess, sys, time
from guests import BUILD, User, Server, godwit, reply, WORK
from parts import plugin, settle


class Counts:
    """The plugin's file: instructions by block."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.view = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)

    def total(self):
        return int.from_bytes(self.view[8:16], "little")

    def read(self):
        n = int.from_bytes(self.view[:8], "little")
        return array.array("Q", self.view[16:16 + 16 * n])


def difference(before, after):
    """{block address: instructions}"""
    by, old = {}, before[1::2]
    old.extend([0] * (len(after) // 2 - len(old)))
    for pc, a, b in zip(after[::2], old, after[1::2]):
        if a != b:
            by[pc] = by.get(pc, 0) + b - a
    return by


def merge(parts):
    by = {}
    for part in parts:
        for pc, used in part.items():
            by[pc] = by.get(pc, 0) + used / len(parts)
    return by


class Names:
    """Functions by address. The kernel moves by whole pages: its shift is the one under which most of what
    ran at the syscall entry's place in a page was the syscall entry."""

    def __init__(self, ran):
        self.kernel, self.ours = self.symbols("kernel.elf"), self.symbols("linux.elf")
        entry = self.kernel[0][self.kernel[1].index("syscall_entry")]
        at = {}
        for pc, used in zip(ran[::2], ran[1::2]):
            if pc >> 63 and (pc - entry) % 4096 == 0:
                at[pc - entry] = at.get(pc - entry, 0) + used
        self.shift = max(at, key=at.get) if at else 0

    @staticmethod
    def symbols(name):
        out = subprocess.run(["nm", "-n", os.path.join(ROOT, "build", name)], capture_output=True, text=True, check=True).stdout
        rows = [line.split() for line in out.split("\n")]
        table = sorted((int(r[0], 16), r[2]) for r in rows if len(r) == 3 and r[1] in "tTwW" and not r[2].startswith("."))
        return [a for a, _ in table], [n for _, n in table]

    def of(self, pc):
        if pc >> 63:
            return "kernel: " + self.at(self.kernel, pc - self.shift)
        if 0x700000000000 <= pc < 0x710000000000:
            return self.at(self.ours, pc)
        return "firmware and boot" if pc < 0x200000 or 0xf0000000 < pc < 1 << 32 else "program"

    @staticmethod
    def at(table, pc):
        k = bisect.bisect_right(table[0], pc) - 1
        return table[1][k] if k >= 0 else "?"


def per_request(g, counts, request, n, quantile):
    for _ in range(200):
        g.s.sendall(request)
        reply(g.s)
    costs = []
    for _ in range(n):
        start = None
        while counts.total() != start:
            start = settle(counts.total)
            before = counts.read()
        g.s.sendall(request)
        reply(g.s)
        cost = settle(counts.total) - start
        costs.append((cost, len(costs), difference(before, counts.read())))
    costs.sort()
    print(f"{n} requests: minimum {costs[0][0]:,}, median {costs[n // 2][0]:,}, 90 % {costs[n * 9 // 10][0]:,}")
    middle = int(n * quantile)
    return merge([c[2] for c in costs[max(middle - n // 20, 0):middle + n // 20 + 1]])


def under_load(g, counts, pipeline):
    n = 3000 if pipeline == 1 else 30000
    before = counts.read()
    subprocess.run(["redis-benchmark", "-p", str(g.net.port), "-t", "get", "-c", "20", "-P", str(pipeline), "-n", str(n), "-q"],
                   stdout=subprocess.DEVNULL, timeout=240, check=True)
    return {pc: used / n for pc, used in difference(before, counts.read()).items()}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("-n", type=int, default=200)
    ap.add_argument("--request", default="PING")
    ap.add_argument("--quantile", type=float, default=0.5, help="which requests: 0.5 is the median, 0 the cheapest")
    ap.add_argument("--boot", action="store_true")
    ap.add_argument("--cron", action="store_true")
    ap.add_argument("--load", type=int, metavar="P")
    ap.add_argument("--top", type=int, default=60)
    ap.add_argument("-o", "--options", default="", help="more options of godwit run")
    a = ap.parse_args()
    so, shm, net = plugin("iprof"), os.path.join(WORK, f"iprof-{os.getpid()}.shm"), User()
    g = Server(godwit(net, extra=f"-plugin {so},shm={shm}", options=shlex.split(a.options)), net)
    try:
        counts = Counts(shm)
        if a.boot:
            what, by = "to the first reply", difference(array.array("Q"), counts.read())
        elif a.cron:
            before = counts.read()
            time.sleep(0.5)
            what, by = "in half a second", difference(before, counts.read())
        elif a.load:
            what, by = f"per GET at -c 20 -P {a.load}", under_load(g, counts, a.load)
        else:
            what, by = f"per {a.request}", per_request(g, counts, (a.request + "\r\n").encode(), a.n, a.quantile)
        names, functions = Names(counts.read()), {}
        for pc, used in by.items():
            name = names.of(pc)
            functions[name] = functions.get(name, 0) + used
        total = sum(functions.values())
        print(f"{total:,.0f} instructions {what}; without the program {total - functions.get('program', 0):,.0f}")
        for name, used in sorted(functions.items(), key=lambda x: -x[1])[:a.top]:
            print(f"{used:12,.1f}  {name}")
    finally:
        g.stop()
        if os.path.exists(shm):
            os.unlink(shm)


main()
