/* SPDX-License-Identifier: Apache-2.0 */
/* start.c - the program's start from the configuration, its end, and what the host says meanwhile.
 */
#include "abi/bundle.h"
#include "linux/files/vfs.h"
#include "linux/linux.h"
#include "linux/memory/mm.h"
#include "linux/metrics.h"
#include "linux/report.h"
#include "linux/process/process.h"
#include "linux/sockets/sockets.h"
#include "runtime/platform/platform.h"

#define CONSOLE_PORT 0u
#define CONTROL_PORT 2u
#define STATUS_NOT_RUN 127
#define STATUS_KILLED 137
#define WORDS_MAX 4096u

static bool stop_asked; /* by the host: the program's end is no error */

struct start {
	const char *program;
	const char **argv, **envp;
	uint64_t begin_ns;
};

void report_boot(const char *name)
{
	const struct gw_boot_info *boot = platform_boot();
	uint64_t since = clock_now() - clock_ns_of(&boot->clock, boot->boot_tsc);

	control_line("boot %s %lu", name, since);
}

void report_listen(const char *protocol, uint16_t port)
{
	control_line("listen %s %u", protocol, port);
}

static _Noreturn void fail(const char *what)
{
	control_line("error %s", what);
	control_line("exit %d", STATUS_NOT_RUN);
	console_drain();
	platform_shutdown(STATUS_NOT_RUN);
}

/* The values of a repeated key as a NULL-terminated vector. */
static const char **words(const char *key, const char *first)
{
	const char **v, *s;
	size_t cursor = 0;
	uint32_t n = 0;

	while (n < WORDS_MAX && config_next(key, &cursor) != NULL)
		n++;
	v = mem_zalloc((n + 2) * sizeof(*v));
	if (v == NULL)
		fail("memory is out; give the machine more with -m");
	cursor = n = 0;
	while (n < WORDS_MAX && (s = config_next(key, &cursor)) != NULL)
		v[n++] = s;
	if (n == 0)
		v[0] = first;
	return v;
}

static uint32_t number(const char *key)
{
	const char *s = config_get(key);
	uint64_t v = 0;

	if (s != NULL && str_to_u64(s, 0xfffffffeu, &v) != 0)
		fail("the configuration has a bad uid or gid");
	return (uint32_t)v;
}

static void set_identity(void)
{
	const char *s = config_get("hostname");

	process_first->uid = process_first->euid = process_first->suid = number("uid");
	process_first->gid = process_first->egid = process_first->sgid = number("gid");
	if (s != NULL && *s != '\0')
		str_copy(linux_hostname, s, sizeof(linux_hostname));
}

static void set_cwd(void)
{
	const char *cwd = config_get("cwd");
	char why[300];

	if (vfs_lookup(NULL, cwd != NULL && *cwd != '\0' ? cwd : "/", VFS_DIRECTORY,
		       &process_first->cwd) == 0)
		return;
	fmt_print(why, sizeof(why), "%s: the working directory is not in the root (add it with -f)",
		  cwd);
	fail(why);
}

/* First code of the program's first thread. */
static void run_program(void *arg)
{
	const struct start *s = arg;
	struct thread *t = thread_self();
	const char *base = strrchr(s->program, '/');
	char why[400] = "cannot be started";
	struct gw_regs regs;

	t->uthread = uthread_self();
	str_copy(t->comm, base != NULL ? base + 1 : s->program, sizeof(t->comm));
	if (elf_load(s->program, s->argv, s->envp, &regs, why, sizeof(why)) != 0)
		fail(why);
	report_boot("program");
	upcall_enter_program(&regs);
}

/* ---- the control port ---- */

static void metric_line(void *ctx, const char *text)
{
	(void)ctx;
	control_line("metric %s", text);
}

static void obey(const char *line)
{
	struct siginfo64 term = { .signo = SIGTERM, .code = SI_USER };
	uint64_t n;

	if (strcmp(line, "stop") == 0) {
		stop_asked = true;
		signal_send(NULL, &term);
	} else if (strcmp(line, "kill") == 0) {
		stop_asked = true;
		machine_end(STATUS_KILLED, SIGKILL);
	} else if (strcmp(line, "stat") == 0) {
		report_stats();
		metrics_lines(metric_line, NULL);
		control_line("metric");
	} else if (strncmp(line, "eof ", 4) == 0 && str_to_u64(line + 4, UINT64_MAX, &n) == 0) {
		console_end_input(CONSOLE_PORT, n);
	}
}

static void control_main(void *arg)
{
	struct waiter w = { .uthread = uthread_self() };
	char line[64];
	size_t n = 0;

	(void)arg;
	waitq_add(console_waitq(CONTROL_PORT), &w);
	for (;;) {
		char c;

		if (console_read(CONTROL_PORT, &c, 1) == 0) {
			(void)uthread_park(GW_NEVER);
			continue;
		}
		if (c != '\n') {
			if (n < sizeof(line) - 1)
				line[n++] = c;
			continue;
		}
		line[n] = '\0';
		n = 0;
		obey(line);
	}
}

void personality_start(void)
{
	static struct start s;
	struct thread *t;

	report_boot("runtime");
	if (process_init() != 0 || files_init() != 0)
		fail("the root cannot be set up: memory is out (-m), or the root image is damaged");
	if (sockets_init() != 0)
		fail("sockets cannot be set up: memory is out (-m)");
	report_boot("root");
	s.program = config_get("program");
	if (s.program == NULL || *s.program == '\0')
		fail("the configuration names no program");
	s.argv = words("arg", s.program);
	s.envp = words("env", NULL);
	set_identity();
	set_cwd();
	t = thread_create(process_first);
	if (t == NULL ||
	    uthread_create(NULL, NULL, control_main, NULL, "control", false, NULL) != 0)
		fail("memory is out; give the machine more with -m");
	thread_list(t, process_first->pid);
	if (uthread_create(&t->uthread, shard_self(), run_program, &s, "main", true, t) != 0)
		fail("memory is out; give the machine more with -m");
}

/* ---- the end ---- */

static void report_latency(enum latency_kind kind, const char *name)
{
	struct latency *l = mem_alloc(sizeof(*l));

	if (l == NULL)
		return;
	metric_sum(kind, l);
	if (histogram_count(&l->h) != 0) {
		control_line("stat %s_p50_ns %lu", name, histogram_at(&l->h, 500000000));
		control_line("stat %s_p99_ns %lu", name, histogram_at(&l->h, 990000000));
		control_line("stat %s_max_ns %lu", name, histogram_max(&l->h));
	}
	mem_free(l, sizeof(*l));
}

static void report_own(const char *name, uint64_t value)
{
	control_line("stat own_%s %lu", name, value);
}

void report_stats(void)
{
	uint64_t entries = 0, interrupts = 0, syscalls, conns = 0, in = 0, out = 0;
	struct mm_usage use = { 0 };
	struct mm *mm;

	for (uint32_t i = 0; i < n_shards; i++) {
		entries += shards[i]->vcore->kernel_entries;
		interrupts += shards[i]->vcore->interrupts;
	}
	syscalls = thread_syscalls_ended();
	spin_lock(&processes.lock);
	list_for_each (n, &processes.list)
		syscalls += thread_syscalls(list_entry(n, struct process, link));
	spin_unlock(&processes.lock);
	spin_lock(&process_first->lock);
	mm = mm_get(process_first->mm);
	spin_unlock(&process_first->lock);
	mm_usage(mm, &use);
	mm_put(mm);
	sockets_stats(&conns, &in, &out);
	control_line("stat uptime_ms %lu",
		     (uint64_t)((clock_now() - process_first->start_ns) / NS_PER_MS));
	control_line("stat connections %lu", conns);
	control_line("stat packets_in %lu", in);
	control_line("stat packets_out %lu", out);
	control_line("stat kernel_entries %lu", entries);
	control_line("stat interrupts %lu", interrupts);
	control_line("stat syscalls %lu", syscalls);
	control_line("stat page_faults %lu", linux_stats.faults);
	control_line("stat page_ins %lu", linux_stats.page_ins);
	control_line("stat evictions %lu", linux_stats.evictions);
	control_line("stat memory_peak_kb %lu", use.peak_bytes / 1024);
	report_latency(LATENCY_QUEUE, "queue_delay");
	report_latency(LATENCY_RUN, "run");
	report_latency(LATENCY_WAIT, "wait");
	report_latency(LATENCY_NET_RECV, "net_receive");
	report_latency(LATENCY_NET_SEND, "net_send");
	report_latency(LATENCY_SOCKET_RECV, "socket_receive_wait");
	report_latency(LATENCY_SOCKET_SEND, "socket_send_wait");
	metric_summary(report_own);
	report_unknown_syscalls();
}

/* Which error of the partition this end of its program is. */
static uint32_t error_class(int signal)
{
	switch (signal) {
	case SIGSEGV:
	case SIGBUS:
		return GW_HEALTH_MEMORY;
	case SIGFPE:
		return GW_HEALTH_NUMERIC;
	case SIGILL:
	case SIGSYS:
		return GW_HEALTH_ILLEGAL;
	default:
		return GW_HEALTH_APPLICATION;
	}
}

/* Where the module's health table has an answer to such an end (raise=CLASS in the configuration),
 * the kernel gives it: a restart of this partition, for instance. Comes back where it is ignored.
 */
static void raise_error(int status, int signal)
{
	uint32_t class = error_class(signal);
	size_t cursor = 0;
	const char *s;
	uint64_t n;

	if (stop_asked || (status == 0 && signal == 0))
		return;
	while ((s = config_next("raise", &cursor)) != NULL)
		if (str_to_u64(s, UINT64_MAX, &n) == 0 && n == class) {
			console_drain();
			gw_call(GW_CALL_HEALTH_RAISE, GW_HEALTH_CODE(class, (uint8_t)status), 0, 0);
			return;
		}
}

_Noreturn void machine_end(int status, int signal)
{
	if (atomic_exchange(&process_first->exiting, 1) != 0) {
		for (;;) /* another thread is at it; the machine ends under us */
			(void)uthread_park(GW_NEVER);
	}
	sockets_trace_report();
	report_stats();
	/* The program took no for an answer, and gave up: say what it may have kept to itself. */
	if (status != 0 && signal != SIGKILL && linux_stats.refused != 0)
		control_line("error out of memory: %u of the program's requests for memory were "
			     "refused; "
			     "give the machine more with -m",
			     (unsigned)linux_stats.refused);
	if (signal != 0)
		control_line("signal %d SIG%s", signal, signal_name(signal));
	raise_error(status, signal);
	control_line("exit %d", status);
	console_drain();
	platform_shutdown(status);
}
