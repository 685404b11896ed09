# SPDX-License-Identifier: Apache-2.0
"""timed - the parts of bench.py that take time instead of counting: throughput, latency, the knee, boot. Each server is started
anew for every round and runs alone; rounds go through the three in turn, so that a machine that grows slower or busier hits
all of them; what is printed is the median of the rounds, with the least and the most."""
import json, os, re, signal, statistics, subprocess
from guests import BUILD, KINDS, NAMES, WORK, Skip, Tap, User, say, start
from parts import bar, section, times

LOAD = os.path.join(BUILD, "godwit-load")
CLIENTS = 20
TRIES = 3
KNEE_LIMIT = 240  # seconds; where no rate keeps the bound, the steps grow long


class Settings:
    """What bench.py's options change."""
    rounds, seconds, rate, slo = 5, 3.0, 1000, "p99<10ms"


def spread(values, show="{:,.0f}".format):
    return f"{show(statistics.median(values))} ({show(min(values))}-{show(max(values))})"


def bars_of(by):
    return {k: bar(statistics.median(v), min(v), max(v)) for k, v in by.items() if v}


def redis_benchmark(net, pipeline, n, limit):
    """Requests a second of SET and GET."""
    p = subprocess.run(net.command(["redis-benchmark", "-h", net.host, "-p", str(net.port), "-t", "set,get", "-c", str(CLIENTS), "-P", str(pipeline),
                                    "-n", str(n), "--csv"]), capture_output=True, text=True, timeout=limit)
    if p.returncode or "rror" in p.stdout + p.stderr:
        raise RuntimeError("redis-benchmark: " + (p.stderr.strip() or p.stdout.strip() or f"status {p.returncode}"))
    return {m.group(1): float(m.group(2)) for m in re.finditer(r'^"(SET|GET)","([0-9.]+)"', p.stdout, re.M)}


def rates(kind, make_net, pipelines):
    """{(command, pipeline): requests a second} of one started server."""
    got = {}
    with make_net() as net, start(kind, net):
        for pipeline in pipelines:
            # The first run warms up the emulator's code cache, too, and says how many requests last long enough.
            warm = redis_benchmark(net, pipeline, 2000 * pipeline, 60)
            n = max(2000 * pipeline, int(min(warm.values()) * Settings.seconds))
            for command, rate in redis_benchmark(net, pipeline, n, 30 + 10 * Settings.seconds).items():
                got[command, pipeline] = rate
    return got


def round_of(kind, make_net, pipelines, stalls):
    """rates, on another start where a connection stalled for good: a guest whose ring update the emulator reordered waits for ever
    (QEMU drops barriers with one processor). Such runs have no rate; they are counted and reported."""
    for _ in range(TRIES):
        try:
            return rates(kind, make_net, pipelines)
        except subprocess.TimeoutExpired:
            stalls[kind] += 1
            say(f"  {NAMES[kind]}: stalled; again")
    raise RuntimeError(f"{NAMES[kind]}: redis-benchmark stalled {TRIES} times running")


def throughput_over(make_net, title):
    pipelines, stalls = (1, 16), {k: 0 for k in KINDS}
    by = {(c, p): {k: [] for k in KINDS} for p in pipelines for c in ("SET", "GET")}
    for i in range(Settings.rounds):
        for kind in KINDS:
            say(f"  round {i + 1} of {Settings.rounds}: {NAMES[kind]}")
            for key, rate in round_of(kind, make_net, pipelines, stalls).items():
                by[key][kind].append(rate)
    rows = []
    for (command, pipeline), r in by.items():
        mid = {k: statistics.median(v) for k, v in r.items()}
        rows.append([f"{command} -P {pipeline}", *(spread(r[k]) for k in KINDS), times(mid["godwit"], mid["linux"]), "3x",
                     f"{mid['godwit'] / mid['native']:.2f}x"])
    how = (f"redis-benchmark -c {CLIENTS} over {title}: median (least-most) of {Settings.rounds} rounds of {Settings.seconds:g} s. The client shares the "
           "machine's processors with the server.")
    notes = [f"Runs that stalled and were done again: {NAMES[k]} {n}." for k, n in stalls.items() if n]
    bars = [(f"Requests per second, pipeline {p}, {title}", "/s", [(f"{c} -P {p}", bars_of(by[c, p])) for c in ("SET", "GET")]) for p in pipelines]
    return [section(f"Throughput, {title}", how, ["requests/s", *(NAMES[k] for k in KINDS), "Godwit / Linux guest", "goal", "Godwit / native"], rows, notes, bars)]


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


def each_kind(measure, notes):
    """{kind: measure(kind)} of those for which it does not fail; the others are noted. At least one has to work."""
    got = {}
    for kind in KINDS:
        say(f"  {NAMES[kind]}")
        try:
            got[kind] = measure(kind)
        except (RuntimeError, OSError, ValueError, subprocess.TimeoutExpired) as e:
            notes.append(f"{NAMES[kind]}: FAILED: {e}")
            say("  " + notes[-1])
    if not got:
        raise RuntimeError("; ".join(notes))
    return got


def generator(net, words, path, limit):
    """godwit-load's JSON, and what it complained of. A status of 1 is one of trouble: what was measured until then is there, and
    so it is when it has to be interrupted after `limit` seconds."""
    if os.path.exists(path):
        os.unlink(path)
    p = subprocess.Popen(net.command([LOAD, *words, "--json", path]), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, err = p.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=60)
    finally:
        p.kill()
    if p.returncode not in (0, 1) or not os.path.exists(path) or not os.path.getsize(path):
        raise RuntimeError(f"godwit-load: {out[-800:]}{err[-500:]}")
    with open(path) as f:
        return json.load(f), err.strip()


def load_words(net, kind):
    return ["run", f"redis://{net.host}:{net.port}", "--rate", str(Settings.rate), "--connections", str(CLIENTS), "--duration",
            f"{max(2.0, Settings.seconds * 4):g}s", "--warmup", "2s", "--quiet", "--label", NAMES[kind]]


def ms(ns):
    return "-" if ns is None else f"{ns / 1e6:.3f}"


def doubts(kind, j, notes):
    """What stands in the way of trusting this run."""
    if j["missed_schedule"]:
        notes.append(f"{NAMES[kind]}: the generator missed its own schedule; a part of these latencies is its own.")
    if j["overloaded"]:
        notes.append(f"{NAMES[kind]}: did not keep the rate.")
    if j["errors"]["total"] or j["unanswered"] or j["stopped"]:
        notes.append(f"{NAMES[kind]}: {j['errors']['total']} errors, {j['unanswered']} unanswered. {j['stopped']}")


def latency():
    make_net, notes = best_net(), []
    paths = {k: os.path.join(WORK, f"latency-{k}.json") for k in KINDS}

    def measure(kind):
        with make_net() as net, start(kind, net):
            return generator(net, load_words(net, kind), paths[kind], 60 + 8 * Settings.seconds)[0]
    runs = each_kind(measure, notes)
    for kind, j in runs.items():
        doubts(kind, j, notes)
    subprocess.run([LOAD, "plot", *(paths[k] for k in runs), "-o", os.path.join(WORK, "latency.svg")], check=True)
    rows = []
    for p in ("p50", "p90", "p99", "p99.9", "max"):
        v = {k: runs[k]["corrected"][p] if k in runs else None for k in KINDS}
        rows.append([p, *(ms(v[k]) for k in KINDS), times(v["linux"], v["godwit"]), ms(runs["godwit"]["uncorrected"][p]) if "godwit" in runs else "-"])
    rows.append(["generator's own lateness, p99", *(ms(runs[k]["late"]["p99"]) if k in runs else "-" for k in KINDS), "", ""])
    how = (f"`{runs[next(iter(runs))]['command'].split(' --label')[0]}` over {make_net.name}: an open loop, {Settings.rate}/s, Poisson arrivals; from the "
           "intended send time, ms. The curves are in latency.svg, too (`godwit-load plot`).")
    return [section("Latency", how, ["ms", *(NAMES[k] for k in KINDS), "Linux guest / Godwit", "Godwit, uncorrected"], rows, notes,
                    curves={k: runs[k]["corrected"]["curve"] for k in runs})]


def knee():
    make_net, notes = best_net(), []

    def measure(kind):
        with make_net() as net, start(kind, net):
            j, said = generator(net, ["sweep", f"redis://{net.host}:{net.port}", "--slo", Settings.slo, "--rate", "1000", "--connections", "50",
                                      "--duration", f"{max(0.5, Settings.seconds / 2):g}s", "--warmup", "500ms", "--precision", "10", "--tries", "3"],
                                os.path.join(WORK, f"knee-{kind}.json"), KNEE_LIMIT)
        if said:
            notes.append(f"{NAMES[kind]}: the sweep ended early: {said.splitlines()[0]}")
        if not j["knee_per_s"]:
            raise RuntimeError(f"no rate keeps {Settings.slo}")
        return j["knee_per_s"]
    by = each_kind(measure, notes)
    rows = [[Settings.slo, *(f"{by[k]:,.0f}" if k in by else "-" for k in KINDS), times(by.get("godwit"), by.get("linux"))]]
    return [section("Knee", f"`godwit-load sweep --slo '{Settings.slo}'`, 50 connections, over {make_net.name}: the highest rate, requests/s of 80 % GET and "
                    "20 % SET, that keeps the bound.", ["bound", *(NAMES[k] for k in KINDS), "Godwit / Linux guest"], rows, notes,
                    [(f"Highest rate that keeps {Settings.slo}", "/s", [("mix", {k: bar(v) for k, v in by.items()})])])]


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
