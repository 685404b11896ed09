/* SPDX-License-Identifier: Apache-2.0 */
/* net_test.c - virtio-net against a fake device: frames in both directions, offloads, merged
 * buffers, full rings, and a device that lies. */
#include "runtime/base/errno.h"
#include "runtime/virtio/misc.h"
#include "runtime/virtio/net_internal.h"
#include "runtime/virtio/test/fake.h"
#include "tests/unit.h"

#include <stdlib.h>

#define BASIC \
	(VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC | VIRTIO_BIT(NET_F_MAC))
#define OFFLOADS                                                                               \
	(VIRTIO_BIT(NET_F_CSUM) | VIRTIO_BIT(NET_F_GUEST_CSUM) | VIRTIO_BIT(NET_F_HOST_TSO4) | \
	 VIRTIO_BIT(NET_F_GUEST_TSO4) | VIRTIO_BIT(NET_F_HOST_TSO6) |                          \
	 VIRTIO_BIT(NET_F_GUEST_TSO6) | VIRTIO_BIT(NET_F_MRG_RXBUF))

static struct pbuf_pool pool;
static struct netdev *dev;
static struct netdev_queue *queue;
static struct pbuf *received[64];
static unsigned n_received;

static void *more(void *ctx, size_t *bytes)
{
	(void)ctx;
	*bytes = 16 * PBUF_SIZE;
	return aligned_alloc(4096, *bytes);
}

static void input(void *ctx, struct pbuf *frame)
{
	CHECK(ctx == &pool);
	if (n_received < ARRAY_SIZE(received))
		received[n_received++] = frame;
	else
		pbuf_free(&pool, frame);
}

static void drop_received(void)
{
	while (n_received != 0)
		pbuf_free(&pool, received[--n_received]);
}

/* How many blocks are neither free nor with the device nor received: lost. */
static uint32_t lost(void)
{
	return pool.n_total - pool.n_free - queue->rx.n_inflight - queue->tx.n_inflight -
	       n_received;
}

static void setup(enum gw_device_kind kind, uint64_t offer)
{
	struct vdev v;

	n_received = 0;
	fake_reset(kind, VIRTIO_ID_NET, offer, 256);
	memcpy(fake.config, "\x52\x54\x00\x12\x34\x56\x01\x00\x01\x00\x00\x00", 12);
	net_forget();
	CHECK_EQ(vdev_probe(&v, &fake.dev, 0, false), 0);
	CHECK_EQ(net_probe(&v), 0);
	dev = netdev_get();
	pbuf_pool_init(&pool, 512, more, NULL);
	queue = netdev_open(dev, 0, &pool, input, &pool);
	CHECK(queue != NULL);
}

/* The device writes a frame of n bytes (filled with c) behind header h into one buffer. */
static void device_sends(const struct net_hdr *h, uint8_t c, uint32_t n)
{
	struct fake_chain ch;
	uint8_t buf[NET_RX_LEN];

	memcpy(buf, h, NET_HDR_LEN);
	memset(buf + NET_HDR_LEN, c, n);
	CHECK(fake_pop(0, &ch));
	CHECK_EQ(fake_write_in(&ch, buf, n + NET_HDR_LEN), n + NET_HDR_LEN);
	fake_push(0, ch.id, n + NET_HDR_LEN);
}

static const struct net_hdr plain = { .num_buffers = 1 };

static struct pbuf *frame_of(uint32_t headroom, uint8_t c, uint32_t n)
{
	struct pbuf *p = pbuf_alloc(&pool, headroom);

	memset(p->data, c, n);
	p->len = p->total = n;
	return p;
}

TEST(setup_and_info)
{
	setup(GW_DEVICE_PCI, BASIC | OFFLOADS);
	CHECK(memcmp(netdev_info(dev)->mac, "\x52\x54\x00\x12\x34\x56", 6) == 0);
	CHECK_EQ(netdev_info(dev)->mtu, 1500);
	CHECK_EQ(netdev_info(dev)->queue_pairs, 1);
	CHECK(netdev_info(dev)->csum_tx && netdev_info(dev)->csum_rx && netdev_info(dev)->tso4);
	CHECK(netdev_info(dev)->tso6);
	CHECK(netdev_info(dev)->link_up);
	/* 16 MiB: 32 small buffers, too few for a merged 64 KB packet. */
	CHECK_EQ(queue->rx.n_inflight, 32);
	CHECK(!dev->guest_tso4 && !dev->guest_tso6);
	CHECK(!(fake.accepted & VIRTIO_BIT(NET_F_GUEST_TSO4)));
	CHECK_EQ(fake.status, 15);
	CHECK(netdev_open(dev, 0, &pool, input, &pool) == NULL);
	CHECK(netdev_open(dev, 1, &pool, input, &pool) == NULL);
	fake_total_pages = 65536;
	setup(GW_DEVICE_PCI, BASIC | OFFLOADS);
	CHECK_EQ(queue->rx.n_inflight, 256);
	CHECK(dev->guest_tso4 && dev->guest_tso6);
	fake_total_pages = 4096;
	/* Without a mac of its own it gets a local one. */
	setup(GW_DEVICE_MMIO, BASIC & ~VIRTIO_BIT(NET_F_MAC));
	CHECK_EQ(netdev_info(dev)->mac[0] & 3, 2);
}

TEST(receive)
{
	for (int kind = GW_DEVICE_PCI; kind <= GW_DEVICE_MMIO; kind++) {
		setup((enum gw_device_kind)kind, BASIC | OFFLOADS);
		/* Three rounds of the ring, so that it is refilled. */
		for (unsigned i = 0; i < 100; i++) {
			device_sends(&plain, (uint8_t)i, 60 + i);
			fake_turn();
			CHECK_EQ(n_received, 1);
			CHECK_EQ(received[0]->len, 60 + i);
			CHECK_EQ(received[0]->total, 60 + i);
			CHECK_EQ(received[0]->data[0], i);
			CHECK_EQ(received[0]->data[59 + i], i);
			CHECK_EQ(received[0]->flags, 0);
			drop_received();
		}
		CHECK_EQ(lost(), 0);
		CHECK_EQ(fake_warnings, 0);
	}
}

TEST(receive_batch_is_bounded)
{
	fake_total_pages = 65536;
	setup(GW_DEVICE_PCI, BASIC | OFFLOADS);
	fake_total_pages = 4096;
	for (unsigned i = 0; i < 100; i++)
		device_sends(&plain, 1, 60);
	fake_turn();
	CHECK_EQ(n_received, 64);
	drop_received();
	fake_turn();
	CHECK_EQ(n_received, 36);
	drop_received();
}

TEST(receive_merged)
{
	struct net_hdr h = { .num_buffers = 3 };
	struct fake_chain ch;
	uint16_t ids[2];
	uint8_t sample[4];

	setup(GW_DEVICE_PCI, BASIC | OFFLOADS);
	device_sends(&h, 1, NET_RX_LEN - NET_HDR_LEN);
	for (unsigned i = 0; i < 2; i++) {
		uint8_t buf[500];

		memset(buf, 2 + (int)i, sizeof(buf));
		CHECK(fake_pop(0, &ch));
		fake_write_in(&ch, buf, sizeof(buf));
		ids[i] = ch.id;
	}
	fake_push(0, ids[0], 500);
	fake_push(0, ids[1], 400);
	fake_turn();
	CHECK_EQ(n_received, 1);
	CHECK_EQ(received[0]->total, NET_RX_LEN - NET_HDR_LEN + 900);
	CHECK(pbuf_copy_out(received[0], NET_RX_LEN - NET_HDR_LEN - 1, sample, 2));
	CHECK_EQ(sample[0], 1);
	CHECK_EQ(sample[1], 2);
	CHECK(pbuf_copy_out(received[0], received[0]->total - 1, sample, 1));
	CHECK_EQ(sample[0], 3);
	drop_received();
	CHECK_EQ(lost(), 0);
}

TEST(receive_offloads)
{
	struct net_hdr h = { .num_buffers = 1, .flags = NET_HDR_DATA_VALID };

	setup(GW_DEVICE_PCI, BASIC | OFFLOADS);
	device_sends(&h, 1, 60);
	h.flags = NET_HDR_NEEDS_CSUM;
	h.csum_start = 34;
	h.csum_offset = 16;
	device_sends(&h, 1, 60);
	h.csum_start = 50; /* 50 + 16 + 2 > 60 */
	device_sends(&h, 1, 60);
	h.csum_start = 0xffff;
	h.csum_offset = 0xffff;
	device_sends(&h, 1, 60);
	h.flags = 0;
	h.gso_type = NET_GSO_TCPV4; /* not negotiated with so few buffers */
	device_sends(&h, 1, 60);
	fake_turn();
	CHECK_EQ(n_received, 5);
	CHECK_EQ(received[0]->flags, PBUF_CSUM_GOOD);
	CHECK_EQ(received[1]->flags, PBUF_CSUM_PARTIAL);
	CHECK_EQ(received[1]->csum_start, 34);
	CHECK_EQ(received[2]->flags, 0);
	CHECK_EQ(received[3]->flags, 0);
	CHECK_EQ(received[4]->flags, 0);
	drop_received();
	fake_total_pages = 65536;
	setup(GW_DEVICE_PCI, BASIC | OFFLOADS);
	h = (struct net_hdr){ .num_buffers = 1, .gso_type = NET_GSO_TCPV4, .gso_size = 99 };
	device_sends(&h, 1, 60);
	h.gso_type = NET_GSO_TCPV6 | NET_GSO_ECN;
	device_sends(&h, 1, 60);
	h.gso_type = 3; /* UDP: never negotiated */
	device_sends(&h, 1, 60);
	fake_turn();
	CHECK_EQ(n_received, 3);
	CHECK_EQ(received[0]->flags, PBUF_GSO_TCP4);
	CHECK_EQ(received[1]->flags, PBUF_GSO_TCP6);
	CHECK_EQ(received[1]->gso_size, 99);
	CHECK_EQ(received[2]->flags, 0);
	drop_received();
	fake_total_pages = 4096;
	/* Nothing is believed that was not negotiated. */
	setup(GW_DEVICE_PCI, BASIC);
	h = (struct net_hdr){ .flags = NET_HDR_DATA_VALID, .num_buffers = 7 };
	device_sends(&h, 1, 60);
	fake_turn();
	CHECK_EQ(n_received, 1);
	CHECK_EQ(received[0]->flags, 0);
	drop_received();
}

TEST(send_small_is_one_descriptor)
{
	struct fake_chain ch;
	uint8_t out[128];

	setup(GW_DEVICE_PCI, BASIC | OFFLOADS);
	CHECK_EQ(netdev_tx(queue, frame_of(64, 7, 60)), 0);
	CHECK_EQ(fake.q[1].kicks, 0); /* only at the flush */
	queue->poller.flush(&queue->poller);
	CHECK_EQ(fake.q[1].kicks, 1);
	CHECK(fake_pop(1, &ch));
	CHECK_EQ(ch.n_out, 1);
	CHECK_EQ(ch.out_len, 72);
	fake_read_out(&ch, out, 72);
	CHECK(memcmp(out, "\0\0\0\0\0\0\0\0\0\0\0\0\7\7", 14) == 0);
	fake_push(1, ch.id, 0);
	CHECK_EQ(lost(), 0);
	CHECK(!fake_arm()); /* takes it back before sleeping */
	CHECK_EQ(queue->tx.n_inflight, 0);
	CHECK(fake_deadline() == GW_NEVER);
	CHECK_EQ(lost(), 0);
}

TEST(send_offloads)
{
	struct pbuf *f;
	struct fake_chain ch;
	struct net_hdr h;

	setup(GW_DEVICE_PCI, BASIC | OFFLOADS);
	f = frame_of(64, 7, 1000);
	f->flags = PBUF_CSUM_PARTIAL | PBUF_GSO_TCP4;
	f->csum_start = 34;
	f->csum_offset = 16;
	f->gso_size = 536;
	f->hdr_len = 54;
	CHECK_EQ(netdev_tx(queue, f), 0);
	fake_turn();
	CHECK(fake_pop(1, &ch));
	fake_read_out(&ch, &h, sizeof(h));
	CHECK_EQ(h.flags, NET_HDR_NEEDS_CSUM);
	CHECK_EQ(h.gso_type, NET_GSO_TCPV4);
	CHECK_EQ(h.gso_size, 536);
	CHECK_EQ(h.hdr_len, 54);
	CHECK_EQ(h.csum_start, 34);
	CHECK_EQ(h.csum_offset, 16);
	CHECK_EQ(h.num_buffers, 0);
	f = frame_of(64, 7, 1000);
	f->flags = PBUF_CSUM_PARTIAL | PBUF_GSO_TCP6;
	f->gso_size = 516;
	CHECK_EQ(netdev_tx(queue, f), 0);
	fake_turn();
	CHECK(fake_pop(1, &ch));
	fake_read_out(&ch, &h, sizeof(h));
	CHECK_EQ(h.gso_type, NET_GSO_TCPV6);
	CHECK_EQ(h.gso_size, 516);
}

TEST(send_chains)
{
	uint8_t out[4096];

	for (int indirect = 0; indirect < 2; indirect++) {
		struct fake_chain ch;
		struct pbuf *head, *slice, *block;
		uint32_t tables;

		setup(GW_DEVICE_PCI, indirect ? BASIC : BASIC & ~VIRTIO_F_INDIRECT_DESC);
		tables = queue->n_tables;
		CHECK_EQ(tables != 0, indirect);
		head = frame_of(64, 1, 54);
		block = frame_of(0, 2, 1000);
		slice = pbuf_slice(&pool, block, 10, 500);
		head->next = slice;
		slice->next = frame_of(0, 3, 100);
		head->total = 654;
		CHECK_EQ(netdev_tx(queue, head), 0);
		/* A borrowed block's headroom is not the frame's: the header is apart. */
		slice = pbuf_slice(&pool, block, 20, 60);
		CHECK_EQ(netdev_tx(queue, slice), 0);
		/* No headroom at all. */
		CHECK_EQ(netdev_tx(queue, frame_of(4, 9, 60)), 0);
		fake_turn();
		CHECK(fake_pop(1, &ch));
		CHECK_EQ(ch.indirect, indirect);
		CHECK_EQ(ch.n_out, 3);
		CHECK_EQ(fake_read_out(&ch, out, 4096), 666);
		CHECK(out[12] == 1 && out[65] == 1 && out[66] == 2 && out[565] == 2 &&
		      out[566] == 3);
		CHECK_EQ(queue->n_tables, tables - (unsigned)indirect);
		fake_push(1, ch.id, 0);
		for (int i = 0; i < 2; i++) {
			CHECK(fake_pop(1, &ch));
			CHECK_EQ(ch.n_out, 2);
			CHECK_EQ(ch.out[0].len, NET_HDR_LEN);
			CHECK_EQ(ch.out[1].len, 60);
			fake_push(1, ch.id, 0);
		}
		(void)fake_arm();
		CHECK_EQ(queue->n_tables, tables);
		CHECK_EQ(queue->tx.n_free, queue->tx.mask + 1);
		pbuf_free(&pool, block);
		CHECK_EQ(lost(), 0);
	}
}

TEST(send_full_ring)
{
	unsigned sent = 0, order = 0, turns = 0;
	struct fake_chain ch;
	uint8_t out[80];

	setup(GW_DEVICE_PCI, BASIC);
	while (netdev_tx(queue, frame_of(64, (uint8_t)sent, 60)) == 0)
		sent++;
	CHECK_EQ(sent, 64 + NET_BACKLOG);
	CHECK_EQ(queue->tx.n_free, 0);
	CHECK(fake.q[1].kicks != 0); /* the device was told */
	fake_turn();
	CHECK(fake_deadline() <= fake_now_ns + NET_BACKLOG_NS);
	/* All that was accepted is sent, in order. */
	while (turns++ < 100 && (fake_pop(1, &ch) || queue->n_backlog != 0)) {
		do {
			fake_read_out(&ch, out, 72);
			CHECK_EQ(out[12], (uint8_t)order);
			order++;
			fake_push(1, ch.id, 0);
		} while (fake_pop(1, &ch));
		fake_turn();
	}
	CHECK_EQ(order, sent);
	(void)fake_arm();
	CHECK_EQ(queue->tx.n_inflight, 0);
	CHECK(fake_deadline() == GW_NEVER);
	CHECK_EQ(lost(), 0);
}

TEST(lie_with_a_backlog)
{
	setup(GW_DEVICE_PCI, BASIC);
	for (unsigned i = 0; i < 100; i++)
		CHECK_EQ(netdev_tx(queue, frame_of(64, 1, 60)), 0);
	fake_push(1, 2000, 0);
	fake_turn();
	fake_turn();
	CHECK_EQ(queue->n_backlog, 0);
	CHECK_EQ(queue->tx.n_inflight, 0);
	CHECK_EQ(lost(), 0);
	CHECK_EQ(fake_warnings, 1);
}

TEST(too_many_fragments)
{
	struct pbuf *head, **link;

	setup(GW_DEVICE_PCI, BASIC);
	head = frame_of(64, 1, 54);
	link = &head->next;
	for (int i = 0; i < 80; i++) {
		*link = frame_of(0, 1, 1);
		link = &(*link)->next;
	}
	CHECK_EQ(netdev_tx(queue, head), -ENOBUFS);
	CHECK_EQ(lost(), 0);
}

TEST(pool_runs_empty)
{
	struct pbuf *held[600];
	unsigned n = 0;

	setup(GW_DEVICE_PCI, BASIC);
	while ((held[n] = pbuf_alloc(&pool, 0)) != NULL)
		n++;
	for (unsigned i = 0; i < 32; i++)
		device_sends(&plain, 1, 60);
	fake_turn();
	CHECK_EQ(n_received, 32);
	CHECK_EQ(queue->rx.n_inflight, 0);
	CHECK(fake_deadline() != GW_NEVER); /* no interrupt would come */
	drop_received();
	fake_turn();
	CHECK_EQ(queue->rx.n_inflight, 32);
	while (n != 0)
		pbuf_free(&pool, held[--n]);
	CHECK_EQ(lost(), 0);
}

TEST(interrupts_only_when_armed)
{
	uint16_t old;

	setup(GW_DEVICE_MMIO, BASIC);
	old = fake.q[0].used_idx;
	device_sends(&plain, 1, 60);
	CHECK(!fake_interrupts(0, old));
	fake_turn();
	CHECK_EQ(fake.acks, 0);
	CHECK(!fake_arm());
	CHECK_EQ(fake.acks, 1);
	old = fake.q[0].used_idx;
	device_sends(&plain, 1, 60);
	CHECK(fake_interrupts(0, old));
	CHECK(fake_arm());
	drop_received();
}

/* ---- lies: each stops the device once, and every buffer comes back ---- */

static void expect_stopped(void)
{
	fake_turn();
	fake_turn();
	CHECK_EQ(fake_warnings, 1);
	CHECK_EQ(fake.status, 0);
	CHECK_EQ(fake.resets, 2);
	CHECK(!netdev_info(dev)->link_up);
	drop_received();
	CHECK_EQ(queue->rx.n_inflight, 0);
	CHECK_EQ(queue->tx.n_inflight, 0);
	CHECK_EQ(lost(), 0);
	CHECK_EQ(pool.n_free, pool.n_total);
	CHECK_EQ(netdev_tx(queue, frame_of(64, 1, 60)), -ENOBUFS);
	CHECK(!fake_arm());
	CHECK(fake_deadline() == GW_NEVER);
	CHECK_EQ(pool.n_free, pool.n_total);
}

TEST(lie_header_missing)
{
	for (uint32_t len = 0; len < NET_HDR_LEN; len += 11) {
		setup(GW_DEVICE_PCI, BASIC | OFFLOADS);
		CHECK_EQ(netdev_tx(queue, frame_of(64, 1, 60)), 0);
		fake_push(0, 3, len);
		expect_stopped();
	}
}

TEST(lie_buffers_missing)
{
	static const uint16_t counts[] = { 0, 2, 33, 0xffff };

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		struct net_hdr h = { .num_buffers = counts[i] };

		setup(GW_DEVICE_PCI, BASIC | OFFLOADS);
		device_sends(&h, 1, 60);
		expect_stopped();
	}
}

TEST(lie_length_and_id)
{
	setup(GW_DEVICE_PCI, BASIC);
	fake_push(0, 1, NET_RX_LEN + 1);
	expect_stopped();
	setup(GW_DEVICE_PCI, BASIC);
	fake_push(0, 1, 100);
	fake_push(0, 1, 100);
	expect_stopped();
	setup(GW_DEVICE_PCI, BASIC);
	fake_publish(0, 33);
	expect_stopped();
}

TEST(lie_on_tx)
{
	setup(GW_DEVICE_PCI, BASIC);
	CHECK_EQ(netdev_tx(queue, frame_of(64, 1, 60)), 0);
	fake_turn();
	fake_push(1, 55, 0);
	CHECK(!fake_arm());
	expect_stopped();
}

TEST(no_reset_keeps_buffers)
{
	setup(GW_DEVICE_PCI, BASIC);
	fake.never_resets = true;
	fake_push(0, 99, 0);
	fake_turn();
	/* The device may still write there: the buffers are lost on purpose. */
	CHECK_EQ(queue->rx.n_inflight, 32);
	CHECK(pool.n_free + 32 == pool.n_total);
}

/* ---- several queue pairs ---- */

static uint16_t pairs_set;
static uint8_t answer;

static void serve_control(struct fake_device *d, unsigned i)
{
	struct fake_chain c;

	(void)d;
	while (i == 4 && answer != 0xee && fake_pop(4, &c)) {
		uint8_t cmd[4];

		CHECK_EQ(fake_read_out(&c, cmd, 4), 4);
		CHECK_EQ(cmd[0], 4);
		CHECK_EQ(cmd[1], 0);
		memcpy(&pairs_set, cmd + 2, 2);
		CHECK_EQ(c.in_len, 1);
		fake_write_in(&c, &answer, 1);
		fake_push(4, c.id, 1);
	}
}

static void setup_pairs(void)
{
	uint64_t offer = BASIC | VIRTIO_BIT(NET_F_CTRL_VQ) | VIRTIO_BIT(NET_F_MQ);
	struct vdev v;

	n_shards = 2;
	n_received = pairs_set = 0;
	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_NET, offer, 256);
	fake.config[8] = 2; /* max_virtqueue_pairs */
	fake.on_kick = serve_control;
	net_forget();
	CHECK_EQ(vdev_probe(&v, &fake.dev, 0, false), 0);
	CHECK_EQ(net_probe(&v), 0);
	dev = netdev_get();
	pbuf_pool_init(&pool, 512, more, NULL);
	CHECK_EQ(netdev_info(dev)->queue_pairs, 2);
	queue = netdev_open(dev, 0, &pool, input, &pool);
	CHECK(queue != NULL);
	CHECK_EQ(pairs_set, 0); /* not before every pair can receive */
	CHECK(netdev_open(dev, 1, &pool, input, &pool) != NULL);
	n_shards = 1;
}

TEST(queue_pairs)
{
	answer = 0;
	setup_pairs();
	CHECK_EQ(pairs_set, 2);
	CHECK_EQ(fake_warnings, 0);
	CHECK_EQ(fake.q[0].vector, 0);
	CHECK_EQ(fake.q[2].vector, 1);
	CHECK_EQ(fake.q[1].vector, VIRTIO_NO_VECTOR);
	answer = 1; /* refused: said, and the first pair goes on */
	setup_pairs();
	CHECK_EQ(fake_warnings, 1);
	CHECK_EQ(fake.status, 15);
	answer = 0xee; /* never answered */
	setup_pairs();
	CHECK_EQ(fake_warnings, 1);
	CHECK_EQ(fake.status, 0);
	fake_turn();
	CHECK(!queue->open);
}

UNIT_MAIN(CASE(setup_and_info), CASE(receive), CASE(receive_batch_is_bounded), CASE(receive_merged),
	  CASE(receive_offloads), CASE(send_small_is_one_descriptor), CASE(send_offloads),
	  CASE(send_chains), CASE(send_full_ring), CASE(lie_with_a_backlog),
	  CASE(too_many_fragments), CASE(pool_runs_empty), CASE(interrupts_only_when_armed),
	  CASE(lie_header_missing), CASE(lie_buffers_missing), CASE(lie_length_and_id),
	  CASE(lie_on_tx), CASE(no_reset_keeps_buffers), CASE(queue_pairs))
