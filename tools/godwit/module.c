/* SPDX-License-Identifier: Apache-2.0 */
/* module.c - `godwit module`: check, show or run a machine of several partitions. See run.h,
 * tools/module/module.h. */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tools/godwit/help.h"
#include "tools/godwit/locate.h"
#include "tools/godwit/machine.h"
#include "tools/godwit/run.h"
#include "tools/module/module.h"

struct asked {
	bool check, show, print_qemu, summary, quiet;
	const char *svg, *metrics, *file;
};

static int parse(struct asked *a, int argc, char *const *argv)
{
	static const char *const names[] = { "--check",	  "--show",  "--svg",	  "--print-qemu",
					     "--summary", "--quiet", "--metrics", "--help",
					     "-v",	  NULL };

	for (int i = 0; i < argc; i++) {
		const char *near, *s = argv[i];

		if (strcmp(s, "--check") == 0)
			a->check = true;
		else if (strcmp(s, "--show") == 0)
			a->show = true;
		else if (strcmp(s, "--print-qemu") == 0)
			a->print_qemu = true;
		else if (strcmp(s, "--summary") == 0)
			a->summary = true;
		else if (strcmp(s, "--quiet") == 0)
			a->quiet = true;
		else if (strcmp(s, "-v") == 0)
			verbose = a->summary = true;
		else if (strcmp(s, "--svg") == 0 || strcmp(s, "--metrics") == 0) {
			if (i + 1 == argc)
				return fail("%s needs a value behind it", s);
			*(s[2] == 's' ? &a->svg : &a->metrics) = argv[++i];
		} else if (s[0] == '-') {
			near = nearest(s, names);
			return fail("unknown option %s%s%s ('godwit module --help')", s,
				    near != NULL ? "; did you mean " : "",
				    near != NULL ? near : "");
		} else if (a->file != NULL) {
			return fail("two files: %s and %s", a->file, s);
		} else {
			a->file = s;
		}
	}
	return a->file != NULL ? 0 : fail("which file? Write: godwit module [options] FILE.ini");
}

/* What the kernel would say of a partition program's segments: its own check, of a bundle with
 * nothing else. */
static int check_segments(const struct program *program)
{
	struct bundle_spec *spec = xcalloc(1, sizeof(*spec));
	int fd = memfd_create("bundle", MFD_CLOEXEC), result;
	uint64_t size;

	if (fd < 0) {
		free(spec);
		return fail("memfd_create: %s", strerror(errno));
	}
	bundle_alone(spec, 1, (struct gw_bundle_mmio){ 0 });
	spec->parts[0].program = program;
	result = bundle_write(fd, spec, &size);
	close(fd);
	free(spec);
	return result;
}

/* Programs and files are found, and fit into the bundle, or it is told with their partition's
 * line. */
static void check_programs(const struct module *m, struct diag *d)
{
	size_t segments = 0;

	for (size_t i = 0; i < m->n_partitions; i++) {
		const struct module_partition *p = &m->partitions[i];
		struct program program = { 0 };
		int line = p->program_line != 0 ? p->program_line : p->line;
		size_t before = segments;

		if (p->argv.n == 0)
			continue;
		if ((!p->o.bare && image_check(&p->o) != 0) ||
		    machine_program(&program, p->o.bare ? p->argv.v[0] : "linux.elf") != 0 ||
		    check_segments(&program) != 0)
			diag_error(d, line, "%s: %s", p->name, fail_text());
		segments += program.n;
		if (before <= GW_BUNDLE_SEGMENTS && segments > GW_BUNDLE_SEGMENTS)
			diag_error(d, line,
				   "%s: with it the partitions' programs have %zu segments; a "
				   "machine has room for %u",
				   p->name, segments, GW_BUNDLE_SEGMENTS);
		program_free(&program);
		fail_clear();
	}
}

static int print_text(const struct module *m, void (*print)(const struct module *, struct text *),
		      const char *path)
{
	FILE *f = path != NULL ? fopen(path, "we") : stdout;
	struct text t = { 0 };
	bool bad;

	if (f == NULL)
		return fail("cannot write %s: %s", path, strerror(errno));
	print(m, &t);
	bad = fwrite(t.data, 1, t.len, f) != t.len || fflush(f) != 0;
	if (path != NULL)
		bad |= fclose(f) != 0;
	text_free(&t);
	return bad ? fail("cannot write %s", path != NULL ? path : "standard output") : 0;
}

/* Fill the machine from the module. programs, blobs: room for each partition's. */
static int compile(struct machine *machine, struct module *m, struct program *programs,
		   struct text *blobs)
{
	struct program *linux_program = NULL;

	machine->n = m->n_partitions;
	for (size_t i = 0; i < m->n_partitions; i++) {
		struct module_partition *p = &m->partitions[i];
		const char *name = p->o.bare ? p->argv.v[0] : "linux.elf";

		machine->guests[i].name = p->name;
		if (p->personality == PERSONALITY_ARINC653) {
			module_apex(m, i, &blobs[i]);
			machine->spec.parts[i].config = blobs[i].data;
			machine->spec.parts[i].config_len = blobs[i].len;
		} else {
			machine->guests[i].o = &p->o;
			module_ports(m, i, &machine->guests[i].ports);
		}
		if (!p->o.bare && linux_program != NULL) {
			machine->spec.parts[i].program = linux_program;
			continue;
		}
		if (machine_program(&programs[i], name) != 0)
			return -1;
		machine->spec.parts[i].program = &programs[i];
		if (!p->o.bare)
			linux_program = &programs[i];
	}
	module_manifest(m, &machine->spec.manifest);
	return 0;
}

static int run(struct module *m, const struct asked *a, uint64_t begin_ns)
{
	struct program programs[GW_BUNDLE_PARTITIONS] = { 0 };
	struct text blobs[GW_BUNDLE_PARTITIONS] = { 0 };
	struct machine machine;
	int status = -1;

	m->o.print_qemu = a->print_qemu;
	m->o.summary = a->summary;
	if (a->metrics != NULL && option_set(&m->o, "--metrics", a->metrics) != 0)
		return -1;
	machine_init(&machine, &m->o);
	machine.title = a->file;
	machine.quiet = a->quiet;
	machine.grow = m->memory_line == 0;
	if (compile(&machine, m, programs, blobs) == 0)
		status = machine_run(&machine, begin_ns);
	machine_free(&machine);
	for (size_t i = 0; i < GW_BUNDLE_PARTITIONS; i++) {
		program_free(&programs[i]);
		text_free(&blobs[i]);
	}
	return status;
}

/* Relative paths in the file are relative to its folder. */
static int enter_folder(const char *file)
{
	char *copy = xstrdup(file), *folder = dirname(copy);
	int result = chdir(folder);

	if (result != 0)
		fail("cannot enter %s: %s", folder, strerror(errno));
	free(copy);
	return result;
}

/* Returns the exit status, or -1 (fail). */
static int act(struct module *m, const struct asked *a, struct diag *d, uint64_t begin_ns)
{
	if (d->errors == 0 && a->svg != NULL && print_text(m, module_svg, a->svg) != 0)
		return -1;
	if (enter_folder(a->file) != 0)
		return -1;
	if (a->check || a->show)
		check_programs(m, d);
	if (d->out.len != 0)
		fputs(d->out.data, stderr);
	if (d->errors != 0) {
		fprintf(stderr, "%s: %u mistake%s\n", a->file, d->errors,
			d->errors == 1 ? "" : "s");
		return STATUS_USAGE;
	}
	if (a->show)
		return print_text(m, module_show, NULL);
	if (a->check)
		printf("%s: good: %zu partitions, %u cores, %zu windows, %zu channels, %.0f MiB\n",
		       a->file, m->n_partitions, m->o.vcores, m->n_windows, m->n_channels,
		       (double)m->o.memory / (1 << 20));
	if (a->check || a->svg != NULL)
		return 0;
	return run(m, a, begin_ns);
}

int command_module(int argc, char *const *argv)
{
	uint64_t begin_ns = now_ns();
	struct asked a = { 0 };
	struct diag d = { 0 };
	struct module *m;
	uint8_t *bytes;
	size_t n = 0;
	int status = -1;

	if (argc == 1 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)) {
		help_module();
		return 0;
	}
	bytes = parse(&a, argc, argv) == 0 ? read_file(a.file, &n) : NULL;
	if (bytes != NULL) {
		m = xcalloc(1, sizeof(*m));
		d.file = a.file;
		module_read(m, (const char *)bytes, n, &d);
		module_check(m, &d);
		status = act(m, &a, &d, begin_ns);
		module_free(m);
		free(m);
	}
	text_free(&d.out);
	free(bytes);
	if (status >= 0)
		return status;
	warn("module: %s", fail_text());
	return STATUS_USAGE;
}
