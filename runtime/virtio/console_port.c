/* SPDX-License-Identifier: Apache-2.0 */
/* console_port.c - a console port's buffers and rings: what is taken from the device and given to
 * it. Everything is under the console's lock. */
#include "runtime/base/str.h"
#include "runtime/mem/mem.h"
#include "runtime/virtio/console_internal.h"
#include "runtime/virtio/dma.h"

struct console con;

uint8_t *con_rx_buf(const struct con_port *p, uint32_t i)
{
	return p->page + i * CON_RX_LEN;
}

static uint8_t *tx_buf(const struct con_port *p, uint32_t i)
{
	return p->page + CON_RX_BUFS * CON_RX_LEN + i * CON_TX_LEN;
}

void con_post_rx(struct con_port *p, uint32_t i)
{
	if (p->rx.n_free != 0 && !p->rx.broken)
		vq_add_one(&p->rx, dma_of(con_rx_buf(p, i)), CON_RX_LEN, VRING_DESC_WRITE,
			   con_rx_buf(p, i));
}

int con_port_start(struct con_port *p, bool input)
{
	if (p->page == NULL) { /* a port that comes back still has its buffers posted */
		uint64_t pa = pages_alloc(1, 1); /* never parks: a lock is held */

		if (pa == 0)
			return -ENOMEM;
		p->page = pa_to_va(pa);
		for (uint32_t i = 0; i < CON_TX_BUFS; i++)
			p->tx_free[p->n_tx_free++] = (uint8_t)i;
		for (uint32_t i = 0; input && i < CON_RX_BUFS; i++)
			con_post_rx(p, i);
		if (input) {
			vq_flush(&p->rx);
			misc_rearm(&p->rx);
		}
	}
	p->exists = true;
	p->closed = false;
	return 0;
}

void con_stop(const char *what)
{
	(void)vdev_stop(&con.v, what);
	vq_break(&con.ctrl_rx, what);
	vq_break(&con.ctrl_tx, what);
	for (uint32_t i = 0; i < CONSOLE_PORTS; i++) {
		vq_break(&con.ports[i].rx, what);
		vq_break(&con.ports[i].tx, what);
		con.ports[i].exists = false;
		con.ports[i].closed = true;
	}
	con.works = false;
	con.changed = (1u << CONSOLE_PORTS) - 1;
}

bool con_take_tx(struct con_port *p)
{
	struct vq_done done;
	bool any = false;

	while (vq_take(&p->tx, &done)) {
		p->tx_free[p->n_tx_free++] =
			(uint8_t)(((uint8_t *)done.cookie - tx_buf(p, 0)) / CON_TX_LEN);
		any = true;
	}
	return any;
}

static bool take_rx(struct con_port *p)
{
	struct vq_done done;
	bool any = false;

	for (uint32_t i = 0; i < 2 * CON_RX_BUFS && vq_take(&p->rx, &done); i++) {
		uint32_t buf = (uint32_t)((uint8_t *)done.cookie - p->page) / CON_RX_LEN;

		if (done.len == 0) {
			con_post_rx(p, buf);
			continue;
		}
		/* At most CON_RX_BUFS buffers exist, so the ring has room. */
		p->filled[(p->first + p->n_filled++) % CON_RX_BUFS] =
			(struct con_rx){ .buf = (uint8_t)buf, .len = (uint16_t)done.len };
		any = true;
	}
	return any;
}

uint32_t con_service(void)
{
	uint32_t grew = 0;

	vdev_ack(&con.v);
	if (con.multiport)
		ctrl_service();
	for (uint32_t i = 0; i < CONSOLE_PORTS; i++) {
		struct con_port *p = &con.ports[i];

		if (p->page == NULL || !con.works)
			continue;
		if (con_take_tx(p))
			grew |= 1u << i;
		misc_rearm(&p->tx);
		if (i != 1 && take_rx(p))
			grew |= 0x100u << i;
		if (i != 1) {
			vq_flush(&p->rx);
			misc_rearm(&p->rx);
		}
		if (p->tx.broken || p->rx.lie != NULL)
			con_stop(p->tx.lie != NULL ? p->tx.lie : p->rx.lie);
	}
	if (con.works && (con.ctrl_rx.lie != NULL || con.ctrl_tx.lie != NULL))
		con_stop(con.ctrl_rx.lie != NULL ? con.ctrl_rx.lie : con.ctrl_tx.lie);
	grew |= con.changed | con.changed << 8;
	con.changed = 0;
	return grew;
}

size_t con_put(struct con_port *p, const uint8_t *data, size_t n)
{
	size_t done = 0;

	while (done < n && p->n_tx_free != 0 && p->tx.n_free != 0 && !p->tx.broken) {
		size_t k = GW_MIN(n - done, CON_TX_LEN);
		uint8_t *buf = tx_buf(p, p->tx_free[--p->n_tx_free]);

		memcpy(buf, data + done, k);
		vq_add_one(&p->tx, dma_of(buf), (uint32_t)k, 0, buf);
		done += k;
	}
	vq_flush(&p->tx);
	return done;
}
