/* SPDX-License-Identifier: Apache-2.0 */
/* misc.c - one poller for the slow devices. Their queues are always armed, so it looks at them
 * after one of their interrupts only, and now and then, in case an interrupt was lost. */
#include "runtime/virtio/misc.h"
#include "runtime/platform/platform.h"

#define MISC_RECHECK_NS (50 * NS_PER_MS) /* at the next turn after so long */

struct watch {
	struct vq *q;
	void (*service)(void *ctx);
	void *ctx;
};

static struct {
	struct poller poller;
	struct watch watches[MISC_QUEUES];
	uint32_t n;
	uint64_t events;    /* those of their interrupts */
	uint64_t looked_ns; /* the last look */
	_Atomic bool again; /* a queue had something when it was armed: no interrupt will tell */
	bool no_irq;	    /* a device without interrupts: poll */
} misc;

static bool misc_poll(struct poller *p)
{
	const struct shard *s = shard_self();
	bool any = false;

	(void)p;
	if (likely(!(s->events & misc.events) && s->now_ns - misc.looked_ns < MISC_RECHECK_NS &&
		   !atomic_load_explicit(&misc.again, memory_order_relaxed) && !misc.no_irq))
		return false;
	misc.looked_ns = s->now_ns;
	atomic_store_explicit(&misc.again, false, memory_order_relaxed);
	for (uint32_t i = 0; i < misc.n; i++) {
		struct watch *w = &misc.watches[i];

		if (vq_pending(w->q)) {
			w->service(w->ctx);
			any = true;
		}
	}
	return any;
}

static bool misc_arm(struct poller *p, uint64_t *deadline_ns)
{
	(void)p;
	if (unlikely(misc.no_irq))
		*deadline_ns = GW_MIN(*deadline_ns, shard_self()->now_ns + NS_PER_MS);
	return atomic_load_explicit(&misc.again, memory_order_relaxed);
}

int misc_watch(struct vq *q, void (*service)(void *ctx), void *ctx)
{
	if (misc.n == MISC_QUEUES)
		return -ENOMEM;
	misc.watches[misc.n++] = (struct watch){ .q = q, .service = service, .ctx = ctx };
	return 0;
}

void misc_rearm(struct vq *q)
{
	if (likely(!vq_arm(q)))
		return;
	atomic_store_explicit(&misc.again, true, memory_order_release);
	if (shard_self()->id != 0)
		gw_call(GW_CALL_NOTIFY, 0, 0, 0);
}

void misc_bind(struct vdev *d)
{
	int event = vdev_vectors(d) != 0 ? platform_bind_irq(d->index, 0) : -ENOENT;

	if (event >= 0)
		misc.events |= 1ull << event;
	else
		misc.no_irq = true;
}

void misc_init(void)
{
	misc.n = 0;
	misc.events = misc.looked_ns = 0;
	misc.again = misc.no_irq = false;
	misc.poller = (struct poller){ .poll = misc_poll, .arm = misc_arm };
	shard_add_poller(&misc.poller);
}
