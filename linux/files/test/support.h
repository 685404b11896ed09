/* SPDX-License-Identifier: Apache-2.0 */
/* support.h - a small stand-in for the runtime, so that files/ runs in a host program: one thread,
 * memory at GW_MEM_BASE, a disk in memory. */
#ifndef GODWIT_LINUX_FILES_TEST_SUPPORT_H
#define GODWIT_LINUX_FILES_TEST_SUPPORT_H

#include "linux/files/files_internal.h"

#define SYSCALL(nr, name) SYSCALL_FN(name);
#include "linux/files/syscalls.def"
#undef SYSCALL

/* Start afresh: `pages` frames of memory, the given disk (NULL: root=none). */
int support_init(size_t pages, const void *disk, size_t disk_len);
/* Give back the objects of the last support_init. */
void support_done(void);
extern uint64_t support_now; /* the clock */
extern int support_signals;  /* sent by files/ */
extern uint32_t support_disk_reads;
extern size_t support_bytes;	  /* small objects in use */
extern int (*support_park)(void); /* what happens when a thread sleeps; NULL: -ETIMEDOUT */
void support_timers(void);	  /* fire those that are due */
/* Ports: none, or this many: 0 a queuing source of depth 2, 1 a sampling destination, 16 bytes. */
extern uint32_t support_ports;
extern char support_queue[2][17]; /* what was written to port 0 */
extern uint32_t support_queued;
extern const char *support_sample; /* what port 1 has; NULL: nothing */
extern bool support_valid;
long support_call(long (*fn)(struct thread *, struct gw_regs *), uint64_t a, uint64_t b, uint64_t c,
		  uint64_t d, uint64_t e, uint64_t f);
/* A root image: entries added one by one, then sealed (offsets, checksum). */
struct image {
	uint8_t *bytes;
	size_t len;
};
struct image_file {
	uint32_t parent;
	const char *name;
	uint32_t mode;
	const char *data; /* file contents or link target */
	size_t size;
};
struct image image_build(const struct image_file *files, uint32_t n);
void image_seal(struct image *im); /* recompute the checksum */

#endif
