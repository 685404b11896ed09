/* SPDX-License-Identifier: Apache-2.0 */
/* fake.c - see fake.h. */
#include "runtime/virtio/test/fake.h"
#include "runtime/base/errno.h"
#include "runtime/base/str.h"
#include <stdio.h>
#include <stdlib.h>

struct fake_device fake;
struct gw_boot_info fake_boot;
uint64_t fake_now_ns;
struct shard fake_shard, *fake_current = &fake_shard;
uint64_t fake_events;
unsigned fake_warnings;
char fake_uart[256];
uint8_t fake_entropy[256];
size_t fake_entropy_len;
uint64_t fake_notified;
uint64_t fake_total_pages = 4096;
struct timer *fake_timer;
bool (*fake_on_park)(void);

/* Devices are never given back: what they keep is no leak. Packet buffers are counted by the tests.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

static struct gw_vcore vcore;
static struct uthread self;
static unsigned parks;
struct shard *shards[SHARD_MAX] = { &fake_shard };
uint32_t n_shards = 1;

/* ---- memory: bus address = host address - GW_MEM_BASE, modulo 2^64 ---- */

/* What is handed out, so that a test's leftovers go with fake_reset. */
static struct {
	void *p;
	size_t n;
} held[4096];
static unsigned n_held;

static void *hold(size_t align, size_t n)
{
	void *p = aligned_alloc(align, ROUND_UP(GW_MAX(n, (size_t)1), align));

	if (n_held == ARRAY_SIZE(held))
		abort();
	held[n_held].p = p;
	held[n_held++].n = n;
	return p;
}

/* A free of what is not held, or with another size than its allocation, is the driver's mistake. */
static void release(void *p, size_t n)
{
	for (unsigned i = n_held; i-- != 0;) {
		if (held[i].p == p) {
			if (held[i].n != n)
				abort();
			held[i] = held[--n_held];
			free(p);
			return;
		}
	}
	abort();
}

void *mem_alloc(size_t n)
{
	return hold(16, n);
}

void *mem_zalloc(size_t n)
{
	return memset(mem_alloc(n), 0, n);
}

void mem_free(void *p, size_t n)
{
	if (p != NULL)
		release(p, n);
}

uint64_t pages_alloc(size_t n, size_t align)
{
	(void)align;
	return va_to_pa(hold(GW_PAGE_SIZE, n * GW_PAGE_SIZE));
}

void pages_free(uint64_t pa, size_t n)
{
	release(pa_to_va(pa), n * GW_PAGE_SIZE);
}

uint64_t mem_total_pages(void)
{
	return fake_total_pages;
}

/* ---- platform and scheduler ---- */

const struct gw_boot_info *platform_boot(void)
{
	return &fake_boot;
}

int platform_bind_irq(uint32_t device_index, uint32_t vector)
{
	(void)device_index;
	return vector < fake.dev.vectors ? (int)(8 + vector) : -EINVAL;
}

long gw_call(unsigned nr, uint64_t a, uint64_t b, uint64_t c)
{
	(void)b;
	(void)c;
	if (nr == GW_CALL_NOTIFY)
		fake_notified |= 1ull << a;
	if (nr == GW_CALL_CONSOLE_WRITE)
		strncat(fake_uart, (char *)vcore.batch.bytes,
			GW_MIN(sizeof(fake_uart) - 1 - strlen(fake_uart), (size_t)a));
	return 0;
}

struct shard *shard_self_host(void)
{
	return fake_current;
}

void shard_add_poller(struct poller *p)
{
	list_add_tail(&fake_current->pollers, &p->link);
}

void uthread_wake(struct uthread *u)
{
	(void)u;
}

int uthread_park(uint64_t deadline_ns)
{
	if (++parks > 1000000) {
		fprintf(stderr, "parked a million times\n");
		abort();
	}
	if (fake_on_park != NULL && fake_on_park())
		return 0;
	if (deadline_ns == GW_NEVER) {
		fprintf(stderr, "parked for ever\n");
		abort();
	}
	fake_now_ns = deadline_ns;
	return -ETIMEDOUT;
}

uint64_t clock_now(void)
{
	fake_now_ns += 1000;
	return fake_current->now_ns = fake_now_ns;
}

int timer_arm(struct timer *t, uint64_t deadline_ns)
{
	t->deadline_ns = deadline_ns;
	fake_timer = t;
	return 0;
}

void waitq_init(struct waitq *q)
{
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
	list_for_each (n, &q->waiters) {
		struct waiter *w = list_entry(n, struct waiter, link);

		if (w->notify != NULL)
			w->notify(w, events);
	}
}

void random_bytes(void *to, size_t n)
{
	memset(to, 0x5a, n);
}

void random_seed(const void *entropy, size_t n)
{
	fake_entropy_len = n;
	memcpy(fake_entropy, entropy, GW_MIN(n, sizeof(fake_entropy)));
}

int fmt_vprint(char *to, size_t size, const char *fmt, va_list args)
{
	return vsnprintf(to, size, fmt, args);
}

void log_info(const char *fmt, ...)
{
	(void)fmt;
}

void log_warn(const char *fmt, ...)
{
	(void)fmt;
	fake_warnings++;
}

void panic(const char *fmt, ...)
{
	fprintf(stderr, "panic: %s\n", fmt);
	abort();
}

void fake_turn(void)
{
	clock_now();
	fake_shard.events = fake_events;
	list_for_each_safe(n, &fake_shard.pollers)
	{
		struct poller *p = list_entry(n, struct poller, link);

		if (p->poll != NULL)
			(void)p->poll(p);
	}
	list_for_each_safe(n, &fake_shard.pollers)
	{
		struct poller *p = list_entry(n, struct poller, link);

		if (p->flush != NULL)
			p->flush(p);
	}
}

static uint64_t deadline; /* of the last fake_arm */

bool fake_arm(void)
{
	bool work = false;

	deadline = GW_NEVER;
	list_for_each_safe(n, &fake_shard.pollers)
	{
		struct poller *p = list_entry(n, struct poller, link);

		if (p->arm != NULL && p->arm(p, &deadline))
			work = true;
	}
	return work;
}

uint64_t fake_deadline(void)
{
	(void)fake_arm();
	return deadline;
}

/* ---- registers ---- */

static void reset_device(void)
{
	fake.resets++;
	for (unsigned i = 0; i < FAKE_QUEUES; i++) {
		uint16_t max = fake.q[i].max;

		fake.q[i] = (struct fake_queue){ .max = max, .num = max };
	}
	fake.accepted = 0;
}

static void write_status(uint8_t v)
{
	if (v == 0) {
		if (fake.never_resets)
			return;
		reset_device();
	}
	if (fake.refuse_features)
		v &= (uint8_t)~VIRTIO_FEATURES_OK;
	fake.status = v;
}

static void kick(uint64_t i)
{
	if (i >= FAKE_QUEUES)
		return;
	fake.q[i].kicks++;
	if (fake.on_kick != NULL)
		fake.on_kick(&fake, (unsigned)i);
}

static uint64_t half(uint64_t v)
{
	return fake.feature_sel ? v >> 32 : v & 0xffffffff;
}

static void accept(uint64_t v)
{
	if (fake.feature_sel)
		fake.accepted = (fake.accepted & 0xffffffff) | v << 32;
	else
		fake.accepted = (fake.accepted & ~0xffffffffull) | v;
}

static void set_half(uint64_t *where, bool high, uint64_t v)
{
	*where = high ? (*where & 0xffffffff) | v << 32 : (*where & ~0xffffffffull) | v;
}

static uint64_t read_config(uint64_t off, unsigned bytes)
{
	uint64_t v = 0;

	if (off + bytes <= sizeof(fake.config))
		memcpy(&v, fake.config + off, bytes);
	return v;
}

static uint64_t generation(void)
{
	return fake.generation_moves ? ++fake.generation : fake.generation;
}

static struct fake_queue *selected(void)
{
	static struct fake_queue none;

	return fake.queue_sel < FAKE_QUEUES ? &fake.q[fake.queue_sel] : &none;
}

static uint64_t mmio_read(uint64_t r, unsigned bytes)
{
	if (r >= 0x100)
		return read_config(r - 0x100, bytes);
	switch (r) {
	case 0x00:
		return 0x74726976;
	case 0x04:
		return 2;
	case 0x08:
		return fake.id;
	case 0x10:
		return half(fake.offer);
	case 0x34:
		return selected()->max;
	case 0x44:
		return selected()->ready;
	case 0x70:
		fake.sync_reads++;
		return fake.status;
	case 0xfc:
		return generation();
	default:
		return 0;
	}
}

static void mmio_write(uint64_t r, uint64_t v)
{
	struct fake_queue *q = selected();

	switch (r) {
	case 0x14:
	case 0x24:
		fake.feature_sel = (uint32_t)v;
		break;
	case 0x20:
		accept(v);
		break;
	case 0x30:
		fake.queue_sel = (uint32_t)v;
		break;
	case 0x38:
		q->num = (uint16_t)v;
		break;
	case 0x44:
		q->ready = v != 0;
		break;
	case 0x50:
		kick(v);
		break;
	case 0x64:
		fake.acks++;
		break;
	case 0x70:
		write_status((uint8_t)v);
		break;
	case 0x80:
	case 0x84:
		set_half(&q->desc, r & 4, v);
		break;
	case 0x90:
	case 0x94:
		set_half(&q->avail, r & 4, v);
		break;
	case 0xa0:
	case 0xa4:
		set_half(&q->used, r & 4, v);
		break;
	default:
		break;
	}
}

/* BAR 4 as QEMU has it: common at 0, isr 0x1000, device 0x2000, notify 0x3000 with multiplier 4. */
static uint64_t pci_read(uint64_t r, unsigned bytes)
{
	if (r >= 0x2000 && r < 0x3000)
		return read_config(r - 0x2000, bytes);
	switch (r) {
	case 0x04:
		return half(fake.offer);
	case 0x12:
		return FAKE_QUEUES;
	case 0x14:
		fake.sync_reads++;
		return fake.status;
	case 0x15:
		return generation() & 0xff;
	case 0x18:
		return selected()->num;
	case 0x1a:
		return fake.no_vectors ? VIRTIO_NO_VECTOR : selected()->vector;
	case 0x1e:
		return fake.queue_sel;
	default:
		return 0;
	}
}

static void pci_write(uint64_t r, uint64_t v)
{
	struct fake_queue *q = selected();

	if (r >= 0x3000) {
		kick((r - 0x3000) / 4);
		return;
	}
	switch (r) {
	case 0x00:
	case 0x08:
		fake.feature_sel = (uint32_t)v;
		break;
	case 0x0c:
		accept(v);
		break;
	case 0x14:
		write_status((uint8_t)v);
		break;
	case 0x16:
		fake.queue_sel = (uint32_t)v;
		break;
	case 0x18:
		q->num = (uint16_t)v;
		break;
	case 0x1a:
		q->vector = (uint16_t)v;
		break;
	case 0x1c:
		q->ready = v != 0;
		break;
	case 0x20:
	case 0x24:
		set_half(&q->desc, r & 4, v);
		break;
	case 0x28:
	case 0x2c:
		set_half(&q->avail, r & 4, v);
		break;
	case 0x30:
	case 0x34:
		set_half(&q->used, r & 4, v);
		break;
	default:
		break;
	}
}

uint64_t fake_read(uint64_t addr, unsigned bytes)
{
	if (addr - FAKE_PCI < FAKE_PCI_LEN)
		return pci_read(addr - FAKE_PCI, bytes);
	if (addr - FAKE_MMIO < 0x200)
		return mmio_read(addr - FAKE_MMIO, bytes);
	fprintf(stderr, "read outside the registers: %llx\n", (unsigned long long)addr);
	abort();
}

void fake_write(uint64_t addr, unsigned bytes, uint64_t value)
{
	if (addr - FAKE_PCI < FAKE_PCI_LEN) {
		pci_write(addr - FAKE_PCI, value);
	} else if (addr - FAKE_MMIO < 0x200) {
		mmio_write(addr - FAKE_MMIO, value);
	} else {
		fprintf(stderr, "write outside the registers: %llx (%u)\n",
			(unsigned long long)addr, bytes);
		abort();
	}
}

/* ---- set-up ---- */

static void cap(struct gw_device *d, unsigned at, unsigned next, unsigned type, uint32_t off,
		uint32_t len)
{
	uint8_t *c = d->config + at;

	c[0] = 0x09;
	c[1] = (uint8_t)next;
	c[2] = type == 2 ? 20 : 16;
	c[3] = (uint8_t)type;
	c[4] = 4;
	memcpy(c + 8, &off, 4);
	memcpy(c + 12, &len, 4);
	if (type == 2)
		c[16] = 4;
}

void fake_pci_config(struct gw_device *d, uint32_t id)
{
	*d = (struct gw_device){ .kind = GW_DEVICE_PCI,
				 .vectors = 4,
				 .vendor = 0x1af4,
				 .device = (uint16_t)(0x1040 + id) };
	d->bars[4] = (struct gw_bar){ FAKE_PCI, FAKE_PCI_LEN };
	d->config[6] = 0x10;
	d->config[0x34] = 0x40;
	cap(d, 0x40, 0x50, 1, 0, 0x1000);
	cap(d, 0x50, 0x60, 3, 0x1000, 0x1000);
	cap(d, 0x60, 0x70, 4, 0x2000, 0x1000);
	cap(d, 0x70, 0, 2, 0x3000, 0x1000);
}

void fake_reset(enum gw_device_kind kind, uint32_t id, uint64_t offer, uint16_t max)
{
	while (n_held != 0)
		free(held[--n_held].p);
	fake = (struct fake_device){ .id = id, .offer = offer };
	if (kind == GW_DEVICE_PCI) {
		fake_pci_config(&fake.dev, id);
	} else {
		fake.dev = (struct gw_device){ .kind = GW_DEVICE_MMIO,
					       .vectors = 1,
					       .vendor = 0x1af4,
					       .device = (uint16_t)id };
		fake.dev.bars[0] = (struct gw_bar){ FAKE_MMIO, 0x200 };
	}
	for (unsigned i = 0; i < FAKE_QUEUES; i++)
		fake.q[i].max = fake.q[i].num = max;
	fake_shard = (struct shard){ .vcore = &vcore, .current = &self };
	fake_events = ~0ull;
	list_init(&fake_shard.pollers);
	self.shard = &fake_shard;
	fake_current = &fake_shard;
	fake_warnings = parks = 0;
	fake_uart[0] = '\0';
	fake_entropy_len = 0;
	fake_on_park = NULL;
	fake_timer = NULL;
	fake_boot.devices[0] = fake.dev;
	fake_boot.n_devices = 1;
}

/* ---- rings, as 2.7 has them ---- */

bool fake_pop(unsigned queue, struct fake_chain *c)
{
	struct fake_queue *q = &fake.q[queue];
	struct vring_desc *table = pa_to_va(q->desc);
	struct vring_avail *avail = pa_to_va(q->avail);
	unsigned n = q->num, at;

	if (!q->ready || atomic_load(&avail->idx) == q->avail_seen)
		return false;
	*c = (struct fake_chain){ .id = avail->ring[q->avail_seen++ % q->num] };
	at = c->id;
	if (table[at].flags & VRING_DESC_INDIRECT) {
		n = table[at].len / (unsigned)sizeof(*table);
		table = pa_to_va(table[at].addr);
		at = 0;
		c->indirect = true;
	}
	for (unsigned i = 0; i < n; i++) {
		struct vring_desc *d = &table[at];

		if (d->flags & VRING_DESC_WRITE) {
			c->in[c->n_in].p = pa_to_va(d->addr);
			c->in[c->n_in++].len = d->len;
			c->in_len += d->len;
		} else {
			c->out[c->n_out].p = pa_to_va(d->addr);
			c->out[c->n_out++].len = d->len;
			c->out_len += d->len;
		}
		if (!(d->flags & VRING_DESC_NEXT))
			break;
		at = d->next;
	}
	return true;
}

void fake_put(unsigned queue, uint16_t at, uint32_t id, uint32_t len)
{
	struct vring_used *used = pa_to_va(fake.q[queue].used);
	struct vring_used_elem *e = &used->ring[at % fake.q[queue].num];

	atomic_store(&e->id, id);
	atomic_store(&e->len, len);
}

void fake_publish(unsigned queue, uint16_t idx)
{
	struct vring_used *used = pa_to_va(fake.q[queue].used);

	atomic_store(&used->idx, idx);
	fake.q[queue].used_idx = idx;
}

void fake_push(unsigned queue, uint32_t id, uint32_t len)
{
	fake_put(queue, fake.q[queue].used_idx, id, len);
	fake_publish(queue, (uint16_t)(fake.q[queue].used_idx + 1));
}

uint32_t fake_write_in(const struct fake_chain *c, const void *data, uint32_t n)
{
	const uint8_t *from = data;
	uint32_t done = 0;

	for (unsigned i = 0; i < c->n_in && done < n; i++) {
		uint32_t k = GW_MIN(c->in[i].len, n - done);

		memcpy(c->in[i].p, from + done, k);
		done += k;
	}
	return done;
}

uint32_t fake_read_out(const struct fake_chain *c, void *data, uint32_t n)
{
	uint8_t *to = data;
	uint32_t done = 0;

	for (unsigned i = 0; i < c->n_out && done < n; i++) {
		uint32_t k = GW_MIN(c->out[i].len, n - done);

		memcpy(to + done, c->out[i].p, k);
		done += k;
	}
	return done;
}

bool fake_interrupts(unsigned queue, uint16_t old)
{
	struct fake_queue *q = &fake.q[queue];
	struct vring_avail *avail = pa_to_va(q->avail);
	uint16_t event = avail->ring[q->num];

	return (uint16_t)(q->used_idx - event - 1) < (uint16_t)(q->used_idx - old);
}
