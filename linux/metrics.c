/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - counters and latencies of every shard as Prometheus text, and what programs record by
 * themselves. Values of other shards are read without a lock: each is whole, and may be a little
 * old. */
#include "linux/linux.h"
#include "linux/metrics.h"
#include "linux/process/process.h"
#include "runtime/netglue/glue.h"
#include "runtime/platform/platform.h"

#define NAMES_MAX 32u
#define NAME_LEN 32u
#define SECOND 1000000000ul

struct out {
	void (*line)(void *ctx, const char *text);
	void *ctx;
};

static struct {
	struct spinlock lock;
	uint32_t n;
	struct recorded {
		char name[NAME_LEN];
		uint64_t sum;
		struct latency l;
	} * by[NAMES_MAX];
} recorded;

static PRINTF_LIKE(2, 3) void put(const struct out *o, const char *fmt, ...)
{
	char text[METRICS_LINE];
	va_list args;

	va_start(args, fmt);
	(void)fmt_vprint(text, sizeof(text), fmt, args);
	va_end(args);
	o->line(o->ctx, text);
}

static void head(const struct out *o, const char *name, const char *type, const char *help)
{
	put(o, "# HELP godwit_%s %s", name, help);
	put(o, "# TYPE godwit_%s %s", name, type);
}

/* ---- latencies ---- */

static const struct {
	const char *name;
	uint64_t ppb;
} points[] = { { "0.5", 500000000 },
	       { "0.9", 900000000 },
	       { "0.99", 990000000 },
	       { "0.999", 999000000 },
	       { "1", 1000000000 } };

static const struct {
	const char *name, *help;
} kinds[LATENCY_KINDS] = {
	[LATENCY_QUEUE] = { "queue_delay_seconds",
			    "Time that program threads were ready before they ran." },
	[LATENCY_RUN] = { "run_seconds", "Time that program threads ran at a stretch." },
	[LATENCY_WAIT] = { "wait_seconds",
			   "Time that program threads were parked before they were woken." },
	[LATENCY_NET_RECV] = { "net_receive_seconds",
			       "Time from a packet in the receive ring to the thread it woke." },
	[LATENCY_NET_SEND] = { "net_send_seconds",
			       "Time from a program's write to the device told of it." },
	[LATENCY_SOCKET_RECV] = { "socket_receive_wait_seconds",
				  "Time that calls waited in a socket for something to take." },
	[LATENCY_SOCKET_SEND] = { "socket_send_wait_seconds",
				  "Time that calls waited in a socket for room or a connection." },
};

static void put_seconds(const struct out *o, const char *name, uint32_t shard,
			const struct histogram *h)
{
	uint64_t n = histogram_count(h), sum = n * histogram_mean(h);

	for (uint32_t i = 0; i < ARRAY_SIZE(points); i++) {
		uint64_t v = histogram_at(h, points[i].ppb);

		put(o, "godwit_%s{shard=\"%u\",quantile=\"%s\"} %lu.%09lu", name, shard,
		    points[i].name, v / SECOND, v % SECOND);
	}
	put(o, "godwit_%s_sum{shard=\"%u\"} %lu.%09lu", name, shard, sum / SECOND, sum % SECOND);
	put(o, "godwit_%s_count{shard=\"%u\"} %lu", name, shard, n);
}

static void put_latencies(const struct out *o)
{
	for (uint32_t k = 0; k < LATENCY_KINDS; k++) {
		head(o, kinds[k].name, "summary", kinds[k].help);
		for (uint32_t i = 0; i < n_shards; i++)
			put_seconds(o, kinds[k].name, i, &shards[i]->latency[k].h);
	}
}

void metrics_sum(enum latency_kind kind, struct latency *to)
{
	latency_init(to);
	for (uint32_t i = 0; i < n_shards; i++)
		histogram_merge(&to->h, &shards[i]->latency[kind].h);
}

/* ---- counters ---- */

/* Words of a shard's structures, by offset. */
struct counter {
	const char *name, *label, *value, *help; /* help: the first of a name */
	size_t offset;
};
#define NET(field) offsetof(struct net_counters, field)
#define GLUE(field) offsetof(struct net_glue_drops, field)
#define DEVICE(field) offsetof(struct netdev_drops, field)
#define SCHED(field) offsetof(struct shard_stats, field)

static const struct counter net_table[] = {
	{ "packets_total", "direction", "in", "Packets, loopback ones included.", NET(rx_packets) },
	{ "packets_total", "direction", "out", NULL, NET(tx_packets) },
	{ "packet_bytes_total", "direction", "in", "Bytes of those packets.", NET(rx_bytes) },
	{ "packet_bytes_total", "direction", "out", NULL, NET(tx_bytes) },
	{ "connections_total", "kind", "accepted", "TCP connections.", NET(conns_accepted) },
	{ "connections_total", "kind", "opened", NULL, NET(conns_opened) },
	{ "connections_total", "kind", "reset", NULL, NET(conns_reset) },
	{ "retransmits_total", NULL, NULL, "TCP segments sent again.", NET(retransmits) },
	{ "drops_total", "reason", "short", "Packets dropped.", NET(drop_short) },
	{ "drops_total", "reason", "checksum", NULL, NET(drop_csum) },
	{ "drops_total", "reason", "protocol", NULL, NET(drop_proto) },
	{ "drops_total", "reason", "no_port", NULL, NET(drop_noport) },
	{ "drops_total", "reason", "no_memory", NULL, NET(drop_nomem) },
	{ "drops_total", "reason", "fragment", NULL, NET(drop_frag) },
	{ "drops_total", "reason", "arp", NULL, NET(drop_arp) },
	{ "drops_total", "reason", "address", NULL, NET(drop_addr) },
	{ "drops_total", "reason", "sequence", NULL, NET(drop_seq) },
	{ "drops_total", "reason", "duplicate", NULL, NET(drop_dup) },
	{ "drops_total", "reason", "closed", NULL, NET(drop_closed) },
	{ "drops_total", "reason", "queue_full", NULL, NET(drop_queue) },
	{ "drops_total", "reason", "socket_full", NULL, NET(drop_socket) },
	{ "drops_total", "reason", "backlog", NULL, NET(drop_backlog) },
	{ "drops_total", "reason", "rate_limit", NULL, NET(drop_rate) },
	{ "drops_total", "reason", "no_route", NULL, NET(drop_route) },
	{ "drops_total", "reason", "ring_full", NULL, NET(tx_full) },
};

/* They go on with the drops: no help of their own. */
static const struct counter glue_table[] = {
	{ "drops_total", "reason", "shard_full", NULL, GLUE(shard_full) },
	{ "drops_total", "reason", "relay_ring_full", NULL, GLUE(ring_full) },
};
static const struct counter device_table[] = {
	{ "drops_total", "reason", "no_buffer", NULL, DEVICE(no_buffer) },
	{ "drops_total", "reason", "device", NULL, DEVICE(device) },
};

static const struct counter sched_table[] = {
	{ "wakes_total", "from", "own", "Threads woken, by who woke them.", SCHED(wakes_local) },
	{ "wakes_total", "from", "other", NULL, SCHED(wakes_remote) },
	{ "parks_total", NULL, NULL, "Times a thread parked.", SCHED(parks) },
	{ "switches_total", NULL, NULL, "Switches to another thread.", SCHED(switches) },
	{ "waits_total", NULL, NULL, "Times the shard slept.", SCHED(waits) },
	{ "ticks_total", NULL, NULL, "Timer events.", SCHED(ticks) },
	{ "preemptions_total", NULL, NULL, "Threads whose slice was over.", SCHED(preemptions) },
	{ "steals_total", NULL, NULL, "Threads taken from another shard.", SCHED(steals) },
};

static const void *net_of(uint32_t i)
{
	return shards[i]->net != NULL ? net_counters(shards[i]->net) : NULL;
}

static const void *glue_of(uint32_t i)
{
	return net_glue_drops(i);
}

static const void *device_of(uint32_t i)
{
	return net_glue_device_drops(i);
}

static const void *sched_of(uint32_t i)
{
	return &shards[i]->stats;
}

static void put_table(const struct out *o, const struct counter *c, size_t n,
		      const void *(*of)(uint32_t i))
{
	for (; n != 0; n--, c++) {
		if (c->help != NULL)
			head(o, c->name, "counter", c->help);
		for (uint32_t i = 0; i < n_shards; i++) {
			const uint8_t *from = of(i);
			uint64_t v;

			if (from == NULL)
				continue;
			v = __atomic_load_n((const uint64_t *)(const void *)(from + c->offset),
					    __ATOMIC_RELAXED);
			if (c->label != NULL)
				put(o, "godwit_%s{shard=\"%u\",%s=\"%s\"} %lu", c->name, i,
				    c->label, c->value, v);
			else
				put(o, "godwit_%s{shard=\"%u\"} %lu", c->name, i, v);
		}
	}
}

static void put_kernel(const struct out *o)
{
	head(o, "kernel_entries_total", "counter",
	     "System calls, kernel calls, faults and interrupts.");
	for (uint32_t i = 0; i < n_shards; i++)
		put(o, "godwit_kernel_entries_total{shard=\"%u\"} %lu", i,
		    shards[i]->vcore->kernel_entries);
	head(o, "interrupts_total", "counter", "Interrupts.");
	for (uint32_t i = 0; i < n_shards; i++)
		put(o, "godwit_interrupts_total{shard=\"%u\"} %lu", i,
		    shards[i]->vcore->interrupts);
	head(o, "threads", "gauge", "Threads of a shard, the system's own included.");
	for (uint32_t i = 0; i < n_shards; i++)
		put(o, "godwit_threads{shard=\"%u\"} %u", i,
		    atomic_load_explicit(&shards[i]->n_uthreads, memory_order_relaxed));
}

static void put_machine(const struct out *o)
{
	uint64_t up = clock_now() - process_first->start_ns,
		 total = mem_total_pages() * GW_PAGE_SIZE, syscalls = thread_syscalls_ended();

	spin_lock(&processes.lock);
	list_for_each (n, &processes.list)
		syscalls += thread_syscalls(list_entry(n, struct process, link));
	spin_unlock(&processes.lock);
	head(o, "uptime_seconds", "gauge", "Since the program's start.");
	put(o, "godwit_uptime_seconds %lu.%09lu", up / SECOND, up % SECOND);
	head(o, "memory_bytes", "gauge", "Memory of the machine behind the kernel.");
	put(o, "godwit_memory_bytes{state=\"total\"} %lu", total);
	put(o, "godwit_memory_bytes{state=\"free\"} %lu", mem_free_pages() * GW_PAGE_SIZE);
	head(o, "syscalls_total", "counter", "Linux system calls.");
	put(o, "godwit_syscalls_total %lu", syscalls);
	head(o, "page_faults_total", "counter", "Faults that brought a page.");
	put(o, "godwit_page_faults_total %lu", linux_stats.faults);
	head(o, "page_ins_total", "counter", "Pages read from the root image.");
	put(o, "godwit_page_ins_total %lu", linux_stats.page_ins);
	head(o, "evictions_total", "counter", "Pages given up for want of memory.");
	put(o, "godwit_evictions_total %lu", linux_stats.evictions);
}

/* ---- what programs record ---- */

static bool name_end(char c)
{
	return c == '\0' || c == '\n' || c == ' ';
}

static bool good_name(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = s[i] | 0x20;

		if (!(c >= 'a' && c <= 'z') &&
		    !(i != 0 && ((s[i] >= '0' && s[i] <= '9') || s[i] == '_')))
			return false;
	}
	return len != 0 && len < NAME_LEN;
}

/* The histogram of a name, made when it is new; under the lock. */
static struct recorded *find(const char *name, size_t len, long *why)
{
	struct recorded *r;

	for (uint32_t i = 0; i < recorded.n; i++)
		if (strncmp(recorded.by[i]->name, name, len) == 0 &&
		    recorded.by[i]->name[len] == '\0')
			return recorded.by[i];
	*why = recorded.n == NAMES_MAX ? -ENOSPC : -ENOMEM;
	r = recorded.n == NAMES_MAX ? NULL : mem_zalloc(sizeof(*r));
	if (r != NULL) {
		memcpy(r->name, name, len);
		latency_init(&r->l);
		recorded.by[recorded.n++] = r;
	}
	return r;
}

static long record_one(const char *name, size_t len, uint64_t value)
{
	struct recorded *r;
	long why = 0;

	spin_lock(&recorded.lock);
	r = find(name, len, &why);
	if (r != NULL) {
		latency_record(&r->l, value);
		r->sum += value;
		why = 0;
	}
	spin_unlock(&recorded.lock);
	return why;
}

long metrics_record(const char *s, size_t n)
{
	const char *end = s + n;

	while (s < end) {
		size_t len = 0;
		uint64_t value = 0;
		long r, bad;

		while (!name_end(s[len]))
			len++;
		if (!good_name(s, len) || s[len] != ' ')
			return -EINVAL;
		r = (long)len + 1;
		if (s[r] < '0' || s[r] > '9')
			return -EINVAL;
		for (; s[r] >= '0' && s[r] <= '9'; r++)
			value = GW_MIN(value * 10 + (uint64_t)(s[r] - '0'), LATENCY_MAX);
		if (s[r] != '\0' && s[r] != '\n')
			return -EINVAL;
		bad = record_one(s, len, value);
		if (bad != 0)
			return bad;
		s += r + (s[r] == '\n');
	}
	return 0;
}

static void put_recorded(const struct out *o)
{
	uint32_t n;

	spin_lock(&recorded.lock);
	n = recorded.n; /* what is in the table stays there */
	spin_unlock(&recorded.lock);
	if (n != 0)
		head(o, "recorded", "summary", "What programs wrote to /proc/godwit/record.");
	for (uint32_t i = 0; i < n; i++) {
		const struct recorded *r = recorded.by[i];

		for (uint32_t k = 0; k < ARRAY_SIZE(points); k++)
			put(o, "godwit_recorded{name=\"%s\",quantile=\"%s\"} %lu", r->name,
			    points[k].name, histogram_at(&r->l.h, points[k].ppb));
		put(o, "godwit_recorded_sum{name=\"%s\"} %lu", r->name, r->sum);
		put(o, "godwit_recorded_count{name=\"%s\"} %lu", r->name, histogram_count(&r->l.h));
	}
}

void metrics_lines(void (*line)(void *ctx, const char *text), void *ctx)
{
	struct out o = { line, ctx };

	put_machine(&o);
	put_latencies(&o);
	put_table(&o, net_table, ARRAY_SIZE(net_table), net_of);
	put_table(&o, glue_table, ARRAY_SIZE(glue_table), glue_of);
	put_table(&o, device_table, ARRAY_SIZE(device_table), device_of);
	put_table(&o, sched_table, ARRAY_SIZE(sched_table), sched_of);
	put_kernel(&o);
	put_recorded(&o);
}
