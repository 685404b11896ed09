# SPDX-License-Identifier: Apache-2.0
"""timed - the parts of bench.py that take time instead of counting: throughput, latency, the knee, boot. Each server is started
anew for every round and runs alone; rounds go through the three in turn, so that a machine that grows slower or busier hits
all of them; what is printed is the median of the rounds, with the least and the most."""
import json, os, re, statistics, subprocess
from guests import BUILD, KINDS, NAMES, WORK, Skip, Tap, User, say, start
from parts import bar, section, times

LOAD = os.path.join(BUILD, "godwit-load")
CLIENTS = 20


class Settings:
    """What bench.py's options change."""
    rounds, seconds, rate, slo = 5, 3.0, 1000, "p99<10ms"


def spread(values, show="{:,.0f}".format):
    return f"{show(statistics.median(values))} ({show(min(values))}-{show(max(values))})"


def bars_of(by):
    return {k: bar(statistics.median(v), min(v), max(v)) for k, v in by.items() if v}


def redis_benchmark(net, pipeline, n):
    """Requests a second of SET and GET."""
    p = subprocess.run(net.command(["redis-benchmark", "-h", net.host, "-p", str(net.port), "-t", "set,get", "-c", str(CLIENTS), "-P", str(pipeline),
                                    "-n", str(n), "--csv"]), capture_output=True, text=True, timeout=300)
    if p.returncode or "rror" in p.stdout + p.stderr:
        raise RuntimeError("redis-benchmark: " + (p.stderr.strip() or f"status {p.returncode}"))
    return {m.group(1): float(m.group(2)) for m in re.finditer(r'^"(SET|GET)","([0-9.]+)"', p.stdout, re.M)}


def rates(kind, make_net, pipelines):
    """{(command, pipeline): requests a second} of one started server."""
    got = {}
    with make_net() as net, start(kind, net):
        for pipeline in pipelines:
            # The first run warms up the emulator's code cache, too, and says how many requests last long enough.
            warm = redis_benchmark(net, pipeline, 2000 * pipeline)
            n = max(2000 * pipeline, int(min(warm.values()) * Settings.seconds))
            for command, rate in redis_benchmark(net, pipeline, n).items():
                got[command, pipeline] = rate
    return got


def throughput_over(make_net, title):
    pipelines = (1, 16)
    by = {(c, p): {k: [] for k in KINDS} for p in pipelines for c in ("SET", "GET")}
    for i in range(Settings.rounds):
        for kind in KINDS:
            say(f"  round {i + 1} of {Settings.rounds}: {NAMES[kind]}")
            for key, rate in rates(kind, make_net, pipelines).items():
                by[key][kind].append(rate)
    rows = []
    for (command, pipeline), r in by.items():
        mid = {k: statistics.median(v) for k, v in r.items()}
        rows.append([f"{command} -P {pipeline}", *(spread(r[k]) for k in KINDS), times(mid["godwit"], mid["linux"]), "3x",
                     f"{mid['godwit'] / mid['native']:.2f}x"])
    how = (f"redis-benchmark -c {CLIENTS} over {title}: median (least-most) of {Settings.rounds} rounds of {Settings.seconds:g} s. The client shares the "
           "machine's processors with the server.")
    bars = [(f"Requests per second, pipeline {p}, {title}", "/s", [(f"{c} -P {p}", bars_of(by[c, p])) for c in ("SET", "GET")]) for p in pipelines]
    return [section(f"Throughput, {title}", how, ["requests/s", *(NAMES[k] for k in KINDS), "Godwit / Linux guest", "goal", "Godwit / native"], rows, bars=bars)]


def throughput():
    return throughput_over(User, User.name)


def tap():
    return throughput_over(Tap, Tap.name)


def best_net():
    """A tap where that is allowed; else user networking."""
    try:
        with Tap():
            return Tap
    except Skip as e:
        say(f"  user networking: {e}")
        return User


def load_run(kind, net, path):
    words = [LOAD, "run", f"redis://{net.host}:{net.port}", "--quiet", "--rate", str(Settings.rate), "--connections", str(CLIENTS), "--duration",
             f"{max(2.0, Settings.seconds * 4):g}s", "--warmup", "2s", "--label", NAMES[kind], "--json", path]
    p = subprocess.run(net.command(words), capture_output=True, text=True, timeout=300)
    if p.returncode:
        raise RuntimeError(f"godwit-load: {p.stdout[-800:]}{p.stderr[-500:]}")
    with open(path) as f:
        return json.load(f), " ".join(words[1:])


def ms(ns):
    return "-" if ns is None else f"{ns / 1e6:.3f}"


def latency():
    make_net, runs = best_net(), {}
    for kind in KINDS:
        say(f"  {NAMES[kind]}")
        with make_net() as net, start(kind, net):
            runs[kind], command = load_run(kind, net, os.path.join(WORK, f"latency-{kind}.json"))
    paths = [os.path.join(WORK, f"latency-{k}.json") for k in KINDS]
    subprocess.run([LOAD, "plot", *paths, "-o", os.path.join(WORK, "latency.svg")], check=True)
    rows = []
    for p in ("p50", "p90", "p99", "p99.9", "max"):
        v = {k: runs[k]["corrected"][p] for k in KINDS}
        rows.append([p, *(ms(v[k]) for k in KINDS), times(v["linux"], v["godwit"]), ms(runs["godwit"]["uncorrected"][p])])
    rows.append(["generator's own lateness, p99", *(ms(runs[k]["late"]["p99"]) for k in KINDS), "", ""])
    notes = [f"Missed its own schedule: {NAMES[k]}'s run; a part of those latencies is the generator's." for k in KINDS if runs[k]["missed_schedule"]]
    notes += [f"{NAMES[k]} did not keep the rate." for k in KINDS if runs[k]["overloaded"]]
    how = (f"`godwit-{command}` over {make_net.name}: an open loop, {Settings.rate}/s, Poisson arrivals; from the intended send time, ms. "
           "The curves are in latency.svg, too (`godwit-load plot`).")
    return [section("Latency", how.replace("godwit-run", "godwit-load run"),
                    ["ms", *(NAMES[k] for k in KINDS), "Linux guest / Godwit", "Godwit, uncorrected"], rows, notes,
                    curves={k: runs[k]["corrected"]["curve"] for k in KINDS})]


def knee():
    make_net, by, rows = best_net(), {}, []
    for kind in KINDS:
        path = os.path.join(WORK, f"knee-{kind}.json")
        with make_net() as net, start(kind, net):
            say(f"  {NAMES[kind]}")
            words = [LOAD, "sweep", f"redis://{net.host}:{net.port}", "--slo", Settings.slo, "--rate", "1000", "--connections", "50", "--duration",
                     f"{max(0.5, Settings.seconds / 2):g}s", "--warmup", "500ms", "--precision", "10", "--tries", "3", "--json", path]
            p = subprocess.run(net.command(words), capture_output=True, text=True, timeout=900)
        if p.returncode:
            raise RuntimeError(f"godwit-load sweep, {NAMES[kind]}: {p.stdout[-800:]}{p.stderr[-500:]}")
        with open(path) as f:
            by[kind] = json.load(f)["knee_per_s"]
    rows.append([Settings.slo, *(f"{by[k]:,.0f}" for k in KINDS), times(by["godwit"], by["linux"])])
    return [section("Knee", f"`godwit-load sweep --slo '{Settings.slo}'`, 50 connections, over {make_net.name}: the highest rate, requests/s of 80 % GET and 20 % SET, that keeps the bound.",
                    ["bound", *(NAMES[k] for k in KINDS), "Godwit / Linux guest"], rows,
                    bars=[(f"Highest rate that keeps {Settings.slo}", "/s", [("mix", {k: bar(v) for k, v in by.items()})])])]


def boot():
    by = {k: [] for k in KINDS}
    for i in range(Settings.rounds):
        for kind in KINDS:
            say(f"  round {i + 1} of {Settings.rounds}: {NAMES[kind]}")
            with User() as net, start(kind, net) as s:
                by[kind].append(s.first)
    mid = {k: statistics.median(v) for k, v in by.items()}
    return [section("Boot", f"Seconds from the command to redis's first reply, median (least-most) of {Settings.rounds}, user networking.",
                    ["seconds", *(NAMES[k] for k in KINDS), "Linux guest / Godwit"],
                    [["to first reply", *(spread(by[k], "{:.3f}".format) for k in KINDS), times(mid["linux"], mid["godwit"])]],
                    bars=[("Seconds from the command to the first reply", "s", [("redis", bars_of(by))])])]
