/* SPDX-License-Identifier: Apache-2.0 */
/* metric.c - the program's own figures, and how text is written of any. See metric.h. */
#include "runtime/base/errno.h"
#include "runtime/mem/mem.h"
#include "runtime/metric/metric_internal.h"

struct metric {
	char name[METRIC_NAME];
	_Atomic uint64_t sum; /* the counter itself */
	struct latency *l;    /* NULL: a counter */
};

static struct {
	struct spinlock lock; /* the table, and the histograms */
	uint32_t n;
	struct metric *by[METRICS_MAX];
} own;

const struct metric_point metric_points[METRIC_POINTS] = { { "0.5", 500000000 },
							   { "0.9", 900000000 },
							   { "0.99", 990000000 },
							   { "0.999", 999000000 },
							   { "1", 1000000000 } };

static bool good_name(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = s[i] | 0x20;

		if (!(c >= 'a' && c <= 'z') &&
		    !(i != 0 && ((s[i] >= '0' && s[i] <= '9') || s[i] == '_')))
			return false;
	}
	return len != 0 && len < METRIC_NAME;
}

static struct metric *make(const char *name, size_t len, bool histogram)
{
	struct metric *m = mem_zalloc(sizeof(*m));
	struct latency *l = histogram ? mem_zalloc(sizeof(*l)) : NULL;

	if (m == NULL || (histogram && l == NULL)) {
		mem_free(m, sizeof(*m));
		return NULL;
	}
	memcpy(m->name, name, len);
	m->l = l;
	if (l != NULL)
		latency_init(l);
	return m;
}

/* Under the lock. */
static struct metric *find(const char *name, size_t len)
{
	for (uint32_t i = 0; i < own.n; i++)
		if (strncmp(own.by[i]->name, name, len) == 0 && own.by[i]->name[len] == '\0')
			return own.by[i];
	return NULL;
}

struct metric *metric_find(const char *name, size_t len, bool histogram, int *why)
{
	struct metric *m, *fresh = NULL;

	*why = -EINVAL;
	if (!good_name(name, len))
		return NULL;
	spin_lock(&own.lock);
	m = find(name, len);
	spin_unlock(&own.lock);
	if (m == NULL) { /* memory is not asked for under the lock */
		fresh = make(name, len, histogram);
		spin_lock(&own.lock);
		m = find(name, len);
		*why = own.n == METRICS_MAX ? -ENOSPC : -ENOMEM;
		if (m == NULL && fresh != NULL && own.n < METRICS_MAX) {
			m = own.by[own.n] = fresh;
			own.n++;
			fresh = NULL;
		}
		spin_unlock(&own.lock);
	}
	if (fresh != NULL) {
		mem_free(fresh->l, sizeof(*fresh->l));
		mem_free(fresh, sizeof(*fresh));
	}
	if (m == NULL)
		return NULL;
	*why = (m->l != NULL) == histogram ? 0 : -EINVAL;
	return *why == 0 ? m : NULL;
}

struct metric *metric_counter(const char *name)
{
	int why;

	return metric_find(name, strlen(name), false, &why);
}

struct metric *metric_histogram(const char *name)
{
	int why;

	return metric_find(name, strlen(name), true, &why);
}

void metric_add(struct metric *m, uint64_t n)
{
	if (m != NULL)
		atomic_fetch_add_explicit(&m->sum, n, memory_order_relaxed);
}

void metric_record(struct metric *m, uint64_t value)
{
	if (m == NULL || m->l == NULL)
		return;
	spin_lock(&own.lock);
	latency_record(m->l, GW_MIN(value, LATENCY_MAX));
	spin_unlock(&own.lock);
	metric_add(m, value);
}

/* ---- text ---- */

void metric_put(const struct metric_out *o, const char *fmt, ...)
{
	char text[METRIC_LINE];
	va_list args;

	va_start(args, fmt);
	(void)fmt_vprint(text, sizeof(text), fmt, args);
	va_end(args);
	o->line(o->ctx, text);
}

void metric_head(const struct metric_out *o, const char *name, const char *type, const char *help)
{
	metric_put(o, "# HELP godwit_%s %s", name, help);
	metric_put(o, "# TYPE godwit_%s %s", name, type);
}

/* What is in the table stays there. */
static uint32_t count(void)
{
	uint32_t n;

	spin_lock(&own.lock);
	n = own.n;
	spin_unlock(&own.lock);
	return n;
}

static void put_histogram(const struct metric_out *o, const struct metric *m)
{
	for (uint32_t k = 0; k < METRIC_POINTS; k++)
		metric_put(o, "godwit_recorded{name=\"%s\",quantile=\"%s\"} %lu", m->name,
			   metric_points[k].name, histogram_at(&m->l->h, metric_points[k].ppb));
	metric_put(o, "godwit_recorded_sum{name=\"%s\"} %lu", m->name, m->sum);
	metric_put(o, "godwit_recorded_count{name=\"%s\"} %lu", m->name, histogram_count(&m->l->h));
}

void metric_lines(void (*line)(void *ctx, const char *text), void *ctx)
{
	const struct metric_out o = { line, ctx };
	uint32_t n = count();

	for (int histograms = 0; histograms < 2; histograms++) {
		bool first = true;

		for (uint32_t i = 0; i < n; i++) {
			const struct metric *m = own.by[i];

			if ((m->l != NULL) != histograms)
				continue;
			if (first && histograms)
				metric_head(&o, "recorded", "summary", "What the program records.");
			else if (first)
				metric_head(&o, "counted_total", "counter",
					    "What the program counts.");
			first = false;
			if (histograms)
				put_histogram(&o, m);
			else
				metric_put(&o, "godwit_counted_total{name=\"%s\"} %lu", m->name,
					   m->sum);
		}
	}
}

void metric_summary(void (*figure)(const char *name, uint64_t value))
{
	static const struct {
		const char *name;
		uint64_t ppb;
	} points[] = { { "p50", 500000000 }, { "p99", 990000000 }, { "max", 1000000000 } };
	uint32_t n = count();

	for (uint32_t i = 0; i < n; i++) {
		const struct metric *m = own.by[i];
		char name[METRIC_NAME + 8];

		if (m->l == NULL) {
			figure(m->name, m->sum);
			continue;
		}
		for (uint32_t k = 0; k < ARRAY_SIZE(points); k++) {
			fmt_print(name, sizeof(name), "%s_%s", m->name, points[k].name);
			figure(name, histogram_at(&m->l->h, points[k].ppb));
		}
	}
}
