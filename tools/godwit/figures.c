/* SPDX-License-Identifier: Apache-2.0 */
/* figures.c - Prometheus text. See figures.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/godwit/figures.h"

static bool parse_line(struct figure *f, const char *line, size_t len)
{
	char copy[320], *brace, *number, *end;

	if (len == 0 || len >= sizeof(copy) || line[0] == '#')
		return false;
	memcpy(copy, line, len);
	copy[len] = '\0';
	number = strrchr(copy, ' ');
	if (number == NULL)
		return false;
	*number++ = '\0';
	f->value = strtod(number, &end);
	if (end == number || *end != '\0')
		return false;
	brace = strchr(copy, '{');
	f->labels[0] = '\0';
	if (brace != NULL) {
		size_t n = strlen(brace);

		if (brace[n - 1] != '}' || n - 2 >= sizeof(f->labels))
			return false;
		memcpy(f->labels, brace + 1, n - 2);
		f->labels[n - 2] = '\0';
		*brace = '\0';
	}
	if (strncmp(copy, "godwit_", 7) != 0 || strlen(copy + 7) >= sizeof(f->name))
		return false;
	strcpy(f->name, copy + 7);
	return true;
}

void figures_parse(struct figures *f, const char *text)
{
	size_t room = 0;

	*f = (struct figures){ 0 };
	while (*text != '\0' && f->n < FIGURES_MAX) {
		size_t len = strcspn(text, "\n");

		if (f->n == room) {
			room = room == 0 ? 256 : 2 * room;
			f->v = xrealloc(f->v, room, sizeof(*f->v));
		}
		f->n += parse_line(&f->v[f->n], text, len);
		text += len + (text[len] == '\n');
	}
}

void figures_free(struct figures *f)
{
	free(f->v);
	*f = (struct figures){ 0 };
}

/* A pair at the start of the labels or behind a comma, and whole. */
static bool has(const struct figure *f, const char *pair)
{
	const char *p = f->labels;
	size_t n = pair == NULL ? 0 : strlen(pair);

	if (pair == NULL)
		return true;
	for (; (p = strstr(p, pair)) != NULL; p++)
		if ((p == f->labels || p[-1] == ',') && (p[n] == ',' || p[n] == '\0'))
			return true;
	return false;
}

void figures_with(struct figures *to, const struct figures *from, const char *label)
{
	*to = (struct figures){ .v = xcalloc(from->n + 1, sizeof(*to->v)) };
	for (size_t i = 0; i < from->n; i++)
		if (has(&from->v[i], label))
			to->v[to->n++] = from->v[i];
}

double figures_get(const struct figures *f, const char *name, const char *label, const char *other,
		   double none)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].name, name) == 0 && has(&f->v[i], label) && has(&f->v[i], other))
			return f->v[i].value;
	return none;
}

double figures_sum(const struct figures *f, const char *name, const char *label)
{
	double sum = 0;

	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].name, name) == 0 && has(&f->v[i], label))
			sum += f->v[i].value;
	return sum;
}

bool figure_label(const struct figure *f, const char *label, char *to, size_t room)
{
	size_t n = strlen(label), len = 0;
	const char *p = f->labels;

	for (; (p = strstr(p, label)) != NULL; p++)
		if ((p == f->labels || p[-1] == ',') && p[n] == '=' && p[n + 1] == '"')
			break;
	if (p == NULL)
		return false;
	for (p += n + 2; *p != '\0' && *p != '"' && len + 1 < room; p++) {
		p += *p == '\\' && p[1] != '\0';
		to[len++] = *p;
	}
	to[len] = '\0';
	return true;
}
