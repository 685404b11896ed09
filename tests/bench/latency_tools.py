#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""latency_tools.py - what Debian's cyclictest and oslat say in windows of their own (examples/latency.ini), in virtual time (-icount:
1 ns an instruction), so that what this machine does besides changes nothing."""
import os, re, subprocess, sys, tempfile
from guests import GODWIT, ROOT

with open(os.path.join(ROOT, "examples/latency.ini")) as f:
    ini = f.read().replace("[module]\n", "[module]\naccelerator = tcg\nqemu-args = -icount shift=0,sleep=off\n")
with tempfile.NamedTemporaryFile("w", suffix=".ini") as f:
    f.write(ini)
    f.flush()
    p = subprocess.run([GODWIT, "module", "--quiet", f.name], capture_output=True, text=True, timeout=200)
wanted = re.findall(r"^(cyclic: T:.*|gaps: +(?:\d+ \(us\)|Minimum|Average|Maximum|Duration).*)$", p.stdout, re.M)
if p.returncode or len(wanted) < 6:
    sys.exit(f"latency_tools.py: status {p.returncode}: {p.stdout[-1500:]}{p.stderr[-1500:]}")
print("cyclictest and oslat in windows of 2 and 4 ms of 8, virtual time; oslat's gaps are the others' windows")
print("\n".join(wanted))
