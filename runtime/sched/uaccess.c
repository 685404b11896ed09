/* SPDX-License-Identifier: Apache-2.0 */
/* uaccess.c - reading and writing program memory (upcall.h). Ranges are checked here against the
 * program's addresses, so a program cannot name the runtime's memory; faults are met in uaccess.S.
 */
#include "runtime/base/errno.h"
#include "runtime/sched/upcall.h"

int uaccess_copy(void *to, const void *from, size_t n);
int uaccess_zero(void *to, size_t n);
long uaccess_string(char *to, const char *from, size_t size);
int uaccess_load32(const void *from, uint32_t *out);
int uaccess_cmpxchg32(void *at, uint32_t expect, uint32_t desired, uint32_t *seen);
int uaccess_touch(void *at, int write);
size_t uaccess_copy_count(void *to, const void *from, size_t n);

static inline void *at(uint64_t va)
{
	return (void *)va;
}

int copy_to_program(uint64_t va, const void *from, size_t n)
{
	return likely(program_range(va, n)) ? uaccess_copy(at(va), from, n) : -EFAULT;
}

int copy_from_program(void *to, uint64_t va, size_t n)
{
	return likely(program_range(va, n)) ? uaccess_copy(to, at(va), n) : -EFAULT;
}

int zero_program(uint64_t va, size_t n)
{
	return likely(program_range(va, n)) ? uaccess_zero(at(va), n) : -EFAULT;
}

long copy_string_from_program(char *to, uint64_t va, size_t size)
{
	uint64_t room = va < GW_PROGRAM_END ? GW_PROGRAM_END - va : 0;
	long n = uaccess_string(to, at(va), GW_MIN(size, room));

	return n == -ENAMETOOLONG && room < size ? -EFAULT : n;
}

size_t copy_to_program_nofault(uint64_t va, const void *from, size_t n)
{
	struct shard *s = shard_self();
	size_t done;

	if (unlikely(!program_range(va, n)))
		return 0;
	s->nofault++;
	done = uaccess_copy_count(at(va), from, n);
	s->nofault--;
	return done;
}

size_t copy_from_program_nofault(void *to, uint64_t va, size_t n)
{
	struct shard *s = shard_self();
	size_t done;

	if (unlikely(!program_range(va, n)))
		return 0;
	s->nofault++;
	done = uaccess_copy_count(to, at(va), n);
	s->nofault--;
	return done;
}

int fault_in_program(uint64_t va, size_t n, bool write)
{
	if (n == 0)
		return 0;
	if (!program_range(va, n))
		return -EFAULT;
	for (uint64_t p = va; p < va + n; p = ROUND_DOWN(p, GW_PAGE_SIZE) + GW_PAGE_SIZE) {
		int err = uaccess_touch(at(p), write);

		if (err)
			return err;
	}
	return 0;
}

int program_load_u32(uint64_t va, uint32_t *out)
{
	return likely(program_range(va, 4)) ? uaccess_load32(at(va), out) : -EFAULT;
}

int program_cmpxchg_u32(uint64_t va, uint32_t expect, uint32_t desired, uint32_t *seen)
{
	return likely(program_range(va, 4)) ? uaccess_cmpxchg32(at(va), expect, desired, seen)
					    : -EFAULT;
}
