/* SPDX-License-Identifier: Apache-2.0 */
/* asan.c - what the address sanitizer must be told in a hosted build (linked in by --wrap): which
 * stack runs, that a freed stack's marks are void, and where pointers may lie. Small objects come
 * from malloc, so that every one has its own bounds and a use after its end is seen. */
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/mem/mem.h"
#include "runtime/platform/linux/hosted.h"
#include "runtime/sched/sched_internal.h"

void __real_context_switch(uint64_t *save_sp, uint64_t load_sp);
void __wrap_context_switch(uint64_t *save_sp, uint64_t load_sp);
void __real_uthread_main(void);
void __wrap_uthread_main(void);
_Noreturn void __real_shard_entry(struct shard *s);
void __wrap_shard_entry(struct shard *s);
void __real_shard_secondary(struct shard *s);
void __wrap_shard_secondary(struct shard *s);
void __real_hosted_enter(void *top, void (*fn)(void));
void __wrap_hosted_enter(void *top, void (*fn)(void));
void __real_pages_free(uint64_t pa, size_t n);
void __wrap_pages_free(uint64_t pa, size_t n);
uint8_t *__real_stack_alloc(uint32_t bytes);
uint8_t *__wrap_stack_alloc(uint32_t bytes);
bool __real_stack_free(uint8_t *stack, uint32_t bytes);
bool __wrap_stack_free(uint8_t *stack, uint32_t bytes);
void *__real_mem_alloc(size_t n);
void *__real_mem_zalloc(size_t n);
void __real_mem_free(void *p, size_t n);
void *__real_mem_resize(void *p, size_t old_n, size_t new_n);
void *__wrap_mem_alloc(size_t n);
void *__wrap_mem_zalloc(size_t n);
void __wrap_mem_free(void *p, size_t n);
void *__wrap_mem_resize(void *p, size_t old_n, size_t new_n);

/* ---- stacks ---- */

void __wrap_context_switch(uint64_t *save_sp, uint64_t load_sp)
{
	const struct uthread *next = uthread_self(); /* switch_to has set it */
	void *fake = NULL;

	__sanitizer_start_switch_fiber(&fake, next->stack, next->stack_bytes);
	__real_context_switch(save_sp, load_sp);
	__sanitizer_finish_switch_fiber(fake, NULL, NULL);
}

void __wrap_uthread_main(void)
{
	__sanitizer_finish_switch_fiber(NULL, NULL, NULL);
	__real_uthread_main();
}

void __wrap_shard_entry(struct shard *s)
{
	const struct uthread *u = s->current;

	__sanitizer_start_switch_fiber(NULL, u->stack, u->stack_bytes);
	__real_shard_entry(s);
}

void __wrap_shard_secondary(struct shard *s)
{
	__sanitizer_finish_switch_fiber(NULL, NULL, NULL);
	__real_shard_secondary(s);
}

static void (*first)(void);

static void on_boot_stack(void)
{
	__sanitizer_finish_switch_fiber(NULL, NULL, NULL);
	__lsan_register_root_region(hosted_memory.base, hosted_memory.bytes);
	first();
}

void __wrap_hosted_enter(void *top, void (*fn)(void))
{
	first = fn;
	__sanitizer_start_switch_fiber(NULL, (uint8_t *)top + 256 - UTHREAD_STACK, UTHREAD_STACK);
	__real_hosted_enter(top, on_boot_stack);
}

void __wrap_pages_free(uint64_t pa, size_t n)
{
	__asan_unpoison_memory_region(pa_to_va(pa), n * GW_PAGE_SIZE);
	__real_pages_free(pa, n);
}

static bool in_memory(const uint8_t *p) /* which is a root region already */
{
	return (uint64_t)p - (uint64_t)hosted_memory.base < hosted_memory.bytes;
}

/* Tasks that wait hold objects by their stacks alone. */
uint8_t *__wrap_stack_alloc(uint32_t bytes)
{
	uint8_t *p = __real_stack_alloc(bytes);

	if (p != NULL && !in_memory(p))
		__lsan_register_root_region(p, bytes);
	return p;
}

bool __wrap_stack_free(uint8_t *stack, uint32_t bytes)
{
	if (stack == hosted_boot_stack)
		return false;
	if (!in_memory(stack))
		__lsan_unregister_root_region(stack, bytes);
	__asan_unpoison_memory_region(stack, bytes);
	return __real_stack_free(stack, bytes);
}

/* ---- objects; those that a back end reads must lie in its memory ---- */

void *__wrap_mem_alloc(size_t n)
{
	return hosted_memory.fd >= 0 ? __real_mem_alloc(n) : malloc(n);
}

void *__wrap_mem_zalloc(size_t n)
{
	return hosted_memory.fd >= 0 ? __real_mem_zalloc(n) : calloc(1, n);
}

void __wrap_mem_free(void *p, size_t n)
{
	if (hosted_memory.fd >= 0)
		__real_mem_free(p, n);
	else
		free(p);
}

void *__wrap_mem_resize(void *p, size_t old_n, size_t new_n)
{
	return hosted_memory.fd >= 0 ? __real_mem_resize(p, old_n, new_n) : realloc(p, new_n);
}
