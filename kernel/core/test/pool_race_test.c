/* SPDX-License-Identifier: Apache-2.0 */
/* pool_race_test.c - what cores of the pool do to each other in the middle of a step. The sources
 * are included, with atomic operations that first let `others` act when they come to a word for the
 * nth time: so each race is one deterministic run. */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

static const volatile void *meeting; /* the word */
static uint32_t visits;		     /* before it happens */
static void (*others)(void);
static const volatile void *stuck; /* a word that others change whenever it is to be changed here */

static inline void meet(const volatile void *at)
{
	void (*act)(void) = others;

	if (at != meeting || act == NULL || visits-- != 0)
		return;
	others = NULL;
	act();
}

/* What a compare and swap of `at` expects to find: `is`, or something else when it is to fail. A
 * weak one may fail for no reason (C11, 7.17.7.4), and does so `fails` times. */
static uint32_t fails;

static inline void *expected(const volatile void *at, void *is, uint32_t *fail)
{
	static uint64_t unlike;

	meet(at);
	unlike = 0x1234567812345678;
	if (at != stuck && *fail == 0)
		return is;
	*fail -= *fail != 0;
	return &unlike;
}

#undef atomic_load
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_weak
#define atomic_load(at) (meet(at), atomic_load_explicit(at, memory_order_seq_cst))
#define compare_and_swap(at, is, to, fail)                                                      \
	atomic_compare_exchange_strong_explicit(at, (__typeof__(is))expected(at, is, fail), to, \
						memory_order_seq_cst, memory_order_seq_cst)
#define atomic_compare_exchange_strong(at, is, to) compare_and_swap(at, is, to, &(uint32_t){ 0 })
#define atomic_compare_exchange_weak(at, is, to) compare_and_swap(at, is, to, &fails)

#include "kernel/core/elastic.c"
#include "kernel/core/pool.c"
#include "kernel/core/test/pool_machine.h"

/* Somebody else acts when `at` is come to for the nth time (0: the first) from now on. */
static void when(const volatile void *at, uint32_t nth, void (*act)(void))
{
	meeting = at;
	visits = nth;
	others = act;
}

static void anew(void)
{
	setup(0);
	self = &core[0];
	fails = 0;
	stuck = NULL;
	others = NULL;
}

/* ---- the books ---- */

TEST(counts_that_do_not_come_through)
{
	uint64_t word;

	anew();
	begin(0, 0), begin(1, 0), begin(1, 1);
	CHECK_EQ(elastic_next(&pool, 0, now), 0);
	fails = TRIES * ELASTIC_PARTS;
	CHECK_EQ(elastic_next(&pool, 1, now), ELASTIC_IDLE); /* not this time */
	CHECK_EQ(fails, 0);
	CHECK_EQ(numbers(1)->cores, 0);
	CHECK_EQ(elastic_next(&pool, 1, now), 1);
	begin(0, 1);
	vc[0][1].ready_ns = now;
	fails = TRIES * TRIES;
	CHECK_EQ(elastic_want(&pool, 0, 0, now + 6000), ELASTIC_NOBODY);
	CHECK_EQ(fails, 0);
	/* who gives one up comes to his minimum meanwhile: nothing is counted */
	word = atomic_load(&pool.grant[1]);
	pool.parts[1].min = 1;
	CHECK(!move(&pool, 1, word, 0, now));
	pool.parts[1].min = 0;
	CHECK(hold(&pool.parts[1], false) && hold(&pool.parts[1], true));
	fails = TRIES;
	CHECK(!hold(&pool.parts[1], false));
	CHECK_EQ(numbers(0)->cores, 1);
	CHECK_EQ(numbers(1)->cores, 1);
	numbers(0)->cores = pool.parts[0].max;
	CHECK(!hold(&pool.parts[0], true));
	numbers(0)->cores = 1;
	/* the core changes hands: nor then */
	CHECK(!move(&pool, 1, word + 256, 0, now));
	elastic_leave(&pool, 1);
	CHECK(!move(&pool, 1, ELASTIC_IDLE, 0, now));
	CHECK_EQ(numbers(0)->cores, 1);
	CHECK_EQ(numbers(1)->cores, 0);
}

static void given_away(void)
{
	atomic_store(&pool.grant[0], 7 << 8 | 1);
	numbers(1)->cores++;
}

TEST(given_to_another_meanwhile)
{
	anew();
	begin(0, 0);
	when(&pool.grant[0], 0, given_away);
	CHECK_EQ(elastic_next(&pool, 0, now), 1);
	CHECK_EQ(numbers(0)->cores, 0);
	anew();
	begin(0, 0);
	CHECK_EQ(elastic_next(&pool, 0, now), 0);
	numbers(0)->cores--;
	when(&pool.grant[0], 1, given_away);
	elastic_served(&pool, 0, now + 5);
	CHECK_EQ(numbers(0)->move_max, 0); /* the other's time counts */
	elastic_served(&pool, 0, now + 5);
	CHECK_EQ(numbers(1)->move_max, now + 5 - 7);
}

static void takes_core_0(void)
{
	numbers(0)->cores--;
	given_away();
}

/* Between what core 0 picks and what it does. */
TEST(given_to_another_after_the_pick)
{
	anew();
	begin(0, 0), begin(1, 0);
	when(&watcher, 1, takes_core_0);
	CHECK(on(0) == &vc[1][0]);
	CHECK_EQ(vc[0][0].on, 0);
	CHECK_EQ(vc[0][0].ready_ns, now);
	/* it goes on with what it ran, or has nothing: no vcore is put back */
	anew();
	begin(0, 0), begin(1, 0);
	CHECK(on(0) == &vc[0][0]);
	CHECK(!pool_moved(&core[0], &vc[0][0]));
	takes_core_0();
	CHECK(pool_moved(&core[0], &vc[0][0]));
	CHECK_EQ(vc[0][0].on, 1);
	CHECK(pool_moved(&core[0], NULL));
	elastic_leave(&pool, 0);
	CHECK(!pool_moved(&core[0], NULL));
}

/* ---- who takes up which vcore ---- */

static void claim(void)
{
	vc[1][0].on = CORES + 1;
}

TEST(claimed_by_another_core)
{
	anew();
	begin(1, 0);
	CHECK_EQ(elastic_next(&pool, 0, now), 1);
	stuck = &vc[1][0].on;
	CHECK(take_oldest(&core[0], &part[1], ~0ULL) == NULL); /* as often as it has vcores */
	CHECK(pool_pick(&core[0], now) == NULL);
	CHECK_EQ(elastic_owner(&pool, 0), 1); /* in the end it looks again */
	stuck = NULL;
	when(&vc[1][0].on, 1, claim);
	CHECK(take_oldest(&core[0], &part[1], ~0ULL) == NULL); /* it was the only one */
	vc[1][0].on = 0;
	/* stopped at the moment when it is claimed */
	part[1].state = PARTITION_STOPPING;
	CHECK(!take(&core[0], &vc[1][0]));
	CHECK_EQ(vc[1][0].on, 0);
	part[1].state = PARTITION_RUNNING;
	CHECK(take_oldest(&core[0], &part[1], ~0ULL) == &vc[1][0]);
}

TEST(helpers)
{
	anew();
	begin(0, 0), begin(0, 1);
	now += 2 * HELP_NS;
	rest(0, 0), rest(0, 1);
	vc[0][0].on = 2;
	vc[0][1].helped_ns = now;
	CHECK(take_helper(&core[0], &part[0], now) == NULL); /* one runs, the other could not */
	vc[0][1].helped_ns = 0;
	stuck = &vc[0][1].on;
	CHECK(take_helper(&core[0], &part[0], now) == NULL);
	stuck = NULL;
	CHECK(take_helper(&core[0], &part[0], now + 2 * HELP_NS) == &vc[0][1]);
	/* nobody helps in the batch class: a core that came for a vcore which has no work now */
	begin(1, 0);
	CHECK_EQ(elastic_next(&pool, 1, now), 1);
	rest(1, 0);
	CHECK(take_any(&core[1], &part[1], now, false) == NULL);
	vc[0][1].on = 0;
	rest(0, 1);
	now += 4 * HELP_NS;
	CHECK(take_any(&core[1], &part[0], now, false) == &vc[0][1]);
}

/* ---- what becomes ready while it is put aside ---- */

static void notified(void)
{
	areas[0][0].pending = 2;
}

TEST(woken_while_it_leaves)
{
	anew();
	begin(0, 0);
	CHECK(on(0) == &vc[0][0]);
	rest(0, 0);
	while_resting = notified; /* it has a core, so whoever it is only kicks that */
	CHECK(on(0) == &vc[0][0]);
	while_resting = NULL;
	/* no core is idle, but it was not ready before: it wants the batch's */
	anew();
	begin(0, 0), begin(1, 0), begin(1, 1);
	CHECK(on(1) == &vc[1][0] || on(1) == &vc[0][0]);
	anew();
	begin(0, 0), begin(1, 0);
	CHECK(on(0) == &vc[0][0]);
	CHECK(on(1) == &vc[1][0]);
	rest(0, 0);
	CHECK(elastic_next(&pool, 0, now) == ELASTIC_IDLE);
	elastic_leave(&pool, 0);
	self = &core[0];
	core[0].current = &core[0].idle;
	when(&vc[0][0].on, 0, NULL);
	when(&vc[0][0].waiting, 1, notified);
	CHECK(!pool_release(&core[0], &vc[0][0]));
	CHECK_EQ(elastic_owner(&pool, 1), 0);
	CHECK_EQ(kicks[1], 1);
}

/* ---- ticks ---- */

static void sets_tick(void)
{
	vc[0][0].tick_ns = now + 1000;
}

static void passes_on(void)
{
	vc[0][0].core = &core[1];
}

TEST(ticks_that_move)
{
	anew();
	begin(0, 0);
	rest(0, 0);
	vc[0][0].core = &core[0];
	core[0].timed[0] = 1;
	/* set anew while the bit is taken away */
	when(&vc[0][0].core, 1, sets_tick);
	CHECK_EQ(pool_deadlines(&core[0], now), ~0ULL);
	CHECK_EQ(core[0].timed[0], 1);
	CHECK_EQ(pool_deadlines(&core[0], now), now + 1000);
	/* handed over, before and meanwhile */
	when(&vc[0][0].core, 0, passes_on);
	CHECK_EQ(pool_deadlines(&core[0], now), ~0ULL);
	CHECK_EQ(core[0].timed[0], 0);
	core[0].timed[0] = 1;
	vc[0][0].core = &core[0];
	vc[0][0].tick_ns = ~0ULL;
	when(&vc[0][0].core, 1, passes_on);
	CHECK_EQ(pool_deadlines(&core[0], now), ~0ULL);
	CHECK_EQ(core[0].timed[0], 0);
	/* it runs elsewhere, or has nothing to do, when its tick is due */
	core[0].timed[0] = 1;
	areas[0][0].pending = 1;
	vc[0][0].on = 2;
	CHECK_EQ(pool_deadlines(&core[0], now), ~0ULL);
	CHECK_EQ(kicks[1], 0);
	/* another core has posted it just now */
	vc[0][0].tick_ns = now;
	areas[0][0].pending = 0;
	stuck = &vc[0][0].tick_ns;
	CHECK_EQ(vcore_deadline(&vc[0][0], now), now);
	CHECK_EQ(areas[0][0].pending, 0);
	stuck = NULL;
	CHECK_EQ(vcore_deadline(&vc[0][0], now), ~0ULL);
	CHECK_EQ(areas[0][0].pending, 1);
}

TEST(the_watcher_leaves)
{
	anew();
	begin(0, 0);
	CHECK(on(0) == &vc[0][0]);
	atomic_store(&watcher, 1);
	CHECK_EQ(watch_rank(1), 3); /* its time is another's */
	CHECK_EQ(pool_watch(&core[0], now), look_ns);
	CHECK_EQ(atomic_load(&watcher), 0);
	free(status);
	status = NULL;
}

UNIT_MAIN(CASE(counts_that_do_not_come_through), CASE(given_to_another_meanwhile),
	  CASE(given_to_another_after_the_pick), CASE(claimed_by_another_core), CASE(helpers),
	  CASE(woken_while_it_leaves), CASE(ticks_that_move), CASE(the_watcher_leaves))
