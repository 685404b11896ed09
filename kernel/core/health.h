/* SPDX-License-Identifier: Apache-2.0 */
/* health.h - what follows an error of a partition, and the ends of partitions and of the machine.
 * An error harms its own partition only. */
#ifndef GODWIT_KERNEL_HEALTH_H
#define GODWIT_KERNEL_HEALTH_H

#include "kernel/core/core.h"

/* health_error - v has made an error of the class (GW_HEALTH_*) in the context t: log it and act as
 * the manifest says. Afterwards t is what goes on on this core. May not return (the machine ends).
 */
void health_error(struct vcore *v, uint32_t class, struct trap *t);

/* partition_end - p runs no more; with the last one the machine ends, with the status of the first.
 * The caller goes through the scheduler next. */
void partition_end(struct partition *p, uint32_t status);

/* machine_end - print what was measured, and end with status. */
void machine_end(uint32_t status) __attribute__((noreturn));

/* restart_step - a bounded part of the cold restart of v's partition, on its vcore 0's core, in its
 * own time. At the end the partition runs. */
void restart_step(struct vcore *v);

/* Given by the architecture. stop: its devices do no more DMA and raise no interrupt. segment:
 * where writable segment i of p lies, or false. */
void arch_devices_stop(const struct partition *p);
void arch_devices_start(const struct partition *p);
void arch_health_report(const struct vcore *v, uint32_t class, const struct trap *t);

struct restart_segment {
	uint64_t pa, from, file_len, mem_len; /* whole pages from pa on */
};
bool arch_restart_segment(const struct partition *p, uint32_t i, struct restart_segment *s);

#endif
