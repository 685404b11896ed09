/* SPDX-License-Identifier: Apache-2.0 */
/* records.c - the control port's lines. See records.h. */
#include <stdio.h>
#include <string.h>

#include "tools/base/util.h"
#include "tools/godwit/records.h"

/* Cut the next blank-separated word off *p. Returns "" at the end. */
static char *next_word(char **p)
{
	char *word = *p + strspn(*p, " ");

	*p = word + strcspn(word, " ");
	if (**p != '\0')
		*(*p)++ = '\0';
	return word;
}

static enum record_kind put(struct record_list *list, char *rest, enum record_kind kind,
			    bool unique)
{
	const char *name = next_word(&rest), *number = next_word(&rest);
	uint64_t value;
	uint32_t i = 0;

	if (name[0] == '\0' || strlen(name) >= sizeof(list->v[0].name) ||
	    parse_u64(number, 0, UINT64_MAX / 10, &value) != 0)
		return RECORD_BAD;
	while (unique && i < list->n && strcmp(list->v[i].name, name) != 0)
		i++;
	if (!unique || i == list->n) {
		if (list->n == RECORDS_MAX)
			return RECORD_BAD;
		i = list->n++;
	}
	strcpy(list->v[i].name, name);
	list->v[i].value = value;
	return kind;
}

static enum record_kind put_listen(struct records *r, char *rest)
{
	enum record_kind kind = put(&r->listen, rest, RECORD_LISTEN, false);
	const struct record *l;

	if (kind != RECORD_LISTEN)
		return kind;
	l = &r->listen.v[r->listen.n - 1];
	if ((strcmp(l->name, "tcp") == 0 || strcmp(l->name, "udp") == 0 ||
	     strcmp(l->name, "tcp6") == 0 || strcmp(l->name, "udp6") == 0) &&
	    l->value >= 1 && l->value <= 65535)
		return kind;
	r->listen.n--;
	return RECORD_BAD;
}

static enum record_kind put_signal(struct records *r, char *rest)
{
	const char *number = next_word(&rest), *name = next_word(&rest);
	uint64_t n;

	if (parse_u64(number, 1, 64, &n) != 0)
		return RECORD_BAD;
	r->signal = (uint32_t)n;
	snprintf(r->signal_name, sizeof(r->signal_name), "%.40s", name);
	return RECORD_SIGNAL;
}

enum record_kind records_line(struct records *r, const char *line)
{
	char copy[GW_CHANNEL_LINE], *rest = copy;
	const char *kind;
	uint64_t status;
	size_t n = strlen(line);

	if (n >= sizeof(copy))
		return RECORD_BAD;
	for (size_t i = 0; i <= n; i++)
		copy[i] = (unsigned char)line[i] < ' ' && line[i] != '\0' ? '?' : line[i];
	kind = next_word(&rest);
	if (strcmp(kind, "boot") == 0)
		return put(&r->boot, rest, RECORD_BOOT, false);
	if (strcmp(kind, "stat") == 0)
		return put(&r->stats, rest, RECORD_STAT, true);
	if (strcmp(kind, "enosys") == 0)
		return put(&r->enosys, rest, RECORD_ENOSYS, true);
	if (strcmp(kind, "listen") == 0)
		return put_listen(r, rest);
	if (strcmp(kind, "signal") == 0)
		return put_signal(r, rest);
	if (strcmp(kind, "metric") == 0) {
		strcpy(r->metric, rest);
		return RECORD_METRIC;
	}
	if (strcmp(kind, "trace") == 0) {
		strcpy(r->trace, rest);
		return RECORD_TRACE;
	}
	if (strcmp(kind, "error") == 0) {
		strcpy(r->error, rest);
		return RECORD_ERROR;
	}
	if (strcmp(kind, "exit") == 0 && parse_u64(next_word(&rest), 0, 255, &status) == 0) {
		r->exited = true;
		r->status = (uint8_t)status;
		return RECORD_EXIT;
	}
	return RECORD_BAD;
}

void records_input(struct records *r, const char *bytes, uint32_t n,
		   void (*seen)(void *context, enum record_kind kind), void *context)
{
	for (uint32_t i = 0; i < n; i++) {
		enum record_kind kind = RECORD_BAD;

		if (bytes[i] != '\n') {
			if (r->line_len < sizeof(r->line) - 1 && bytes[i] != '\0')
				r->line[r->line_len++] = bytes[i];
			else
				r->too_long = true;
			continue;
		}
		r->line[r->line_len] = '\0';
		if (!r->too_long)
			kind = records_line(r, r->line);
		if (kind == RECORD_BAD)
			r->bad++;
		r->line_len = 0;
		r->too_long = false;
		if (seen != NULL)
			seen(context, kind);
	}
}

const uint64_t *record_find(const struct record_list *list, const char *name)
{
	for (uint32_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i].name, name) == 0)
			return &list->v[i].value;
	return NULL;
}
