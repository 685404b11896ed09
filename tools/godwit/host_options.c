/* SPDX-License-Identifier: Apache-2.0 */
/* host_options.c - the command line of `godwit host`. See host.h. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/godwit/host.h"
#include "tools/godwit/options_internal.h"

#define MAX_CORES 64

/* "2,4-6": a shard for each, in this order; a core may be named twice. */
static int set_cores(struct host_options *h, const char *v)
{
	const char *p = v;
	cpu_set_t allowed;
	size_t at = 0;
	int n = 0;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		CPU_ZERO(&allowed);
	do {
		char *end;
		unsigned long first = strtoul(p, &end, 10), last = first;

		if (end == p || *p == '-')
			return fail("--cores %s: write numbers and ranges, as 2,3 or 2-5", v);
		p = end;
		if (*p == '-') {
			last = strtoul(p + 1, &end, 10);
			if (end == p + 1 || last < first)
				return fail("--cores %s: a range is FIRST-LAST", v);
			p = end;
		}
		for (unsigned long c = first; c <= last; c++) {
			if (++n > MAX_CORES)
				return fail("--cores %s: at most %d", v, MAX_CORES);
			if (c >= CPU_SETSIZE || !CPU_ISSET(c, &allowed))
				return fail("--cores %s: core %lu is not there, or not for this "
					    "process (see nproc, taskset -p $$)",
					    v, c);
			at += (size_t)snprintf(h->cores + at, sizeof(h->cores) - at, "%s%lu",
					       at != 0 ? "," : "", c);
		}
		if (*p != ',' && *p != '\0')
			return fail("--cores %s: write numbers and ranges, as 2,3 or 2-5", v);
	} while (*p++ != '\0');
	return 0;
}

static int set_net(struct host_options *h, const char *v)
{
	h->net = v;
	if (strcmp(v, "none") == 0)
		return 0;
	if (strncmp(v, "tap=", 4) == 0 && v[4] != '\0' && strlen(v + 4) < sizeof(h->base.tap))
		return 0;
	if (strncmp(v, "afxdp=", 6) == 0 && v[6] != '\0' && strlen(v + 6) < sizeof(h->base.tap)) {
		h->interface = v + 6;
		return 0;
	}
	if ((strncmp(v, "vhost-user=", 11) == 0 || strncmp(v, "vhost-back=", 11) == 0) &&
	    v[11] != '\0')
		return 0;
	return fail("--net %s: it takes tap=INTERFACE, afxdp=INTERFACE, vhost-user=SOCKET, "
		    "vhost-back=SOCKET or none",
		    v);
}

static int set_addr(struct host_options *h, const char *v)
{
	return option_addr(&h->base, v);
}

static int set_addr6(struct host_options *h, const char *v)
{
	return option_addr6(&h->base, v);
}

static int set_disk(struct host_options *h, const char *v)
{
	words_add(&h->disks, v);
	return 0;
}

/* The same values as of `godwit run`, checked by the same code. */
static int set_base(struct host_options *h, const char *name, const char *v)
{
	return option_set(&h->base, name, v);
}

static int set_memory(struct host_options *h, const char *v)
{
	return set_base(h, "-m", v);
}

static int set_poll(struct host_options *h, const char *v)
{
	return set_base(h, "--poll", v);
}

static int set_hostname(struct host_options *h, const char *v)
{
	return set_base(h, "--hostname", v);
}

static int set_files(struct host_options *h, const char *v)
{
	return set_base(h, "--files", v);
}

static int set_move(struct host_options *h, const char *v)
{
	char *end;

	h->move = strtoul(v, &end, 10);
	return h->move != 0 && *end == '\0' && *v != '-'
		       ? 0
		       : fail("--move %s: it takes a process's number", v);
}

static int set_set(struct host_options *h, const char *v)
{
	return set_base(h, "--set", v);
}

static const struct {
	const char *name, *other;
	int (*set)(struct host_options *h, const char *v);
} table[] = {
	{ "--cores", NULL, set_cores },	      { "--net", NULL, set_net },
	{ "--addr", NULL, set_addr },	      { "--addr6", NULL, set_addr6 },
	{ "-m", "--memory", set_memory },     { "--poll", NULL, set_poll },
	{ "--hostname", NULL, set_hostname }, { "--files", NULL, set_files },
	{ "--disk", NULL, set_disk },	      { "--set", NULL, set_set },
	{ "--move", NULL, set_move },
};

#define N_TABLE (sizeof(table) / sizeof(table[0]))

static int unknown(const char *arg)
{
	const char *names[2 * N_TABLE + 4], *near;
	size_t n = 0;

	for (size_t i = 0; i < N_TABLE; i++) {
		names[n++] = table[i].name;
		if (table[i].other != NULL)
			names[n++] = table[i].other;
	}
	names[n++] = "--trust-checksums";
	names[n++] = "--help";
	names[n] = NULL;
	near = nearest(arg, names);
	return near != NULL ? fail("unknown option %s; did you mean %s? ('godwit host --help')",
				   arg, near)
			    : fail("unknown option %s ('godwit host --help' lists them)", arg);
}

/* One option and its value, if it has one. Returns how many words it took, or -1 (fail). */
static int one(struct host_options *h, char *const *argv)
{
	size_t n = strcspn(argv[0], "=");

	if (strcmp(argv[0], "-h") == 0 || strcmp(argv[0], "--help") == 0) {
		h->help = true;
		return 1;
	}
	if (strcmp(argv[0], "-v") == 0 || strcmp(argv[0], "--verbose") == 0) {
		verbose = true;
		return 1;
	}
	if (strcmp(argv[0], "--trust-checksums") == 0) {
		h->trust_checksums = true;
		return 1;
	}
	for (size_t i = 0; i < N_TABLE; i++) {
		const char *name = table[i].name;

		if (strcmp(argv[0], name) == 0 ||
		    (table[i].other != NULL && strcmp(argv[0], table[i].other) == 0)) {
			if (argv[1] == NULL)
				return fail("%s needs a value behind it ('godwit host --help')",
					    argv[0]);
			return table[i].set(h, argv[1]) == 0 ? 2 : -1;
		}
		if (name[1] == '-' && argv[0][n] == '=' && strlen(name) == n &&
		    strncmp(name, argv[0], n) == 0)
			return table[i].set(h, argv[0] + n + 1) == 0 ? 1 : -1;
	}
	return unknown(argv[0]);
}

int host_options_parse(struct host_options *h, int argc, char *const *argv)
{
	int i = 0;

	*h = (struct host_options){ .net = "none" };
	options_defaults(&h->base);
	while (i < argc && argv[i][0] == '-') {
		int n;

		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		n = one(h, argv + i);
		if (n < 0)
			return -1;
		if (h->help)
			return 0;
		i += n;
	}
	if (h->move != 0)
		return i < argc || h->cores[0] == '\0'
			       ? fail("--move PID goes with --cores LIST and nothing else")
			       : 0;
	if (i >= argc)
		return fail("which program? Write: godwit host [options] -- APP [ARG...]");
	h->base.argv = argv + i;
	if (strcmp(h->net, "none") == 0 && (h->base.dhcp || h->base.addr[0] != '\0'))
		return fail("--addr makes no sense without --net");
	if (strcmp(h->net, "none") == 0 && h->base.ip6 > IP6_NONE)
		return fail("--addr6 makes no sense without --net");
	if (h->interface != NULL && h->base.ip6 > IP6_NONE)
		return fail("--addr6: with afxdp there is IPv4 alone");
	option_net6_defaults(
		&h->base, h->interface != NULL || strcmp(h->net, "none") == 0 ? IP6_NONE : IP6_AUTO,
		false);
	if (h->trust_checksums && h->interface == NULL)
		return fail("--trust-checksums is for --net afxdp=INTERFACE");
	if (h->base.dhcp && h->interface != NULL)
		return fail("--addr dhcp: with afxdp the address is the interface's own, or one "
			    "that is given");
	if (h->interface != NULL)
		return host_address(h);
	if (strcmp(h->net, "none") != 0 && h->base.addr[0] == '\0')
		h->base.dhcp = true;
	return 0;
}

void host_options_free(struct host_options *h)
{
	words_free(&h->disks);
	options_free(&h->base);
}
