/* SPDX-License-Identifier: Apache-2.0 */
/* callbacks.c - echo with callbacks and without copies: the buffers that came in are the ones that
 * go out. Who sends without reading is read no further while the send queue is full. */
#include <errno.h>
#include "apps/echo/echo.h"

/* More came in, or there is room to send again. */
static void more(struct gw_tcp *c)
{
	struct gw_buf *b = gw_tcp_user(c); /* what the full queue left over */

	gw_tcp_set_user(c, NULL);
	while (b != NULL || (b = gw_tcp_take(c)) != NULL) {
		if (gw_tcp_give(c, b) == -EAGAIN) {
			gw_tcp_set_user(c, b);
			break;
		}
		b = NULL;
	}
	gw_tcp_push(c);
	if (gw_tcp_eof(c) && gw_tcp_user(c) == NULL)
		gw_tcp_close(c);
}

static void closed(struct gw_tcp *c, int error)
{
	struct gw_buf *b = gw_tcp_user(c);

	(void)error;
	if (b != NULL)
		gw_buf_release(b);
	gw_tcp_close(c);
}

static void datagram(struct gw_udp *u, struct gw_buf *b, const struct gw_addr *from)
{
	(void)gw_udp_give(u, b, from);
}

int echo_with_callbacks(const struct gw_addr *at)
{
	struct gw_tcp_service service = {
		.ops = { .received = more, .writable = more, .closed = closed }, .nodelay = true
	};
	struct gw_udp *u;
	int err = gw_tcp_listen(at, &service, NULL);

	return err != 0 ? err : gw_udp_open(at, datagram, NULL, &u);
}
