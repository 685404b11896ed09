# SPDX-License-Identifier: Apache-2.0
"""Bad input: each gives a clear message and a non-zero status, and never a hang or a kernel fault."""
import os, shutil, socket, subprocess
from harness import GODWIT, GUEST, equal, free_port, need, run, test, true

BAD = os.path.join(GUEST, "bad")


def tool(*args, timeout=30):
    p = subprocess.run([GODWIT, *args], capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)
    return p.returncode, p.stdout, p.stderr


def refuses(args, *words):
    status, _, err = tool(*args)
    true(status != 0, f"{args} must fail")
    for w in words:
        true(w in err, f"{args}: {w!r} is not in {err!r}")
    true(len(err.strip().split("\n")) <= 6, f"{args}: a short message, not {err!r}")


@test
def options():
    refuses(["frobnicate"], "frobnicate", "--help")
    refuses(["run"], "PROGRAM")
    refuses(["run", "-m", "lots", "--", "/bin/true"], "-m", "lots")
    refuses(["run", "-m", "1M", "--", "/bin/true"], "-m")
    refuses(["run", "-c", "0", "--", "/bin/true"], "-c")
    refuses(["run", "-p", "80", "--", "/bin/true"], "-p", "80")
    refuses(["run", "-p", "99999:1", "--", "/bin/true"], "-p", "99999")
    refuses(["run", "-e", "novalue", "--", "/bin/true"], "-e")
    refuses(["run", "-f", "/no/such/file", "--", "/bin/true"], "/no/such/file")
    refuses(["run", "--net", "wireless", "--", "/bin/true"], "--net")
    refuses(["run", "--net", "tap=", "--", "/bin/true"], "tap")
    refuses(["run", "--net", "tap=nosuchtap0", "--", "/bin/true"], "nosuchtap0")
    refuses(["run", "--machine", "vax", "--", "/bin/true"], "--machine", "q35")
    refuses(["run", "--accel", "warp", "--", "/bin/true"], "--accel", "tcg")
    refuses(["run", "--dma", "isolated", "--machine", "microvm", "--", "/bin/true"], "--dma", "microvm has none")
    refuses(["run", "-p", "8080:80", "-p", "8080:81", "--", "/bin/true"], "8080", "twice")
    refuses(["run", "-p", "80:80/sctp", "--", "/bin/true"], "-p", "udp")
    refuses(["run", "--net", "none", "-p", "80:80", "--", "/bin/true"], "-p", "--net user")
    refuses(["run", "--addr", "10.0.2.15/33", "--", "/bin/true"], "--addr", "/24")
    refuses(["run", "--addr", "10.0.2.15/24,gw=x", "--", "/bin/true"], "--addr", "gw")
    refuses(["run", "--user", "me", "--", "/bin/true"], "--user")
    refuses(["run", "--cwd", "/nope", "--", "/bin/true"], "/nope", "-f")
    refuses(["run", "--hostname", "a b", "--", "/bin/true"], "--hostname")
    refuses(["run", "--root", "x", "--", "/bin/true"], "--root")
    refuses(["run", "--metrics", "x", "--", "/bin/true"], "--metrics")
    refuses(["run", "--qemu-args", "'open", "--", "/bin/true"], "quote")
    refuses(["run", "-m"], "-m")
    refuses(["run"], "which program")
    refuses(["run", "--memroy", "5", "--", "/bin/true"], "--memroy")


@test
def qemu_fails():
    """QEMU is missing, has too little memory for the machine, or ends at once."""
    d = os.path.join(GUEST, "no-memory-qemu")
    with open(d, "w") as f:
        f.write("#!/bin/sh\necho \"qemu: cannot set up guest memory 'pc.ram': Cannot allocate memory\" >&2; exit 1\n")
    os.chmod(d, 0o755)
    for qemu, status, word in (("/no/such/qemu", 2, "apt install qemu-system-x86"), (d, 2, "less with -m"), ("/bin/false", 125, "ended")):
        p = subprocess.run([GODWIT, "run", "--", "/bin/true"], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
                           env=dict(os.environ, GODWIT_QEMU=qemu))
        true(p.returncode == status and word in p.stderr, f"{qemu}: {p.returncode} {p.stderr!r}")
    refuses(["run", "--qemu-args", "-nonsense", "--", "/bin/true"], "QEMU could not start", "-nonsense")


@test
def help_teaches():
    status, out, _ = tool("--help")
    equal(status, 0)
    for word in ("run", "redis-server", "godwit run"):
        true(word in out, word)
    true(tool("run", "--help")[0] == 0, "run --help")
    true(tool("--version")[0] == 0, "--version")


@test
def print_qemu():
    status, out, err = tool("run", "--print-qemu", "--", BAD, "exit", "7")
    equal(status, 0, err)
    true("qemu-system-x86_64" in out and "-kernel" in out, out)
    folder = err.split("are in ")[1].split(";")[0]
    true(os.path.join(folder, "bundle.img") in err and os.path.isdir(folder), err)
    # What is on standard output is one command that a shell runs as it is.
    p = subprocess.run(["sh"], input=out, capture_output=True, text=True, timeout=60)
    shutil.rmtree(folder)
    equal(p.returncode, 7 << 1 | 1, p.stdout + p.stderr)


@test
def port_in_use():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(1)
    port = s.getsockname()[1]
    refuses(["run", "-p", f"{port}:80", "--", "/bin/true"], str(port))
    s.close()


@test
def programs():
    refuses(["run", "--", "/no/such/program"], "/no/such/program")
    refuses(["run", "--", "no-such-program-in-path"], "no-such-program-in-path")
    refuses(["run", "--", "/etc"], "/etc is a directory")
    refuses(["run", "--", "/etc/passwd"], "chmod +x")


@test
def script_runs():
    script = os.path.join(GUEST, "good-script")
    with open(script, "w") as f:
        f.write(f"#!{need('busybox')} sh\necho script $1\n")
    os.chmod(script, 0o755)
    equal(run(script, "works")[:2], (0, "script works\n"))


def _dies(what, status, *words):
    def check():
        got, out, err = run(BAD, what, options=["-m", "64M"], timeout=120)
        true(got == status, f"status {got}, not {status}: {out[-300:]!r} {err[-1500:]!r}")
        for w in words:
            true(w in err, f"{w!r} is not in {err[-1500:]!r}")
    check.__name__ = f"program_{what}"
    return check


test(_dies("null", 139, "SIGSEGV", "0x0"))
test(_dies("jump", 139, "SIGSEGV"))
test(_dies("kernel", 139, "SIGSEGV"))
test(_dies("stack", 139, "stack"))
test(_dies("illegal", 132, "SIGILL"))
test(_dies("privileged", 139, "SIGSEGV"))
test(_dies("abort", 134, "SIGABRT"))
test(_dies("runtime", 132, "SIGILL", "the runtime's"))
test(_dies("memory", 137, "memory", "-m"))


@test
def files_fill_memory():
    """What a program writes is in memory: a file that does not fit is an error of that write, not the end of the machine."""
    for size, least in (("8M", 2 << 20), ("64M", 48 << 20)):
        for block in ("4k", "1M"):
            status, _, err = run("dd", "if=/dev/zero", "of=/tmp/x", f"bs={block}", options=["-m", size])
            true(status == 1 and "No space left on device" in err, f"-m {size}: {status} {err!r}")
            true(int(err.split(" bytes ")[0].split("\n")[-1]) > least, f"-m {size}: {err!r}")


@test
def program_unknown_syscall():
    status, out, err = run(BAD, "unknown", options=["--summary"])
    equal((status, out), (0, "went on\n"))
    true("bpf" in err and "3" in err, err)


@test
def program_kernel_call():
    status, out, _ = run(BAD, "gwcall")
    true(status == 0 and int(out) < 0, f"{status} {out!r}")


@test
def ctrl_c_stops_a_spinner():
    import signal
    p = subprocess.Popen([GODWIT, "run", "--", BAD, "spin"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    equal(p.stdout.readline(), b"spinning\n")
    p.send_signal(signal.SIGINT)
    _, err = p.communicate(timeout=20)
    true(p.returncode != 0, f"{p.returncode} {err}")


@test
def bundle_with_wrong_checksum():
    out = tool("run", "--print-qemu", "--", BAD, "exit")[1]
    import shlex
    words = shlex.split(out.replace("\\\n", " "))
    bundle = words[words.index("-initrd") + 1]
    data = bytearray(open(bundle, "rb").read())
    data[5000] ^= 1
    open(bundle, "wb").write(data)
    # keep what says something by itself: the kernel's UART on standard output
    i = words.index("-serial")
    words[i + 1] = "stdio"
    keep, skip = [], False
    for j, w in enumerate(words):
        if skip:
            skip = False
            continue
        if w == "-chardev" or (w == "-device" and ("virtserialport" in words[j + 1] or "virtconsole" in words[j + 1])):
            skip = True
            continue
        keep.append(w)
    try:
        p = subprocess.run(keep, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    finally:
        shutil.rmtree(os.path.dirname(bundle))
    true("checksum" in p.stdout.lower() or "crc" in p.stdout.lower(), p.stdout + p.stderr)
    true(p.returncode != 0, "a non-zero status")
