/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - the runtime's start on vcore 0: memory, clock and shard 0 on the boot stack, then a
 * table of steps on the first uthread. */
#include "runtime/platform/godwit/steps.h"
#include "runtime/platform/platform.h"
#include "runtime/sched/sched.h"

_Noreturn void platform_main(const struct gw_boot_info *boot);

uint8_t platform_boot_stack[UTHREAD_STACK] __attribute__((aligned(16)));

static void run_steps(void *arg)
{
	(void)arg;
	for (const struct boot_step *step = boot_steps; step->run; step++)
		step->run();
}

_Noreturn void platform_main(const struct gw_boot_info *boot)
{
	if (boot->magic != GW_BOOT_MAGIC || boot->size != sizeof(*boot))
		gw_call(GW_CALL_HEALTH_RAISE, 2, 0, 0); /* another kernel's interface */
	sched_boot(boot, platform_boot_stack);
	if (uthread_create(NULL, shards[0], run_steps, NULL, "main", false, NULL) < 0)
		panic("no memory for the first uthread");
	uthread_exit();
}
