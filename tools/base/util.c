/* SPDX-License-Identifier: Apache-2.0 */
/* util.c - messages, text and small parsers. See util.h. */
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

static void *need(void *p)
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

char *xasprintf(const char *format, ...)
{
	va_list ap;
	char *s = NULL;

	va_start(ap, format);
	if (vasprintf(&s, format, ap) < 0)
		s = NULL;
	va_end(ap);
	return need(s);
}

void text_add(struct text *t, const void *bytes, size_t n)
{
	if (t->len + n + 1 > t->room) {
		t->room = (t->len + n + 1) * 2;
		t->data = xrealloc(t->data, t->room, 1);
	}
	if (n != 0)
		memcpy(t->data + t->len, bytes, n);
	t->len += n;
	t->data[t->len] = '\0';
}

void text_printf(struct text *t, const char *format, ...)
{
	va_list ap;
	char *s = NULL;
	int n;

	va_start(ap, format);
	n = vasprintf(&s, format, ap);
	va_end(ap);
	need(n < 0 ? NULL : s);
	text_add(t, s, (size_t)n);
	free(s);
}

void text_free(struct text *t)
{
	free(t->data);
	*t = (struct text){ 0 };
}

static void words_take(struct words *w, char *s)
{
	w->v = xrealloc(w->v, w->n + 2, sizeof(*w->v));
	w->v[w->n++] = s;
	w->v[w->n] = NULL;
}

void words_add(struct words *w, const char *s)
{
	words_take(w, xstrdup(s));
}

void words_printf(struct words *w, const char *format, ...)
{
	va_list ap;
	char *s = NULL;

	va_start(ap, format);
	if (vasprintf(&s, format, ap) < 0)
		s = NULL;
	va_end(ap);
	words_take(w, need(s));
}

void words_free(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->v[i]);
	free(w->v);
	*w = (struct words){ 0 };
}

int words_split(struct words *w, const char *line)
{
	struct text t = { 0 };
	bool in_word = false;
	char quote = '\0';

	for (const char *p = line; *p != '\0'; p++) {
		bool blank = *p == ' ' || *p == '\t' || *p == '\n';

		if (quote == '\0' && blank) {
			if (in_word)
				words_add(w, t.data);
			t.len = 0;
			in_word = false;
			continue;
		}
		if (!in_word)
			text_add(&t, "", 0);
		in_word = true;
		if (*p == quote) {
			quote = '\0';
		} else if (quote == '\0' && (*p == '\'' || *p == '"')) {
			quote = *p;
		} else if (*p == '\\' && quote != '\'' && p[1] != '\0' &&
			   (quote == '\0' || p[1] == '"' || p[1] == '\\')) {
			text_add(&t, ++p, 1);
		} else {
			text_add(&t, p, 1);
		}
	}
	if (in_word && quote == '\0')
		words_add(w, t.data);
	text_free(&t);
	return quote == '\0' ? 0 : fail("a quote (%c) is not closed in '%s'", quote, line);
}

void shell_quote(struct text *t, const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "-_=.,/:+@%";

	if (*s != '\0' && s[strspn(s, plain)] == '\0') {
		text_add(t, s, strlen(s));
		return;
	}
	text_add(t, "'", 1);
	for (; *s != '\0'; s++) {
		if (*s == '\'')
			text_add(t, "'\\''", 4);
		else
			text_add(t, s, 1);
	}
	text_add(t, "'", 1);
}

/* Edit distance (insert, delete, replace, swap of neighbours), words of at most 31 bytes. */
static size_t distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), d[32][32];

	if (n > 31 || m > 31)
		return 99;
	for (size_t i = 0; i <= n; i++) {
		for (size_t j = 0; j <= m; j++) {
			size_t best;

			if (i == 0 || j == 0) {
				d[i][j] = i + j;
				continue;
			}
			best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	}
	return d[n][m];
}

const char *nearest(const char *word, const char *const *candidates)
{
	size_t limit = strlen(word) < 5 ? 1 : strlen(word) / 3 + 1, best = limit + 1;
	const char *found = NULL;

	for (; *candidates != NULL; candidates++) {
		size_t d = distance(word, *candidates);

		/* The start of one word alone is a likely slip, too. */
		if (strlen(word) >= 4 && strncmp(word, *candidates, strlen(word)) == 0)
			d = 0;
		if (d < best) {
			best = d;
			found = *candidates;
		}
	}
	return found;
}

int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *value)
{
	uint64_t v = 0;

	if (*s == '\0')
		return -1;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9' || v > (UINT64_MAX - 9) / 10)
			return -1;
		v = v * 10 + (uint64_t)(*s - '0');
	}
	if (v < min || v > max)
		return -1;
	*value = v;
	return 0;
}

int parse_size(const char *s, uint64_t *bytes)
{
	size_t n = strlen(s);
	unsigned int shift = 20;
	uint64_t v = 0;
	char digits[24];

	if (n == 0 || n >= sizeof(digits))
		return -1;
	memcpy(digits, s, n + 1);
	switch (digits[n - 1]) {
	case 'k':
	case 'K':
		shift = 10;
		break;
	case 'm':
	case 'M':
		shift = 20;
		break;
	case 'g':
	case 'G':
		shift = 30;
		break;
	default:
		n++;
		break;
	}
	digits[n - 1] = '\0';
	if (parse_u64(digits, 0, UINT64_MAX >> shift, &v) != 0)
		return -1;
	*bytes = v << shift;
	return 0;
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
