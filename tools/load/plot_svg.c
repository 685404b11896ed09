/* SPDX-License-Identifier: Apache-2.0 */
/* plot_svg.c - charts as SVG, without any library: axes in decades or evenly divided, lines, a
 * legend. See plot.h. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "tools/load/plot.h"
#include "tools/load/units.h"

#define WIDTH 960.0
#define HEIGHT 420.0
#define LEFT 90.0
#define RIGHT 24.0
#define TOP 70.0
#define BOTTOM 56.0

static const char *const colors[] = { "#1f6fb4", "#d1495b", "#2e8b57", "#8e5ea2",
				      "#d98c21", "#3aa6a6", "#6b6b6b", "#a0522d" };

struct scale {
	double low, high, from, to; /* data low..high lies at from..to */
	bool log;
};

static double place(const struct scale *s, double v)
{
	double part;

	if (s->log)
		part = log10(fmax(v, s->low) / s->low) / log10(s->high / s->low);
	else
		part = (v - s->low) / (s->high - s->low);
	return s->from + fmin(fmax(part, 0), 1) * (s->to - s->from);
}

/* 1, 2 or 5 times a power of ten that divides the span into at most eight. */
static double step_of(double span)
{
	double raw = span / 8, power = pow(10, floor(log10(raw)));

	return raw <= power	  ? power
	       : raw <= 2 * power ? 2 * power
	       : raw <= 5 * power ? 5 * power
				  : 10 * power;
}

static struct scale scale_of(const struct plot_chart *c, bool y, double from, double to)
{
	const struct plot_axis *axis = y ? &c->y : &c->x;
	struct scale s = {
		.low = INFINITY, .high = -INFINITY, .from = from, .to = to, .log = axis->log
	};

	for (size_t i = 0; i < c->n; i++) {
		for (size_t j = 0; j < c->lines[i].n; j++) {
			double v = y ? c->lines[i].p[j].y : c->lines[i].p[j].x;

			if (axis->log && v <= 0)
				continue;
			s.low = fmin(s.low, v);
			s.high = fmax(s.high, v);
		}
	}
	if (!(s.low <= s.high)) {
		s.low = 1;
		s.high = 10;
	}
	if (axis->log) {
		s.low = pow(10, floor(log10(s.low) + 1e-9));
		s.high = pow(10, ceil(log10(s.high) - 1e-9));
		if (s.high <= s.low)
			s.high = s.low * 10;
	} else {
		double step;

		s.low = fmin(s.low, 0);
		if (s.high <= s.low)
			s.high = s.low + 1;
		step = step_of(s.high - s.low);
		s.high = ceil(s.high / step - 1e-9) * step;
	}
	return s;
}

static void escaped(FILE *f, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '<')
			fputs("&lt;", f);
		else if (*s == '&')
			fputs("&amp;", f);
		else if (*s == '>')
			fputs("&gt;", f);
		else
			fputc((unsigned char)*s < 0x20 ? ' ' : *s, f);
	}
}

static void label(FILE *f, const struct plot_axis *a, double v)
{
	if (a->time)
		fputs(show_ns((uint64_t)v), f);
	else if (a->tail)
		fprintf(f, "%s", v < 1.5 ? "0 %" : show_ppb((uint64_t)llround((1 - 1 / v) * 1e9)));
	else
		fprintf(f, "%g", v);
}

static void tick(FILE *f, const struct plot_axis *a, const struct scale *s, bool y, double top,
		 double v, bool named)
{
	double at = place(s, v);

	if (y)
		fprintf(f, "<line x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f' class='%s'/>\n", LEFT,
			WIDTH - RIGHT, at, at, named ? "grid" : "fine");
	else
		fprintf(f, "<line x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f' class='%s'/>\n", at, at,
			top + TOP, top + HEIGHT - BOTTOM, named ? "grid" : "fine");
	if (!named)
		return;
	if (y)
		fprintf(f, "<text x='%.1f' y='%.1f' text-anchor='end'>", LEFT - 8, at + 4);
	else
		fprintf(f, "<text x='%.1f' y='%.1f' text-anchor='middle'>", at,
			top + HEIGHT - BOTTOM + 18);
	label(f, a, v);
	fputs("</text>\n", f);
}

static void axis(FILE *f, const struct plot_axis *a, const struct scale *s, bool y, double top)
{
	if (s->log) {
		for (double decade = s->low; decade < s->high * 1.5; decade *= 10) {
			tick(f, a, s, y, top, decade, true);
			for (int i = 2; i < 10 && decade * i < s->high; i++)
				tick(f, a, s, y, top, decade * i, false);
		}
	} else {
		double step = step_of(s->high - s->low);

		for (double v = s->low; v <= s->high + step / 2; v += step)
			tick(f, a, s, y, top, v, true);
	}
	if (y)
		fprintf(f, "<text transform='translate(18 %.1f) rotate(-90)' text-anchor='middle'>",
			top + HEIGHT / 2);
	else
		fprintf(f, "<text x='%.1f' y='%.1f' text-anchor='middle'>", WIDTH / 2,
			top + HEIGHT - 16);
	escaped(f, a->title);
	fputs("</text>\n", f);
}

static void line(FILE *f, const struct plot_line *l, const struct scale *x, const struct scale *y)
{
	fprintf(f,
		"<polyline fill='none' stroke='%s' stroke-width='1.8' stroke-dasharray='%s' "
		"points='",
		colors[l->color % 8], l->dash);
	for (size_t i = 0; i < l->n; i++) {
		if (i > 0 && !l->joined)
			fprintf(f, "%.1f,%.1f ", place(x, l->p[i].x), place(y, l->p[i - 1].y));
		fprintf(f, "%.1f,%.1f ", place(x, l->p[i].x), place(y, l->p[i].y));
	}
	fputs("'/>\n", f);
}

static void chart(FILE *f, const struct plot_chart *c, double top)
{
	struct scale x = scale_of(c, false, LEFT, WIDTH - RIGHT);
	struct scale y = scale_of(c, true, top + HEIGHT - BOTTOM, top + TOP);
	double at = LEFT, row = top + 46;

	fprintf(f, "<text x='%.1f' y='%.1f' class='title'>", LEFT, top + 26);
	escaped(f, c->title);
	fputs("</text>\n", f);
	axis(f, &c->x, &x, false, top);
	axis(f, &c->y, &y, true, top);
	for (size_t i = 0; i < c->n; i++) {
		const struct plot_line *l = &c->lines[i];

		line(f, l, &x, &y);
		if (l->name == NULL)
			continue;
		if (at > LEFT && at + 48 + 7.0 * (double)strlen(l->name) > WIDTH) {
			at = LEFT;
			row += 15;
		}
		fprintf(f,
			"<line x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f' stroke='%s' "
			"stroke-width='2.5' "
			"stroke-dasharray='%s'/>\n<text x='%.1f' y='%.1f'>",
			at, at + 24, row, row, colors[l->color % 8], l->dash, at + 30, row + 4);
		escaped(f, l->name);
		fputs("</text>\n", f);
		at += 48 + 7.0 * (double)strlen(l->name);
	}
}

void plot_page(FILE *f, const char *title, const struct plot_chart *charts, size_t n)
{
	fprintf(f,
		"<?xml version='1.0' encoding='UTF-8'?>\n<svg xmlns='http://www.w3.org/2000/svg' "
		"width='%.0f' "
		"height='%.0f' viewBox='0 0 %.0f %.0f'>\n<title>",
		WIDTH, HEIGHT * (double)n, WIDTH, HEIGHT * (double)n);
	escaped(f, title);
	fputs("</title>\n<style>text{font:12px "
	      "sans-serif;fill:#222}.title{font-size:16px;font-weight:bold}"
	      ".grid{stroke:#bbb;stroke-width:.8}.fine{stroke:#e4e4e4;stroke-width:.6}</style>\n"
	      "<rect width='100%' height='100%' fill='white'/>\n",
	      f);
	for (size_t i = 0; i < n; i++)
		chart(f, &charts[i], HEIGHT * (double)i);
	fputs("</svg>\n", f);
}
