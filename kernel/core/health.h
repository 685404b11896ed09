/* SPDX-License-Identifier: Apache-2.0 */
/* health.h - what follows an error of a partition or of the module, and the ends of partitions and
 * of the machine. An error harms its own partition only. Errors of processes are upcalls: the
 * runtime's affair, until it raises them here. */
#ifndef GODWIT_KERNEL_HEALTH_H
#define GODWIT_KERNEL_HEALTH_H

#include "abi/health.h"
#include "kernel/core/core.h"

/* An error as gw_health_record says it. */
struct health_error {
	uint32_t class; /* below GW_HEALTH_CLASSES */
	uint64_t code, arg, rip;
};

/* Does the action begin partitions anew? */
static inline bool health_restarts(uint32_t action)
{
	return action == GW_HEALTH_COLD_RESTART || action == GW_HEALTH_WARM_RESTART ||
	       action == GW_HEALTH_MODULE_RESET;
}

/* health_init - take the module's table from a checked bundle; page: of zeroes, for the records.
 * Boot only. */
void health_init(const struct gw_bundle *b, struct gw_health_log *page);

/* health_error - v has made the error e in the context t (NULL: a device of its partition has, and
 * this is an interrupt, on any core): record it and act as the manifest says. Returns true when the
 * caller is to go through the scheduler next. May not return (the machine ends). */
bool health_error(struct vcore *v, const struct health_error *e, const struct trap *t);

/* health_module_error - the module has the error e, found while v ran. Context: any, also in the
 * middle of the kernel (NMI). Returns true when it is recorded and all goes on: the caller sees to
 * it that health_module_act runs soon on this core, in an interrupt. false: the machine must end.
 */
MUST_CHECK bool health_module_error(const struct vcore *v, const struct health_error *e);
void health_module_act(struct vcore *v);

/* partition_end - p runs no more; with the last one the machine ends, with the status of the first.
 * The caller goes through the scheduler next. */
void partition_end(struct partition *p, uint32_t status);

/* machine_end - print what was measured, and end with status. */
void machine_end(uint32_t status) __attribute__((noreturn));

/* health_print - the sums of each partition that has made errors, to the log. */
void health_print(void);

/* Given by the architecture: say what the partition did, before the machine ends by it. */
void arch_health_report(const struct vcore *v, const struct trap *t);

#endif
