/* SPDX-License-Identifier: Apache-2.0 */
/* run.c - `godwit run`: pack, boot, stay, report. See run.h. */
#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/godwit/backlog.h"
#include "tools/godwit/forward.h"
#include "tools/godwit/help.h"
#include "tools/godwit/image.h"
#include "tools/godwit/kvmprobe.h"
#include "tools/godwit/life.h"
#include "tools/godwit/locate.h"
#include "tools/godwit/outcome.h"
#include "tools/godwit/run.h"
#include "tools/godwit/session.h"

#define SLACK_BYTES (1u << 20) /* firmware, page tables */

/* Everything that `seen` needs while the machine runs. */
struct running {
	const struct options *o;
	uint64_t begin_ns; /* of the command */
	bool said;
	struct life *life; /* NULL: no --trace */
};

static bool choose_kvm(const struct options *o)
{
	char why[160];
	bool usable;

	if (o->accel == ACCEL_TCG)
		return false;
	usable = kvm_usable(why, sizeof(why));
	if (o->accel == ACCEL_KVM) { /* as was asked for; QEMU says if it cannot */
		if (!usable)
			warn("%s: --accel kvm may fail or crawl here (leave it out, or --accel "
			     "tcg)",
			     why);
		return true;
	}
	note("%s: using %s", why, usable ? "KVM" : "QEMU's own emulation (TCG)");
	return usable;
}

static void print_boot(struct session *s, const struct running *r)
{
	struct text t = { 0 };

	if (!r->o->timeline)
		return;
	report_boot(&t, &s->records);
	fputs(t.data, stderr);
	text_free(&t);
}

static void print_host(const struct options *o, const struct image *image, uint64_t begin_ns)
{
	struct mark marks[IMAGE_MARKS + 1];
	struct text t = { 0 };
	size_t n = image->n_marks;

	if (!o->timeline)
		return;
	memcpy(marks, image->marks, sizeof(image->marks));
	marks[n++] = (struct mark){ "all before the machine", now_ns() - begin_ns };
	report_host(&t, marks, n);
	fputs(t.data, stderr);
	text_free(&t);
}

static void seen_listen(struct session *s, struct running *r)
{
	const struct record *l = &s->records.listen.v[s->records.listen.n - 1];
	const struct options *o = r->o;
	bool udp = l->name[0] == 'u', found = false;

	for (size_t i = 0; i < o->n_forwards; i++) {
		const struct forward *f = &o->forwards[i];

		if (f->guest != l->value || f->udp != udp)
			continue;
		found = true;
		if (o->timeline || verbose)
			fprintf(stderr,
				"godwit: serving %s:%u -> guest %s port %u, %.0f ms after the "
				"start\n",
				f->addr, f->host, l->name, f->guest,
				(double)(now_ns() - r->begin_ns) / 1e6);
	}
	if (!found && o->net == NET_USER && (verbose || isatty(STDERR_FILENO)))
		warn("the program listens on %s port %u, which no -p leads to (-p %u:%u%s)",
		     l->name, (unsigned int)l->value, (unsigned int)l->value,
		     (unsigned int)l->value, udp ? "/udp" : "");
	if (found && !r->said && o->say != NULL)
		fprintf(stderr, "%s\n", o->say);
	r->said |= found;
}

static void seen(struct session *s, enum record_kind kind)
{
	struct running *r = (struct running *)(uintptr_t)s->context;

	/* QEMU listens before the machine starts. */
	if (s->records.boot.n + s->records.listen.n == 1)
		backlog_raise(s->pid, r->o);
	if (kind == RECORD_BOOT)
		print_boot(s, r);
	if (kind == RECORD_LISTEN)
		seen_listen(s, r);
	if (kind == RECORD_ERROR)
		warn("%s", s->records.error);
	if (kind == RECORD_TRACE && r->life != NULL && life_add(r->life, s->records.trace) != 0)
		kind = RECORD_BAD;
	if (kind == RECORD_BAD)
		note("the guest sent a record that makes no sense");
}

/* A machine too small for what is loaded before it starts would fail without a word. */
static int check_memory(const struct options *o, const char *kernel, const struct image *image)
{
	size_t len;
	uint8_t *bytes = read_file(kernel, &len);
	Elf64_Ehdr e = { 0 };
	uint64_t end = 0, need;

	if (bytes == NULL)
		return -1;
	memcpy(&e, bytes, len < sizeof(e) ? len : sizeof(e));
	if (memcmp(e.e_ident, ELFMAG, SELFMAG) != 0 || e.e_phoff > len ||
	    (len - e.e_phoff) / sizeof(Elf64_Phdr) < e.e_phnum) {
		free(bytes);
		return fail("%s is no kernel: not an ELF file, or truncated", kernel);
	}
	for (uint64_t i = 0; i < e.e_phnum; i++) {
		Elf64_Phdr p;

		memcpy(&p, bytes + e.e_phoff + i * sizeof(p), sizeof(p));
		if (p.p_type == PT_LOAD && p.p_paddr < 1ull << 32 && p.p_paddr + p.p_memsz > end)
			end = p.p_paddr + p.p_memsz;
	}
	free(bytes);
	need = end + image->bundle_size + SLACK_BYTES;
	if (o->memory < need)
		return fail("-m: %.1f MiB is too little: the kernel and its boot bundle alone need "
			    "%.1f MiB",
			    (double)o->memory / (1 << 20), (double)need / (1 << 20));
	return 0;
}

static int print_qemu(const struct options *o, struct qemu_files *f)
{
	struct words argv = { 0 };
	struct text t = { 0 };

	qemu_command(&argv, o, f);
	for (size_t i = 0; i < argv.n; i++) {
		bool option = i > 0 && argv.v[i][0] == '-';

		text_printf(&t, "%s", i == 0 ? "" : option ? " \\\n\t" : " ");
		shell_quote(&t, argv.v[i]);
	}
	printf("%s\n", t.data);
	warn("the files of this machine are in %s; remove it when done:", f->folder);
	fprintf(stderr, "  %s   the boot bundle\n", f->bundle);
	if (f->root != NULL)
		fprintf(stderr, "  %s   the root image\n", f->root);
	fprintf(stderr,
		"  %s/*.log   what the machine will say (kernel, standard error, records)\n",
		f->folder);
	text_free(&t);
	words_free(&argv);
	return 0;
}

static char *make_folder(void)
{
	const char *tmp = getenv("TMPDIR");
	char *folder = xasprintf("%s/godwit-XXXXXX", tmp != NULL && tmp[0] != '\0' ? tmp : "/tmp");

	if (mkdtemp(folder) == NULL) {
		fail("cannot make a folder %s: %s", folder, strerror(errno));
		free(folder);
		return NULL;
	}
	return folder;
}

static int load_runtime(struct program *runtime)
{
	char *path = locate_file("linux.elf");
	size_t len = 0;
	uint8_t *bytes = path != NULL ? read_file(path, &len) : NULL;
	int result = bytes != NULL ? program_parse(runtime, bytes, len, path) : -1;

	free(bytes);
	free(path);
	return result;
}

/* QEMU 7.2 sets a processor halted before it has counted its last instructions; its other thread,
 * should it look just then, skips idle time from the wrong moment. On one core, with no thread
 * preempting another when it wakes, nobody looks just then. Failing leaves a difference of some
 * nanoseconds in some runs. */
static void use_one_core(void)
{
	struct sched_param none = { 0 };
	int cpu = sched_getcpu();
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu < 0 ? 0 : (unsigned int)cpu, &set);
	if (cpu < 0 || sched_setaffinity(0, sizeof(set), &set) != 0 ||
	    sched_setscheduler(0, SCHED_BATCH, &none) != 0)
		note("cannot stay on one core: %s", strerror(errno));
}

/* The trace is closed and its table printed, however the run ended. */
static void end_trace(struct life *l)
{
	struct text t = { 0 };

	life_table(l, &t);
	fputs(t.data, stderr);
	text_free(&t);
	if (life_close(l) != 0) {
		warn("%s", fail_text());
		fail_clear();
	}
}

/* Boot and stay. Returns the exit status, or -1 (fail). */
static int boot(const struct options *o, struct image *image, struct qemu_files *f,
		uint64_t begin_ns)
{
	struct running running = { .o = o, .begin_ns = begin_ns };
	struct session *s = xcalloc(1, sizeof(*s));
	int keep[2], status = -1;
	struct words argv = { 0 };
	struct life life;
	size_t n = 0;

	if (o->trace != NULL) {
		if (life_open(&life, o->trace, o->argv[0]) != 0)
			goto out;
		running.life = &life;
	}
	s->seen = seen;
	s->context = &running;
	keep[n++] = image->bundle_fd;
	if (image->root_fd >= 0)
		keep[n++] = image->root_fd;
	if (session_prepare(s) == 0 &&
	    (o->metrics == NULL || serve_tcp(&s->serve, o->metrics) == 0)) {
		s->serve.program = o->argv[0];
		if (serve_local(&s->serve) != 0) {
			note("godwit top will not find this machine: %s", fail_text());
			fail_clear();
		}
		memcpy(f->fds, s->qemu_fds, sizeof(f->fds));
		qemu_command(&argv, o, f);
		print_host(o, image, begin_ns);
		s->no_input = o->deterministic;
		if (o->deterministic)
			use_one_core();
		if (session_run(s, &argv, keep, n) == 0)
			status = outcome(s, o);
	}
	serve_close(&s->serve);
	if (running.life != NULL)
		end_trace(&life);
out:
	words_free(&argv);
	text_free(&s->qemu_messages);
	free(s);
	return status;
}

static int run(struct options *o, uint64_t begin_ns)
{
	const char *qemu = getenv("GODWIT_QEMU");
	struct qemu_files f = { .qemu = qemu != NULL && qemu[0] != '\0' ? qemu
									: "qemu-system-x86_64" };
	char *kernel = locate_file("kernel.elf"), *folder = NULL;
	struct program runtime = { 0 };
	struct image image = { .bundle_fd = -1, .root_fd = -1 };
	int status = -1;

	if (kernel == NULL || load_runtime(&runtime) != 0)
		goto out;
	if (!o->print_qemu && (forward_check(o) != 0 || tap_check(o) != 0))
		goto out;
	if (o->print_qemu && (folder = make_folder()) == NULL)
		goto out;
	if (image_make(&image, o, &runtime, folder) != 0 || check_memory(o, kernel, &image) != 0)
		goto out;
	f.kernel = kernel;
	f.bundle = image.bundle;
	f.root = strcmp(o->root, "blk") == 0 ? image.root : NULL;
	f.folder = folder;
	f.kvm = choose_kvm(o);
	status = folder != NULL ? print_qemu(o, &f) : boot(o, &image, &f, begin_ns);
out:
	image_free(&image);
	program_free(&runtime);
	free(kernel);
	free(folder);
	return status;
}

int command_run(int argc, char *const *argv)
{
	uint64_t begin_ns = now_ns();
	struct options o;
	int status = STATUS_USAGE;

	if (options_parse(&o, argc, argv) != 0) {
		warn("run: %s", fail_text());
	} else if (o.help) {
		help_run();
		status = 0;
	} else {
		status = run(&o, begin_ns);
		if (status < 0) {
			warn("run: %s", fail_text());
			status = STATUS_USAGE;
		}
	}
	options_free(&o);
	return status;
}
