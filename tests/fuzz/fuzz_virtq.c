/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_virtq.c - the input is what a device does: it answers, lies, scribbles over rings and
 * buffers, while the net, console, blk and rng drivers go on. Nothing outside the shared memory may
 * change (sanitizers), and packet buffers are conserved. Configuration space of a PCI device comes
 * from the input too. */
#include "runtime/virtio/blkdev.h"
#include "runtime/virtio/console_internal.h"
#include "runtime/virtio/misc.h"
#include "runtime/virtio/net_internal.h"
#include "runtime/virtio/test/fake.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t *in;
static size_t left;

static uint8_t byte(void)
{
	if (left == 0)
		return 0;
	left--;
	return *in++;
}

static uint16_t word(void)
{
	uint8_t low = byte();

	return (uint16_t)(low | byte() << 8);
}

static uint32_t dword(void)
{
	uint32_t low = word();

	return low | (uint32_t)word() << 16;
}

static struct pbuf_pool pool;
static struct netdev_queue *queue;
static struct pbuf *received[32];
static unsigned n_received;

static void *more(void *ctx, size_t *bytes)
{
	(void)ctx;
	*bytes = 16 * PBUF_SIZE;
	return pa_to_va(pages_alloc(*bytes / GW_PAGE_SIZE, 1));
}

static void input(void *ctx, struct pbuf *p)
{
	uint32_t sum = 0, n = 0;

	(void)ctx;
	/* Every byte and word of the packet that TCP/IP would believe. */
	for (struct pbuf *f = p; f != NULL; f = f->next) {
		n += f->len;
		for (uint32_t i = 0; i < f->len; i++)
			sum += f->data[i];
	}
	if (n != p->total ||
	    ((p->flags & PBUF_CSUM_PARTIAL) && p->csum_start + p->csum_offset + 2u > n))
		abort();
	if (sum % 3 == 0 && n_received < ARRAY_SIZE(received))
		received[n_received++] = p;
	else
		pbuf_free(&pool, p);
}

/* Device-side steps on queue q. */
static void device_step(unsigned q, uint8_t op)
{
	struct fake_queue *f = &fake.q[q];
	struct vring_avail *avail = pa_to_va(f->avail);
	struct vring_used *used = pa_to_va(f->used);
	struct fake_chain c;

	if (!f->ready)
		return;
	switch (op % 8) {
	case 0: /* honest answer with the input's bytes */
	case 1:
		if (avail->idx != f->avail_seen && avail->ring[f->avail_seen % f->num] < f->num) {
			uint8_t data[64];
			uint32_t n;

			/* the ring may have been scribbled over: only follow what the driver surely
			 * wrote */
			if (op & 0x80)
				break;
			if (!fake_pop(q, &c))
				break;
			for (n = 0; n < sizeof(data) && n < (op >> 3); n++)
				data[n] = byte();
			n = fake_write_in(&c, data, n);
			fake_push(q, c.id, op & 1 ? c.in_len : n);
		}
		break;
	case 2: /* any element */
		fake_push(q, byte(), word());
		break;
	case 3: /* any index */
		fake_publish(q, op & 8 ? word() : (uint16_t)(f->used_idx + (op >> 4)));
		break;
	case 4: /* elements without an index */
		fake_put(q, byte(), dword(), dword());
		break;
	case 5: /* event fields and flags */
		*(uint16_t *)(void *)&used->ring[f->num] = word();
		atomic_store(&used->flags, byte());
		break;
	case 6: /* completions out of order, ids in sequence */
		fake_push(q, (uint32_t)(op >> 3), word() % 2100);
		break;
	default:
		break;
	}
}

static void scribble(unsigned q)
{
	struct fake_queue *f = &fake.q[q];
	uint8_t *at;

	if (!f->ready)
		return;
	at = (uint8_t *)pa_to_va(f->desc) + word() % (16u * f->num);
	*at = byte();
	at = (uint8_t *)pa_to_va(f->avail) + 4 + word() % (2u * f->num);
	*at = byte();
	/* from now on an honest answer could follow a wild descriptor: as the device's own fault it
	 * is not made */
	f->ready = false;
}

static void send(uint8_t op)
{
	struct pbuf *p = pbuf_alloc(&pool, op & 1 ? 64 : 4), *q = p;

	if (p == NULL)
		return;
	memset(p->data, op, 100);
	p->len = p->total = 60;
	for (int i = 0; i < (op >> 5); i++) {
		q->next = pbuf_alloc(&pool, 0);
		if (q->next == NULL)
			break;
		q = q->next;
		q->len = 30;
		p->total += 30;
	}
	(void)netdev_tx(queue, p);
}

static void turn(void)
{
	fake_now_ns += NS_PER_MS;
	fake_turn();
}

static void fuzz_net(uint64_t offer)
{
	struct vdev v;

	n_received = 0;
	fake_reset(byte() & 1 ? GW_DEVICE_PCI : GW_DEVICE_MMIO, VIRTIO_ID_NET, offer,
		   byte() & 1 ? 256 : 16);
	for (unsigned i = 0; i < 12; i++)
		fake.config[i] = byte();
	net_forget();
	if (vdev_probe(&v, &fake.dev, 0, byte() & 1) != 0 || net_probe(&v) != 0)
		return;
	pbuf_pool_init(&pool, 256, more, NULL);
	queue = netdev_open(netdev_get(), 0, &pool, input, NULL);
	while (left != 0) {
		uint8_t op = byte();

		switch (op & 7) {
		case 0:
			turn();
			break;
		case 1:
			send(byte());
			break;
		case 2:
			(void)fake_arm();
			break;
		case 3:
			scribble(op >> 7);
			break;
		case 4:
			if (n_received != 0)
				pbuf_free(&pool, received[--n_received]);
			break;
		default:
			device_step(op >> 6 & 1, byte());
			break;
		}
	}
	/* Stopped, the device lets go of everything. */
	(void)vdev_stop(&netdev_get()->v, "end of input");
	for (int i = 0; i < 8 && queue->open; i++)
		turn();
	while (n_received != 0)
		pbuf_free(&pool, received[--n_received]);
	if (queue->open || pool.n_total != pool.n_free)
		abort(); /* lost or doubled */
}

static bool console_park(void)
{
	turn();
	if (left == 0)
		con_stop("end of input");
	device_step(byte() % FAKE_QUEUES, byte());
	return true;
}

static void fuzz_console(uint64_t offer)
{
	struct vdev v;
	char text[700];

	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_CONSOLE, offer | VIRTIO_F_VERSION_1, 64);
	fake.config[4] = byte();
	console_forget();
	misc_init();
	if (vdev_probe(&v, &fake.dev, 0, true) != 0 || console_probe(&v) != 0)
		return;
	fake_on_park = console_park;
	while (left != 0) {
		uint8_t op = byte();

		switch (op & 3) {
		case 0:
			turn();
			break;
		case 1:
			memset(text, 'x', sizeof(text));
			fake_shard.nofault = op >> 7;
			console_write(op >> 2 & 3, text, word() % sizeof(text));
			fake_shard.nofault = 0;
			break;
		case 2:
			(void)console_read(op >> 2 & 3, text, byte());
			break;
		default:
			device_step(byte() % FAKE_QUEUES, byte());
			break;
		}
	}
}

static bool blk_park(void)
{
	fake_now_ns += 10 * NS_PER_MS;
	device_step(0, byte());
	turn();
	return left != 0;
}

static void fuzz_blk(uint64_t offer)
{
	struct vdev v;
	struct blk_segment segs[3];
	uint64_t pa;

	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_BLOCK, offer | VIRTIO_F_VERSION_1, 64);
	for (unsigned i = 0; i < 24; i++)
		fake.config[i] = byte();
	fake.config[7] = 0;
	blk_forget();
	misc_init();
	if (vdev_probe(&v, &fake.dev, 0, true) != 0 || blk_probe(&v) != 0)
		return;
	fake_on_park = blk_park;
	pa = pages_alloc(1, 1);
	while (left != 0) {
		uint32_t n = 1u + byte() % 3;

		for (uint32_t i = 0; i < n; i++)
			segs[i] = (struct blk_segment){ pa + i * 512, 512 };
		(void)blkdev_read(blkdev_get(0), 512u * byte(), segs, n);
	}
}

static void fuzz_config(uint64_t offer)
{
	struct vdev v;
	struct vq q;

	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_RNG, offer, 64);
	while (left != 0)
		fake.dev.config[byte()] = byte();
	if (vdev_probe(&v, &fake.dev, 0, false) != 0 || vdev_negotiate(&v, 0) != 0)
		return;
	for (uint16_t i = 0; i < 12; i++) {
		if (vdev_queue(&v, &q, i, 8, 0) == 0)
			vq_destroy(&q);
	}
	for (uint32_t off = 0; off < 0x1100; off += 0x77)
		(void)vdev_cfg64(&v, off);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t which, features;
	uint64_t offer = VIRTIO_F_VERSION_1;

	in = data;
	left = size;
	which = byte();
	features = byte();
	if (features & 1)
		offer |= VIRTIO_F_EVENT_IDX;
	if (features & 2)
		offer |= VIRTIO_F_INDIRECT_DESC;
	if (features & 4)
		offer |= VIRTIO_BIT(NET_F_MRG_RXBUF);
	if (features & 8)
		offer |= VIRTIO_BIT(NET_F_CSUM) | VIRTIO_BIT(NET_F_GUEST_CSUM);
	if (features & 16)
		offer |= VIRTIO_BIT(NET_F_GUEST_TSO4) | VIRTIO_BIT(NET_F_HOST_TSO4) |
			 VIRTIO_BIT(NET_F_MTU);
	if (features & 32)
		offer |= CON_F_MULTIPORT;
	if (features & 64)
		offer |= VIRTIO_BIT(2) | VIRTIO_BIT(6); /* blk: SEG_MAX, BLK_SIZE */
	fake_now_ns = 0;
	switch (which % 4) {
	case 0:
		fuzz_net(offer);
		break;
	case 1:
		fuzz_console(offer);
		break;
	case 2:
		fuzz_blk(offer);
		break;
	default:
		fuzz_config(offer);
		break;
	}
	return 0;
}
