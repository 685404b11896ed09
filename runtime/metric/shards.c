/* SPDX-License-Identifier: Apache-2.0 */
/* shards.c - every shard's latencies and counters as text. Values of other shards are read without
 * a lock: each is whole, and may be a little old. */
#include "runtime/mem/mem.h"
#include "runtime/metric/metric_internal.h"
#include "runtime/netglue/glue.h"

#define SECOND 1000000000ul

/* ---- latencies ---- */

static const struct {
	const char *name, *help;
} kinds[LATENCY_KINDS] = {
	[LATENCY_QUEUE] = { "queue_delay",
			    "Time that program threads were ready before they ran." },
	[LATENCY_RUN] = { "run", "Time that program threads ran at a stretch." },
	[LATENCY_WAIT] = { "wait",
			   "Time that program threads were parked before they were woken." },
	[LATENCY_NET_RECV] = { "net_receive",
			       "Time from a packet in the receive ring to the thread it woke." },
	[LATENCY_NET_SEND] = { "net_send",
			       "Time from a program's write to the device told of it." },
	[LATENCY_SOCKET_RECV] = { "socket_receive_wait",
				  "Time that calls waited in a socket for something to take." },
	[LATENCY_SOCKET_SEND] = { "socket_send_wait",
				  "Time that calls waited in a socket for room or a connection." },
};

static void put_seconds(const struct metric_out *o, const char *name, uint32_t shard,
			const struct histogram *h)
{
	uint64_t n = histogram_count(h), sum = n * histogram_mean(h);

	for (uint32_t i = 0; i < METRIC_POINTS; i++) {
		uint64_t v = histogram_at(h, metric_points[i].ppb);

		metric_put(o, "godwit_%s_seconds{shard=\"%u\",quantile=\"%s\"} %lu.%09lu", name,
			   shard, metric_points[i].name, v / SECOND, v % SECOND);
	}
	metric_put(o, "godwit_%s_seconds_sum{shard=\"%u\"} %lu.%09lu", name, shard, sum / SECOND,
		   sum % SECOND);
	metric_put(o, "godwit_%s_seconds_count{shard=\"%u\"} %lu", name, shard, n);
}

static void put_latencies(const struct metric_out *o)
{
	for (uint32_t k = 0; k < LATENCY_KINDS; k++) {
		metric_put(o, "# HELP godwit_%s_seconds %s", kinds[k].name, kinds[k].help);
		metric_put(o, "# TYPE godwit_%s_seconds summary", kinds[k].name);
		for (uint32_t i = 0; i < n_shards; i++)
			put_seconds(o, kinds[k].name, i, &shards[i]->latency[k].h);
	}
}

void metric_sum(enum latency_kind kind, struct latency *to)
{
	latency_init(to);
	for (uint32_t i = 0; i < n_shards; i++)
		histogram_merge(&to->h, &shards[i]->latency[kind].h);
}

/* ---- counters ---- */

/* Words of a shard's structures: a family's lines differ in one label's value. */
struct word {
	char value[16]; /* "": no label */
	uint16_t offset;
};
enum source { NET, SCHED, GLUE, DEVICE };
struct family {
	const char *name, *label, *help; /* help NULL: the family before goes on */
	enum source source;
	const struct word *words;
	uint32_t n;
};
#define NET_WORD(value, field)                              \
	{                                                   \
		value, offsetof(struct net_counters, field) \
	}
#define SCHED_WORD(value, field)                           \
	{                                                  \
		value, offsetof(struct shard_stats, field) \
	}

static const struct word packets[] = { NET_WORD("in", rx_packets), NET_WORD("out", tx_packets) };
static const struct word bytes[] = { NET_WORD("in", rx_bytes), NET_WORD("out", tx_bytes) };
static const struct word connections[] = { NET_WORD("accepted", conns_accepted),
					   NET_WORD("opened", conns_opened),
					   NET_WORD("reset", conns_reset) };
static const struct word retransmits[] = { NET_WORD("", retransmits) };
static const struct word drops[] = {
	NET_WORD("short", drop_short),	      NET_WORD("checksum", drop_csum),
	NET_WORD("protocol", drop_proto),     NET_WORD("address", drop_addr),
	NET_WORD("no_port", drop_noport),     NET_WORD("no_memory", drop_nomem),
	NET_WORD("fragment", drop_frag),      NET_WORD("arp", drop_arp),
	NET_WORD("sequence", drop_seq),	      NET_WORD("duplicate", drop_dup),
	NET_WORD("closed", drop_closed),      NET_WORD("queue_full", drop_queue),
	NET_WORD("socket_full", drop_socket), NET_WORD("backlog", drop_backlog),
	NET_WORD("rate_limit", drop_rate),    NET_WORD("no_route", drop_route),
	NET_WORD("ring_full", tx_full),
};
static const struct word glue_drops[] = {
	{ "shard_full", offsetof(struct net_glue_drops, shard_full) },
	{ "relay_ring_full", offsetof(struct net_glue_drops, ring_full) },
};
static const struct word device_drops[] = {
	{ "no_buffer", offsetof(struct netdev_drops, no_buffer) },
	{ "device", offsetof(struct netdev_drops, device) },
};
static const struct word wakes[] = { SCHED_WORD("own", wakes_local),
				     SCHED_WORD("other", wakes_remote) };
static const struct word sched[][1] = {
	{ SCHED_WORD("", parks) }, { SCHED_WORD("", switches) },    { SCHED_WORD("", waits) },
	{ SCHED_WORD("", ticks) }, { SCHED_WORD("", preemptions) }, { SCHED_WORD("", steals) }
};

#define WORDS(a) a, ARRAY_SIZE(a)
static const struct family families[] = {
	{ "packets", "direction", "Packets from and to the device.", NET, WORDS(packets) },
	{ "packet_bytes", "direction", "Bytes of those packets.", NET, WORDS(bytes) },
	{ "connections", "kind", "TCP connections.", NET, WORDS(connections) },
	{ "retransmits", NULL, "TCP segments sent again.", NET, WORDS(retransmits) },
	{ "drops", "reason", "Packets dropped.", NET, WORDS(drops) },
	{ "drops", "reason", NULL, GLUE, WORDS(glue_drops) },
	{ "drops", "reason", NULL, DEVICE, WORDS(device_drops) },
	{ "wakes", "from", "Threads woken, by who woke them.", SCHED, WORDS(wakes) },
	{ "parks", NULL, "Times a thread parked.", SCHED, WORDS(sched[0]) },
	{ "switches", NULL, "Switches to another thread.", SCHED, WORDS(sched[1]) },
	{ "waits", NULL, "Times the shard slept.", SCHED, WORDS(sched[2]) },
	{ "ticks", NULL, "Timer events.", SCHED, WORDS(sched[3]) },
	{ "preemptions", NULL, "Threads whose slice was over.", SCHED, WORDS(sched[4]) },
	{ "steals", NULL, "Threads taken from another shard.", SCHED, WORDS(sched[5]) },
};

static const void *source_of(enum source source, uint32_t i)
{
	switch (source) {
	case NET:
		return shards[i]->net != NULL ? net_counters(shards[i]->net) : NULL;
	case GLUE:
		return net_glue_drops(i);
	case DEVICE:
		return net_glue_device_drops(i);
	case SCHED:
	default:
		return &shards[i]->stats;
	}
}

static void put_word(const struct metric_out *o, const struct family *f, const struct word *w)
{
	for (uint32_t i = 0; i < n_shards; i++) {
		const uint8_t *from = source_of(f->source, i);
		uint64_t v;

		if (from == NULL)
			continue;
		v = __atomic_load_n((const uint64_t *)(const void *)(from + w->offset),
				    __ATOMIC_RELAXED);
		if (f->label != NULL)
			metric_put(o, "godwit_%s_total{shard=\"%u\",%s=\"%s\"} %lu", f->name, i,
				   f->label, w->value, v);
		else
			metric_put(o, "godwit_%s_total{shard=\"%u\"} %lu", f->name, i, v);
	}
}

static void put_counters(const struct metric_out *o)
{
	for (uint32_t k = 0; k < ARRAY_SIZE(families); k++) {
		const struct family *f = &families[k];

		if (f->help != NULL) {
			metric_put(o, "# HELP godwit_%s_total %s", f->name, f->help);
			metric_put(o, "# TYPE godwit_%s_total counter", f->name);
		}
		for (uint32_t i = 0; i < f->n; i++)
			put_word(o, f, &f->words[i]);
	}
}

static void put_kernel(const struct metric_out *o)
{
	metric_head(o, "kernel_entries_total", "counter",
		    "System calls, kernel calls, faults and interrupts.");
	for (uint32_t i = 0; i < n_shards; i++)
		metric_put(o, "godwit_kernel_entries_total{shard=\"%u\"} %lu", i,
			   shards[i]->vcore->kernel_entries);
	metric_head(o, "interrupts_total", "counter", "Interrupts.");
	for (uint32_t i = 0; i < n_shards; i++)
		metric_put(o, "godwit_interrupts_total{shard=\"%u\"} %lu", i,
			   shards[i]->vcore->interrupts);
	metric_head(o, "threads", "gauge", "Threads of a shard, the system's own included.");
	for (uint32_t i = 0; i < n_shards; i++)
		metric_put(o, "godwit_threads{shard=\"%u\"} %u", i,
			   atomic_load_explicit(&shards[i]->n_uthreads, memory_order_relaxed));
}

void metric_memory_lines(void (*line)(void *ctx, const char *text), void *ctx)
{
	const struct metric_out o = { line, ctx };

	metric_head(&o, "memory_bytes", "gauge", "Memory of the machine behind the kernel.");
	metric_put(&o, "godwit_memory_bytes{state=\"total\"} %lu",
		   mem_total_pages() * GW_PAGE_SIZE);
	metric_put(&o, "godwit_memory_bytes{state=\"free\"} %lu", mem_free_pages() * GW_PAGE_SIZE);
}

void metric_shard_lines(void (*line)(void *ctx, const char *text), void *ctx)
{
	const struct metric_out o = { line, ctx };

	put_latencies(&o);
	put_counters(&o);
	put_kernel(&o);
}
