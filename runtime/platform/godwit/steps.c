/* SPDX-License-Identifier: Apache-2.0 */
/* steps.c - the start of a machine with devices, a network and a personality. */
#include "runtime/netglue/glue.h"
#include "runtime/platform/godwit/steps.h"
#include "runtime/platform/platform.h"
#include "runtime/sched/sched.h"
#include "runtime/virtio/virtio.h"

void personality_start(void);

static void start_shards(void)
{
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
