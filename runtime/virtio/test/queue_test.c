/* SPDX-License-Identifier: Apache-2.0 */
/* queue_test.c - the split virtqueue against honest and hostile devices. */
#include "runtime/base/errno.h"
#include "runtime/virtio/queue.h"
#include "runtime/virtio/test/fake.h"
#include "tests/unit.h"

#define BASIC (VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC)

static struct vdev d;
static struct vq q;

static void start_with(enum gw_device_kind kind, uint64_t offer, uint16_t size, bool strong)
{
	vq_destroy(&q);
	fake_reset(kind, VIRTIO_ID_RNG, offer, 256);
	CHECK_EQ(vdev_probe(&d, &fake.dev, 0, strong), 0);
	CHECK_EQ(vdev_negotiate(&d, 0), 0);
	CHECK_EQ(vdev_queue(&d, &q, 1, size, 0), 0);
	vdev_driver_ok(&d);
	fake.q[1].kicks = 0;
}

static void start(uint16_t size)
{
	start_with(GW_DEVICE_PCI, BASIC, size, false);
}

static char mem[64][64];

static uint16_t add_in(int i, uint32_t len)
{
	return vq_add_one(&q, va_to_pa(mem[i]), len, VRING_DESC_WRITE, mem[i]);
}

TEST(roundtrip_both_transports)
{
	for (int kind = GW_DEVICE_PCI; kind <= GW_DEVICE_MMIO; kind++) {
		start_with((enum gw_device_kind)kind, BASIC, 8, false);
		CHECK_EQ(fake.q[1].num, 8);
		/* Several rounds of the ring, with index wrap at 65536. */
		for (unsigned i = 0; i < 70000; i++) {
			struct fake_chain c;
			struct vq_done done;

			add_in((int)(i % 8), 64);
			vq_publish(&q);
			if (!fake_pop(1, &c) || c.n_in != 1) {
				CHECK(false);
				return;
			}
			fake_push(1, c.id, i % 65);
			if (!vq_take(&q, &done) || done.cookie != mem[i % 8] ||
			    done.len != i % 65) {
				CHECK(false);
				return;
			}
		}
		CHECK_EQ(q.n_free, 8);
		CHECK_EQ(q.n_inflight, 0);
	}
}

TEST(chains_direct_and_indirect)
{
	for (int indirect = 0; indirect < 2; indirect++) {
		struct vring_desc table[4];
		struct vq_buf bufs[4];
		struct fake_chain c;
		struct vq_done done;
		int id;

		start(8);
		for (int i = 0; i < 4; i++)
			bufs[i] = (struct vq_buf){ va_to_pa(mem[i]), 10u + (unsigned)i };
		id = vq_add(&q, bufs, 1, 3, &c, indirect ? table : NULL);
		CHECK(id >= 0);
		CHECK_EQ(q.n_free, indirect ? 7 : 4);
		vq_flush(&q);
		CHECK(fake_pop(1, &c));
		CHECK_EQ(c.indirect, indirect);
		CHECK_EQ(c.n_out, 1);
		CHECK_EQ(c.n_in, 3);
		CHECK(c.in[2].p == (uint8_t *)mem[3] && c.in[2].len == 13);
		/* Completed lengths are those of the writable part. */
		fake_push(1, c.id, 11 + 12 + 13);
		CHECK(vq_take(&q, &done));
		CHECK_EQ(done.len, 36);
		CHECK_EQ(done.id, id);
		CHECK_EQ(q.n_free, 8);
	}
}

TEST(full_ring_changes_nothing)
{
	struct vq_buf bufs[3] = { { 0, 1 }, { 0, 1 }, { 0, 1 } };
	struct fake_chain popped[3];
	struct vq_done done;

	start(8);
	CHECK(vq_add(&q, bufs, 3, 0, mem, NULL) >= 0);
	CHECK(vq_add(&q, bufs, 3, 0, mem, NULL) >= 0);
	CHECK_EQ(vq_add(&q, bufs, 3, 0, mem, NULL), -EAGAIN);
	CHECK_EQ(q.n_free, 2);
	CHECK(vq_add(&q, bufs, 2, 0, mem, NULL) >= 0);
	CHECK_EQ(q.n_free, 0);
	vq_publish(&q);
	/* Out of order completion. */
	CHECK(fake_pop(1, &popped[0]) && fake_pop(1, &popped[1]) && fake_pop(1, &popped[2]));
	for (unsigned i = 0; i < 3; i++)
		fake_push(1, popped[2 - i].id, 0);
	while (vq_take(&q, &done))
		;
	CHECK(!q.broken);
	CHECK_EQ(q.n_free, 8);
	/* All descriptors are on the free list once: a chain over the whole ring works. */
	{
		struct vq_buf all[8] = { { 0, 0 } };
		struct fake_chain c;

		CHECK(vq_add(&q, all, 8, 0, mem, NULL) >= 0);
		vq_publish(&q);
		CHECK(fake_pop(1, &c));
		CHECK_EQ(c.n_out, 8);
	}
}

/* Each: offer 4 chains of 64 bytes, then one lie. */
static void offer_four(void)
{
	start(8);
	for (int i = 0; i < 4; i++)
		add_in(i, 64);
	vq_publish(&q);
}

static void expect_broken(unsigned taken)
{
	struct vq_done done;
	unsigned n = 0;

	while (vq_take(&q, &done))
		n++;
	CHECK_EQ(n, taken);
	CHECK(q.broken);
	CHECK(q.lie != NULL);
	CHECK(!vq_take(&q, &done));
	CHECK(!vq_pending(&q));
	CHECK(!vq_arm(&q));
	CHECK_EQ(vq_add(&q, &(struct vq_buf){ 0, 1 }, 1, 0, mem, NULL), -EIO);
}

TEST(lie_id_out_of_range)
{
	offer_four();
	fake_push(1, 8, 0);
	expect_broken(0);
	offer_four();
	fake_push(1, 0xffffffff, 0);
	expect_broken(0);
	offer_four();
	fake_push(1, 0x10000, 0); /* must not be cut to 16 bits */
	expect_broken(0);
}

TEST(lie_id_not_offered)
{
	offer_four();
	fake_push(1, 5, 0);
	expect_broken(0);
}

TEST(lie_completed_twice)
{
	offer_four();
	fake_push(1, 2, 0);
	fake_push(1, 2, 0);
	expect_broken(1);
}

TEST(lie_middle_of_chain)
{
	struct vq_buf bufs[3] = { { 0, 1 }, { 0, 1 }, { 0, 1 } };

	start(8);
	CHECK_EQ(vq_add(&q, bufs, 3, 0, mem, NULL), 0);
	vq_publish(&q);
	fake_push(1, 1, 0);
	expect_broken(0);
}

TEST(lie_length)
{
	offer_four();
	fake_push(1, 0, 64);
	fake_push(1, 1, 65);
	expect_broken(1);
	offer_four();
	fake_push(1, 0, 0xffffffff);
	expect_broken(0);
}

TEST(lie_index_jump)
{
	offer_four();
	fake_publish(1, 5); /* one more than offered */
	expect_broken(0);
	offer_four();
	fake_publish(1, 0x8000);
	expect_broken(0);
	offer_four();
	fake_publish(1, 0xffff); /* backwards */
	expect_broken(0);
}

TEST(sloppy_length_of_read_only_chain)
{
	struct vq_done done;

	start(8);
	vq_add_one(&q, 0, 64, 0, mem);
	vq_publish(&q);
	fake_push(1, 0, 77);
	CHECK(vq_take(&q, &done));
	CHECK_EQ(done.len, 0);
	CHECK(!q.broken);
}

/* The device may scribble over descriptors and the available ring: the books do not care. */
TEST(scribbled_rings)
{
	struct vq_done done;

	offer_four();
	memset(q.desc, 0xff, 8 * sizeof(*q.desc));
	memset(q.avail->ring, 0xff, 16);
	for (uint32_t i = 0; i < 4; i++)
		fake_push(1, 3 - i, 1);
	for (int i = 0; i < 4; i++)
		CHECK(vq_take(&q, &done) && done.cookie == mem[3 - i]);
	CHECK(!q.broken);
	CHECK_EQ(q.n_free, 8);
}

static unsigned drained;
static void count_drained(void *ctx, void *cookie, uint16_t id)
{
	CHECK(ctx == &q);
	CHECK(cookie == mem[id]);
	drained++;
}

TEST(drain)
{
	struct vq_done done;

	offer_four();
	fake_push(1, 1, 0);
	CHECK(vq_take(&q, &done));
	drained = 0;
	vq_drain(&q, count_drained, &q);
	CHECK_EQ(drained, 3);
	CHECK_EQ(q.n_inflight, 0);
}

static _Atomic uint16_t *avail_event(void)
{
	return (_Atomic uint16_t *)(void *)&q.used->ring[q.mask + 1u];
}

TEST(kick_follows_avail_event)
{
	start(8);
	atomic_store(avail_event(), 0);
	add_in(0, 1);
	vq_flush(&q);
	CHECK_EQ(fake.q[1].kicks, 1); /* passed index 0 */
	add_in(1, 1);
	vq_flush(&q);
	CHECK_EQ(fake.q[1].kicks, 1); /* it did not ask again */
	atomic_store(avail_event(), 3);
	add_in(2, 1);
	vq_flush(&q);
	CHECK_EQ(fake.q[1].kicks, 1);
	add_in(3, 1);
	add_in(4, 1);
	vq_flush(&q);
	CHECK_EQ(fake.q[1].kicks, 2);
	vq_flush(&q); /* nothing new */
	CHECK_EQ(fake.q[1].kicks, 2);
}

TEST(kick_follows_flag_without_event_idx)
{
	start_with(GW_DEVICE_MMIO, VIRTIO_F_VERSION_1, 8, false);
	CHECK_EQ(atomic_load(&q.avail->flags), VRING_AVAIL_NO_INTERRUPT);
	add_in(0, 1);
	vq_flush(&q);
	CHECK_EQ(fake.q[1].kicks, 1);
	atomic_store(&q.used->flags, VRING_USED_NO_NOTIFY);
	add_in(1, 1);
	vq_flush(&q);
	CHECK_EQ(fake.q[1].kicks, 1);
	(void)vq_arm(&q);
	CHECK_EQ(atomic_load(&q.avail->flags), 0);
}

TEST(strong_always_kicks_and_syncs)
{
	unsigned reads;

	start_with(GW_DEVICE_PCI, BASIC, 8, true);
	atomic_store(avail_event(), 0x7777);
	add_in(0, 1);
	vq_flush(&q);
	CHECK_EQ(fake.q[1].kicks, 1);
	vq_flush(&q);
	CHECK_EQ(fake.q[1].kicks, 1);
	reads = fake.sync_reads;
	CHECK(!vq_arm(&q));
	CHECK_EQ(fake.sync_reads, reads + 1);
}

TEST(arm_asks_for_the_next_completion)
{
	struct vq_done done;

	offer_four();
	fake_push(1, 0, 0);
	CHECK(!fake_interrupts(1, 0)); /* never armed */
	CHECK(vq_arm(&q));	       /* something is there already */
	CHECK(vq_take(&q, &done));
	CHECK(!vq_arm(&q));
	fake_push(1, 1, 0);
	CHECK(fake_interrupts(1, 1));
	CHECK(vq_take(&q, &done));
	fake_push(1, 2, 0);
	CHECK(!fake_interrupts(1, 2)); /* not armed again */
	CHECK(vq_pending(&q));
}

TEST(sizes)
{
	struct vq_features f = { 0 };
	struct vq x;

	CHECK_EQ(vq_init(&x, 0, &f), -EINVAL);
	CHECK_EQ(vq_init(&x, 1, &f), -EINVAL);
	CHECK_EQ(vq_init(&x, 48, &f), -EINVAL);
	CHECK_EQ(vq_init(&x, 2048, &f), -EINVAL);
	CHECK_EQ(vq_init(&x, 1024, &f), 0);
	CHECK_EQ((uintptr_t)x.desc % 16, 0);
	CHECK_EQ((uintptr_t)x.used % 4, 0);
	vq_destroy(&x);
	vq_destroy(&x); /* harmless */
}

UNIT_MAIN(CASE(roundtrip_both_transports), CASE(chains_direct_and_indirect),
	  CASE(full_ring_changes_nothing), CASE(lie_id_out_of_range), CASE(lie_id_not_offered),
	  CASE(lie_completed_twice), CASE(lie_middle_of_chain), CASE(lie_length),
	  CASE(lie_index_jump), CASE(sloppy_length_of_read_only_chain), CASE(scribbled_rings),
	  CASE(drain), CASE(kick_follows_avail_event), CASE(kick_follows_flag_without_event_idx),
	  CASE(strong_always_kicks_and_syncs), CASE(arm_asks_for_the_next_completion), CASE(sizes))
