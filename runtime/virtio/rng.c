/* SPDX-License-Identifier: Apache-2.0 */
/* rng.c - virtio-rng (virtio 1.2, 5.4): entropy for random_seed at boot and every hour. The answer
 * is mixed in whenever it comes; nobody waits for it, and a device that sends rubbish adds nothing
 * but does no harm. */
#include "runtime/base/str.h"
#include "runtime/mem/mem.h"
#include "runtime/virtio/dma.h"
#include "runtime/virtio/misc.h"

#define RNG_BYTES 64u
#define RNG_PERIOD_NS (3600 * NS_PER_SEC)

static struct rng {
	struct vdev v;
	struct vq q;
	uint8_t *buf;
	struct timer again;
	bool used;
} rng;

static void ask(void)
{
	if (rng.q.broken || rng.q.n_inflight != 0)
		return;
	vq_add_one(&rng.q, dma_of(rng.buf), RNG_BYTES, VRING_DESC_WRITE, rng.buf);
	vq_flush(&rng.q);
}

static void hourly(struct timer *t)
{
	ask();
	(void)timer_arm(t, clock_now() + RNG_PERIOD_NS);
}

static void rng_service(void *ctx)
{
	struct vq_done done;

	(void)ctx;
	vdev_ack(&rng.v);
	while (vq_take(&rng.q, &done)) {
		random_seed(rng.buf, done.len);
		memset(rng.buf, 0, RNG_BYTES);
	}
	misc_rearm(&rng.q);
	if (rng.q.broken)
		(void)vdev_stop(&rng.v, rng.q.lie);
}

void rng_forget(void)
{
	rng = (struct rng){ .used = false };
}

int rng_probe(const struct vdev *v)
{
	int rc;

	if (rng.used)
		return -EBUSY;
	rng.v = *v;
	rng.buf = mem_zalloc(RNG_BYTES);
	rc = rng.buf == NULL ? -ENOMEM : vdev_negotiate(&rng.v, 0);
	if (rc == 0)
		rc = vdev_queue(&rng.v, &rng.q, 0, 4, 0);
	if (rc == 0)
		rc = misc_watch(&rng.q, rng_service, NULL);
	if (rc != 0) {
		(void)vdev_stop(&rng.v, "set-up failed");
		return rc;
	}
	rng.used = true;
	misc_bind(&rng.v);
	vdev_driver_ok(&rng.v);
	misc_rearm(&rng.q);
	ask();
	timer_init(&rng.again, hourly);
	/* Without memory for the timer the boot seed has to do. */
	(void)timer_arm(&rng.again, clock_now() + RNG_PERIOD_NS);
	return 0;
}
