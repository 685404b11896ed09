/* SPDX-License-Identifier: Apache-2.0 */
/* pipe.c - pipes and FIFOs: a ring of page frames, got when written and given back when drained.
 *
 *   head (bytes read)                     tail (bytes written)
 *     v                                     v
 *   [ page | page | page | ... ]  position p lies in frame (p / 4096) % n_frames
 *
 * The mutex is held over copies to and from the program; poll reads the two counters without it. */
#include "linux/files/files_internal.h"

#define PIPE_FRAMES 16u
#define PIPE_FRAMES_MAX 256u
#define PIPE_BUF 4096u

struct pipe {
	struct mutex lock;
	struct waitq readable, writable; /* notified: data or end; room or no readers */
	_Atomic uint64_t head, tail;
	_Atomic uint32_t readers, writers; /* open ends */
	uint32_t opened_r, opened_w;	   /* ever opened, for FIFO open to wait on */
	_Atomic uint32_t refs;		   /* open files, and the FIFO's inode */
	uint32_t n_frames;
	uint64_t *frames;
};

static struct pipe *pipe_create(void)
{
	struct pipe *p = mem_zalloc(sizeof(*p));

	if (!p)
		return NULL;
	p->frames = mem_zalloc(PIPE_FRAMES * sizeof(*p->frames));
	if (!p->frames) {
		mem_free(p, sizeof(*p));
		return NULL;
	}
	p->n_frames = PIPE_FRAMES;
	mutex_init(&p->lock);
	waitq_init(&p->readable);
	waitq_init(&p->writable);
	p->refs = 1;
	return p;
}

static void drop_frames(struct pipe *p)
{
	for (uint32_t k = 0; k < p->n_frames; k++) {
		if (p->frames[k])
			page_put(p->frames[k]);
		p->frames[k] = 0;
	}
}

static void pipe_put(struct pipe *p)
{
	if (atomic_fetch_sub(&p->refs, 1) != 1)
		return;
	drop_frames(p);
	mem_free(p->frames, p->n_frames * sizeof(*p->frames));
	mem_free(p, sizeof(*p));
}

static size_t used(const struct pipe *p)
{
	return (size_t)(p->tail - p->head);
}

static size_t room(const struct pipe *p)
{
	return p->n_frames * GW_PAGE_SIZE - used(p);
}

static uint64_t *frame_at(struct pipe *p, uint64_t pos)
{
	return &p->frames[pos / GW_PAGE_SIZE % p->n_frames];
}

/* Move what is there; lock held. */
static long take(struct pipe *p, struct uio *u)
{
	long done = 0;
	int r = 0;

	while (!r && u->left && used(p)) {
		uint64_t *frame = frame_at(p, p->head);
		size_t in = p->head % GW_PAGE_SIZE,
		       n = GW_MIN(GW_MIN(GW_PAGE_SIZE - in, used(p)), u->left);
		size_t before = u->left;

		r = uio_put(u, (char *)pa_to_va(*frame) + in, n);
		n = before - u->left;
		p->head += n;
		done += (long)n;
		/* Drained: the next writer gets a fresh one, unless it has come round to this one
		 * already. */
		if (n && p->head % GW_PAGE_SIZE == 0 &&
		    p->tail <= p->head + (p->n_frames - 1) * GW_PAGE_SIZE) {
			page_put(*frame);
			*frame = 0;
		}
	}
	return done ? done : r;
}

static long give(struct pipe *p, struct uio *u)
{
	long done = 0;
	int r = 0;

	while (!r && u->left && room(p)) {
		uint64_t *frame = frame_at(p, p->tail);
		size_t in = p->tail % GW_PAGE_SIZE,
		       n = GW_MIN(GW_MIN(GW_PAGE_SIZE - in, room(p)), u->left);
		size_t before = u->left;

		if (!*frame)
			*frame = page_alloc();
		if (!*frame) {
			r = -ENOMEM;
			break;
		}
		r = uio_get(u, (char *)pa_to_va(*frame) + in, n);
		p->tail += before - u->left;
		done += (long)(before - u->left);
	}
	return done ? done : r;
}

static long pipe_read(struct file *f, struct uio *u, int64_t off)
{
	struct pipe *p = f->object;
	long n = 0;

	if (off >= 0)
		return -ESPIPE;
	while (u->left) {
		mutex_lock(&p->lock);
		n = take(p, u);
		mutex_unlock(&p->lock);
		if (n > 0)
			waitq_notify(&p->writable, POLLOUT | POLLWRNORM);
		if (n || (!p->writers && !used(p)))
			return n;
		n = file_wait(f, POLLIN, GW_NEVER);
		if (n)
			return n;
	}
	return 0;
}

static long broken(void)
{
	struct siginfo64 info = { .signo = SIGPIPE, .code = 0 };

	signal_send(thread_self(), &info);
	return -EPIPE;
}

static long pipe_write(struct file *f, struct uio *u, int64_t off)
{
	struct pipe *p = f->object;
	bool atomic = u->left <= PIPE_BUF;
	long done = 0, n;

	if (off >= 0)
		return -ESPIPE;
	while (u->left) {
		mutex_lock(&p->lock);
		n = !p->readers ? -EPIPE : atomic && room(p) < u->left ? 0 : give(p, u);
		mutex_unlock(&p->lock);
		if (n > 0) {
			done += n;
			waitq_notify(&p->readable, POLLIN | POLLRDNORM);
			continue;
		}
		if (n == 0)
			n = file_wait(f, POLLOUT, GW_NEVER);
		if (n)
			return done ? done : n == -EPIPE ? broken() : n;
	}
	return done;
}

static uint32_t pipe_poll_r(struct file *f)
{
	const struct pipe *p = f->object;

	return (used(p) ? POLLIN | POLLRDNORM : 0) | (!p->writers && p->opened_w ? POLLHUP : 0);
}

static uint32_t pipe_poll_w(struct file *f)
{
	const struct pipe *p = f->object;

	/* Room for an atomic write, as Linux promises. */
	return (room(p) >= PIPE_BUF ? POLLOUT | POLLWRNORM : 0) | (!p->readers ? POLLERR : 0);
}

static uint32_t pipe_poll_rw(struct file *f)
{
	return pipe_poll_r(f) | pipe_poll_w(f);
}

static int pipe_stat(struct file *f, struct stat64 *st)
{
	if (f->inode)
		inode_stat(f->inode, st);
	else
		*st = (struct stat64){ .dev = 8,
				       .ino = (uint64_t)f->object >> 4 & 0xffffff,
				       .nlink = 1,
				       .mode = S_IFIFO | 0600,
				       .blksize = 4096 };
	return 0;
}

static long pipe_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
	int32_t n = (int32_t)used(f->object);

	return cmd == 0x541b ? copy_to_program(arg, &n, sizeof(n)) : -ENOTTY; /* FIONREAD */
}

static void pipe_release(struct file *f)
{
	struct pipe *p = f->object;
	uint32_t mode = f->flags & O_ACCMODE;

	if (mode != O_WRONLY)
		p->readers--;
	if (mode != O_RDONLY)
		p->writers--;
	waitq_notify(&p->readable, POLLIN | POLLHUP);
	waitq_notify(&p->writable, POLLOUT | POLLERR);
	if (!p->readers && !p->writers) { /* a FIFO starts empty when it is opened again */
		mutex_lock(&p->lock);
		p->head = p->tail = 0;
		drop_frames(p);
		mutex_unlock(&p->lock);
	}
	pipe_put(p);
}

static const struct file_ops ops_r = { .read = pipe_read,
				       .poll = pipe_poll_r,
				       .stat = pipe_stat,
				       .ioctl = pipe_ioctl,
				       .release = pipe_release,
				       .kind = "pipe" };
static const struct file_ops ops_w = { .write = pipe_write,
				       .poll = pipe_poll_w,
				       .stat = pipe_stat,
				       .ioctl = pipe_ioctl,
				       .release = pipe_release,
				       .kind = "pipe" };
static const struct file_ops ops_rw = { .read = pipe_read,
					.write = pipe_write,
					.poll = pipe_poll_rw,
					.stat = pipe_stat,
					.ioctl = pipe_ioctl,
					.release = pipe_release,
					.kind = "pipe" };

/* An end of p, counted; NULL: memory is out. */
static struct file *pipe_end(struct pipe *p, uint32_t flags)
{
	uint32_t mode = flags & O_ACCMODE;
	struct file *f = file_create(mode == O_RDONLY	? &ops_r
				     : mode == O_WRONLY ? &ops_w
							: &ops_rw,
				     flags, p, mode == O_WRONLY ? &p->writable : &p->readable);

	if (!f)
		return NULL;
	p->refs++;
	if (mode != O_WRONLY) {
		p->readers++;
		p->opened_r++;
	}
	if (mode != O_RDONLY) {
		p->writers++;
		p->opened_w++;
	}
	return f;
}

static long make_pipe(uint64_t va, uint32_t flags)
{
	struct pipe *p;
	struct file *in, *out;
	int32_t fd[2] = { -1, -1 };
	long r = -ENOMEM;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	p = pipe_create();
	if (!p)
		return -ENOMEM;
	in = pipe_end(p, O_RDONLY | (flags & O_NONBLOCK));
	out = pipe_end(p, O_WRONLY | (flags & O_NONBLOCK));
	pipe_put(p);
	if (in && out) {
		r = fd[0] = fd_install(in, 0, (flags & O_CLOEXEC) != 0);
		if (r >= 0)
			r = fd[1] = fd_install(out, 0, (flags & O_CLOEXEC) != 0);
		if (r >= 0)
			r = copy_to_program(va, fd, sizeof(fd));
		if (r >= 0)
			return 0;
	}
	for (int k = 0; k < 2; k++) {
		struct file *f = fd[k] >= 0 ? fd_take(fd[k]) : k ? out : in;

		if (f)
			file_drop(f);
	}
	return r;
}

SYS(pipe)
{
	return make_pipe(r->rdi, 0);
}

SYS(pipe2)
{
	return make_pipe(r->rdi, lo32(r->rsi));
}

/* ---- FIFOs ---- */
int fifo_open(struct inode *i, uint32_t flags, struct file **out)
{
	uint32_t mode = flags & O_ACCMODE, seen;
	struct pipe *p;
	struct file *f;
	int r = 0;

	mutex_lock(&vfs_tree);
	if (!i->u.fifo)
		i->u.fifo = pipe_create();
	p = i->u.fifo;
	f = !p ? NULL : pipe_end(p, flags);
	mutex_unlock(&vfs_tree);
	if (!f)
		return -ENOMEM;
	f->inode = inode_get(i);
	waitq_notify(&p->readable, POLLIN);
	waitq_notify(&p->writable, POLLOUT);
	if (mode == O_WRONLY && flags & O_NONBLOCK && !p->readers)
		r = -ENXIO;
	if (mode != O_RDWR &&
	    !(flags & O_NONBLOCK)) { /* wait until the other end has been opened */
		struct waiter w = { .uthread = uthread_self() };

		seen = mode == O_RDONLY ? p->opened_w : p->opened_r;
		waitq_add(f->waitq, &w);
		while (!r && !(mode == O_RDONLY ? p->writers : p->readers) &&
		       seen == (mode == O_RDONLY ? p->opened_w : p->opened_r))
			r = thread_park(GW_NEVER);
		waitq_del(f->waitq, &w);
	}
	if (r)
		file_drop(f);
	else
		*out = f;
	return r;
}

void fifo_free(struct inode *i)
{
	if (i->u.fifo)
		pipe_put(i->u.fifo);
}

long pipe_fcntl_size(struct file *f, bool set, uint64_t size)
{
	struct pipe *p = f->object;
	uint32_t n = 1;
	uint64_t *frames;
	long r;

	if (f->ops != &ops_r && f->ops != &ops_w && f->ops != &ops_rw)
		return -EBADF;
	if (!set)
		return (long)(p->n_frames * GW_PAGE_SIZE);
	if (size > PIPE_FRAMES_MAX * GW_PAGE_SIZE)
		return -EPERM;
	while (n * GW_PAGE_SIZE < size)
		n *= 2;
	frames = mem_zalloc(n * sizeof(*frames));
	if (!frames)
		return -ENOMEM;
	mutex_lock(&p->lock);
	if (used(p)) { /* only an empty ring can be laid out anew */
		r = n == p->n_frames ? (long)(n * GW_PAGE_SIZE) : -EBUSY;
		mem_free(frames, n * sizeof(*frames));
	} else {
		drop_frames(p);
		mem_free(p->frames, p->n_frames * sizeof(*p->frames));
		p->frames = frames;
		p->n_frames = n;
		p->head = p->tail = 0;
		r = (long)(n * GW_PAGE_SIZE);
	}
	mutex_unlock(&p->lock);
	return r;
}
