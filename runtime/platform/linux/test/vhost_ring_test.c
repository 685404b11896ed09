/* SPDX-License-Identifier: Apache-2.0 */
/* vhost_ring_test.c - the device's side of a virtqueue: chains in pieces, and a front end that
 * names what is not its own. */
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "runtime/platform/linux/vhost_ring.h"
#include "tests/unit.h"

#define BYTES 8192u
#define GUEST 0x100000u
#define FRONT 0x7f0000000000ull
#define NUM 8u
#define AVAIL 128u
#define USED 256u
#define DATA 1024u

static uint8_t *memory; /* malloc: the sanitizer guards its ends */
static struct vhost_memory mem;
static struct vhost_ring ring;

static struct vring_desc *desc(unsigned i)
{
	return (struct vring_desc *)(void *)memory + i;
}

static struct vring_avail *avail(void)
{
	return (void *)(memory + AVAIL);
}

static struct vring_used *used(void)
{
	return (void *)(memory + USED);
}

static void setup(void)
{
	free(memory);
	memory = calloc(1, BYTES);
	mem = (struct vhost_memory){ .n = 1, .r[0] = { GUEST, FRONT, BYTES, memory, NULL, 0 } };
	ring = (struct vhost_ring){ .num = NUM, .kick = -1, .call = -1 };
	CHECK(vhost_ring_set(&ring, &mem, FRONT, FRONT + AVAIL, FRONT + USED));
}

static void describe(unsigned i, uint64_t off, uint32_t len, uint16_t flags, uint16_t next)
{
	*desc(i) = (struct vring_desc){ GUEST + off, len, flags, next };
}

static void offer(uint16_t head)
{
	avail()->ring[avail()->idx % NUM] = head;
	avail()->idx++;
}

static uint8_t header[VHOST_NET_HEADER], frame[64];

static uint32_t take(void)
{
	return vhost_ring_take(&ring, &mem, header, frame, sizeof(frame));
}

TEST(places)
{
	setup();
	CHECK(vhost_at(&mem, false, GUEST, BYTES) == memory);
	CHECK(vhost_at(&mem, true, FRONT + 5, BYTES - 5) == memory + 5);
	CHECK(vhost_at(&mem, false, GUEST + 1, BYTES) == NULL);
	CHECK(vhost_at(&mem, false, GUEST - 1, 1) == NULL);
	CHECK(vhost_at(&mem, false, GUEST + BYTES, 0) == NULL);
	CHECK(vhost_at(&mem, false, GUEST + 1, ~0ull) == NULL);
	CHECK(vhost_at(&mem, false, ~0ull, 2) == NULL);
}

TEST(set)
{
	struct vhost_ring r = { .num = 3 };

	setup();
	CHECK(!vhost_ring_set(&r, &mem, FRONT, FRONT + AVAIL, FRONT + USED)); /* no power of two */
	r.num = 65536;
	CHECK(!vhost_ring_set(&r, &mem, FRONT, FRONT + AVAIL, FRONT + USED));
	r.num = NUM;
	CHECK(!vhost_ring_set(&r, &mem, FRONT + 8, FRONT + AVAIL, FRONT + USED)); /* alignment */
	CHECK(!vhost_ring_set(&r, &mem, FRONT, FRONT + AVAIL + 1, FRONT + USED));
	CHECK(!vhost_ring_set(&r, &mem, FRONT, FRONT + AVAIL, FRONT + USED + 2));
	CHECK(!vhost_ring_set(&r, &mem, FRONT + BYTES - 64, FRONT + AVAIL, FRONT + USED));
	CHECK(!vhost_ring_set(&r, &mem, FRONT, FRONT + BYTES - 4, FRONT + USED));
	CHECK(!vhost_ring_set(&r, &mem, FRONT, FRONT + AVAIL, FRONT + BYTES - 8));
	CHECK(!vhost_ring_filled(&r));
}

TEST(take_in_pieces)
{
	setup();
	CHECK_EQ(take(), 0);
	memory[DATA] = 7;
	memcpy(memory + DATA + 12, "hello", 5);
	memcpy(memory + DATA + 100, " there", 6);
	describe(2, DATA, 4, VRING_DESC_F_NEXT, 5); /* the header in two */
	describe(5, DATA + 4, 13, VRING_DESC_F_NEXT, 1);
	describe(1, DATA + 100, 6, 0, 0);
	offer(2);
	CHECK(vhost_ring_filled(&ring));
	CHECK_EQ(take(), 11);
	CHECK(header[0] == 7 && memcmp(frame, "hello there", 11) == 0);
	CHECK(used()->idx == 0 && ring.owed);
	vhost_ring_tell(&ring);
	CHECK(used()->idx == 1 && used()->ring[0].id == 2 && !ring.owed);
	CHECK(!vhost_ring_filled(&ring));
	describe(0, DATA, 12 + 65, 0, 0); /* longer than the room */
	offer(0);
	CHECK(take() > sizeof(frame));
	describe(0, DATA, 5, 0, 0); /* not even a header */
	offer(0);
	CHECK(take() > sizeof(frame));
	vhost_ring_tell(&ring);
	CHECK(used()->idx == 3 && !ring.broken);
}

TEST(in_one_piece)
{
	struct iovec v[2] = { { (void *)(uintptr_t) "header, 12 b", 12 },
			      { (void *)(uintptr_t) "content", 7 } };

	setup();
	memcpy(memory + DATA, "HEADER, 12 B", 12);
	memset(memory + DATA + 12, 'x', sizeof(frame));
	for (unsigned i = 0; i < 20; i++) { /* what was done is shown now and then by itself */
		describe(0, DATA, 12 + sizeof(frame), 0, 0);
		offer(0);
		CHECK_EQ(take(), sizeof(frame));
		CHECK(memcmp(header, "HEADER, 12 B", 12) == 0 && frame[sizeof(frame) - 1] == 'x');
		CHECK_EQ(used()->idx, (i + 1) / 8 * 8);
	}
	vhost_ring_tell(&ring);
	CHECK_EQ(used()->idx, 20);
	describe(0, DATA + 100, 19, VRING_DESC_F_WRITE, 0); /* just enough */
	offer(0);
	CHECK(vhost_ring_put(&ring, &mem, v, 2));
	CHECK(memcmp(memory + DATA + 100, "header, 12 bcontent", 19) == 0);
	describe(0, DATA + 100, 18, VRING_DESC_F_WRITE, 0);
	memory[DATA + 118] = 'y';
	offer(0);
	CHECK(!vhost_ring_put(&ring, &mem, v, 2));
	vhost_ring_tell(&ring);
	CHECK(used()->idx == 22 && used()->ring[20 & (NUM - 1)].len == 19 &&
	      used()->ring[21 & (NUM - 1)].len == 0 && memory[DATA + 118] == 'y');
}

TEST(put_in_pieces)
{
	struct iovec v[2] = { { (void *)(uintptr_t) "abcdef", 6 },
			      { (void *)(uintptr_t) "ghi", 3 } };

	setup();
	CHECK(!vhost_ring_put(&ring, &mem, v, 2));
	describe(0, DATA, 4, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 1);
	describe(1, DATA + 50, 10, VRING_DESC_F_WRITE, 0);
	offer(0);
	CHECK(vhost_ring_put(&ring, &mem, v, 2));
	CHECK(memcmp(memory + DATA, "abcd", 4) == 0 && memcmp(memory + DATA + 50, "efghi", 5) == 0);
	CHECK(used()->ring[0].len == 9);
	describe(0, DATA, 8, VRING_DESC_F_WRITE, 0); /* too short: back, empty */
	offer(0);
	CHECK(!vhost_ring_put(&ring, &mem, v, 2));
	vhost_ring_tell(&ring);
	CHECK(used()->idx == 2 && used()->ring[1].len == 0 && memory[DATA + 8] == 0);
}

static void bad(uint64_t off, uint32_t len, uint16_t flags, uint16_t next)
{
	setup();
	describe(0, off, len, flags, next);
	offer(0);
	CHECK_EQ(take(), 0);
	CHECK(ring.broken && used()->idx == 0 && !vhost_ring_filled(&ring));
}

TEST(hostile)
{
	bad(BYTES - 4, 8, 0, 0);		 /* over the end */
	bad(~(uint64_t)GUEST, 8, 0, 0);		 /* before the beginning, by overflow */
	bad(DATA, 0xffffffff, 0, 0);		 /* longer than all */
	bad(DATA, 20, VRING_DESC_F_INDIRECT, 0); /* was not offered */
	bad(DATA, 20, VRING_DESC_F_WRITE, 0);	 /* ours to write, in its send ring */
	bad(DATA, 20, VRING_DESC_F_NEXT, NUM);	 /* no such descriptor */
	bad(DATA, 20, VRING_DESC_F_NEXT, 0);	 /* a chain without an end */
	bad(DATA, 0, VRING_DESC_F_NEXT, 0);
	setup();
	offer(NUM);
	CHECK_EQ(take(), 0);
	CHECK(ring.broken);
	setup();
	describe(0, DATA, 20, 0, 0);
	avail()->idx = 0xffff; /* more than there are: each is looked at, none twice at a time */
	for (unsigned i = 0; i < 0xffff; i++)
		CHECK_EQ(take(), 8);
	CHECK_EQ(take(), 0);
}

TEST(telling)
{
	uint64_t count = 0;

	setup();
	ring.call = eventfd(0, EFD_NONBLOCK);
	describe(0, DATA, 20, 0, 0);
	vhost_ring_tell(&ring); /* nothing is owed */
	CHECK(read(ring.call, &count, sizeof(count)) < 0);
	offer(0);
	CHECK_EQ(take(), 8);
	vhost_ring_tell(&ring);
	CHECK(read(ring.call, &count, sizeof(count)) == 8 && count == 1);
	avail()->flags = VRING_AVAIL_F_NO_INTERRUPT;
	offer(0);
	CHECK_EQ(take(), 8);
	vhost_ring_tell(&ring);
	CHECK(read(ring.call, &count, sizeof(count)) < 0);
	vhost_ring_want(&ring, false);
	CHECK(used()->flags == VRING_USED_F_NO_NOTIFY);
	vhost_ring_want(&ring, true);
	CHECK(used()->flags == 0);
	close(ring.call);
	free(memory);
	memory = NULL;
}

UNIT_MAIN(CASE(places), CASE(set), CASE(take_in_pieces), CASE(in_one_piece), CASE(put_in_pieces),
	  CASE(hostile), CASE(telling))
