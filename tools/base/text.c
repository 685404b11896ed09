/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - growing text and vectors of strings, in and out of a shell's notation. See util.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/base/util.h"

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
	char *s;

	va_start(ap, format);
	s = xvasprintf(format, ap);
	va_end(ap);
	text_add(t, s, strlen(s));
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

	va_start(ap, format);
	words_take(w, xvasprintf(format, ap));
	va_end(ap);
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
