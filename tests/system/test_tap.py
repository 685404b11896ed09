# SPDX-License-Identifier: Apache-2.0
"""TCP on a tap against the Linux stack, over links that lose, repeat, reorder, damage, delay and narrow."""
import os, subprocess, time
from harness import GUEST, test, true
from netlab import NO_OFFLOADS, Child, Namespace, TapMachine, Wire

os.environ["XFER_CONGESTION"] = "cubic"  # of the native xfer; the machine's is CUBIC
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

    def __init__(self, gso=False):
        self.gso = ["gso"] if gso else []
        self.stack = []

    def keep(self, thing):
        self.stack.append(thing)
        return thing.__enter__()

    def __enter__(self):
        try:
            self.bench, self.linux = self.keep(Namespace()), self.keep(Namespace())
            self.bench.tap("g0")
            options = [] if self.gso else ["--qemu-args", NO_OFFLOADS]
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


@test
def tap_goodput():
    """Beside Linux to Linux over the same wire, 10 ms round trip. A report; timing is nobody's gate on a shared machine."""
    seeds = [int(s) for s in os.environ.get("TAP_SEEDS", "3 5 7").split()]
    table, kib = {}, {1: 1024, 5: 512, 10: 256}
    with Namespace() as bench, Namespace() as one, Namespace() as two, Wire(bench, "tap:l0", "tap:l1") as wire:
        for ns, name, addr in ((one, "l0", "10.9.0.1/24"), (two, "l1", "10.9.0.2/24")):
            bench.ip("link", "set", name, "netns", ns.name)
            ns.up(name, addr)
        with serving(two):
            for loss in (1, 5, 10):
                table[loss] = [goodput(lambda *a: xfer(one, "client", "10.9.0.2", *a), wire, loss, SERVER_SENDS, kib, seeds)]
    with Impaired() as lab:
        for loss in (1, 5, 10):
            table[loss] += [goodput(lab.passive, lab.wire, loss, op, kib, seeds) for op in (SERVER_SENDS, CLIENT_SENDS)]
    print(f"     goodput in MB/s, median of {len(seeds)} transfers, 10 ms round trip, emulated machine, CUBIC on both")
    print("     loss   Linux to Linux   machine to Linux   Linux to machine")
    for loss, (linux, out, into) in table.items():
        print(f"     {loss:3} % {linux:14.3f} {out:14.3f} {100 * out / linux:4.0f} % {into:12.3f} {100 * into / linux:4.0f} %"
              + ("   below half" if min(out, into) < linux / 2 else ""), flush=True)
