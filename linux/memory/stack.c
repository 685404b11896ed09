/* SPDX-License-Identifier: Apache-2.0 */
/* stack.c - the stack a program starts with:
 *
 *   stack_hi  +--------------------------+
 *             | execfn, env, arg strings |
 *             | platform, 16 random bytes|
 *             +--------------------------+
 *             | auxv pairs .. AT_NULL    |
 *             | envp .. NULL             |
 *             | argv .. NULL             |
 *   sp (16)   | argc                     |
 *             +--------------------------+
 *             | grows down to stack_lo   |
 * Source: x86-64 psABI 1.0, 3.4.1; getauxval(3). */
#include <cpuid.h>

#include "linux/memory/elf.h"
#include "linux/memory/elf_check.h"
#include "linux/memory/mm_internal.h"

enum {
	AT_PHDR = 3,
	AT_PHENT = 4,
	AT_PHNUM = 5,
	AT_PAGESZ = 6,
	AT_BASE = 7,
	AT_FLAGS = 8,
	AT_ENTRY = 9,
	AT_UID = 11,
	AT_EUID = 12,
	AT_GID = 13,
	AT_EGID = 14,
	AT_PLATFORM = 15,
	AT_HWCAP = 16,
	AT_CLKTCK = 17,
	AT_SECURE = 23,
	AT_RANDOM = 25,
	AT_HWCAP2 = 26,
	AT_EXECFN = 31,
	AT_SYSINFO_EHDR = 33,
	AT_MINSIGSTKSZ = 51,
};

struct writer {
	uint64_t *words; /* built here, copied at once */
	uint32_t n, cap;
	uint64_t top; /* strings grow down from here */
	uint64_t lo;
	bool failed;
};

static uint64_t push_bytes(struct writer *w, const void *p, size_t n)
{
	if (w->top - w->lo < n + GW_PAGE_SIZE) {
		w->failed = true;
		return 0;
	}
	w->top -= n;
	if (copy_to_program(w->top, p, n) != 0)
		w->failed = true;
	return w->top;
}

static uint64_t push_string(struct writer *w, const char *s)
{
	return push_bytes(w, s, strlen(s) + 1);
}

static void word(struct writer *w, uint64_t v)
{
	if (w->n < w->cap)
		w->words[w->n++] = v;
	else
		w->failed = true;
}

static void aux(struct writer *w, uint64_t type, uint64_t v)
{
	word(w, type);
	word(w, v);
}

static uint32_t count(const char *const *v)
{
	uint32_t n = 0;

	while (v[n] != NULL)
		n++;
	return n;
}

/* Strings in ascending order in memory, as Linux lays them: the last is pushed first. Fills slots
 * [at, at + n). */
static void push_strings(struct writer *w, const char *const *v, uint32_t n, uint32_t at)
{
	while (n-- > 0)
		w->words[at + n] = push_string(w, v[n]);
}

static void push_auxv(struct writer *w, const struct elf_stack *st, uint64_t execfn,
		      uint64_t platform, uint64_t rnd)
{
	uint32_t a, b, c, d = 0;

	__get_cpuid(1, &a, &b, &c, &d);
	if (st->vdso != 0)
		aux(w, AT_SYSINFO_EHDR, st->vdso);
	aux(w, AT_HWCAP, d);
	aux(w, AT_PAGESZ, GW_PAGE_SIZE);
	aux(w, AT_CLKTCK, 100);
	aux(w, AT_PHDR, st->phdr);
	aux(w, AT_PHENT, ELF_PHDR_BYTES);
	aux(w, AT_PHNUM, st->phnum);
	aux(w, AT_BASE, st->base);
	aux(w, AT_FLAGS, 0);
	aux(w, AT_ENTRY, st->entry);
	aux(w, AT_UID, process_self()->uid);
	aux(w, AT_EUID, process_self()->euid);
	aux(w, AT_GID, process_self()->gid);
	aux(w, AT_EGID, process_self()->egid);
	aux(w, AT_SECURE, 0);
	aux(w, AT_RANDOM, rnd);
	aux(w, AT_HWCAP2, 0); /* no FSGSBASE: GS is the runtime's */
	aux(w, AT_MINSIGSTKSZ, 1024 + fpu_state_size());
	aux(w, AT_EXECFN, execfn);
	aux(w, AT_PLATFORM, platform);
	aux(w, 0, 0);
}

static void build(struct writer *w, struct elf_stack *st, struct mm_strings *at)
{
	uint32_t argc = count(st->argv), envc = count(st->envp),
		 skip = st->n_prefix != 0 && argc > 0 ? 1 : 0;
	uint64_t execfn = push_string(w, st->execfn), platform, rnd;
	uint32_t n_args = st->n_prefix + argc - skip;
	uint8_t bytes[16];

	w->n = 1 + n_args + 1 + envc + 1;
	w->words[0] = n_args;
	w->words[1 + n_args] = 0;
	w->words[w->n - 1] = 0;
	at->env_end = w->top;
	push_strings(w, st->envp, envc, 2 + n_args);
	at->env_start = at->arg_end = w->top;
	push_strings(w, st->argv + skip, argc - skip, 1 + st->n_prefix);
	push_strings(w, st->prefix, st->n_prefix, 1);
	at->arg_start = w->top;
	platform = push_string(w, "x86_64");
	random_bytes(bytes, sizeof(bytes));
	w->top = ROUND_DOWN(w->top, 16ul);
	rnd = push_bytes(w, bytes, sizeof(bytes));
	push_auxv(w, st, execfn, platform, rnd);
}

bool elf_stack_make(struct mm *mm, struct elf_stack *st)
{
	struct writer w = { .top = mm->stack_hi - 8, .lo = mm->stack_hi - STACK_BYTES / 4 };
	size_t bytes;

	if (mm_map(mm, mm->stack_lo, mm->stack_hi - mm->stack_lo,
		   MM_READ | MM_WRITE | MM_STACK | MM_FIXED, NULL, 0) < 0)
		return false;
	w.cap = 1 + st->n_prefix + count(st->argv) + 1 + count(st->envp) + 1 + 2 * 24;
	bytes = w.cap * sizeof(uint64_t);
	w.words = mem_zalloc(bytes);
	if (w.words == NULL)
		return false;
	build(&w, st, &mm->strings);
	if (w.top - w.lo < bytes)
		w.failed = true;
	st->sp = ROUND_DOWN(w.top - w.n * sizeof(uint64_t), 16ul);
	if (!w.failed && copy_to_program(st->sp, w.words, w.n * sizeof(uint64_t)) != 0)
		w.failed = true;
	mem_free(w.words, bytes);
	return !w.failed;
}
