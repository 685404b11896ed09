/* SPDX-License-Identifier: Apache-2.0 */
/* elastic.c - moves the pool's cores between partitions. What partitions publish is not trusted: it
 * can win a partition cores up to its maximum, and cost another those above its minimum. */
#include "kernel/core/elastic.h"

#define TRIES 8u /* of a compare and swap that others disturb; the next look tries again */

static bool is_part(uint32_t owner)
{
	return owner < ELASTIC_PARTS;
}

void elastic_init(struct elastic *e, uint32_t n_cores, uint32_t n_parts)
{
	e->n_cores = n_cores;
	e->n_parts = n_parts;
	for (uint32_t i = 0; i < n_cores; i++)
		atomic_store(&e->grant[i], ELASTIC_AWAY);
}

/* Count one core more, at most max; or one less, at least min. */
static bool hold(struct elastic_part *p, bool more)
{
	uint32_t held = atomic_load(&p->numbers->cores), by = more ? 1 : ~0u;
	bool done = false;

	for (uint32_t i = 0; i < TRIES && !done && (more ? held < p->max : held > p->min); i++)
		done = atomic_compare_exchange_weak(&p->numbers->cores, &held, held + by);
	return done;
}

/* core goes from who has it by the word `from` (a partition, or it is idle) to partition `to`,
 * unless a bound forbids it or somebody else was first. */
static bool move(struct elastic *e, uint32_t core, uint64_t from, uint32_t to, uint64_t now)
{
	struct elastic_part *p = &e->parts[to];
	uint32_t owner = (uint32_t)(from & 0xff);

	if (!hold(p, true))
		return false;
	if (is_part(owner) && !hold(&e->parts[owner], false)) {
		atomic_fetch_sub(&p->numbers->cores, 1);
		return false;
	}
	if (!atomic_compare_exchange_strong(&e->grant[core], &from, now << 8 | to)) {
		atomic_fetch_sub(&p->numbers->cores, 1);
		if (is_part(owner))
			atomic_fetch_add(&e->parts[owner].numbers->cores, 1);
		return false;
	}
	atomic_fetch_add(&p->numbers->grants, 1);
	if (is_part(owner))
		atomic_fetch_add(&e->parts[owner].numbers->revokes, 1);
	return true;
}

/* core serves nobody: `as` is ELASTIC_IDLE or ELASTIC_AWAY. */
static void give_up(struct elastic *e, uint32_t core, uint32_t as)
{
	uint32_t from = (uint32_t)(atomic_exchange(&e->grant[core], as) & 0xff);

	if (is_part(from))
		atomic_fetch_sub(&e->parts[from].numbers->cores, 1);
}

/* What the partition says, without those of its vcores for which a core is on its way. */
static void load(const struct elastic *e, uint32_t part, uint64_t now, struct elastic_load *l)
{
	uint32_t held = atomic_load(&e->parts[part].numbers->cores), coming;

	elastic_load(part, now, l);
	coming = held > l->running ? held - l->running : 0;
	if (coming > l->ready)
		l->helpers = 0; /* one helps already: first see what that does */
	l->ready -= (uint32_t)min_u64(coming, l->ready);
}

/* The partition but `not` that wants a core most, and among equals waits longest, if it wants one
 * at least as much as `least`. */
static uint32_t most_wanted(const struct elastic *e, uint32_t not, enum elastic_rank least,
			    uint64_t now)
{
	uint32_t best = ELASTIC_IDLE;
	uint64_t best_delay = 0;

	for (uint32_t i = 0; i < e->n_parts; i++) {
		const struct elastic_part *p = &e->parts[i];
		struct elastic_load l;
		enum elastic_rank want;

		if (i == not || atomic_load(&p->numbers->cores) >= p->max)
			continue;
		load(e, i, now, &l);
		want = p->policy->want(p, &l);
		if (want == ELASTIC_NONE || want < least ||
		    (want == least && best != ELASTIC_IDLE && elastic_delay(&l) <= best_delay))
			continue;
		best = i;
		best_delay = elastic_delay(&l);
		least = want;
	}
	return best;
}

uint32_t elastic_next(struct elastic *e, uint32_t core, uint64_t now)
{
	/* Pairs with who makes a vcore runnable, and then looks for an idle core. */
	give_up(e, core, ELASTIC_IDLE);
	for (uint32_t i = 0; i < ELASTIC_PARTS; i++) {
		uint32_t to = most_wanted(e, ELASTIC_NOBODY, ELASTIC_SPARE, now);

		if (to == ELASTIC_IDLE || move(e, core, ELASTIC_IDLE, to, now) ||
		    elastic_owner(e, core) != ELASTIC_IDLE)
			break;
	}
	return elastic_owner(e, core);
}

uint32_t elastic_turn(struct elastic *e, uint32_t core, uint64_t now)
{
	uint64_t word = atomic_load(&e->grant[core]);
	uint32_t from = (uint32_t)(word & 0xff), to;
	struct elastic_load l;
	enum elastic_rank keep;

	if (!is_part(from))
		return elastic_next(e, core, now);
	load(e, from, now, &l);
	keep = e->parts[from].policy->keep(&e->parts[from], &l);
	if (keep == ELASTIC_GUARANTEE)
		return from;
	to = most_wanted(e, from, keep, now);
	if (to != ELASTIC_IDLE)
		(void)move(e, core, word, to, now);
	return elastic_owner(e, core);
}

void elastic_leave(struct elastic *e, uint32_t core)
{
	give_up(e, core, ELASTIC_AWAY);
}

/* The core that is kept least, less than `want`, and its word; of equals the first from hint on. */
static uint32_t cheapest(const struct elastic *e, uint32_t part, enum elastic_rank want,
			 uint32_t hint, uint64_t now, uint64_t *word)
{
	uint8_t keeps[ELASTIC_PARTS] = { 0 }; /* rank + 1; 0: not asked yet */
	uint32_t best = ELASTIC_NOBODY, least = want;

	for (uint32_t k = 0; k < e->n_cores; k++) {
		uint32_t core = hint + k < e->n_cores ? hint + k : hint + k - e->n_cores;
		uint64_t w = atomic_load(&e->grant[core]);
		uint32_t owner = (uint32_t)(w & 0xff);

		if (owner == ELASTIC_IDLE) {
			*word = w;
			return core;
		}
		if (!is_part(owner) || owner == part)
			continue;
		if (keeps[owner] == 0) {
			const struct elastic_part *p = &e->parts[owner];
			struct elastic_load l;

			load(e, owner, now, &l);
			keeps[owner] = (uint8_t)(p->policy->keep(p, &l) + 1);
		}
		if (keeps[owner] - 1u < least) {
			best = core;
			least = keeps[owner] - 1u;
			*word = w;
		}
	}
	return best;
}

uint32_t elastic_want(struct elastic *e, uint32_t part, uint32_t hint, uint64_t now)
{
	const struct elastic_part *p = &e->parts[part];

	for (uint32_t i = 0; i < TRIES && atomic_load(&p->numbers->cores) < p->max; i++) {
		struct elastic_load l;
		enum elastic_rank want;
		uint64_t word;
		uint32_t core;

		load(e, part, now, &l);
		want = p->policy->want(p, &l);
		if (want == ELASTIC_NONE)
			break;
		core = cheapest(e, part, want, hint, now, &word);
		if (core == ELASTIC_NOBODY)
			break;
		if (move(e, core, word, part, now)) {
			elastic_kick(core);
			return core;
		}
	}
	return ELASTIC_NOBODY;
}

/* In how many ns a delay passes the bound; ~0: there is none, or it has. */
static uint64_t passes_in(const struct elastic_part *p, uint64_t delay_ns)
{
	return delay_ns == 0 || delay_ns > p->delay_ns ? ~0ULL : p->delay_ns + 1 - delay_ns;
}

uint64_t elastic_look(struct elastic *e, uint32_t hint, uint64_t now)
{
	uint64_t next = ~0ULL;

	for (uint32_t i = 0; i < e->n_parts; i++) {
		const struct elastic_part *p = &e->parts[i];
		struct elastic_load l;

		load(e, i, now, &l);
		next = min_u64(next, passes_in(p, l.ready_delay_ns));
		next = min_u64(next, passes_in(p, l.running_delay_ns));
		/* One: the next look sees what it did. Who has given itself goes there at once. */
		if (elastic_want(e, i, hint, now) == hint)
			break;
	}
	return next;
}

bool elastic_watched(const struct elastic *e)
{
	for (uint32_t i = 0; i < e->n_parts; i++) {
		const struct elastic_part *p = &e->parts[i];
		uint32_t held = atomic_load(&p->numbers->cores);

		if (p->policy->watched && held != 0 && held < p->max)
			return true;
	}
	return false;
}

uint32_t elastic_idle(const struct elastic *e)
{
	for (uint32_t core = 0; core < e->n_cores; core++)
		if (elastic_owner(e, core) == ELASTIC_IDLE)
			return core;
	return ELASTIC_NOBODY;
}

uint64_t elastic_served(struct elastic *e, uint32_t core, uint64_t now)
{
	uint64_t word = atomic_load(&e->grant[core]), ns = now - (word >> 8);
	struct gw_status_partition *n;

	/* It may be taken away again meanwhile: then it is that one's time that counts. */
	if (word >> 8 == 0 || !atomic_compare_exchange_strong(&e->grant[core], &word, word & 0xff))
		return 0;
	n = e->parts[word & 0xff].numbers;
	atomic_fetch_add(&n->move_sum, ns);
	atomic_fetch_add(&n->move[gw_status_bucket(ns)], 1);
	if (ns > atomic_load(&n->move_max))
		atomic_store(&n->move_max, ns);
	return ns;
}
