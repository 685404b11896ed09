# SPDX-License-Identifier: Apache-2.0
"""Programs run to their end: every kind of ELF, arguments, streams, status; the conformance programs."""
import os, subprocess
from harness import GUEST, equal, need, run, test, true

KINDS = [("q35", 1), ("q35", 2), ("microvm", 1), ("microvm", 2)]


def guest(name):
    return os.path.join(GUEST, name)


def _hello(machine, vcores):
    def check():
        for name in ("hello.static", "hello.musl", "bad"):
            args = [guest(name)] + (["echo", "hello,", "world"] if name == "bad" else [])
            status, out, err = run(*args, options=["--machine", machine, "-c", str(vcores)])
            equal((status, out), (0, "hello, world\n"), f"{name}: {err}")
    check.__name__ = f"hello_{machine}_{vcores}"
    return check


for kind in KINDS:
    test(_hello(*kind))


@test
def arguments_environment_streams():
    status, out, _ = run(guest("bad"), "echo", "a b", "", "c")
    equal((status, out), (0, "a b  c\n"))
    status, out, _ = run(guest("bad"), "env", "COLOUR", options=["-e", "COLOUR=blue=green"])
    equal((status, out), (0, "blue=green\n"))
    status, out, err = run(guest("bad"), "stderr")
    equal((status, out), (0, ""))
    true("to stderr" in err, "stderr arrives")
    for code in (0, 1, 7, 255):
        equal(run(guest("bad"), "exit", str(code))[0], code, "status")
    data = bytes(range(256)) * 800
    p = subprocess.run([__import__("harness").GODWIT, "run", "--", guest("bad"), "cat"], input=data, capture_output=True,
                       timeout=60)
    equal(p.returncode, 0, "cat")
    true(p.stdout == data, "standard input comes back unchanged")


@test
def much_output():
    status, out, _ = run(guest("bad"), "flood")
    equal(status, 0)
    true(out == "".join(f"line {i}\n" for i in range(200000)), "every line arrives in order")


@test
def busybox():
    box = need("busybox")
    equal(run(box, "echo", "from busybox")[:2], (0, "from busybox\n"))
    status, out, _ = run(box, "ls", "/")
    true(status == 0 and "tmp" in out, out)


@test
def extra_files():
    path = os.path.join(GUEST, "extra.txt")
    with open(path, "w") as f:
        f.write("packed\n")
    equal(run(need("busybox"), "cat", "/data/x.txt", options=["-f", f"{path}:/data/x.txt"])[:2], (0, "packed\n"))


@test
def packaged_programs():
    for args, want in (((need("sha256sum"), "/etc/hostname"), None), ((need("seq"), "3"), "1\n2\n3\n"), ((need("perl"), "-e", "print 6*7"), "42")):
        status, out, err = run(*args)
        equal(status, 0, f"{args}: {err}")
        if want:
            equal(out, want)


def _conf(name, static, machine, vcores):
    def check():
        program = guest(name + (".static" if static else ""))
        host = subprocess.run([program], capture_output=True, text=True, timeout=60)
        equal(host.returncode, 0, f"the expectations are not Linux's: {host.stdout}")
        status, out, err = run(program, options=["--machine", machine, "-c", str(vcores), "-m", "256M"], timeout=120)
        true(status == 0 and " 0 failed" in out, f"status {status}: {out[-1500:]} {err[-1500:]}")
        equal(out.strip().split("\n")[-1], host.stdout.strip().split("\n")[-1], "as many as on Linux")
    check.__name__ = f"{name}{'_static' if static else ''}_{machine}_{vcores}"
    return check


for name in ("conf_files", "conf_memory", "conf_threads", "conf_sockets", "conf_ip6", "conf_process"):
    test(_conf(name, False, "q35", 1))
    test(_conf(name, False, "q35", 2))
    test(_conf(name, True, "microvm", 1))


def _forks(vcores):
    def check():
        status, out, err = run(guest("forks"), "leak", "2000" if vcores == 1 else "500", options=["-c", str(vcores)], timeout=180)
        equal(status, 0, f"memory comes back: {out} {err}")
        status, out, err = run(guest("forks"), "bomb", "5", options=["-c", str(vcores), "-m", "64M"], timeout=120)
        equal((status, out), (0, "bomb: many processes, then refused; all gone\n"), err)
    check.__name__ = f"forks_{vcores}"
    return check


test(_forks(1))
test(_forks(2))


@test
def shell():
    box = need("busybox")
    script = os.path.join(GUEST, "script.sh")
    with open(script, "w") as f:
        f.write("#!/bin/busybox sh\n"
                "n=$(ls / | wc -l); [ $n -gt 3 ] && echo counted\n"
                "for i in 3 1 2; do echo $i; done | sort -r | tr '\\n' ' '; echo\n"
                "(exit 5); echo $?\n"
                "sleep 0.2 & p=$!; wait $p; echo waited $?\n"
                "sleep 100 & kill $!; wait $!; echo killed $?\n"
                "trap 'echo trapped' USR1; kill -USR1 $$\n"
                "seq 1 2000 | while read x; do echo $x; done | tail -n 1\n"
                "cat <<END | grep -c o\none\ntwo\nthree\nEND\n"
                "echo $0 $1 | sed s,.*/,,; exit 9\n")
    os.chmod(script, 0o755)
    want = "counted\n3 2 1 \n5\nwaited 0\nkilled 143\ntrapped\n2000\n2\nscript.sh arg\n"
    for vcores in (1, 2):
        status, out, err = run(script, "arg", options=["-c", str(vcores), "-f", box])
        equal((status, out), (9, want), err)
    equal(run(box, "sh", "-c", "echo $(ls / | wc -l)")[0], 0)
