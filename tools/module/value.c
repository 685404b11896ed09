/* SPDX-License-Identifier: Apache-2.0 */
/* value.c - the values of keys. See read_internal.h. */
#include <stdlib.h>
#include <string.h>

#include "tools/module/read_internal.h"

static const struct key *find(const struct key *keys, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

static void unknown(struct diag *d, const struct ini_section *s, const struct ini_entry *e,
		    const struct key *keys, size_t n)
{
	const char **names = xcalloc(n + 1, sizeof(*names)), *near;

	for (size_t i = 0; i < n; i++)
		names[i] = keys[i].name;
	near = nearest(e->key, names);
	if (near != NULL)
		diag_error(d, e->line, "unknown key %.60s in [%s]; did you mean %s?", e->key,
			   s->kind, near);
	else
		diag_error(d, e->line, "unknown key %.60s in [%s]", e->key, s->kind);
	free(names);
}

/* The line of the same key before e, or 0. */
static int given(const struct ini_section *s, const struct ini_entry *e)
{
	for (const struct ini_entry *o = s->entries; o < e; o++)
		if (strcmp(o->key, e->key) == 0)
			return o->line;
	return 0;
}

void keys_read(struct diag *d, const struct ini_section *s, void *target, const struct key *keys,
	       size_t n)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct ini_entry *e = &s->entries[i];
		const struct key *k = find(keys, n, e->key);

		if (k == NULL)
			unknown(d, s, e, keys, n);
		else if (!k->repeat && given(s, e) != 0)
			diag_error(d, e->line, "%s is given already, in line %d", e->key,
				   given(s, e));
		else if (e->value[0] == '\0')
			diag_error(d, e->line, "%s has no value", e->key);
		else
			k->set(d, target, e);
	}
}

int value_duration(struct diag *d, const struct ini_entry *e, uint64_t *ns)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = { { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 } };
	char number[24] = "";
	size_t n = strspn(e->value, "0123456789");
	const char *unit = e->value + n + strspn(e->value + n, " ");
	uint64_t v;

	if (n > 0 && n < sizeof(number)) {
		memcpy(number, e->value, n);
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
			if (strcmp(unit, units[i].unit) != 0 &&
			    (unit[0] != '\0' || strcmp(number, "0") != 0))
				continue;
			if (parse_u64(number, 0, UINT64_MAX / units[i].ns / 4, &v) != 0)
				break;
			*ns = v * units[i].ns;
			return 0;
		}
	}
	diag_error(d, e->line, "%s = %s: a time is a number and ns, us, ms or s (10ms)", e->key,
		   e->value);
	return -1;
}

int value_bytes(struct diag *d, const struct ini_entry *e, uint64_t *bytes)
{
	size_t n = strlen(e->value);

	if (n > 0 && strchr("KkMmGg", e->value[n - 1]) != NULL) {
		if (parse_size(e->value, bytes) == 0)
			return 0;
	} else if (parse_u64(e->value, 0, UINT64_MAX / 2, bytes) == 0) {
		return 0;
	}
	diag_error(d, e->line, "%s = %s: a number of bytes, perhaps with K, M or G behind it",
		   e->key, e->value);
	return -1;
}

int value_number(struct diag *d, const struct ini_entry *e, uint64_t min, uint64_t max, uint32_t *v)
{
	uint64_t n;

	if (parse_u64(e->value, min, max, &n) != 0) {
		diag_error(d, e->line, "%s = %s: a number from %llu to %llu", e->key, e->value,
			   (unsigned long long)min, (unsigned long long)max);
		return -1;
	}
	*v = (uint32_t)n;
	return 0;
}

int value_yes(struct diag *d, const struct ini_entry *e, bool *v)
{
	static const char *const words[] = { "no", "false", "off", "yes", "true", "on", NULL };
	int i = value_one(d, e, words);

	if (i >= 0)
		*v = i >= 3;
	return i >= 0 ? 0 : -1;
}

int value_list(struct diag *d, const struct ini_entry *e, struct words *w)
{
	char *copy = xstrdup(e->value);

	for (char *p = copy; *p != '\0'; p++)
		*p = *p == ',' ? ' ' : *p;
	if (words_split(w, copy) != 0) {
		fail_clear();
		diag_error(d, e->line, "%s: a quote is not closed", e->key);
		free(copy);
		return -1;
	}
	free(copy);
	return 0;
}

int value_one(struct diag *d, const struct ini_entry *e, const char *const *words)
{
	struct text t = { 0 };
	const char *near;

	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], e->value) == 0)
			return i;
	for (int i = 0; words[i] != NULL; i++)
		text_printf(&t, "%s%s",
			    i == 0		   ? ""
			    : words[i + 1] == NULL ? " or "
						   : ", ",
			    words[i]);
	near = nearest(e->value, words);
	if (near != NULL)
		diag_error(d, e->line, "%s = %s: it takes %s; did you mean %s?", e->key, e->value,
			   t.data, near);
	else
		diag_error(d, e->line, "%s = %s: it takes %s", e->key, e->value, t.data);
	text_free(&t);
	return -1;
}

int value_bits(struct diag *d, const struct ini_entry *e, uint64_t *bits)
{
	struct words w = { 0 };
	int result = value_list(d, e, &w);

	*bits = 0;
	for (size_t i = 0; result == 0 && i < w.n; i++) {
		char *dash = strchr(w.v[i], '-');
		uint64_t from, to;

		if (dash != NULL)
			*dash = '\0';
		if (parse_u64(w.v[i], 0, 63, &from) != 0 ||
		    parse_u64(dash != NULL ? dash + 1 : w.v[i], from, 63, &to) != 0) {
			diag_error(d, e->line, "%s = %s: numbers from 0 to 63, and ranges (0-15)",
				   e->key, e->value);
			result = -1;
			break;
		}
		for (; from <= to; from++)
			*bits |= 1ull << from;
	}
	words_free(&w);
	return result;
}

/* What is said of options, said of keys: text with each option's name replaced. */
static void say_keys(const char *text, const char *option, const char *key, struct text *out)
{
	size_t n = strlen(option);

	text_add(out, "", 0);
	for (const char *p = text; *p != '\0'; p++) {
		if (strncmp(p, option, n) != 0 || p[n] == '\0' || strchr(" :", p[n]) == NULL) {
			text_add(out, p, 1);
			continue;
		}
		/* "-p 80:80" is a value given, "-p needs" is prose */
		text_printf(out,
			    p[n] == ' ' && strncmp(p + n, " needs", 6) != 0 &&
					    strncmp(p + n, " makes", 6) != 0
				    ? "%s = "
				    : "%s",
			    key);
		p += n - (p[n] == ':' || strncmp(p + n, " needs", 6) == 0 ||
			  strncmp(p + n, " makes", 6) == 0);
	}
}

void option_key(struct diag *d, struct options *o, const struct ini_entry *e, const char *option)
{
	struct text t = { 0 };

	if (option_set(o, option, e->value) == 0)
		return;
	say_keys(fail_text(), option, e->key, &t);
	diag_error(d, e->line, "%s", t.data);
	text_free(&t);
	fail_clear();
}

void options_complain(struct diag *d, int line)
{
	static const char *const names[][2] = { { "-p", "publish" },
						{ "--net", "network" },
						{ "--addr6", "address6" },
						{ "--addr", "address" } };
	char *text = xstrdup(fail_text());

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct text t = { 0 };

		say_keys(text, names[i][0], names[i][1], &t);
		free(text);
		text = t.data;
	}
	diag_error(d, line, "%s", text);
	free(text);
	fail_clear();
}

bool name_ok(const char *name, size_t most)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return n > 0 && name[n] == '\0' && n <= most && name[0] != '-';
}

void health_key(struct diag *d, const struct ini_entry *e, uint8_t table[GW_HEALTH_CLASSES])
{
	static const char *const actions[] = { [GW_HEALTH_STOP] = "stop",
					       [GW_HEALTH_IGNORE] = "ignore",
					       [GW_HEALTH_COLD_RESTART] = "cold-restart",
					       [GW_HEALTH_MODULE_STOP] = "module-stop",
					       [GW_HEALTH_WARM_RESTART] = "warm-restart",
					       [GW_HEALTH_MODULE_RESET] = "module-reset",
					       [GW_HEALTH_ACTIONS] = NULL };
	static const char *const classes[] = { "deadline", "application", "numeric",  "illegal",
					       "stack",	   "memory",	  "hardware", "power" };
	const char *dot = strchr(e->key, '.');
	int action = value_one(d, e, actions);

	for (uint32_t i = 0; action >= 0 && i < GW_HEALTH_CLASSES; i++) {
		if (dot == NULL && table[i] == GW_HEALTH_ACTIONS)
			table[i] = (uint8_t)action;
		if (dot != NULL && strcmp(dot + 1, classes[i]) == 0)
			table[i] = (uint8_t)action;
	}
}

void health_rest(uint8_t table[GW_HEALTH_CLASSES], uint8_t action)
{
	for (uint32_t i = 0; i < GW_HEALTH_CLASSES; i++)
		if (table[i] == GW_HEALTH_ACTIONS)
			table[i] = action;
}
