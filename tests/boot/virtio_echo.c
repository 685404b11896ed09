/* SPDX-License-Identifier: Apache-2.0 */
/* virtio_echo.c - a personality without programs that exercises the devices: echoes TCP and UDP on
 * port 7 from every shard, sums up the disk, copies console input to its output, and ends the
 * machine on a UDP "quit". */
#include "runtime/base/errno.h"
#include "runtime/base/str.h"
#include "runtime/mem/mem.h"
#include "runtime/netglue/glue.h"
#include "runtime/platform/godwit/steps.h"
#include "runtime/platform/platform.h"
#include "runtime/sched/upcall.h"
#include "runtime/virtio/blkdev.h"
#include "runtime/virtio/console.h"
#include "runtime/virtio/netdev.h"
#include "runtime/virtio/virtio.h"

#define PORT 7u
#define CHUNK_PAGES 16u

static void echo(struct tcp_conn *c)
{
	const uint8_t *data;
	size_t n, room;
	uint8_t *to;

	while ((n = tcp_rx_peek(c, 0, &data)) != 0 && (room = tcp_tx_room(c, &to)) != 0) {
		n = GW_MIN(n, room);
		memcpy(to, data, n);
		tcp_tx_commit(c, n, true);
		tcp_rx_consume(c, n);
	}
	if (tcp_rx_eof(c))
		tcp_shutdown_tx(c);
}

/* Closing is not allowed inside an event: a message to ourselves does it in the next turn. */
struct ended {
	struct message m;
	struct tcp_conn *c;
	bool posted;
};

static void close_now(void *arg)
{
	struct ended *e = arg;

	tcp_close(e->c);
}

static void event(struct tcp_conn *c, void *owner, unsigned events)
{
	struct ended *e = owner;

	if (events & TCP_EV_ERROR) {
		log_info("tcp error %d", tcp_error(c));
	} else {
		echo(c);
		if (tcp_get_state(c) == TCP_ESTABLISHED || tcp_get_state(c) == TCP_CLOSE_WAIT)
			return;
	}
	if (e->posted)
		return;
	e->posted = true;
	e->m.run = close_now;
	e->m.arg = e;
	shard_post(shard_self(), &e->m);
}

static bool accepted(struct tcp_listener *l, void *owner, struct tcp_conn *c)
{
	struct ended *e = mem_zalloc(sizeof(*e));

	(void)l;
	(void)owner;
	if (e == NULL)
		return false;
	e->c = c;
	tcp_set_owner(c, e);
	return true;
}

static void quit(void *arg)
{
	(void)arg;
	for (uint32_t i = 0; i < n_shards; i++) {
		const struct net_counters *k = net_counters(shards[i]->net);

		log_info("shard %u: rx %lu tx %lu forwarded %lu full %lu waits %lu", i,
			 k->rx_packets, k->tx_packets, k->forwarded, k->tx_full,
			 shards[i]->stats.waits);
	}
	console_drain();
	platform_shutdown(0);
}

static void udp_input(struct udp_sock *u, void *owner, struct pbuf *payload,
		      const struct net_endpoint *from, const struct net_endpoint *to)
{
	char word[4];

	(void)owner;
	(void)to;
	if (payload->total == 4 && pbuf_copy_out(payload, 0, word, 4) &&
	    memcmp(word, "quit", 4) == 0)
		quit(NULL);
	(void)udp_send(u, payload, from);
}

static const struct tcp_callbacks tcp_cb = { .event = event, .accepted = accepted };
static const struct udp_callbacks udp_cb = { .input = udp_input };

static void listen_here(void *arg)
{
	struct net_stack *s = shard_self()->net;
	struct net_endpoint here = { .family = 4, .port = PORT };
	struct tcp_listener *l;
	struct udp_sock *u;

	(void)arg;
	tcp_set_callbacks(s, &tcp_cb);
	udp_set_callbacks(s, &udp_cb);
	if (tcp_listen(s, &here, 16, NULL, &l) != 0 || udp_bind(s, &here, true, NULL, &u) != 0)
		panic("cannot listen");
}

static void sum_disk(struct blkdev *d)
{
	uint64_t at = 0, size = blkdev_size(d), start = clock_now();
	struct blk_segment segs[CHUNK_PAGES];
	uint32_t sum = 0;

	for (uint32_t i = 0; i < CHUNK_PAGES; i++)
		segs[i] = (struct blk_segment){ page_alloc(), GW_PAGE_SIZE };
	while (at < size) {
		uint32_t n = (uint32_t)GW_MIN((size - at) / GW_PAGE_SIZE, (uint64_t)CHUNK_PAGES);
		int rc = blkdev_read(d, at, segs, n);

		if (rc != 0)
			panic("blk: %d at %lu", rc, at);
		for (uint32_t i = 0; i < n; i++)
			sum = crc32c(sum, pa_to_va(segs[i].pa), GW_PAGE_SIZE);
		at += n * GW_PAGE_SIZE;
	}
	log_info("blk: %lu bytes crc32c %x in %lu us", size, sum, (clock_now() - start) / 1000);
	if (blkdev_read(d, size, segs, 1) != -EINVAL)
		panic("blk: read beyond the end");
}

/* Copies input to output until the host closes. */
static void copy_console(void *arg)
{
	struct waiter w = { .uthread = uthread_self() };
	char buf[100];

	(void)arg;
	list_init(&w.link);
	waitq_add(console_waitq(0), &w);
	for (;;) {
		size_t n = console_read(0, buf, sizeof(buf));

		if (n != 0)
			console_write(0, buf, n);
		else
			(void)uthread_park(clock_now() + NS_PER_SEC);
	}
}

static void hello(void)
{
	char text[100];

	console_write(0, "hello on port 0\n", 16);
	console_write(1, "hello on port 1\n", 16);
	control_line("control %s", "line");
	if (uthread_create(NULL, shards[n_shards - 1], copy_console, NULL, "console", false,
			   NULL) != 0)
		panic("no memory");
	net_config_text(text, sizeof(text));
	log_info("resolv.conf: %s", text);
}

static void start(void)
{
	struct netdev *d = netdev_get();

	if (d != NULL) {
		const struct netdev_info *i = netdev_info(d);

		log_info("net: %x:%x:%x:%x:%x:%x mtu %u pairs %u csum %d/%d tso %d", i->mac[0],
			 i->mac[1], i->mac[2], i->mac[3], i->mac[4], i->mac[5], i->mtu,
			 i->queue_pairs, i->csum_tx, i->csum_rx, i->tso4);
	}
	if (blkdev_get(0) != NULL)
		sum_disk(blkdev_get(0));
	for (uint32_t i = 0; i < n_shards; i++)
		shard_call(shards[i], listen_here, NULL);
	if (net_glue_wait(clock_now() + 10 * NS_PER_SEC) != 0)
		panic("no address");
	hello();
	log_info("ready on %u shards after %lu us", n_shards, clock_now() / 1000);
	for (;;)
		(void)uthread_park(clock_now() + 60 * NS_PER_SEC);
}

static void start_shards(void)
{
	shards_start(platform_boot()->vcores, NULL);
}

static void start_devices(void)
{
	log_info("devices: %u", virtio_init());
}

const struct boot_step boot_steps[] = {
	{ "shards", start_shards },
	{ "devices", start_devices },
	{ "network", net_glue_init },
	{ "echo", start },
	{ NULL, NULL },
};

/* There are no programs. */
void personality_syscall(struct program_frame *f)
{
	panic("syscall %lu", f->regs.rax);
}

bool personality_fault(struct program_frame *f, uint64_t vector, uint64_t error, uint64_t va,
		       bool from_runtime)
{
	(void)f;
	(void)from_runtime;
	panic("fault %lu error %lx at %lx", vector, error, va);
}

void personality_return(struct program_frame *f)
{
	(void)f;
}
