# SPDX-License-Identifier: Apache-2.0
"""guests - redis to measure, three times: in a Godwit machine, in a Linux guest (linux-guest builds it), and native, a plain
process of this machine. All three are reached over the same network, by the same client. What the two guests' QEMU commands
have in common is taken from ours (`godwit run --print-qemu`), so that neither is favoured: machine, firmware, processor, memory, network."""
import contextlib, ctypes, os, shlex, shutil, socket, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.append(os.path.join(ROOT, "tests", "system"))
from harness import end_process

BUILD = os.path.join(ROOT, "build")
GODWIT = os.path.join(BUILD, "godwit")
WORK = os.path.join(BUILD, "bench")
KINDS = ("godwit", "linux", "native")
NAMES = {"godwit": "Godwit", "linux": "Linux guest", "native": "native"}
GUEST_ADDR, HOST_ADDR = "10.0.2.15", "10.0.2.2"
REQUESTS = [("PING", b"PING\r\n"), ("SET", b"SET key:000000000001 xxx\r\n"), ("GET", b"GET key:000000000001\r\n")]
REDIS = ["redis-server", "--save", "", "--appendonly", "no", "--protected-mode", "no", "--bind", "0.0.0.0"]
SYS_PIDFD_GETFD = 438
BACKLOG = 4096  # as tools/godwit/backlog.c


class Skip(Exception):
    """This part cannot be measured here, and why."""


def say(text):
    """Progress, on standard error."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def reply(s):
    data = b""
    while not data.endswith(b"\r\n"):
        chunk = s.recv(65536)
        if not chunk:
            raise EOFError
        data += chunk
    return data


def raise_backlog(pid, port):
    """QEMU's user network listens with a queue of one, so that a second client's connection waits for seconds. `godwit run`
    lengthens it for its own machines; this does the same to the other guest's. Returns whether it could."""
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = os.pidfd_open(pid)
    done = False
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                if not os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:"):
                    continue
                fd = libc.syscall(SYS_PIDFD_GETFD, pidfd, int(name), 0)
                if fd < 0:
                    continue
                with socket.socket(fileno=fd) as s:
                    if s.family == socket.AF_INET and s.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) \
                            and s.getsockname()[1] == port:
                        s.listen(BACKLOG)
                        done = True
    finally:
        os.close(pidfd)
    return done


class User:
    """QEMU's user network: the server's port is one of this machine's loopback."""
    name = "user networking"

    def __init__(self):
        self.host, self.port = "127.0.0.1", free_port()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def inside(self):
        return contextlib.nullcontext()

    def command(self, words):
        return words

    def godwit(self):
        return ["-p", f"{self.port}:6379"]

    def native(self, words):
        return [*words, "--port", str(self.port)]


class Tap(User):
    """A network namespace with a bridge; the guest is on it by a tap, the native server by a veth pair from a second namespace;
    the client runs in the first. Nothing of the machine's own network is touched."""
    name = "tap and bridge"

    def __init__(self):
        import harness, netlab
        try:
            self.ns, self.far = netlab.Namespace(), netlab.Namespace()
            self.host, self.port = GUEST_ADDR, 6379
            self.ns.ip("link", "add", "br0", "type", "bridge")
            self.ns.up("br0", HOST_ADDR + "/24")
            self.ns.tap("t0")
            self.ns.ip("link", "set", "t0", "master", "br0")
        except harness.Skip as e:
            raise Skip(str(e))

    def __exit__(self, *_):
        self.ns.__exit__()
        self.far.__exit__()

    def inside(self):
        return self.ns.inside()

    def command(self, words):
        return self.ns.command(*words)

    def godwit(self):
        return ["--net", "tap=t0", "--addr", f"{GUEST_ADDR}/24,gw={HOST_ADDR}"]

    def native(self, words):
        if "v0" not in self.ns.ip("link", "show").stdout:
            self.ns.ip("link", "add", "v0", "type", "veth", "peer", "name", "eth0", "netns", self.far.name)
            self.ns.ip("link", "set", "v0", "master", "br0")
            self.ns.up("v0")
            self.far.up("eth0", GUEST_ADDR + "/24")
        return ["ip", "netns", "exec", self.far.name, *words]


def godwit(net, memory="256M", extra="", program=REDIS, options=(), tool=GODWIT):
    more = ["--qemu-args", extra] if extra else []
    return net.command([tool, "run", "--accel", "tcg", "-m", memory, *net.godwit(), *options, *more, "--", *program])


def common(net, memory):
    """Of our QEMU command: machine, processor, memory and network."""
    words = [GODWIT, "run", "--accel", "tcg", "-m", memory, *net.godwit(), "--print-qemu", "--", "/bin/true"]
    p = subprocess.run(net.command(words), capture_output=True, text=True, timeout=60)
    if p.returncode:
        raise RuntimeError("--print-qemu: " + p.stderr.strip())
    for line in p.stderr.splitlines():
        if line.startswith("godwit: the files of this machine are in /tmp/godwit-"):
            shutil.rmtree(line.split(" are in ")[1].split(";")[0])
    command, out = shlex.split(p.stdout.replace("\\\n", " ")), ["-nodefaults", "-no-user-config"]
    for option, value in zip(command, command[1:]):
        if option in ("-M", "-accel", "-cpu", "-bios", "-smp", "-m", "-netdev") or (option == "-device" and "virtio-net" in value):
            out += [option, value]
    return out


def linux_files():
    out = os.path.join(WORK, "linux-redis")
    if not os.path.exists(os.path.join(out, "initrd.gz")):
        say("building the Linux guest from Debian's packages")
        p = subprocess.run([os.path.join(HERE, "linux-guest"), "redis", out], capture_output=True, text=True)
        if p.returncode:
            raise RuntimeError("linux-guest: " + p.stderr.strip()[-500:])
    return out


def linux(net, memory="256M", extra=""):
    out = linux_files()
    return net.command(["qemu-system-x86_64", *common(net, memory), "-display", "none", "-no-reboot", "-serial", "null", "-kernel",
                        f"{out}/vmlinuz", "-initrd", f"{out}/initrd.gz", "-append", "console=ttyS0 quiet panic=-1 rdinit=/init",
                        *shlex.split(extra)])


def native(net, memory=None, extra=""):
    """extra: a command that runs it, as `qemu-x86_64 -plugin ...`."""
    return net.native([*shlex.split(extra), shutil.which(REDIS[0]) or REDIS[0], *REDIS[1:]])


MAKE = {"godwit": godwit, "linux": linux, "native": native}


class Server:
    """A started command that serves redis at net's address. self.s: a connection; self.first: seconds to its first reply."""

    def __init__(self, command, net, limit=120):
        self.net = net
        self.log = tempfile.TemporaryFile()
        start = time.monotonic()
        self.p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        while True:
            if self.p.poll() is not None or time.monotonic() - start > limit:
                self.stop()
                self.log.seek(0)
                raise RuntimeError(f"{os.path.basename(command[0])}: no reply from redis: " + self.log.read().decode(errors="replace")[-1500:])
            try:
                with net.inside():
                    self.s = socket.create_connection((net.host, net.port), 1)
                self.s.settimeout(1)
                self.s.sendall(REQUESTS[0][1])
                reply(self.s)
                break
            except (OSError, EOFError):
                time.sleep(0.005)
        self.first = time.monotonic() - start
        self.s.settimeout(30)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        end_process(self.p)


def start(kind, net, **more):
    """One of KINDS, ready for clients."""
    server = Server(MAKE[kind](net, **more), net)
    if kind == "linux" and not isinstance(net, Tap) and not raise_backlog(server.p.pid, net.port):
        say("the Linux guest's port keeps a queue of one (pidfd_getfd is not allowed): its connections may stall")
    return server
