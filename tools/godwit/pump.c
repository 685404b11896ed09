/* SPDX-License-Identifier: Apache-2.0 */
/* pump.c - moving bytes between descriptors with backpressure. See session_internal.h. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "tools/godwit/session_internal.h"

bool pump_wants_input(const struct pump *p)
{
	return p->from >= 0 && p->len < PUMP_BYTES;
}

bool pump_wants_output(const struct pump *p)
{
	return p->to >= 0 && p->len > 0;
}

static bool again(void)
{
	return errno == EAGAIN || errno == EINTR;
}

static void make_room(struct pump *p)
{
	if (p->len == 0) {
		p->start = 0;
	} else if (p->start + p->len == PUMP_BYTES) {
		memmove(p->data, p->data + p->start, p->len);
		p->start = 0;
	}
}

void pump_input(struct pump *p)
{
	ssize_t n;

	make_room(p);
	n = read(p->from, p->data + p->start + p->len, PUMP_BYTES - p->start - p->len);
	if (n < 0 && again())
		return;
	if (n <= 0) {
		p->from = -1;
		return;
	}
	p->total += (uint64_t)n;
	if (!p->to_failed)
		p->len += (size_t)n;
}

void pump_output(struct pump *p)
{
	/* poll promises that this much goes into a pipe without blocking. */
	size_t n = p->len < PIPE_BUF ? p->len : PIPE_BUF;
	ssize_t did = write(p->to, p->data + p->start, n);

	if (did < 0 && again())
		return;
	if (did <= 0) {
		p->to_failed = true;
		p->to = -1;
		p->len = 0;
		return;
	}
	p->start += (size_t)did;
	p->len -= (size_t)did;
}

bool pump_put(struct pump *p, const void *bytes, size_t n)
{
	make_room(p);
	if (n > PUMP_BYTES - p->len)
		return false;
	if (n > PUMP_BYTES - p->start - p->len) {
		memmove(p->data, p->data + p->start, p->len);
		p->start = 0;
	}
	memcpy(p->data + p->start + p->len, bytes, n);
	p->len += n;
	return true;
}
