/* SPDX-License-Identifier: Apache-2.0 */
/* hosted.h - what the files of the Linux platform share. The memory of a partition is at the
 * same addresses as in a machine (abi/vcore.h), GS base is the vcore's area, and a vcore is a
 * thread: everything above sees no difference. */
#ifndef GODWIT_PLATFORM_LINUX_HOSTED_H
#define GODWIT_PLATFORM_LINUX_HOSTED_H

#include "runtime/platform/platform.h"

/* The partition's memory: one extent from HOSTED_MEM_PA on (frame 0 is nobody's). */
#define HOSTED_MEM_PA (2ull << 20)

struct hosted_memory {
	void *base;	/* at GW_MEM_BASE + HOSTED_MEM_PA */
	uint64_t bytes; /* multiple of 2 MiB */
	int fd;		/* shared with a device's back end, or -1 */
	bool huge;	/* of huge pages for certain */
};
extern struct hosted_memory hosted_memory;

/* Start-up mistakes: "godwit: ..." on standard error and exit status 2. */
_Noreturn void hosted_fail(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* setup.c: map memory, boot information, vcore areas and the configuration in `config_fd`. */
void hosted_setup(int config_fd);

/* vcore.c. The calling thread becomes vcore i: GS base, core, what wakes it. */
void hosted_vcore_init(uint32_t i);
/* What the first vcore starts on. */
extern uint8_t hosted_boot_stack[];
/* Start with `fn` on the stack that ends at `top`; start.S. */
_Noreturn void hosted_enter(void *top, void (*fn)(void));
/* runtime/sched/hosted/stack.c: a line on standard error when a task of this vcore runs over its
 * stack. */
void hosted_stack_guard(uint32_t i);
/* Wake vcore `i` from a wait whenever fd is readable. Context: that vcore, or before it starts.
 * event: fd is an eventfd, which
 * is emptied, and this bit of gw_vcore.pending is set; 0: the descriptor is for a poller to empty.
 * 0, -errno. */
int hosted_watch(int fd, unsigned event) MUST_CHECK;
/* As hosted_watch of any kind of descriptor, with an event: the bit is set while a wait finds it
 * readable, and nothing is read. */
int hosted_watch_note(int fd, unsigned event) MUST_CHECK;
/* From a signal handler too. */
void hosted_notify(uint32_t vcore);
/* The core that vcore i is pinned to, or -1. */
int hosted_core(uint32_t i);

/* console.c: standard input, output and error, and SIGTERM or SIGINT as "stop" on the control port.
 * Context: a uthread of shard 0. */
void hosted_console_start(void);

/* blk_uring.c: the disks of the configuration. Ends the process with a message when one is not
 * there. */
void hosted_disks_open(void);

/* To be run, last first, before the process ends in an orderly way. At most 8. */
void hosted_at_end(void (*fn)(void));

#endif
