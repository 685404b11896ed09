/* SPDX-License-Identifier: Apache-2.0 */
/* console_ctrl.c - the control queue of a multiport console (virtio 1.2, 5.3.6.2): ports are
 * announced, made ready, opened and closed. Messages come from the device: ids beyond our ports and
 * unknown events are ignored, and each port is answered once, so that no flood of messages makes a
 * flood of answers. */
#include "abi/channel.h"
#include "runtime/base/str.h"
#include "runtime/mem/mem.h"
#include "runtime/virtio/console_internal.h"
#include "runtime/virtio/dma.h"
#include "runtime/virtio/misc.h"

enum {
	DEVICE_READY = 0,
	PORT_ADD = 1,
	PORT_REMOVE = 2,
	PORT_READY = 3,
	CONSOLE_PORT = 4,
	RESIZE = 5,
	PORT_OPEN = 6,
	PORT_NAME = 7,
};

static void post(uint8_t *buf)
{
	if (con.ctrl_rx.n_free != 0)
		vq_add_one(&con.ctrl_rx, dma_of(buf), CTRL_RX_LEN, VRING_DESC_WRITE, buf);
}

static void take_sent(void)
{
	struct vq_done done;

	while (vq_take(&con.ctrl_tx, &done))
		con.ctrl_busy &= ~(1u << ((struct ctrl_msg *)done.cookie - con.ctrl_out));
}

static void send(uint32_t id, uint16_t event, uint16_t value)
{
	struct ctrl_msg *m;
	uint32_t i;

	take_sent();
	if (con.ctrl_tx.broken)
		return;
	/* At most 1 + 2 a port are ever sent: a device that takes none of them gets no more. */
	for (i = 0; i < CTRL_BUFS && (con.ctrl_busy & (1u << i)); i++)
		;
	if (i == CTRL_BUFS || con.ctrl_tx.n_free == 0)
		return;
	m = &con.ctrl_out[i];
	*m = (struct ctrl_msg){ id, event, value };
	con.ctrl_busy |= 1u << i;
	vq_add_one(&con.ctrl_tx, dma_of(m), sizeof(*m), 0, m);
}

static void on_message(const struct ctrl_msg *m)
{
	uint32_t port = m->id - GW_CHANNEL_CONSOLE;
	struct con_port *p;

	if (port >= CONSOLE_PORTS) {
		/* 5.3.6.2: a port that the driver does not want. */
		return;
	}
	p = &con.ports[port];
	switch (m->event) {
	case PORT_ADD:
		con.greeted = true;
		if (p->exists || !p->has_queues)
			break;
		if (con_port_start(p, port != 1) != 0) {
			send(m->id, PORT_READY, 0);
			break;
		}
		send(m->id, PORT_READY, 1);
		send(m->id, PORT_OPEN, 1);
		break;
	case PORT_REMOVE:
		p->exists = false;
		p->closed = true;
		break;
	case PORT_OPEN:
		/* Closed is what was open before: until then the host's side is merely not there
		 * yet. */
		p->closed = m->value == 0 && p->was_open;
		p->was_open |= m->value != 0;
		break;
	default:
		return;
	}
	con.changed |= 1u << port;
}

void ctrl_service(void)
{
	struct vq_done done;

	take_sent();
	for (unsigned i = 0; i < 2 * CTRL_BUFS && vq_take(&con.ctrl_rx, &done); i++) {
		struct ctrl_msg m;

		memcpy(&m, done.cookie, sizeof(m));
		if (done.len >= sizeof(m))
			on_message(&m);
		post(done.cookie);
	}
	vq_flush(&con.ctrl_rx);
	vq_flush(&con.ctrl_tx);
	misc_rearm(&con.ctrl_rx);
}

int ctrl_setup(void)
{
	int rc = vdev_queue(&con.v, &con.ctrl_rx, 2, CTRL_BUFS, 0);

	if (rc == 0)
		rc = vdev_queue(&con.v, &con.ctrl_tx, 3, CTRL_BUFS, 0);
	if (rc != 0)
		return rc;
	con.ctrl_in = mem_zalloc(CTRL_BUFS * CTRL_RX_LEN);
	con.ctrl_out = mem_zalloc(CTRL_BUFS * sizeof(struct ctrl_msg));
	return con.ctrl_in == NULL || con.ctrl_out == NULL ? -ENOMEM : 0;
}

void ctrl_hello(void)
{
	for (uint32_t i = 0; i < CTRL_BUFS; i++)
		post(con.ctrl_in + i * CTRL_RX_LEN);
	vq_flush(&con.ctrl_rx);
	misc_rearm(&con.ctrl_rx);
	send(0, DEVICE_READY, 1);
	vq_flush(&con.ctrl_tx);
}
