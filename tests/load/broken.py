# SPDX-License-Identifier: Apache-2.0
"""broken - bad input: options, traces, servers that refuse, close, lie or die, full disks, interrupts. Each gives a clear message and
a status, and what was measured until then is kept."""
import json, os, re, signal, socket, subprocess, threading, time
from common import DIR, LOAD, Reflector, bad, measured, run


def test_sweep_that_breaks():
    """What was measured until the server died, or though the disk is full, is there."""
    csv = os.path.join(DIR, "broken.csv")
    options = ("--slo", "p50<1s", "--rate", "100", "--duration", "400ms", "--warmup", "0", "--connect-timeout", "300ms", "--timeout", "300ms")
    with Reflector("redis://127.0.0.1:0") as r:
        threading.Timer(2, r.p.kill).start()
        out = run(LOAD, "sweep", r.urls[0], *options, "--csv", csv)
        assert out.returncode == 1 and "pass" in out.stdout and "cannot connect" in out.stderr, (out.returncode, out.stdout, out.stderr)
        assert "knee:" in out.stdout and len(open(csv).readlines()) >= 2, out.stdout
    with Reflector("redis://127.0.0.1:0") as r:
        out = run(LOAD, "sweep", r.urls[0], *options, "--max-rate", "100", "--csv", "/dev/full")
        assert out.returncode == 1 and "/dev/full could not be written" in out.stderr and "knee: 100" in out.stdout, out.stderr
        out = run(LOAD, "sweep", r.urls[0], *options, "--csv", "/no/such/folder/x")
        assert out.returncode == 2 and not out.stdout, out.stdout

def test_bad_options():
    url = "tcp://127.0.0.1:9"
    for rate in ("0", "-5", "many", "2e12", "1001M", "inf"):
        bad("--rate .*requests per second above 0", url, "--rate", rate)
    bad("did you mean --rate", url, "--rat", "5")
    bad("did you mean http://", "htp://127.0.0.1/")
    bad("is not a URL", "127.0.0.1:6379")
    bad("a port is needed", "tcp://127.0.0.1")
    bad("which server", "--rate", "5")
    bad("--rate needs a value", url, "--rate")
    bad("--ramp 5:x:1: FROM:TO:SECONDS", url, "--ramp", "5:x:1")
    bad("exclude each other", url, "--ramp", "5:6:1", "--rate", "5")
    bad("--mix is not for tcp", url, "--mix", "get")
    bad("each thread needs one", url, "--threads", "4", "--connections", "3")
    bad("--duration 0: a time", url, "--duration", "0")
    bad("No such file", url, "--json", "/no/such/folder/x")
    trace = os.path.join(DIR, "broken")
    for content, why in (("1\n0.5\n", ":2: the time goes back"), ("1\n2\nsoon\n", ":3: 'soon' is not a time"),
                         ("", "no times"), ("1\n-2\n", ":2: '-2' is not a time"), ("0\0005\n", ":1: '0[?]5' is not a time"),
                         ("\x1b[31m\n", ":1: '[?].31m' is not a time"), ("99999999999\n", ":1: .* is not a time")):
        open(trace, "w").write(content)
        bad(why, url, "--trace", trace)
    bad("No such file", url, "--trace", "/no/such")
    bad("Is a directory", url, "--trace", DIR)
    out = run(LOAD, "rnu")
    assert out.returncode == 2 and "did you mean run" in out.stderr
    for command in ([], ["run"], ["sweep"], ["reflector"], ["plot"], ["log"], ["floor"]):
        out = run(LOAD, *command, "--help")
        assert out.returncode == 0 and "godwit-load" in out.stdout and not out.stderr


def test_bad_servers():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        closed = s.getsockname()[1]
    bad("cannot connect to 127.0.0.1 port .*: Connection refused", f"redis://127.0.0.1:{closed}", status=1)
    bad("cannot connect|Network is unreachable|timed out", "tcp://192.0.2.1:80", "--connect-timeout", "300ms", status=1)
    bad("no.such.host.invalid: ", "tcp://no.such.host.invalid:80", status=1)
    quick = ("--rate", "500", "--duration", "1s", "--warmup", "0", "--timeout", "200ms", "--drain", "300ms")
    for scheme in ("redis", "http", "tcp"):
        for fault, pattern in (("close", "closed: .*the server closed"), ("half", "closed: .*the server closed"),
                               ("garbage", "garbage: "), ("silent", "timeout: .*no answer in time")):
            with Reflector(f"{scheme}://127.0.0.1:0", "--fault", fault) as r:
                out = bad(pattern, r.urls[0], *quick, status=1)
                assert re.search(r"not one request was answered|[1-9][\d,]* due", out.stdout), out.stdout
    with Reflector("udp://127.0.0.1:0", "--fault", "silent") as r:
        bad("timeout: ", r.urls[0], *quick, status=1)
    with Reflector("udp://127.0.0.1:0", "--fault", "garbage") as r:
        bad("strays|late or twice|timeout|wrong", r.urls[0], *quick, status=1)


def test_server_dies():
    """What was measured until then is kept."""
    with Reflector("redis://127.0.0.1:0") as r:
        threading.Timer(1.5, r.p.kill).start()
        j, out = measured(r.urls[0], "--rate", "1000", "--duration", "8s", "--warmup", "0", "--connect-timeout", "500ms",
                          status=1)
        assert "no connection can be made any more" in j["stopped"], j["stopped"]
        assert j["answered"] > 300 and j["measured_s"] < 6, (j["answered"], j["measured_s"])
        assert "STOPPED" in out.stdout and "p50" in out.stdout


def test_full_disk():
    with Reflector("tcp://127.0.0.1:0") as r:
        quick = (r.urls[0], "--rate", "1000", "--duration", "500ms", "--warmup", "0")
        for option in ("--json", "--csv", "--hgrm", "--log", "--svg"):
            kept = os.path.join(DIR, "kept.csv" if option != "--csv" else "kept.json")
            out = bad("/dev/full could not be written: No space left", *quick, option, "/dev/full",
                      "--csv" if option != "--csv" else "--json", kept, status=1)
            assert "p50" in out.stdout and os.path.getsize(kept) > 200
        with open("/dev/full", "w") as full:
            out = subprocess.run([LOAD, "run", "--quiet", *quick], stdout=full, stderr=subprocess.PIPE, text=True,
                                 timeout=30)
        assert out.returncode == 1 and "standard output could not be written" in out.stderr, out.stderr


def test_interrupt():
    path = os.path.join(DIR, "interrupted.json")
    with Reflector("tcp://127.0.0.1:0") as r:
        p = subprocess.Popen([LOAD, "run", r.urls[0], "--rate", "1000", "--duration", "60s", "--warmup", "0", "--json",
                              path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(2.5)
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=10)
    j = json.load(open(path))
    assert p.returncode == 0 and "interrupted" in out, (p.returncode, out, err)
    assert j["interrupted"] and 1.5 < j["measured_s"] < 5 and j["answered"] > 500, j["measured_s"]
    assert "not known: it takes" in out  # it has too few samples for its tail, and says so
    assert len(re.findall(r"^ +\d+ s  sent", err, re.M)) >= 2, err  # a line a second
