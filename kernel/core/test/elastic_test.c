/* SPDX-License-Identifier: Apache-2.0 */
/* elastic_test.c - the allocator and its policies: who gets which core, bounds, ranks, turns, moves
 * that somebody else disturbs, and a long random run in which the books must balance. */
#include <pthread.h>
#include <stdlib.h>

#include "kernel/core/elastic.h"
#include "tests/unit.h"

static struct elastic e;
static struct gw_status_partition numbers[ELASTIC_PARTS];
static struct elastic_load says[ELASTIC_PARTS]; /* .running is set from what it holds */
static _Atomic uint32_t kicks[ELASTIC_CORES];
static int (*meanwhile)(void); /* somebody else, in the middle of a decision */

void elastic_load(uint32_t part, uint64_t now, struct elastic_load *l)
{
	(void)now;
	*l = says[part];
	if (meanwhile != NULL && !meanwhile())
		meanwhile = NULL;
}

void elastic_kick(uint32_t core)
{
	atomic_fetch_add(&kicks[core], 1);
}

/* Partition i of policy p. */
static void part(uint32_t i, const struct elastic_policy *p, uint32_t min, uint32_t max,
		 uint64_t delay_ns)
{
	e.parts[i] = (struct elastic_part){ p, min, max, delay_ns, &numbers[i] };
}

static void setup(uint32_t n_cores, uint32_t n_parts)
{
	memset(&e, 0, sizeof(e));
	memset(numbers, 0, sizeof(numbers));
	memset(says, 0, sizeof(says));
	memset((void *)kicks, 0, sizeof(kicks));
	meanwhile = NULL;
	elastic_init(&e, n_cores, n_parts);
}

/* All of part's granted vcores run. */
static void run(uint32_t i)
{
	says[i].running = numbers[i].cores;
}

TEST(idle)
{
	setup(4, 2);
	part(0, &policy_latency, 0, 4, 5000);
	part(1, &policy_batch, 0, 4, 0);
	CHECK_EQ(elastic_owner(&e, 3), ELASTIC_AWAY);
	CHECK_EQ(elastic_next(&e, 0, 100), ELASTIC_IDLE);
	CHECK_EQ(elastic_idle(&e), 0);
	CHECK_EQ(elastic_want(&e, 0, 0, 100), ELASTIC_NOBODY); /* it has no work */
	says[0].ready = 1;
	CHECK_EQ(elastic_want(&e, 0, 2, 100), 0);
	CHECK_EQ(kicks[0], 1);
	CHECK_EQ(numbers[0].cores, 1);
	CHECK_EQ(elastic_idle(&e), ELASTIC_NOBODY);
	/* one vcore, and a core is on its way to it: no second one */
	CHECK_EQ(elastic_next(&e, 1, 100), ELASTIC_IDLE);
	CHECK_EQ(elastic_want(&e, 0, 0, 100), ELASTIC_NOBODY);
	elastic_served(&e, 0, 107);
	CHECK_EQ(numbers[0].move[7], 1);
	CHECK_EQ(numbers[0].move_max, 7);
	elastic_served(&e, 0, 900); /* once only */
	CHECK_EQ(numbers[0].move_sum, 7);
	elastic_served(&e, 1, 900); /* nobody's */
	says[0].ready = 0;
	run(0);
	/* batch takes what is there */
	says[1].ready = 2;
	CHECK_EQ(elastic_next(&e, 2, 200), 1);
	CHECK_EQ(elastic_next(&e, 0, 200), 1); /* given up by the other */
	CHECK_EQ(numbers[0].cores, 0);
	CHECK_EQ(numbers[1].cores, 2);
	CHECK_EQ(elastic_next(&e, 1, 200), ELASTIC_IDLE); /* both its vcores have cores */
	elastic_leave(&e, 2);
	CHECK_EQ(elastic_owner(&e, 2), ELASTIC_AWAY);
	CHECK_EQ(numbers[1].cores, 1);
	elastic_leave(&e, 2);
	CHECK_EQ(numbers[1].cores, 1);
}

TEST(preempting)
{
	setup(3, 2);
	part(0, &policy_latency, 0, 3, 5000);
	part(1, &policy_batch, 0, 3, 0);
	says[1].ready = 3;
	for (uint32_t i = 0; i < 3; i++)
		CHECK_EQ(elastic_next(&e, i, 100), 1);
	says[1].ready = 0;
	run(1);
	says[0].ready = 1;
	CHECK_EQ(elastic_want(&e, 0, 2, 200), 2); /* it has none: at once */
	CHECK_EQ(numbers[1].revokes, 1);
	CHECK_EQ(numbers[1].cores, 2);
	run(0);
	says[0].ready_delay_ns = 5000;
	CHECK_EQ(elastic_look(&e, 0, 300), 1); /* 5001 is beyond the bound */
	CHECK_EQ(numbers[0].cores, 1);
	says[0].ready_delay_ns = 5001;
	CHECK(elastic_watched(&e));
	CHECK_EQ(elastic_look(&e, 0, 300), ~0ULL);
	CHECK_EQ(numbers[0].cores, 2);
	CHECK_EQ(kicks[0], 1);
	/* helpers count, when the work of those that run waits */
	run(0);
	says[0].ready = 0;
	says[0].helpers = 1;
	elastic_look(&e, 0, 400);
	CHECK_EQ(numbers[0].cores, 2); /* what a core would help against is not what is late */
	says[0].running_delay_ns = 5001;
	elastic_look(&e, 0, 400);
	CHECK_EQ(numbers[0].cores, 3);
	CHECK(!elastic_watched(&e));
	elastic_look(&e, 0, 400);
	CHECK_EQ(numbers[0].cores, 3); /* its maximum */
	CHECK_EQ(numbers[0].grants, 3);
	/* the batch class never takes one back */
	says[0].ready_delay_ns = 0;
	says[1].ready = 3;
	says[1].running = 0;
	says[1].ready_delay_ns = 1000000000;
	CHECK_EQ(elastic_want(&e, 1, 0, 500), ELASTIC_NOBODY);
	CHECK_EQ(elastic_turn(&e, 0, 500), 0);
}

TEST(guarantees)
{
	setup(4, 3);
	part(0, &policy_latency, 1, 4, 5000);
	part(1, &policy_latency, 2, 4, 5000);
	part(2, &policy_batch, 1, 4, 0);
	says[0].ready = 4;
	says[0].ready_delay_ns = 100000;
	for (uint32_t i = 0; i < 4; i++)
		CHECK_EQ(elastic_next(&e, i, 100), 0);
	run(0);
	says[0].ready = 0;
	/* below its minimum even the batch class takes one from a late partition */
	says[2].ready = 4;
	CHECK_EQ(elastic_want(&e, 2, 1, 200), 1);
	run(2);
	CHECK_EQ(elastic_want(&e, 2, 1, 200), ELASTIC_NOBODY);
	says[1].ready = 4;
	CHECK_EQ(elastic_want(&e, 1, 0, 200), 0);
	run(1);
	CHECK_EQ(elastic_want(&e, 1, 1, 200), 2);
	run(1);
	CHECK_EQ(numbers[0].cores, 1);
	/* everyone is at his minimum: nothing moves, however late */
	says[1].ready_delay_ns = 1000000000;
	CHECK_EQ(elastic_want(&e, 1, 0, 300), ELASTIC_NOBODY);
	CHECK_EQ(elastic_turn(&e, 3, 300), 0);
	CHECK_EQ(numbers[0].cores + numbers[1].cores + numbers[2].cores, 4);
}

TEST(late_from_calm)
{
	setup(2, 2);
	part(0, &policy_latency, 0, 2, 5000);
	part(1, &policy_latency, 0, 2, 5000);
	says[0].ready = 2;
	elastic_next(&e, 0, 100);
	elastic_next(&e, 1, 100);
	run(0);
	says[0].ready = 0;
	says[1].ready = 2;
	CHECK_EQ(elastic_want(&e, 1, 0, 200), 0); /* the first at once, from one that is calm */
	run(1);
	says[1].ready = 1;
	says[1].ready_delay_ns = 4000;
	CHECK_EQ(elastic_want(&e, 1, 0, 200), ELASTIC_NOBODY);
	says[1].ready_delay_ns = 6000;
	says[0].ready_delay_ns = 7000; /* both are late: no more moves but by turns */
	says[0].ready = 1;
	CHECK_EQ(elastic_want(&e, 1, 0, 200), ELASTIC_NOBODY);
	CHECK_EQ(elastic_turn(&e, 1, 300), 1);
	CHECK_EQ(numbers[1].cores, 2);
	run(0), run(1);
	says[1].ready = 0;
	CHECK_EQ(elastic_turn(&e, 1, 400), 0); /* and back */
}

TEST(turns_of_batch)
{
	uint32_t turns[2] = { 0 };

	setup(1, 3);
	part(0, &policy_batch, 0, 1, 0);
	part(1, &policy_batch, 0, 1, 0);
	part(2, &policy_fixed, 0, 0, 0);
	CHECK_EQ(elastic_turn(&e, 0, 100), ELASTIC_IDLE);
	says[0].ready = says[1].ready = 1;
	says[2].ready = 5;
	for (uint64_t t = 1; t <= 20; t++) {
		uint32_t p = elastic_turn(&e, 0, t * 1000000);

		CHECK(p < 2);
		turns[p]++;
		run(0), run(1);
		says[p].ready = 0, says[p].ready_delay_ns = 0;
		says[!p].ready = 1, says[!p].ready_delay_ns = 1000000;
	}
	CHECK_EQ(turns[0], 10);
	CHECK_EQ(turns[1], 10);
	CHECK_EQ(policy_fixed.want(&e.parts[2], &says[2]), ELASTIC_NONE);
	CHECK_EQ(policy_fixed.keep(&e.parts[2], &says[2]), ELASTIC_GUARANTEE);
	says[0].ready = 0;
	CHECK_EQ(policy_batch.want(&e.parts[0], &says[0]), ELASTIC_NONE);
	says[0].ready = 1;
	numbers[0].cores = 1;
	CHECK_EQ(policy_batch.want(&e.parts[0], &says[0]), ELASTIC_NONE); /* its maximum */
}

static int others_take_it(void)
{
	/* while core 0 asks who wants it, another core gives it to partition 1 */
	atomic_store(&e.grant[0], 9 << 8 | 1);
	numbers[1].cores++;
	return 0;
}

static int others_fill_it(void)
{
	numbers[0].cores = e.parts[0].max;
	return 0;
}

TEST(races)
{
	setup(2, 2);
	part(0, &policy_latency, 0, 1, 0);
	part(1, &policy_batch, 0, 2, 0);
	says[0].ready = 1;
	meanwhile = others_take_it;
	CHECK_EQ(elastic_next(&e, 0, 100), 1);
	CHECK_EQ(numbers[0].cores, 0);
	meanwhile = others_fill_it;
	CHECK_EQ(elastic_next(&e, 0, 100), ELASTIC_IDLE);
	CHECK_EQ(numbers[0].cores, 1);
	CHECK_EQ(elastic_want(&e, 0, 0, 100), ELASTIC_NOBODY);
	/* a victim that changes hands, and one that comes to its minimum, in the middle */
	setup(2, 2);
	part(0, &policy_latency, 0, 2, 0);
	part(1, &policy_batch, 0, 2, 0);
	says[1].ready = 2;
	elastic_next(&e, 0, 100);
	elastic_next(&e, 1, 100);
	e.parts[1].min = 2;
	says[0].ready = 1;
	CHECK_EQ(elastic_want(&e, 0, 0, 100), ELASTIC_NOBODY);
	CHECK_EQ(numbers[0].cores, 0);
	CHECK_EQ(numbers[1].cores, 2);
}

/* Whatever is published and whoever asks: every core has one owner, the counts are those of the
 * owners, nobody is above his maximum, or goes below his minimum by another's doing. */
TEST(books_balance)
{
	const struct elastic_policy *policies[] = { &policy_latency, &policy_batch, &policy_fixed };

	srand(7);
	for (uint32_t round = 0; round < 200; round++) {
		uint32_t n = 1 + (uint32_t)rand() % 16;

		setup(n, 5);
		for (uint32_t i = 0; i < 5; i++) {
			uint32_t max = (uint32_t)rand() % (n + 1);

			part(i, policies[rand() % 3], max != 0 && n > 5 ? 1 : 0, max, 5000);
		}
		for (uint32_t step = 0; step < 500; step++) {
			uint32_t who = (uint32_t)rand() % 5, core = (uint32_t)rand() % n, before[5];
			uint32_t had = elastic_owner(&e, core), held[5] = { 0 };
			uint64_t now = step * 1000 + 1;
			int what = rand() % 6;

			for (uint32_t i = 0; i < 5; i++)
				before[i] = numbers[i].cores;
			says[who] = (struct elastic_load){
				(uint32_t)rand() % 4, (uint32_t)rand() % 4, (uint32_t)rand() % 4,
				(uint64_t)rand() % 10000, (uint64_t)rand() % 10000
			};
			if (what == 0)
				elastic_leave(&e, core);
			else if (what == 1)
				elastic_next(&e, core, now);
			else if (what == 2)
				elastic_turn(&e, core, now);
			else if (what == 3)
				elastic_look(&e, core, now);
			else if (what == 4)
				elastic_want(&e, who, core, now);
			else
				elastic_served(&e, core, now + 10);
			for (uint32_t i = 0; i < n; i++)
				if (elastic_owner(&e, i) < 5)
					held[elastic_owner(&e, i)]++;
			for (uint32_t i = 0; i < 5; i++) {
				bool own = (what <= 1) && had == i;

				CHECK_EQ(held[i], numbers[i].cores);
				CHECK(held[i] <= e.parts[i].max);
				CHECK(own || held[i] >= e.parts[i].min || held[i] >= before[i]);
			}
		}
	}
}

/* Four cores at once, each in a thread: whatever they do to each other, in the end every core has
 * one owner and the counts are those of the owners; nobody is ever above his maximum. */
static void *core_thread(void *arg)
{
	uint32_t core = (uint32_t)(uintptr_t)arg, random = core * 7919 + 1;

	for (uint32_t step = 0; step < 20000; step++) {
		random = random * 1664525 + 1013904223;
		switch (random >> 28) {
		case 0:
			elastic_leave(&e, core);
			break;
		case 1:
		case 2:
			elastic_next(&e, core, step + 1);
			break;
		case 3:
			elastic_turn(&e, core, step + 1);
			break;
		case 4:
			elastic_look(&e, core, step + 1);
			break;
		case 5:
			elastic_served(&e, core, step + 2);
			break;
		default:
			elastic_want(&e, random >> 20 & 3, core, step + 1);
			break;
		}
	}
	return NULL;
}

TEST(threads)
{
	pthread_t threads[4];
	uint32_t held[4] = { 0 };

	setup(4, 4);
	part(0, &policy_latency, 1, 3, 100);
	part(1, &policy_latency, 0, 2, 100);
	part(2, &policy_batch, 1, 4, 0);
	part(3, &policy_batch, 0, 2, 0);
	for (uint32_t i = 0; i < 4; i++)
		says[i] = (struct elastic_load){ 4, 0, 1, 50 + 100 * (i & 1), 0 };
	for (uint32_t i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, core_thread, (void *)(uintptr_t)i), 0);
	for (uint32_t i = 0; i < 4; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	for (uint32_t i = 0; i < 4; i++)
		if (elastic_owner(&e, i) < 4)
			held[elastic_owner(&e, i)]++;
	for (uint32_t i = 0; i < 4; i++) {
		CHECK_EQ(held[i], numbers[i].cores);
		CHECK(held[i] <= e.parts[i].max);
	}
}

UNIT_MAIN(CASE(idle), CASE(preempting), CASE(guarantees), CASE(late_from_calm),
	  CASE(turns_of_batch), CASE(races), CASE(books_balance), CASE(threads))
