/* SPDX-License-Identifier: Apache-2.0 */
/* absent.c - what only a machine's kernel can do: address spaces of programs, their extended state,
 * upcalls. No uthread here runs a program (uthread.program), so nothing of this is reached; a
 * mistake that reaches it ends the process with a name. */
#include "runtime/platform/platform.h"
#include "runtime/sched/sched_internal.h"
#include "runtime/sched/upcall.h"

static _Noreturn void absent(const char *what)
{
	panic("%s: there are no programs in a Linux process", what);
}

uint32_t space_enter(uint32_t space)
{
	(void)space;
	absent(__func__);
}

void fpu_take(struct shard *s, struct uthread *u)
{
	(void)s;
	(void)u;
	absent(__func__);
}

/* Called for every uthread that ends; nobody's state is ever in the registers. */
void fpu_give_up(struct shard *s, struct uthread *u, bool save)
{
	(void)save;
	if (s->fpu_owner == u)
		absent(__func__);
}

size_t fpu_state_size(void)
{
	absent(__func__);
}

void fpu_init_area(void *area)
{
	(void)area;
	absent(__func__);
}

void upcall_syscall_entry(void)
{
	absent(__func__);
}

void upcall_entry(void)
{
	absent(__func__);
}
