/* SPDX-License-Identifier: Apache-2.0 */
/* port.c - ports by the kernel's calls. GW_EVENT_PORT comes to the vcore that used a port last: a
 * shard that uses one looks for it from then on, each turn. See port.h. */
#include "runtime/platform/port.h"

#include "runtime/base/errno.h"
#include "runtime/base/str.h"
#include "runtime/mem/mem.h"
#include "runtime/platform/platform.h"

static struct port *ports;
static uint32_t n_ports;
static struct poller *pollers; /* one a shard */

/* The next word of a line, at most n-1 bytes of it; "" at its end. */
static void word(const char **line, char *to, size_t n)
{
	size_t len = 0;

	while (**line == ' ')
		(*line)++;
	while ((*line)[len] != 0 && (*line)[len] != ' ')
		len++;
	str_copy(to, *line, GW_MIN(n, len + 1));
	*line += len;
}

static int number(const char **line, uint32_t *v)
{
	char text[16];
	uint64_t n;

	word(line, text, sizeof(text));
	if (str_to_u64(text, UINT32_MAX, &n) != 0)
		return -EINVAL;
	*v = (uint32_t)n;
	return 0;
}

/* "NUMBER source|destination sampling|queuing BYTES DEPTH NAME" */
static int parse(const char *line, struct port *p)
{
	char end[16], kind[16];

	if (number(&line, &p->number) != 0)
		return -EINVAL;
	word(&line, end, sizeof(end));
	word(&line, kind, sizeof(kind));
	if (number(&line, &p->bytes) != 0 || number(&line, &p->depth) != 0 || *line != ' ')
		return -EINVAL;
	p->name = line + 1;
	p->source = end[0] == 's';
	waitq_init(&p->waitq);
	return p->bytes >= 1 && p->bytes <= GW_BATCH_BYTES && *p->name != 0 ? 0 : -EINVAL;
}

int ports_init(void)
{
	const char *line;
	size_t cursor = 0;
	uint32_t n = 0;

	while (config_next("port", &cursor) != NULL)
		n++;
	if (n == 0 || ports != NULL)
		return 0;
	ports = mem_zalloc(n * sizeof(*ports));
	pollers = mem_zalloc(SHARD_MAX * sizeof(*pollers));
	if (ports == NULL || pollers == NULL)
		return -ENOMEM;
	cursor = 0;
	while (n_ports < n && (line = config_next("port", &cursor)) != NULL)
		if (parse(line, &ports[n_ports]) == 0)
			n_ports++;
		else
			log_warn("ports: bad configuration: %s", line);
	return 0;
}

uint32_t port_count(void)
{
	return n_ports;
}

struct port *port_at(uint32_t i)
{
	return &ports[i];
}

static bool ports_poll(struct poller *poller)
{
	(void)poller;
	if (likely(!(shard_self()->events & 1ull << GW_EVENT_PORT)))
		return false;
	for (uint32_t i = 0; i < n_ports; i++)
		waitq_notify(&ports[i].waitq, ~0u);
	return true;
}

/* From its first use of a port on, a shard hears of their events. */
static long port_call(unsigned nr, const struct port *p, uint64_t len)
{
	struct poller *poller = &pollers[shard_self()->id];

	if (unlikely(poller->poll == NULL)) {
		poller->poll = ports_poll;
		shard_add_poller(poller);
	}
	return gw_call(nr, p->number, len, 0);
}

int port_write(struct port *p, const void *message, size_t n)
{
	if (n < 1 || n > p->bytes)
		return -EINVAL;
	memcpy(shard_self()->vcore->batch.bytes, message, n);
	return (int)port_call(GW_CALL_PORT_WRITE, p, n);
}

long port_read(struct port *p, void *to, struct port_state *s)
{
	long r = port_call(GW_CALL_PORT_READ, p, 0);
	const struct gw_vcore *v = shard_self()->vcore;

	if (r < 0)
		return r;
	memcpy(to, v->batch.bytes, (size_t)r);
	s->time_ns = v->next_va;
	s->valid = p->depth == 0 && v->done != 0;
	s->count = p->depth == 0 ? 1 : (uint32_t)v->done;
	return r;
}

int port_status(struct port *p, struct port_state *s)
{
	long r = port_call(GW_CALL_PORT_STATUS, p, 0);
	const struct gw_vcore *v = shard_self()->vcore;

	if (r < 0)
		return (int)r;
	s->count = (uint32_t)r;
	s->time_ns = v->next_va;
	s->valid = p->depth == 0 && v->done != 0;
	return 0;
}
