/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - a native program's Prometheus text (runtime/metric has the shards' and its own
 * figures), and `stat` records for the host. Values of other shards are read without a lock: each
 * is whole, and may be a little old. */
#include "runtime/metric/metric.h"
#include "runtime/native/native_internal.h"
#include "runtime/virtio/console.h"

void gw_metrics(void (*line)(void *arg, const char *text), void *arg)
{
	const struct metric_out o = { line, arg };

	metric_memory_lines(line, arg);
	metric_head(&o, "connections", "gauge", "Open TCP connections.");
	for (uint32_t i = 0; i < n_shards; i++)
		metric_put(&o, "godwit_connections{shard=\"%u\"} %u", i,
			   __atomic_load_n(&natives[i].n_conns, __ATOMIC_RELAXED));
	metric_shard_lines(line, arg);
	metric_lines(line, arg);
}

struct gw_metric *gw_counter(const char *name)
{
	return (struct gw_metric *)metric_counter(name);
}

struct gw_metric *gw_histogram(const char *name)
{
	return (struct gw_metric *)metric_histogram(name);
}

void gw_count(struct gw_metric *m, uint64_t n)
{
	metric_add((struct metric *)m, n);
}

void gw_record(struct gw_metric *m, uint64_t value)
{
	metric_record((struct metric *)m, value);
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
