# SPDX-License-Identifier: Apache-2.0
"""truth - does the generator measure what is there? Its floor and precision, stalls that a closed loop hides, overload, agreement
with other tools, schedules as a server sees them, the knee."""
import os, re, shutil, socket, threading, time
import xml.dom.minidom
from common import DIR, LOAD, Redis, Reflector, Skip, attempts, load, measured, run


def ms(ns):
    return f"{ns / 1e6:.2f} ms"


def benchmark(url, *args):
    """redis-benchmark's GET: requests a second, and p99 in ns."""
    if not shutil.which("redis-benchmark"):
        raise Skip("redis-benchmark is not installed")
    port = url.rsplit(":", 1)[1]
    r = run("redis-benchmark", "-h", "127.0.0.1", "-p", port, "-t", "get", "--csv", *args)
    row = [line for line in r.stdout.splitlines() if line.startswith('"GET"')]
    assert row, r.stdout + r.stderr
    fields = [f.strip('"') for f in row[0].split(",")]
    return float(fields[1]), float(fields[6]) * 1e6


def test_floor():
    """It is printed; and a reflector that answers 10 us later is measured 10 us later, to the microsecond."""
    def check():
        r = run(LOAD, "floor", "--duration", "500ms", "--warmup", "0", "--rate", "2000")
        assert r.returncode == 0, r.stdout + r.stderr
        for scheme in ("tcp", "udp", "redis", "http"):
            assert re.search(rf"^  {scheme} ", r.stdout, re.M), r.stdout
        print("     " + r.stdout.rstrip().replace("\n", "\n     "))
        off = float(re.search(r"^precision .*: ([\d.]+) us off", r.stdout, re.M).group(1))
        if off > 1:
            return f"{off} us off"
    attempts(check, 6)


def test_stall():
    """The server stalls 100 ms once a second: a tenth of all requests wait, 50 ms on average."""
    with Reflector("redis://127.0.0.1:0", "--stall", "100ms/1s") as r:
        def check():
            # 1: the run ended in the middle of a stall, and says that requests waited then
            j, _ = measured(r.urls[0], "--rate", "2000", "--duration", "3s", "--mix", "get", status=(0, 1))
            _, closed = benchmark(r.urls[0], "-c", "1", "-n", "20000")
            open_loop = j["corrected"]["p99"]
            print(f"     p99 of the open loop {ms(open_loop)} (of its actual send {ms(j['uncorrected']['p99'])}), "
                  f"of redis-benchmark {ms(closed)}")
            if not 80e6 <= open_loop:
                return f"the stall does not show: p99 {ms(open_loop)}"
            if not 95e6 <= j["corrected"]["max"]:
                return "the maximum is less than the stall"
            if closed > open_loop / 2:
                return f"the closed loop shows {ms(closed)}"
        attempts(check)


def test_overload():
    """2,000 a second is all that the server does: 4,000 a second must not look well."""
    with Reflector("tcp://127.0.0.1:0", "--service", "500us") as r:
        j, out = measured(r.urls[0], "--rate", "4000", "--duration", "2s", "--drain", "200ms",
                          status=1)
        assert j["overloaded"] and j["waiting_at_end"] > 1000, j
        assert j["answered_per_s"] < 2400, j["answered_per_s"]
        assert j["unsent"] > 1000 and j["due"] == j["sent"] + j["unsent"], j
        assert j["corrected"]["count"] == j["due"], "what was never sent must count, too"
        assert j["corrected"]["p50"] > 200e6, "waiting must count as latency"
        assert "did not keep the rate" in out.stdout
        # a rate that nothing could keep: what can be measured is, in bounded memory
        j, out = measured(r.urls[0], "--rate", "1000M", "--duration", "500ms", "--drain", "100ms", "--warmup", "0", status=1)
        assert j["due"] > 4.9e8 and j["answered"] > 10 and j["unsent"] > 4e8 and "did not keep the rate" in out.stdout, j["due"]


def agree(name, other, url):
    def check():
        j, _ = measured(url, "--rate", "1000", "--arrivals", "constant", "--duration", "4s", "--connections", "20")
        theirs, ours = other(), j["answered_per_s"]
        print(f"     {ours:.0f}/s, {name} {theirs:.0f}/s")
        if abs(theirs / ours - 1) > 0.03:
            return f"{ours:.0f}/s here, {theirs:.0f}/s by {name}"
    attempts(check, 5)


def test_agrees_with_redis_benchmark():
    """A server that answers 1,000 a second and no more, so that a closed loop runs at that rate."""
    with Reflector("redis://127.0.0.1:0", "--service", "1ms") as r:
        agree("redis-benchmark", lambda: benchmark(r.urls[0], "-c", "20", "-n", "4000")[0], r.urls[0])


def test_agrees_with_wrk():
    if not shutil.which("wrk"):
        raise Skip("wrk is not installed")

    def wrk(url):
        out = run("wrk", "-t", "1", "-c", "20", "-d", "4s", url + "/").stdout
        return float(re.search(r"Requests/sec:\s*([\d.]+)", out).group(1))
    with Reflector("http://127.0.0.1:0", "--service", "1ms") as r:
        agree("wrk", lambda: wrk(r.urls[0]), r.urls[0])


def test_verify():
    with Redis() as url:
        j, r = measured(url, "--rate", "3000", "--duration", "1s", "--verify", "--pipeline", "4", "--keys", "500",
                        "--key-dist", "zipf:0.99", "--mix", "get:40,set:30,incr:10,del:10,exists:5,ping:3,echo:2",
                        "--value-size", "700")
        assert j["errors"]["total"] == 0 and j["answered"] > 1000, j["errors"]
        assert "content of every answer was checked" in r.stdout
        # other commands, with an error among them
        j, r = measured(url, "--rate", "500", "--duration", "1s", "--mix",
                        "ZADD board {random:99} {key}:3,ZRANGE board 0 9:3,NOSUCH {value}:1", status=1)
        assert j["errors"]["refused"] > 0 and "unknown command" in r.stdout, r.stdout
    # a server that answers every GET with the same
    with Reflector("redis://127.0.0.1:0") as r:
        j, out = measured(r.urls[0], "--rate", "500", "--duration", "1s", "--verify", status=1)
        assert j["errors"]["wrong"] > 100 and "wrong: " in out.stdout, out.stdout


def test_thousands_of_connections():
    with Reflector("http://127.0.0.1:0") as r:
        j, _ = measured(r.urls[0] + "/x", "--rate", "5000", "--duration", "1s", "--connections", "3000",
                        "--threads", "2", "--verify")
        assert j["errors"]["total"] == 0 and j["answered"] == j["due"], j["errors"]


def test_schedules():
    trace = os.path.join(DIR, "trace")
    with open(trace, "w") as f:
        f.write("# a second\n" + "".join(f"{i * 2}ms\n" for i in range(500)))
    with Reflector("udp://127.0.0.1:0") as r:
        j, _ = measured(r.urls[0], "--trace", trace)
        assert j["due"] == j["answered"] == 500, j
        j, _ = measured(r.urls[0], "--ramp", "0:2000:1s", "--duration", "2s", "--warmup", "0",
                        "--arrivals", "constant", "--burst", "5")
        assert abs(j["due"] - 3000) <= 5, j["due"]
        j, _ = measured(r.urls[0], "--rate", "5000", "--duration", "1s", "--warmup", "100ms")
        assert abs(j["due"] - 5000) < 5 * 71, j["due"]  # Poisson: five standard deviations


def seen(*args, n):
    """When a server of ours saw each datagram of a run of at least n, in seconds from the first."""
    at, end = [], threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.settimeout(0.1)

        def serve():
            while not end.is_set():
                try:
                    data, peer = s.recvfrom(2048)
                    at.append(time.monotonic())
                    s.sendto(data, peer)
                except socket.timeout:
                    pass
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            out = load(f"udp://127.0.0.1:{s.getsockname()[1]}", "--warmup", "0", *args)
        finally:
            end.set()
            thread.join()
    assert out.returncode == 0, out.stdout + out.stderr
    assert len(at) >= n, f"{len(at)} of {n} came"
    return [t - at[0] for t in at]


def test_arrivals_as_the_server_sees_them():
    trace = os.path.join(DIR, "seen")
    times = [0, 0.05, 0.051, 0.2, 0.2, 0.2, 0.6, 0.9]
    with open(trace, "w") as f:
        f.write("".join(f"{int(t * 1e6)}us # recorded\n" for t in times))

    def recorded():
        at = seen("--trace", trace, n=len(times))
        off = max(abs(a - t) for a, t in zip(at, times))
        return None if off < 0.02 else f"{off * 1000:.1f} ms off the trace"

    def bursts():
        at = seen("--rate", "200", "--arrivals", "constant", "--burst", "20", "--duration", "1s", n=200)
        gaps = [b - a for a, b in zip(at, at[1:])]
        long = [g for g in gaps if g > 0.04]
        return None if len(long) == 9 and all(0.08 < g < 0.12 for g in long) else f"gaps between bursts: {long}"

    def ramp():
        at = seen("--ramp", "0:400:1s", "--duration", "1s", "--arrivals", "constant", n=199)
        # the integral of the rate: the n-th is due at sqrt(n / 200)
        off = max(abs(a - (i / 200) ** 0.5) for i, a in enumerate(at))
        return None if off < 0.02 else f"{off * 1000:.1f} ms off the ramp"

    def spread(arrivals, low, high):
        at = seen("--rate", "400", "--arrivals", arrivals, "--duration", "2s", "--seed", "5", n=700)
        gaps = [b - a for a, b in zip(at, at[1:])]
        mean = sum(gaps) / len(gaps)
        of = (sum((g - mean) ** 2 for g in gaps) / len(gaps)) ** 0.5 / mean
        return None if low <= of <= high else f"{arrivals}: deviation of the gaps {of:.2f} of their mean"
    for check in (recorded, bursts, ramp, lambda: spread("poisson", 0.85, 1.2), lambda: spread("constant", 0, 0.4)):
        attempts(check)


def test_sweep():
    """1,000 a second is what the server does; the knee lies just below."""
    with Reflector("redis://127.0.0.1:0", "--service", "1ms") as r:
        def check():
            csv, svg = os.path.join(DIR, "sweep.csv"), os.path.join(DIR, "sweep.svg")
            out = run(LOAD, "sweep", r.urls[0], "--slo", "p90<50ms", "--rate", "300", "--duration", "1s", "--warmup",
                      "200ms", "--precision", "20", "--tries", "3", "--csv", csv, "--svg", svg)
            assert out.returncode == 0, out.stdout + out.stderr
            knee = float(re.search(r"knee: ([\d,.]+)", out.stdout).group(1).replace(",", ""))
            assert len(open(csv).readlines()) > 3
            xml.dom.minidom.parse(svg)
            print(f"     knee at {knee:.0f}/s of 1,000/s")
            if not 500 <= knee <= 1150:
                return f"the knee is at {knee:.0f}/s\n{out.stdout}"
        attempts(check, 2)
