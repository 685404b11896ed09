/* SPDX-License-Identifier: Apache-2.0 */
/* health.c - actions on errors by the manifest's table, and the cold restart, which is done in
 * small steps in the partition's own time, so that no other window waits for it. */
#include "kernel/core/health.h"

#include "kernel/core/arch.h"
#include "kernel/core/log.h"
#include "kernel/core/schedule.h"

static const char *const class_names[GW_HEALTH_CLASSES] = { "deadline missed", "application error",
							    "numeric error",   "illegal request",
							    "stack overflow",  "memory violation",
							    "hardware fault",  "power fail" };

void machine_end(uint32_t status)
{
	log_direct();
	schedule_print();
	arch_shutdown(status);
}

/* Whoever runs there looks again at what may run. */
static void kick_all(const struct partition *p)
{
	struct core *self = arch_vcore()->core;

	for (uint32_t i = 0; i < p->n_vcores; i++)
		if (p->vcores[i]->core != self)
			arch_kick(p->vcores[i]->core);
}

/* Put out the line that it did not finish. */
static void console_flush(struct partition *p)
{
	if (p->line.n != 0)
		log_console(&p->line, p->name, (const uint8_t *)"\n", 1);
}

void partition_end(struct partition *p, uint32_t status)
{
	console_flush(p);
	p->status = status;
	arch_devices_stop(p);
	atomic_store(&p->state, PARTITION_ENDED);
	for (uint32_t i = 0; i < n_partitions; i++) {
		if (atomic_load(&partitions[i]->state) == PARTITION_ENDED)
			continue;
		kick_all(p);
		return;
	}
	machine_end(partitions[0]->status);
}

static void restart_begin(struct partition *p)
{
	console_flush(p);
	p->restarts++;
	p->restart_stage = 0;
	p->restart_at = 0;
	arch_devices_stop(p);
	atomic_store(&p->state, PARTITION_RESTARTING);
	kick_all(p);
}

void health_error(struct vcore *v, uint32_t class, struct trap *t)
{
	struct partition *p = v->part;
	uint32_t action = p->health[class], running = PARTITION_RUNNING;

	if (n_partitions == 1 && action == GW_HEALTH_STOP)
		action = GW_HEALTH_MODULE_STOP;
	if (action == GW_HEALTH_COLD_RESTART && p->restarts_max != 0 &&
	    p->restarts >= p->restarts_max)
		action = GW_HEALTH_STOP;
	if (action == GW_HEALTH_MODULE_STOP) {
		console_flush(p);
		log_direct();
		arch_health_report(v, class, t);
		machine_end(STATUS_FAULT);
	}
	if (p->errors[class]++ < 16)
		log_text("godwit: health: %s: %s at %lx\n", p->name, class_names[class], t->rip);
	if (action == GW_HEALTH_IGNORE) {
		t->rax = 0;
		return;
	}
	/* Two vcores may come here at once: one of them acts. */
	if (atomic_compare_exchange_strong(&p->state, &running, PARTITION_STOPPING)) {
		if (action == GW_HEALTH_COLD_RESTART)
			restart_begin(p);
		else
			partition_end(p, STATUS_FAULT);
	}
	schedule(v->core, t);
}

/* The stages of a cold restart. Each returns true when it is done, after a bounded part of it. */

static bool restart_others_gone(struct partition *p)
{
	for (uint32_t i = 1; i < p->n_vcores; i++) {
		struct vcore *v = p->vcores[i];

		if (atomic_load(&v->core->current) == v) {
			arch_kick(v->core);
			return false;
		}
		v->state = VCORE_STOPPED;
	}
	return true;
}

static bool restart_memory(struct partition *p)
{
	uint64_t at = p->restart_at;

	for (uint32_t i = 0; i < p->n_extents; i++) {
		if (at < p->extents[i].len) {
			memset(direct(p->extents[i].pa + at), 0, PAGE_SIZE);
			p->restart_at += PAGE_SIZE;
			return false;
		}
		at -= p->extents[i].len;
	}
	return true;
}

/* restart_at: segment << 48 | offset. */
static bool restart_segments(struct partition *p)
{
	uint64_t offset = p->restart_at & ((1ULL << 48) - 1), data;
	struct restart_segment s;

	if (!arch_restart_segment(p, (uint32_t)(p->restart_at >> 48), &s))
		return true;
	if (offset >= s.mem_len) {
		p->restart_at = ((p->restart_at >> 48) + 1) << 48;
		return false;
	}
	data = s.file_len > offset ? min_u64(s.file_len - offset, PAGE_SIZE) : 0;
	memcpy(direct(s.pa + offset), direct(s.from + offset), data);
	memset((uint8_t *)direct(s.pa + offset) + data, 0, PAGE_SIZE - data);
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
	v->space = 0;
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
	p->info->flags |= GW_BOOT_MEM_ZEROED;
	arch_devices_start(p);
	atomic_store(&v->state, VCORE_RUNNING);
	atomic_store(&p->state, PARTITION_RUNNING);
	/* Its old context is nobody's any more. */
	atomic_store(&v->core->current, &v->core->idle);
	arch_context_rest(v->core);
}
