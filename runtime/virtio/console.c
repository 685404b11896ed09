/* SPDX-License-Identifier: Apache-2.0 */
/* console.c - the console's ports (virtio 1.2, 5.3): byte streams to and from the host. Writers
 * copy into a port's few buffers under a short lock, from any shard, and park while all are with
 * the host: that is the flow control. Received buffers wait for a reader and go back to the device
 * when they are read. */
#include "abi/channel.h"
#include "runtime/base/str.h"
#include "runtime/mem/mem.h"
#include "runtime/platform/platform.h"
#include "runtime/virtio/console_internal.h"

#define GREETING_NS                                                                  \
	(20 * NS_PER_MS) /* how long the first output waits for the host's port list \
			  */
#define DRAIN_NS (2 * NS_PER_SEC)
#define UART_CHUNK 256u

static struct {
	struct waitq input, room;
	uint64_t dropped;
} waits[CONSOLE_PORTS];
static bool waits_ready;

/* ---- the kernel's UART, when there is no console ---- */

static void uart_write(const uint8_t *data, size_t n)
{
	struct gw_vcore *vc = shard_self()->vcore;
	uint8_t kept[UART_CHUNK];

	while (n != 0) {
		size_t k = GW_MIN(n, UART_CHUNK);

		/* The batch area may hold a caller's half-made batch: put it back. */
		memcpy(kept, vc->batch.bytes, k);
		memcpy(vc->batch.bytes, data, k);
		(void)gw_call(GW_CALL_CONSOLE_WRITE, k, 0, 0);
		memcpy(vc->batch.bytes, kept, k);
		data += k;
		n -= k;
	}
}

static void notify(uint32_t grew)
{
	for (uint32_t i = 0; i < CONSOLE_PORTS; i++) {
		if (grew & (1u << i))
			waitq_notify(&waits[i].room, ~0u);
		if (grew & (0x100u << i))
			waitq_notify(&waits[i].input, ~0u);
	}
}

static void console_service(void *ctx)
{
	uint32_t grew;

	(void)ctx;
	spin_lock(&con.lock);
	grew = con.works ? con_service() : 0;
	spin_unlock(&con.lock);
	notify(grew);
}

static void init_waits(void)
{
	if (waits_ready)
		return;
	for (uint32_t i = 0; i < CONSOLE_PORTS; i++) {
		waitq_init(&waits[i].input);
		waitq_init(&waits[i].room);
	}
	waits_ready = true;
}

/* Output may come before the host has answered which ports there are: give it a moment, once. */
static void await_greeting(void)
{
	uint64_t end;

	if (likely(con.greeted || !con.works))
		return;
	end = clock_now() + GREETING_NS;
	while (!con.greeted && con.works && clock_now() < end) {
		console_service(NULL);
		__builtin_ia32_pause();
	}
	con.greeted = true;
}

/* One attempt. *left shrinks by what was taken (all of it when there is nowhere to put it). */
static void try_write(unsigned port, const uint8_t **data, size_t *left)
{
	struct con_port *p = &con.ports[port]; /* the caller checked port */
	size_t k = *left;
	bool uart = false, room = false;

	spin_lock(&con.lock);
	if (port == 1 && !p->exists)
		p = &con.ports[0]; /* one stream for both */
	if (con.works && p->exists) {
		room = con_take_tx(p);
		k = con_put(p, *data, *left);
		room = room && p->n_tx_free != 0;
	} else {
		uart = port < 2;
	}
	spin_unlock(&con.lock);
	if (room)
		waitq_notify(&waits[p - con.ports].room, ~0u);
	if (uart)
		uart_write(*data, k);
	*data += k;
	*left -= k;
}

size_t console_write(unsigned port, const void *data, size_t n)
{
	struct waiter w = { .uthread = NULL };
	const uint8_t *at = data;
	size_t left = n;
	unsigned q = port;

	if (port >= CONSOLE_PORTS || n == 0)
		return n;
	await_greeting();
	try_write(port, &at, &left);
	if (likely(left == 0))
		return n;
	if (!sched_may_park()) {
		waits[port].dropped += left;
		return n;
	}
	if (port == 1 && !con.ports[1].exists)
		q = 0;
	w.uthread = uthread_self();
	list_init(&w.link);
	waitq_add(&waits[q].room, &w);
	/* No deadline of its own: a host that does not read stops the writer, as a full pipe does.
	 */
	for (try_write(port, &at, &left); left != 0; try_write(port, &at, &left))
		(void)uthread_park(clock_now() + NS_PER_SEC);
	waitq_del(&waits[q].room, &w);
	return n;
}

size_t console_read(unsigned port, void *data, size_t n)
{
	struct con_port *p;
	size_t got = 0;

	if (port >= CONSOLE_PORTS)
		return 0;
	p = &con.ports[port];
	spin_lock(&con.lock);
	while (got < n && p->n_filled != 0) {
		struct con_rx *f = &p->filled[p->first];
		size_t k = GW_MIN(n - got, (size_t)(f->len - f->at));

		memcpy((uint8_t *)data + got, con_rx_buf(p, f->buf) + f->at, k);
		f->at = (uint16_t)(f->at + k);
		got += k;
		if (f->at == f->len) {
			p->first = (p->first + 1) % CON_RX_BUFS;
			p->n_filled--;
			con_post_rx(p, f->buf);
		}
	}
	p->n_read += got;
	if (got != 0 && !p->rx.broken)
		vq_flush(&p->rx);
	spin_unlock(&con.lock);
	return got;
}

bool console_closed(unsigned port)
{
	const struct con_port *p = &con.ports[port < CONSOLE_PORTS ? port : 0];

	/* Without a console nobody can send anything either. */
	return port >= CONSOLE_PORTS || !con.works || p->closed ||
	       (p->ended && p->n_read >= p->end_at);
}

void console_end_input(unsigned port, uint64_t n)
{
	if (port >= CONSOLE_PORTS)
		return;
	spin_lock(&con.lock);
	con.ports[port].end_at = n;
	con.ports[port].ended = true;
	spin_unlock(&con.lock);
	waitq_notify(console_waitq(port), ~0u);
}

struct waitq *console_waitq(unsigned port)
{
	init_waits();
	return &waits[port < CONSOLE_PORTS ? port : 0].input;
}

void console_drain(void)
{
	uint64_t end = clock_now() + DRAIN_NS;
	bool busy = con.works;

	while (busy && clock_now() < end) {
		busy = false;
		spin_lock(&con.lock);
		for (uint32_t i = 0; i < CONSOLE_PORTS && con.works; i++) {
			struct con_port *p = &con.ports[i];

			if (p->exists) {
				(void)con_take_tx(p);
				busy |= p->tx.n_inflight != 0 && !p->tx.broken;
			}
		}
		spin_unlock(&con.lock);
		__builtin_ia32_pause();
	}
}

void control_line(const char *fmt, ...)
{
	char line[512];
	va_list args;
	size_t n;

	va_start(args, fmt);
	n = (size_t)fmt_vprint(line, sizeof(line) - 1, fmt, args);
	va_end(args);
	n = GW_MIN(n, sizeof(line) - 2);
	line[n++] = '\n';
	console_write(2, line, n);
}

/* ---- start ---- */

/* 5.3.2: port 0 has queues 0 and 1, the control queue 2 and 3, port n > 0 has 2n + 2 and 2n + 3.
 * With several ports ours are the device's ports from GW_CHANNEL_CONSOLE on. */
static int setup_port(uint32_t i)
{
	struct con_port *p = &con.ports[i];
	uint16_t first = (uint16_t)(con.multiport ? 2 * (i + GW_CHANNEL_CONSOLE) + 2 : 0);
	int rc = 0;

	if (i != 1) /* nobody writes to our stderr */
		rc = vdev_queue(&con.v, &p->rx, first, CON_QUEUE, 0);
	if (rc == 0)
		rc = vdev_queue(&con.v, &p->tx, (uint16_t)(first + 1), CON_QUEUE, 0);
	if (rc == -ENOENT && i != 0)
		return 0;
	p->has_queues = rc == 0;
	if (rc == 0 && i != 1)
		rc = misc_watch(&p->rx, console_service, NULL);
	if (rc == 0)
		rc = misc_watch(&p->tx, console_service, NULL);
	return rc;
}

static int setup(void)
{
	uint32_t n = 1;
	int rc = vdev_negotiate(&con.v, CON_F_MULTIPORT);

	if (rc != 0)
		return rc;
	con.multiport = (con.v.features & CON_F_MULTIPORT) != 0;
	if (con.multiport)
		n = GW_MIN(vdev_cfg32(&con.v, CFG_MAX_PORTS) - GW_CHANNEL_CONSOLE, CONSOLE_PORTS);
	for (uint32_t i = 0; rc == 0 && i < n; i++)
		rc = setup_port(i);
	if (rc == 0 && con.multiport) {
		rc = ctrl_setup();
		if (rc == 0)
			rc = misc_watch(&con.ctrl_rx, console_service, NULL);
	}
	return rc;
}

void console_forget(void)
{
	con = (struct console){ .works = false };
	waits_ready = false;
}

int console_probe(const struct vdev *v)
{
	int rc;

	if (con.v.t != NULL)
		return -EBUSY;
	init_waits();
	con.v = *v;
	rc = setup();
	if (rc != 0) {
		(void)vdev_stop(&con.v, "set-up failed");
		return rc;
	}
	misc_bind(&con.v);
	vdev_driver_ok(&con.v);
	spin_lock(&con.lock);
	con.works = true;
	if (con.multiport) {
		ctrl_hello();
	} else {
		con.greeted = true;
		rc = con_port_start(&con.ports[0], true);
		if (rc != 0)
			con_stop("no memory");
	}
	spin_unlock(&con.lock);
	return rc;
}
