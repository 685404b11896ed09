# SPDX-License-Identifier: Apache-2.0
"""netprofile - the part profile of `make bench-net`: which functions of a hosted program a request's instructions go to. The program runs
over a tap under callgrind, which counts user instructions; the kernel's are not among them. Counters are set to zero after a warm-up."""
import collections, glob, json, os, re, subprocess, tempfile, time
from guests import GODWIT, Skip, say
from netparts import Settings
from netservers import APPS, SERVER, Contender, hosted, load, which
from parts import section

TOP = 12


def control(pid, what):
    p = subprocess.run(["callgrind_control", what, str(pid)], capture_output=True, text=True, timeout=60)
    if p.returncode:
        raise RuntimeError(f"callgrind_control {what}: {p.stdout[-300:]}{p.stderr[-300:]}")


def packets(net):
    """Both ways over the tap."""
    j = json.loads(net.there.run("ip", "-s", "-j", "link", "show", "t0").stdout)[0]
    return j["stats64"]["rx"]["packets"] + j["stats64"]["tx"]["packets"]


def by_function(path):
    """{function: instructions} of a callgrind file ("Callgrind Format Specification"): what was inlined counts for the function that it is in. (What
    callgrind_annotate makes of calls that were under way when counters were set to zero is wrong: it counts them again.)"""
    counts, names, current, skip = collections.Counter(), {}, None, False
    with open(path) as f:
        for line in f:
            m = re.match(r"(c?)fn=\((\d+)\)(?: (.+))?", line)
            if m:
                names.setdefault(m[2], m[3])
                current = current if m[1] else names[m[2]]
            elif line.startswith("calls="):
                skip = True  # the next line is the cost of what was called
            elif re.match(r"[-+*\d]\S* \d+$", line):
                if not skip:
                    counts[current.split("'")[0]] += int(line.split()[1])
                skip = False
            elif line.startswith("summary:") or line.startswith("totals:"):
                total = int(line.split()[1])
    if not counts or abs(sum(counts.values()) - total) > total / 100:
        raise RuntimeError(f"{path}: {sum(counts.values())} instructions by function, {total} in all")
    return counts


def run(program, args, url, rate, **how):
    """(instructions by function, requests, packets)"""
    with tempfile.TemporaryDirectory() as folder:
        wrapper = os.path.join(folder, program)
        with open(wrapper, "w") as f:
            f.write(f"#!/bin/sh\nexec valgrind -q --tool=callgrind --callgrind-out-file={folder}/out {os.path.join(APPS, program)}\n")
        os.chmod(wrapper, 0o755)
        c = Contender("", hosted(wrapper, *args, net="tap"), tap=True)  # join() leaves an absolute path as it is
        with c.serve(7 if url.startswith("tcp") else 80) as (net, p):
            load(net, url, 200, 0.5, connections=how.get("connections", 20))
            control(p.pid, "-z")
            before = packets(net)
            j = load(net, url, rate, max(1.0, Settings.seconds), **how)
            after = packets(net)
            control(p.pid, "-d")
        out = max(glob.glob(os.path.join(folder, "out.*")), key=os.path.getmtime, default=None)
        if out is None:
            raise RuntimeError("callgrind wrote nothing")
        return by_function(out), max(1, j["answered"]), after - before


def profile():
    for needed in ("valgrind", "callgrind_control"):
        if not which(needed):
            raise Skip(f"{needed} is not installed (apt-get install valgrind)")
    cases = [("echo, callbacks, one at a time", "echo", ["callbacks"], f"tcp://{SERVER}:7", 300, {"connections": 1}),
             ("echo, callbacks, 64 connections with 16 in flight", "echo", ["callbacks"], f"tcp://{SERVER}:7", 3000000, {"connections": 64, "pipeline": 16}),
             ("echo, tasks, 64 connections with 1 in flight", "echo", ["tasks"], f"tcp://{SERVER}:7", 3000000, {"connections": 64})]
    if os.path.exists(os.path.join(APPS, "http")):
        cases.append(("http, /plaintext, 64 connections with 1 in flight", "http", [], f"http://{SERVER}/plaintext", 3000000, {"connections": 64}))
    sections = []
    for title, program, args, url, rate, how in cases:
        say(f"  {title}")
        counts, requests, n = run(program, args, url, rate, **how)
        total = sum(counts.values())
        rows = [[f"`{name}`", f"{v / requests:,.1f}", f"{100 * v / total:.1f} %"] for name, v in counts.most_common(TOP)]
        rows.append([f"{len(counts) - TOP} others", f"{sum(v for _, v in counts.most_common()[TOP:]) / requests:,.1f}", ""])
        rows.append(["all", f"{total / requests:,.0f}", f"{total / max(1, n):,.0f} a packet"])
        sections.append(section(f"Instructions of a request: {title}", f"User instructions of the whole process under callgrind, over a tap: {requests:,} requests in {n:,} packets "
                                "(both ways).", ["function", "instructions", "of all"], rows))
    return sections
