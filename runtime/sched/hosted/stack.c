/* SPDX-License-Identifier: Apache-2.0 */
/* stack.c - tasks' stacks in a Linux process: beside the partition's memory, each above addresses
 * that nobody may touch, so that a task which runs over its stack ends the process there and then,
 * with a line that names it. Linux limits how many mappings a process has (vm.max_map_count, two
 * for each stack): beyond, stacks come from the partition's memory and have the canary alone. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/mem/mem.h"
#include "runtime/platform/linux/hosted.h"
#include "runtime/sched/sched_internal.h"

#define GUARD 65536u /* addresses only: a frame that is larger jumps over it */
#define KEPT 64u     /* stacks of the usual size that a shard keeps for the next tasks */
#define ALT_BYTES 16384u

static struct kept {
	uint32_t n;
	uint8_t *stack[KEPT];
} kept[GW_MAX_VCORES];

static bool in_memory(const uint8_t *p)
{
	uint64_t at = (uint64_t)p - (uint64_t)hosted_memory.base;

	return at < hosted_memory.bytes;
}

uint8_t *stack_alloc(uint32_t bytes)
{
	struct kept *k = &kept[shard_self()->id];
	uint8_t *p;
	uint64_t pa;

	if (bytes == UTHREAD_STACK && k->n != 0)
		return k->stack[--k->n];
	p = mmap(NULL, bytes + GUARD, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (p != MAP_FAILED) {
		if (mprotect(p, GUARD, PROT_NONE) == 0)
			return p + GUARD;
		(void)munmap(p, bytes + GUARD);
	}
	pa = pages_gather(bytes / GW_PAGE_SIZE, 1);
	return pa != 0 ? pa_to_va(pa) : NULL;
}

bool stack_free(uint8_t *stack, uint32_t bytes)
{
	struct kept *k = &kept[shard_self()->id];

	if (stack == hosted_boot_stack)
		return false;
	if (in_memory(stack))
		pages_free(va_to_pa(stack), bytes / GW_PAGE_SIZE);
	else if (bytes == UTHREAD_STACK && k->n < KEPT)
		k->stack[k->n++] = stack;
	else
		(void)munmap(stack - GUARD, bytes + GUARD);
	return true;
}

#ifndef __SANITIZE_ADDRESS__ /* it says so itself, and more */
static void on_fault(int sig, siginfo_t *info, void *context)
{
	struct uthread *u = shard_self() != NULL ? uthread_self() : NULL;
	const uint8_t *at = info->si_addr;

	(void)context;
	if (u != NULL && at < u->stack && at >= u->stack - GUARD) {
		char text[128];
		int n = snprintf(text, sizeof(text),
				 "godwit: stack overflow of task \"%s\": %u bytes are too few\n",
				 u->name, u->stack_bytes);

		(void)!write(2, text, (size_t)n);
	}
	(void)signal(sig, SIG_DFL); /* and again, for the core file */
}
#endif

void hosted_stack_guard(uint32_t vcore)
{
#ifndef __SANITIZE_ADDRESS__
	static uint8_t alt[GW_MAX_VCORES][ALT_BYTES] __attribute__((aligned(16)));
	stack_t s = { .ss_sp = alt[vcore], .ss_size = ALT_BYTES };
	struct sigaction act = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	(void)sigaltstack(&s, NULL);
	(void)sigaction(SIGSEGV, &act, NULL);
#else
	(void)vcore;
#endif
}
