# SPDX-License-Identifier: Apache-2.0
"""godwit run --trace: requests' lives, as a trace file and as a table."""
import json, os, re, tempfile
from harness import GODWIT, Machine, equal, need, run, test, true

STAGES = ["receive ring", "TCP/IP in", "wake", "run queue", "poll", "program to read", "read", "program to write",
          "write, TCP/IP out", "send ring"]
REDIS = ["--save", "", "--protected-mode", "no", "--bind", "0.0.0.0"]


def ns(event, key):
    """The file has microseconds with three decimals: exact in ns."""
    return round(event[key] * 1000)


def requests(path):
    """[(request, its stages)] of a trace file, every event of it checked."""
    with open(path, encoding="ascii") as f:
        events = json.load(f)
    names = {e["tid"]: e["args"]["name"] for e in events if e["ph"] == "M" and e["name"] == "thread_name"}
    out = []
    for e in (e for e in events if e["ph"] != "M"):
        equal(e["ph"], "X")
        true(re.fullmatch(r"10\.0\.2\.2:\d+", names[e["tid"]]), f"a track for each connection: {names}")
        if e["name"] == "request":
            out.append((e, []))
        else:
            equal(e["tid"], out[-1][0]["tid"], "a stage follows its request")
            out[-1][1].append(e)
    return out


def check_requests(found, port):
    """Stages in order, without gaps, and as long together as the whole; one after the other on each track."""
    ends = {}
    for whole, parts in sorted(found, key=lambda request: request[0]["ts"]):  # shards report one after the other
        equal(whole["args"]["port"], port)
        order = [STAGES.index(p["name"]) for p in parts]
        equal(order, sorted(set(order)), "stages in order")
        true({"receive ring", "TCP/IP in", "wake", "read", "program to write", "write, TCP/IP out", "send ring"} <=
             {p["name"] for p in parts}, f"stages are missing: {parts}")
        at = ns(whole, "ts")
        true(at >= ends.get(whole["tid"], 0), "requests of a connection follow each other")
        for p in parts:
            equal(ns(p, "ts"), at, "a stage begins where the one before ends")
            true(p["dur"] >= 0, p)
            at += ns(p, "dur")
        equal(at, ns(whole, "ts") + ns(whole, "dur"), "the stages are the whole")
        true(0 < ns(whole, "dur") < 10_000_000_000, whole)
        ends[whole["tid"]] = at


def table(err):
    """{stage: (count, p50, p99, share)} of the table at the end."""
    rows = re.findall(r"^  (\S[^\d]*?) +(\d+) +([\d.]+) +([\d.]+) +([\d.]+) %$", err, re.M)
    return {name: (int(n), float(p50), float(p99), float(share)) for name, n, p50, p99, share in rows}


def finished(m):
    """All that godwit said: its end of the pipe is closed."""
    m.reader.join(10)
    return "".join(m.err)


def traced(options, program, port, talk):
    """Run it with a trace, talk to it, stop it: (requests, what it said)."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trace.json")
        with Machine(program, port, options=["--trace", path + options[0], *options[1:]]) as m:
            talk(m)
            m.stop()
        return requests(path), finished(m)


@test
def trace_redis():
    def talk(m):
        a, b = m.redis(), m.redis()
        for i in range(60):
            equal(a("SET", f"k{i}", "v" * i), "OK")
            equal(b("GET", f"k{i}"), b"v" * i)
        a.close()
    found, err = traced([":1/1"], [need("redis-server"), *REDIS], 6379, talk)
    check_requests(found, 6379)
    true(len(found) >= 118, f"{len(found)} of 122 requests")
    equal(len({w["tid"] for w, _ in found}), 2, "two connections")
    true(sum("run queue" in [p["name"] for p in parts] for _, parts in found) >= 100, "woken by the request")
    t = table(err)
    equal(t["total"][0], len(found), err)
    equal(t["total"][3], 100.0)
    true(abs(sum(row[3] for name, row in t.items() if name != "total") - 100) < 1, f"shares: {t}")
    true(all(row[1] <= row[2] for row in t.values()), f"p50 and p99: {t}")
    true("0 given up unanswered" in err, err)


@test
def trace_sampled():
    def talk(m):
        r = m.redis()
        for _ in range(100):
            equal(r("PING"), "PONG")
    found, err = traced([":1/10"], [need("redis-server"), *REDIS], 6379, talk)
    check_requests(found, 6379)
    true(10 <= len(found) <= 11, f"{len(found)} of 101 requests at 1/10")


@test
def trace_vcores():
    """Several shards: packets and replies cross, connections move."""
    def talk(m):
        socks = [m.connect() for _ in range(6)]
        for i in range(30):
            for k, s in enumerate(socks):
                s.sendall(b"set k%d 0 0 4\r\n%04d\r\n" % (k, i))
            for s in socks:
                equal(s.recv(100), b"STORED\r\n")
        for s in socks:
            s.close()
    found, err = traced([":1/1", "-c", "3"], [need("memcached"), "-u", "root", "-t", "3"], 11211, talk)
    check_requests(found, 11211)
    true(len(found) >= 120, f"{len(found)} of 180 requests")


@test
def trace_unanswered():
    """A request that the program takes and never answers is counted, not invented."""
    def talk(m):
        r = m.redis()  # it has answered: the program has the connection
        r.s.sendall(b"*2\r\n$4\r\nECHO\r\n")
        m.redis()
        r.s.sendall(b"$1\r\n")  # the same request, and no more of it
        m.redis()
        r.close()
        m.redis()
    found, err = traced([":1/1"], [need("redis-server"), *REDIS], 6379, talk)
    check_requests(found, 6379)
    true("(1 given up unanswered" in err, err)
    true(len(found) <= 4, f"{len(found)} requests")


@test
def trace_bad_files():
    status, _, err = run(need("busybox"), "true", options=["--trace", "/nonexistent/trace.json"])
    equal(status, 2)
    true("cannot write the trace /nonexistent/trace.json: No such file" in err, err)
    status, _, err = run(need("busybox"), "true", options=["--trace", "/dev/full"])
    equal(status, 0, "the program's own")
    true("the trace /dev/full is not complete: No space left on device" in err, err)
    true("requests followed: 0" in err, err)
