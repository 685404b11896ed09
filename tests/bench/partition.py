#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""partition.py BUILD - a latency partition beside a batch partition that spins on all cores, 2 cores, in virtual time (-icount: 1 ns an
instruction, the cores in turn): the latency partition's response (a tick, then 20 us of work, every 100 us on average) with and
without the other, and the batch partition's throughput against what the latency partition leaves it. Programs: kernel/test."""
import os, re, subprocess, sys, tempfile

WORK_NS = 20000  # of kernel/test/elastic.c
ENDS = "config=e"  # a second partition, which ends at once: with one alone the cores would be dedicated


def run(build, *parts):
    """The figures that each partition printed, by its index."""
    with tempfile.NamedTemporaryFile() as bundle:
        subprocess.run(["python3", "kernel/test/bundle.py", "-", bundle.name, "cores=2"] +
                       [f"part={build}/kernel/test/parts.elf:memory=0x400000:{p}" for p in parts], check=True)
        out = subprocess.run(["qemu-system-x86_64", "-M", "microvm", "-accel", "tcg", "-cpu", "max", "-m", "64", "-smp", "2", "-icount",
                              "shift=0,sleep=off", "-display", "none", "-serial", "stdio", "-no-reboot", "-device",
                              "isa-debug-exit,iobase=0xf4,iosize=4", "-kernel", f"{build}/kernel.elf", "-initrd", bundle.name],
                             stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False).stdout.decode(errors="replace")
    if " 0 failed" not in out or re.search(r"[1-9]\d* failed", out):
        sys.exit("partition.py: the machine failed:\n" + out)
    figures = [{} for _ in parts]
    for index, name, value in re.findall(r"^(?:p(\d): )?(\w+) (\d+)\r?$", out, re.M):
        figures[int(index or 0)][name] = int(value)
    return figures


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "build"
    ms = 100
    print(f"{os.cpu_count()} host cores; virtual time, 2 cores of which one runs at a time; {ms} ms each")
    print("| latency vcores | response p50, p99, max ns, alone | beside the batch | p99 ratio | batch, of what is left | moves mean, max ns |")
    print("|---|---|---|---|---|---|")
    batch = f"config=bm{ms}:policy=2:vcores=2"
    free, _ = run(build, batch, ENDS)
    for vcores in (1, 2):
        latency = f"config=lm{ms}:policy=1:delay=5000:vcores={vcores}"
        alone, _ = run(build, latency, ENDS)
        mine, its = run(build, latency, batch)
        of = lambda f: [f[k] + WORK_NS for k in ("late_p50", "late_p99", "late_max")]
        left = 1 - mine["samples"] * WORK_NS / (2 * ms * 1e6)
        print(f"| {vcores} | {', '.join(f'{v:,}' for v in of(alone))} | {', '.join(f'{v:,}' for v in of(mine))} | "
              f"{of(mine)[1] / of(alone)[1]:.2f} | {its['turns'] / free['turns'] / left:.1%} | {mine['move_mean']:,}, {mine['move_max']:,} |")


main()
