#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""iprof.py [-n 500] [--request 'PING'] [--boot] [-o 'GODWIT OPTIONS'] - where the guest instructions of a redis request go, by function.

Runs redis under `godwit run` with the plugin iprof.c and sends one request at a time. --boot: instead, everything up to
the first reply. Program code counts as 'program'; kernel and runtime functions by name. Instructions repeat; seconds do not matter."""
import argparse, bisect, os, shlex, socket, struct, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
WORK = os.path.join(ROOT, "build", "bench")


def symbols(path):
    out = subprocess.run(["nm", "-n", path], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in out.split("\n")]
    table = sorted((int(r[0], 16), r[2]) for r in rows if len(r) == 3 and r[1] in "tTwW" and not r[2].startswith("."))
    return [a for a, _ in table], [n for _, n in table]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("-n", type=int, default=500)
    ap.add_argument("--request", default="PING")
    ap.add_argument("--boot", action="store_true")
    ap.add_argument("--top", type=int, default=60)
    ap.add_argument("-o", "--options", default="", help="more options of godwit run")
    a = ap.parse_args()
    os.makedirs(WORK, exist_ok=True)
    so, shm = os.path.join(WORK, "iprof.so"), os.path.join(WORK, f"iprof-{os.getpid()}.shm")
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", so, os.path.join(HERE, "iprof.c")], check=True)
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
    s.close()
    vm = subprocess.Popen([os.path.join(ROOT, "build/godwit"), "run", "--accel", "tcg", "-p", f"{port}:6379", *shlex.split(a.options),
                           "--qemu-args", f"-plugin {so},shm={shm}", "--", "redis-server", "--save", "", "--appendonly", "no",
                           "--protected-mode", "no", "--bind", "0.0.0.0"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        request = (a.request + "\r\n").encode()
        end = time.monotonic() + 60
        while True:
            try:
                c = socket.create_connection(("127.0.0.1", port), 1)
                c.settimeout(1)
                c.sendall(request)
                if not c.recv(1000):
                    raise OSError("closed")
                break
            except OSError:
                if time.monotonic() > end:
                    sys.exit("iprof: no reply")
                time.sleep(0.01)

        def read():
            with open(shm, "rb") as f:
                n = struct.unpack("<Q", f.read(8))[0]
                f.seek(16)
                v = struct.unpack(f"<{2 * n}Q", f.read(16 * n))
            return v

        n = 1
        before = ()
        if not a.boot:
            n = a.n
            for _ in range(300):
                c.sendall(request)
                c.recv(1000)
                time.sleep(0.001)
            time.sleep(0.3)
            before = read()
            for _ in range(n):
                c.sendall(request)
                c.recv(1000)
                time.sleep(0.002)
            time.sleep(0.01)
        after = read()
        base, ours = symbols(os.path.join(ROOT, "build/kernel.elf")), symbols(os.path.join(ROOT, "build/linux.elf"))
        high = [x for x in after[::2] if x >= 1 << 63]
        total, by = 0, {}
        # the kernel moves by whole pages: find its shift from the syscall entry's place among the blocks seen
        shift = None
        if high:
            want = base[0][base[1].index("syscall_entry")]
            counts = {}
            for x, c2 in zip(after[::2], after[1::2]):
                if x >= 1 << 63 and (x - want) % 4096 == 0:
                    counts[x - want] = counts.get(x - want, 0) + c2
            shift = max(counts, key=counts.get) if counts else None
        for i in range(0, len(after), 2):
            used = after[i + 1] - (before[i + 1] if i < len(before) else 0)
            if used <= 0:
                continue
            pc = after[i]
            if pc >= 1 << 63:
                name = "kernel"
                if shift is not None:
                    k = bisect.bisect_right(base[0], pc - shift) - 1
                    name = "kernel: " + (base[1][k] if k >= 0 else "?")
            elif 0x700000000000 <= pc < 0x710000000000:
                k = bisect.bisect_right(ours[0], pc) - 1
                name = ours[1][k] if k >= 0 else "runtime ?"
            elif pc < 0x200000 or 0xe0000 <= pc < 1 << 32 and pc > 0xf0000000:
                name = "firmware and boot"
            else:
                name = "program"
            total += used
            by[name] = by.get(name, 0) + used
        print(f"{total / n:.0f} instructions {'to the first reply' if a.boot else 'per ' + a.request}; without the program {(total - by.get('program', 0)) / n:.0f}")
        for name, used in sorted(by.items(), key=lambda x: -x[1])[:a.top]:
            print(f"{used / n:12.1f}  {name}")
    finally:
        vm.terminate()
        try:
            vm.wait(15)
        except subprocess.TimeoutExpired:
            vm.kill()
        if os.path.exists(shm):
            os.unlink(shm)


main()
