# SPDX-License-Identifier: Apache-2.0
"""common - what the tests of the load generator share: runs, servers, tests that depend on time, the count at the end."""
import json, os, re, shutil, socket, subprocess, sys, tempfile, time

LOAD = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build/godwit-load")
DIR = tempfile.mkdtemp(prefix="godwit-load-test-")


class Skip(Exception):
    pass


def run(*args, timeout=60, **more):
    return subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=timeout, **more)


def load(*args, timeout=60):
    return run(LOAD, "run", "--quiet", *args, timeout=timeout)


def measured(*args, status=0):
    """A run's JSON, after checking its status (one, or several that are right)."""
    path = os.path.join(DIR, "run.json")
    if os.path.exists(path):
        os.unlink(path)
    r = load(*args, "--json", path)
    assert r.returncode in (status if isinstance(status, tuple) else (status,)), f"status {r.returncode}: {r.stdout}{r.stderr}"
    return json.load(open(path)), r


class Reflector:
    def __init__(self, *urls_and_options):
        self.p = subprocess.Popen([LOAD, "reflector", *urls_and_options], stdout=subprocess.PIPE, text=True)
        self.urls = [self.p.stdout.readline().split()[-1] for u in urls_and_options if "://" in u]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.p.terminate()
        self.p.wait(10)
        self.p.stdout.close()


class Redis:
    def __enter__(self):
        if not shutil.which("redis-server"):
            raise Skip("redis-server is not installed")
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.p = subprocess.Popen(["redis-server", "--port", str(self.port), "--save", "", "--dir", DIR],
                                  stdout=subprocess.DEVNULL)
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        return f"redis://127.0.0.1:{self.port}"

    def __exit__(self, *_):
        self.p.terminate()
        self.p.wait(10)


def attempts(check, n=4):
    """For what depends on time: check returns None, or why not."""
    for i in range(n):
        why = check()
        if why is None:
            return
        if i + 1 < n:
            print(f"     again: {why}", flush=True)
    raise AssertionError(why)


def ms(ns):
    return f"{ns / 1e6:.2f} ms"


def bad(pattern, *args, status=2):
    r = load(*args, timeout=30)
    text = r.stdout + r.stderr
    assert r.returncode == status and re.search(pattern, text), \
        f"{args}: status {r.returncode} (wanted {status}), wanted /{pattern}/ in:\n{text}"
    return r


def main(tests, only):
    """Runs those whose name contains one of only (or all); returns the exit status."""
    passed = failed = skipped = 0
    for name, test in tests:
        if only and not any(o in name for o in only):
            continue
        start = time.time()
        try:
            test()
            passed += 1
            print(f"ok   {name[5:]} ({time.time() - start:.1f} s)", flush=True)
        except Skip as why:
            skipped += 1
            print(f"skip {name[5:]}: {why}", flush=True)
        except (AssertionError, subprocess.TimeoutExpired, OSError, ValueError, KeyError, AttributeError, TypeError) as e:
            failed += 1
            print(f"FAIL {name[5:]}: {type(e).__name__}: {e}", flush=True)
    shutil.rmtree(DIR, ignore_errors=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return failed != 0
