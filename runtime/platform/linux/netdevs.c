/* SPDX-License-Identifier: Apache-2.0 */
/* netdevs.c - which network device, and the calls of netdev.h led to it. */
#include <string.h>

#include "runtime/platform/linux/hosted.h"
#include "runtime/platform/linux/netdevs.h"

static struct netdev *the_device;

static const struct {
	const char *kind;
	struct netdev *(*start)(const char *name);
} kinds[] = { { "tap=", tap_start },
	      { "afxdp=", afxdp_start },
	      { "vhost-user=", vhost_user_start },
	      { "vhost-back=", vhost_back_start } };

void netdevs_init(void)
{
	const char *s = config_get("host.net");

	if (s == NULL || strcmp(s, "none") == 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t n = strlen(kinds[i].kind);

		if (strncmp(s, kinds[i].kind, n) == 0) {
			the_device = kinds[i].start(s + n);
			return;
		}
	}
	hosted_fail("bad host.net=%s", s);
}

struct netdev *netdev_get(void)
{
	return the_device;
}

const struct netdev_info *netdev_info(const struct netdev *d)
{
	return &d->info;
}

struct netdev_queue *netdev_open(struct netdev *d, uint32_t q, struct pbuf_pool *pool,
				 void (*input)(void *ctx, struct pbuf *frame), void *ctx)
{
	return d->open(d, q, pool, input, ctx);
}

int netdev_tx(struct netdev_queue *q, struct pbuf *frame)
{
	return q->tx(q, frame);
}

const struct netdev_drops *netdev_drops(const struct netdev_queue *q)
{
	return q->drops(q);
}

int platform_port(bool udp, uint16_t port, bool take)
{
	if (the_device == NULL || the_device->port == NULL)
		return 0;
	return the_device->port(the_device, udp, port, take);
}

int platform_pick_port(bool udp, uint16_t *port)
{
	*port = 0;
	if (the_device == NULL || the_device->pick_port == NULL)
		return 0;
	return the_device->pick_port(the_device, udp, port);
}
