/* SPDX-License-Identifier: Apache-2.0 */
/* port_test.c - sampling and queuing ports: order, limits, validity, who may use which end, events.
 */
#include <stdlib.h>

#include "kernel/core/arch.h"
#include "kernel/core/call.h"
#include "kernel/core/port.h"
#include "tests/unit.h"

uint64_t direct_base;
struct partition *partitions[GW_BUNDLE_PARTITIONS];
uint32_t n_partitions = 3, n_cores = 1;
struct core *cores[GW_MAX_VCORES];
static struct partition part[3];
static struct core core;
static struct vcore vc[3];
static struct gw_vcore areas[3] __attribute__((aligned(4096)));
static struct vcore *self;
static uint64_t now, lock_at;
static uint32_t posted; /* bit n: an event for partition n */

struct vcore *arch_vcore(void)
{
	return self;
}

uint64_t arch_now_ns(void)
{
	return now;
}

static uint8_t *memory;
static uint32_t polls;

/* Who waits for a port's lock looks here: the other one gives it back. */
void arch_flush_poll(struct core *c)
{
	(void)c;
	polls++;
	memset(memory + lock_at, 0, 4);
}

void event_post(struct vcore *target, uint64_t events)
{
	CHECK_EQ(events, 1u << GW_EVENT_PORT);
	posted |= 1u << target->part->number;
}

/* Port 0: sampling, 0 to 1 and 2. Port 1: queuing, 1 to 0, three messages. */
static void setup(void)
{
	static struct gw_bundle b;

	memset(part, 0, sizeof(part));
	memset(areas, 0, sizeof(areas));
	b.n_channels = 2;
	b.channels[0] = (struct gw_bundle_channel){ 64, 0, 1000, 0, 6 };
	b.channels[1] = (struct gw_bundle_channel){ 4064, 3, 0, 1, 1 };
	for (uint32_t i = 0; i < 3; i++) {
		part[i].number = i;
		part[i].vcores[0] = &vc[i];
		partitions[i] = &part[i];
		vc[i] = (struct vcore){ .part = &part[i], .core = &core, .area = &areas[i] };
	}
	free(memory);
	memory = calloc(1, ports_bytes(&b)); /* exactly: a write beyond is seen */
	ports_init(&b, memory);
	now = 5000;
	posted = 0;
}

static long port_write(uint32_t from, uint64_t port, uint8_t byte, uint64_t len)
{
	self = &vc[from];
	memset(areas[from].batch.bytes, byte, len <= GW_BATCH_BYTES ? len : 0);
	return call_port_write(port, len, 0, 0);
}

static long port_read(uint32_t to, uint64_t port)
{
	self = &vc[to];
	return call_port_read(port, 0, 0, 0);
}

static long status(uint32_t who, uint64_t port)
{
	self = &vc[who];
	return call_port_status(port, 0, 0, 0);
}

TEST(sampling)
{
	setup();
	CHECK_EQ(port_read(1, 0), -EAGAIN);
	CHECK_EQ(status(1, 0), 0);
	CHECK_EQ(areas[1].done, 0);
	CHECK_EQ(port_write(0, 0, 7, 64), 0);
	CHECK_EQ(posted, 6);
	now += 500;
	CHECK_EQ(port_write(0, 0, 8, 10), 0);
	now += 1000;
	for (uint32_t i = 0; i < 2; i++) { /* it stays */
		CHECK_EQ(port_read(1 + i, 0), 10);
		CHECK_EQ(areas[1 + i].batch.bytes[9], 8);
		CHECK_EQ(areas[1 + i].next_va, 5500);
		CHECK_EQ(areas[1 + i].done, 1);
	}
	now++;
	CHECK_EQ(port_read(1, 0), 10);
	CHECK_EQ(areas[1].done, 0); /* too old */
	CHECK_EQ(status(0, 0), 1);
	CHECK_EQ(areas[0].done, 0);
}

TEST(queuing)
{
	setup();
	for (uint8_t i = 0; i < 3; i++)
		CHECK_EQ(port_write(1, 1, i, 4064), 0);
	CHECK_EQ(posted, 1);
	CHECK_EQ(status(0, 1), 3);
	posted = 0;
	CHECK_EQ(port_write(1, 1, 9, 1), -EAGAIN);
	CHECK_EQ(posted, 0);
	for (uint32_t round = 0; round < 10; round++) {
		CHECK_EQ(port_read(0, 1), round < 3 ? 4064 : 1);
		CHECK_EQ(areas[0].batch.bytes[0], round);
		CHECK_EQ(areas[0].done, 2);
		CHECK_EQ(posted, round == 0 ? 2 : 0); /* room: only who was refused is told */
		CHECK_EQ(port_write(1, 1, (uint8_t)(round + 3), 1), 0);
		posted = 0;
	}
	for (uint32_t i = 0; i < 3; i++)
		CHECK_EQ(port_read(0, 1), 1);
	CHECK_EQ(port_read(0, 1), -EAGAIN);
}

TEST(refusals)
{
	setup();
	CHECK_EQ(port_write(0, 2, 0, 1), -EINVAL);
	CHECK_EQ(port_write(0, ~0ULL, 0, 1), -EINVAL);
	CHECK_EQ(port_read(0, 2), -EINVAL);
	CHECK_EQ(status(0, 2), -EINVAL);
	CHECK_EQ(port_write(0, 0, 0, 0), -EINVAL);
	CHECK_EQ(port_write(0, 0, 0, 65), -EINVAL);
	CHECK_EQ(port_write(0, 0, 0, ~0ULL), -EINVAL);
	CHECK_EQ(port_write(1, 0, 0, 1), -EPERM);
	CHECK_EQ(port_read(0, 0), -EPERM);
	CHECK_EQ(port_read(2, 1), -EPERM);
	CHECK_EQ(status(2, 1), -EPERM);
	CHECK_EQ(posted, 0);
	free(memory);
	memory = NULL;
}

TEST(waits_for_the_lock)
{
	setup();
	self = &vc[0];
	/* the lock of port 0: the word that a write has at 1 while it runs, behind the channel */
	lock_at = (sizeof(struct gw_bundle_channel) + sizeof(void *));
	memcpy(memory + lock_at, &(uint32_t){ 1 }, 4);
	polls = 0;
	CHECK_EQ(call_port_write(0, 8, 0, 0), 0);
	CHECK_EQ(polls, 1);
}

/* A full queue that its source has looked at by port_status: an event follows when there is room.
 */
TEST(room_after_a_status)
{
	setup();
	for (uint32_t i = 0; i < 3; i++)
		CHECK_EQ(port_write(1, 1, 7, 8), 0);
	self = &vc[0]; /* the other end does not wait for room */
	CHECK_EQ(call_port_status(1, 0, 0, 0), 3);
	posted = 0;
	CHECK_EQ(port_read(0, 1), 8);
	CHECK_EQ(posted, 0);
	CHECK_EQ(port_write(1, 1, 7, 8), 0);
	self = &vc[1];
	CHECK_EQ(call_port_status(1, 0, 0, 0), 3);
	posted = 0;
	CHECK_EQ(port_read(0, 1), 8);
	CHECK_EQ(posted, 2);
	CHECK_EQ(call_port_status(1, 0, 0, 0), 2);
}

UNIT_MAIN(CASE(sampling), CASE(queuing), CASE(refusals), CASE(waits_for_the_lock),
	  CASE(room_after_a_status))
