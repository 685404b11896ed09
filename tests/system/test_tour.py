# SPDX-License-Identifier: Apache-2.0
"""The README's tour, word for word: each of its commands does what is said beside it."""
import os, re, shlex, signal, socket, subprocess, time
from harness import ROOT, Skip, equal, need, test, true

WANT = {"--help": "godwit run", "/bin/echo hello": "hello\n", "hello.static": "hello, world\n", "--print-qemu": "qemu-system-x86_64",
        "redis-cli": "PONG\n"}


def commands():
    text = open(os.path.join(ROOT, "README.md")).read()
    part = text.split("## A tour in 60 seconds\n")[1].split("\n## ")[0]
    return [line.strip().split("  #")[0].strip() for line in part.split("\n") if line.startswith("    ")]


def ports(line):
    return [int(p) for p in re.findall(r"-p (\d+):", line)]


def answers(port):
    """Something behind QEMU's forwarding answers a line: redis and memcached both do."""
    with socket.create_connection(("127.0.0.1", port), 5) as s:
        s.settimeout(2)
        s.sendall(b"version\r\n")
        return s.recv(100) != b""


def until_it_serves(p, port):
    end = time.monotonic() + 30
    while True:
        true(p.poll() is None, f"the server ended with {p.returncode}")
        try:
            if answers(port):
                return
        except OSError:
            pass
        true(time.monotonic() < end, f"port {port} serves nobody")
        time.sleep(0.1)


@test
def tour():
    need("redis-server", "redis-cli", "memcached")
    lines = commands()
    true(len(lines) >= 7 and lines[0] == "make", lines)
    for port in sum(map(ports, lines), []):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                raise Skip(f"port {port} of this machine is in use")
    server, seen = None, set()

    def stop():
        server.send_signal(signal.SIGINT)
        equal(server.wait(20), 0, "Ctrl-C ends it")

    for line in lines[1:]:
        if ports(line):
            if server:
                stop()
            server = subprocess.Popen(shlex.split(line), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
            until_it_serves(server, ports(line)[0])
            continue
        p = subprocess.run(["sh", "-c", line], cwd=ROOT, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        equal(p.returncode, 0, f"{line}: {p.stderr}")
        for word, want in WANT.items():
            if word in line:
                seen.add(word)
                true(want in p.stdout, f"{line}: {p.stdout!r}")
        if "--print-qemu" in line:
            subprocess.run(["rm", "-rf", p.stderr.split("are in ")[1].split(";")[0]], check=True)
    if server:
        stop()
    equal(seen, set(WANT), "the tour has them all")


@test
def make_run():
    """What `make run` starts: the port is in use, so the next free one; then Ctrl-C and the summary."""
    cli = need("redis-cli")
    need("redis-server")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        p = subprocess.Popen([os.path.join(ROOT, "tools", "run-redis"), str(port)], cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
        seen = ""
        for line in p.stdout:
            seen += line
            if line.startswith("Ready."):
                break
        true(f"127.0.0.1:{port} is in use, trying the next port" in seen, seen)
        connect = re.search(r"Connect with: (redis-cli -p (\d+))", seen)
        true(connect and int(connect[2]) > port and "boot timeline" in seen and "program" in seen, seen)
        equal(subprocess.run([cli, *connect[1].split()[1:], "SET", "a", "b"], capture_output=True, text=True, timeout=20).stdout, "OK\n")
        p.send_signal(signal.SIGINT)
        rest = p.communicate(timeout=20)[0]
    equal(p.returncode, 0, rest)
    for word in ("uptime", "connections", "packets", "kernel entries", "unimplemented syscalls"):
        true(word in rest, f"{word} is not in the summary: {rest}")
