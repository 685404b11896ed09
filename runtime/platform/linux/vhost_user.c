/* SPDX-License-Identifier: Apache-2.0 */
/* vhost_user.c - virtio-net whose device is another process: a transport
 * (runtime/virtio/transport.h) that speaks the vhost-user protocol (QEMU,
 * docs/interop/vhost-user.rst) over a socket. The partition's memory is a memory file that the back
 * end maps; rings and buffers lie in it, doorbells and interrupts are eventfds. The back end is not
 * trusted with anything but that memory: its answers are checked, its rings are read by
 * runtime/virtio, which believes nothing. */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/mem/mem.h"
#include "runtime/platform/linux/hosted.h"
#include "runtime/platform/linux/netdevs.h"
#include "runtime/platform/linux/vhost_message.h"
#include "runtime/virtio/misc.h"
#include "runtime/virtio/transport.h"

#define F_PROTOCOL_FEATURES VIRTIO_BIT(30)
#define NET_F_CTRL 17 /* and up to 23: what the control queue is for, and several queue pairs */
#define QUEUES 2u
enum { R_OFFERED_SELECT = 0, R_OFFERED = 4, R_ACCEPTED_SELECT = 8, R_ACCEPTED = 12 };
#define BELL_BASE 0x1000u /* "registers" that runtime/virtio rings: BELL_BASE + queue */

static struct {
	struct netdev dev; /* first */
	const char *path;
	uint8_t status;
	unsigned half;	   /* of the feature bits, selected */
	uint64_t accepted; /* the low one */
	bool protocol;	   /* protocol features: rings must be enabled */
	struct {
		int kick, call;
		bool started;
	} queues[QUEUES];
	struct netdev_queue q;
	struct virtio_netdev_queue *driver;
	struct gw_device device;
	struct poller poller;
	uint64_t looked_ns;
} vu;

/* runtime/virtio/net.c under its names here (virtio_names.h). */
struct virtio_netdev;
struct virtio_netdev *virtio_netdev_get(void);
const struct netdev_info *virtio_netdev_info(const struct virtio_netdev *d);
struct virtio_netdev_queue *virtio_netdev_open(struct virtio_netdev *d, uint32_t q,
					       struct pbuf_pool *pool,
					       void (*input)(void *ctx, struct pbuf *frame),
					       void *ctx);
int virtio_netdev_tx(struct virtio_netdev_queue *q, struct pbuf *frame);
const struct netdev_drops *virtio_netdev_drops(const struct virtio_netdev_queue *q);

static _Noreturn void cannot(const char *what)
{
	hosted_fail("--net vhost-user=%s: %s%s%s", vu.path, what, errno != 0 ? ": " : "",
		    errno != 0 ? strerror(errno) : "");
}

/* ---- the transport ---- */

static uint8_t get_status(struct vdev *d)
{
	(void)d;
	return vu.status;
}

static void stop_queues(void)
{
	for (uint32_t i = 0; i < QUEUES; i++) {
		struct vu_message m = { .u.state = { i, 0 } };

		if (!vu.queues[i].started || vhost_fd < 0)
			continue;
		vu.queues[i].started = false;
		vhost_tell(&m, GET_VRING_BASE, sizeof(m.u.state), -1);
		if (!vhost_hear(&m, GET_VRING_BASE, sizeof(m.u.state)))
			log_warn("vhost-user: the back end does not stop queue %u", i);
	}
}

static void set_status(struct vdev *d, uint8_t status)
{
	(void)d;
	if (status == 0)
		stop_queues();
	if ((status & VIRTIO_DRIVER_OK) && !(vu.status & VIRTIO_DRIVER_OK) && vu.protocol)
		for (uint32_t i = 0; i < QUEUES; i++)
			vhost_tell_state(SET_VRING_ENABLE, i, 1);
	vu.status = status;
}

static uint64_t features(void)
{
	uint64_t v = 0;

	if (!vhost_ask_u64(GET_FEATURES, &v))
		return 0;
	/* one queue pair, no control queue: those messages would be ours to translate */
	return v & ~F_PROTOCOL_FEATURES & ~(0x7full << NET_F_CTRL);
}

static void share_memory(void)
{
	struct vu_message m = { .u.memory = { .n = 1,
					      .guest_pa = HOSTED_MEM_PA,
					      .bytes = hosted_memory.bytes,
					      .front_va = (uint64_t)hosted_memory.base } };

	vhost_tell(&m, SET_MEM_TABLE, sizeof(m.u.memory), hosted_memory.fd);
}

static void set_features(uint64_t wanted)
{
	vhost_tell_u64(SET_FEATURES, wanted | (vu.protocol ? F_PROTOCOL_FEATURES : 0), -1);
	share_memory();
}

static uint32_t generation(struct vdev *d)
{
	(void)d;
	return 0;
}

static uint32_t queue_max(struct vdev *d, uint16_t index)
{
	(void)d;
	return index < QUEUES ? VQ_SIZE_MAX : 0;
}

static int queue_start(struct vdev *d, struct vq *q, uint16_t vector)
{
	struct vu_message m = { .u.addr = { .index = q->index,
					    .desc = (uint64_t)q->desc,
					    .used = (uint64_t)q->used,
					    .avail = (uint64_t)q->avail } };
	uint32_t i = q->index;

	(void)d;
	q->bell = (struct vq_doorbell){ .notify = BELL_BASE + i, .sync = BELL_BASE + i };
	vu.queues[i].kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	vu.queues[i].call = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (vu.queues[i].kick < 0 || vu.queues[i].call < 0)
		return -EIO;
	vhost_tell_state(SET_VRING_NUM, i, q->mask + 1u);
	vhost_tell_state(SET_VRING_BASE, i, 0);
	vhost_tell(&m, SET_VRING_ADDR, sizeof(m.u.addr), -1);
	/* without a vector nobody looks: the descriptor is given, and never written if the ring
	 * says so */
	(void)vector;
	vhost_tell_u64(SET_VRING_CALL, i, vu.queues[i].call);
	vhost_tell_u64(SET_VRING_KICK, i, vu.queues[i].kick);
	vu.queues[i].started = true;
	return 0;
}

static const struct vtransport transport = {
	.name = "vhost-user",
	.status = get_status,
	.set_status = set_status,
	.offered = { R_OFFERED_SELECT, R_OFFERED },
	.accepted = { R_ACCEPTED_SELECT, R_ACCEPTED },
	.generation = generation,
	.queue_max = queue_max,
	.queue_start = queue_start,
};

/* ---- "registers" and interrupts, for runtime/virtio ---- */

uint64_t hosted_io_read(uint64_t addr, unsigned bytes)
{
	(void)bytes;
	/* nothing else: there is no configuration space; its length is 0 */
	return addr == R_OFFERED ? (uint32_t)(features() >> (32 * vu.half)) : 0;
}

void hosted_io_write(uint64_t addr, unsigned bytes, uint64_t value)
{
	uint64_t one = 1;

	(void)bytes;
	if (addr - BELL_BASE < QUEUES) {
		(void)!write(vu.queues[addr - BELL_BASE].kick, &one, sizeof(one));
	} else if (addr == R_OFFERED_SELECT || addr == R_ACCEPTED_SELECT) {
		vu.half = value & 1;
	} else if (addr == R_ACCEPTED && vu.half == 0) {
		vu.accepted = (uint32_t)value;
	} else if (addr == R_ACCEPTED) { /* the driver writes the low half first */
		set_features(vu.accepted | value << 32);
	}
}

int platform_bind_irq(uint32_t device_index, uint32_t vector)
{
	int err;

	if (device_index != 0 || vector != 0)
		return -EINVAL;
	err = hosted_watch(vu.queues[0].call, GW_EVENT_IRQ0);
	return err != 0 ? err : (int)GW_EVENT_IRQ0;
}

/* ---- the device ---- */

static int vu_tx(struct netdev_queue *q, struct pbuf *frame)
{
	(void)q;
	return virtio_netdev_tx(vu.driver, frame);
}

static const struct netdev_drops *vu_drops(const struct netdev_queue *q)
{
	(void)q;
	return virtio_netdev_drops(vu.driver);
}

/* Has the back end gone? Looked at now and then. */
static bool vu_poll(struct poller *p)
{
	uint64_t now = shard_self()->now_ns;
	char byte;

	(void)p;
	if (vhost_fd < 0 || now - vu.looked_ns < 100 * NS_PER_MS)
		return false;
	vu.looked_ns = now;
	if (recv(vhost_fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) != 0)
		return false;
	log_warn("vhost-user: the back end has gone; there is no network any more");
	close(vhost_fd);
	vhost_fd = -1;
	return true;
}

static struct netdev_queue *vu_open(struct netdev *d, uint32_t i, struct pbuf_pool *pool,
				    void (*input)(void *ctx, struct pbuf *frame), void *ctx)
{
	(void)d;
	vu.driver = virtio_netdev_open(virtio_netdev_get(), i, pool, input, ctx);
	vu.q = (struct netdev_queue){ vu_tx, vu_drops };
	vu.poller.poll = vu_poll;
	shard_add_poller(&vu.poller);
	if (hosted_watch(vhost_fd, 0) != 0) /* its end is seen at once */
		return NULL;
	return vu.driver != NULL ? &vu.q : NULL;
}

static void greet(void)
{
	uint64_t v;

	errno = 0;
	if (!vhost_ask_u64(GET_FEATURES, &v))
		cannot("the back end does not answer");
	if (!(v & VIRTIO_F_VERSION_1))
		cannot("the back end is not of virtio 1");
	vu.protocol = (v & F_PROTOCOL_FEATURES) != 0;
	if (vu.protocol) { /* none is needed, but both sides must say so */
		if (!vhost_ask_u64(GET_PROTOCOL_FEATURES, &v))
			cannot("the back end does not answer");
		vhost_tell_u64(SET_PROTOCOL_FEATURES, 0, -1);
	}
	vhost_tell(&(struct vu_message){ 0 }, SET_OWNER, 0, -1);
}

static void end(void)
{
	stop_queues(); /* the back end lets go of the memory */
}

struct netdev *vhost_user_start(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct vdev v = { .t = &transport, .dev = &vu.device, .id = VIRTIO_ID_NET };

	vu.path = path;
	if (strlen(path) >= sizeof(at.sun_path)) {
		errno = ENAMETOOLONG;
		cannot("the socket's name");
	}
	strcpy(at.sun_path, path);
	vhost_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (vhost_fd < 0 || connect(vhost_fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		cannot("nobody listens there");
	vu.device = (struct gw_device){ .kind = GW_DEVICE_MMIO, .vectors = 1, .vendor = 0x1af4 };
	greet();
	errno = 0;
	if (net_probe(&v) != 0)
		cannot("the device does not work");
	hosted_at_end(end);
	vu.dev.info = *virtio_netdev_info(virtio_netdev_get());
	vu.dev.open = vu_open;
	return &vu.dev;
}
