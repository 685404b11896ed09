/* SPDX-License-Identifier: Apache-2.0 */
/* platform.h - what the runtime needs from below: kernel calls in a Godwit machine
 * (platform/godwit), or a Linux process (platform/linux), chosen at link time. A Linux process runs
 * no programs: what concerns address spaces panics there. */
#ifndef GODWIT_RUNTIME_PLATFORM_H
#define GODWIT_RUNTIME_PLATFORM_H

#include "abi/boot.h"
#include "abi/call.h"
#include "abi/vcore.h"
#include "runtime/base/base.h"

const struct gw_boot_info *platform_boot(void);

/* The configuration blob: NUL-terminated key=value strings. config_get: the first value of key, or
 * NULL. config_next: iterate repeated keys (*cursor 0 at first). */
const char *config_get(const char *key);
const char *config_next(const char *key, size_t *cursor);

/* What follows the strings in the blob, from the next page on, and its bytes (0: nothing).
 * Read-only memory. */
const void *config_attached(uint64_t *len);

/* Raw kernel calls (call.h). */
long gw_call(unsigned nr, uint64_t a, uint64_t b, uint64_t c);

/* Batched address-space changes on the calling vcore. A batch collects entries in the vcore area
 * and applies them at 127 or at space_commit. 0, -ENOMEM (page-table pool empty), -EINVAL. */
/* Address spaces (GW_MAX_SPACES of them, number 0 from the start): they differ in the program's
 * addresses only. The calls below act on the vcore's current one. */
/* A new one, empty: its number, -ENOSPC, or -ENOMEM (page tables). */
int space_create(void) MUST_CHECK;
/* The calling uthread is at home in `space` from now on. */
void space_move(uint32_t space);
/* Visit a space; returns the current one's number, to go back to. No parking in between. Any
 * context. */
uint32_t space_enter(uint32_t space);
/* Give a space's tables back; nothing in it is reported. No uthread is at home there. Not number 0.
 * May park. */
void space_destroy(uint32_t space);
int space_map(uint64_t va, uint64_t pa, uint64_t len,
	      uint32_t flags) MUST_CHECK; /* one entry, at once */
int space_protect(uint64_t va, uint64_t len, uint32_t flags) MUST_CHECK;
struct space_batch {
	uint32_t n;
};
void space_batch_init(struct space_batch *b);
int space_batch_map(struct space_batch *b, uint64_t va, uint64_t pa, uint64_t len,
		    uint32_t flags) MUST_CHECK;
int space_batch_commit(struct space_batch *b) MUST_CHECK;
/* For every mapping removed (or, query, present) in the range: fn(arg, va, pa, flags); large pages
 * once, with GW_MAP_LARGE. */
void space_unmap(uint64_t va, uint64_t len,
		 void (*fn)(void *arg, uint64_t va, uint64_t pa, uint32_t flags), void *arg);
void space_query(uint64_t va, uint64_t len,
		 void (*fn)(void *arg, uint64_t va, uint64_t pa, uint32_t flags), void *arg);

/* Interrupt events: take a free event number of the calling vcore (8..63) and bind a device vector
 * to it. */
int platform_bind_irq(uint32_t device_index,
		      uint32_t vector) MUST_CHECK; /* event number or -errno */

/* The partition listens on a TCP or UDP port (host order), or no longer. Where the network card is
 * shared with others, what is addressed to that port comes here from now on. 0, -EADDRINUSE:
 * another program has it. Always 0 in a machine. Counted: take as often as it is given back. */
int platform_port(bool udp, uint16_t port, bool take) MUST_CHECK;

/* A port for a connection that the partition opens: *port is 0 where the stack may choose any, else
 * one that is taken for it now, and given back by platform_port. 0, -EADDRINUSE: there are none. */
int platform_pick_port(bool udp, uint16_t *port) MUST_CHECK;

/* End the machine. */
_Noreturn void platform_shutdown(int status);

/* Copy of the clock parameters for the vDSO. */
static inline uint64_t clock_ns_of(const struct gw_clock *c, uint64_t tsc)
{
	return (uint64_t)(((unsigned __int128)(tsc - c->tsc_base) * c->mult) >> 32);
}

#endif
