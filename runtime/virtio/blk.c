/* SPDX-License-Identifier: Apache-2.0 */
/* blk.c - virtio-blk, read requests (virtio 1.2, 5.2). One queue under a short lock: any shard
 * submits, shard 0 takes completions and wakes the callers. A request is a 16-byte header, the
 * caller's segments and a status byte, in one indirect descriptor where the device has them. */
#include "runtime/base/str.h"
#include "runtime/mem/mem.h"
#include "runtime/virtio/blkdev.h"
#include "runtime/virtio/dma.h"
#include "runtime/virtio/misc.h"

#define BLK_F_SEG_MAX VIRTIO_BIT(2)
#define BLK_F_BLK_SIZE VIRTIO_BIT(6)
enum { CFG_CAPACITY = 0, CFG_SEG_MAX = 12, CFG_BLK_SIZE = 20 }; /* 5.2.4 */
#define BLK_T_IN 0u
#define BLK_S_OK 0u
#define BLK_DEVICES 4u
#define BLK_QUEUE 64u
#define BLK_SEGMENTS 64u
#define BLK_REQS 16u /* in flight; more callers wait */
#define BLK_TIMEOUT_NS (30 * NS_PER_SEC)

struct blk_req {
	struct { /* read by the device */
		uint32_t type, reserved;
		uint64_t sector;
	} hdr;
	struct vring_desc table[BLK_SEGMENTS + 2];
	uint8_t status; /* written by the device */
	struct blk_req *next_free;
	struct uthread *waiter;
	uint32_t bytes;
	int result;
	_Atomic bool done;
};

struct blkdev {
	const uint8_t *memory; /* instead of a device: its bytes */
	struct vdev v;
	struct spinlock lock; /* everything below */
	struct vq q;
	struct blk_req *free;
	struct waitq room; /* callers that wait for a request or ring space */
	uint64_t bytes;
	uint32_t seg_max, align;
};

static struct blkdev *devices[BLK_DEVICES];
static uint32_t n_devices;

/* The last touch of r and its waiter is the wake; the waiter takes the lock before it reuses r.
 * Under the lock. */
static void finish(void *ctx, void *cookie, uint16_t id)
{
	struct blk_req *r = cookie;

	(void)ctx;
	(void)id;
	atomic_store_explicit(&r->done, true, memory_order_release);
	uthread_wake(r->waiter);
}

/* Under the lock. Requests fail; whether the device still writes to their pages, only a confirmed
 * reset tells. */
static void stop(struct blkdev *d, const char *what)
{
	(void)vdev_stop(&d->v, what);
	vq_break(&d->q, what);
	vq_drain(&d->q, finish, d); /* result is -EIO until a completion says otherwise */
}

static void blk_service(void *ctx)
{
	struct blkdev *d = ctx;
	struct vq_done done;
	bool any = false;

	spin_lock(&d->lock);
	vdev_ack(&d->v);
	while (vq_take(&d->q, &done)) {
		struct blk_req *r = done.cookie;
		uint8_t status = *(volatile uint8_t *)&r->status;

		if (status == BLK_S_OK && done.len > r->bytes)
			r->result = 0;
		finish(d, r, done.id);
		any = true;
	}
	misc_rearm(&d->q);
	if (d->q.broken)
		stop(d, d->q.lie);
	spin_unlock(&d->lock);
	if (any)
		waitq_notify(&d->room, ~0u);
}

/* Put r on the ring, or say why not. */
static int submit(struct blkdev *d, struct blk_req *r, struct vq_buf *bufs, uint32_t n)
{
	int rc;

	bufs[0] = (struct vq_buf){ dma_of(&r->hdr), sizeof(r->hdr) };
	bufs[1 + n] = (struct vq_buf){ dma_of(&r->status), 1 };
	rc = vq_add(&d->q, bufs, 1, n + 1, r, r->table);
	if (rc >= 0)
		vq_flush(&d->q);
	return rc < 0 ? rc : 0;
}

static int try_start(struct blkdev *d, uint64_t offset, struct vq_buf *bufs, uint32_t n,
		     uint32_t bytes, struct blk_req **out)
{
	struct blk_req *r;
	int rc = -EAGAIN;

	spin_lock(&d->lock);
	r = d->free;
	if (d->q.broken) {
		rc = -EIO;
	} else if (r != NULL) {
		r->hdr.type = BLK_T_IN;
		r->hdr.reserved = 0;
		r->hdr.sector = offset / 512;
		r->status = 0xff;
		r->waiter = uthread_self();
		r->bytes = bytes;
		r->result = -EIO;
		atomic_store_explicit(&r->done, false, memory_order_relaxed);
		rc = submit(d, r, bufs, n);
		if (rc == 0) {
			d->free = r->next_free;
			*out = r;
		}
	}
	spin_unlock(&d->lock);
	return rc;
}

static int start(struct blkdev *d, uint64_t offset, struct vq_buf *bufs, uint32_t n, uint32_t bytes,
		 struct blk_req **out)
{
	struct waiter w = { .uthread = uthread_self() };
	int rc = try_start(d, offset, bufs, n, bytes, out);

	if (rc != -EAGAIN)
		return rc;
	list_init(&w.link);
	waitq_add(&d->room, &w);
	/* Ends: every request in flight completes or times out, and then notifies. */
	while ((rc = try_start(d, offset, bufs, n, bytes, out)) == -EAGAIN)
		(void)uthread_park(clock_now() + NS_PER_SEC);
	waitq_del(&d->room, &w);
	return rc;
}

/* bufs: room for the header, n buffers, room for the status. */
static int read_group(struct blkdev *d, uint64_t offset, struct vq_buf *bufs, uint32_t n,
		      uint32_t bytes)
{
	uint64_t deadline = clock_now() + BLK_TIMEOUT_NS;
	struct blk_req *r;
	int rc = start(d, offset, bufs, n, bytes, &r);

	if (rc != 0)
		return rc;
	while (!atomic_load_explicit(&r->done, memory_order_acquire)) {
		if (uthread_park(deadline) != -ETIMEDOUT)
			continue;
		spin_lock(&d->lock);
		if (!atomic_load_explicit(&r->done, memory_order_relaxed))
			stop(d, "request not answered in 30 s");
		spin_unlock(&d->lock);
	}
	spin_lock(&d->lock);
	rc = r->result;
	r->next_free = d->free;
	d->free = r;
	spin_unlock(&d->lock);
	waitq_notify(&d->room, ~0u);
	return rc;
}

static void copy_group(const uint8_t *from, const struct blk_segment *segments, uint32_t n)
{
	for (; n != 0; n--, segments++) {
		memcpy(pa_to_va(segments->pa), from, segments->len);
		from += segments->len;
	}
}

int blkdev_read(struct blkdev *d, uint64_t offset, const struct blk_segment *segments, uint32_t n)
{
	struct vq_buf bufs[BLK_SEGMENTS + 2];
	uint64_t total = 0;
	uint32_t done = 0; /* of the first segment */

	if (n == 0 || n > BLK_SEGMENTS || offset % d->align != 0)
		return -EINVAL;
	for (uint32_t i = 0; i < n; i++) {
		if (segments[i].len == 0 || segments[i].len % 512 != 0)
			return -EINVAL;
		total += segments[i].len;
	}
	if (total % d->align != 0 || total > d->bytes || offset > d->bytes - total ||
	    total >= UINT32_MAX)
		return -EINVAL;
	if (d->memory != NULL) {
		copy_group(d->memory + offset, segments, n);
		return 0;
	}
	while (n != 0) {
		uint32_t k = 0, bytes = 0;
		int rc;

		while (n != 0 && k < d->seg_max) {
			uint8_t *to = (uint8_t *)pa_to_va(segments->pa) + done;
			uint32_t len = segments->len - done;

			if (dma_stripe.mask != 0) /* its pages are apart */
				len = GW_MIN(len, (uint32_t)(GW_PAGE_SIZE -
							     (uint64_t)to % GW_PAGE_SIZE));
			bufs[1 + k++] = (struct vq_buf){ dma_of(to), len };
			bytes += len;
			done += len;
			if (done == segments->len) {
				segments++;
				n--;
				done = 0;
			}
		}
		rc = read_group(d, offset, bufs, k, bytes);
		if (rc != 0)
			return rc;
		offset += bytes;
	}
	return 0;
}

void blk_forget(void)
{
	n_devices = 0;
}

struct blkdev *blkdev_get(uint32_t index)
{
	return index < n_devices ? devices[index] : NULL;
}

struct blkdev *blkdev_memory(const void *bytes, uint64_t n)
{
	struct blkdev *d = mem_zalloc(sizeof(*d));

	if (d != NULL) {
		d->memory = bytes;
		d->bytes = n / 512 * 512;
		d->align = 512;
	}
	return d;
}

uint64_t blkdev_size(const struct blkdev *d)
{
	return d->bytes;
}

static int setup(struct blkdev *d)
{
	const uint32_t a_page = GW_PAGE_SIZE / sizeof(struct blk_req); /* each in one page */
	uint64_t reqs;
	uint64_t sectors;
	int rc = vdev_negotiate(&d->v, BLK_F_SEG_MAX | BLK_F_BLK_SIZE);

	if (rc != 0)
		return rc;
	sectors = vdev_cfg64(&d->v, CFG_CAPACITY);
	if (sectors > UINT64_MAX / 1024)
		return -EIO;
	d->bytes = sectors * 512;
	d->seg_max = d->v.features & BLK_F_SEG_MAX ? vdev_cfg32(&d->v, CFG_SEG_MAX) : 1;
	d->seg_max = GW_MAX(GW_MIN(d->seg_max, BLK_SEGMENTS), 1u);
	d->align = d->v.features & BLK_F_BLK_SIZE ? vdev_cfg32(&d->v, CFG_BLK_SIZE) : 512;
	if (d->align < 512 || d->align > GW_PAGE_SIZE || (d->align & (d->align - 1)) != 0)
		d->align = 512;
	rc = vdev_queue(&d->v, &d->q, 0, BLK_QUEUE, 0);
	if (rc != 0)
		return rc;
	/* 2.7.5.3.1: a chain is no longer than the queue, in the ring or indirect. */
	if (d->q.mask < 2)
		return -EIO;
	d->seg_max = GW_MIN(d->seg_max, d->q.mask - 1u);
	reqs = pages_alloc((BLK_REQS + a_page - 1) / a_page, 1);
	if (reqs == 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < BLK_REQS; i++) {
		uint64_t page = reqs + i / a_page * GW_PAGE_SIZE;
		struct blk_req *r = (struct blk_req *)pa_to_va(page) + i % a_page;

		r->next_free = d->free;
		d->free = r;
	}
	return misc_watch(&d->q, blk_service, d);
}

int blk_probe(const struct vdev *v)
{
	struct blkdev *d;
	int rc;

	if (n_devices == BLK_DEVICES)
		return -EBUSY;
	d = mem_zalloc(sizeof(*d));
	if (d == NULL)
		return -ENOMEM;
	d->v = *v;
	waitq_init(&d->room);
	rc = setup(d);
	if (rc != 0) {
		if (vdev_stop(&d->v, "set-up failed")) {
			vq_destroy(&d->q);
			mem_free(d, sizeof(*d));
		}
		return rc;
	}
	misc_bind(&d->v);
	vdev_driver_ok(&d->v);
	misc_rearm(&d->q);
	devices[n_devices++] = d;
	return 0;
}
