/* SPDX-License-Identifier: Apache-2.0 */
/* rate.c - the native side of `make bench-net`. `rate ping ADDRESS CONNECTIONS SECONDS SIZE` asks
 * an echo server, each connection again as soon as it has its answer, and prints on standard output
 * answers, nanoseconds, and percentiles of the round trip. `rate bulk ADDRESS` serves: what comes
 * to the port is forgotten, and the next port sends without end. */
#include <errno.h>
#include <string.h>
#include "runtime/godwit.h"

#define SIZE_MAX_BYTES 4096u
#define CONNS_MAX 4096u
#define BINS 1024u /* of a histogram: 16 for each power of two */

static struct conn {
	struct gw_tcp *tcp;
	uint64_t sent_ns;
	size_t have;
	uint64_t answers, before; /* all; those before it was measured */
} conns[CONNS_MAX];

/* A shard's own. */
static struct tally {
	uint64_t bins[BINS];
	char pad[64];
} tallies[64];

static uint8_t bytes[65536];
static size_t size = 64;
static uint64_t from_ns, failed;

/* ---- ping ---- */

static unsigned bin_of(uint64_t v)
{
	unsigned top = v < 16 ? 0 : 59u - (unsigned)__builtin_clzll(v);

	return v < 16 ? (unsigned)v : top * 16 + 16 + (unsigned)((v >> top) & 15);
}

static uint64_t bin_low(unsigned i)
{
	return i < 16 ? i : (16ull + (i & 15)) << (i / 16 - 1);
}

static void ask(struct conn *c)
{
	c->have = 0;
	c->sent_ns = gw_now();
	if (gw_tcp_write(c->tcp, bytes, size) != size)
		failed++;
	gw_tcp_push(c->tcp);
}

static void opened(struct gw_tcp *t)
{
	ask(gw_tcp_user(t));
}

static void received(struct gw_tcp *t)
{
	struct conn *c = gw_tcp_user(t);
	const uint8_t *data;
	size_t n;

	while ((n = gw_tcp_peek(t, &data)) != 0) {
		if (memcmp(data, bytes + c->have, n < size - c->have ? n : size - c->have) != 0)
			failed++;
		c->have += n;
		gw_tcp_consume(t, n);
	}
	if (c->have < size)
		return;
	__atomic_store_n(&c->answers, c->answers + 1, __ATOMIC_RELAXED);
	if (from_ns != 0 && gw_now() >= from_ns)
		tallies[gw_shard()].bins[bin_of(gw_now() - c->sent_ns)]++;
	ask(c);
}

static void closed(struct gw_tcp *t, int error)
{
	(void)error;
	failed++;
	gw_tcp_close(t);
}

static const struct gw_tcp_ops ops = { .opened = opened, .received = received, .closed = closed };

struct plan {
	struct gw_addr to;
	unsigned conns;
	int err;
};

static void open_all(void *arg)
{
	struct plan *p = arg;

	for (unsigned i = gw_shard(); i < p->conns && p->err == 0; i += gw_shards())
		p->err = gw_tcp_open(&p->to, &ops, &conns[i], &conns[i].tcp);
}

static uint64_t percentile(const uint64_t *bins, uint64_t n, unsigned per_mille)
{
	uint64_t seen = 0;

	for (unsigned i = 0; i < BINS; i++) {
		seen += bins[i];
		if (seen * 1000 >= n * per_mille)
			return bin_low(i);
	}
	return 0;
}

/* How many had no answer since the last call. */
static unsigned silent(unsigned conns_open)
{
	unsigned n = 0;

	for (unsigned i = 0; i < conns_open; i++) {
		uint64_t now = __atomic_load_n(&conns[i].answers, __ATOMIC_RELAXED);

		n += now == conns[i].before;
		conns[i].before = now;
	}
	return n;
}

static int ping(struct plan *p, uint64_t seconds)
{
	static uint64_t all[BINS];
	uint64_t n = 0, start, took;
	unsigned mute = p->conns;
	char line[160];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + 1);
	gw_run_everywhere(open_all, p);
	if (p->err != 0)
		return gw_fail(p->err, "cannot connect");
	/* The first that are opened wait for ARP, what it has no room for begins again after 1 s.
	 */
	for (unsigned i = 0; i < 100 && (i < 3 || mute != 0); i++) {
		gw_sleep(100 * GW_MS);
		mute = silent(p->conns);
	}
	start = from_ns = gw_now();
	gw_sleep(seconds * GW_SEC);
	took = gw_now() - start;
	for (unsigned s = 0; s < gw_shards(); s++)
		for (unsigned i = 0; i < BINS; i++)
			all[i] += __atomic_load_n(&tallies[s].bins[i], __ATOMIC_RELAXED);
	for (unsigned i = 0; i < BINS; i++)
		n += all[i];
	mute = silent(p->conns);
	if (mute != 0)
		gw_log("rate: %u connections had no answer", mute);
	if (failed != 0)
		gw_log("rate: %lu connections or answers were wrong", (unsigned long)failed);
	gw_format(line, sizeof(line), "%lu %lu %lu %lu\n", (unsigned long)n, (unsigned long)took,
		  (unsigned long)percentile(all, n, 500), (unsigned long)percentile(all, n, 990));
	(void)gw_out(line, strlen(line));
	return failed != 0 || mute != 0 || n == 0;
}

/* ---- bulk ---- */

static void forget(struct gw_tcp *t)
{
	const uint8_t *data;
	size_t n;

	while ((n = gw_tcp_peek(t, &data)) != 0)
		gw_tcp_consume(t, n);
	if (gw_tcp_eof(t))
		gw_tcp_close(t);
}

static void pour(struct gw_tcp *t)
{
	size_t n;

	while ((n = gw_tcp_space(t)) != 0 &&
	       gw_tcp_write(t, bytes, n < sizeof(bytes) ? n : sizeof(bytes)) != 0)
		gw_tcp_push(t);
	if (gw_tcp_eof(t))
		gw_tcp_close(t);
}

static void ended(struct gw_tcp *t, int error)
{
	(void)error;
	gw_tcp_close(t);
}

static int bulk(struct gw_addr *at)
{
	static const struct gw_tcp_service in = { .ops = { .received = forget, .closed = ended } },
					   out = { .nodelay = true,
						   .ops = { .opened = pour,
							    .received = pour,
							    .writable = pour,
							    .closed = ended } };
	int err = gw_tcp_listen(at, &in, NULL);

	at->port++;
	if (err == 0)
		err = gw_tcp_listen(at, &out, NULL);
	return err != 0 ? gw_fail(err, "cannot listen") : gw_wait_stop();
}

static int usage(void)
{
	gw_log("rate ping ADDRESS CONNECTIONS SECONDS SIZE | rate bulk ADDRESS");
	return 2;
}

int app_main(int argc, char **argv)
{
	struct plan p = { .conns = 1 };
	uint64_t n, seconds, s;

	if (argc < 3 || gw_addr_parse(argv[2], &p.to) != 0)
		return usage();
	if (strcmp(argv[1], "bulk") == 0)
		return bulk(&p.to);
	if (strcmp(argv[1], "ping") != 0 || argc != 6 ||
	    gw_parse_u64(argv[3], CONNS_MAX, &n) != 0 || n == 0 ||
	    gw_parse_u64(argv[4], 3600, &seconds) != 0 || seconds == 0 ||
	    gw_parse_u64(argv[5], SIZE_MAX_BYTES, &s) != 0 || s == 0)
		return usage();
	p.conns = (unsigned)n;
	size = s;
	return ping(&p, seconds);
}
