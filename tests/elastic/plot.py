#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""plot.py CSV... FILE.svg - p99.9 latency and the batch program's cores against load, one row for each workload and number of
cores, from elasticsim's lines."""
import csv, math, sys

W, H, LEFT, TOP, GAP = 420, 230, 64, 34, 74
STYLE = {"godwit": ("#0a58ca", ""), "godwit as built": ("#0a58ca", "6 3"), "godwit blind": ("#0a58ca", "1 4"), "caladan-like": ("#c1121f", ""),
         "static half": ("#888888", "6 3"), "ideal sharing": ("#2a9d3a", "1 3")}


def text(x, y, s, anchor="start", size=11):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">{s}</text>'


def panel(x0, y0, title, series, log, top):
    """One picture: series is {name: [(load, value)]}; log: a logarithmic axis in us, else linear from 0."""
    out = [text(x0, y0 - 10, title, size=12), f'<rect x="{x0}" y="{y0}" width="{W}" height="{H}" fill="none" stroke="#999"/>']
    low = min((v for s in series.values() for _, v in s if v > 0), default=1) if log else 0
    low = 10 ** math.floor(math.log10(low)) if log else 0
    place = (lambda v: H * math.log(max(v, low) / low) / math.log(top / low)) if log else (lambda v: H * v / top)
    ticks = [low * 10 ** e * m for e in range(8) for m in (1, 2, 5) if low * 10 ** e * m <= top] if log else [top * i / 4 for i in range(5)]
    for t in ticks:
        y = y0 + H - place(t)
        out += [f'<line x1="{x0}" x2="{x0 + W}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>', text(x0 - 5, y + 4, f"{t:g}", "end", 10)]
    for i in range(0, 11, 2):
        out.append(text(x0 + W * i / 10, y0 + H + 14, f"{i / 10:g}", "middle", 10))
    for name, points in series.items():
        colour, dash = STYLE[name]
        line = " ".join(f"{x0 + W * l:.1f},{y0 + H - place(v):.1f}" for l, v in points if v <= top)
        out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.6" stroke-dasharray="{dash}"/>')
    return out


def main():
    rows = [r for f in sys.argv[1:-1] for r in csv.DictReader(open(f, encoding="utf-8"))]
    pictures = list(dict.fromkeys((r["workload"], int(r["cores"])) for r in rows))
    body, y = [], TOP + 24
    x = LEFT
    for name, (colour, dash) in STYLE.items():
        body += [f'<line x1="{x}" x2="{x + 26}" y1="18" y2="18" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>', text(x + 31, 22, name)]
        x += 135
    for work, cores in pictures:
        mine = [r for r in rows if r["workload"] == work and int(r["cores"]) == cores and r["p999_ns"]]
        tail, batch = {}, {}
        for r in mine:
            tail.setdefault(r["system"], []).append((float(r["load"]), int(r["p999_ns"]) / 1000))
            if r["system"] != "ideal sharing":
                batch.setdefault(r["system"], []).append((float(r["load"]), float(r["batch_cores"])))
        ideal = max(v for _, v in tail["ideal sharing"])
        body += panel(LEFT, y, f"{work}, {cores} cores: p99.9 in us, by load", tail, True, ideal * 4)
        if work != "alone":
            body += panel(LEFT + W + GAP, y, "cores for the batch program", batch, False, cores)
        y += H + 58
    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + 2 * W + GAP + 20}" height="{y}" font-family="sans-serif">',
           '<rect width="100%" height="100%" fill="white"/>'] + body + ["</svg>"]
    open(sys.argv[-1], "w", encoding="utf-8").write("\n".join(svg) + "\n")


main()
