/* SPDX-License-Identifier: Apache-2.0 */
/* metric_test.c - a program's own figures: by one call, bounded, as text; and the shards' lines
 * with every reason of a drop. */
#include <stdlib.h>

#include "runtime/base/errno.h"
#include "runtime/mem/mem.h"
#include "runtime/metric/metric.h"
#include "runtime/netglue/glue.h"
#include "tests/unit.h"

/* ---- stand-ins ---- */

struct shard *shards[SHARD_MAX];
uint32_t n_shards;
static struct net_counters counters;
static struct net_glue_drops glue_drops = { .shard_full = 101, .ring_full = 102 };
static struct netdev_drops device_drops = { .no_buffer = 103, .device = 104 };
static bool out_of_memory;
static size_t outstanding;

struct shard *shard_self_host(void)
{
	return shards[0];
}
const struct net_counters *net_counters(const struct net_stack *s)
{
	(void)s;
	return &counters;
}
const struct net_glue_drops *net_glue_drops(uint32_t shard)
{
	return shard == 0 ? &glue_drops : NULL;
}
uint64_t mem_total_pages(void)
{
	return 1000;
}

uint64_t mem_free_pages(void)
{
	return 250;
}

const struct netdev_drops *net_glue_device_drops(uint32_t shard)
{
	return shard == 0 ? &device_drops : NULL;
}
void *mem_zalloc(size_t n)
{
	void *p = out_of_memory ? NULL : calloc(1, n);

	outstanding += p != NULL ? n : 0;
	return p;
}
void mem_free(void *p, size_t n)
{
	outstanding -= p != NULL ? n : 0;
	free(p);
}

static char text[65536];

static void line(void *ctx, const char *s)
{
	(void)ctx;
	CHECK(strlen(s) < METRIC_LINE);
	CHECK(strchr(s, '\n') == NULL);
	strcat(text, s);
	strcat(text, "\n");
}

static void figure(const char *name, uint64_t value)
{
	char s[80];

	snprintf(s, sizeof(s), "%s %" PRIu64, name, value);
	line(NULL, s);
}

static bool has(const char *s)
{
	return strstr(text, s) != NULL;
}

/* ---- tests ---- */

TEST(one_call_each)
{
	metric_add(metric_counter("requests"), 1);
	metric_add(metric_counter("requests"), 41);
	for (uint64_t v = 1; v <= 100; v++)
		metric_record(metric_histogram("request_ns"), v * 1000);
	text[0] = '\0';
	metric_lines(line, NULL);
	CHECK(has("# TYPE godwit_counted_total counter\ngodwit_counted_total{name=\"requests\"} "
		  "42\n"));
	CHECK(has("# TYPE godwit_recorded summary\n"));
	CHECK(has("godwit_recorded_count{name=\"request_ns\"} 100\n"));
	CHECK(has("godwit_recorded_sum{name=\"request_ns\"} 5050000\n"));
	CHECK(has("godwit_recorded{name=\"request_ns\",quantile=\"1\"} 100"));
	text[0] = '\0';
	metric_summary(figure);
	CHECK(has("requests 42\n") && has("request_ns_p50 5") && has("request_ns_p99 "));
	CHECK(has("request_ns_max 100"));
}

TEST(refused)
{
	static const char *const bad[] = {
		"", "1x", "_x", "a b", "a-b", "\xc3\xa4", "a_name_that_is_much_too_long_to_be"
	};
	char name[16];
	unsigned n = 0;
	size_t before;
	int why;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK(metric_counter(bad[i]) == NULL);
		CHECK(metric_find(bad[i], strlen(bad[i]), true, &why) == NULL && why == -EINVAL);
	}
	/* a name is of one kind */
	CHECK(metric_counter("kind") != NULL);
	CHECK(metric_histogram("kind") == NULL);
	CHECK(metric_find("kind", 4, true, &why) == NULL && why == -EINVAL);
	CHECK(metric_find("kindness", 4, false, &why) == metric_counter("kind") && why == 0);
	/* nothing happens to what is not there */
	metric_add(NULL, 5);
	metric_record(NULL, 5);
	metric_record(metric_counter("kind"), 5);
	out_of_memory = true;
	CHECK(metric_find("fresh", 5, true, &why) == NULL && why == -ENOMEM);
	out_of_memory = false;
	do
		snprintf(name, sizeof(name), "n%u", n++);
	while (metric_counter(name) != NULL);
	CHECK(metric_find(name, strlen(name), false, &why) == NULL && why == -ENOSPC);
	before = outstanding;
	CHECK(metric_histogram("one_more") == NULL);
	CHECK_EQ(outstanding, before);
	CHECK(metric_counter("kind") != NULL); /* those that are there stay */
	CHECK(metric_counter("n0") != NULL);
}

/* Every word of the stack's counters that is a drop comes out under a reason of its own. */
TEST(every_drop)
{
	static struct shard s[2];
	static struct gw_vcore vcore;
	static struct latency l[LATENCY_KINDS];
	uint64_t *first = &counters.drop_short, *last = &counters.tx_full, i = 0;
	char want[40];

	for (uint32_t k = 0; k < LATENCY_KINDS; k++)
		latency_init(&l[k]);
	latency_record(&l[LATENCY_NET_RECV], 1500);
	for (uint64_t *p = first; p <= last; p++)
		*p = 1000 + i++;
	CHECK_EQ(i, 17);
	n_shards = 2;
	for (uint32_t k = 0; k < 2; k++) {
		s[k] = (struct shard){ .id = k, .vcore = &vcore, .latency = l };
		shards[k] = &s[k];
	}
	s[0].net = (struct net_stack *)(void *)&counters;
	text[0] = '\0';
	metric_memory_lines(line, NULL);
	CHECK(has("godwit_memory_bytes{state=\"total\"} 4096000\n"));
	CHECK(has("godwit_memory_bytes{state=\"free\"} 1024000\n"));
	metric_shard_lines(line, NULL);
	for (uint64_t k = 0; k < i; k++) {
		snprintf(want, sizeof(want), "\"} %" PRIu64 "\n", 1000 + k);
		CHECK(has(want));
	}
	CHECK(has("godwit_drops_total{shard=\"0\",reason=\"ring_full\"} 1016\n"));
	CHECK(has("godwit_drops_total{shard=\"0\",reason=\"shard_full\"} 101\n"
		  "godwit_drops_total{shard=\"0\",reason=\"relay_ring_full\"} 102\n"
		  "godwit_drops_total{shard=\"0\",reason=\"no_buffer\"} 103\n"
		  "godwit_drops_total{shard=\"0\",reason=\"device\"} 104\n"));
	CHECK(!has("godwit_drops_total{shard=\"1\""));
	CHECK(has("godwit_net_receive_seconds_count{shard=\"1\"} 1\n"));
	CHECK(has("godwit_net_receive_seconds{shard=\"0\",quantile=\"1\"} 0.0000015"));
	metric_memory_lines(line, NULL);
	CHECK(has("godwit_memory_bytes{state=\"total\"} 4096000") &&
	      has("godwit_memory_bytes{state=\"free\"} 1024000"));
	CHECK(has("# HELP godwit_drops_total ") && has("# TYPE godwit_threads gauge\n"));
}

/* The kernel's page: windows and their lateness, elastic partitions and their cores. */
TEST(status)
{
	static struct {
		struct gw_status s;
		struct gw_status_window w[2];
	} page = { .s = { .n_windows = 2, .n_partitions = 2 } };
	struct gw_status_window *w = page.s.windows;
	struct gw_status_partition *p = &page.s.partitions[1];

	w[0] = (struct gw_status_window){ .core = 3,
					  .partition = 1,
					  .offset_ns = 2000000,
					  .duration_ns = 1500000000,
					  .starts = 100,
					  .missed = 7,
					  .late_max = 999,
					  .late_sum = 1000000003 };
	w[1] = (struct gw_status_window){ .partition = 0xff };
	for (uint32_t i = 0; i < 98; i++)
		w[0].late[gw_status_bucket(5)]++;
	w[0].late[gw_status_bucket(100)]++;
	w[0].late[gw_status_bucket(999)]++;
	w[1].starts = w[1].late[gw_status_bucket(1u << 30)] = 4;
	w[1].late_max = 1u << 30;
	*p = (struct gw_status_partition){ .policy = 2,
					   .cores = 2,
					   .cores_min = 1,
					   .cores_max = 4,
					   .grants = 50,
					   .revokes = 48,
					   .move_max = 15,
					   .move_sum = 70 };
	p->move[gw_status_bucket(9)] = 50;
	text[0] = '\0';
	metric_status_lines(&page.s, line, NULL);
	CHECK(has(
		"godwit_window_offset_seconds{window=\"0\",core=\"3\",owner=\"1\"} 0.002000000\n"));
	CHECK(has("godwit_window_duration_seconds{window=\"0\",core=\"3\",owner=\"1\"} "
		  "1.500000000\n"));
	CHECK(has("godwit_window_starts_total{window=\"1\",core=\"0\",owner=\"pool\"} 4\n"));
	CHECK(has("godwit_window_missed_total{window=\"0\",core=\"3\",owner=\"1\"} 7\n"));
#define LATE "godwit_window_late_seconds{window=\"0\",core=\"3\",owner=\"1\",quantile="
	CHECK(has(LATE "\"0.5\"} 0.000000005\n"));
	CHECK(has(LATE "\"0.99\"} 0.000000111\n"));
	CHECK(has(LATE "\"0.9999\"} 0.000000999\n"));
	CHECK(has(LATE "\"1\"} 0.000000999\n"));
	CHECK(has("godwit_window_late_seconds_sum{window=\"0\",core=\"3\",owner=\"1\"} "
		  "1.000000003\n"));
	CHECK(has("window=\"1\",core=\"0\",owner=\"pool\",quantile=\"0.5\"} 1.073741824\n"));
	CHECK(has("godwit_elastic_cores{owner=\"1\",policy=\"batch\",least=\"1\",most=\"4\"} 2\n"));
	CHECK(has("godwit_elastic_grants_total{owner=\"1\"} 50\n"));
	CHECK(has("godwit_elastic_revokes_total{owner=\"1\"} 48\n"));
	CHECK(has("godwit_elastic_move_seconds{owner=\"1\",quantile=\"0.99\"} 0.000000009\n"));
	CHECK(!has("owner=\"0\""));
}

UNIT_MAIN(CASE(one_call_each), CASE(refused), CASE(every_drop), CASE(status))
