/* SPDX-License-Identifier: Apache-2.0 */
/* read.c - the sections of a module's description. See module.h. */
#include <stdlib.h>
#include <string.h>

#include "tools/module/read_internal.h"

static void take_section(struct module *m, const struct ini_section *s, struct diag *d)
{
	static const char *const kinds[] = { "module", "partition", "window", "channel", NULL };
	const char *near = nearest(s->kind, kinds);

	if (strcmp(s->kind, "module") == 0) {
		if (s->name[0] != '\0')
			diag_error(d, s->line, "[module] has no name");
		read_module(d, s, m);
	} else if (strcmp(s->kind, "partition") == 0) {
		if (m->n_partitions == GW_BUNDLE_PARTITIONS)
			diag_error(d, s->line, "more than %u partitions", GW_BUNDLE_PARTITIONS);
		else
			read_partition(d, s, &m->partitions[m->n_partitions++]);
	} else if (strcmp(s->kind, "window") == 0) {
		if (m->n_windows == GW_BUNDLE_SLOTS)
			diag_error(d, s->line, "more than %u windows", GW_BUNDLE_SLOTS);
		else
			read_window(d, s, &m->windows[m->n_windows++]);
	} else if (strcmp(s->kind, "channel") == 0) {
		if (m->n_channels == GW_BUNDLE_CHANNELS)
			diag_error(d, s->line, "more than %u channels", GW_BUNDLE_CHANNELS);
		else
			read_channel(d, s, &m->channels[m->n_channels++]);
	} else if (near != NULL) {
		diag_error(d, s->line, "unknown section [%.40s]; did you mean [%s]?", s->kind,
			   near);
	} else {
		diag_error(d, s->line,
			   "unknown section [%.40s]: there are module, partition, window, channel",
			   s->kind);
	}
}

void module_read(struct module *m, const char *text, size_t n, struct diag *d)
{
	int module_line = 0;

	*m = (struct module){ 0 };
	options_defaults(&m->o);
	memset(m->health, GW_HEALTH_ACTIONS, sizeof(m->health));
	ini_parse(&m->ini, text, n, d);
	for (size_t i = 0; i < m->ini.n; i++) {
		const struct ini_section *s = &m->ini.sections[i];

		if (strcmp(s->kind, "module") == 0 && module_line != 0) {
			diag_error(d, s->line, "a second [module]; the first is in line %d",
				   module_line);
			continue;
		}
		if (strcmp(s->kind, "module") == 0)
			module_line = s->line;
		take_section(m, s, d);
	}
	health_rest(m->health, GW_HEALTH_STOP);
	if (m->n_partitions == 0)
		diag_error(d, 1, "there is no [partition NAME]");
}

int module_find(const struct module *m, const char *name)
{
	for (size_t i = 0; i < m->n_partitions; i++)
		if (strcmp(m->partitions[i].name, name) == 0)
			return (int)i;
	return -1;
}

void module_free(struct module *m)
{
	for (size_t i = 0; i < m->n_partitions; i++) {
		options_free(&m->partitions[i].o);
		words_free(&m->partitions[i].argv);
		words_free(&m->partitions[i].ports);
		words_free(&m->partitions[i].partition_errors);
	}
	for (size_t i = 0; i < m->n_channels; i++) {
		struct module_channel *c = &m->channels[i];

		free(c->from.partition);
		free(c->from.port);
		for (size_t k = 0; k < c->n_to; k++) {
			free(c->to[k].partition);
			free(c->to[k].port);
		}
	}
	options_free(&m->o);
	ini_free(&m->ini);
}
