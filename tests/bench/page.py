# SPDX-License-Identifier: Apache-2.0
"""page - the report as one SVG page: a card for each chart, bars for figures (whiskers from least to most) and curves for
percentiles. No library; text is escaped, sizes are computed from what is shown."""
import math
from html import escape
from guests import KINDS, NAMES

WIDTH, GAP, PAD = 1240, 20, 22
CARD = (WIDTH - 3 * GAP) / 2
COLORS = {"godwit": "#0b7a75", "linux": "#d9730d", "native": "#8d96a0"}
STYLE = """text{font:13px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;fill:#1f2933}.h1{font-size:26px;font-weight:700}
.h2{font-size:15px;font-weight:600}.small{font-size:11.5px;fill:#616e7c}.value{font-weight:600}.ratio{font-size:12px;font-weight:700;fill:#0b7a75}
.card{fill:#fff;stroke:#dfe3e8}.grid{stroke:#d5dae0;stroke-width:.8}.fine{stroke:#eef0f3;stroke-width:.8}.whisker{stroke:#1f2933;stroke-width:1.3}"""


def text(x, y, s, cls="", anchor="start"):
    return f"<text x='{x:.1f}' y='{y:.1f}' class='{cls}' text-anchor='{anchor}'>{escape(str(s))}</text>"


def show(v):
    if v >= 1e6:
        return f"{v / 1e6:,.3g} M" if v < 1e8 else f"{v / 1e6:,.0f} M"
    return f"{v:,.0f}" if v >= 100 else f"{v:.3g}"


def wrap(s, room):
    """Lines of about `room` characters."""
    lines = [""]
    for word in s.split():
        if lines[-1] and len(lines[-1]) + len(word) + 1 > room:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return lines


class Bars:
    ROW, BETWEEN = 19, 16

    def __init__(self, chart):
        self.title, self.unit, self.groups = chart
        self.height = 52 + sum(len(g) * self.ROW + self.BETWEEN for _, g in self.groups)

    def draw(self, x, y):
        out = [text(x + PAD, y + 30, self.title, "h2")]
        left, right = x + PAD + 128, x + CARD - PAD - 150
        guests = [b[2] for _, g in self.groups for k, b in g.items() if k != "native"] or [b[2] for _, g in self.groups for b in g.values()]
        full = max(guests) or 1
        at = y + 52
        for label, group in self.groups:
            out.append(text(x + PAD, at + self.ROW * len(group) / 2 + 3, label, "value"))
            for kind in KINDS:
                if kind in group:
                    out += self.one(kind, group, left, right, at, full)
                    at += self.ROW
            at += self.BETWEEN
        return out

    def one(self, kind, group, left, right, at, full):
        v, low, high = group[kind]
        end = left + (right - left) * min(v / full, 1.12)
        broken = v / full > 1.12
        out = [f"<rect x='{left:.1f}' y='{at:.1f}' width='{max(end - left, 1.5):.1f}' height='14' rx='2' fill='{COLORS[kind]}'/>"]
        if broken:  # longer than there is room: cut, with a mark
            out.append(f"<path d='M{end - 14:.1f} {at - 2:.1f}l5 9l-5 9' fill='none' stroke='#fff' stroke-width='3'/>")
        elif high > low:
            a, b = (left + (right - left) * min(q / full, 1.12) for q in (low, high))
            out.append(f"<path class='whisker' fill='none' d='M{a:.1f} {at + 3:.1f}v8m0 -4H{b:.1f}m0 -4v8'/>")
            end = max(end, b)
        out.append(text(end + 7, at + 11.5, f"{show(v)} {self.unit}".strip(), "small value"))
        if kind == "godwit" and "linux" in group and v and group["linux"][0]:
            big = max(v, group["linux"][0]) / min(v, group["linux"][0])
            out.append(text(right + 150, at + 11.5, f"{big:.1f}x {'more' if v > group['linux'][0] else 'less'}", "ratio", "end"))
        return out


class Curves:
    """Percentile curves: the tail stretched (1/(1-p) in decades), latency in decades."""
    height = 380

    def __init__(self, title, curves):
        self.title, self.curves = title, {k: c for k, c in curves.items() if c}

    def draw(self, x, y):
        points = [p for c in self.curves.values() for p in c if p[1] > 0]
        if not points:
            return [text(x + PAD, y + 30, self.title + ": nothing measured", "h2")]
        tail = max(10, 10 ** math.ceil(math.log10(max(p[0] for p in points)) - 1e-9))
        low, high = (10 ** f(math.log10(v)) for f, v in ((math.floor, min(p[1] for p in points)), (math.ceil, max(p[1] for p in points))))
        high = max(high, low * 10)
        left, right, top, bottom = x + PAD + 62, x + CARD - PAD - 10, y + 78, y + self.height - 44
        out = [text(x + PAD, y + 30, self.title, "h2")]

        def px(v):
            return left + (right - left) * math.log10(max(v, 1)) / math.log10(tail)

        def py(ns):
            return bottom - (bottom - top) * math.log10(max(ns, low) / low) / math.log10(high / low)
        v = low
        while v <= high * 1.001:
            out += [f"<path class='grid' d='M{left:.1f} {py(v):.1f}H{right:.1f}'/>", text(left - 8, py(v) + 4, show_ns(v), "small", "end")]
            out += [f"<path class='fine' d='M{left:.1f} {py(v * i):.1f}H{right:.1f}'/>" for i in range(2, 10) if v * i < high]
            v *= 10
        v = 1
        while v <= tail * 1.001:
            label = "min" if v == 1 else f"p{100 - 100 / v:.6g}"
            out += [f"<path class='grid' d='M{px(v):.1f} {top:.1f}V{bottom:.1f}'/>", text(px(v), bottom + 18, label, "small", "middle")]
            v *= 10
        for i, kind in enumerate(k for k in KINDS if k in self.curves):
            line = " ".join(f"{px(a):.1f},{py(b):.1f}" for a, b in self.curves[kind])
            out += [f"<polyline fill='none' stroke='{COLORS[kind]}' stroke-width='2.4' stroke-linejoin='round' points='{line}'/>",
                    f"<rect x='{left + 130 * i:.1f}' y='{y + 46:.1f}' width='18' height='5' rx='2' fill='{COLORS[kind]}'/>",
                    text(left + 130 * i + 24, y + 53, NAMES[kind], "small value")]
        return out


def show_ns(ns):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return f"{ns / size:g} {unit}"
    return f"{ns:g} ns"


def page(f, machine, parts):
    """parts: {name: {"sections": [...], "at": when} or {"failed": why} or {"skipped": why}}"""
    cards, notes = [], []
    for name, part in parts.items():
        for s in part.get("sections", []):
            cards += [Bars(chart) for chart in s["bars"]]
            if s["curves"]:
                cards.append(Curves(f"{s['title']}: percentiles, from the intended send time", s["curves"]))
        notes += [f"{name} {word}: {part[word]}" for word in ("failed", "skipped") if word in part]
    head = wrap("; ".join(machine.values()), 190)
    foot = [line for n in ["Emulated (QEMU TCG, one processor): instruction counts mean something by themselves, seconds only as ratios of one run. "
                           "Whiskers: least to most of the rounds. Native bars that leave their card are cut; their value stands beside them.", *notes]
            for line in wrap(n, 190)]
    columns, body = [84 + 17 * len(head)] * 2, []
    for card in cards:  # into the shorter column
        i = 0 if columns[0] <= columns[1] else 1
        x, y = GAP + i * (CARD + GAP), columns[i]
        body.append(f"<rect class='card' x='{x:.1f}' y='{y:.1f}' width='{CARD:.1f}' height='{card.height}' rx='8'/>")
        body += card.draw(x, y)
        columns[i] += card.height + GAP
    height = max(columns) + 10 + 17 * len(foot)
    f.write(f"<?xml version='1.0' encoding='UTF-8'?>\n<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height:.0f}' "
            f"viewBox='0 0 {WIDTH} {height:.0f}'>\n<title>Godwit beside Linux</title>\n<style>{STYLE}</style>\n"
            "<rect width='100%' height='100%' fill='#f5f7f9'/>\n")
    out = [text(GAP, 44, "Godwit beside a Linux guest and the bare machine", "h1")]
    out += [text(GAP, 70 + 17 * i, line, "small") for i, line in enumerate(head)]
    for i, kind in enumerate(KINDS):
        out += [f"<rect x='{WIDTH - 360 + 115 * i}' y='32' width='14' height='14' rx='3' fill='{COLORS[kind]}'/>", text(WIDTH - 340 + 115 * i, 44, NAMES[kind], "value")]
    out += body + [text(GAP, max(columns) + 17 * i, line, "small") for i, line in enumerate(foot)]
    f.write("\n".join(out) + "\n</svg>\n")
