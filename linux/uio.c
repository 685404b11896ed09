/* SPDX-License-Identifier: Apache-2.0 */
/* uio.c - moving bytes between files and the program's buffers, segment by segment. */
#include "linux/linux.h"

/* The current stretch, at most max bytes: its address and length. 0: the uio is used up. */
static size_t stretch(struct uio *u, size_t max, uint64_t *va)
{
	const struct uio_segment *s;

	while (u->at < u->n && u->off == u->seg[u->at].len) {
		u->at++;
		u->off = 0;
	}
	if (u->at == u->n)
		return 0;
	s = &u->seg[u->at];
	*va = s->va + u->off;
	return GW_MIN(GW_MIN(s->len - u->off, max), u->left);
}

static void advance(struct uio *u, size_t n)
{
	u->off += n;
	u->left -= n;
}

int uio_put(struct uio *u, const void *from, size_t n)
{
	const uint8_t *p = from;
	uint64_t va;
	size_t step;

	while (n > 0 && (step = stretch(u, n, &va)) > 0) {
		if (u->kernel)
			memcpy((void *)va, p, step);
		else if (copy_to_program(va, p, step) != 0)
			return -EFAULT;
		advance(u, step);
		p += step;
		n -= step;
	}
	return 0;
}

int uio_get(struct uio *u, void *to, size_t n)
{
	uint8_t *p = to;
	uint64_t va;
	size_t step;

	while (n > 0 && (step = stretch(u, n, &va)) > 0) {
		if (u->kernel)
			memcpy(p, (const void *)va, step);
		else if (copy_from_program(p, va, step) != 0)
			return -EFAULT;
		advance(u, step);
		p += step;
		n -= step;
	}
	return 0;
}

int uio_zero(struct uio *u, size_t n)
{
	uint64_t va;
	size_t step;

	while (n > 0 && (step = stretch(u, n, &va)) > 0) {
		if (u->kernel)
			memset((void *)va, 0, step);
		else if (zero_program(va, step) != 0)
			return -EFAULT;
		advance(u, step);
		n -= step;
	}
	return 0;
}

/* The usual transfer: n bytes inside the current segment of a program buffer. */
static inline bool in_one(const struct uio *u, size_t n)
{
	return likely(u->at < u->n && !u->kernel && n <= u->left &&
		      n <= u->seg[u->at].len - u->off);
}

size_t uio_put_nofault(struct uio *u, const void *from, size_t n)
{
	const uint8_t *p = from;
	size_t done = 0, step, got;
	uint64_t va;

	if (in_one(u, n)) {
		got = copy_to_program_nofault(u->seg[u->at].va + u->off, from, n);
		advance(u, got);
		return got;
	}
	while (done < n && (step = stretch(u, n - done, &va)) > 0) {
		got = step;
		if (u->kernel)
			memcpy((void *)va, p + done, step);
		else
			got = copy_to_program_nofault(va, p + done, step);
		advance(u, got);
		done += got;
		if (got < step)
			break;
	}
	return done;
}

size_t uio_get_nofault(struct uio *u, void *to, size_t n)
{
	uint8_t *p = to;
	size_t done = 0, step, got;
	uint64_t va;

	if (in_one(u, n)) {
		got = copy_from_program_nofault(to, u->seg[u->at].va + u->off, n);
		advance(u, got);
		return got;
	}
	while (done < n && (step = stretch(u, n - done, &va)) > 0) {
		got = step;
		if (u->kernel)
			memcpy(p + done, (const void *)va, step);
		else
			got = copy_from_program_nofault(p + done, va, step);
		advance(u, got);
		done += got;
		if (got < step)
			break;
	}
	return done;
}

/* Up to 16 pages from where the uio stands: enough for a caller that loops. */
int uio_fault_in(struct uio *u, bool write)
{
	uint64_t va;
	size_t n = stretch(u, 16 * GW_PAGE_SIZE, &va);

	return n == 0 || u->kernel ? 0 : fault_in_program(va, n, write);
}
