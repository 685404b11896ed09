# SPDX-License-Identifier: Apache-2.0
"""netlab - network namespaces, taps and machines on them, for the tests that need a real link. Everything is named after
this process, lives in its own namespaces only, and goes away with the `with` block (or at exit)."""
import atexit, contextlib, ctypes, os, signal, subprocess, sys, threading
from harness import GODWIT, GUEST, ROOT, Skip

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
SYSTEM_PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
LIVE = set()  # namespaces to delete
NUMBERS = iter(range(1000000))
NO_OFFLOADS = " ".join(f"-global virtio-net-pci.{p}=off" for p in ("csum", "guest_csum", "host_tso4", "guest_tso4", "host_tso6", "guest_tso6"))


def sh(*words, check=True):
    p = subprocess.run(words, capture_output=True, text=True, env=dict(os.environ, PATH=SYSTEM_PATH), timeout=20)
    if check and p.returncode:
        raise AssertionError(f"{' '.join(words)}: {p.stderr.strip()}")
    return p


def forget(name):
    if name in LIVE:
        LIVE.discard(name)
        sh("ip", "netns", "del", name, check=False)


atexit.register(lambda: [forget(n) for n in list(LIVE)])
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # `timeout` ends us: the blocks still clean up


class Namespace:
    def __init__(self):
        self.name = f"gw{os.getpid()}n{next(NUMBERS)}"
        if os.geteuid() != 0:
            raise Skip("network namespaces need root")
        if not os.path.exists("/dev/net/tun"):
            raise Skip("/dev/net/tun is missing")
        p = sh("ip", "netns", "add", self.name, check=False)
        if p.returncode:
            raise Skip(f"no network namespace: {p.stderr.strip()}")
        LIVE.add(self.name)
        self.ip("link", "set", "lo", "up")
        self.run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6", check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        forget(self.name)

    def ip(self, *words):
        return sh("ip", "-n", self.name, *words)

    def command(self, *words):
        return ["ip", "netns", "exec", self.name, *words]

    def run(self, *words, check=True):
        return sh(*self.command(*words), check=check)

    def popen(self, *words, **more):
        return subprocess.Popen(self.command(*words), cwd=ROOT, env=dict(os.environ, PATH=SYSTEM_PATH), **more)

    def tap(self, name, addr=None, queues=1):
        mq = ["multi_queue"] if queues > 1 else []
        p = sh("ip", "-n", self.name, "tuntap", "add", "dev", name, "mode", "tap", *mq, check=False)
        if p.returncode:
            raise Skip(f"no tap: {p.stderr.strip()}")
        self.up(name, addr)

    def up(self, name, addr=None):
        if addr:
            self.ip("addr", "add", addr, "dev", name)
        self.ip("link", "set", name, "up")

    @contextlib.contextmanager
    def inside(self):
        """This thread in the namespace: a socket made here stays there."""
        with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{self.name}") as there:
            if LIBC.setns(there.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            try:
                yield
            finally:
                if LIBC.setns(home.fileno(), CLONE_NEWNET):
                    os._exit(70)  # this thread would go on in the wrong network


class Child:
    """A process with its error output kept; ended with the block."""

    def __init__(self, process, how=signal.SIGTERM):
        self.p, self.how, self.err = process, how, []
        self.reader = threading.Thread(target=self._drain, daemon=True)
        self.reader.start()

    def _drain(self):
        for line in self.p.stderr:
            self.err.append(line.decode(errors="replace"))

    def __enter__(self):
        return self

    def stop(self):
        if self.p.poll() is None:
            self.p.send_signal(self.how)
            try:
                self.p.wait(15)
            except subprocess.TimeoutExpired:
                self.p.kill()
                self.p.wait()
        self.reader.join(5)
        return self.p.returncode

    def __exit__(self, kind, *_):
        self.stop()
        if kind and kind is not Skip:
            print("".join(self.err)[-3000:], file=sys.stderr)


class TapMachine(Child):
    """A program in a machine on a tap of the namespace. counters() after the end: what `stat` records said."""

    def __init__(self, ns, tap, addr, program, options=()):
        words = [GODWIT, "run", "--net", f"tap={tap}", "--addr", addr, "--summary", *options, "--", *program]
        super().__init__(ns.popen(*words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE),
                         signal.SIGINT)
        self.ns = ns


class Wire(Child):
    """tests/system/wire.py in a namespace."""

    def __init__(self, ns, a, b, *more):
        super().__init__(ns.popen(sys.executable, "tests/system/wire.py", a, b, *more, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        if not self.p.stdout.readline().startswith(b"ok"):
            raise Skip(f"no wire: {''.join(self.err)[-300:]}")

    def set(self, **settings):
        """Returns frames seen and lost so far."""
        self.p.stdin.write((" ".join(f"{k}={v}" for k, v in settings.items()) or "seed=1").encode() + b"\n")
        self.p.stdin.flush()
        return [int(n) for n in self.p.stdout.readline().split()[1:]]
