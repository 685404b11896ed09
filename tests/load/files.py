# SPDX-License-Identifier: Apache-2.0
"""files - what comes out: pictures, logs that were cut short, and HdrHistogram's encoding, read by its own Java implementation
(HdrPeer.java) and written by it."""
import os, re, shutil, subprocess, time
import xml.dom.minidom
from common import DIR, LOAD, Reflector, Skip, load, measured, run


def test_plot():
    paths = [os.path.join(DIR, f"{i}.json") for i in "ab"]
    svg = os.path.join(DIR, "plot.svg")
    with Reflector("tcp://127.0.0.1:0") as r:
        for i, p in enumerate(paths):
            assert load(r.urls[0], "--rate", "1000", "--duration", "500ms", "--interval", "50ms", "--json", p,
                        "--label", f"run <{i}> & co", "--svg", svg).returncode == 0
            xml.dom.minidom.parse(svg)
    out = run(LOAD, "plot", *paths, "-o", svg)
    assert out.returncode == 0, out.stderr
    lines = xml.dom.minidom.parse(svg).getElementsByTagName("polyline")
    assert len(lines) == 2 * (2 + 3), len(lines)
    assert all(len(x.getAttribute("points")) > 50 for x in lines[:4])
    for bad, why in (("/no/such.json", "No such file"), (LOAD, "not JSON"), ("/dev/null", "not JSON")):
        out = run(LOAD, "plot", bad, "-o", svg)
        assert out.returncode == 2 and why in out.stderr, out.stderr
    out = run(LOAD, "plot", *paths, "-o", "/dev/full")
    assert out.returncode != 0 and "No space left" in out.stderr, out.stderr


JAR = "/usr/share/java/hdrhistogram.jar"


class Java:
    """HdrHistogram's own implementation (HdrPeer.java), compiled once."""
    ready = False

    @classmethod
    def command(cls, *args):
        return ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{DIR}:{JAR}", *args]

    @classmethod
    def run(cls, *args, **more):
        missing = [p for p in ("java", "ecj") if not shutil.which(p)] + [JAR] * (not os.path.exists(JAR))
        if missing:
            why = f"{', '.join(missing)} missing: tests/packages test installs it"
            if os.environ.get("CI"):
                raise AssertionError(why)
            raise Skip(why)
        if not cls.ready:
            source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "HdrPeer.java")
            r = run("ecj", "-11", "-proc:none", "-cp", JAR, "-d", DIR, source)
            assert r.returncode == 0, r.stdout + r.stderr
            cls.ready = True
        r = run(*cls.command(*args), **more)
        assert r.returncode == 0, r.stdout + r.stderr
        return r.stdout


def same_bucket(what, ours, theirs, digits=3):
    """Theirs is the upper end of a bucket that ours lies in (ours never exceeds the maximum)."""
    assert ours <= theirs and theirs - ours <= ours / 10 ** digits + 1, f"{what}: {ours} here, {theirs} by HdrHistogram"


def test_java_reads_ours():
    """Every percentile of a run's .hgrm, its log and its JSON, as HdrHistogram's own reader finds them."""
    log, hgrm = os.path.join(DIR, "run.hlog"), os.path.join(DIR, "run.hgrm")
    with Reflector("redis://127.0.0.1:0", "--stall", "30ms/300ms") as ref:
        j, _ = measured(ref.urls[0], "--rate", "8000", "--duration", "2s", "--interval", "200ms", "--log", log, "--hgrm", hgrm)
    points = [line.split() for line in open(hgrm) if re.match(r"^ +[\d.]+ [01]\.\d+ +\d+ +[\d.]+$", line)]
    assert len(points) > 40, len(points)
    n = j["corrected"]["count"]
    # A rank that lies between two samples is rounded up here and to the nearest there: ask for the rank itself.
    ranks = [max(1, -(-int(round(float(p[1]) * 1e9)) * n // 10 ** 9)) for p in points]
    asked = [f"{(r - 0.25) / n * 100:.12f}" for r in ranks]
    names = ("corrected", "uncorrected", "late")
    out = Java.run("HdrPeer", "read", log, *asked, input="".join(j[name]["hdr"] + "\n" for name in names)).splitlines()
    intervals, total, *texts = [line.split() for line in out]
    assert int(intervals[1]) >= 9 and len(texts) == len(names), out
    for what, theirs, ours in [("log", total, j["corrected"])] + list(zip(names, texts, (j[name] for name in names))):
        assert int(theirs[1]) == ours["count"], (what, theirs[1], ours["count"])
        same_bucket(f"{what} max", ours["max"], int(theirs[3]))
        assert abs(float(theirs[4]) - ours["mean"]) <= ours["mean"] / 500 + 1, (what, theirs[4], ours["mean"])
        assert abs(float(theirs[5]) - ours["stddev"]) <= ours["stddev"] / 100 + 2, (what, theirs[5], ours["stddev"])
        if what in ("log", "corrected"):
            for point, value in zip(points, theirs[6:]):
                same_bucket(f"{what} {point[1]}", round(float(point[0]) * 1000), int(value))
    # and the tool that people use
    theirs = Java.run("org.HdrHistogram.HistogramLogProcessor", "-i", log, "-outputValueUnitRatio", "1000")
    assert re.search(rf"Total count += +{n}\]", theirs), theirs[-500:]
    print(f"     {2 * len(points)} percentiles of {n} samples are the same")


def test_ours_reads_java():
    """Logs of HdrHistogram's own writer: 2 to 5 digits, units of 1 and 1000, tags."""
    log, csv = os.path.join(DIR, "java.hlog"), os.path.join(DIR, "java.csv")
    seed = int(time.time())
    expected = [line.split() for line in Java.run("HdrPeer", "write", log, str(seed)).splitlines()]
    assert len(expected) == 60
    for tag in (None, "odd"):
        r = run(LOAD, "log", log, "--csv", csv, *(["--tag", tag] if tag else []))
        assert r.returncode == 0, r.stdout + r.stderr
        rows = [line.strip().split(",") for line in open(csv) if line.startswith("interval,")]
        wanted = [e for e in expected if tag in (None, e[1])]
        assert len(rows) == len(wanted), (len(rows), len(wanted))
        for row, e in zip(rows, wanted):
            assert float(row[1]) == float(e[0]) - float(wanted[0][0]) and row[2] == e[3], (seed, row, e)
            for name, ours, theirs in zip(("p50", "p99", "p99.9", "max"), row[4:8], e[4:8]):
                # a value of another precision counts as the middle of its bucket, in one of ours
                digits = min(3, int(e[2]))
                ours, theirs = int(ours), int(theirs)
                assert abs(ours - theirs) <= theirs / 10 ** digits * 1.1 + 1000, (seed, e, name, ours, theirs)
        total = sum(int(e[3]) for e in wanted)
        assert re.match(rf"{total:,} samples in {len(wanted)} intervals", r.stdout), r.stdout
    print(f"     {len(expected)} histograms, seed {seed}")


def test_log():
    """The log of a generator that was killed in the middle of a run holds what was measured until then."""
    log = os.path.join(DIR, "killed.hlog")
    with Reflector("tcp://127.0.0.1:0") as r:
        p = subprocess.Popen([LOAD, "run", r.urls[0], "--quiet", "--rate", "1000", "--duration", "60s", "--warmup", "0", "--interval",
                              "100ms", "--log", log], stdout=subprocess.DEVNULL)
        time.sleep(1.5)
        p.kill()
        p.wait()
    svg, js = os.path.join(DIR, "killed.svg"), os.path.join(DIR, "killed.json")
    out = run(LOAD, "log", log, "--svg", svg, "--json", js, "--label", "killed")
    assert out.returncode == 0 and int(out.stdout.split()[0].replace(",", "")) > 500, out.stdout + out.stderr
    xml.dom.minidom.parse(svg)
    assert run(LOAD, "plot", js, "-o", svg).returncode == 0
    whole = open(log).read().splitlines()
    for broken, why in (("0.1,0.1\n", "not a line of a HdrHistogram log"), ("0.1,0.1,1.0,HISTFAAAA\n", "histogram cannot be read"),
                        ("\0\xff\n", "not a line"), (whole[-1][:len(whole[-1]) // 2], "cannot be read")):
        with open(log, "w") as f:
            f.write("\n".join(whole[:-1]) + "\n" + broken)
        out = run(LOAD, "log", log)
        assert out.returncode == 1 and why in out.stderr and f":{len(whole)}: " in out.stderr, out.stderr
        assert "p50" in out.stdout, out.stdout
    for args, why in ((["/no/such"], "No such file"), ([DIR], "Is a directory")):
        out = run(LOAD, "log", *args)
        assert out.returncode == 1 and why in out.stderr, out.stderr
    for args, why in (([], "which file"), ([log, "--tag"], "needs a value"), ([log, "--nonsense", "1"], "not known")):
        out = run(LOAD, "log", *args)
        assert out.returncode == 2 and why in out.stderr, out.stderr
