/* SPDX-License-Identifier: Apache-2.0 */
/* machine.c - from partitions to a running machine and its end. See machine.h. */
#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/godwit/backlog.h"
#include "tools/godwit/forward.h"
#include "tools/godwit/kvmprobe.h"
#include "tools/godwit/life.h"
#include "tools/godwit/locate.h"
#include "tools/godwit/machine.h"
#include "tools/godwit/outcome.h"
#include "tools/godwit/session.h"

#define SLACK_BYTES (1u << 20) /* firmware, page tables */

/* Everything that `seen` needs while the machine runs. */
struct running {
	const struct machine *m;
	struct session *s;
	uint64_t begin_ns; /* of the command */
	struct life *life; /* NULL: no --trace */
	bool said, raised;
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

static const char *name_of(const struct session_guest *g)
{
	return g->name != NULL ? g->name : "";
}

static void print_boot(const struct session_guest *g, const struct running *r)
{
	struct text t = { 0 };

	if (!r->m->o->timeline)
		return;
	report_boot(&t, &g->records);
	fprintf(stderr, "%s%s%s", name_of(g), g->name != NULL ? ": " : "", t.data);
	text_free(&t);
}

static void print_host(const struct machine *m, uint64_t begin_ns)
{
	struct mark marks[MACHINE_MARKS + 1];
	struct text t = { 0 };

	if (!m->o->timeline)
		return;
	memcpy(marks, m->marks, sizeof(m->marks));
	marks[MACHINE_MARKS] = (struct mark){ "all before the machine", now_ns() - begin_ns };
	report_host(&t, marks, MACHINE_MARKS + 1);
	fputs(t.data, stderr);
	text_free(&t);
}

static void seen_listen(struct session_guest *g, struct running *r)
{
	const struct record *l = &g->records.listen.v[g->records.listen.n - 1];
	const struct options *o = r->m->guests[g - r->s->guests].o;
	bool udp = l->name[0] == 'u', found = false;
	const char *colon = g->name != NULL ? ": " : "";

	if (l->name[3] == '6')
		return; /* IPv6 alone: no -p leads there */
	for (size_t i = 0; i < o->n_forwards; i++) {
		const struct forward *f = &o->forwards[i];

		if (f->guest != l->value || f->udp != udp)
			continue;
		found = true;
		if (r->m->o->timeline || verbose)
			fprintf(stderr,
				"godwit: %s%sserving %s:%u -> guest %s port %u, %.0f ms after the "
				"start\n",
				name_of(g), colon, f->addr, f->host, l->name, f->guest,
				(double)(now_ns() - r->begin_ns) / 1e6);
	}
	if (!found && o->net == NET_USER && (verbose || isatty(STDERR_FILENO)))
		warn("%s%sthe program listens on %s port %u, which no -p leads to (-p %u:%u%s)",
		     name_of(g), colon, l->name, (unsigned int)l->value, (unsigned int)l->value,
		     (unsigned int)l->value, udp ? "/udp" : "");
	if (found && !r->said && o->say != NULL)
		fprintf(stderr, "%s\n", o->say);
	r->said |= found && g->name == NULL;
}

static void seen(struct session *s, struct session_guest *g, enum record_kind kind)
{
	struct running *r = (struct running *)(uintptr_t)s->context;
	const char *colon = g->name != NULL ? ": " : "";

	/* QEMU listens before the machine starts. */
	for (size_t i = 0; !r->raised && i < s->n_guests; i++)
		if (r->m->guests[i].o != NULL)
			backlog_raise(s->pid, r->m->guests[i].o);
	r->raised = true;
	if (kind == RECORD_BOOT) {
		if (g->starts > 1 && g->records.boot.n == 1)
			warn("%s%srestarted, start %u", name_of(g), colon, g->starts);
		print_boot(g, r);
	}
	if (kind == RECORD_LISTEN)
		seen_listen(g, r);
	if (kind == RECORD_ERROR)
		warn("%s%s%s", name_of(g), colon, g->records.error);
	if (kind == RECORD_TRACE && r->life != NULL && life_add(r->life, g->records.trace) != 0)
		kind = RECORD_BAD;
	if (kind == RECORD_BAD)
		note("%s%sthe guest sent a record that makes no sense", name_of(g), colon);
}

uint64_t machine_kernel_end(const char *kernel)
{
	size_t len;
	uint8_t *bytes = read_file(kernel, &len);
	Elf64_Ehdr e = { 0 };
	uint64_t end = 0;

	if (bytes == NULL)
		return 0;
	memcpy(&e, bytes, len < sizeof(e) ? len : sizeof(e));
	if (memcmp(e.e_ident, ELFMAG, SELFMAG) != 0 || e.e_phoff > len ||
	    (len - e.e_phoff) / sizeof(Elf64_Phdr) < e.e_phnum) {
		free(bytes);
		fail("%s is no kernel: not an ELF file, or truncated", kernel);
		return 0;
	}
	for (uint64_t i = 0; i < e.e_phnum; i++) {
		Elf64_Phdr p;

		memcpy(&p, bytes + e.e_phoff + i * sizeof(p), sizeof(p));
		if (p.p_type == PT_LOAD && p.p_paddr < 1ull << 32 && p.p_paddr + p.p_memsz > end)
			end = p.p_paddr + p.p_memsz;
	}
	free(bytes);
	return end;
}

/* A machine too small for what is loaded before it starts would fail without a word. */
static int check_memory(const struct options *o, const char *kernel, uint64_t bundle)
{
	uint64_t end = machine_kernel_end(kernel), need = end + bundle + SLACK_BYTES;

	if (end == 0)
		return -1;
	if (o->memory < need)
		return fail("-m: %.1f MiB is too little: the kernel and its boot bundle alone need "
			    "%.1f MiB",
			    (double)o->memory / (1 << 20), (double)need / (1 << 20));
	return 0;
}

static int print_qemu(const struct machine *m, const struct qemu_files *f)
{
	struct words argv = { 0 };
	struct text t = { 0 };

	qemu_command(&argv, m->o, f);
	for (size_t i = 0; i < argv.n; i++) {
		bool option = i > 0 && argv.v[i][0] == '-';

		text_printf(&t, "%s", i == 0 ? "" : option ? " \\\n\t" : " ");
		shell_quote(&t, argv.v[i]);
	}
	printf("%s\n", t.data);
	warn("the files of this machine are in %s; remove it when done:", f->folder);
	fprintf(stderr, "  %s   the boot bundle\n", f->bundle);
	for (size_t i = 0; i < f->n_guests; i++)
		if (f->guests[i].root != NULL)
			fprintf(stderr, "  %s   the root image\n", f->guests[i].root);
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

int machine_program(struct program *program, const char *name)
{
	char *path = strchr(name, '/') != NULL ? xstrdup(name) : locate_file(name);
	size_t len = 0;
	uint8_t *bytes = path != NULL ? read_file(path, &len) : NULL;
	int result = bytes != NULL ? program_parse(program, bytes, len, path) : -1;

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

static void prepare_guests(struct session *s, const struct machine *m)
{
	s->n_guests = m->n;
	s->no_input = true;
	for (size_t i = 0; i < m->n; i++) {
		const struct machine_guest *g = &m->guests[i];

		s->guests[i].name = g->name;
		s->guests[i].absent = g->o == NULL;
		if (g->o == NULL || g->o->no_input)
			continue;
		s->input = i;
		s->no_input = false;
	}
}

static int listen_for_metrics(struct session *s, const struct machine *m)
{
	if (m->o->metrics != NULL && serve_tcp(&s->serve, m->o->metrics) != 0)
		return -1;
	s->serve.program = m->title;
	if (serve_local(&s->serve) != 0) {
		note("godwit top will not find this machine: %s", fail_text());
		fail_clear();
	}
	return 0;
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
static int boot(const struct machine *m, struct qemu_files *f, uint64_t begin_ns)
{
	struct session *s = xcalloc(1, sizeof(*s));
	struct running running = { .m = m, .s = s, .begin_ns = begin_ns };
	int keep[GW_BUNDLE_PARTITIONS + 1], status = -1;
	struct words argv = { 0 };
	struct life life;
	size_t n = 0;

	if (m->o->trace != NULL) {
		if (life_open(&life, m->o->trace, m->title) != 0)
			goto out;
		running.life = &life;
	}
	s->seen = seen;
	s->context = &running;
	keep[n++] = m->bundle.fd;
	for (size_t i = 0; i < m->n; i++)
		if (m->guests[i].image.root_fd >= 0)
			keep[n++] = m->guests[i].image.root_fd;
	prepare_guests(s, m);
	if (session_prepare(s) == 0 && listen_for_metrics(s, m) == 0) {
		f->uart_fd = s->uart_qemu_fd;
		for (size_t i = 0; i < m->n; i++)
			memcpy(f->guests[i].fds, s->guests[i].qemu_fds, sizeof(f->guests[i].fds));
		qemu_command(&argv, m->o, f);
		print_host(m, begin_ns);
		if (m->o->deterministic)
			use_one_core();
		if (session_run(s, &argv, keep, n) == 0)
			status = m->guests[0].name == NULL
					 ? outcome(s, m->o)
					 : outcome_module(s, m->o->summary, m->quiet);
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

static bool has_disk(const struct options *o)
{
	return o != NULL && strcmp(o->root, "blk") == 0;
}

int machine_files(struct machine *m, const char *folder)
{
	uint64_t before;

	m->marks[0].name = "files found";
	m->marks[1].name = "root image written";
	m->marks[2].name = "boot bundle written";
	for (size_t i = 0; i < m->n; i++) {
		struct machine_guest *g = &m->guests[i];

		if (g->o != NULL && image_make(&g->image, g->o, &g->ports, folder, g->name,
					       &m->marks[0].ns, &m->marks[1].ns) != 0)
			return -1;
		if (g->o == NULL)
			continue;
		m->spec.parts[i].config = g->image.config.data;
		m->spec.parts[i].config_len = g->image.config.len;
	}
	before = now_ns();
	if (bundle_file_make(&m->bundle, &m->spec, m->o, folder) != 0)
		return -1;
	m->marks[2].ns = now_ns() - before;
	return 0;
}

static int check_networks(struct machine *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->guests[i].o != NULL &&
		    (forward_check(m->guests[i].o) != 0 || tap_check(m->guests[i].o) != 0))
			return -1;
	return 0;
}

int machine_run(struct machine *m, uint64_t begin_ns)
{
	const char *qemu = getenv("GODWIT_QEMU");
	struct qemu_files f = { .qemu = qemu != NULL && qemu[0] != '\0' ? qemu
									: "qemu-system-x86_64" };
	char *kernel = locate_file("kernel.elf"), *folder = NULL;
	int status = -1;

	if (kernel == NULL || (!m->o->print_qemu && check_networks(m) != 0))
		goto out;
	if (m->o->print_qemu && (folder = make_folder()) == NULL)
		goto out;
	if (machine_files(m, folder) != 0)
		goto out;
	if (m->grow)
		m->o->memory += (m->bundle.size + 0xfffff) & ~0xfffffull;
	if (check_memory(m->o, kernel, m->bundle.size) != 0)
		goto out;
	f.kernel = kernel;
	f.bundle = m->bundle.path;
	f.folder = folder;
	f.kvm = choose_kvm(m->o);
	f.n_guests = m->n;
	for (size_t i = 0; i < m->n; i++)
		f.guests[i] = (struct qemu_guest){ .o = m->guests[i].o,
						   .name = m->guests[i].name,
						   .root = has_disk(m->guests[i].o)
								   ? m->guests[i].image.root
								   : NULL };
	status = folder != NULL ? print_qemu(m, &f) : boot(m, &f, begin_ns);
out:
	free(kernel);
	free(folder);
	return status;
}

void machine_init(struct machine *m, struct options *o)
{
	*m = (struct machine){ .o = o, .bundle.fd = -1 };
	for (size_t i = 0; i < GW_BUNDLE_PARTITIONS; i++)
		m->guests[i].image.root_fd = -1;
}

void machine_free(struct machine *m)
{
	for (size_t i = 0; i < GW_BUNDLE_PARTITIONS; i++) {
		image_free(&m->guests[i].image);
		words_free(&m->guests[i].ports);
	}
	bundle_file_free(&m->bundle);
}

void machine_alone(struct machine *m, struct options *o, const struct program *runtime)
{
	machine_init(m, o);
	m->n = 1;
	m->guests[0].o = o;
	m->title = o->argv[0];
	m->spec.parts[0].program = runtime;
	bundle_alone(&m->spec, o->vcores, qemu_mmio(o->machine));
	if (o->isolated)
		m->spec.manifest.partitions[0].flags &= ~GW_PARTITION_DMA_TRUSTED;
}
