/* SPDX-License-Identifier: Apache-2.0 */
/* vhost_message.h - the vhost-user protocol's messages (QEMU, docs/interop/vhost-user.rst), as a
 * front end sends them. */
#ifndef GODWIT_PLATFORM_LINUX_VHOST_MESSAGE_H
#define GODWIT_PLATFORM_LINUX_VHOST_MESSAGE_H

#include "runtime/base/base.h"

enum { /* message types */
       GET_FEATURES = 1,
       SET_FEATURES = 2,
       SET_OWNER = 3,
       SET_MEM_TABLE = 5,
       SET_VRING_NUM = 8,
       SET_VRING_ADDR = 9,
       SET_VRING_BASE = 10,
       GET_VRING_BASE = 11,
       SET_VRING_KICK = 12,
       SET_VRING_CALL = 13,
       GET_PROTOCOL_FEATURES = 15,
       SET_PROTOCOL_FEATURES = 16,
       SET_VRING_ENABLE = 18,
};
struct vu_message {
	uint32_t request, flags, size;
	union {
		uint64_t u64;
		struct {
			uint32_t index, num;
		} state;
		struct {
			uint32_t index, flags;
			uint64_t desc, used, avail, log;
		} addr;
		struct {
			uint32_t n, pad;
			uint64_t guest_pa, bytes, front_va, offset;
		} memory;
	} u;
} __attribute__((packed));
#define VHOST_HEADER 12u

extern int vhost_fd; /* the connection; -1: none */

/* Send with `size` bytes behind the header, and a descriptor unless fd is -1. */
void vhost_tell(struct vu_message *m, uint32_t request, uint32_t size, int fd);
void vhost_tell_u64(uint32_t request, uint64_t v, int fd);
void vhost_tell_state(uint32_t request, uint32_t index, uint32_t num);
/* An answer of n bytes behind the header, within 5 s; false: none came, or another. */
bool vhost_hear(struct vu_message *m, uint32_t request, uint32_t n) MUST_CHECK;
bool vhost_ask_u64(uint32_t request, uint64_t *v) MUST_CHECK;

#endif
