# SPDX-License-Identifier: Apache-2.0
"""netparts - the parts of `make bench-net` but the profile: echo, http, shards, bulk, pair, connections."""
import os, re, statistics, subprocess, tempfile, threading, time
from guests import GODWIT, Skip, say
from netservers import (APPS, CLIENT, HELLO, PROGRAMS, ROOT, SERVER, Child, Contender, body_of, cores, cpu_ns, h2o, haproxy, hosted, kernel, load, nginx, numbers,
                        server_ns)
from parts import section, times


class Settings:
    rounds, seconds, rate, high, poll_ns = 3, 1.0, 10000, 100000, 50000


POLL = ["--poll", "1000000000"]
ECHO = [Contender("Godwit, AF_XDP", hosted("echo", "callbacks", net="afxdp")),
        Contender("Godwit, AF_XDP, tasks", hosted("echo", "tasks", net="afxdp")),
        Contender("Godwit, tap", hosted("echo", "callbacks", net="tap"), tap=True),
        Contender("Linux, epoll", kernel("net_epoll", "echo", 7)),
        Contender("Linux, io_uring", kernel("net_uring", "echo", 7)),
        Contender("Godwit, AF_XDP, polls", hosted("echo", "callbacks", net="afxdp", options=POLL), polls=True),
        Contender("Godwit, tap, polls", hosted("echo", "callbacks", net="tap", options=POLL), tap=True, polls=True),
        Contender("Linux, epoll, polls", kernel("net_epoll", "echo", 7, "poll"), polls=True),
        Contender("Linux, io_uring, polls", kernel("net_uring", "echo", 7, "poll"), polls=True)]
HTTP = [Contender("Godwit, AF_XDP", hosted("http", net="afxdp"), needs=[os.path.join(APPS, "http")]),
        Contender("Godwit, tap", hosted("http", net="tap"), tap=True, needs=[os.path.join(APPS, "http")]),
        Contender("nginx", nginx, needs=["nginx"]),
        Contender("h2o", h2o, needs=["h2o"]),
        Contender("haproxy", haproxy, needs=["haproxy"]),
        Contender("Godwit, AF_XDP, polls", hosted("http", net="afxdp", options=POLL), needs=[os.path.join(APPS, "http")], polls=True)]
HOW_FAIR = ("Each server has one core and the client another. The server's time is that of its threads and of the kernel's thread that receives for it "
            "(schedstat); over tap there is no such thread, and the client's receiving is in the server's time.")


def middle(values, form="{:,.0f}"):
    """median (least-most)"""
    v = sorted(values)
    return f"{form.format(statistics.median(v))} ({form.format(v[0])}-{form.format(v[-1])})"


def cost(net, p, url, rate, connections):
    """Microseconds of the server's for a request."""
    before = server_ns(net, p)
    j = load(net, url, rate, Settings.seconds, connections=connections)
    return (server_ns(net, p) - before) / max(1, j["answered"]) / 1000


def one(contender, port, url):
    """All that is measured of one server, started anew: what it costs, then (on a plain pair) what it does."""
    got = {}
    if not contender.polls:
        with contender.serve(port, apart=True) as (net, p):
            load(net, url, 2000, 0.3)  # warm
            got = {"cpu": cost(net, p, url, Settings.rate, 20), "high": cost(net, p, url, Settings.high, 64)}
    with contender.serve(port) as (net, p):
        if url.startswith("http"):
            got["bytes"], text = body_of(net, url[url.index("/", 7):])
            if text != HELLO:
                raise RuntimeError(f"another content: {text[:100]}")
        load(net, url, 2000, 0.3)
        got["most"] = load(net, url, 3000000, Settings.seconds, connections=64)["answered_per_s"]
        if url.startswith("tcp"):
            got["batch"] = load(net, url, 3000000, Settings.seconds, connections=64, pipeline=16)["answered_per_s"]
        trip = load(net, url, 1000, Settings.seconds, connections=1, poll="busy")["uncorrected"]
        return got | {"p50": trip["p50"] / 1000, "p99": (trip["p99"] or trip["max"]) / 1000}


def compare(contenders, port, url, notes):
    """{name: {figure: [values]}}, round by round through all of them."""
    got = {}
    for c in list(contenders):
        if c.missing():
            notes.append(f"{c.name}: {c.missing()} is missing.")
            contenders = [x for x in contenders if x is not c]
    for i in range(Settings.rounds):
        for c in contenders:
            say(f"  round {i + 1} of {Settings.rounds}: {c.name}")
            try:
                for k, v in one(c, port, url).items():
                    got.setdefault(c.name, {}).setdefault(k, []).append(v)
            except (RuntimeError, OSError, Skip, subprocess.TimeoutExpired) as e:
                notes.append(f"{c.name}, round {i + 1}: FAILED: {e}")
                say("  " + notes[-1])
    if not got:
        raise RuntimeError("; ".join(notes))
    return got


def ratios(got, ours, notes):
    """Ours beside the best of the others, by medians; who polls beside who polls (or, where no other does, beside all)."""
    def best(what, names, better):
        names = [n for n in names if what in got[n]]
        return better(names, key=lambda n: statistics.median(got[n][what])) if names and ours in got else None

    def ratio(text, mine, what, names, better):
        name = best(what, names, better)
        if name and mine in got and what in got[mine]:
            a, b = statistics.median(got[mine][what]), statistics.median(got[name][what])
            notes.append(f"{text}: {mine} / {name} = {a / b:.2f}{', goal 0.5' if better is min else ''}.")
    peers = [n for n in got if not n.startswith("Godwit")]
    sleepers, pollers = ([n for n in peers if n.endswith(", polls") == p] for p in (False, True))
    ratio(f"processor time per request at {Settings.rate:,}/s", ours, "cpu", sleepers, min)
    ratio(f"processor time per request at {Settings.high:,}/s", ours, "high", sleepers, min)
    ratio("round trip at p50", ours, "p50", sleepers, min)
    ratio("round trip at p50", f"{ours}, polls", "p50", pollers, min)
    ratio("round trip at p50", f"{ours}, polls", "p50", sleepers, min)
    ratio("highest rate", ours, "most", sleepers, max)


def servers_table(title, contenders, port, url):
    notes = []
    got = compare(contenders, port, url, notes)

    def column(g, what, form="{:,.0f}"):
        return middle(g[what], form) if what in g else "-"
    rows = [[name, column(g, "cpu", "{:.2f}"), column(g, "high", "{:.2f}"), column(g, "most"), column(g, "batch"), column(g, "p50", "{:.1f}"), column(g, "p99", "{:.1f}")]
            for name, g in got.items()]
    ratios(got, "Godwit, AF_XDP", notes)
    if any("bytes" in g for g in got.values()):
        notes.append("Bytes of an answer with its head: " + ", ".join(f"{n} {g['bytes'][0]}" for n, g in got.items() if "bytes" in g) + ".")
    how = (f"`{url}`, median (least-most) of {Settings.rounds} rounds of {Settings.seconds:g} s. Processor time at {Settings.rate:,} requests/s over 20 connections and at "
           f"{Settings.high:,} over 64, where each side's kernel receives in a thread on its own core; highest rate over 64 connections, one request or 16 in flight on each, and "
           f"round trip of one connection at 1,000/s, on a plain pair. Who polls never sleeps; the client always polls for the round trip. {HOW_FAIR}")
    return [section(title, how, ["server", f"CPU us/request at {Settings.rate:,}/s", f"at {Settings.high:,}/s", "highest rate, 1 in flight", "16", "round trip p50, us", "p99"],
                    rows, notes)]


def echo():
    return servers_table("TCP echo, 64 bytes", ECHO, 7, f"tcp://{SERVER}:7")


def http():
    if HTTP[0].missing():
        say("  apps/http is not built; the others are measured")
    return servers_table("HTTP, a text of 13 bytes", HTTP, 80, f"http://{SERVER}/plaintext")


# ---- shards ----

def shards():
    return [scaling(), moved()]


def scaling():
    """One shard, two on two cores, two on one: rates, and what a request costs."""
    mine, _ = cores()
    kinds = [("one shard", mine[:1], 1), ("two shards on one core", [mine[0]] * 2, 2)]
    kinds += [("two shards on two cores", mine[:2], 2)] if len(mine) > 1 else []
    pairs = [("Godwit, AF_XDP", Contender("", hosted("echo", "callbacks", net="afxdp"))),
             ("Godwit, tap", Contender("", hosted("echo", "callbacks", net="tap"), tap=True)), ("Linux, epoll", Contender("", kernel("net_epoll", "echo", 7)))]
    got, url = {}, f"tcp://{SERVER}:7"
    for i in range(Settings.rounds):
        for name, c in pairs:
            for kind, where, queues in kinds:
                say(f"  round {i + 1} of {Settings.rounds}: {name}, {kind}")
                with c.serve(7, where, queues, apart=True) as (net, p):
                    load(net, url, 2000, 0.3)
                    n = len(set(where))
                    cpu = cost(net, p, url, n * Settings.high // 2, n * 32)
                with c.serve(7, where, queues) as (net, p):
                    rate = load(net, url, 3000000, Settings.seconds, connections=64, pipeline=16)["answered_per_s"]
                got.setdefault((name, kind), []).append((rate, cpu))
    rows = []
    for (name, kind), v in got.items():
        rate, cpu = (statistics.median(x[i] for x in v) for i in (0, 1))
        rate1, cpu1 = (statistics.median(x[i] for x in got[name, "one shard"]) for i in (0, 1))
        rows.append([name, kind, middle([r for r, _ in v]), f"{rate / rate1:.2f}", middle([c for _, c in v], "{:.2f}"),
                     f"{(2 if 'two cores' in kind else 1) * cpu1 / cpu:.2f}"])
    notes = ["Goals: two shards on two cores 1.9 of one, on one core 0.95. By processor time: the cores' number times what a request costs one shard, by what it costs here: "
             "what the cores could serve if the client left them alone."]
    if len(cores()[0]) < 4:
        notes.append(f"This machine has {len(cores()[0])} processors: two shards on two cores share them with the client, so their rate says little.")
    return section("Shards", f"TCP echo, 64 bytes; median (least-most) of {Settings.rounds} rounds of {Settings.seconds:g} s. Rate: 64 connections with 16 in flight each; cost: at "
                   f"{Settings.high // 2:,} requests/s over 32 connections for each core. A queue of the card for each shard. Linux: a process a core, SO_REUSEPORT.",
                   ["server", "", "requests/s", "of one shard", "CPU us/request", "of one shard, by processor time"], rows, notes)


def moved():
    """Round trips of a server whose shard changes its core every 50 ms, beside one that stays."""
    mine, _ = cores()
    if len(mine) < 2:
        raise Skip("two processors are needed: one to move to")
    pairs = [("Godwit, AF_XDP", Contender("", hosted("echo", "callbacks", net="afxdp")), lambda p, core: subprocess.run(
        [GODWIT, "host", "--move", str(p.pid), "--cores", str(core)], check=True, timeout=20)),
             ("Linux, epoll", Contender("", kernel("net_epoll", "echo", 7)), lambda p, core: os.sched_setaffinity(p.pid, [core]))]
    rows, got, url = [], {}, f"tcp://{SERVER}:7"
    for i in range(Settings.rounds):
        for name, c, move in pairs:
            for kind in ("stays", "moves"):
                say(f"  round {i + 1} of {Settings.rounds}: {name}, {kind}")
                with c.serve(7) as (net, p):
                    load(net, url, 2000, 0.3)
                    retransmits, over, moves = resent(net), threading.Event(), []

                    def mover():
                        while not over.wait(0.05):
                            moves.append(move(p, mine[(len(moves) + 1) % 2]))
                    t = threading.Thread(target=mover)
                    if kind == "moves":
                        t.start()
                    try:
                        j = load(net, url, Settings.rate, max(1.0, Settings.seconds))
                    finally:
                        over.set()
                        if kind == "moves":
                            t.join()
                    u = j["uncorrected"]
                    got.setdefault((name, kind), []).append((u["p50"] / 1000, (u["p99"] or u["max"]) / 1000, len(moves), j["answered"], resent(net) - retransmits))
    for (name, kind), v in got.items():
        rows.append([name, kind, middle([x[0] for x in v], "{:.1f}"), middle([x[1] for x in v], "{:.1f}"),
                     f"{statistics.median(x[1] for x in v) / statistics.median(x[1] for x in got[name, 'stays']):.2f}", str(sum(x[2] for x in v)), str(sum(x[4] for x in v))])
    return section("A shard that moves", f"TCP echo, 64 bytes, {Settings.rate:,} requests/s over 20 connections; every 50 ms the server goes to another core (`godwit host --move`; Linux: its "
                   f"affinity is set). Every request was answered, or the part fails. Median (least-most) of {Settings.rounds} rounds.",
                   ["server", "", "round trip p50, us", "p99", "p99 beside staying", "moves", "segments that the client sent again"], rows,
                   ["Goal: no packet lost, p99 unmoved."] + (["One of the two cores is the client's here."] if len(mine) < 3 else []))


def resent(net):
    """TCP segments that clients' side has retransmitted (RFC 4022, tcpRetransSegs)."""
    lines = [line.split() for line in net.there.run("cat", "/proc/net/snmp").stdout.splitlines() if line.startswith("Tcp:")]
    return int(dict(zip(*lines))["RetransSegs"])


# ---- bulk ----

def bulk():
    """(name, who serves (None: Linux), whether over tap, and whether segments leave as they would on a wire)"""
    servers = [("Godwit, tap", hosted("rate", "bulk", ":9", net="tap"), True, False), ("Linux, epoll", None, False, False),
               ("Godwit, AF_XDP", hosted("rate", "bulk", ":9", net="afxdp"), False, True), ("Linux, epoll, packets of the MTU", None, False, True)]
    rows, got = [], {}
    for i in range(Settings.rounds):
        for name, command, tap, small in servers:
            for direction, port in (("send", 9), ("receive", 10)):
                c = Contender(name, command or kernel("net_epoll", "sink" if port == 9 else "source", port), tap=tap)
                for n in (1, 64):
                    say(f"  round {i + 1} of {Settings.rounds}: {name}, {direction}, {n}")
                    with c.serve(port) as (net, p):
                        if small:
                            for ns, dev in ((net.here, "v0"), (net.there, "v1")):
                                ns.run("ethtool", "-K", dev, "tso", "off", "gso", "off")
                        cpu, again = cpu_ns(p.pid), resent(net)
                        out = net.client([os.path.join(PROGRAMS, "net_bulk"), direction, SERVER, str(port), str(n), f"{Settings.seconds:g}"], timeout=60)
                        moved, ns = numbers(out)
                        got.setdefault((name, direction, n), []).append((moved * 1e3 / ns, (cpu_ns(p.pid) - cpu) / max(1, moved), resent(net) - again))
    for direction in ("send", "receive"):
        for n in (1, 64):
            for name, _, _, small in servers:
                v = got[name, direction, n]
                linux = statistics.median(x[0] for x in got["Linux, epoll, packets of the MTU" if small else "Linux, epoll", direction, n])
                rows.append([f"client {'sends' if direction == 'send' else 'receives'}, {n}", name, middle([x[0] for x in v]), middle([x[1] for x in v], "{:.3f}"),
                             f"{statistics.median(x[0] for x in v) / linux:.2f}", str(sum(x[2] for x in v))])
    return [section("Bulk", f"`net_bulk`, a Linux client; median (least-most) of {Settings.rounds} rounds of {Settings.seconds:g} s. Linux to Linux over veth and Godwit over tap move 64 KB "
                    "at a time without ever segmenting; AF_XDP moves packets of the MTU, as a wire does, and Linux beside it too (TSO and GSO off).",
                    ["connections", "server", "MB/s", "its CPU ns/byte", "of Linux the same way", "segments that the client sent again"], rows, ["Goal: no worse than Linux."])]


# ---- two hosted processes ----

def joined(conns, poll_ns, size=64):
    """rate's figures, and the processor time of both: an echo server that is the other's vhost-user back end."""
    mine, theirs = cores()
    with tempfile.TemporaryDirectory() as folder:
        socket = os.path.join(folder, "s")

        def words(core, how, addr, *program):
            return [GODWIT, "host", "--cores", str(core), "--poll", str(poll_ns), "--net", f"{how}={socket}", "--addr", f"{addr}/24", "--", *program]
        with Child(subprocess.Popen(words(mine[0], "vhost-back", SERVER, os.path.join(APPS, "echo"), "callbacks"), cwd=ROOT, stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)) as server:
            end = time.monotonic() + 10
            while not any("echo:" in line for line in server.err):
                if time.monotonic() > end or server.p.poll() is not None:
                    raise RuntimeError(f"the server does not start: {''.join(server.err)[-500:]}")
                time.sleep(0.02)
            before = cpu_ns(server.p.pid)
            p = subprocess.run(words(theirs[0], "vhost-user", CLIENT, os.path.join(APPS, "rate"), "ping", f"{SERVER}:7", str(conns),
                                     str(max(1, round(Settings.seconds))), str(size)), cwd=ROOT, capture_output=True, text=True, timeout=60)
            n, ns, p50, p99 = numbers(p)
            # What the server did before the measurement is in its processor time, too; but it has one core.
            return {"rate": n * 1e9 / ns, "p50": p50 / 1000, "p99": p99 / 1000, "cpu": min(cpu_ns(server.p.pid) - before, ns) / 1000 / n}


def megahertz():
    """The time stamp counter's rate, which is what a core's cycles are counted by here."""
    with open("/proc/cpuinfo") as f:
        m = re.search(r"cpu MHz\s*: ([\d.]+)", f.read())
    return float(m[1]) if m else None


def pair():
    if len(cores()[0]) < 2:
        raise Skip("two processors are needed: one for each process")
    cases, got = [("1 connection, sleeps", 1, 0), ("1 connection, polls", 1, Settings.poll_ns), ("64 connections, polls", 64, Settings.poll_ns),
                  ("512 connections, polls", 512, Settings.poll_ns), ("512 connections, sleeps", 512, 0)], {}
    for i in range(Settings.rounds):
        for name, conns, poll in cases:
            say(f"  round {i + 1} of {Settings.rounds}: {name}")
            for k, v in joined(conns, poll).items():
                got.setdefault(name, {}).setdefault(k, []).append(v)
    mhz = megahertz()
    rows, cycles = [], {}
    for name, _, _ in cases:
        g = got[name]
        cycles[name] = statistics.median(g["cpu"]) * mhz if mhz else None
        rows.append([name, middle(g["rate"]), middle(g["cpu"], "{:.2f}"), f"{cycles[name]:,.0f}" if mhz else "-", middle(g["p50"], "{:.1f}"), middle(g["p99"], "{:.1f}")])
    best = max(statistics.median(got[n]["rate"]) for n, _, _ in cases)
    notes = [f"The best is {best:,.0f} requests/s" + (f"; the least is {min(cycles.values()):,.0f} cycles a request, at the {mhz:,.0f} MHz of the time stamp counter" if mhz else "") +
             ". Published anchor: iip, 2.89 M/s on one core of a 2.9 GHz Xeon, 1,003 cycles each.",
             "The client does more than the server for each request, and is the limit: a server that polls is charged for waiting for it, one that sleeps is not."]
    return [section("Two hosted processes, virtqueues in shared memory", f"`rate ping` (tests/native/rate), which asks again as soon as it has its answer, 64 bytes; the echo server is "
                    f"its vhost-user back end. Each has a core. Polling is for {Settings.poll_ns / 1000:g} us before a sleep. Measured once every connection has had an answer; each has more "
                    f"while it is measured, or the part fails. Median (least-most) of {Settings.rounds} rounds.",
                    ["", "requests/s", "server's CPU us/request", "cycles of it", "round trip p50, us", "p99"], rows, notes)]


def connections():
    rows = []
    for n in (10000, 100000, 1000000):
        say(f"  {n:,} connections")
        out = subprocess.run([os.path.join(PROGRAMS, "connections"), str(n)], capture_output=True, text=True, timeout=300)
        got = dict(line.split() for line in out.stdout.splitlines() if " " in line)
        if out.returncode:
            raise RuntimeError(f"connections {n}: {out.stdout} {out.stderr}")
        rows.append([f"{n:,}", got["bytes"], got["buffers"], f"{int(got['answered']):,}", got["cpu_us"]])
    return [section("Connections in bounded memory", "Two stacks in one process, on a simulated wire (runtime/net/test/connections.c): all are opened, idle for an hour "
                    "of simulated time, asked once each, and reset. Bytes are of the stack, its tables included, for one end of a connection while idle.",
                    ["connections", "bytes each", "packet buffers in use", "answered", "CPU us each, all of it"], rows,
                    ["While idle nothing is sent and no timer runs. What a socket of the personality or a task takes is not in it."])]
