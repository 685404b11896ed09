# SPDX-License-Identifier: Apache-2.0
"""The machine around the program: standard streams, stopping, ports, networks, sizes, and what is left behind."""
import os, signal, socket, subprocess, threading, time
from harness import GODWIT, GUEST, ROOT, Machine, equal, free_port, need, run, test, true

BAD = os.path.join(GUEST, "bad")
REDIS = ["--save", "", "--protected-mode", "no", "--bind", "0.0.0.0"]


def redis(*options, args=()):
    return Machine([need("redis-server"), *REDIS, *args], 6379, options=options)


def _streams(*options):
    def check():
        data = os.urandom(3 << 20)
        p = subprocess.run([GODWIT, "run", *options, "--", BAD, "cat"], input=data, capture_output=True, timeout=90, cwd=ROOT)
        true((p.returncode, p.stdout) == (0, data), f"{p.returncode}, {len(p.stdout)} bytes: {p.stderr[-300:]}")
    check.__name__ = "streams_3_mb" + "".join(o.replace("-", "_") for o in options)
    return check


test(_streams())
test(_streams("-c", "2"))
test(_streams("--machine", "microvm"))
test(_streams("--dma", "isolated"))


@test
def output_queued_at_exit():
    want = "".join(f"line {i}\n" for i in range(200000))
    status, out, err = run(BAD, "flood")
    true((status, out) == (0, want), f"{status}, {len(out)} of {len(want)}: {err[-300:]}")
    p = subprocess.Popen([GODWIT, "run", "--", BAD, "flood"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=ROOT)
    time.sleep(3)  # a reader that comes late gets all of it
    out = p.communicate(timeout=60)[0].decode()
    true((p.returncode, out) == (0, want), f"slow reader: {p.returncode}, {len(out)} of {len(want)}")


@test
def stop_under_load():
    bench = need("redis-benchmark")
    kinds = ([], ["-c", "2"], ["--machine", "microvm"])
    for i in range(20):
        with redis(*kinds[i % 3]) as m:
            m.redis().close()
            load = subprocess.Popen([bench, "-p", str(m.port), "-t", "ping,set,get", "-q", "-n", "1000000", "-c", "50",
                                     *(["-P", "16"] if i % 2 else [])], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                time.sleep(0.3)
                what = (signal.SIGINT, signal.SIGTERM)[i % 2]
                start = time.monotonic()
                m.p.send_signal(what)
                if i % 4 == 0:
                    time.sleep(0.02)
                    if m.p.poll() is None:
                        m.p.send_signal(what)  # as shells do: to the process, and to its group
                equal(m.p.wait(20), 0, f"run {i}: {''.join(m.err)[-500:]}")
                true(time.monotonic() - start < 4, f"run {i} took {time.monotonic() - start:.1f} s")
            finally:
                load.kill()
                load.wait()


@test
def many_connect_at_once():
    need("redis-server")
    with redis() as m:
        m.redis().close()
        socks = [socket.socket() for _ in range(300)]
        start = time.monotonic()
        for s in socks:
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", m.port))
        for s in socks:
            s.settimeout(10)
            s.sendall(b"PING\r\n") if not s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) else None
        for s in socks:
            equal(s.recv(16), b"+PONG\r\n")
        took = time.monotonic() - start
        true(took < 3, f"300 clients took {took:.1f} s: lost SYNs?")
        for s in socks:
            s.close()


@test
def listening_is_said():
    port = free_port()
    p = subprocess.Popen([GODWIT, "run", "-v", "-p", f"{port}:6379", "--say", "NOW", "--", need("redis-server"), *REDIS], cwd=ROOT,
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    seen = ""
    for line in p.stderr:
        seen += line
        if line == "NOW\n":
            break
    with socket.create_connection(("127.0.0.1", port), 5) as s:
        s.settimeout(10)
        s.sendall(b"PING\r\n")
        equal(s.recv(16), b"+PONG\r\n", "it serves when the line comes")
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=20)
    true(f"serving 127.0.0.1:{port} -> guest tcp port 6379" in seen, seen)
    true(p.returncode == 0, f"status {p.returncode}")


@test
def little_memory():
    """At every size: it serves, or ends with a clear message; never a hang, never silence."""
    server = need("redis-server")
    for size in range(3, 9):
        port = free_port()
        p = subprocess.Popen([GODWIT, "run", "-m", f"{size}M", "-p", f"{port}:6379", "--", server, *REDIS], cwd=ROOT,
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        answer, end = b"", time.monotonic() + 30
        while p.poll() is None and answer != b"+PONG\r\n":
            if time.monotonic() > end:
                p.kill()
                p.communicate()
                raise AssertionError(f"-m {size}M: neither serves nor ends")
            try:
                with socket.create_connection(("127.0.0.1", port), 1) as s:
                    s.settimeout(2)
                    s.sendall(b"PING\r\n")
                    answer = s.recv(16)
            except OSError:
                pass
            time.sleep(0.05)
        if p.poll() is None:
            p.send_signal(signal.SIGINT)
        err = p.communicate(timeout=20)[1]
        if answer == b"+PONG\r\n":
            true(size >= 6, "so little serves?")
        else:
            true(p.returncode > 0 and "-m" in err and ("memory" in err or "too little" in err), f"-m {size}M: {p.returncode} {err!r}")


@test
def large_memory():
    status, out, err = run(BAD, "echo", "large", options=["-m", "8G"])
    if status != 0 and "memory" in err:
        status, out, err = run(BAD, "echo", "large", options=["-m", "4G"])
    equal((status, out), (0, "large\n"), err)


@test
def four_vcores():
    equal(run(BAD, "cpus", options=["-c", "4"])[:2], (0, "4\n"))
    with redis("-c", "4", args=["--io-threads", "4"]) as m:
        r = m.redis()
        for i in range(200):
            equal(r("SET", f"k{i}", str(i)), "OK")
        equal(r("DBSIZE"), 200)


@test
def redis_on_microvm():
    with redis("--machine", "microvm") as m:
        r = m.redis()
        equal(r("SET", "a", "x" * 100000), "OK")
        equal(r("GET", "a"), b"x" * 100000)


@test
def redis_with_dhcp():
    with redis("--addr", "dhcp") as m:
        equal(m.redis()("ECHO", "hello"), b"hello")


@test
def no_network():
    status, out, err = run(need("busybox"), "wget", "-T", "2", "-O", "-", "http://10.0.2.2/", options=["--net", "none"])
    true(status != 0, "there is no way out")
    status, out, err = run(need("busybox"), "ifconfig", "-a", options=["--net", "none"])
    true(status == 0 and "lo" in out and "eth0" not in out, f"only lo: {status} {out} {err}")


def _udp(*options):
    def check():
        port = free_port()
        p = subprocess.Popen([GODWIT, "run", "-p", f"{port}:7/udp", "--say", "NOW", *options, "--", BAD, "udp", "7"], cwd=ROOT,
                             stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in p.stderr:
            if line == "NOW\n":
                break
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(5)
            s.connect(("127.0.0.1", port))
            for i in range(200):
                data = os.urandom(1 + i * 37 % 1400) + b"!"
                s.send(data)
                equal(s.recv(2000), data, f"datagram {i}")
            s.send(b"quit")
        equal(p.wait(20), 0)
        p.stderr.close()
    check.__name__ = "udp" + "".join(o.replace("-", "_") for o in options)
    return check


test(_udp())
test(_udp("--machine", "microvm"))
test(_udp("-c", "2"))


@test
def computing_beside_a_server():
    """One vcore, one thread that computes for ever, one that answers: packets interrupt the first."""
    port = free_port()
    p = subprocess.Popen([GODWIT, "run", "-p", f"{port}:7/udp", "--say", "NOW", "--", BAD, "udp", "7", "0"], cwd=ROOT,
                         stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for line in p.stderr:
        if line == "NOW\n":
            break
    times = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        s.connect(("127.0.0.1", port))
        for i in range(200):
            start = time.monotonic()
            s.send(b"%d" % i)
            equal(s.recv(100), b"%d" % i)
            times.append(time.monotonic() - start)
            time.sleep(0.003)
        s.send(b"quit")
    equal(p.wait(20), 0)
    p.stderr.close()
    times.sort()
    true(times[50] < 0.003, f"a quarter of the answers within {times[50] * 1000:.1f} ms: they wait for the tick")


def _left():
    """Names in the places where something could stay behind, and machines whose tool is gone."""
    found = {os.path.join(d, n) for d in ("/tmp", "/dev/shm", "/var/tmp") for n in os.listdir(d) if "godwit" in n or "qemu" in n}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = open(f"/proc/{pid}/cmdline").read()
            if "virtserialport" in line and os.path.join(ROOT, "build", "kernel.elf") in line:
                found.add(pid)
        except OSError:
            pass
    return found


@test
def nothing_is_left():
    before = _left()
    equal(run(BAD, "echo", "x")[0], 0)
    equal(_left() - before, set(), "after a run")
    p = subprocess.Popen([GODWIT, "run", "--", BAD, "sleep"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=ROOT)
    equal(p.stdout.readline(), b"sleeping\n")
    true(_left() - before, "the machine is seen")
    p.kill()
    p.wait()
    p.stdout.close()
    end = time.monotonic() + 10
    while _left() - before and time.monotonic() < end:
        time.sleep(0.1)
    equal(_left() - before, set(), "after the tool was killed")


@test
def known_refusals_are_quiet():
    err = run("/bin/true", options=["--summary"])[2]
    true("unimplemented syscalls     none" in err, err)
