/* SPDX-License-Identifier: Apache-2.0 */
/* restart.c - the stages of a restart, and who may begin one. Only the holder of PARTITION_STOPPING
 * begins; a module reset that comes in the middle of a restart waits in reset_asked for its end. */
#include "kernel/core/restart.h"

#include "kernel/core/arch.h"
#include "kernel/core/log.h"
#include "kernel/core/schedule.h"

void partition_kick(const struct partition *p)
{
	struct core *self = arch_vcore()->core;

	for (uint32_t i = 0; i < p->n_vcores; i++)
		if (p->vcores[i]->core != self)
			arch_kick(p->vcores[i]->core);
}

void partition_quiet(struct partition *p)
{
	if (p->line.n != 0)
		log_console(&p->line, p->name, (const uint8_t *)"\n", 1);
	arch_devices_stop(p);
}

void restart_begin(struct partition *p, bool warm, uint32_t start)
{
	bool reset = atomic_exchange(&p->reset_asked, 0) != 0;

	partition_quiet(p);
	p->restarts++;
	p->warm = warm && !reset;
	p->start = reset ? GW_START_HM_MODULE : start;
	p->restart_stage = 0;
	p->restart_at = 0;
	atomic_store(&p->state, PARTITION_RESTARTING);
	partition_kick(p);
}

bool restart_due(struct partition *p, uint32_t from)
{
	if (atomic_load(&p->reset_asked) == 0 ||
	    !atomic_compare_exchange_strong(&p->state, &from, PARTITION_STOPPING))
		return false;
	restart_begin(p, false, GW_START_HM_MODULE);
	return true;
}

/* The stages of a restart. Each returns true when it is done, after a bounded part of it. */

static bool restart_others_gone(struct partition *p)
{
	for (uint32_t i = 1; i < p->n_vcores; i++) {
		struct vcore *v = p->vcores[i];

		if (v->floats ? atomic_load(&v->on) != 0 : atomic_load(&v->core->current) == v) {
			arch_kick(v->core);
			return false;
		}
		v->state = VCORE_STOPPED;
		v->space = 0;
	}
	/* This core leaves the space that it is in before that is cleared. */
	p->vcores[0]->space = 0;
	arch_space_enter(p->spaces[0].root);
	return true;
}

static bool restart_memory(struct partition *p)
{
	uint64_t at = p->restart_at;

	for (uint32_t i = 0; !p->warm && i < p->n_extents; i++) {
		if (at < p->extents[i].len) {
			memset(direct(gw_stripe_pa(&p->pool.stripe, p->extents[i].pa + at)), 0,
			       PAGE_SIZE);
			p->restart_at += PAGE_SIZE;
			return false;
		}
		at -= p->extents[i].len;
	}
	return true;
}

/* restart_at: segment << 48 | offset. */
bool restart_segments(struct partition *p)
{
	uint64_t offset = p->restart_at & ((1ULL << 48) - 1), data;
	struct restart_segment s;
	uint8_t *to;

	if (!arch_restart_segment(p, (uint32_t)(p->restart_at >> 48), &s))
		return true;
	if (offset >= s.mem_len) {
		p->restart_at = ((p->restart_at >> 48) + 1) << 48;
		return false;
	}
	data = s.file_len > offset ? min_u64(s.file_len - offset, PAGE_SIZE) : 0;
	to = direct(gw_stripe_pa(&p->pool.stripe, s.pa + offset));
	memcpy(to, direct(s.from + offset), data);
	memset(to + data, 0, PAGE_SIZE - data);
	p->restart_at += PAGE_SIZE;
	return false;
}

#define CLEAR_STEPS 64u

static bool restart_spaces(struct partition *p)
{
	struct space *s = &p->spaces[p->restart_at];

	if (p->restart_at == GW_MAX_SPACES)
		return true;
	if (s->root == 0 ||
	    (p->restart_at == 0 ? space_empty(s, CLEAR_STEPS) : space_clear(s, CLEAR_STEPS)))
		p->restart_at++;
	return false;
}

static bool restart_vcores(struct partition *p)
{
	struct vcore *v = p->vcores[p->restart_at];

	memset(v->area, 0, sizeof(*v->area));
	v->area->id = v->id;
	v->area->masked = 1;
	v->upcall_entry = v->syscall_entry = 0;
	v->tick_ns = ~0ULL;
	v->again = v->progress = 0;
	v->waiting = 0;
	v->fresh = true;
	return ++p->restart_at == p->n_vcores;
}

void restart_step(struct vcore *v)
{
	static bool (*const stages[])(struct partition * p) = { restart_others_gone, restart_memory,
								restart_segments, restart_spaces,
								restart_vcores };
	struct partition *p = v->part;

	if (!stages[p->restart_stage](p))
		return;
	p->restart_at = 0;
	if (++p->restart_stage < COUNT(stages))
		return;
	v->start_entry = p->entry_va;
	v->start_arg = GW_BOOT_VA;
	p->info->restarts = p->restarts;
	p->info->start = p->start;
	p->info->flags &= ~(GW_BOOT_MEM_ZEROED | GW_BOOT_WARM);
	p->info->flags |= p->warm ? GW_BOOT_WARM : GW_BOOT_MEM_ZEROED;
	arch_devices_start(p);
	atomic_store(&v->state, VCORE_RUNNING);
	atomic_store(&p->state, PARTITION_RUNNING);
	/* Its old context is nobody's any more. */
	atomic_store(&v->core->current, &v->core->idle);
	arch_context_rest(v->core);
	(void)restart_due(p, PARTITION_RUNNING);
}
