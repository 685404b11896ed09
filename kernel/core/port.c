/* SPDX-License-Identifier: Apache-2.0 */
/* port.c - channels. A message is copied twice, through the vcore areas, of which nothing is read
 * twice; what a partition writes there meanwhile spoils its own message only.
 *
 *   queuing:  | slot | slot | ... |  depth slots, the oldest at `first`, `count` of them in use
 *   sampling: | slot |               count is 1 from the first write on
 *   slot:     time (8) | length (8) | message, up to message_bytes, rounded up to 8 */
#include "kernel/core/port.h"

#include "kernel/core/arch.h"
#include "kernel/core/call.h"

/* Every call has four arguments, whether it looks at them or not. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

struct slot {
	uint64_t time_ns, len;
	uint8_t bytes[];
};

struct port {
	struct gw_bundle_channel c;
	uint8_t *slots;
	_Atomic uint32_t lock; /* held for one copy, interrupts off */
	uint32_t first, count;
	bool full_seen;			     /* the source waits for room */
	uint64_t written_ns;		     /* the last write */
	uint32_t user[GW_BUNDLE_PARTITIONS]; /* the vcore that used it last */
};

static struct port *ports;
static uint32_t n_ports;

static uint64_t slot_bytes(const struct gw_bundle_channel *c)
{
	return sizeof(struct slot) + round_up(c->message_bytes, 8);
}

static uint32_t slot_count(const struct gw_bundle_channel *c)
{
	return c->depth != 0 ? c->depth : 1;
}

uint64_t ports_bytes(const struct gw_bundle *b)
{
	uint64_t bytes = b->n_channels * sizeof(struct port);

	for (uint32_t i = 0; i < b->n_channels; i++)
		bytes += slot_count(&b->channels[i]) * slot_bytes(&b->channels[i]);
	return bytes;
}

void ports_init(const struct gw_bundle *b, uint8_t *memory)
{
	ports = (struct port *)(void *)memory;
	n_ports = b->n_channels;
	memory += n_ports * sizeof(struct port);
	for (uint32_t i = 0; i < n_ports; i++) {
		ports[i].c = b->channels[i];
		ports[i].slots = memory;
		memory += slot_count(&ports[i].c) * slot_bytes(&ports[i].c);
	}
}

static struct slot *slot_at(const struct port *p, uint32_t i)
{
	return (struct slot *)(void *)(p->slots + i % slot_count(&p->c) * slot_bytes(&p->c));
}

static void port_lock(struct port *p, struct vcore *v)
{
	arch_lock(&p->lock, v);
	p->user[v->part->number] = v->id;
}

/* The port, if v's partition has the end of it that is asked for. */
static int port_find(const struct vcore *v, uint64_t port, bool source, bool destination,
		     struct port **p)
{
	uint32_t self = v->part->number;

	if (port >= n_ports)
		return -EINVAL;
	*p = &ports[port];
	if ((source && (*p)->c.source == self) ||
	    (destination && ((*p)->c.destinations >> self & 1) != 0))
		return 0;
	return -EPERM;
}

static bool valid(const struct port *p)
{
	return p->count != 0 &&
	       (p->c.refresh_ns == 0 || arch_now_ns() - p->written_ns <= p->c.refresh_ns);
}

static void post(const struct port *p, uint32_t partition)
{
	event_post(partitions[partition]->vcores[p->user[partition]], 1ULL << GW_EVENT_PORT);
}

long call_port_write(uint64_t port, uint64_t len, uint64_t c, uint64_t d)
{
	struct vcore *v = arch_vcore();
	struct port *p;
	struct slot *s;
	int rc = port_find(v, port, true, false, &p);

	if (rc != 0)
		return rc;
	if (len < 1 || len > p->c.message_bytes)
		return -EINVAL;
	port_lock(p, v);
	if (p->c.depth != 0 && p->count == p->c.depth) {
		p->full_seen = true;
		arch_unlock(&p->lock);
		return -EAGAIN;
	}
	s = slot_at(p, p->c.depth != 0 ? p->first + p->count : 0);
	s->time_ns = p->written_ns = arch_now_ns();
	s->len = len;
	memcpy(s->bytes, v->area->batch.bytes, len);
	p->count += p->c.depth != 0 || p->count == 0;
	arch_unlock(&p->lock);
	for (uint32_t i = 0; i < n_partitions; i++)
		if (p->c.destinations >> i & 1)
			post(p, i);
	return 0;
}

long call_port_read(uint64_t port, uint64_t b, uint64_t c, uint64_t d)
{
	struct vcore *v = arch_vcore();
	struct port *p;
	const struct slot *s;
	bool room = false;
	long rc = port_find(v, port, false, true, &p);

	if (rc != 0)
		return rc;
	port_lock(p, v);
	if (p->count == 0) {
		arch_unlock(&p->lock);
		return -EAGAIN;
	}
	s = slot_at(p, p->first);
	memcpy(v->area->batch.bytes, s->bytes, s->len);
	v->area->next_va = s->time_ns;
	v->area->done = valid(p);
	rc = (long)s->len;
	if (p->c.depth != 0) {
		p->first = (p->first + 1) % p->c.depth;
		v->area->done = --p->count;
		room = p->full_seen;
		p->full_seen = false;
	}
	arch_unlock(&p->lock);
	if (room)
		post(p, p->c.source);
	return rc;
}

long call_port_status(uint64_t port, uint64_t b, uint64_t c, uint64_t d)
{
	struct vcore *v = arch_vcore();
	struct port *p;
	long rc = port_find(v, port, true, true, &p);

	if (rc != 0)
		return rc;
	port_lock(p, v);
	rc = (long)p->count;
	if (p->c.depth != 0 && p->count == p->c.depth && p->c.source == v->part->number)
		p->full_seen = true;
	v->area->next_va = p->written_ns;
	v->area->done = valid(p);
	arch_unlock(&p->lock);
	return rc;
}
