/* SPDX-License-Identifier: Apache-2.0 */
/* blk_uring.c - files and disks of this system as block devices (runtime/virtio/blkdev.h), through
 * io_uring. The configuration names them: host.disk=PATH, the first is number 0. Each shard has a
 * ring of its own from its first use on: requests of one turn go to the kernel together,
 * completions wake who waits. */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/mem/mem.h"
#include "runtime/platform/linux/hosted.h"
#include "runtime/sched/sched.h"
#include "runtime/virtio/blkdev.h"

#define DISKS 8u
#define DEPTH 128u /* requests under way on a shard; more wait */
#define SEGMENTS 64u
#define SECTOR 512u
#define URING_EVENT (GW_EVENT_IRQ0 + 1)

struct blkdev {
	int fd;
	const void *bytes; /* of memory instead */
	uint64_t size;
};

struct request {
	struct uthread *waiter;
	int result;
	bool done;
};

static struct blkdev disks[DISKS];
static uint32_t n_disks;

static struct shard_ring {
	struct poller poller; /* first */
	struct io_uring ring;
	uint32_t n_unsubmitted, n_inflight;
	struct waitq room; /* those that wait for a place */
	bool made;
} rings[SHARD_MAX];

/* ---- the shard's ring ---- */

static bool ring_poll(struct poller *p)
{
	struct shard_ring *r = (struct shard_ring *)p;
	struct io_uring_cqe *cqe;
	bool any = false;

	while (r->n_inflight != 0 && io_uring_peek_cqe(&r->ring, &cqe) == 0) {
		struct request *q = io_uring_cqe_get_data(cqe);

		q->result = cqe->res;
		q->done = true;
		io_uring_cqe_seen(&r->ring, cqe);
		r->n_inflight--;
		uthread_wake(q->waiter);
		any = true;
	}
	if (any)
		waitq_notify(&r->room, ~0u);
	return any;
}

static void ring_flush(struct poller *p)
{
	struct shard_ring *r = (struct shard_ring *)p;

	if (r->n_unsubmitted == 0)
		return;
	r->n_unsubmitted = 0;
	if (io_uring_submit(&r->ring) < 0)
		log_warn("io_uring: the kernel takes no requests");
}

static bool ring_arm(struct poller *p, uint64_t *deadline_ns)
{
	(void)deadline_ns;
	ring_flush(p); /* a request was made after the turn's flush */
	return false;
}

static int ring_make(struct shard_ring *r)
{
	int err, fd;

	if (r->made)
		return 0;
	err = io_uring_queue_init(DEPTH, &r->ring, 0);
	if (err != 0)
		return err;
	fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	err = fd < 0 ? -errno : io_uring_register_eventfd(&r->ring, fd);
	if (err == 0)
		err = hosted_watch(fd, URING_EVENT);
	if (err != 0) {
		io_uring_queue_exit(&r->ring);
		if (fd >= 0)
			close(fd);
		return err;
	}
	waitq_init(&r->room);
	r->poller = (struct poller){ .poll = ring_poll, .flush = ring_flush, .arm = ring_arm };
	shard_add_poller(&r->poller);
	r->made = true;
	return 0;
}

/* A place in the ring; parks while there is none. */
static struct io_uring_sqe *place(struct shard_ring *r)
{
	struct waiter w = { .uthread = uthread_self() };
	struct io_uring_sqe *sqe = NULL;

	while (r->n_inflight >= DEPTH || (sqe = io_uring_get_sqe(&r->ring)) == NULL) {
		ring_flush(&r->poller);
		waitq_add(&r->room, &w);
		if (r->n_inflight >= DEPTH)
			(void)uthread_park(GW_NEVER);
		waitq_del(&r->room, &w);
	}
	return sqe;
}

/* One read; how many bytes came, or -errno. */
static int read_once(int fd, const struct iovec *iov, uint32_t n, uint64_t offset)
{
	struct shard_ring *r = &rings[shard_self()->id];
	struct request q = { .waiter = uthread_self() };
	struct io_uring_sqe *sqe;
	int err = ring_make(r);

	if (err != 0)
		return err;
	sqe = place(r);
	io_uring_prep_readv(sqe, fd, iov, n, offset);
	io_uring_sqe_set_data(sqe, &q);
	r->n_inflight++;
	r->n_unsubmitted++;
	while (!q.done)
		(void)uthread_park(GW_NEVER);
	return q.result;
}

/* ---- devices ---- */

static void open_disk(const char *path)
{
	struct blkdev *d = &disks[n_disks];
	uint64_t bytes = 0;
	struct stat st;

	if (n_disks == DISKS)
		hosted_fail("--disk: at most %u", DISKS);
	d->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (d->fd < 0 || fstat(d->fd, &st) != 0)
		hosted_fail("--disk %s: %s", path, strerror(errno));
	if (S_ISREG(st.st_mode))
		bytes = (uint64_t)st.st_size;
	else if (!S_ISBLK(st.st_mode) || ioctl(d->fd, BLKGETSIZE64, &bytes) != 0)
		hosted_fail("--disk %s: no file and no disk", path);
	d->size = ROUND_DOWN(bytes, (uint64_t)SECTOR);
	n_disks++;
}

void hosted_disks_open(void)
{
	size_t cursor = 0;
	const char *s;

	while ((s = config_next("host.disk", &cursor)) != NULL)
		open_disk(s);
}

struct blkdev *blkdev_get(uint32_t index)
{
	return index < n_disks ? &disks[index] : NULL;
}

struct blkdev *blkdev_memory(const void *bytes, uint64_t n)
{
	struct blkdev *d = mem_zalloc(sizeof(*d));

	if (d != NULL)
		*d = (struct blkdev){ .fd = -1, .bytes = bytes, .size = n };
	return d;
}

uint64_t blkdev_size(const struct blkdev *d)
{
	return d->size;
}

/* The segments from `skip` bytes on. Returns how many. */
static uint32_t vector(struct iovec *iov, const struct blk_segment *s, uint32_t n, uint64_t skip)
{
	uint32_t k = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (skip >= s[i].len) {
			skip -= s[i].len;
			continue;
		}
		iov[k++] = (struct iovec){ (uint8_t *)pa_to_va(s[i].pa) + skip, s[i].len - skip };
		skip = 0;
	}
	return k;
}

int blkdev_read(struct blkdev *d, uint64_t offset, const struct blk_segment *segments, uint32_t n)
{
	struct iovec iov[SEGMENTS];
	uint64_t total = 0;

	if (n == 0 || n > SEGMENTS || offset % SECTOR != 0)
		return -EINVAL;
	for (uint32_t i = 0; i < n; i++) {
		if (segments[i].len % SECTOR != 0)
			return -EINVAL;
		total += segments[i].len;
	}
	if (offset > d->size || total > d->size - offset)
		return -EINVAL;
	for (uint64_t done = 0; done < total;) {
		uint32_t k = vector(iov, segments, n, done);
		int got;

		if (d->bytes != NULL) {
			memcpy(iov[0].iov_base, (const uint8_t *)d->bytes + offset + done,
			       iov[0].iov_len);
			done += iov[0].iov_len;
			continue;
		}
		got = read_once(d->fd, iov, k, offset + done);
		if (got == -EINTR || got == -EAGAIN)
			continue;
		if (got <= 0) /* an error, or the file was cut short meanwhile */
			return -EIO;
		done += (uint64_t)got;
	}
	return 0;
}
