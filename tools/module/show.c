/* SPDX-License-Identifier: Apache-2.0 */
/* show.c - a module's schedule and memory, to look at. See module.h.
 *
 *   core 0  |AAAAAAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBBBBB....|   */
#include <stdio.h>
#include <string.h>

#include "abi/colour.h"
#include "tools/module/module.h"

#define COLUMNS 64u

static char letter(const struct gw_bundle_slot *s)
{
	return s->partition == GW_WINDOW_POOL ? '*' : (char)('A' + s->partition);
}

static const char *owner(const struct module *m, const struct gw_bundle_slot *s)
{
	return s->partition == GW_WINDOW_POOL ? "pool" : m->partitions[s->partition].name;
}

/* Who runs in the middle of column i. */
static char column(const struct module *m, uint32_t core, uint32_t i)
{
	uint64_t at = (m->frame_ns * (2 * i + 1)) / (2 * COLUMNS);

	for (uint32_t k = 0; k < m->n_slots; k++) {
		const struct gw_bundle_slot *s = &m->slots[k];

		if (s->core == core && at >= s->offset_ns &&
		    at < (uint64_t)s->offset_ns + s->duration_ns)
			return letter(s);
	}
	return '.';
}

static bool has_windows(const struct module *m, uint32_t core)
{
	for (uint32_t i = 0; i < m->n_slots; i++)
		if (m->slots[i].core == core)
			return true;
	return false;
}

/* The vcores that run on a core, as "web.0 db.1". */
static void show_vcores(const struct module *m, uint32_t core, struct text *out)
{
	for (size_t i = 0; i < m->n_partitions; i++) {
		const struct module_partition *p = &m->partitions[i];

		for (uint32_t k = 0; k < p->o.vcores; k++)
			if ((p->first_core + k) % m->o.vcores == core)
				text_printf(out, " %s.%u", p->name, k);
	}
}

static void show_core(const struct module *m, uint32_t core, struct text *out)
{
	uint64_t used = 0;

	if (!has_windows(m, core)) {
		text_printf(out, "  core %-2u  in turn:", core);
		show_vcores(m, core, out);
		text_printf(out, "\n");
		return;
	}
	text_printf(out, "  core %-2u |", core);
	for (uint32_t i = 0; i < COLUMNS; i++) {
		char c = column(m, core, i);

		text_add(out, &c, 1);
	}
	for (uint32_t i = 0; i < m->n_slots; i++)
		used += m->slots[i].core == core ? m->slots[i].duration_ns : 0;
	text_printf(out, "| %.1f %% given\n", 100.0 * (double)used / (double)m->frame_ns);
	for (uint32_t i = 0; i < m->n_slots; i++) {
		const struct gw_bundle_slot *s = &m->slots[i];

		if (s->core == core)
			text_printf(out, "          %c %-24s %10.3f ms  for %10.3f ms%s\n",
				    letter(s), owner(m, s), (double)s->offset_ns / 1e6,
				    (double)s->duration_ns / 1e6,
				    s->flags & GW_WINDOW_ELASTIC ? "  elastic" : "");
	}
}

static void show_memory(const struct module *m, struct text *out)
{
	uint64_t sum = m->kernel_need + m->stretch, coloured = 0;

	text_printf(out, "memory: %.1f MiB\n", (double)m->o.memory / (1 << 20));
	text_printf(out, "  %-24s %10.1f MiB\n", "kernel, bundle, ports",
		    (double)m->kernel_need / (1 << 20));
	for (size_t i = 0; i < m->n_partitions; i++) {
		const struct module_partition *p = &m->partitions[i];

		*(p->colours == 0 ? &sum : &coloured) += p->o.memory + m->need[i];
		text_printf(out, "  %-24s %10.1f MiB + %.1f MiB page tables and data", p->name,
			    (double)p->o.memory / (1 << 20), (double)m->need[i] / (1 << 20));
		text_printf(out, "%s\n", p->colours != 0 ? ", of its colours" : "");
	}
	if (m->stretch > coloured)
		text_printf(out, "  %-24s %10.1f MiB\n", "colours that nobody has",
			    (double)(m->stretch - coloured) / (1 << 20));
	if (m->o.memory > sum)
		text_printf(out, "  %-24s %10.1f MiB\n", "unused",
			    (double)(m->o.memory - sum) / (1 << 20));
}

/* Who has which page colours: # it has this one. */
static void show_colours(const struct module *m, struct text *out)
{
	uint32_t n = m->colours != 0 ? m->colours : GW_COLOURS_MAX;

	if (m->stretch == 0)
		return;
	text_printf(out, "page colours: %u%s\n", n,
		    m->colours != 0 ? "" : " at most, as the CPU's caches have them");
	for (size_t i = 0; i < m->n_partitions; i++) {
		const struct module_partition *p = &m->partitions[i];

		text_printf(out, "  %c %-22s |", (char)('A' + i), p->name);
		for (uint32_t c = 0; c < n; c++)
			text_printf(out, "%c",
				    p->colours == 0 || (p->colours >> c & 1) ? '#' : '.');
		text_printf(out, "|%s\n", p->colours == 0 ? " all" : "");
	}
}

static void show_channels(const struct module *m, struct text *out)
{
	if (m->n_channels != 0)
		text_printf(out, "channels:\n");
	for (size_t i = 0; i < m->n_channels; i++) {
		const struct module_channel *c = &m->channels[i];

		text_printf(out, "  %-24s %s, %u bytes", c->name,
			    c->queuing ? "queuing" : "sampling", (unsigned int)c->bytes);
		if (c->queuing)
			text_printf(out, ", %u deep", (unsigned int)c->depth);
		if (c->refresh_ns != 0)
			text_printf(out, ", valid for %.3f ms", (double)c->refresh_ns / 1e6);
		text_printf(out, ": %s:%s ->", c->from.partition, c->from.port);
		for (size_t k = 0; k < c->n_to; k++)
			text_printf(out, " %s:%s", c->to[k].partition, c->to[k].port);
		text_printf(out, "\n");
	}
}

/* Each partition's devices, as lspci names them, and what their DMA reaches: one domain for all of
 * a partition's. */
static void show_devices(const struct module *m, struct text *out)
{
	static const char *const kinds[] = { "console", "network", "disk", "random" };

	text_printf(out, "devices:\n");
	for (size_t i = 0; i < m->n_partitions; i++) {
		const struct module_partition *p = &m->partitions[i];
		bool has[] = { true, p->o.net != NET_NONE, strcmp(p->o.root, "blk") == 0,
			       !p->o.no_random };
		unsigned int fn = 0, n = (unsigned int)module_devices(m, i);
		char domain[64];

		snprintf(domain, sizeof(domain),
			 p->o.isolated ? "isolated: memory of %.32s" : "trusted: all memory",
			 p->name);
		for (size_t k = 0; k < 4 && fn < n && m->o.machine == MACHINE_Q35; k++)
			if (has[k])
				text_printf(out, "  %-24s 00:%02zx.%u  %-8s dma %s\n", p->name,
					    i + 1, fn++, kinds[k], domain);
		for (size_t k = 0; k < p->n_pci; k++)
			text_printf(out, "  %-24s %02x:%02x.%u  %-8s dma %s\n", p->name,
				    p->pci[k] >> 8, p->pci[k] >> 3 & 31, p->pci[k] & 7, "PCI",
				    domain);
		if (m->o.machine == MACHINE_MICROVM)
			text_printf(out, "  %-24s virtio-mmio       dma %s\n", p->name, domain);
	}
}

void module_show(const struct module *m, struct text *out)
{
	static const char *const policies[] = { "fixed", "latency", "batch" };
	static const char *const personalities[] = { "linux", "native", "arinc653" };

	text_printf(out, "partitions:\n");
	for (size_t i = 0; i < m->n_partitions; i++) {
		const struct module_partition *p = &m->partitions[i];

		text_printf(out, "  %c %-22s %s, %u vcore%s, %s:", (char)('A' + i), p->name,
			    personalities[p->personality], p->o.vcores, p->o.vcores == 1 ? "" : "s",
			    policies[p->policy]);
		for (size_t k = 0; k < p->argv.n; k++)
			text_printf(out, " %s", p->argv.v[k]);
		text_printf(out, "\n");
	}
	text_printf(out, "schedule:");
	if (m->n_slots != 0)
		text_printf(out, " major frame %.3f ms (* pool, . nobody)",
			    (double)m->frame_ns / 1e6);
	text_printf(out, "\n");
	for (uint32_t c = 0; c < m->o.vcores; c++)
		show_core(m, c, out);
	show_channels(m, out);
	show_devices(m, out);
	show_memory(m, out);
	show_colours(m, out);
}

#define SVG_WIDTH 960.0
#define SVG_LEFT 70.0
#define SVG_ROW 44.0

static void svg_slot(const struct module *m, const struct gw_bundle_slot *s, struct text *out)
{
	static const char *const colours[] = { "#4e79a7", "#f28e2b", "#59a14f", "#e15759",
					       "#76b7b2", "#edc948", "#b07aa1", "#9c755f" };
	double scale = SVG_WIDTH / (double)m->frame_ns;
	double x = SVG_LEFT + s->offset_ns * scale, y = 20 + s->core * SVG_ROW;
	bool pool = s->partition == GW_WINDOW_POOL;

	text_printf(out,
		    "<g><title>%s: %.3f ms for %.3f ms</title><rect x=\"%.2f\" y=\"%.1f\" "
		    "width=\"%.2f\" height=\"30\" fill=\"%s\" stroke=\"white\"/><text x=\"%.2f\" "
		    "y=\"%.1f\">%s</text></g>\n",
		    owner(m, s), s->offset_ns / 1e6, s->duration_ns / 1e6, x, y,
		    s->duration_ns * scale, pool ? "#bab0ac" : colours[s->partition % 8], x + 4,
		    y + 19, owner(m, s));
}

void module_svg(const struct module *m, struct text *out)
{
	double height = 50 + m->o.vcores * SVG_ROW;

	text_printf(out,
		    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
		    "font-family=\"sans-serif\" font-size=\"12\">\n",
		    SVG_LEFT + SVG_WIDTH + 20, height);
	for (uint32_t c = 0; c < m->o.vcores; c++)
		text_printf(out,
			    "<text x=\"8\" y=\"%.1f\">core %u</text><rect x=\"%.1f\" y=\"%.1f\" "
			    "width=\"%.1f\" height=\"30\" fill=\"#eeeeee\"/>\n",
			    39 + c * SVG_ROW, c, SVG_LEFT, 20 + c * SVG_ROW, SVG_WIDTH);
	for (uint32_t i = 0; i < m->n_slots; i++)
		svg_slot(m, &m->slots[i], out);
	for (int i = 0; i <= 10 && m->n_slots != 0; i++)
		text_printf(out, "<text x=\"%.1f\" y=\"%.1f\">%.4g ms</text>\n",
			    SVG_LEFT + SVG_WIDTH * i / 10 - (i == 10 ? 30 : 0), height - 10,
			    (double)m->frame_ns * i / 1e7);
	text_printf(out, "</svg>\n");
}
