/* SPDX-License-Identifier: Apache-2.0 */
/* steps.c - the start of a machine with devices, a network and a personality. */
#include "runtime/base/str.h"
#include "runtime/netglue/glue.h"
#include "runtime/platform/godwit/steps.h"
#include "runtime/platform/platform.h"
#include "runtime/sched/sched.h"
#include "runtime/virtio/virtio.h"

void personality_start(void);

static void start_shards(void)
{
	const char *poll_ns = config_get("poll_ns");

	if (poll_ns && str_to_u64(poll_ns, NS_PER_SEC, &sched_poll_ns) < 0)
		log_warn("bad poll_ns=%s", poll_ns);
	shards_start(platform_boot()->vcores, NULL);
}

static void start_devices(void)
{
	(void)virtio_init();
}

const struct boot_step boot_steps[] = {
	{ "shards", start_shards },
	{ "devices", start_devices },
	{ "network", net_glue_init },
	{ "personality", personality_start },
	{ NULL, NULL },
};
