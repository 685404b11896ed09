/* SPDX-License-Identifier: Apache-2.0 */
/* table.c - from a system call's number to its function. Each family's syscalls.def is the list of
 * what it offers; what nobody offers is counted and named when the program ends. */
#include "linux/linux.h"
#include "linux/names.h"
#include "linux/report.h"

#define SYSCALLS 512u

#define SYSCALL(number, name) SYSCALL_FN(name);
#include "linux/syscalls.h"
#undef SYSCALL

static syscall_fn *const table[SYSCALLS] = {
#define SYSCALL(number, name) [number] = sys_##name,
#include "linux/syscalls.h"
#undef SYSCALL
};

struct linux_stats linux_stats;

static __attribute__((noinline)) void unknown(struct program_frame *f)
{
	uint64_t nr = f->orig_rax;

	atomic_fetch_add_explicit(&linux_stats.enosys[nr < SYSCALLS ? nr : SYSCALLS - 1], 1,
				  memory_order_relaxed);
	f->regs.rax = (uint64_t)-ENOSYS;
}

void personality_syscall(struct program_frame *f)
{
	struct thread *t = thread_self();
	uint64_t nr = f->orig_rax;
	syscall_fn *fn = likely(nr < SYSCALLS) ? table[nr] : NULL;
	long result;

	t->n_syscalls++;
	if (unlikely(fn == NULL)) {
		unknown(f);
		return;
	}
	result = fn(t, &f->regs);
	f->regs.rax = (uint64_t)result;
	/* personality_return makes it a restart or -EINTR */
	if (unlikely(result == -ERESTARTSYS || result == -ERESTARTNOINTR))
		upcall_kick(t->uthread);
}

static const char *name_of(uint32_t nr)
{
	const char *s = syscall_names;

	if (nr >= SYSCALL_NAMES_END || (nr >= SYSCALL_NAMES_LOW && nr < SYSCALL_NAMES_HIGH))
		return "";
	if (nr >= SYSCALL_NAMES_HIGH)
		nr -= SYSCALL_NAMES_HIGH - SYSCALL_NAMES_LOW;
	while (nr-- > 0)
		s += strlen(s) + 1;
	return s;
}

void report_unknown_syscalls(void)
{
	for (uint32_t i = 0; i < SYSCALLS; i++) {
		uint32_t n = linux_stats.enosys[i];
		const char *name = name_of(i);

		if (n == 0)
			continue;
		if (name[0] != '\0')
			control_line("enosys %s %u", name, n);
		else
			control_line("enosys %u %u", i, n);
	}
}
