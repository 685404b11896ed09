/* SPDX-License-Identifier: Apache-2.0 */
/* cores.c - who should run on which core of the partition. Each core has its own queues of READY
 * processes, and there is one for those of any core; a running process stays in its place there.
 *
 *   ready[0] .. ready[n_cores - 1]: affinity to that core     ready[n_cores]: no preference
 *
 * Those without preference are dealt, the first of them first, each to the core whose own first one
 * comes last, as long as it comes before that. The owner of the preemption lock keeps its core, and
 * the error handler process has one, or, pausing the others, all. */
#include "arinc653/apex_internal.h"
#include "arinc653/platform.h"

/* ---- the queues ---- */

void ready_init(void)
{
	for (uint32_t i = 0; i <= apex.n_cores; i++)
		for (uint32_t k = 0; k <= MAX_PRIORITY_VALUE; k++)
			list_init(&apex.ready[i].heads[k]);
}

static struct apex_ready *ready_of(const struct apex_process *p)
{
	if (apex.n_cores == 1)
		return &apex.ready[0];
	return &apex.ready[p->core == CORE_AFFINITY_NO_PREFERENCE ? apex.n_cores
								  : (uint32_t)p->core];
}

void ready_add(struct apex_process *p, bool first)
{
	struct apex_ready *r = ready_of(p);
	struct list_node *q = &r->heads[p->current_priority];

	if (first)
		list_add_head(q, &p->ready);
	else
		list_add_tail(q, &p->ready);
	p->age = first ? --apex.oldest : ++apex.youngest;
	r->bits[p->current_priority / 64] |= 1ULL << p->current_priority % 64;
	apex.resched = true;
}

void ready_del(struct apex_process *p)
{
	struct apex_ready *r = ready_of(p);

	list_del(&p->ready);
	if (list_empty(&r->heads[p->current_priority]))
		r->bits[p->current_priority / 64] &= ~(1ULL << p->current_priority % 64);
	apex.resched = true;
}

static struct apex_process *first_of(const struct apex_ready *r)
{
	for (int i = 3; i >= 0; i--)
		if (r->bits[i] != 0)
			return list_entry(r->heads[i * 64 + 63 - __builtin_clzll(r->bits[i])].next,
					  struct apex_process, ready);
	return NULL;
}

/* The first of r with a priority below this one. */
static struct apex_process *first_below(const struct apex_ready *r, uint32_t below)
{
	for (int i = 3; i >= 0; i--) {
		uint64_t bits = r->bits[i];

		if (below <= (uint32_t)i * 64)
			continue;
		if (below < (uint32_t)i * 64 + 64)
			bits &= (1ULL << below % 64) - 1;
		if (bits != 0)
			return list_entry(r->heads[i * 64 + 63 - __builtin_clzll(bits)].next,
					  struct apex_process, ready);
	}
	return NULL;
}

static struct apex_process *next_of(const struct apex_ready *r, const struct apex_process *p)
{
	const struct list_node *q = &r->heads[p->current_priority];

	if (p->ready.next != q)
		return list_entry(p->ready.next, struct apex_process, ready);
	return first_below(r, (uint32_t)p->current_priority);
}

/* a runs rather than b, or than nobody. */
static bool before(const struct apex_process *a, const struct apex_process *b)
{
	if (b == NULL || a->current_priority != b->current_priority)
		return b == NULL || a->current_priority > b->current_priority;
	return a->age < b->age;
}

/* ---- dealing ---- */

/* The core, of those not taken, where the next one of any core should run: the one whose own comes
 * last, and the one that p has already if that makes no difference. */
static uint32_t best_core(const struct apex_process *p, uint32_t taken)
{
	uint32_t best = NO_CORE;

	for (uint32_t c = 0; c < apex.n_cores; c++) {
		const struct apex_process *own = apex.cores[c].next;

		if (taken >> c & 1)
			continue;
		if (best == NO_CORE || (own == NULL && c == p->running) ||
		    (apex.cores[best].next != NULL && before(apex.cores[best].next, own)))
			best = c;
	}
	return best;
}

static void deal(uint32_t taken)
{
	const struct apex_ready *any = &apex.ready[apex.n_cores];
	struct apex_process *p = first_of(any);

	for (; p != NULL; p = next_of(any, p)) {
		uint32_t c;

		if (p == apex.preemption.owner)
			continue;
		c = best_core(p, taken);
		if (c == NO_CORE || !before(p, apex.cores[c].next))
			return;
		apex.cores[c].next = p;
		taken |= 1u << c;
	}
}

/* The lock's owner goes on, and if it cannot, nobody does. */
static struct apex_process *owner_of_core(void)
{
	struct apex_process *p = apex.preemption.owner;

	return p->state == READY ? p : NULL;
}

static struct apex_process *assign_only_core(void)
{
	if (apex.handler_active)
		return &apex.handler;
	return apex.preemption.owner != NULL ? owner_of_core() : first_of(&apex.ready[0]);
}

static __attribute__((noinline)) void assign_all(void)
{
	bool paused = apex.handler_active && !apex.handler_shares;
	uint32_t taken = 0;

	for (uint32_t c = 0; c < apex.n_cores; c++)
		apex.cores[c].next = paused ? NULL : first_of(&apex.ready[c]);
	if (apex.preemption.owner != NULL && !paused) {
		apex.cores[apex.lock_core].next = owner_of_core();
		taken |= 1u << apex.lock_core;
	}
	if (apex.handler_active) {
		apex.cores[apex.handler_core].next = &apex.handler;
		taken |= 1u << apex.handler_core;
	}
	if (!paused)
		deal(taken);
}

void cores_assign(void)
{
	apex.resched = false;
	if (likely(apex.n_cores == 1))
		apex.cores[0].next = assign_only_core();
	else
		assign_all();
}

/* The handler that pauses the others begins when they have stopped. */
static bool others_stopped(uint32_t self)
{
	for (uint32_t c = 0; c < apex.n_cores; c++)
		if (c != self && apex.cores[c].current != NULL)
			return false;
	return true;
}

struct apex_process *core_wants_now(uint32_t c)
{
	struct apex_process *p = apex.cores[c].next;

	if (p == NULL)
		return NULL;
	if (p->running != NO_CORE && p->running != c)
		return NULL;
	if (p == &apex.handler && !apex.handler_shares && !others_stopped(c))
		return NULL;
	return p;
}

bool core_moved(uint32_t c)
{
	const struct apex_process *p = core_wants(c);

	return p != apex.cores[c].current || (p != NULL && p->fresh);
}

/* ---- the other cores ---- */

void core_kick(uint32_t c)
{
	if (apex.cores[c].kicked)
		return;
	apex.cores[c].kicked = true;
	plat_kick(c);
}

RETURN_CODE_TYPE process_halt(PROCESS_ID_TYPE id, RETURN_CODE_TYPE (*how)(struct apex_process *))
{
	struct apex_process *p;
	bool elsewhere = false;
	RETURN_CODE_TYPE rc;
	uint32_t left = 0;

	apex_lock();
	p = process_by_id(id);
	rc = how(p);
	if (rc == NO_ERROR) {
		elsewhere = p->running != NO_CORE && p->running != plat_core();
		left = atomic_load_explicit(&p->left, memory_order_relaxed);
	}
	apex_unlock();
	while (elsewhere && atomic_load_explicit(&p->left, memory_order_acquire) == left)
		plat_relax();
	return rc;
}
