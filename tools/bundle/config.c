/* SPDX-License-Identifier: Apache-2.0 */
/* config.c - the configuration blob. See config.h. */
#include <inttypes.h>
#include <string.h>

#include "tools/bundle/config.h"

static void put(struct text *blob, const char *key, const char *value)
{
	if (value == NULL)
		return;
	text_printf(blob, "%s=%s", key, value);
	text_add(blob, "", 1);
}

static void put_number(struct text *blob, const char *key, uint64_t value)
{
	text_printf(blob, "%s=%" PRIu64, key, value);
	text_add(blob, "", 1);
}

void config_write(struct text *blob, const struct config *c)
{
	put(blob, "program", c->program);
	for (size_t i = 0; i < c->args->n; i++)
		put(blob, "arg", c->args->v[i]);
	for (size_t i = 0; c->env != NULL && i < c->env->n; i++)
		put(blob, "env", c->env->v[i]);
	for (size_t i = 0; c->sets != NULL && i < c->sets->n; i++)
		put(blob, "set", c->sets->v[i]);
	put(blob, "cwd", c->cwd);
	put(blob, "hostname", c->hostname);
	if (c->program != NULL) {
		put_number(blob, "uid", c->uid);
		put_number(blob, "gid", c->gid);
	}
	put(blob, "net", c->net);
	put(blob, "net.addr", c->net_addr);
	put(blob, "net.gw", c->net_gw);
	put(blob, "net.dns", c->net_dns);
	put(blob, "net6", c->net6);
	put(blob, "net6.addr", c->net6_addr);
	put(blob, "net6.gw", c->net6_gw);
	put(blob, "net6.dns", c->net6_dns);
	put(blob, "net.congestion", c->net_congestion);
	put(blob, "net.ecn", c->net_ecn);
	put_number(blob, "poll_ns", c->poll_ns);
	put(blob, "root", c->root);
	if (c->trace_every != 0)
		put_number(blob, "trace", c->trace_every);
	for (size_t i = 0; c->ports != NULL && i < c->ports->n; i++)
		put(blob, "port", c->ports->v[i]);
	for (uint32_t n = 0; n < 32; n++)
		if (c->raise >> n & 1)
			put_number(blob, "raise", n);
	if (c->tty)
		put(blob, "tty", "1");
	if (c->no_input)
		put(blob, "stdin", "none");
	for (size_t i = 0; c->more != NULL && i < c->more->n; i++)
		text_add(blob, c->more->v[i], strlen(c->more->v[i]) + 1);
	text_add(blob, "", 1);
}
