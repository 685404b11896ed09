/* SPDX-License-Identifier: Apache-2.0 */
/* status.h - what the kernel measures while it runs, mapped read-only to every partition at
 * GW_STATUS_VA when the manifest has windows or elastic partitions (gw_boot_info.status_len bytes;
 * 0: none). Only the
 * kernel writes it; a reader may see a window's numbers in the middle of an update. */
#ifndef GODWIT_ABI_STATUS_H
#define GODWIT_ABI_STATUS_H

#include <stdint.h>

#define GW_STATUS_VA 0x0000720008000000ULL
#define GW_STATUS_MAGIC 0x7461747354697764ULL /* "dwiTstat" */

/* Buckets of a lateness in ns: 0..7 are exact, then four to each power of two. */
#define GW_STATUS_BUCKETS 64u

struct gw_status_window {
	uint32_t core, partition; /* GW_WINDOW_POOL: nobody's */
	uint64_t offset_ns, duration_ns;
	uint64_t starts;   /* how often it began */
	uint64_t missed;   /* passed altogether, because the core was too late */
	uint64_t late_max; /* ns from when it should have begun to when its owner runs */
	uint64_t late_sum;
	uint32_t late[GW_STATUS_BUCKETS];
};

/* A partition of the elastic pool: the cores that it holds, and how they came and went. A
 * reallocation is timed from the decision to the partition's next instruction on that core. */
#define GW_STATUS_PARTITIONS 8u

struct gw_status_partition {
	uint32_t policy;	/* enum gw_policy (bundle.h) */
	_Atomic uint32_t cores; /* of the elastic pool, now */
	uint32_t cores_min, cores_max;
	_Atomic uint64_t grants;	     /* cores that it was given */
	_Atomic uint64_t revokes;	     /* that were taken from it for another one */
	_Atomic uint64_t move_max, move_sum; /* of reallocations, in ns */
	_Atomic uint32_t move[GW_STATUS_BUCKETS];
};

struct gw_status {
	uint64_t magic;
	uint32_t size;
	uint32_t n_windows;
	uint64_t frame_ns; /* the major frame */
	uint64_t start_ns; /* when the first one began */
	uint32_t n_partitions, n_cores;
	struct gw_status_partition partitions[GW_STATUS_PARTITIONS];
	struct gw_status_window windows[];
};

/* gw_status_bucket - the bucket of a lateness. */
static inline uint32_t gw_status_bucket(uint64_t ns)
{
	uint32_t log, b;

	if (ns < 8)
		return (uint32_t)ns;
	log = 63u - (uint32_t)__builtin_clzll(ns);
	b = 8 + (log - 3) * 4 + (uint32_t)(ns >> (log - 2) & 3);
	return b < GW_STATUS_BUCKETS ? b : GW_STATUS_BUCKETS - 1;
}

#endif
