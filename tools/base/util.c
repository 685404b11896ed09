/* SPDX-License-Identifier: Apache-2.0 */
/* util.c - messages, memory, files. See util.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/base/util.h"

bool verbose;

static char fail_message[2048];

int fail(const char *format, ...)
{
	va_list ap;

	if (fail_message[0] != '\0')
		return -1;
	va_start(ap, format);
	vsnprintf(fail_message, sizeof(fail_message), format, ap);
	va_end(ap);
	return -1;
}

int fail_within(const char *format, ...)
{
	char *why = xstrdup(fail_message);
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(fail_message, sizeof(fail_message), format, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(fail_message))
		snprintf(fail_message + n, sizeof(fail_message) - (size_t)n, ": %s", why);
	free(why);
	return -1;
}

const char *fail_text(void)
{
	return fail_message;
}

void fail_clear(void)
{
	fail_message[0] = '\0';
}

static void say(const char *format, va_list ap)
{
	char line[2048];

	vsnprintf(line, sizeof(line), format, ap);
	fprintf(stderr, "godwit: %s\n", line);
}

void warn(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(format, ap);
	va_end(ap);
}

void note(const char *format, ...)
{
	va_list ap;

	if (!verbose)
		return;
	va_start(ap, format);
	say(format, ap);
	va_end(ap);
}

void *need(void *p)
{
	if (p == NULL) {
		fputs("godwit: out of memory\n", stderr);
		exit(STATUS_USAGE);
	}
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	return need(calloc(n ? n : 1, size));
}

void *xrealloc(void *p, size_t n, size_t size)
{
	return need(reallocarray(p, n, size));
}

char *xstrdup(const char *s)
{
	return need(strdup(s));
}

char *xstrndup(const char *s, size_t n)
{
	return need(strndup(s, n));
}

char *xvasprintf(const char *format, va_list ap)
{
	char *s = NULL;

	return need(vasprintf(&s, format, ap) < 0 ? NULL : s);
}

char *xasprintf(const char *format, ...)
{
	va_list ap;
	char *s;

	va_start(ap, format);
	s = xvasprintf(format, ap);
	va_end(ap);
	return s;
}

int write_all(int fd, const void *bytes, size_t n, uint64_t offset)
{
	const char *p = bytes;

	while (n > 0) {
		ssize_t did = pwrite(fd, p, n, (off_t)offset);

		if (did < 0 && errno == EINTR)
			continue;
		if (did <= 0)
			return -1;
		p += did;
		n -= (size_t)did;
		offset += (uint64_t)did;
	}
	return 0;
}

int read_all(int fd, void *bytes, size_t n, uint64_t offset)
{
	char *p = bytes;

	while (n > 0) {
		ssize_t did = pread(fd, p, n, (off_t)offset);

		if (did < 0 && errno == EINTR)
			continue;
		if (did <= 0) {
			if (did == 0)
				errno = 0;
			return -1;
		}
		p += did;
		n -= (size_t)did;
		offset += (uint64_t)did;
	}
	return 0;
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
