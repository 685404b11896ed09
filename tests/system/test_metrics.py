# SPDX-License-Identifier: Apache-2.0
"""A machine's metrics: in /proc, over HTTP, by godwit top, in the exit summary; runs that repeat."""
import re, subprocess, urllib.request
from harness import GODWIT, Machine, equal, free_port, need, run, test, true


def figures(text):
    """{name{labels}: value}; every line must be a comment or a figure."""
    out = {}
    for line in text.splitlines():
        if line.startswith("# "):
            true(re.fullmatch(r"# (HELP godwit_\w+ .+|TYPE godwit_\w+ (counter|gauge|summary))", line), line)
            continue
        m = re.fullmatch(r'(godwit_\w+(?:\{\w+="[^"]*"(?:,\w+="[^"]*")*\})?) ([0-9.]+)', line)
        true(m, f"not Prometheus text: {line!r}")
        true(m[1] not in out, f"twice: {m[1]}")
        out[m[1]] = float(m[2])
    return out


@test
def metrics_in_proc():
    status, out, err = run(need("busybox"), "sh", "-c", 'echo "job_ns 1500" >/proc/godwit/record; printf "job_ns 100\\nx 7\\n" '
                           '>/proc/godwit/record; cat /proc/godwit/metrics')
    equal(status, 0, err)
    f = figures(out)
    equal(f['godwit_recorded_count{name="job_ns"}'], 2)
    equal(f['godwit_recorded_sum{name="job_ns"}'], 1600)
    equal(f['godwit_recorded{name="job_ns",quantile="1"}'], 1500)
    equal(f['godwit_recorded{name="x",quantile="0.5"}'], 7)
    true(f['godwit_run_seconds_count{shard="0"}'] > 0, "runs are counted")
    true(0 < f['godwit_memory_bytes{state="free"}'] < f['godwit_memory_bytes{state="total"}'], "memory")


@test
def metrics_bad_records():
    for text in ("x", "1x 5", "x 5 6", "x -1", "x 1.5", "", "y" * 33 + " 5", "x\\t5"):
        status, _, err = run(need("busybox"), "sh", "-c", f'printf "{text} \\n" >/proc/godwit/record')
        true(status != 0, f"{text!r} was taken")
    status, out, err = run(need("busybox"), "sh", "-c", 'i=0; while [ $i -lt 40 ]; do echo "n$i 5" >/proc/godwit/record || '
                           'break; i=$((i+1)); done; echo $i')
    equal(out, "32\n", "names are limited")


@test
def metrics_small_machine():
    status, out, err = run(need("busybox"), "cat", "/proc/godwit/metrics", options=["-m", "6M"])
    equal(status, 0, err)
    true(figures(out)["godwit_syscalls_total"] > 0, "counts")


@test
def metrics_over_http_and_top():
    port = free_port()
    with Machine([need("redis-server"), "--save", "", "--protected-mode", "no", "--bind", "0.0.0.0"], 6379,
                 options=["-c", "2", "--metrics", str(port)]) as m:
        r = m.redis()
        before = figures(urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20).read().decode())
        for i in range(200):
            equal(r("SET", "k", i), "OK")
        after = figures(urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20).read().decode())

        def rise(name):
            return sum(v - before[k] for k, v in after.items() if k.startswith(name))
        true(rise('godwit_packets_total{shard="0",direction="in"') + rise('godwit_packets_total{shard="1",direction="in"') >= 200,
             "packets in")
        true(rise("godwit_queue_delay_seconds_count") >= 100, "queueing delays")
        true(rise("godwit_wait_seconds_count") >= 100, "waits")
        true(rise("godwit_kernel_entries_total") > 0 and rise("godwit_syscalls_total") >= 400, "kernel entries, system calls")
        for name in ("net_receive", "net_send"):
            true(rise(f"godwit_{name}_seconds_count") >= 100, f"{name}: of each wake-up")
        for i in "01":
            q = [after[f'godwit_queue_delay_seconds{{shard="{i}",quantile="{p}"}}'] for p in ("0.5", "0.9", "0.99", "0.999", "1")]
            equal(q, sorted(q), "quantiles rise")
        top = subprocess.run([GODWIT, "top", "--once", str(m.p.pid)], capture_output=True, text=True, timeout=30)
        equal(top.returncode, 0, top.stderr)
        true("redis-server (godwit" in top.stdout and re.search(r"^ +1 +\d+ +\d+", top.stdout, re.M), top.stdout)
        equal(r("PING"), "PONG")
    top = subprocess.run([GODWIT, "top", "--once", str(m.p.pid)], capture_output=True, text=True, timeout=30)
    equal(top.returncode, 2)
    true("the machine is gone" in top.stderr, top.stderr)


@test
def metrics_summary():
    status, _, err = run(need("busybox"), "sleep", "0.2", options=["--summary"])
    equal(status, 0, err)
    for name in ("queueing delay", "running at a stretch", "waiting"):
        true(re.search(rf"  {name} +p50 [\d.]+ (ns|us|ms|s), p99 .*, max [\d.]+ (ns|us|ms|s)$", err, re.M), f"{name}: {err}")


@test
def metrics_network_times():
    """In the summary: what the network took for each wake-up, and what calls waited for."""
    with Machine([need("redis-server"), "--save", "", "--protected-mode", "no", "--bind", "0.0.0.0"], 6379,
                 options=["--summary"]) as m:
        r = m.redis()
        for i in range(50):
            equal(r("SET", "k", i), "OK")
        m.stop()
        m.reader.join(10)
    for name in ("network receive", "network send"):
        true(re.search(rf"  {name} +p50 [\d.]+ (ns|us), p99 .*, max [\d.]+ (ns|us|ms)$", "".join(m.err), re.M), "".join(m.err))
    # a blocking accept and a blocking read over loopback
    status, out, err = run(need("busybox"), "sh", "-c", "busybox nc -l -p 99 >/dev/null & sleep 0.2; (sleep 0.2; echo x) | "
                           "busybox nc 127.0.0.1 99; wait; cat /proc/godwit/metrics", options=["--net", "none", "-f", need("busybox")])
    equal(status, 0, err)
    f = figures(out)
    true(f['godwit_socket_receive_wait_seconds_count{shard="0"}'] >= 1, "accept waited")
    true(f['godwit_socket_receive_wait_seconds_sum{shard="0"}'] > 0.1, "for a fifth of a second")


@test
def deterministic_runs_repeat():
    """Random numbers, addresses, times: all the same, and a day that is not today's."""
    script = "cat /proc/sys/kernel/random/uuid /proc/self/maps /proc/uptime; date; sleep 0.05; cat /proc/godwit/metrics"
    first, second = (run(need("busybox"), "sh", "-c", script, options=["--deterministic"]) for _ in range(2))
    equal(first[0], 0, first[2])
    equal(first[1], second[1])
    true("2026" in first[1] and "Jan  1" in first[1], first[1])
