/* SPDX-License-Identifier: Apache-2.0 */
/* host.c - `godwit host`: write the configuration, then become the program, which reads it from a
 * descriptor (GODWIT_HOST_FD). See host.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tools/bundle/config.h"
#include "tools/godwit/help.h"
#include "tools/godwit/host.h"
#include "tools/godwit/image.h"

static void host_words(struct words *w, const struct host_options *h)
{
	if (h->cores[0] != '\0')
		words_printf(w, "host.cores=%s", h->cores);
	words_printf(w, "host.memory=%llu", (unsigned long long)h->base.memory);
	if (strcmp(h->net, "none") != 0)
		words_printf(w, "host.net=%s", h->net);
	if (strncmp(h->net, "vhost-user=", 11) == 0)
		words_add(w, "host.shared=1");
	for (size_t i = 0; i < h->disks.n; i++) {
		char *path = realpath(h->disks.v[i], NULL);

		words_printf(w, "host.disk=%s", path != NULL ? path : h->disks.v[i]);
		free(path);
	}
	if (h->own_address)
		words_add(w, "host.own_address=1");
	if (h->trust_checksums)
		words_add(w, "host.trust_checksums=1");
}

/* The configuration and, behind it, the files. Returns a descriptor, or -1 (fail). */
static int write_config(const struct host_options *h)
{
	const struct options *o = &h->base;
	struct words more = { 0 }, args = { 0 };
	struct text blob = { 0 };
	struct config c = { .args = &args,
			    .sets = &o->sets,
			    .more = &more,
			    .hostname = o->hostname,
			    .net = strcmp(h->net, "none") == 0 ? "none"
				   : o->dhcp		       ? "dhcp"
							       : "static",
			    .net_addr = o->addr[0] != '\0' ? o->addr : NULL,
			    .net_gw = o->gw[0] != '\0' ? o->gw : NULL,
			    .net_dns = o->dns[0] != '\0' ? o->dns : NULL,
			    .net6 = options_net6(o),
			    .net6_addr = o->addr6[0] != '\0' ? o->addr6 : NULL,
			    .net6_gw = o->gw6[0] != '\0' ? o->gw6 : NULL,
			    .net6_dns = o->dns6[0] != '\0' ? o->dns6 : NULL,
			    .poll_ns = o->poll_ns };
	int fd = memfd_create("godwit configuration", 0); /* stays open for the program */

	host_words(&more, h);
	for (char *const *a = o->argv; *a != NULL; a++)
		words_add(&args, *a);
	config_write(&blob, &c);
	if (fd < 0)
		fail("cannot make a memory file: %s", strerror(errno));
	else if (image_attach_files(&blob, o) != 0 || write_all(fd, blob.data, blob.len, 0) != 0) {
		fail("cannot write the configuration: %s", strerror(errno));
		close(fd);
		fd = -1;
	}
	text_free(&blob);
	words_free(&more);
	words_free(&args);
	return fd;
}

/* A program for a machine, or for Linux alone, would fail in odd ways. */
static int check_program(const char *path)
{
	size_t n = strlen(path);

	if (n > 4 && strcmp(path + n - 4, ".elf") == 0)
		return fail("%s is a partition program (godwit run --native %s); here its other "
			    "form is needed, without .elf",
			    path, path);
	return 0;
}

int command_host(int argc, char *const *argv)
{
	struct host_options h;
	char number[16];
	int fd;

	if (host_options_parse(&h, argc, argv) != 0) {
		warn("host: %s", fail_text());
		return STATUS_USAGE;
	}
	if (h.help) {
		help_host();
		return 0;
	}
	if (h.move != 0) {
		if (host_move(&h) == 0)
			return 0;
		warn("host: %s", fail_text());
		return STATUS_USAGE;
	}
	fd = check_program(h.base.argv[0]) == 0 ? write_config(&h) : -1;
	if (fd >= 0) {
		snprintf(number, sizeof(number), "%d", fd);
		(void)setenv("GODWIT_HOST_FD", number, 1);
		execvp(h.base.argv[0], h.base.argv);
		fail("%s: %s", h.base.argv[0], strerror(errno));
	}
	warn("host: %s", fail_text());
	host_options_free(&h);
	return STATUS_USAGE;
}
