/* SPDX-License-Identifier: Apache-2.0 */
/* calls.h - the system calls of the boot test's personality, and where its program's memory lies.
 */
#ifndef GODWIT_BOOT_TEST_CALLS_H
#define GODWIT_BOOT_TEST_CALLS_H

enum test_call {
	T_NULL,	      /* (x): x + 1 */
	T_EXIT,	      /* () */
	T_PARK,	      /* (deadline_ns): as uthread_park */
	T_WAKE,	      /* (thread) */
	T_SPAWN,      /* (fn, arg, shard or -1): thread number */
	T_REPORT,     /* (name, value): a line to the log */
	T_COPY_IN,    /* (va, n): copy_from_program, n <= 256 */
	T_COPY_OUT,   /* (va, n): copy_to_program of bytes 0, 1, 2.. */
	T_SHUTDOWN,   /* (status) */
	T_YIELD,      /* () */
	T_SHARD,      /* (): number of the shard it runs on */
	T_KICK,	      /* (thread): its next return redirects it to the address given by T_ON_KICK */
	T_ON_KICK,    /* (rip) */
	T_PARTIAL_IN, /* (va, n): copy_from_program_nofault */
	T_STRING,     /* (va, size): copy_string_from_program */
	T_CMPXCHG,    /* (va, expect, desired): program_cmpxchg_u32, then what was seen */
	T_ON_FAULT, /* (rip): where this thread goes when a fault is not resolved; rax = address */
	T_STAT,	    /* (which): enum test_stat */
	T_SHARDS,   /* (): how many */
	T_UNMAP,    /* (va, n): take the pages away again; how many there were */
	T_CALLS,    /* (n): n shard_calls of every shard; sum of what ran */
	T_COUNT
};

enum test_stat { S_PREEMPTIONS, S_FAULTS, S_STEALS, S_TICKS, S_FREE_PAGES };

#define T_CODE 0x400000ul
#define T_HEAP 0x10000000ul   /* demand zero */
#define T_STACKS 0x20000000ul /* demand zero, 1 MiB a thread */
#define T_END 0x30000000ul
#define T_THREADS 32u

#endif
