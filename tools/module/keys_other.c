/* SPDX-License-Identifier: Apache-2.0 */
/* keys_other.c - the keys of [module], [window NAME] and [channel NAME]. See read_internal.h,
 * docs/module.md. */
#include <stdlib.h>
#include <string.h>

#include "abi/colour.h"
#include "abi/trace.h"
#include "tools/module/read_internal.h"

#define SET(key)                                                                    \
	static void set_##key(__attribute__((unused)) struct diag *d, void *target, \
			      const struct ini_entry *e)

/* ---- [module] ---- */

#define OPTION(key, option, where)                                       \
	SET(key)                                                         \
	{                                                                \
		((struct module *)target)->where = e->line;              \
		option_key(d, &((struct module *)target)->o, e, option); \
	}
OPTION(module_cores, "-c", cores_line)
OPTION(module_memory, "-m", memory_line)
OPTION(machine, "--machine", machine_line)

SET(accelerator)
{
	option_key(d, &((struct module *)target)->o, e, "--accel");
}

SET(qemu_args)
{
	option_key(d, &((struct module *)target)->o, e, "--qemu-args");
}

SET(metrics)
{
	option_key(d, &((struct module *)target)->o, e, "--metrics");
}

SET(frame)
{
	struct module *m = target;

	m->frame_line = e->line;
	if (value_duration(d, e, &m->frame_ns) == 0 &&
	    (m->frame_ns < GW_WINDOW_MIN_NS || m->frame_ns > UINT32_MAX))
		diag_error(d, e->line, "frame = %s: the major frame is from 10us to 4s long",
			   e->value);
}

SET(module_colours)
{
	struct module *m = target;

	m->colours_line = e->line;
	if (value_number(d, e, 2, GW_COLOURS_MAX, &m->colours) == 0 &&
	    (m->colours & (m->colours - 1)) != 0)
		diag_error(d, e->line, "colours = %s: a power of two, from 2 to 64", e->value);
}

SET(trace)
{
	(void)value_number(d, e, 0, GW_TRACE_MAX, &((struct module *)target)->trace);
}

SET(module_health)
{
	struct module *m = target;
	unsigned int before = d->errors;

	health_key(d, e, m->health);
	if (d->errors == before && strstr(e->value, "-restart") != NULL)
		diag_error(d, e->line,
			   "%s = %s: an error of the module itself: stop, ignore, module-stop or "
			   "module-reset",
			   e->key, e->value);
}

void read_module(struct diag *d, const struct ini_section *s, struct module *m)
{
	static const struct key keys[] = {
		{ "cores", set_module_cores, false },
		{ "memory", set_module_memory, false },
		{ "frame", set_frame, false },
		{ "machine", set_machine, false },
		{ "accelerator", set_accelerator, false },
		{ "qemu-args", set_qemu_args, false },
		{ "metrics", set_metrics, false },
		{ "trace", set_trace, false },
		{ "colours", set_module_colours, false },
		HEALTH_KEYS(set_module_health),
	};

	keys_read(d, s, m, keys, sizeof(keys) / sizeof(keys[0]));
}

/* ---- [window NAME] ---- */

SET(core)
{
	(void)value_number(d, e, 0, GW_MAX_VCORES - 1, &((struct module_window *)target)->core);
}

SET(owner)
{
	((struct module_window *)target)->owner = e->value;
}

SET(offset)
{
	struct module_window *w = target;

	w->has_offset = value_duration(d, e, &w->offset_ns) == 0;
}

SET(duration)
{
	(void)value_duration(d, e, &((struct module_window *)target)->duration_ns);
}

SET(period)
{
	(void)value_duration(d, e, &((struct module_window *)target)->period_ns);
}

SET(elastic)
{
	(void)value_yes(d, e, &((struct module_window *)target)->elastic);
}

SET(exact)
{
	(void)value_yes(d, e, &((struct module_window *)target)->exact);
}

void read_window(struct diag *d, const struct ini_section *s, struct module_window *w)
{
	static const struct key keys[] = {
		{ "core", set_core, false },	 { "partition", set_owner, false },
		{ "offset", set_offset, false }, { "duration", set_duration, false },
		{ "period", set_period, false }, { "elastic", set_elastic, false },
		{ "exact", set_exact, false },
	};

	*w = (struct module_window){ .name = s->name, .line = s->line };
	keys_read(d, s, w, keys, sizeof(keys) / sizeof(keys[0]));
}

/* ---- [channel NAME] ---- */

SET(kind)
{
	static const char *const words[] = { "sampling", "queuing", NULL };
	struct module_channel *c = target;
	int i = value_one(d, e, words);

	c->has_kind = true;
	c->queuing = i == 1;
}

SET(size)
{
	struct module_channel *c = target;

	if (value_bytes(d, e, &c->bytes) == 0 && (c->bytes < 1 || c->bytes > GW_BATCH_BYTES))
		diag_error(d, e->line, "size = %s: a message has 1 to %u bytes", e->value,
			   GW_BATCH_BYTES);
}

SET(depth)
{
	uint32_t v = 0;

	(void)value_number(d, e, 1, 1024, &v);
	((struct module_channel *)target)->depth = v;
}

SET(refresh)
{
	struct module_channel *c = target;

	if (value_duration(d, e, &c->refresh_ns) == 0 && c->refresh_ns == 0)
		diag_error(d, e->line, "refresh = %s: leave it out for messages that stay valid",
			   e->value);
}

/* PARTITION or PARTITION:PORT */
static struct module_end end_of(const char *text, const char *port)
{
	const char *colon = strchr(text, ':');
	size_t n = colon != NULL ? (size_t)(colon - text) : strlen(text);

	return (struct module_end){ .partition = xstrndup(text, n),
				    .port = xstrdup(colon != NULL ? colon + 1 : port) };
}

SET(from)
{
	struct module_channel *c = target;

	c->from_line = e->line;
	c->from = end_of(e->value, c->name);
}

SET(to)
{
	struct module_channel *c = target;
	struct words w = { 0 };

	c->to_line = e->line;
	(void)value_list(d, e, &w);
	if (w.n > GW_BUNDLE_PARTITIONS)
		diag_error(d, e->line, "to: more than %u partitions", GW_BUNDLE_PARTITIONS);
	for (size_t i = 0; i < w.n && i < GW_BUNDLE_PARTITIONS; i++)
		c->to[c->n_to++] = end_of(w.v[i], c->name);
	words_free(&w);
}

void read_channel(struct diag *d, const struct ini_section *s, struct module_channel *c)
{
	static const struct key keys[] = {
		{ "kind", set_kind, false },   { "size", set_size, false },
		{ "depth", set_depth, false }, { "refresh", set_refresh, false },
		{ "from", set_from, false },   { "to", set_to, false },
	};

	*c = (struct module_channel){ .name = s->name, .line = s->line };
	keys_read(d, s, c, keys, sizeof(keys) / sizeof(keys[0]));
}
