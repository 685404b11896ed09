/* SPDX-License-Identifier: Apache-2.0 */
/* health.h - the module's health log: the last errors of partitions and of the module itself, as
 * the kernel has classed them, and what it did. A page, mapped read-only at GW_HEALTH_LOG_VA to the
 * partitions whose manifest has GW_PARTITION_HEALTH_LOG. The kernel says the same on the UART, a
 * line a record, at most 16 of a class and partition:
 *   godwit: health: NAME: CLASS at RIP, code CODE ARG, vcore V, TIME ns: ACTION
 * and the sums at the end:
 *   godwit: errors: NAME: N CLASS, N CLASS, ...: N restarts */
#ifndef GODWIT_ABI_HEALTH_H
#define GODWIT_ABI_HEALTH_H

#include <stdint.h>

#define GW_HEALTH_LOG_VA 0x0000720008100000ULL
#define GW_HEALTH_LOG_MAGIC 0x676f4c6c61654847ULL /* "GHealLog" */
#define GW_HEALTH_RECORDS 84u
#define GW_HEALTH_MODULE 0xffu /* the partition of an error of the module */

/* In the code of a memory error: a device of the partition tried to reach memory that is not the
 * partition's (arg: the page; rip 0), and did not. The others as VT-d records them: it read (else
 * wrote); the reason in bits 32 to 39; the device in bits 0 to 15, as gw_device.location. */
#define GW_HEALTH_DMA (1ULL << 63)
#define GW_HEALTH_DMA_READ (1ULL << 62)

struct gw_health_record {
	uint64_t number;    /* 1.. in order of happening, written last; 0: it is being written */
	uint64_t time_ns;   /* gw_clock */
	uint64_t code, arg; /* of health_raise; a fault: vector << 32 | error code, address (CR2) */
	uint64_t rip;
	uint8_t partition; /* or GW_HEALTH_MODULE */
	uint8_t vcore, core;
	uint8_t class;	/* enum gw_health_class, bundle.h */
	uint8_t action; /* enum gw_health_action: what was done (restarts used up: STOP) */
	uint8_t reserved[3];
};

/* Record n is records[(n - 1) % GW_HEALTH_RECORDS]. A reader copies it and looks whether `number`
 * is n before and after. */
struct gw_health_log {
	uint64_t magic;
	uint32_t size, n_records;
	_Atomic uint64_t written; /* records so far */
	uint64_t reserved[5];
	struct gw_health_record records[GW_HEALTH_RECORDS];
};

_Static_assert(sizeof(struct gw_health_log) == 4096, "a page");

#endif
