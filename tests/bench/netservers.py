# SPDX-License-Identifier: Apache-2.0
"""netservers - what `make bench-net` measures: servers in a namespace of their own, on a veth pair or a tap, their clients on the other
side, and the processor time that they took. Names carry this process's number, and all of it goes away with the `with` block."""
import contextlib, json, os, re, shutil, socket, subprocess, sys, tempfile, time
from guests import BUILD, GODWIT, ROOT, Skip
sys.path.insert(0, os.path.join(ROOT, "tests", "system"))
from harness import Skip as LabSkip  # noqa: E402
from netlab import SYSTEM_PATH, Child, Namespace, sh  # noqa: E402

LOAD = os.path.join(BUILD, "godwit-load")
PROGRAMS = os.path.join(BUILD, "programs")
APPS = os.path.join(BUILD, "apps")
SERVER, CLIENT = "10.8.0.1", "10.8.0.2"
HELLO = "Hello, World!"


def cores():
    """(servers' cores, clients'): servers begin with the last, clients with the first."""
    all_cores = sorted(os.sched_getaffinity(0))
    return all_cores[::-1], all_cores


def which(name):
    return shutil.which(name, path=SYSTEM_PATH)


class Net:
    """Server 10.8.0.1 in `here`, clients 10.8.0.2 in `there`: a veth pair, or (`tap`) the server's own stack on a tap of theirs.

    apart: (veth) what arrives at a side is received there by a thread of the kernel's on that side's core (threaded NAPI), not in the interrupt that the
    sender's call raises on the sender's core: as with two machines and a wire. `receivers` are then the server's threads of that kind."""

    def __init__(self, tap=False, queues=1, apart=False, where=()):
        self.tap, self.queues, self.apart, self.where, self.receivers = tap, queues, apart and not tap, where, []

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        try:
            self.there = self.stack.enter_context(Namespace())
            if self.tap:
                self.here = self.there
                self.there.tap("t0", f"{CLIENT}/24", self.queues)
                return self
            self.here = self.stack.enter_context(Namespace())
            queues = [w for k in ("numtxqueues", "numrxqueues") for w in (k, str(self.queues))]
            sh("ip", "-n", self.here.name, "link", "add", "v0", *queues, "type", "veth", "peer", "name", "v1", *queues, "netns", self.there.name)
            self.here.up("v0", f"{SERVER}/24")
            self.there.up("v1", f"{CLIENT}/24")
            if self.apart:
                self.receivers = self.receive_apart(self.here, "v0", self.where or cores()[0][:1])
                self.receive_apart(self.there, "v1", cores()[1][:1])
            return self
        except LabSkip as e:
            self.stack.close()
            raise Skip(str(e)) from e
        except AssertionError as e:
            self.stack.close()
            raise Skip(f"no veth: {e}") from e

    def __exit__(self, *_):
        self.stack.close()

    def receive_apart(self, ns, dev, where):
        """The kernel's threads for it. veth takes this way for senders that do not leave segmentation to the receiver."""
        before = set(kernel_threads(f"napi/{dev}-"))
        ns.run("sh", "-c", f"ethtool -K {dev} gro on tso off && echo 1 > /sys/class/net/{dev}/threaded")
        mine = [p for p in kernel_threads(f"napi/{dev}-") if p not in before]
        for p in mine:
            os.sched_setaffinity(p, where)
        if not mine:
            raise Skip(f"this kernel has no threaded NAPI for veth ({dev})")
        return mine

    def client(self, words, core=None, **more):
        pin = ["taskset", "-c", str(cores()[1][0] if core is None else core)]
        return subprocess.run(self.there.command(*pin, *words), cwd=ROOT, capture_output=True, text=True, **more)


def kernel_threads(prefix):
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/comm") as f:
                if f.read().startswith(prefix):
                    yield int(name)


def tree(pid):
    """A process and its descendants."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat") as f:
                parents.setdefault(int(f.read().rsplit(")", 1)[1].split()[1]), []).append(int(name))
    found, i = [pid], 0
    while i < len(found):
        found += parents.get(found[i], [])
        i += 1
    return found


def cpu_ns(pid):
    """Nanoseconds on a processor, user and system, of all threads of a process and its descendants (schedstat)."""
    total = 0
    for p in tree(pid):
        with contextlib.suppress(OSError):
            for t in os.listdir(f"/proc/{p}/task"):
                with contextlib.suppress(OSError), open(f"/proc/{p}/task/{t}/schedstat") as f:
                    total += int(f.read().split()[0])
    return total


def server_ns(net, p):
    """The server's, with the threads that receive for it (Net, apart)."""
    return cpu_ns(p.pid) + sum(cpu_ns(r) for r in net.receivers)


class Contender:
    """A server: its name in the report, its network, and the command for a list of cores. polls: it never sleeps."""

    def __init__(self, name, command, tap=False, needs=(), polls=False):
        self.name, self.command, self.tap, self.needs, self.polls = name, command, tap, needs, polls

    def missing(self):
        return next((n for n in self.needs if not (which(n) or os.path.exists(n))), None)

    @contextlib.contextmanager
    def serve(self, port, where=None, queues=1, apart=False):
        """Running and answering, in a network of its own: (network, process)."""
        where = where or [cores()[0][0]]
        with Net(self.tap, queues, apart, where) as net, tempfile.TemporaryDirectory() as folder:
            words = self.command(",".join(map(str, where)), folder)
            env = dict(os.environ, PATH=SYSTEM_PATH)
            p = subprocess.Popen(net.here.command("taskset", "-c", ",".join(map(str, where)), *words), cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            with Child(p) as child:
                wait_for(net, port, child)
                yield net, p


def wait_for(net, port, child):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if child.p.poll() is not None:
            child.reader.join(2)
            raise RuntimeError(f"the server ended: {''.join(child.err)[-600:]}")
        with contextlib.suppress(OSError), net.there.inside():
            with socket.create_connection((SERVER, port), 0.5):
                return
        time.sleep(0.05)
    raise RuntimeError(f"nobody answers: {''.join(child.err)[-600:]}")


def hosted(program, *args, net, options=()):
    """The command of a native program as a process: net afxdp or tap."""
    how = ["--net", "afxdp=v0", "--trust-checksums"] if net == "afxdp" else ["--net", "tap=t0", "--addr", f"{SERVER}/24,gw={CLIENT}"]
    return lambda where, folder: [GODWIT, "host", "--cores", where, *how, *options, "--", os.path.join(APPS, program), *args]


def kernel(name, mode, port, *more):
    return lambda where, folder: [os.path.join(PROGRAMS, name), mode, str(port), where, *more]


def nginx(where, folder):
    path = os.path.join(folder, "nginx.conf")
    with open(path, "w") as f:
        f.write(f"worker_processes {where.count(',') + 1}; daemon off; pid {folder}/pid; error_log {folder}/error; user root;\n"
                "events { worker_connections 4096; }\n"
                "http { access_log off; keepalive_requests 100000000; default_type text/plain; server { listen 80 reuseport; tcp_nodelay on;\n"
                f"location / {{ return 200 '{HELLO}'; }} }} }}\n")
    return [which("nginx"), "-c", path, "-e", f"{folder}/error"]


def haproxy(where, folder):
    path = os.path.join(folder, "haproxy.cfg")
    with open(path, "w") as f:
        f.write(f"global\n  nbthread {where.count(',') + 1}\n  maxconn 8192\ndefaults\n  mode http\n  timeout client 60s\n  timeout http-keep-alive 60s\n"
                f"frontend all\n  bind :80\n  http-request return status 200 content-type text/plain string \"{HELLO}\"\n")
    return [which("haproxy"), "-f", path, "-db"]


def h2o(where, folder):
    """h2o has no answer from its configuration: a file, which it keeps open."""
    path = os.path.join(folder, "h2o.conf")
    os.mkdir(os.path.join(folder, "www"))
    with open(os.path.join(folder, "www", "plaintext"), "w") as f:
        f.write(HELLO)
    with open(path, "w") as f:
        f.write(f"num-threads: {where.count(',') + 1}\nuser: root\nlisten: 80\nhttp1-request-timeout: 3600\nhosts:\n  default:\n    paths:\n      /:\n"
                f"        file.dir: {folder}/www\n        file.mime.setdefaulttype: text/plain\n")
    return [which("h2o"), "-m", "worker", "-c", path]


def body_of(net, path):
    """What an HTTP server answers: (bytes in all, the body)."""
    with net.there.inside(), socket.create_connection((SERVER, 80), 2) as s:
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        got = b""
        while b"\r\n\r\n" not in got or len(got) < got.index(b"\r\n\r\n") + 4 + int(re.search(rb"(?i)content-length: *(\d+)", got)[1]):
            more = s.recv(4096)
            if not more:
                raise RuntimeError(f"{path}: the connection ended after {got[-200:]}")
            got += more
    return len(got), got.split(b"\r\n\r\n", 1)[1].decode()


def load(net, url, rate, seconds, connections=20, pipeline=1, poll="sleep"):
    """godwit-load's JSON of a run without warm-up."""
    limit = 30 + 4 * seconds
    words = [LOAD, "run", url, "--rate", str(rate), "--duration", f"{seconds:g}s", "--warmup", "0s", "--connections", str(connections),
             "--pipeline", str(pipeline), "--poll", poll, "--timeout", "5s", "--quiet", "--json", "-"]
    p = net.client(words, timeout=limit)
    at = p.stdout.find("{")
    if p.returncode not in (0, 1) or at < 0:
        raise RuntimeError(f"godwit-load: {p.stdout[-400:]}{p.stderr[-400:]}")
    j = json.loads(p.stdout[at:p.stdout.rindex("}") + 1])
    if j["errors"]["total"]:
        raise RuntimeError(f"godwit-load {url}: {j['errors']}")
    return j


def numbers(p):
    """What net_bulk and rate print."""
    m = re.findall(r"\d+", p.stdout)
    if p.returncode != 0 or not m:
        raise RuntimeError(f"{p.args[-6:]}: status {p.returncode} {p.stdout[-300:]}{p.stderr[-500:]}")
    return [int(x) for x in m]
