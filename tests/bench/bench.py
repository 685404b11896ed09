#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench.py [--only PART,...] [options] - every figure of README and docs/measurements.md in one report: redis in a Godwit
machine, in a Linux guest, and native, on the machine that this runs on.

Parts: instructions  guest instructions to the first reply and per redis request, and the program's own
       overhead      what the built-in latency histograms cost of that
       memory        smallest -m that serves redis, and that runs a static hello
       size          bytes of kernel, runtime and personality
       boot          seconds to the first reply
       throughput    redis-benchmark -c 20 at -P 1 and -P 16 over QEMU's user network
       tap           the same over a tap and a bridge in a network namespace (root)
       latency       percentiles at one rate, by godwit-load's open loop (tap where possible)
       knee          the highest rate that keeps --slo
       histogram     nanoseconds to record a value, on this machine itself

Writes DIR/report.md, DIR/report.svg and DIR/report.json. With --only, the parts of an earlier report of the same build
stay in it. A part that fails says so, and the others go on; the status is then 1. On a quiet machine all take half an hour."""
import argparse, datetime, hashlib, json, os, platform, re, subprocess, sys, time
import guests, page, parts, timed
from guests import BUILD, ROOT, Skip, say

PARTS = {"instructions": parts.instructions, "overhead": parts.overhead, "memory": parts.memory, "size": parts.size, "boot": timed.boot,
         "throughput": timed.throughput, "tap": timed.tap, "latency": timed.latency, "knee": timed.knee, "histogram": parts.histogram}


def first_line(*command):
    try:
        return (subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=20).stdout.splitlines() or ["?"])[0]
    except (OSError, subprocess.TimeoutExpired):
        return "?"


def machine():
    """Where, and what with."""
    with open("/proc/cpuinfo") as f:
        cpu = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), platform.machine())
    with open("/proc/meminfo") as f:
        memory = int(f.readline().split()[1]) / 1048576
    redis = re.search(r"v=(\S+)", first_line("redis-server", "--version"))
    kernels = os.path.join(guests.WORK, "linux-redis", "kernel", "boot")
    kernel = next((n[8:] for n in sorted(os.listdir(kernels)) if n.startswith("vmlinuz-")), "?") if os.path.isdir(kernels) else "?"
    dirty = " with changes" if first_line("git", "status", "--porcelain", "-uno") != "?" else ""
    return {"machine": f"{cpu}, {os.cpu_count()} processors, {memory:.0f} GiB, Linux {platform.release()}",
            "emulator": first_line("qemu-system-x86_64", "--version").split(" (")[0] + ", TCG, -smp 1",
            "redis": f"redis {redis.group(1) if redis else '?'}", "guest": f"Linux guest {kernel}",
            "godwit": f"Godwit {first_line('git', 'rev-parse', '--short', 'HEAD')}{dirty}, {first_line('gcc', '--version')}"}


def build_id():
    h = hashlib.sha256()
    for name in ("kernel.elf", "linux.elf"):
        with open(os.path.join(BUILD, name), "rb") as f:
            h.update(f.read())
    return h.hexdigest()[:16]


def table(columns, rows):
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(str(c) for c in line) + " |" for line in lines)


def markdown(f, where, done, title="Godwit beside a Linux guest and the bare machine",
             meaning="Emulated figures: instruction counts mean something by themselves, seconds and rates only as ratios of one run.", command="make bench"):
    f.write(f"# {title}\n\n" + "\n".join(f"- {v}" for v in where.values()) + "\n")
    f.write(f"\n{meaning}\nAny part again: `{command} PART=name[,name...]`.\n")
    for name, part in done.items():
        for s in part.get("sections", []):
            f.write(f"\n## {s['title']}\n\n`{command} PART={name}`, {part['at']}, load average before it {part['load']:.1f}. {s['how']}\n\n")
            f.write(table(s["columns"], s["rows"]) + "\n" + "".join(f"\n{n}\n" for n in s["notes"]))
        for word in ("failed", "skipped"):
            if word in part:
                f.write(f"\n## {name}: {word}\n\n`{command} PART={name}`, {part['at']}:\n\n" + "".join(f"    {line}\n" for line in part[word].splitlines()))


def measure(name, number, of, fn=None, timing=None):
    fn = fn or PARTS[name]
    timing = fn.__module__ == "timed" if timing is None else timing
    say(f"[{number}/{of}] {name}")
    start, part = time.monotonic(), {"at": datetime.datetime.now().strftime("%Y-%m-%d %H:%M"), "load": os.getloadavg()[0]}
    if part["load"] > 0.7 and timing:
        say(f"  the machine is busy (load average {part['load']:.1f}): times and rates will not mean much")
    try:
        part["sections"] = fn()
        say(f"  done in {time.monotonic() - start:.0f} s")
    except Skip as e:
        part["skipped"] = str(e)
        say(f"  SKIPPED: {e}")
    except Exception as e:  # whatever it is, the other parts are measured
        part["failed"] = f"{type(e).__name__}: {e}"
        say(f"  FAILED: {part['failed']}")
    return part


def earlier(path, build):
    """The parts of a report of this same build."""
    try:
        with open(path) as f:
            old = json.load(f)
        return old["parts"] if old["build"] == build else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def write(folder, build, done):
    done = {n: done[n] for n in PARTS if n in done}
    where = machine()
    with open(os.path.join(folder, "report.json"), "w") as f:
        json.dump({"build": build, "machine": where, "parts": done}, f, indent=1)
    with open(os.path.join(folder, "report.md"), "w") as f:
        markdown(f, where, done)
    with open(os.path.join(folder, "report.svg"), "w") as f:
        page.page(f, where, done)


def options():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    ap.add_argument("--dir", default=guests.WORK, help="where the report goes (build/bench)")
    ap.add_argument("--rounds", type=int, default=timed.Settings.rounds, help="of what takes time (%(default)s)")
    ap.add_argument("--seconds", type=float, default=timed.Settings.seconds, help="of each measurement (%(default)s; latency: four times as long)")
    ap.add_argument("--rate", type=int, default=timed.Settings.rate, help="of the part latency, requests/s (%(default)s)")
    ap.add_argument("--slo", default=timed.Settings.slo, help="of the part knee (%(default)s)")
    a = ap.parse_args()
    a.parts = a.only.split(",")
    for name in a.parts:
        if name not in PARTS:
            ap.error(f"no part '{name}'; parts are {', '.join(PARTS)}")
    if a.rounds < 1 or a.seconds <= 0 or a.rate < 1:
        ap.error("--rounds, --seconds and --rate are above 0")
    for field in ("rounds", "seconds", "rate", "slo"):
        setattr(timed.Settings, field, getattr(a, field))
    return a


def main():
    a = options()
    os.makedirs(guests.WORK, exist_ok=True)
    os.makedirs(a.dir, exist_ok=True)
    build, ran = build_id(), {}
    done = earlier(os.path.join(a.dir, "report.json"), build)
    try:
        for i, name in enumerate(a.parts):
            done[name] = ran[name] = measure(name, i + 1, len(a.parts))
            write(a.dir, build, done)  # what was measured is kept, whatever comes
    except KeyboardInterrupt:
        say("interrupted; the report has what was measured")
    for name, part in ran.items():
        for s in part.get("sections", []):
            print(f"\n{s['title']}\n\n{table(s['columns'], s['rows'])}")
    failed = [n for n, p in ran.items() if "failed" in p]
    say(f"{a.dir}/report.md and report.svg" + (f"; FAILED: {', '.join(failed)}" if failed else ""))
    return 1 if failed or len(ran) < len(a.parts) else 0


if __name__ == "__main__":
    sys.exit(main())
