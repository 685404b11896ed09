# SPDX-License-Identifier: Apache-2.0
"""harness - what the system tests share: machines started by `godwit run`, a redis client, test registration."""
import os, shutil, signal, socket, subprocess, sys, threading, time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GODWIT = os.path.join(ROOT, "build", "godwit")
GUEST = os.path.join(ROOT, "build", "programs")
TESTS = []
LISTENS = "the server listens"


class Skip(Exception):
    pass


def test(fn):
    TESTS.append(fn)
    return fn


def need(*programs):
    """The paths of programs, or skip."""
    found = [shutil.which(p, path=os.environ["PATH"] + ":/usr/sbin:/sbin") for p in programs]
    for p, f in zip(programs, found):
        if not f:
            raise Skip(f"{p} is not installed")
    return found if len(found) > 1 else found[0]


def equal(a, b, what=""):
    if a != b:
        raise AssertionError(f"{what}: {a!r} is not {b!r}")


def true(x, what):
    if not x:
        raise AssertionError(what)


def end_process(p, signum=signal.SIGTERM, seconds=15):
    """Ask it to end, and end it if it does not. Whether it did, or had already."""
    if p.poll() is None:
        p.send_signal(signum)
        try:
            p.wait(seconds)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
            return False
    return True


def run(*args, options=(), timeout=60, input=None):
    """`godwit run OPTIONS -- ARGS` to its end: (status, stdout, stderr)."""
    p = subprocess.Popen([GODWIT, "run", *options, "--", *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, cwd=ROOT)
    try:
        out, err = p.communicate(input if input is not None else b"", timeout)
    except subprocess.TimeoutExpired:
        p.send_signal(signal.SIGTERM)
        try:
            out, err = p.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            p.kill()
            out, err = p.communicate()
        raise AssertionError(f"no end after {timeout} s; stdout {out[-500:]!r} stderr {err[-1500:]!r}")
    return p.returncode, out.decode(errors="replace"), err.decode(errors="replace")


def free_port():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
    s.close()
    return port


class Machine:
    """A server in a machine: with Machine([...program...], guest_port=6379) as m: m.port."""

    def __init__(self, program, guest_port, options=(), timeout=60):
        self.port = free_port()
        self.err = []
        self.listens = threading.Event()
        self.p = subprocess.Popen([GODWIT, "run", "-p", f"{self.port}:{guest_port}", "--say", LISTENS, *options, "--", *program], cwd=ROOT,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.reader = threading.Thread(target=self._drain, daemon=True)
        self.reader.start()
        self.timeout = timeout

    def _drain(self):
        for line in self.p.stderr:
            self.err.append(line.decode(errors="replace"))
            if self.err[-1].strip() == LISTENS:
                self.listens.set()

    def __enter__(self):
        return self

    def connect(self, timeout=None):
        """A connection to the server, once it listens: QEMU itself takes connections before, and drops them."""
        end = time.monotonic() + self.timeout
        while not self.listens.wait(0.2) and self.p.poll() is None and time.monotonic() < end:
            pass
        while True:
            if self.p.poll() is not None:
                raise AssertionError(f"the machine ended with {self.p.returncode}: {''.join(self.err)[-2000:]}")
            try:
                s = socket.create_connection(("127.0.0.1", self.port), 5)
                s.settimeout(timeout or self.timeout)
                return s
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def http(self, path, timeout=20):
        """What curl gets from the server; waits until it answers at all."""
        end = time.monotonic() + self.timeout
        while True:
            p = subprocess.run([need("curl"), "-s", "--max-time", str(timeout), f"http://127.0.0.1:{self.port}/{path}"],
                               capture_output=True, timeout=timeout + 40)
            if p.returncode == 0:
                return p.stdout
            if time.monotonic() > end or self.p.poll() is not None:
                raise AssertionError(f"{path}: curl status {p.returncode}, machine {self.p.poll()}: {''.join(self.err)[-2000:]}")
            time.sleep(0.1)

    def redis(self):
        end = time.monotonic() + self.timeout
        while True:
            r = Redis(self.connect())
            try:
                r.s.settimeout(3)
                if r("PING") == "PONG":
                    r.s.settimeout(self.timeout)
                    return r
            except (OSError, EOFError):
                if time.monotonic() > end:
                    raise AssertionError(f"redis does not answer: {''.join(self.err)[-2000:]}")
                time.sleep(0.1)

    def stop(self):
        """Ctrl-C, the summary, the status."""
        true(end_process(self.p, signal.SIGINT), "the machine did not stop on SIGINT")
        return self.p.returncode

    def __exit__(self, kind, *rest):
        if kind:
            end_process(self.p)
            print("".join(self.err)[-3000:], file=sys.stderr)
        else:
            self.stop()


class Redis:
    """A small RESP client, so that every byte of an answer is checked here and not by somebody's library."""

    def __init__(self, sock):
        self.s = sock
        self.f = sock.makefile("rb")

    @staticmethod
    def encode(*args):
        out = b"*%d\r\n" % len(args)
        for a in args:
            a = a if isinstance(a, bytes) else str(a).encode()
            out += b"$%d\r\n%s\r\n" % (len(a), a)
        return out

    def send(self, *args):
        self.s.sendall(self.encode(*args))

    def reply(self):
        line = self.f.readline()
        if not line.endswith(b"\r\n"):
            raise EOFError(f"connection ended in {line!r}")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return RedisError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            n = int(rest)
            if n < 0:
                return None
            data = self.f.read(n + 2)
            if len(data) != n + 2:
                raise EOFError("short bulk")
            return data[:-2]
        if kind == b"*":
            n = int(rest)
            return None if n < 0 else [self.reply() for _ in range(n)]
        raise AssertionError(f"not RESP: {line!r}")

    def __call__(self, *args):
        self.send(*args)
        return self.reply()

    def close(self):
        self.f.close()
        self.s.close()


class RedisError(str):
    pass


def main(only):
    passed = failed = skipped = 0
    for fn in TESTS:
        if only and not any(o in fn.__name__ for o in only):
            continue
        start = time.monotonic()
        try:
            fn()
        except Skip as e:
            skipped += 1
            print(f"skip {fn.__name__}: {e}", flush=True)
        except BaseException as e:
            if isinstance(e, KeyboardInterrupt):
                raise
            failed += 1
            print(f"FAIL {fn.__name__}: {type(e).__name__}: {e}", flush=True)
        else:
            passed += 1
            print(f"ok   {fn.__name__} ({time.monotonic() - start:.1f} s)", flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return failed != 0
