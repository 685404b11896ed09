/* SPDX-License-Identifier: Apache-2.0 */
/* ini.c - INI text. See ini.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/module/ini.h"

static void say(struct diag *d, int line, const char *kind, const char *format, va_list ap)
{
	char *message = xvasprintf(format, ap);

	for (char *p = message; *p != '\0'; p++)
		*p = (unsigned char)*p < ' ' ? '?' : *p;
	if (d->errors + d->warnings <= INI_ERRORS)
		text_printf(&d->out, "%s:%d: %s%s\n", d->file, line, kind, message);
	free(message);
}

void diag_error(struct diag *d, int line, const char *format, ...)
{
	va_list ap;

	d->errors++;
	va_start(ap, format);
	say(d, line, "", format, ap);
	va_end(ap);
}

void diag_warning(struct diag *d, int line, const char *format, ...)
{
	va_list ap;

	d->warnings++;
	va_start(ap, format);
	say(d, line, "warning: ", format, ap);
	va_end(ap);
}

/* The bytes of [from, to) without blanks around them, as a string. */
static char *trimmed(const char *from, const char *to)
{
	while (from < to && (*from == ' ' || *from == '\t'))
		from++;
	while (from < to && (to[-1] == ' ' || to[-1] == '\t' || to[-1] == '\r'))
		to--;
	return xstrndup(from, (size_t)(to - from));
}

/* "[kind name]", already trimmed. */
static void add_section(struct ini *ini, const char *line, int number, struct diag *d)
{
	size_t n = strlen(line), blank = strcspn(line, " \t]");
	struct ini_section s = { .line = number };

	if (line[n - 1] != ']' || strcspn(line, "]") != n - 1) {
		diag_error(d, number, "a section is written [kind name], and nothing behind it");
		return;
	}
	if (ini->n == INI_SECTIONS) {
		diag_error(d, number, "more than %u sections", INI_SECTIONS);
		return;
	}
	s.kind = trimmed(line + 1, line + blank);
	s.name = trimmed(line + blank, line + n - 1);
	ini->sections = xrealloc(ini->sections, ini->n + 1, sizeof(s));
	ini->sections[ini->n++] = s;
}

static void add_entry(struct ini *ini, const char *line, int number, struct diag *d)
{
	const char *equals = strchr(line, '=');
	struct ini_entry e = { .line = number };
	struct ini_section *s;

	if (equals == NULL || equals == line) {
		diag_error(d, number,
			   "neither [section], key = value, nor a comment (# ...): %.40s", line);
		return;
	}
	if (ini->n == 0) {
		diag_error(d, number, "%.*s stands before the first [section]",
			   (int)strcspn(line, " \t="), line);
		return;
	}
	s = &ini->sections[ini->n - 1];
	if (s->n == INI_ENTRIES) {
		diag_error(d, number, "more than %u lines in a section", INI_ENTRIES);
		return;
	}
	e.key = trimmed(line, equals);
	e.value = trimmed(equals + 1, equals + strlen(equals));
	s->entries = xrealloc(s->entries, s->n + 1, sizeof(e));
	s->entries[s->n++] = e;
}

static void take(struct ini *ini, const struct text *raw, int number, struct diag *d)
{
	char *line = trimmed(raw->data, raw->data + raw->len);

	if (line[0] == '[')
		add_section(ini, line, number, d);
	else if (line[0] != '\0')
		add_entry(ini, line, number, d);
	free(line);
}

/* One line of the file into `raw`. Returns whether the next one continues it. */
static bool join(struct text *raw, const char *from, const char *to)
{
	bool more;

	while (to > from && to[-1] == '\r')
		to--;
	more = to > from && to[-1] == '\\';
	text_add(raw, from, (size_t)(to - from) - more);
	return more;
}

static bool is_comment(const char *from, const char *to)
{
	while (from < to && (*from == ' ' || *from == '\t'))
		from++;
	return from < to && (*from == '#' || *from == ';');
}

void ini_parse(struct ini *ini, const char *text, size_t n, struct diag *d)
{
	const char *at = text, *end = text + n;
	struct text raw = { 0 };
	int number = 0, first = 0;

	*ini = (struct ini){ 0 };
	if (n > INI_BYTES) {
		diag_error(d, 1, "the file is larger than %u bytes", INI_BYTES);
		return;
	}
	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		const char *to = stop != NULL ? stop : end;

		number++;
		if (memchr(at, '\0', (size_t)(to - at)) != NULL)
			diag_error(d, number, "a NUL byte: this is no text file");
		else if (raw.len != 0 || !is_comment(at, to)) {
			first = raw.len == 0 ? number : first;
			if (join(&raw, at, to) && stop != NULL) {
				text_add(&raw, " ", 1);
				at = to + 1;
				continue;
			}
		}
		if (raw.len != 0)
			take(ini, &raw, first, d);
		raw.len = 0;
		at = stop != NULL ? stop + 1 : end;
	}
	if (raw.len != 0)
		take(ini, &raw, first, d);
	text_free(&raw);
}

void ini_free(struct ini *ini)
{
	for (size_t i = 0; i < ini->n; i++) {
		struct ini_section *s = &ini->sections[i];

		for (size_t k = 0; k < s->n; k++) {
			free(s->entries[k].key);
			free(s->entries[k].value);
		}
		free(s->entries);
		free(s->kind);
		free(s->name);
	}
	free(ini->sections);
	*ini = (struct ini){ 0 };
}
