/* SPDX-License-Identifier: Apache-2.0 */
/* health.c - errors are recorded, then acted on by the manifest's tables; the ends of partitions
 * and of the machine. */
#include "kernel/core/health.h"

#include "abi/health.h"
#include "kernel/core/arch.h"
#include "kernel/core/log.h"
#include "kernel/core/restart.h"
#include "kernel/core/schedule.h"
#include "kernel/core/trace.h"

#define TEXTS 16u /* lines on the UART for each class of errors of a partition */

static const char *const class_names[GW_HEALTH_CLASSES] = { "deadline missed", "application error",
							    "numeric error",   "illegal request",
							    "stack overflow",  "memory violation",
							    "hardware fault",  "power fail" };
static const char *const action_names[GW_HEALTH_ACTIONS] = { "stop",	     "ignore",
							     "cold restart", "module stop",
							     "warm restart", "module reset" };

static struct gw_health_log *records;
static uint8_t module_actions[GW_HEALTH_CLASSES];
static _Atomic uint32_t module_errors[GW_HEALTH_CLASSES], module_due; /* due: bit class */

void health_init(const struct gw_bundle *b, struct gw_health_log *page)
{
	memcpy(module_actions, b->module_health, sizeof(module_actions));
	records = page;
	records->magic = GW_HEALTH_LOG_MAGIC;
	records->size = sizeof(*records);
	records->n_records = GW_HEALTH_RECORDS;
}

/* Two cores at once take two places; only one of so many records behind could meet another. */
static void record(const struct vcore *v, uint32_t partition, const struct health_error *e,
		   uint32_t action)
{
	uint64_t n = atomic_fetch_add(&records->written, 1);
	struct gw_health_record *r = &records->records[n % GW_HEALTH_RECORDS];

	*(volatile uint64_t *)&r->number = 0;
	atomic_thread_fence(memory_order_release);
	r->time_ns = arch_now_ns();
	r->code = e->code;
	r->arg = e->arg;
	r->rip = e->rip;
	r->partition = (uint8_t)partition;
	r->vcore = (uint8_t)v->id;
	r->core = (uint8_t)v->core->id;
	r->class = (uint8_t)e->class;
	r->action = (uint8_t)action;
	atomic_thread_fence(memory_order_release);
	*(volatile uint64_t *)&r->number = n + 1;
}

static void say(const char *name, const struct vcore *v, const struct health_error *e,
		uint32_t action)
{
	log_text("godwit: health: %s: %s at %lx, code %lx %lx, vcore %u, %lu ns: %s\n", name,
		 class_names[e->class], e->rip, e->code, e->arg, v->id, arch_now_ns(),
		 action_names[action]);
}

void health_print(void)
{
	for (uint32_t i = 0; i < n_partitions; i++) {
		const struct partition *p = partitions[i];
		const char *separator = "";

		for (uint32_t c = 0; c < GW_HEALTH_CLASSES; c++) {
			if (p->errors[c] == 0)
				continue;
			if (*separator == 0)
				log_text("godwit: errors: %s:", p->name);
			log_text("%s %u %s", separator, p->errors[c], class_names[c]);
			separator = ",";
		}
		if (*separator != 0)
			log_text(": %u restarts\n", p->restarts);
	}
}

void machine_end(uint32_t status)
{
	log_direct();
	schedule_print();
	health_print();
	trace_print();
	arch_shutdown(status);
}

void partition_end(struct partition *p, uint32_t status)
{
	partition_quiet(p);
	p->status = status;
	atomic_store(&p->state, PARTITION_ENDED);
	if (restart_due(p, PARTITION_ENDED))
		return;
	for (uint32_t i = 0; i < n_partitions; i++) {
		if (atomic_load(&partitions[i]->state) == PARTITION_ENDED)
			continue;
		partition_kick(p);
		return;
	}
	machine_end(partitions[0]->status);
}

static void module_reset(void)
{
	for (uint32_t i = 0; i < n_partitions; i++) {
		atomic_store(&partitions[i]->reset_asked, 1);
		if (!restart_due(partitions[i], PARTITION_RUNNING))
			(void)restart_due(partitions[i], PARTITION_ENDED);
	}
}

/* What the table says, as far as it can be done. */
static uint32_t action_of(struct partition *p, uint32_t class)
{
	uint32_t action = p->health[class];
	bool restart = health_restarts(action);

	if (restart && p->restarts_max != 0 && p->error_restarts >= p->restarts_max)
		action = GW_HEALTH_STOP;
	else if (restart)
		p->error_restarts++;
	if (n_partitions == 1 && action == GW_HEALTH_STOP)
		action = GW_HEALTH_MODULE_STOP;
	return action;
}

bool health_error(struct vcore *v, const struct health_error *e, const struct trap *t)
{
	struct partition *p = v->part;
	uint32_t action = action_of(p, e->class), running = PARTITION_RUNNING;

	record(v, p->number, e, action);
	trace(t != NULL ? v->core : arch_vcore()->core, GW_TRACE_ERROR, v, e->class);
	if (action == GW_HEALTH_MODULE_STOP) {
		partition_quiet(p);
		log_direct();
		if (t != NULL)
			arch_health_report(v, t);
		else
			say(p->name, v, e, action);
		machine_end(STATUS_FAULT);
	}
	if (p->errors[e->class]++ < TEXTS)
		say(p->name, v, e, action);
	if (action == GW_HEALTH_IGNORE)
		return false;
	/* Two vcores may come here at once: one of them acts. */
	if (action == GW_HEALTH_MODULE_RESET) {
		module_reset();
	} else if (atomic_compare_exchange_strong(&p->state, &running, PARTITION_STOPPING)) {
		if (action == GW_HEALTH_STOP)
			partition_end(p, STATUS_FAULT);
		else
			restart_begin(p, action == GW_HEALTH_WARM_RESTART, GW_START_HM_PARTITION);
	}
	return true;
}

bool health_module_error(const struct vcore *v, const struct health_error *e)
{
	uint32_t action = module_actions[e->class];

	if (records == NULL || (action != GW_HEALTH_IGNORE && action != GW_HEALTH_MODULE_RESET))
		return false;
	record(v, GW_HEALTH_MODULE, e, action);
	atomic_fetch_add(&module_errors[e->class], 1);
	atomic_fetch_or(&module_due, 1u << e->class);
	return true;
}

void health_module_act(struct vcore *v)
{
	uint32_t due = atomic_exchange(&module_due, 0);

	for (uint32_t c = 0; c < GW_HEALTH_CLASSES; c++) {
		struct health_error e = { .class = c };

		if ((due >> c & 1) == 0)
			continue;
		if (atomic_load(&module_errors[c]) <= TEXTS)
			say("module", v, &e, module_actions[c]);
		if (module_actions[c] == GW_HEALTH_MODULE_RESET)
			module_reset();
	}
}
