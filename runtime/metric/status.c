/* SPDX-License-Identifier: Apache-2.0 */
/* status.c - the kernel's own figures of a machine of several partitions (abi/status.h) as text:
 * windows and how late they began, elastic partitions and their cores. Any partition tells them of
 * all; `owner` is a partition's number in the manifest. The kernel is trusted. */
#include "abi/bundle.h"
#include "runtime/metric/metric_internal.h"

#define SECOND 1000000000ul

/* A figure of a window or an elastic partition. ns: in seconds; else a number. */
struct field {
	const char *name, *type, *help;
	uint16_t offset;
	bool ns;
};
#define WINDOW(field) offsetof(struct gw_status_window, field)
#define PART(field) offsetof(struct gw_status_partition, field)

static const struct field window_fields[] = {
	{ "window_offset_seconds", "gauge", "Start in the major frame.", WINDOW(offset_ns), true },
	{ "window_duration_seconds", "gauge", "Of a window.", WINDOW(duration_ns), true },
	{ "window_starts_total", "counter", "Times a window began.", WINDOW(starts), false },
	{ "window_missed_total", "counter", "Windows that passed unused.", WINDOW(missed), false },
};
static const struct field part_fields[] = {
	{ "elastic_grants_total", "counter", "Cores given.", PART(grants), false },
	{ "elastic_revokes_total", "counter", "Cores taken for another.", PART(revokes), false },
};
static const struct point {
	const char *name;
	uint32_t ppm;
} points[] = { { "0.5", 500000 }, { "0.99", 990000 }, { "0.9999", 999900 }, { "1", 1000000 } };

/* The first of the upper ends of the buckets (gw_status_bucket) that is not below `ppm` millionths
 * of what was counted: too high by a quarter at most, and never above the longest. The last bucket
 * has no end but that. */
static uint64_t at(const uint32_t *buckets, uint64_t ppm, uint64_t most)
{
	uint64_t all = 0, seen = buckets[0], end;
	uint32_t b = 0;

	for (uint32_t i = 0; i < GW_STATUS_BUCKETS; i++)
		all += buckets[i];
	while (b < GW_STATUS_BUCKETS - 1 && seen * 1000000 < all * ppm)
		seen += buckets[++b];
	if (ppm == 1000000 || b == GW_STATUS_BUCKETS - 1)
		return most;
	end = b < 8 ? b : ((uint64_t)((b - 8) % 4 + 5) << ((b - 8) / 4 + 1)) - 1;
	return GW_MIN(end, most);
}

/* Labels: who it is about. */
static void labels(char to[64], const struct gw_status_window *w, uint32_t number)
{
	if (w == NULL)
		fmt_print(to, 64, "owner=\"%u\"", number);
	else if (w->partition == GW_WINDOW_POOL)
		fmt_print(to, 64, "window=\"%u\",core=\"%u\",owner=\"pool\"", number, w->core);
	else
		fmt_print(to, 64, "window=\"%u\",core=\"%u\",owner=\"%u\"", number, w->core,
			  w->partition);
}

static void put(const struct metric_out *o, const struct field *f, const char *who, uint64_t v)
{
	if (f->ns)
		metric_put(o, "godwit_%s{%s} %lu.%09lu", f->name, who, v / SECOND, v % SECOND);
	else
		metric_put(o, "godwit_%s{%s} %lu", f->name, who, v);
}

static uint64_t word(const void *from, const struct field *f)
{
	return __atomic_load_n((const uint64_t *)(const void *)((const char *)from + f->offset),
			       __ATOMIC_RELAXED);
}

static void put_summary(const struct metric_out *o, const char *name, const char *who,
			const void *buckets, uint64_t most, uint64_t sum)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(points); i++) {
		uint64_t v = at(buckets, points[i].ppm, most);

		metric_put(o, "godwit_%s{%s,quantile=\"%s\"} %lu.%09lu", name, who, points[i].name,
			   v / SECOND, v % SECOND);
	}
	metric_put(o, "godwit_%s_sum{%s} %lu.%09lu", name, who, sum / SECOND, sum % SECOND);
}

static void put_windows(const struct metric_out *o, const struct gw_status *s)
{
	char who[64];

	for (uint32_t k = 0; k < ARRAY_SIZE(window_fields); k++) {
		const struct field *f = &window_fields[k];

		metric_head(o, f->name, f->type, f->help);
		for (uint32_t i = 0; i < s->n_windows; i++) {
			labels(who, &s->windows[i], i);
			put(o, f, who, word(&s->windows[i], f));
		}
	}
	metric_head(o, "window_late_seconds", "summary", "Lateness of windows' starts.");
	for (uint32_t i = 0; i < s->n_windows; i++) {
		const struct gw_status_window *w = &s->windows[i];

		labels(who, w, i);
		put_summary(o, "window_late_seconds", who, w->late, w->late_max, w->late_sum);
	}
}

static void put_elastic(const struct metric_out *o, const struct gw_status *s)
{
	static const char *const policies[] = { "fixed", "latency", "batch" };
	char who[64];

	metric_head(o, "elastic_cores", "gauge", "Cores of the elastic pool that it holds.");
	for (uint32_t i = 0; i < s->n_partitions; i++) {
		const struct gw_status_partition *p = &s->partitions[i];

		if (p->cores_max != 0)
			metric_put(o,
				   "godwit_elastic_cores{owner=\"%u\",policy=\"%s\",least=\"%u\","
				   "most=\"%u\"} %u",
				   i, policies[p->policy < 3 ? p->policy : 0], p->cores_min,
				   p->cores_max, p->cores);
	}
	for (uint32_t k = 0; k < ARRAY_SIZE(part_fields); k++) {
		metric_head(o, part_fields[k].name, part_fields[k].type, part_fields[k].help);
		for (uint32_t i = 0; i < s->n_partitions; i++) {
			labels(who, NULL, i);
			if (s->partitions[i].cores_max != 0)
				put(o, &part_fields[k], who,
				    word(&s->partitions[i], &part_fields[k]));
		}
	}
	metric_head(o, "elastic_move_seconds", "summary", "From a core's grant to its first use.");
	for (uint32_t i = 0; i < s->n_partitions; i++) {
		const struct gw_status_partition *p = &s->partitions[i];

		labels(who, NULL, i);
		if (p->cores_max != 0)
			put_summary(o, "elastic_move_seconds", who, (const void *)p->move,
				    p->move_max, p->move_sum);
	}
}

void metric_status_lines(const struct gw_status *s, void (*line)(void *ctx, const char *text),
			 void *ctx)
{
	const struct metric_out o = { line, ctx };

	if (s->n_windows != 0)
		put_windows(&o, s);
	put_elastic(&o, s);
}
