/* SPDX-License-Identifier: Apache-2.0 */
/* start.c - from the runtime's start to app_main and the end. */
#include "runtime/native/native_internal.h"
#include "runtime/netglue/glue.h"
#include "runtime/platform/platform.h"
#include "runtime/virtio/console.h"

#define ARGS_MAX 4096u
#define STATUS_NOT_RUN 127
#define MAIN_STACK GW_MIN(8 * UTHREAD_STACK, UTHREAD_STACK_MAX)
#define ADDRESS_WAIT_NS (30 * NS_PER_SEC)

void personality_start(void);

struct native natives[SHARD_MAX];

static bool poll(struct poller *p)
{
	return native_tcp_deliver((struct native *)p);
}

static bool arm(struct poller *p, uint64_t *deadline_ns)
{
	(void)deadline_ns;
	return !list_empty(&((struct native *)p)->ready);
}

/* Programs may use floating point; the runtime does not, so a vcore's registers are theirs. */
static void init_fpu(void)
{
	uint32_t mxcsr = 0x1f80; /* as the ABI has it at a program's start */

	__asm__ volatile("fninit; ldmxcsr %0" : : "m"(mxcsr));
}

static void start_shard(void *arg)
{
	struct shard *s = shard_self();
	struct native *n = &natives[s->id];

	(void)arg;
	init_fpu();
	list_init(&n->ready);
	n->poller = (struct poller){ .poll = poll, .arm = arm };
	s->personality = n;
	native_tcp_init(s->net);
	native_udp_init(s->net);
	shard_add_poller(&n->poller);
}

static _Noreturn void not_run(const char *what)
{
	log_warn("%s", what);
	control_line("error %s", what);
	control_line("exit %d", STATUS_NOT_RUN);
	console_drain();
	platform_shutdown(STATUS_NOT_RUN);
}

void gw_exit(int status)
{
	static _Atomic bool ending;

	if (atomic_exchange(&ending, true)) /* another task is at it */
		for (;;)
			(void)uthread_park(GW_NEVER);
	native_stats();
	control_line("exit %d", status & 0xff);
	console_drain();
	platform_shutdown(status & 0xff);
}

/* The values of `arg` as a NULL-terminated vector. */
static char **arguments(int *argc)
{
	size_t cursor = 0;
	const char *s;
	char **v;
	int n = 0;

	while (n < (int)ARGS_MAX && config_next("arg", &cursor) != NULL)
		n++;
	v = mem_zalloc(((size_t)n + 2) * sizeof(*v));
	if (v == NULL)
		not_run("memory is out; give more with -m");
	*argc = n;
	cursor = 0;
	for (int i = 0; i < n && (s = config_next("arg", &cursor)) != NULL; i++) {
		size_t len = strlen(s) + 1;

		v[i] = mem_alloc(len); /* a program may write into its arguments */
		if (v[i] == NULL)
			not_run("memory is out; give more with -m");
		memcpy(v[i], s, len);
	}
	if (n == 0) {
		static char name[] = "app";

		v[0] = name;
		*argc = 1;
	}
	return v;
}

static void run_main(void *arg)
{
	int argc;
	char **argv = arguments(&argc);

	(void)arg;
	if (net_glue_wait(clock_now() + ADDRESS_WAIT_NS) != 0)
		log_warn("no address by DHCP yet; starting without");
	gw_exit(app_main(argc, argv));
}

void personality_start(void)
{
	for (uint32_t i = 0; i < n_shards; i++)
		shard_call(shards[i], start_shard, NULL);
	if (native_control_start() != 0 ||
	    uthread_create_sized(NULL, shard_self(), run_main, NULL, "app", MAIN_STACK) != 0)
		not_run("memory is out; give more with -m");
}
