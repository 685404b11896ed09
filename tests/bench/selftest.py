#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""selftest - what `make bench` does around its measurements: the report when parts fail or are skipped, parts of other builds, a page
that is well-formed whatever was measured, the same treatment of both guests, the queue of QEMU's listener. No machine is started."""
import io, json, os, shutil, socket, subprocess, sys, tempfile
import xml.dom.minidom
import bench, guests, page, parts, timed

DIR = tempfile.mkdtemp(prefix="godwit-bench-test-")


def fine():
    return [parts.section("Fine <&>", "how", ["what", "Godwit"], [["a", "1"]], ["a note"],
                          [("bars", "/s", [("group", {"godwit": parts.bar(5, 4, 6), "linux": parts.bar(1), "native": parts.bar(1000)})]),
                           ("zero", "", [("z", {"godwit": parts.bar(0), "linux": parts.bar(0)})])],
                          {"godwit": [[1, 1000], [10, 2e6]], "linux": [], "native": [[1, 0]]})]


def broken():
    raise RuntimeError("cannot <measure>\nthat")


def skipped():
    raise guests.Skip("no tap & co")


def run_bench(*args):
    old, sys.argv = sys.argv, ["bench.py", "--dir", DIR, *args]
    out, sys.stdout = sys.stdout, io.StringIO()
    try:
        status = bench.main()
        return status, sys.stdout.getvalue()
    finally:
        sys.argv, sys.stdout = old, out


def test_report():
    """A part that fails says so, the others go on, and the status is 1; earlier parts stay, unless the build is another."""
    bench.PARTS = {"fine": fine, "broken": broken, "skipped": skipped}
    bench.build_id = lambda: "one"
    status, out = run_bench("--only", "broken,skipped,fine")
    text, svg = (open(os.path.join(DIR, "report." + e)).read() for e in ("md", "svg"))
    assert status == 1 and "| a | 1 |" in out, (status, out)
    for want in ("## Fine <&>", "| a | 1 |", "a note", "## broken: failed", "RuntimeError: cannot <measure>", "## skipped: skipped", "no tap & co"):
        assert want in text, want
    assert "Fine &lt;&amp;&gt;: percentiles" in svg and "cannot &lt;measure&gt;" in svg
    xml.dom.minidom.parseString(svg)
    status, out = run_bench("--only", "fine")
    assert status == 0 and "## broken: failed" in open(os.path.join(DIR, "report.md")).read()
    bench.build_id = lambda: "two"
    assert run_bench("--only", "fine")[0] == 0
    assert "broken" not in open(os.path.join(DIR, "report.md")).read()
    assert set(json.load(open(os.path.join(DIR, "report.json")))["parts"]) == {"fine"}
    try:
        run_bench("--only", "nonsense")
        raise AssertionError("took a part that there is not")
    except SystemExit as e:
        assert e.code == 2


def test_empty_page():
    out = io.StringIO()
    page.page(out, {"machine": "m <1>"}, {})
    xml.dom.minidom.parseString(out.getvalue())


def test_same_treatment():
    """Machine, processor, memory and network of the Linux guest are ours."""
    if not os.path.exists(guests.GODWIT):
        raise guests.Skip("build/godwit is not built")
    net = guests.User()
    words = guests.common(net, "256M")
    for option, part in (("-M", "q35"), ("-accel", "tcg"), ("-cpu", "max"), ("-smp", "1"), ("-m", "262144K"), ("-bios", "qboot"),
                         ("-netdev", f"127.0.0.1:{net.port}-10.0.2.15:6379"), ("-device", "virtio-net-pci")):
        assert option in words and part in words[words.index(option) + 1], (option, part, words)
    assert len([w for w in words if w == "-device"]) == 1, words


def test_backlog():
    """A listener with a queue of one, in another process, lets fifty clients in at once afterwards."""
    child = subprocess.Popen([sys.executable, "-c", "import socket, time\ns = socket.socket()\ns.bind(('127.0.0.1', 0))\ns.listen(0)\n"
                              "print(s.getsockname()[1], flush=True)\ntime.sleep(60)"], stdout=subprocess.PIPE, text=True)
    clients = []
    try:
        port = int(child.stdout.readline())

        def let_in(n):
            for i in range(n):
                try:
                    clients.append(socket.create_connection(("127.0.0.1", port), 0.3))
                except OSError:
                    return i
            return n
        assert not guests.raise_backlog(child.pid, port + 1)
        assert let_in(50) < 10, "the queue was long to begin with"
        if not guests.raise_backlog(child.pid, port):
            raise guests.Skip("pidfd_getfd is not allowed here")
        assert let_in(50) == 50
    finally:
        for c in clients:
            c.close()
        child.kill()
        child.wait()
        child.stdout.close()


def test_arithmetic():
    assert [parts.smallest(lambda m, k=k: m >= k, 1, 32) for k in (2, 7, 31, 32)] == [2, 7, 31, 32]
    try:
        parts.smallest(lambda m: False, 1, 32)
        raise AssertionError("nothing works, and it found a size")
    except RuntimeError:
        pass
    assert timed.spread([3.0, 1.0, 2000.0]) == "3 (1-2,000)" and parts.times(0, 5) == "-" and parts.times(10, 4) == "2.5x"
    assert [page.show(v) for v in (0.0099, 7, 12345, 2042100000, 1.38e6)] == ["0.0099", "7", "12,345", "2,042 M", "1.38 M"]


passed = failed = skips = 0
for name, fn in list(globals().items()):
    if name.startswith("test_"):
        try:
            fn()
            passed += 1
            print(f"ok   {name[5:]}")
        except guests.Skip as e:
            skips += 1
            print(f"skip {name[5:]}: {e}")
        except Exception as e:
            failed += 1
            print(f"FAIL {name[5:]}: {type(e).__name__}: {e}")
shutil.rmtree(DIR, ignore_errors=True)
print(f"{passed} passed, {failed} failed, {skips} skipped")
sys.exit(failed != 0)
