#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""netbench.py [--only PART,...] [options] - native servers (apps/) as Linux processes beside kernel sockets, nginx and haproxy, in one run on
one machine, in network namespaces (root).

Parts: echo     TCP echo over AF_XDP on veth, and tap, beside epoll and io_uring: processor time, highest rate, round trip with and without polling
       http     the same of HTTP, beside nginx, h2o and haproxy
       shards   two shards on two cores, and on one, beside one; one that changes its core under load
       bulk     one and 64 connections, both directions
       pair     two hosted processes joined by virtqueues in shared memory
       connections  a million connections of the stack: bytes of each
       profile  instructions by function, for each request, of the hosted echo (callgrind)

Writes DIR/net.md and DIR/net.json. With --only, the parts of an earlier run of the same build stay in it. A part that fails says so, and the
others go on; the status is then 1."""
import argparse, hashlib, json, os, signal, sys
import bench, guests, netparts, netprofile
from guests import say

PARTS = {"echo": netparts.echo, "http": netparts.http, "shards": netparts.shards, "bulk": netparts.bulk, "pair": netparts.pair, "connections": netparts.connections, "profile": netprofile.profile}


def build_id():
    h = hashlib.sha256()
    for path in (os.path.join(guests.BUILD, "apps/echo"), guests.GODWIT):
        with open(path, "rb") as f:
            h.update(f.read())
    return h.hexdigest()[:16]


def machine():
    where = bench.machine()
    return {k: where[k] for k in ("machine", "godwit")} | {"nginx": bench.first_line("sh", "-c", "/usr/sbin/nginx -v 2>&1"),
                                                           "h2o": bench.first_line("sh", "-c", "PATH=$PATH:/usr/sbin h2o --version"),
                                                           "haproxy": bench.first_line("sh", "-c", "PATH=$PATH:/usr/sbin haproxy -v 2>&1").split(" 20")[0]}


def write(folder, build, done):
    done = {n: done[n] for n in PARTS if n in done}
    where = machine()
    with open(os.path.join(folder, "net.json"), "w") as f:
        json.dump({"build": build, "machine": where, "parts": done}, f, indent=1)
    with open(os.path.join(folder, "net.md"), "w") as f:
        bench.markdown(f, where, done, "Native servers beside kernel sockets", "Client and servers share one machine: times and rates mean something as "
                       "ratios of one run; instruction counts mean something by themselves.", "make bench-net")


class Late(Exception):
    """No OSError, which the parts take for a server's mistake and go on."""


def bounded(part, seconds):
    """The part, ended after so long: what it started goes away with its blocks."""
    def late(*_):
        raise Late(f"not done in {seconds} s (--limit)")

    def run():
        before = signal.signal(signal.SIGALRM, late)
        signal.alarm(seconds)
        try:
            return part()
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, before)
    return run


def options():
    s = netparts.Settings
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    ap.add_argument("--dir", default=guests.WORK, help="where the report goes (build/bench)")
    ap.add_argument("--rounds", type=int, default=s.rounds, help="of what takes time (%(default)s)")
    ap.add_argument("--seconds", type=float, default=s.seconds, help="of each measurement (%(default)s)")
    ap.add_argument("--rate", type=int, default=s.rate, help="at which processor time is measured, requests/s (%(default)s)")
    ap.add_argument("--limit", type=int, default=1200, help="seconds after which a part is given up (%(default)s)")
    a = ap.parse_args()
    a.parts = a.only.split(",")
    for name in a.parts:
        if name not in PARTS:
            ap.error(f"no part '{name}'; parts are {', '.join(PARTS)}")
    if a.rounds < 1 or a.seconds <= 0 or a.rate < 1 or a.limit < 1:
        ap.error("--rounds, --seconds, --rate and --limit are above 0")
    s.rounds, s.seconds, s.rate = a.rounds, a.seconds, a.rate
    return a


def main():
    a = options()
    os.makedirs(a.dir, exist_ok=True)
    build, ran = build_id(), {}
    done = bench.earlier(os.path.join(a.dir, "net.json"), build)
    try:
        for i, name in enumerate(a.parts):
            done[name] = ran[name] = bench.measure(name, i + 1, len(a.parts), bounded(PARTS[name], a.limit), name != "profile")
            if ran[name]["load"] > 1 and name != "profile":
                for s in ran[name].get("sections", []):
                    s["notes"].append(f"**The machine was busy** (load average {ran[name]['load']:.1f} before it): rates and round trips mean little.")
            write(a.dir, build, done)
    except KeyboardInterrupt:
        say("interrupted; the report has what was measured")
    for part in ran.values():
        for s in part.get("sections", []):
            print(f"\n{s['title']}\n\n{bench.table(s['columns'], s['rows'])}" + "".join(f"\n{n}" for n in s["notes"]))
    failed = [n for n, p in ran.items() if "failed" in p]
    say(f"{a.dir}/net.md" + (f"; FAILED: {', '.join(failed)}" if failed else ""))
    return 1 if failed or len(ran) < len(a.parts) else 0


if __name__ == "__main__":
    sys.exit(main())
