/* SPDX-License-Identifier: Apache-2.0 */
/* misc.c - one poller for the slow devices. A busy shard looks at them every MISC_POLL_NS; before
 * it sleeps it always looks. */
#include "runtime/virtio/misc.h"
#include "runtime/platform/platform.h"

#define MISC_POLL_NS (20 * NS_PER_US)

struct watch {
	struct vq *q;
	void (*service)(void *ctx);
	void *ctx;
	bool request;
};

static struct {
	struct poller poller;
	struct watch watches[MISC_QUEUES];
	uint32_t n;
	bool hot;     /* the last look before sleeping found something */
	bool waiting; /* requests are in flight */
	bool no_irq;  /* a device without interrupts: poll */
	uint64_t last_ns;
} misc;

static bool misc_poll(struct poller *p)
{
	uint64_t now = shard_self()->now_ns;
	bool any = false;

	(void)p;
	if (likely(!misc.hot && now - misc.last_ns < MISC_POLL_NS))
		return false;
	misc.hot = false;
	misc.last_ns = now;
	for (uint32_t i = 0; i < misc.n; i++) {
		struct watch *w = &misc.watches[i];

		if (vq_pending(w->q)) {
			w->service(w->ctx);
			any = true;
		}
	}
	return any;
}

static bool misc_arm(struct poller *p)
{
	bool waiting = false;

	(void)p;
	for (uint32_t i = 0; i < misc.n; i++) {
		const struct watch *w = &misc.watches[i];

		if (vq_pending(w->q)) {
			misc.hot = true;
			return true;
		}
		waiting |= w->request && w->q->n_inflight != 0;
	}
	misc.waiting = waiting;
	return false;
}

static uint64_t misc_deadline(struct poller *p)
{
	uint64_t now = shard_self()->now_ns;

	(void)p;
	if (unlikely(misc.no_irq))
		return now + NS_PER_MS;
	return misc.waiting ? now + MISC_RECHECK_NS : GW_NEVER;
}

int misc_watch(struct vq *q, void (*service)(void *ctx), void *ctx, bool request)
{
	if (misc.n == MISC_QUEUES)
		return -ENOMEM;
	misc.watches[misc.n++] =
		(struct watch){ .q = q, .service = service, .ctx = ctx, .request = request };
	return 0;
}

void misc_bind(struct vdev *d)
{
	if (vdev_vectors(d) == 0 || platform_bind_irq(d->index, 0) < 0)
		misc.no_irq = true;
}

void misc_init(void)
{
	misc.n = 0;
	misc.no_irq = false;
	misc.poller =
		(struct poller){ .poll = misc_poll, .arm = misc_arm, .deadline = misc_deadline };
	shard_add_poller(&misc.poller);
}
