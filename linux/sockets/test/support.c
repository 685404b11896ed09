/* SPDX-License-Identifier: Apache-2.0 */
/* support.c - see support.h. Everything runs in one host thread: a call that would park lets the
 * shards work and time pass instead. */
#include "linux/sockets/test/support.h"

#include <stdio.h>
#include <stdlib.h>
#include "linux/files/vfs.h"
#include "linux/report.h"
#include "linux/sockets/sockets.h"
#include "runtime/net/net.h"
#include "runtime/netglue/trace.h"
#include "runtime/virtio/console.h"
#include "runtime/virtio/netdev.h"

#define O_NONBLOCK 04000u
#define FDS 512
#define STEP_NS NS_PER_MS

struct shard *shards[SHARD_MAX];
uint32_t n_shards;
static struct shard shard_of[2];
struct latency machine_latency[LATENCY_KINDS]; /* of all shards */
static struct uthread uthread_main;
struct thread machine_thread;
static struct process the_process;
struct process *process_first = &the_process;
static uint32_t current;
static uint64_t now = NS_PER_SEC;
static bool net_stopped;
static struct file *fds[FDS];
static int n_files;
static struct pbuf_pool pools[2];
static void *pool_memory[64];
static unsigned n_pool_memory;
static struct list_node forwarded[2]; /* frames between the stacks */

char machine_listens[64]; /* the last that was reported */

void report_listen(const char *protocol, uint16_t port)
{
	snprintf(machine_listens, sizeof(machine_listens), "%s %u", protocol, port);
}

/* Tracing: every request of a traced connection is due, as the device's packets would be. */
uint32_t trace_every;
struct trace_sample *machine_traced; /* the last that began */
unsigned machine_replies, machine_given_up;

bool trace_due(void)
{
	return trace_every != 0;
}

void trace_begin(struct trace_sample *s, const struct net_endpoint *remote,
		 const struct net_endpoint *local)
{
	memset(s->at, 0, sizeof(s->at));
	s->remote = *remote;
	s->local_port = local->port;
	s->shard = current;
	s->at[GW_TRACE_RING] = s->at[GW_TRACE_INPUT] = now;
	s->active = 1;
	machine_traced = s;
}

void trace_reply(struct trace_sample *s, uint32_t seq)
{
	s->reply_seq = seq;
	machine_replies++;
}

void trace_give_up(struct trace_sample *s)
{
	s->active = 0;
	machine_given_up++;
}

void trace_end(struct trace_sample *s)
{
	if (s->active)
		trace_give_up(s);
	if (machine_traced == s)
		machine_traced = NULL;
}

uint64_t trace_drain(void (*each)(const struct trace_sample *s), uint64_t *unanswered)
{
	if (machine_traced != NULL)
		each(machine_traced);
	*unanswered = machine_given_up;
	return 0;
}

void trace_set_reader(struct uthread *reader)
{
	(void)reader;
}

int uthread_park(uint64_t deadline_ns) /* the reporter does not run here */
{
	(void)deadline_ns;
	abort();
}

int uthread_create(struct uthread **out, struct shard *on, void (*fn)(void *), void *arg,
		   const char *name, bool program, void *owner)
{
	static struct uthread u;

	(void)on;
	(void)fn;
	(void)arg;
	(void)name;
	(void)program;
	(void)owner;
	*out = &u;
	return 0;
}

char machine_line[512]; /* the last to the control port */

void control_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(machine_line, sizeof(machine_line), fmt, ap);
	va_end(ap);
}

void (*machine_idle)(void);
uint64_t machine_absent;
unsigned machine_faults, machine_signals, machine_notified, machine_sent[2];

struct shard *shard_self_host(void)
{
	return shards[current];
}

void machine_on(uint32_t n)
{
	current = n;
}

/* ---- base ---- */
static size_t outstanding; /* bytes the sockets hold; frees must name the size of the allocation */

void *mem_alloc(size_t n)
{
	outstanding += n;
	return malloc(n);
}

void *mem_zalloc(size_t n)
{
	outstanding += n;
	return calloc(1, n);
}

void mem_free(void *p, size_t n)
{
	if (p)
		outstanding -= n;
	free(p);
}

/* The stacks are never destroyed in a machine; here their memory goes with machine_stop. */
struct net_block {
	struct list_node link;
	uint8_t bytes[] __attribute__((aligned(16)));
};
static struct list_node net_blocks = { &net_blocks, &net_blocks };

static void *net_alloc(size_t n)
{
	struct net_block *b = calloc(1, sizeof(*b) + n);

	list_add_tail(&net_blocks, &b->link);
	return b->bytes;
}

static void net_free(void *p, size_t n)
{
	struct net_block *b = container_of(p, struct net_block, bytes);

	(void)n;
	list_del(&b->link);
	free(b);
}

static void log_line(const char *fmt, va_list ap)
{
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(fmt, ap);
	va_end(ap);
}

void log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(fmt, ap);
	va_end(ap);
}

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(fmt, ap);
	va_end(ap);
	abort();
}

uint32_t random_u32(void)
{
	static uint32_t x = 2463534242u;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x;
}

void random_bytes(void *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)to)[i] = (uint8_t)random_u32();
}

size_t str_copy(char *to, const char *from, size_t size)
{
	size_t n = strlen(from);

	snprintf(to, size, "%s", from);
	return n;
}

int fmt_print(char *to, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(to, size, fmt, ap);
	va_end(ap);
	return n;
}

/* ---- time, shards ---- */
uint64_t clock_now(void)
{
	shard_self()->now_ns = now;
	return now;
}

uint64_t clock_epoch_ns(void)
{
	return 1000 * NS_PER_SEC;
}

static void turn(void)
{
	uint32_t was = current;

	now += STEP_NS;
	for (uint32_t i = 0; i < n_shards && !net_stopped; i++) {
		struct list_node *n;

		current = i;
		net_set_now(shards[i]->net, clock_now());
		while ((n = list_pop(&forwarded[i])) != NULL)
			net_input(shards[i]->net, list_entry(n, struct pbuf, link));
		(void)net_poll(shards[i]->net);
	}
	current = was;
}

void machine_run(unsigned ms)
{
	for (unsigned i = 0; i < ms; i++)
		turn();
}

void machine_net_stop(bool stopped)
{
	net_stopped = stopped;
}

static int wait_a_moment(uint64_t deadline)
{
	if (machine_thread.work)
		return -ERESTARTSYS;
	if (now >= deadline)
		return -ETIMEDOUT;
	if (now > 100000 * NS_PER_SEC)
		panic("a call under test never ends");
	if (machine_idle)
		machine_idle();
	turn();
	return 0;
}

int thread_park(uint64_t deadline_ns)
{
	return wait_a_moment(deadline_ns);
}

void uthread_sleep_until(uint64_t deadline_ns)
{
	while (now < deadline_ns)
		turn();
}

void uthread_wake(struct uthread *u)
{
	(void)u;
}

void shard_call(struct shard *on, void (*fn)(void *), void *arg)
{
	uint32_t was = current;

	current = on->id;
	fn(arg);
	current = was;
}

void signal_send(struct thread *t, const struct siginfo64 *info)
{
	(void)t;
	if (info->signo == 13)
		machine_signals++;
}

/* ---- waiting ---- */
void waitq_init(struct waitq *q)
{
	*q = (struct waitq){ 0 };
	list_init(&q->waiters);
}

void waitq_add(struct waitq *q, struct waiter *w)
{
	list_add_tail(&q->waiters, &w->link);
}

void waitq_del(struct waitq *q, struct waiter *w)
{
	(void)q;
	list_del(&w->link);
}

void waitq_notify(struct waitq *q, uint32_t events)
{
	list_for_each_safe(n, &q->waiters)
	{
		struct waiter *w = list_entry(n, struct waiter, link);

		if ((w->events == 0 || w->events & events) && w->notify)
			w->notify(w, events);
	}
}

void mutex_init(struct mutex *m)
{
	*m = (struct mutex){ 0 };
}

void mutex_lock(struct mutex *m)
{
	if (m->holder)
		panic("mutex taken twice");
	m->holder = &uthread_main;
}

void mutex_unlock(struct mutex *m)
{
	m->holder = NULL;
}

static void seen(struct waiter *w, uint32_t events)
{
	(void)w;
	machine_notified |= events;
}

void machine_watch(int fd, bool on)
{
	static struct waiter watcher = { .notify = seen };

	if (on)
		waitq_add(fds[fd]->waitq, &watcher);
	else
		waitq_del(fds[fd]->waitq, &watcher);
}

/* ---- program memory: the test's, except that one address may be absent ---- */
int copy_to_program(uint64_t va, const void *from, size_t n)
{
	if (va < 4096)
		return -EFAULT;
	memcpy((void *)(uintptr_t)va, from, n);
	return 0;
}

int copy_from_program(void *to, uint64_t va, size_t n)
{
	if (va < 4096)
		return -EFAULT;
	memcpy(to, (const void *)(uintptr_t)va, n);
	return 0;
}

static size_t move(struct uio *u, void *bytes, size_t n, bool put, bool may_fault)
{
	size_t done = 0;

	while (done < n && u->at < u->n) {
		const struct uio_segment *s = &u->seg[u->at];
		uint64_t va = s->va + u->off;
		size_t k = GW_MIN(n - done, s->len - u->off);
		bool stop = false;

		if (k == 0) {
			u->at++;
			u->off = 0;
			continue;
		}
		if (machine_absent >= va && machine_absent < va + k) {
			if (may_fault) {
				machine_absent = 0;
				machine_faults++;
			} else {
				k = machine_absent - va;
				stop = true;
			}
		}
		if (put)
			memcpy((void *)(uintptr_t)va, (uint8_t *)bytes + done, k);
		else
			memcpy((uint8_t *)bytes + done, (void *)(uintptr_t)va, k);
		done += k;
		u->off += k;
		u->left -= k;
		if (stop)
			break;
	}
	return done;
}

int uio_put(struct uio *u, const void *from, size_t n)
{
	return move(u, (void *)(uintptr_t)from, n, true, true) == n ? 0 : -EFAULT;
}

int uio_get(struct uio *u, void *to, size_t n)
{
	return move(u, to, n, false, true) == n ? 0 : -EFAULT;
}

size_t uio_put_nofault(struct uio *u, const void *from, size_t n)
{
	return move(u, (void *)(uintptr_t)from, n, true, false);
}

size_t uio_get_nofault(struct uio *u, void *to, size_t n)
{
	return move(u, to, n, false, false);
}

int uio_fault_in(struct uio *u, bool write)
{
	(void)u;
	(void)write;
	machine_absent = 0;
	machine_faults++;
	return 0;
}

/* ---- files ---- */
struct file *file_create(const struct file_ops *ops, uint32_t flags, void *object, struct waitq *wq)
{
	struct file *f = calloc(1, sizeof(*f));

	*f = (struct file){ .ops = ops, .refs = 1, .flags = flags, .object = object, .waitq = wq };
	list_init(&f->epoll_items);
	n_files++;
	return f;
}

struct file *file_get(struct file *f)
{
	f->refs++;
	return f;
}

void file_put(struct file *f)
{
	if (--f->refs != 0)
		return;
	if (f->ops->release)
		f->ops->release(f);
	free(f);
	n_files--;
}

int machine_files(void)
{
	return n_files;
}

struct file *fd_file(int fd)
{
	return fd >= 0 && fd < FDS && fds[fd] ? file_get(fds[fd]) : NULL;
}

int fd_install(struct file *f, int min, bool cloexec)
{
	(void)cloexec;
	for (int i = min; i < FDS; i++) {
		if (!fds[i]) {
			fds[i] = f;
			return i;
		}
	}
	return -EMFILE;
}

struct file *fd_take(int fd)
{
	struct file *f = fd >= 0 && fd < FDS ? fds[fd] : NULL;

	if (f)
		fds[fd] = NULL;
	return f;
}

int file_wait(struct file *f, uint32_t events, uint64_t deadline_ns)
{
	while (!(f->ops->poll(f) & (events | 0x18))) {
		int r;

		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		r = wait_a_moment(deadline_ns);
		if (r < 0)
			return r;
	}
	return 0;
}

uint32_t machine_poll(int fd)
{
	return fds[fd]->ops->poll(fds[fd]);
}

/* ---- a file system of names only ---- */
struct inode {
	int refs;
	bool linked;
	char path[128];
	struct inode *next;
};
static struct inode *inodes;

int vfs_mknod(struct inode *dir, const char *path, uint32_t mode, uint32_t rdev, struct inode **out)
{
	struct inode *i;

	(void)dir;
	(void)mode;
	(void)rdev;
	for (i = inodes; i; i = i->next)
		if (strcmp(i->path, path) == 0)
			return -EEXIST;
	i = calloc(1, sizeof(*i));
	i->refs = 2; /* its name, and the caller */
	snprintf(i->path, sizeof(i->path), "%s", path);
	i->next = inodes;
	inodes = i;
	*out = i;
	return 0;
}

int vfs_lookup(struct inode *dir, const char *path, uint32_t flags, struct inode **out)
{
	(void)dir;
	(void)flags;
	for (struct inode *i = inodes; i; i = i->next) {
		if (strcmp(i->path, path) == 0) {
			i->refs++;
			*out = i;
			return 0;
		}
	}
	return -ENOENT;
}

void inode_put(struct inode *i)
{
	if (--i->refs == 0)
		free(i);
}

/* ---- network device, stacks ---- */
struct netdev *netdev_get(void)
{
	return (struct netdev *)&shard_of;
}

const struct netdev_info *netdev_info(const struct netdev *d)
{
	static const struct netdev_info info = { .mac = { 2, 0, 0, 0, 0, 1 }, .mtu = 1500 };

	(void)d;
	return &info;
}

/* Out there is somebody at every address but ours who answers ARP, and nothing else; what he says
 * comes in at shard 0. */
static int tx(void *ctx, struct pbuf *p)
{
	static const uint8_t his[6] = { 2, 0, 0, 0, 0, 9 };
	struct pbuf *q;

	if (p->data[12] == 8 && p->data[13] == 0)
		machine_sent[ctx == &pools[0] ? 0 : 1]++;
	if (p->data[12] == 8 && p->data[13] == 6 && p->data[21] == 1 &&
	    memcmp(p->data + 28, p->data + 38, 4) != 0 &&
	    (q = pbuf_alloc(ctx, PBUF_HEADROOM)) != NULL) {
		q->len = q->total = 42;
		memcpy(q->data, p->data, 42);
		memcpy(q->data, p->data + 6, 6);
		memcpy(q->data + 6, his, 6);
		q->data[21] = 2;
		memcpy(q->data + 22, his, 6); /* his addresses, then ours */
		memcpy(q->data + 28, p->data + 38, 4);
		memcpy(q->data + 32, p->data + 22, 10);
		list_add_tail(&forwarded[0], &q->link);
	}
	pbuf_free(ctx, p);
	return 0;
}

static void forward(void *ctx, uint32_t shard, struct pbuf *p)
{
	(void)ctx;
	list_add_tail(&forwarded[shard], &p->link);
}

static void *more(void *ctx, size_t *bytes)
{
	(void)ctx;
	if (n_pool_memory == ARRAY_SIZE(pool_memory))
		return NULL;
	*bytes = 256 * PBUF_SIZE;
	return pool_memory[n_pool_memory++] = aligned_alloc(4096, *bytes);
}

void machine_start(uint32_t n)
{
	static struct net_directory *directory;

	n_shards = n;
	current = 0;
	machine_listens[0] = '\0';
	the_process = (struct process){ .pid = 1, .umask = 022 };
	machine_thread = (struct thread){ .process = &the_process, .tid = 1 };
	uthread_main.owner = &machine_thread;
	machine_idle = NULL;
	machine_absent = 0;
	machine_signals = machine_faults = machine_notified = machine_sent[0] = machine_sent[1] = 0;
	net_stopped = false;
	directory = n > 1 ? net_directory_create(net_alloc, 64) : NULL;
	for (uint32_t k = 0; k < LATENCY_KINDS; k++)
		latency_init(&machine_latency[k]);
	for (uint32_t i = 0; i < n; i++) {
		struct net_config c = {
			.mac = { 2, 0, 0, 0, 0, 1 },
			.mtu = 1500,
			.shard = i,
			.n_shards = n,
			.max_conns = 1000,
			.sndbuf_max = 4 << 20,
			.rcvbuf_max = 4 << 20,
			.pool = &pools[i],
			.alloc = net_alloc,
			.free = net_free,
			.ctx = &pools[i],
			.tx = tx,
			.forward = forward,
		};

		shard_of[i] = (struct shard){ .latency = machine_latency,
					      .id = i,
					      .current = &uthread_main,
					      .pbufs = &pools[i],
					      .now_ns = now };
		shards[i] = &shard_of[i];
		list_init(&forwarded[i]);
		pbuf_pool_init(&pools[i], 8192, more, NULL);
		shard_of[i].net = net_create(&c, now);
		if (directory)
			net_set_directory(shard_of[i].net, directory);
		net_set_ip4(shard_of[i].net, 0x0200000a, 24, 0x0100000a, 0);
	}
	if (sockets_init() != 0)
		panic("sockets_init");
}

void machine_stop(void)
{
	for (int i = 0; i < FDS; i++)
		if (fds[i])
			(void)t_close(i);
	if (n_files != 0)
		panic("%d files are left", n_files);
	while (inodes) {
		struct inode *i = inodes;

		inodes = i->next;
		inode_put(i);
	}
	if (outstanding != 0)
		panic("%zu bytes are left", outstanding);
	machine_run(200);
	for (struct list_node *n; (n = list_pop(&net_blocks)) != NULL;)
		free(list_entry(n, struct net_block, link));
	while (n_pool_memory > 0)
		free(pool_memory[--n_pool_memory]);
}

/* ---- calls ---- */
long call6(syscall_fn *fn, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct gw_regs r = { .rdi = a, .rsi = b, .rdx = c, .r10 = d, .r8 = e, .r9 = f };

	return fn(&machine_thread, &r);
}

static long transfer(int fd, void *p, size_t n, bool write)
{
	struct file *f = fd_file(fd);
	struct uio_segment s;
	struct uio u;
	long r;

	if (!f)
		return -EBADF;
	uio_one(&u, &s, PTR(p), n, false);
	r = write ? f->ops->write(f, &u, -1) : f->ops->read(f, &u, -1);
	file_put(f);
	return r;
}

long t_read(int fd, void *to, size_t n)
{
	return transfer(fd, to, n, false);
}

long t_write(int fd, const void *from, size_t n)
{
	return transfer(fd, (void *)(uintptr_t)from, n, true);
}

long t_close(int fd)
{
	struct file *f = fd_take(fd);

	if (!f)
		return -EBADF;
	file_put(f);
	return 0;
}

void t_nonblock(int fd, bool on)
{
	fds[fd]->flags = on ? fds[fd]->flags | O_NONBLOCK : fds[fd]->flags & ~O_NONBLOCK;
}

uint32_t net_default_congestion(void)
{
	return TCP_CUBIC;
}
