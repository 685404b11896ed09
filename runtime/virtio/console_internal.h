/* SPDX-License-Identifier: Apache-2.0 */
/* console_internal.h - virtio-console: what is outside (console.c), ports (console_port.c) and the
 * control queue (console_ctrl.c). */
#ifndef GODWIT_RUNTIME_VIRTIO_CONSOLE_INTERNAL_H
#define GODWIT_RUNTIME_VIRTIO_CONSOLE_INTERNAL_H

#include "runtime/virtio/console.h"
#include "runtime/virtio/misc.h"

#define CON_QUEUE 16u
#define CON_RX_BUFS 4u
#define CON_RX_LEN 256u
#define CON_TX_BUFS 6u
#define CON_TX_LEN 512u
_Static_assert(CON_RX_BUFS *CON_RX_LEN + CON_TX_BUFS * CON_TX_LEN == 4096, "one page a port");
#define CTRL_BUFS 16u
#define CTRL_RX_LEN 64u

#define CON_F_MULTIPORT VIRTIO_BIT(1)
enum { CFG_MAX_PORTS = 4 }; /* 5.3.4 */

struct ctrl_msg { /* struct virtio_console_control, 5.3.6.2 */
	uint32_t id;
	uint16_t event;
	uint16_t value;
};

struct con_rx { /* a filled buffer that waits for a reader */
	uint8_t buf;
	uint16_t at, len;
};

struct con_port {
	struct vq rx, tx;
	bool has_queues;       /* tx at least */
	bool exists;	       /* announced by the device (or the only one) */
	bool was_open, closed; /* by the host */
	bool ended;	       /* input has end_at bytes in all, says the host */
	uint64_t end_at, n_read;
	uint8_t *page; /* rx buffers, then tx buffers; allocated when the port appears */
	struct con_rx filled[CON_RX_BUFS]; /* ring, oldest at `first` */
	uint32_t first, n_filled;
	uint8_t tx_free[CON_TX_BUFS];
	uint32_t n_tx_free;
};

struct console {
	struct vdev v;
	struct spinlock lock; /* all of it, from any shard */
	bool works;
	bool multiport;
	bool greeted; /* the first port was announced: the host has answered */
	struct vq ctrl_rx, ctrl_tx;
	uint8_t *ctrl_in; /* CTRL_BUFS of CTRL_RX_LEN */
	struct ctrl_msg
		*ctrl_out; /* CTRL_BUFS; entry i is in use while bit i of ctrl_busy is set */
	uint32_t ctrl_busy;
	struct con_port ports[CONSOLE_PORTS];
	uint32_t changed; /* ports whose state changed: waiters are notified after the lock is
			     dropped */
};

extern struct console con;

/* The port appeared: buffers, receive queue posted. Under the lock. 0, -ENOMEM. */
int con_port_start(struct con_port *p, bool input) MUST_CHECK;
/* Under the lock. */
void con_stop(const char *what);
/* Receive buffer i of a port; give it to the device (again). Under the lock. */
uint8_t *con_rx_buf(const struct con_port *p, uint32_t i);
void con_post_rx(struct con_port *p, uint32_t i);
/* Take back sent buffers; returns whether there were any. Under the lock. */
bool con_take_tx(struct con_port *p);
/* Send as much of data as there are buffers for; returns how much. Under the lock. */
size_t con_put(struct con_port *p, const uint8_t *data, size_t n);
/* Take everything the device has; returns the ports whose room or input grew as bits 0.. and 8..
 * Under the lock. */
uint32_t con_service(void);

/* Control queue. Under the lock. */
int ctrl_setup(void) MUST_CHECK;
void ctrl_hello(void);
void ctrl_service(void);

#endif
