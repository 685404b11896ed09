/* SPDX-License-Identifier: Apache-2.0 */
/* restart.h - a partition starts again: cold, with its memory cleared, or warm, with its memory as
 * it was (ARINC 653 Part 1, COLD_START and WARM_START: the initial environment differs, the rest is
 * the same). In small steps, in the partition's own time, so that no other window waits. */
#ifndef GODWIT_KERNEL_RESTART_H
#define GODWIT_KERNEL_RESTART_H

#include "kernel/core/core.h"

/* restart_begin - p, whose state the caller has taken to PARTITION_STOPPING, is to restart, by
 * `start` (enum gw_start). If a module reset was asked for, it is that. */
void restart_begin(struct partition *p, bool warm, uint32_t start);

/* restart_due - if a module reset was asked for and p is in state `from`, begin it. Returns whether
 * it began. */
bool restart_due(struct partition *p, uint32_t from);

/* restart_step - a bounded part of the restart of v's partition, on its vcore 0's core, in its own
 * time. At the end the partition runs. */
void restart_step(struct vcore *v);

/* partition_quiet - its devices stop, and the console line that it did not finish is put out.
 * partition_kick - whoever runs on its cores looks again at what may run. */
void partition_quiet(struct partition *p);
void partition_kick(const struct partition *p);

/* Given by the architecture. stop: its devices do no more DMA and raise no interrupt. segment:
 * where writable segment i of p lies, or false. */
void arch_devices_stop(const struct partition *p);
void arch_devices_start(const struct partition *p);

struct restart_segment {
	uint64_t pa, from, file_len, mem_len; /* whole pages from p's own address pa on */
};
/* restart_segments - a part of making p's segments as they are at first; true: the last. */
bool restart_segments(struct partition *p);
bool arch_restart_segment(const struct partition *p, uint32_t i, struct restart_segment *s);

#endif
