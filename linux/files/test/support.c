/* SPDX-License-Identifier: Apache-2.0 */
/* support.c - see support.h. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "runtime/net/net.h"
#include "runtime/virtio/netdev.h"
#include "linux/files/test/support.h"
#include "linux/memory/mm.h"
#include "runtime/platform/platform.h"
#include "runtime/platform/port.h"
#include "linux/metrics.h"
#include "runtime/virtio/blkdev.h"
#include "runtime/virtio/console.h"

uint64_t support_now = 1000;
int support_signals;
size_t support_bytes;
uint32_t support_disk_reads;
int (*support_park)(void);
struct process *process_first;
struct linux_stats linux_stats;
uint32_t n_shards = 1;
char linux_hostname[65] = "test";

static struct shard shard;
static struct uthread self;
static struct thread thread;
static struct process the_process;
static struct fd_table the_fds;
static struct page *pages;
static size_t n_pages, n_free;
static size_t (*reclaimer)(size_t, bool);
static const uint8_t *disk_bytes;
static size_t disk_size;
static bool have_disk;
static struct timer *timers[64];
static size_t n_timers;

struct shard *shard_self_host(void)
{
	return &shard;
}

/* ---- memory ---- */
static void memory_init(size_t n)
{
	if (n_pages)
		munmap((void *)GW_MEM_BASE, (n_pages + 1) * GW_PAGE_SIZE);
	free(pages);
	n_pages = n;
	n_free = n;
	pages = calloc(n + 1, sizeof(*pages));
	if (mmap((void *)GW_MEM_BASE, (n + 1) * GW_PAGE_SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != (void *)GW_MEM_BASE)
		abort();
}
struct page *page_of(uint64_t pa)
{
	return pa / 4096 && pa / 4096 <= n_pages ? &pages[pa / 4096] : NULL;
}
static uint64_t take_page(void)
{
	static size_t hint;

	for (size_t k = 0; k < n_pages; k++) {
		size_t p = 1 + (hint + k) % n_pages;

		if (!pages[p].refs) {
			hint = p;
			pages[p].refs = 1;
			n_free--;
			memset(pa_to_va(p * 4096), 0xa5, 4096);
			return p * 4096;
		}
	}
	return 0;
}
uint64_t page_alloc(void)
{
	uint64_t pa = take_page();

	if (!pa && reclaimer && reclaimer(8, true))
		pa = take_page();
	return pa;
}
uint64_t page_alloc_zero(void)
{
	uint64_t pa = page_alloc();

	if (pa)
		memset(pa_to_va(pa), 0, 4096);
	return pa;
}
uint64_t pages_alloc(size_t n, size_t align)
{
	(void)align;
	for (size_t p = 1; p + n <= n_pages + 1; p++) {
		size_t k = 0;

		while (k < n && !pages[p + k].refs)
			k++;
		if (k == n) {
			for (k = 0; k < n; k++)
				pages[p + k].refs = 1;
			n_free -= n;
			return p * 4096;
		}
	}
	return 0;
}
void pages_free(uint64_t pa, size_t n)
{
	for (size_t k = 0; k < n; k++)
		page_put(pa + k * 4096);
}
void page_get(uint64_t pa)
{
	if (!page_of(pa)->refs)
		abort();
	page_of(pa)->refs++;
}
void page_put(uint64_t pa)
{
	if (!page_of(pa)->refs)
		abort();
	if (--page_of(pa)->refs == 0)
		n_free++;
}
uint64_t mem_total_pages(void)
{
	return n_pages;
}
uint64_t mem_free_pages(void)
{
	return n_free;
}
void mem_add_reclaim(size_t (*reclaim)(size_t want, bool may_park))
{
	reclaimer = reclaim;
}
static struct list_node objects; /* each object has a list_node in front */
static void *object(size_t n)
{
	struct list_node *o = malloc(sizeof(*o) + n);

	if (!objects.next)
		list_init(&objects);
	list_add_tail(&objects, o);
	support_bytes += n;
	return o + 1;
}
static void object_free(void *p)
{
	if (p) {
		list_del((struct list_node *)p - 1);
		free((struct list_node *)p - 1);
	}
}
void support_done(void)
{
	while (objects.next && !list_empty(&objects))
		free(list_pop(&objects));
	support_bytes = 0;
}
void *mem_alloc(size_t n)
{
	return object(n);
}
void *mem_zalloc(size_t n)
{
	return memset(object(n), 0, n);
}
void mem_free(void *p, size_t n)
{
	support_bytes -= n;
	if (p && n > 0)
		memset(p, 0xdd, n); /* under ASan: n beyond the allocation is caught here */
	object_free(p);
}
void *mem_resize(void *p, size_t old_n, size_t new_n)
{
	void *q = object(new_n);

	if (p) {
		memcpy(q, p, GW_MIN(old_n, new_n));
		mem_free(p, old_n);
	}
	return q;
}

/* ---- scheduler ---- */
void waitq_init(struct waitq *q)
{
	q->lock.held = 0;
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
	bool woke = false;

	list_for_each_safe(n, &q->waiters)
	{
		struct waiter *w = list_entry(n, struct waiter, link);

		if ((w->events && !(w->events & events)) || (w->exclusive && woke))
			continue;
		woke |= w->exclusive;
		if (w->notify)
			w->notify(w, events);
	}
}
void mutex_init(struct mutex *m)
{
	*m = (struct mutex){ .holder = NULL };
}
void mutex_lock(struct mutex *m)
{
	if (m->holder) {
		fprintf(stderr, "deadlock: mutex taken twice\n");
		abort();
	}
	m->holder = &self;
}
bool mutex_trylock(struct mutex *m)
{
	if (m->holder)
		return false;
	m->holder = &self;
	return true;
}
void mutex_unlock(struct mutex *m)
{
	if (!m->holder)
		abort();
	m->holder = NULL;
}
int thread_park(uint64_t deadline_ns)
{
	(void)deadline_ns;
	return support_park ? support_park() : -ETIMEDOUT;
}
void uthread_wake(struct uthread *u)
{
	(void)u;
}
void uthread_yield(void)
{
	panic("nobody else runs");
}
void panic(const char *fmt, ...)
{
	(void)fmt;
	abort();
}
void shard_turn(void)
{
}
uint64_t clock_now(void)
{
	return support_now;
}
uint64_t clock_epoch_ns(void)
{
	return 1700000000ull * NS_PER_SEC;
}
int timer_arm(struct timer *t, uint64_t deadline_ns)
{
	timer_cancel(t);
	t->deadline_ns = deadline_ns;
	timers[n_timers++] = t;
	return 0;
}
void timer_cancel(struct timer *t)
{
	for (size_t k = 0; k < n_timers; k++)
		if (timers[k] == t)
			timers[k] = timers[--n_timers];
}
void timer_cancel_sync(struct timer *t)
{
	timer_cancel(t);
}
void support_timers(void)
{
	for (size_t k = 0; k < n_timers; k++) {
		struct timer *t = timers[k];

		if (t->deadline_ns <= support_now) {
			timer_cancel(t);
			t->fire(t);
			k = (size_t)-1;
		}
	}
}

/* ---- the program is this program ---- */
int copy_to_program(uint64_t va, const void *from, size_t n)
{
	if (n && va < 4096)
		return -EFAULT;
	memcpy((void *)va, from, n);
	return 0;
}
int copy_from_program(void *to, uint64_t va, size_t n)
{
	if (n && va < 4096)
		return -EFAULT;
	memcpy(to, (const void *)va, n);
	return 0;
}
long copy_string_from_program(char *to, uint64_t va, size_t size)
{
	size_t n;

	if (va < 4096)
		return -EFAULT;
	n = strnlen((const char *)va, size);
	if (n == size)
		return -ENAMETOOLONG;
	memcpy(to, (const void *)va, n + 1);
	return (long)n;
}
static int uio_move(struct uio *u, void *p, size_t n, bool put)
{
	while (n) {
		size_t part = GW_MIN(n, u->seg[u->at].len - u->off);
		char *at = (char *)u->seg[u->at].va + u->off;

		if (!part) {
			u->at++;
			u->off = 0;
			continue;
		}
		if ((uint64_t)at < 4096)
			return -EFAULT;
		if (put && p)
			memcpy(at, p, part);
		else if (put)
			memset(at, 0, part);
		else
			memcpy(p, at, part);
		p = p ? (char *)p + part : NULL;
		n -= part;
		u->left -= part;
		u->off += part;
	}
	return 0;
}
int uio_put(struct uio *u, const void *from, size_t n)
{
	return uio_move(u, (void *)(uintptr_t)from, n, true);
}
int uio_get(struct uio *u, void *to, size_t n)
{
	return uio_move(u, to, n, false);
}
int uio_zero(struct uio *u, size_t n)
{
	return uio_move(u, NULL, n, true);
}
int uio_fault_in(struct uio *u, bool write)
{
	(void)u, (void)write;
	return 0;
}

/* ---- the rest of the personality and the runtime ---- */
void signal_send(struct thread *t, const struct siginfo64 *info)
{
	(void)t, (void)info;
	support_signals++;
}
void (*signal_arrived)(void);
void signal_set_mask(struct thread *t, sigset64 mask)
{
	t->sigmask = mask;
}
bool signal_take(struct thread *t, sigset64 from, struct siginfo64 *info)
{
	sigset64 set = t->pending & from;

	if (!set)
		return false;
	*info = (struct siginfo64){ .signo = __builtin_ctzll(set) + 1 };
	t->pending &= ~(set & -set);
	return true;
}
struct process *process_of(int pid)
{
	return pid == the_process.pid ? &the_process : NULL;
}
void process_put(struct process *p)
{
	(void)p;
}
int process_next(int pid)
{
	return pid <= the_process.pid ? the_process.pid : -1;
}
int process_parent(struct process *p)
{
	(void)p;
	return 1;
}
struct mm *mm_get(struct mm *mm)
{
	return mm;
}
void mm_put(struct mm *mm)
{
	(void)mm;
}
struct mm *mm_current(void)
{
	return the_process.mm;
}
void mm_enter(struct mm *mm)
{
	(void)mm;
}
struct mm_strings *mm_strings(struct mm *mm)
{
	static struct mm_strings none;

	(void)mm;
	return &none;
}
void mm_truncate(struct inode *inode, uint64_t size)
{
	(void)inode, (void)size;
}
void mm_usage(struct mm *mm, struct mm_usage *out)
{
	(void)mm;
	*out = (struct mm_usage){ .mapped_bytes = 8192 };
}
void mm_maps_text(struct mm *mm, void (*emit)(void *arg, const char *text, size_t n), void *arg)
{
	(void)mm;
	emit(arg, "maps\n", 5);
}
/* ---- ports ---- */
uint32_t support_ports, support_queued;
char support_queue[2][17];
const char *support_sample;
bool support_valid;
static struct port the_ports[2];

int ports_init(void)
{
	static const char *const names[] = { "out", "in" };

	for (uint32_t i = 0; i < 2; i++) {
		the_ports[i] = (struct port){ .name = names[i],
					      .number = i,
					      .bytes = 16,
					      .depth = i == 0 ? 2 : 0,
					      .source = i == 0 };
		waitq_init(&the_ports[i].waitq);
	}
	return 0;
}
uint32_t port_count(void)
{
	return support_ports;
}
struct port *port_at(uint32_t i)
{
	return &the_ports[i];
}
int port_write(struct port *p, const void *message, size_t n)
{
	if (support_queued == p->depth)
		return -EAGAIN;
	memset(support_queue[support_queued], 0, 17);
	memcpy(support_queue[support_queued++], message, n);
	return 0;
}
long port_read(struct port *p, void *to, struct port_state *s)
{
	size_t n = support_sample ? strlen(support_sample) : 0;

	(void)p;
	if (!n)
		return -EAGAIN;
	memcpy(to, support_sample, n);
	*s = (struct port_state){ 1, support_valid, 500 };
	return (long)n;
}
int port_status(struct port *p, struct port_state *s)
{
	*s = p->source ? (struct port_state){ support_queued, false, 400 }
		       : (struct port_state){ support_sample != NULL, support_valid,
					      support_sample ? 500 : 0 };
	return 0;
}

const char *config_get(const char *key)
{
	if (!strcmp(key, "root"))
		return have_disk ? "blk" : "none";
	return NULL;
}
const struct gw_boot_info *platform_boot(void)
{
	return NULL;
}
size_t console_write(unsigned port, const void *data, size_t n)
{
	(void)port, (void)data;
	return n;
}
size_t console_read(unsigned port, void *data, size_t n)
{
	(void)port, (void)data, (void)n;
	return 0;
}
bool console_closed(unsigned port)
{
	(void)port;
	return true;
}
struct waitq *console_waitq(unsigned port)
{
	static struct waitq q;

	(void)port;
	if (!q.waiters.next)
		waitq_init(&q);
	return &q;
}
void metrics_lines(void (*line)(void *ctx, const char *text), void *ctx)
{
	line(ctx, "godwit_test 1");
}
long metrics_record(const char *s, size_t n)
{
	return n == 3 && !strcmp(s, "a 1") ? 0 : -EINVAL;
}
const void *config_attached(uint64_t *len)
{
	*len = 0;
	return NULL;
}
struct blkdev *blkdev_memory(const void *bytes, uint64_t n)
{
	(void)bytes;
	(void)n;
	return NULL;
}
struct blkdev *blkdev_get(uint32_t index)
{
	return index == 0 && have_disk ? (struct blkdev *)&disk_size : NULL;
}
uint64_t blkdev_size(const struct blkdev *d)
{
	(void)d;
	return disk_size;
}
int blkdev_read(struct blkdev *d, uint64_t offset, const struct blk_segment *segments, uint32_t n)
{
	(void)d;
	support_disk_reads++;
	for (uint32_t k = 0; k < n; k++) {
		if (offset % 512 || segments[k].len % 512 || n > 64)
			return -EINVAL;
		for (uint32_t b = 0; b < segments[k].len;
		     b++) /* what is beyond the file's end is not zero */
			((uint8_t *)pa_to_va(segments[k].pa))[b] =
				offset + b < disk_size ? disk_bytes[offset + b] : 0xee;
		offset += segments[k].len;
	}
	return 0;
}
size_t str_copy(char *to, const char *from, size_t size)
{
	size_t n = strlen(from), k = GW_MIN(n, size - 1);

	memcpy(to, from, k);
	to[k] = 0;
	return n;
}
int str_to_u64(const char *s, uint64_t max, uint64_t *out)
{
	char *end;

	*out = strtoull(s, &end, 0);
	return *end || end == s ? -EINVAL : *out > max ? -ERANGE : 0;
}
void random_bytes(void *to, size_t n)
{
	memset(to, 0x5a, n);
}
void log_info(const char *fmt, ...)
{
	(void)fmt;
}
void log_warn(const char *fmt, ...)
{
	(void)fmt;
}

/* ---- set-up ---- */
int support_init(size_t n, const void *disk, size_t disk_len)
{
	support_done(); /* the last one's tree; what must not leak is counted by the tests
			   themselves */
	memory_init(n);
	disk_bytes = disk;
	disk_size = disk_len;
	have_disk = disk != NULL;
	support_disk_reads = 0;
	support_park = NULL;
	n_timers = 0;
	shard.current = &self;
	self.owner = &thread;
	thread = (struct thread){ .tid = 7, .comm = "test" };
	the_process = (struct process){
		.pid = 7, .umask = 022, .mm = (struct mm *)&the_process, .exe_path = "/bin/test"
	};
	list_init(&the_process.threads);
	list_add_tail(&the_process.threads, &thread.link);
	for (int k = 0; k < 16; k++)
		the_process.rlimits[k][0] = the_process.rlimits[k][1] = 1024;
	process_first = &the_process;
	thread.process = &the_process;
	the_process.fds = &the_fds;
	the_fds = (struct fd_table){ .cap = 0, .refs = 1 };
	root_image = (struct root_image){ .n_entries = 0 };
	return files_init();
}

long support_call(long (*fn)(struct thread *, struct gw_regs *), uint64_t a, uint64_t b, uint64_t c,
		  uint64_t d, uint64_t e, uint64_t f)
{
	struct gw_regs r = { .rdi = a, .rsi = b, .rdx = c, .r10 = d, .r8 = e, .r9 = f };

	return fn(&thread, &r);
}

struct image image_build(const struct image_file *files, uint32_t n)
{
	size_t names = 1, data = 0, index;
	struct gw_root h = { .magic = GW_ROOT_MAGIC,
			     .version = GW_ROOT_VERSION,
			     .n_entries = n,
			     .entries_offset = 4096 };
	struct gw_root_entry *e;
	struct image im;
	size_t at = 1;

	for (uint32_t k = 0; k < n; k++) {
		names += strlen(files[k].name) + 1 +
			 (S_ISLNK(files[k].mode) ? files[k].size + 1 : 0);
		data += S_ISREG(files[k].mode) ? ROUND_UP(files[k].size, 4096) : 0;
	}
	h.names_offset = 4096 + n * sizeof(*e);
	h.names_len = (uint32_t)names;
	index = ROUND_UP(h.names_offset + names, 4096);
	h.index_len = index;
	h.size = im.len = index + data;
	im.bytes = calloc(1, im.len);
	e = (void *)(im.bytes + 4096);
	data = index;
	for (uint32_t k = 0; k < n; k++) {
		char *text = (char *)im.bytes + h.names_offset;

		e[k] = (struct gw_root_entry){ .parent = files[k].parent,
					       .name = (uint32_t)at,
					       .mode = files[k].mode,
					       .mtime = 5,
					       .size = files[k].size };
		strcpy(text + at, files[k].name);
		at += strlen(files[k].name) + 1;
		if (S_ISLNK(files[k].mode)) {
			e[k].data = at;
			memcpy(text + at, files[k].data, files[k].size);
			at += files[k].size + 1;
		} else if (S_ISREG(files[k].mode)) {
			e[k].data = data;
			memcpy(im.bytes + data, files[k].data, files[k].size);
			memset(im.bytes + data + files[k].size, 0xcc,
			       ROUND_UP(files[k].size, 4096) - files[k].size);
			data += ROUND_UP(files[k].size, 4096);
		}
	}
	memcpy(im.bytes, &h, sizeof(h));
	image_seal(&im);
	return im;
}

void image_seal(struct image *im)
{
	struct gw_root *h = (void *)im->bytes;

	h->crc = 0;
	if (h->index_len <= im->len)
		h->crc = crc32c(0, im->bytes, h->index_len);
}

const struct net_ip6 *net_get_ip6(const struct net_stack *s)
{
	static const struct net_ip6 ip = {
		.addr = { { { 0xfe, 0x80, [15] = 5 }, 64, NET_IP6_PREFERRED, GW_NEVER, GW_NEVER },
			  { { 0x20, 1, [15] = 5 }, 56, NET_IP6_DEPRECATED, 0, 1 } }
	};

	(void)s;
	return &ip;
}

struct netdev *netdev_get(void)
{
	return NULL;
}
