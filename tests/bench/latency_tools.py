#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""latency_tools.py - what Debian's cyclictest and oslat say in windows of their own, on one core (examples/latency.ini) and on two
(examples/latency2.ini), in virtual time (-icount: 1 ns an instruction), so that what this machine does besides changes nothing."""
import os, re, subprocess, sys, tempfile
from guests import GODWIT, ROOT


def run(example, lines):
    with open(os.path.join(ROOT, "examples", example)) as f:
        ini = f.read().replace("[module]\n", "[module]\naccelerator = tcg\nqemu-args = -icount shift=0,sleep=off\n")
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as f:
        f.write(ini)
        f.flush()
        p = subprocess.run([GODWIT, "module", "--quiet", f.name], capture_output=True, text=True, timeout=200)
    wanted = re.findall(r"^(cyclic: T:.*|gaps: +(?:\d+ \(us\)|Minimum|Average|Maximum|Duration).*)$", p.stdout, re.M)
    if p.returncode or len(wanted) < lines:
        sys.exit(f"latency_tools.py: {example}: status {p.returncode}: {p.stdout[-1500:]}{p.stderr[-1500:]}")
    print("\n".join(wanted))


print("cyclictest and oslat in windows of 2 and 4 ms of 8, virtual time; oslat's gaps are the others' windows")
run("latency.ini", 6)
print("the same on two cores, in windows of 1 and 2 ms of 8 on each")
run("latency2.ini", 7)
