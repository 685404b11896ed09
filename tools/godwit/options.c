/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - the command line of `godwit run`. One table says which options there are; each has
 * one small function for its value. See options.h. */
#include <stdlib.h>
#include <string.h>

#include "tools/godwit/options_internal.h"

#define MIN_MEMORY (4ull << 20)
#define MAX_VCORES 64
#define TRACE_EVERY 100u /* unless the user says */

static int set_memory(struct options *o, const char *v)
{
	if (parse_size(v, &o->memory) != 0)
		return fail("-m %s: a size is a number with K, M or G behind it (-m 256M)", v);
	if (o->memory < MIN_MEMORY)
		return fail("-m %s: too little; a machine needs at least 4M", v);
	if (o->memory > 1ull << 40)
		return fail("-m %s: too much; at most 1024G", v);
	o->memory = (o->memory + 4095) & ~4095ull;
	return 0;
}

static int set_vcores(struct options *o, const char *v)
{
	uint64_t n;

	if (parse_u64(v, 1, MAX_VCORES, &n) != 0)
		return fail("-c %s: the number of vcores is 1 to %d", v, MAX_VCORES);
	o->vcores = (uint32_t)n;
	return 0;
}

static int set_env(struct options *o, const char *v)
{
	const char *eq = strchr(v, '=');
	size_t n;

	if (eq == NULL || eq == v)
		return fail("-e %s: write NAME=VALUE", v);
	n = (size_t)(eq - v) + 1;
	for (size_t i = 0; i < o->env.n; i++) {
		if (strncmp(o->env.v[i], v, n) == 0) {
			free(o->env.v[i]);
			o->env.v[i] = xstrdup(v);
			return 0;
		}
	}
	words_add(&o->env, v);
	return 0;
}

static int set_file(struct options *o, const char *v)
{
	words_add(&o->files, v);
	return v[0] != '\0' ? 0 : fail("-f: the file's name is empty");
}

static int set_machine(struct options *o, const char *v)
{
	if (strcmp(v, "q35") != 0 && strcmp(v, "microvm") != 0)
		return fail("--machine %s: it takes q35 or microvm", v);
	o->machine = v[0] == 'q' ? MACHINE_Q35 : MACHINE_MICROVM;
	return 0;
}

static int set_dma(struct options *o, const char *v)
{
	if (strcmp(v, "trusted") != 0 && strcmp(v, "isolated") != 0)
		return fail("--dma %s: it takes trusted (devices reach all memory) or isolated (by "
			    "an IOMMU, the program's own)",
			    v);
	o->isolated = v[0] == 'i';
	return 0;
}

static int set_accel(struct options *o, const char *v)
{
	if (strcmp(v, "auto") != 0 && strcmp(v, "kvm") != 0 && strcmp(v, "tcg") != 0)
		return fail("--accel %s: it takes auto, kvm or tcg", v);
	o->accel = v[0] == 'a' ? ACCEL_AUTO : v[0] == 'k' ? ACCEL_KVM : ACCEL_TCG;
	return 0;
}

static int set_qemu_args(struct options *o, const char *v)
{
	return words_split(&o->qemu_args, v) == 0 ? 0 : fail("--qemu-args: a quote is not closed");
}

static int set_root(struct options *o, const char *v)
{
	if (strcmp(v, "blk") != 0 && strcmp(v, "memory") != 0 && strcmp(v, "none") != 0)
		return fail("--root %s: it takes blk (the program's files on a disk), memory (in "
			    "the boot bundle) or none",
			    v);
	o->root = v;
	return 0;
}

static int set_poll(struct options *o, const char *v)
{
	return parse_u64(v, 0, 1000000000, &o->poll_ns) == 0
		       ? 0
		       : fail("--poll %s: nanoseconds to poll before sleeping, 0 to 1000000000", v);
}

static int set_hostname(struct options *o, const char *v)
{
	if (v[0] == '\0' || strlen(v) > 64 || strpbrk(v, " \t\n/") != NULL)
		return fail("--hostname %s: a name of 1 to 64 characters without blanks", v);
	o->hostname = v;
	return 0;
}

static int set_cwd(struct options *o, const char *v)
{
	o->cwd = v;
	return v[0] == '/' ? 0 : fail("--cwd %s: a guest folder starts with /", v);
}

static int set_user(struct options *o, const char *v)
{
	char copy[32];
	uint64_t uid, gid;
	char *colon;

	if (strlen(v) < sizeof(copy)) {
		strcpy(copy, v);
		colon = strchr(copy, ':');
		if (colon != NULL)
			*colon = '\0';
		if (parse_u64(copy, 0, 0xfffffffe, &uid) == 0 &&
		    parse_u64(colon != NULL ? colon + 1 : copy, 0, 0xfffffffe, &gid) == 0) {
			o->uid = (uint32_t)uid;
			o->gid = (uint32_t)gid;
			return 0;
		}
	}
	return fail("--user %s: write UID or UID:GID, as numbers", v);
}

static int set_files_dir(struct options *o, const char *v)
{
	o->files_dir = v;
	return v[0] != '\0' ? 0 : fail("--files: the folder's name is empty");
}

static int set_set(struct options *o, const char *v)
{
	if (strchr(v, '=') == NULL || v[0] == '=')
		return fail("--set %s: write KEY=VALUE", v);
	words_add(&o->sets, v);
	return 0;
}

static int set_say(struct options *o, const char *v)
{
	o->say = v;
	return 0;
}

static int set_metrics(struct options *o, const char *v)
{
	const char *port = strrchr(v, ':');
	uint64_t n;

	o->metrics = v;
	return parse_u64(port != NULL ? port + 1 : v, 1, 65535, &n) == 0
		       ? 0
		       : fail("--metrics %s: write PORT or ADDRESS:PORT", v);
}

static int set_trace(struct options *o, const char *v)
{
	const char *colon = strrchr(v, ':');

	o->trace_every = TRACE_EVERY;
	if (colon != NULL && strncmp(colon, ":1/", 3) != 0)
		colon = NULL;
	if (colon != NULL && parse_u64(colon + 3, 1, 1000000000, &o->trace_every) != 0)
		return fail("--trace %s: behind :1/ stands of how many packets one is followed", v);
	free(o->trace);
	o->trace = colon != NULL ? xstrndup(v, (size_t)(colon - v)) : xstrdup(v);
	return o->trace[0] != '\0' ? 0 : fail("--trace: the file's name is empty");
}

static int set_verbose(struct options *o, const char *v)
{
	(void)v;
	verbose = true;
	o->summary = o->timeline = true;
	return 0;
}

static int set_flag(struct options *o, const char *name)
{
	if (strcmp(name, "--print-qemu") == 0)
		o->print_qemu = true;
	else if (strcmp(name, "--summary") == 0)
		o->summary = true;
	else if (strcmp(name, "--timeline") == 0)
		o->timeline = true;
	else if (strcmp(name, "--deterministic") == 0)
		o->deterministic = true;
	else if (strcmp(name, "--native") == 0)
		o->native = true;
	else
		o->help = true;
	return 0;
}

static const struct option {
	const char *name, *other;
	int (*set)(struct options *o, const char *value);
	bool flag; /* takes no value: set is given the name */
} table[] = {
	{ "-p", "--publish", option_forward, false },
	{ "-m", "--memory", set_memory, false },
	{ "-c", "--vcores", set_vcores, false },
	{ "-e", "--env", set_env, false },
	{ "-f", "--file", set_file, false },
	{ "--net", NULL, option_net, false },
	{ "--addr", NULL, option_addr, false },
	{ "--addr6", NULL, option_addr6, false },
	{ "--congestion", NULL, option_congestion, false },
	{ "--ecn", NULL, option_ecn, false },
	{ "--machine", NULL, set_machine, false },
	{ "--accel", NULL, set_accel, false },
	{ "--dma", NULL, set_dma, false },
	{ "--qemu-args", NULL, set_qemu_args, false },
	{ "--root", NULL, set_root, false },
	{ "--poll", NULL, set_poll, false },
	{ "--hostname", NULL, set_hostname, false },
	{ "--cwd", NULL, set_cwd, false },
	{ "--user", NULL, set_user, false },
	{ "--say", NULL, set_say, false },
	{ "--print-qemu", NULL, set_flag, true },
	{ "--summary", NULL, set_flag, true },
	{ "--timeline", NULL, set_flag, true },
	{ "-v", "--verbose", set_verbose, true },
	{ "--metrics", NULL, set_metrics, false },
	{ "--trace", NULL, set_trace, false },
	{ "-h", "--help", set_flag, true },
	{ "--deterministic", NULL, set_flag, true },
	{ "--native", NULL, set_flag, true },
	{ "--files", NULL, set_files_dir, false },
	{ "--set", NULL, set_set, false },
};

#define N_TABLE (sizeof(table) / sizeof(table[0]))

static const struct option *find_option(const char *arg, const char **value)
{
	size_t n = strcspn(arg, "=");

	*value = NULL;
	for (size_t i = 0; i < N_TABLE; i++) {
		if (strcmp(arg, table[i].name) == 0 ||
		    (table[i].other != NULL && strcmp(arg, table[i].other) == 0))
			return &table[i];
		/* --name=value, and -mVALUE as getopt has it */
		for (int k = 0; k < 2; k++) {
			const char *name = k == 0 ? table[i].name : table[i].other;

			if (name == NULL || table[i].flag)
				continue;
			if (name[1] == '-' && arg[n] == '=' && strlen(name) == n &&
			    strncmp(arg, name, n) == 0) {
				*value = arg + n + 1;
				return &table[i];
			}
			if (name[1] != '-' && strncmp(arg, name, 2) == 0) {
				*value = arg + 2;
				return &table[i];
			}
		}
	}
	return NULL;
}

static int unknown(const char *arg)
{
	const char *names[2 * N_TABLE + 1], *near;
	char *word = xstrndup(arg, strcspn(arg, "="));
	size_t n = 0;

	for (size_t i = 0; i < N_TABLE; i++) {
		names[n++] = table[i].name;
		if (table[i].other != NULL)
			names[n++] = table[i].other;
	}
	names[n] = NULL;
	near = nearest(word, names);
	free(word);
	if (near != NULL)
		return fail("unknown option %s; did you mean %s? ('godwit run --help' lists them)",
			    arg, near);
	return fail("unknown option %s ('godwit run --help' lists them)", arg);
}

void options_defaults(struct options *o)
{
	*o = (struct options){
		.memory = 256ull << 20, .vcores = 1, .root = "blk", .hostname = "godwit", .cwd = "/"
	};
	words_add(&o->env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	words_add(&o->env, "HOME=/root");
}

/* Whatever comes from outside while the machine runs would differ from run to run. */
static int deterministic(struct options *o)
{
	if (o->n_forwards != 0 || o->net == NET_TAP)
		return fail("--deterministic: such a machine has no network; leave out -p and "
			    "--net");
	if (o->vcores != 1)
		return fail("--deterministic: such a machine has one vcore; leave out -c");
	if (o->accel == ACCEL_KVM)
		return fail("--deterministic needs emulation; leave out --accel kvm");
	o->net = NET_NONE;
	o->accel = ACCEL_TCG;
	o->no_input = o->no_random = true;
	if (strcmp(o->root, "blk") == 0)
		o->root = "memory";
	return 0;
}

/* A native program has no Linux around it. */
static int native(struct options *o)
{
	if (!o->native && (o->files_dir != NULL || o->sets.n != 0))
		return fail("%s is for native programs (--native)",
			    o->sets.n != 0 ? "--set" : "--files");
	if (!o->native)
		return 0;
	if (o->files.n != 0)
		return fail("-f: a native program finds the files of --files FOLDER only");
	o->root = o->files_dir != NULL ? "memory" : "none";
	return 0;
}

int option_set(struct options *o, const char *name, const char *value)
{
	const char *unused;
	const struct option *option = find_option(name, &unused);

	return option == NULL ? unknown(name) : option->set(o, value);
}

int options_finish(struct options *o)
{
	if (native(o) != 0 || (o->deterministic && deterministic(o) != 0))
		return -1;
	if (o->isolated && o->machine == MACHINE_MICROVM)
		return fail("--dma isolated needs an IOMMU, and microvm has none: leave out "
			    "--machine microvm");
	return option_net_defaults(o);
}

int options_parse(struct options *o, int argc, char *const *argv)
{
	int i = 0;

	options_defaults(o);
	for (; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
		const struct option *option;
		const char *value, *name = argv[i];

		if (strcmp(name, "--") == 0) {
			i++;
			break;
		}
		option = find_option(name, &value);
		if (option == NULL)
			return unknown(name);
		if (option->flag)
			value = option->other != NULL && strcmp(name, option->name) == 0
					? option->other
					: name;
		else if (value == NULL && ++i < argc)
			value = argv[i];
		if (value == NULL)
			return fail("%s needs a value behind it ('godwit run --help' says which)",
				    name);
		if (option->set(o, value) != 0)
			return -1;
		if (o->help)
			return 0;
	}
	if (i >= argc)
		return fail("which program? Write: godwit run [options] -- PROGRAM [ARG...]");
	o->argv = argv + i;
	return options_finish(o);
}

void options_free(struct options *o)
{
	free(o->forwards);
	free(o->trace);
	words_free(&o->env);
	words_free(&o->files);
	words_free(&o->qemu_args);
	words_free(&o->sets);
}
