/* SPDX-License-Identifier: Apache-2.0 */
/* tls_platform.c - in a partition: the packaged BearSSL was compiled for Linux with the stack
 * protector and with checked copies. Its guard lies at %fs:0x28 (System V ABI), so each shard's fs
 * points to a block that has one; nothing else in a partition uses fs. */
#include "apps/http/lib/http_internal.h"

struct thread_block {
	struct thread_block *self;
	uint64_t unused[4];
	uint64_t guard; /* at 0x28 */
};
_Static_assert(offsetof(struct thread_block, guard) == 0x28, "where the compiler looks for it");

void *__memcpy_chk(void *to, const void *from, size_t n, size_t room);
void *__memmove_chk(void *to, const void *from, size_t n, size_t room);
void *__memset_chk(void *to, int c, size_t n, size_t room);
void __stack_chk_fail(void) __attribute__((noreturn));

static _Noreturn void overflow(void)
{
	gw_log("error: http: a buffer overflowed in the TLS library");
	for (;;) /* a fault, which ends the partition whatever the context */
		__builtin_trap();
}

void *__memcpy_chk(void *to, const void *from, size_t n, size_t room)
{
	return n <= room ? memcpy(to, from, n) : (overflow(), NULL);
}

void *__memmove_chk(void *to, const void *from, size_t n, size_t room)
{
	return n <= room ? memmove(to, from, n) : (overflow(), NULL);
}

void *__memset_chk(void *to, int c, size_t n, size_t room)
{
	return n <= room ? memset(to, c, n) : (overflow(), NULL);
}

void __stack_chk_fail(void)
{
	overflow();
}

void tls_platform_init(void)
{
	static struct thread_block blocks[64]; /* as many as http_server has shards */
	struct thread_block *b = &blocks[gw_shard()];

	b->self = b;
	b->guard = gw_random_u64() & ~0xffull;
	__asm__ volatile("wrfsbase %0" : : "r"(b) : "memory");
}
