/* SPDX-License-Identifier: Apache-2.0 */
/* apex_config.h - the configuration blob of an ARINC 653 partition (gw_bundle_partition.config_*,
 * mapped read-only at GW_CONFIG_VA): what the standard's configuration tables say about the
 * partition, its ports and the levels of its errors. The host tool writes it, the partition checks
 * every field before use (arinc653/config.c) and does not start with a bad one. The kernel does not
 * read it. All numbers little endian, reserved fields zero.
 *
 *   +------------------+ 0
 *   | apex_config      |
 *   +------------------+ sizeof(struct apex_config)
 *   | apex_config_port | n_ports of them
 *   +------------------+ size
 */
#ifndef GODWIT_ABI_APEX_CONFIG_H
#define GODWIT_ABI_APEX_CONFIG_H

#include <stdint.h>

#define APEX_CONFIG_MAGIC 0x3335367870417747ULL /* "GwApx653" */
#define APEX_CONFIG_VERSION 1u
#define APEX_CONFIG_PORTS 32u
#define APEX_CONFIG_ERRORS                                                     \
	8u /* codes: ERROR_CODE_TYPE, the same numbers as enum gw_health_class \
	    */

#define APEX_CONFIG_CORES 8u /* of a partition, at most */
#define APEX_ANY_CORE 0xffffffffu

enum apex_config_port_kind { APEX_PORT_SAMPLING = 1, APEX_PORT_QUEUING = 2 };
enum apex_config_direction { APEX_PORT_SOURCE = 0, APEX_PORT_DESTINATION = 1 };

/* Where an error of a process is handled. PROCESS: by the error handler process, if there is one
 * and the partition is in NORMAL mode; otherwise, and at level PARTITION, it is raised to the
 * kernel's health monitor, whose table (gw_bundle_partition.health) says what follows. */
enum apex_config_level { APEX_LEVEL_PROCESS = 0, APEX_LEVEL_PARTITION = 1 };

struct apex_config_port {
	char name[32];		/* zero padded; 32 characters need no NUL */
	uint8_t kind;		/* #define APEX_ANY_CORE 0xffffffffu
	  
enum apex_config_port_kind */
	uint8_t direction;	/* enum apex_config_direction */
	uint16_t channel;	/* number of the manifest's channel: the port of the kernel calls */
	uint32_t message_bytes; /* at most, 1..GW_BATCH_BYTES: as the channel says */
	uint32_t messages;	/* queuing: capacity, 1..1024; sampling: 0 */
	uint32_t reserved;
	uint64_t
		refresh_ns; /* sampling destination: how long a message is valid, 1..2^62; else 0 */
};

struct apex_config {
	uint64_t magic;
	uint32_t version;
	uint32_t size;	      /* bytes of the whole blob */
	uint64_t period_ns;   /* of the partition, 1..2^62; process periods are its multiples */
	uint64_t duration_ns; /* of its windows in a period, 1..period_ns */
	uint64_t phase_ns;    /* partition period start: offset in the major frame, < period_ns */
	uint32_t identifier;  /* PARTITION_STATUS_TYPE.IDENTIFIER */
	uint32_t main_stack_bytes; /* of the main process, 4096..16 MiB */
	uint32_t n_ports;	   /* 0..APEX_CONFIG_PORTS */
	uint32_t default_core;	   /* affinity of processes that are given none: 0 .. vcores - 1,
				      or APEX_ANY_CORE */
	uint8_t level[APEX_CONFIG_ERRORS]; /* enum apex_config_level, by error code */
};

_Static_assert(sizeof(struct apex_config_port) == 56 && sizeof(struct apex_config) == 64,
	       "configuration layout");

/* The ports of a valid configuration. */
static inline const struct apex_config_port *apex_config_ports(const struct apex_config *c)
{
	return (const struct apex_config_port *)(const void *)(c + 1);
}

#endif
