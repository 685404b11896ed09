#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""elastic_redis.py [SECONDS] - redis under an open loop with bursts beside a batch program that spins on all cores (spin.c), 2 cores under
TCG: as partitions of a module (policies latency and batch), and the same two programs in a Linux guest, by nice, SCHED_FIFO and cgroups.

What counts is the processor time of QEMU's threads of virtual processors, so that the client and whoever else uses this machine take
nothing away from the result: the batch's share is its work for each second that redis leaves (the processors' time, less what redis takes
of it at the same load alone) against its work for a second alone. Latencies are the client's, in this machine's time."""
import glob, json, os, re, shlex, socket, subprocess, sys, tempfile, threading, time
from guests import BUILD, GODWIT, REDIS, WORK, User, common, end_process, linux_files, raise_backlog, say

LOAD = os.path.join(BUILD, "godwit-load")
RATE, BURST = 400, 20
TICK = os.sysconf("SC_CLK_TCK")
BATCH, ALONE, LATENCY = "batch alone", "redis alone", "both"
# busybox sh, in the Linux guest: how redis ($R) and the batch ($S) are started side by side
LINUX = {
    "nice 19": "/spin nice $S & exec $R",
    "SCHED_FIFO": "$S & exec /spin fifo $R",
    "cgroups": "mkdir /cg; mount -t cgroup2 cg /cg; echo +cpu >/cg/cgroup.subtree_control; mkdir /cg/r /cg/s; echo 10000 >/cg/r/cpu.weight; "
               "echo 1 >/cg/s/cpu.weight; (echo 0 >/cg/s/cgroup.procs; exec $S) & echo 0 >/cg/r/cgroup.procs; exec $R",
}


def spin():
    out = os.path.join(WORK, "spin")
    subprocess.run(["gcc", "-O1", "-static", "-o", out, os.path.join(os.path.dirname(__file__), "spin.c"), "-pthread"], check=True)
    return out


def module(folder, net, what, seconds):
    """redis, which ends at once where it is not wanted, and the batch, with no seconds where that is not."""
    ini = os.path.join(folder, "m.ini")
    redis = " ".join(shlex.quote(w) for w in REDIS) if what != BATCH else "redis-server --version"
    with open(ini, "w") as f:
        f.write(f"[module]\ncores = 2\naccelerator = tcg\n[partition redis]\nprogram = {redis}\nmemory = 64M\npolicy = latency\ndelay = 5us\n"
                f"publish = {net.port}:6379\n[partition batch]\nprogram = {spin()} {2 if what != ALONE else 0} {seconds if what != ALONE else 0}\nmemory = 8M\n"
                "policy = batch\nvcores = 2\ndevices = random\n")
    return [GODWIT, "module", "--quiet", ini]


def guest(folder, net, what, seconds, how):
    """The Linux guest of linux-guest with another init and the batch program: appended to its initramfs, as the kernel unpacks several."""
    root = os.path.join(folder, "root")
    os.makedirs(root)
    files = linux_files()
    subprocess.run(f"gzip -dc {files}/initrd.gz | (cd {root} && cpio -id --quiet)", shell=True, check=True)
    with open(f"{root}/init") as f:
        init = f.read()
    command = re.search(r"^exec (.*)$", init, re.M).group(1)
    start = LINUX[how] if what == LATENCY else "exec $R" if what == ALONE else "$S; sleep 1000"
    with open(f"{root}/start", "w") as f:
        f.write(f"#!/bin/sh\nR=\"{command}\"\nS=\"/spin 2 {seconds}\"\n{start}\n")
    with open(f"{root}/init", "w") as f:
        f.write(init.replace(f"exec {command}", "mount -t tmpfs t /tmp; exec /bin/sh /start >/dev/ttyS0 2>&1"))
    subprocess.run(["cp", spin(), f"{root}/spin"], check=True)
    for tool in ("mkdir", "sleep"):
        if not os.path.lexists(f"{root}/bin/{tool}"):
            os.symlink("busybox", f"{root}/bin/{tool}")
    os.chmod(f"{root}/start", 0o755)
    subprocess.run(f"cd {root} && find . | cpio -o -H newc --quiet | gzip -1n >{folder}/initrd.gz", shell=True, check=True)
    words = common(net, "256M")
    words[words.index("-smp") + 1] = "2"
    return ["qemu-system-x86_64", *words, "-display", "none", "-no-reboot", "-serial", "stdio", "-kernel", f"{files}/vmlinuz", "-initrd",
            f"{folder}/initrd.gz", "-append", "console=ttyS0 quiet panic=-1 rdinit=/init"]


def qemu_of(pid):
    """The QEMU process: pid itself, or its child."""
    for p in [pid, *map(int, open(f"/proc/{pid}/task/{pid}/children").read().split())]:
        if "qemu" in open(f"/proc/{p}/comm").read():
            return p
    return None


def busiest(pid):
    """Seconds that the two threads of virtual processors have run: under TCG nothing else of QEMU comes near them."""
    times = []
    for path in glob.glob(f"/proc/{pid}/task/*/stat"):
        try:
            fields = open(path).read().rsplit(")", 1)[1].split()
            times.append((int(fields[11]) + int(fields[12])) / TICK)
        except OSError:
            pass
    return times


class Running:
    def __init__(self, command, net):
        self.net, self.samples = net, []  # (time, units, processor seconds)
        self.p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.text = []
        threading.Thread(target=self.read, daemon=True).start()

    def cpu(self):
        qemu = qemu_of(self.p.pid)
        return sum(sorted(busiest(qemu))[-2:]) if qemu else 0

    def read(self):
        for line in self.p.stdout:
            self.text.append(line.decode(errors="replace"))
            m = re.search(r"units (\d+)", self.text[-1])
            if m:
                self.samples.append((time.monotonic(), int(m.group(1)), self.cpu()))

    def wait_redis(self):
        end = time.monotonic() + 90
        while True:
            try:
                with socket.create_connection((self.net.host, self.net.port), 2) as s:
                    s.settimeout(2)
                    s.sendall(b"PING\r\n")
                    if s.recv(16).startswith(b"+PONG"):
                        break
            except OSError:
                pass
            if self.p.poll() is not None or time.monotonic() > end:
                raise RuntimeError("no redis: " + "".join(self.text[:6] + self.text[-6:]))
            time.sleep(0.2)
        raise_backlog(qemu_of(self.p.pid), self.net.port)

    def wait_batch(self, n):
        end = time.monotonic() + 90
        while len(self.samples) < n:
            if self.p.poll() is not None or time.monotonic() > end:
                raise RuntimeError("no batch: " + "".join(self.text[:6] + self.text[-6:]))
            time.sleep(0.1)

    def stop(self):
        end_process(self.p)


def measure(make, what, seconds):
    """{work a second of processor time, processor seconds a second, p50, p99, units}"""
    net = User()
    with tempfile.TemporaryDirectory() as folder:
        r = Running(make(folder, net, what, 10 * seconds + 200), net)
        try:
            got = {}
            if what != BATCH:
                r.wait_redis()
            if what != ALONE:
                r.wait_batch(4)
            begin, cpu = time.monotonic(), r.cpu()
            first = len(r.samples) - 1
            if what == BATCH:
                time.sleep(seconds)
            else:
                path = os.path.join(folder, "load.json")
                subprocess.run([LOAD, "run", f"redis://127.0.0.1:{net.port}", "--rate", str(RATE), "--burst", str(BURST), "--connections", "20", "--poll", "sleep",
                                "--warmup", "1s", "--duration", f"{seconds}s", "--quiet", "--json", path], capture_output=True, timeout=seconds + 60)
                got.update(json.load(open(path)))
            got["cores"] = (r.cpu() - cpu) / (time.monotonic() - begin)
            if what != ALONE:
                a, b = r.samples[first], r.samples[-1]
                got["units"], got["cpu"], got["time"] = b[1] - a[1], b[2] - a[2], b[0] - a[0]
            return got
        finally:
            r.stop()


def row(name, alone_batch, alone_redis, both):
    """A Markdown row of one system."""
    best = alone_batch["units"] / alone_batch["cpu"]
    left = both["cpu"] - alone_redis["cores"] * both["time"]
    share = both["units"] / (best * left)
    mine, its = alone_redis["corrected"], both["corrected"]
    ms = lambda r, k: "-" if r[k] is None else f"{r[k] / 1e6:.2f}"
    return (f"| {name} | {share:.0%} | {ms(mine, 'p50')}, {ms(mine, 'p99')} | {ms(its, 'p50')}, {ms(its, 'p99')} | {its['p99'] / mine['p99']:.2f} | "
            f"{alone_redis['cores']:.2f} | {both['answered_per_s']:.0f} of {both['due_per_s']:.0f} |")


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    os.makedirs(WORK, exist_ok=True)
    print(f"redis, {RATE} requests/s in bursts of {BURST}, beside a batch program of two threads; 2 cores under TCG, {os.cpu_count()} host cores (load "
          f"{os.getloadavg()[0]:.1f}) which the client shares; {seconds} s each")
    print("| system | batch, of what redis leaves | redis alone p50, p99 ms | beside the batch | p99 ratio | cores that redis takes alone | answered/s |")
    print("|---|---|---|---|---|---|---|")
    ours = {}
    for what in (BATCH, ALONE, LATENCY):
        say(f"  Godwit: {what}")
        ours[what] = measure(module, what, seconds)
    print(row("Godwit, latency and batch", *ours.values()), flush=True)
    theirs = {}
    for what in (BATCH, ALONE):
        say(f"  Linux guest: {what}")
        theirs[what] = measure(lambda *a: guest(*a, None), what, seconds)
    for how in LINUX:
        say(f"  Linux guest: {how}")
        print(row(f"Linux guest, {how}", *theirs.values(), measure(lambda *a: guest(*a, how), LATENCY, seconds)), flush=True)


main()
