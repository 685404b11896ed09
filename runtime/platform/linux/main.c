/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - a native program's start as a Linux process: the configuration that `godwit host` left
 * in a descriptor, then what a machine's runtime does, step by step. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "runtime/netglue/glue.h"
#include "runtime/platform/linux/hosted.h"
#include "runtime/platform/linux/netdevs.h"
#include "runtime/sched/sched.h"

#define ENDS 8u

void personality_start(void);

uint8_t hosted_boot_stack[UTHREAD_STACK] __attribute__((aligned(4096)));
static void (*ends[ENDS])(void);
static uint32_t n_ends;

const struct gw_boot_info *platform_boot(void)
{
	return (const struct gw_boot_info *)GW_BOOT_VA;
}

void hosted_at_end(void (*fn)(void))
{
	if (n_ends == ENDS)
		panic("too much to do at the end");
	ends[n_ends++] = fn;
}

_Noreturn void platform_shutdown(int status)
{
	static _Atomic bool once;

	if (!atomic_exchange(&once, true)) {
		while (n_ends != 0)
			ends[--n_ends]();
		exit(status & 0xff); /* the sanitizers' last words; other vcores still run */
	}
	for (;;)
		pause();
}

static void steps(void *arg)
{
	const char *poll_ns = config_get("poll_ns");

	(void)arg;
	if (poll_ns != NULL && str_to_u64(poll_ns, NS_PER_SEC, &sched_poll_ns) < 0)
		hosted_fail("bad poll_ns=%s", poll_ns);
	shards_start(platform_boot()->vcores, NULL);
	hosted_console_start();
	hosted_disks_open();
	netdevs_init();
	net_glue_init();
	personality_start();
}

static void first(void)
{
	sched_boot(platform_boot(), hosted_boot_stack);
	if (uthread_create(NULL, shards[0], steps, NULL, "main", false, NULL) < 0)
		panic("no memory for the first uthread");
	uthread_exit();
}

int main(int argc, char **argv)
{
	const char *s = getenv("GODWIT_HOST_FD");
	uint64_t fd;

	(void)argc;
	if (s == NULL || str_to_u64(s, 1 << 20, &fd) != 0)
		hosted_fail("%s is a Godwit program: start it with godwit host -- %s", argv[0],
			    argv[0]);
	(void)unsetenv("GODWIT_HOST_FD");
	hosted_setup((int)fd);
	close((int)fd);
	hosted_vcore_init(0);
	hosted_enter(hosted_boot_stack + sizeof(hosted_boot_stack) - 256, first);
}
