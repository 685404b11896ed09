/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - the counters of every shard: `stat` records for the host, Prometheus text for
 * programs. Values of other shards are read without a lock: each is whole, and may be a little old.
 */
#include "runtime/native/native_internal.h"
#include "runtime/virtio/console.h"

#define LINE 256u

/* Words of a shard's structures, by offset; help: of the first of a name. */
struct counter {
	const char *name, *label, *help;
	size_t offset;
};
#define NET(field) offsetof(struct net_counters, field)
#define SCHED(field) offsetof(struct shard_stats, field)

static const struct counter net_table[] = {
	{ "packets_total", "direction=\"in\"", "Packets, loopback ones included.",
	  NET(rx_packets) },
	{ "packets_total", "direction=\"out\"", NULL, NET(tx_packets) },
	{ "packet_bytes_total", "direction=\"in\"", "Bytes of those packets.", NET(rx_bytes) },
	{ "packet_bytes_total", "direction=\"out\"", NULL, NET(tx_bytes) },
	{ "connections_total", "kind=\"accepted\"", "TCP connections.", NET(conns_accepted) },
	{ "connections_total", "kind=\"opened\"", NULL, NET(conns_opened) },
	{ "connections_total", "kind=\"reset\"", NULL, NET(conns_reset) },
	{ "retransmits_total", "kind=\"all\"", "TCP segments sent again.", NET(retransmits) },
	{ "drops_total", "reason=\"checksum\"", "Packets dropped.", NET(drop_csum) },
	{ "drops_total", "reason=\"no_port\"", NULL, NET(drop_noport) },
	{ "drops_total", "reason=\"no_memory\"", NULL, NET(drop_nomem) },
	{ "drops_total", "reason=\"sequence\"", NULL, NET(drop_seq) },
	{ "drops_total", "reason=\"ring_full\"", NULL, NET(tx_full) },
};

static const struct counter sched_table[] = {
	{ "wakes_total", "from=\"own\"", "Tasks woken, by who woke them.", SCHED(wakes_local) },
	{ "wakes_total", "from=\"other\"", NULL, SCHED(wakes_remote) },
	{ "switches_total", "kind=\"all\"", "Switches to another task.", SCHED(switches) },
	{ "waits_total", "kind=\"all\"", "Times the shard slept.", SCHED(waits) },
};

static uint64_t value(const void *of, size_t offset)
{
	return __atomic_load_n((const uint64_t *)(const void *)((const char *)of + offset),
			       __ATOMIC_RELAXED);
}

static void put_table(const struct counter *c, size_t n, bool net,
		      void (*line)(void *arg, const char *text), void *arg)
{
	char text[LINE];

	for (; n != 0; n--, c++) {
		if (c->help != NULL) {
			fmt_print(text, sizeof(text), "# HELP godwit_%s %s", c->name, c->help);
			line(arg, text);
			fmt_print(text, sizeof(text), "# TYPE godwit_%s counter", c->name);
			line(arg, text);
		}
		for (uint32_t i = 0; i < n_shards; i++) {
			const void *of = net ? (const void *)net_counters(shards[i]->net)
					     : (const void *)&shards[i]->stats;

			fmt_print(text, sizeof(text), "godwit_%s{shard=\"%u\",%s} %lu", c->name, i,
				  c->label, value(of, c->offset));
			line(arg, text);
		}
	}
}

void gw_metrics(void (*line)(void *arg, const char *text), void *arg)
{
	char text[LINE];

	line(arg, "# HELP godwit_memory_bytes Memory of the partition.");
	line(arg, "# TYPE godwit_memory_bytes gauge");
	fmt_print(text, sizeof(text), "godwit_memory_bytes{state=\"total\"} %lu",
		  gw_memory_total());
	line(arg, text);
	fmt_print(text, sizeof(text), "godwit_memory_bytes{state=\"free\"} %lu", gw_memory_free());
	line(arg, text);
	line(arg, "# HELP godwit_connections Open TCP connections.");
	line(arg, "# TYPE godwit_connections gauge");
	for (uint32_t i = 0; i < n_shards; i++) {
		fmt_print(text, sizeof(text), "godwit_connections{shard=\"%u\"} %u", i,
			  __atomic_load_n(&natives[i].n_conns, __ATOMIC_RELAXED));
		line(arg, text);
	}
	put_table(net_table, ARRAY_SIZE(net_table), true, line, arg);
	put_table(sched_table, ARRAY_SIZE(sched_table), false, line, arg);
}

void native_stats(void)
{
	uint64_t in = 0, out = 0, conns = 0, entries = 0;

	for (uint32_t i = 0; i < n_shards; i++) {
		const struct net_counters *k = net_counters(shards[i]->net);

		in += k->rx_packets;
		out += k->tx_packets;
		conns += k->conns_accepted + k->conns_opened;
		entries += shards[i]->vcore->kernel_entries;
	}
	control_line("stat connections %lu", conns);
	control_line("stat packets_in %lu", in);
	control_line("stat packets_out %lu", out);
	control_line("stat kernel_entries %lu", entries);
}
