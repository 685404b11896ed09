/* SPDX-License-Identifier: Apache-2.0 */
/* guest.c - upcalls in a machine whose partition is one native program: nothing runs unmasked, so
 * all of these are mistakes of the program (or ours), named and fatal. */
#include "runtime/native/native_internal.h"
#include "runtime/sched/upcall.h"

void personality_syscall(struct program_frame *f)
{
	panic("the program made Linux system call %lu: there are none in a partition",
	      (unsigned long)f->regs.rax);
}

bool personality_fault(struct program_frame *f, uint64_t vector, uint64_t error, uint64_t va,
		       bool from_runtime)
{
	(void)f;
	(void)vector;
	(void)error;
	(void)va;
	(void)from_runtime;
	return false;
}

void personality_return(struct program_frame *f)
{
	(void)f;
}
