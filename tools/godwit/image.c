/* SPDX-License-Identifier: Apache-2.0 */
/* image.c - boot bundle and root image of one run. See image.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "tools/bundle/bundle.h"
#include "tools/bundle/config.h"
#include "tools/bundle/rootimg.h"
#include "tools/godwit/image.h"
#include "tools/godwit/qemu.h"

#define ROOT_MEMORY_MAX 250000000u	      /* the kernel maps it in a window of 256 MiB */
#define FIXED_EPOCH_NS 1767225600000000000ull /* 2026-01-01, as QEMU's clock then */

static void mark(struct image *m, const char *name, uint64_t *since)
{
	uint64_t now = now_ns();

	m->marks[m->n_marks++] = (struct mark){ .name = name, .ns = now - *since };
	*since = now;
}

/* Memory while it is plentiful (a quarter of what is free), else a file without a name. */
static int nameless(uint64_t size)
{
	const char *tmp = getenv("TMPDIR");
	struct sysinfo info;
	int fd;

	if (sysinfo(&info) == 0 && size < (uint64_t)info.freeram * info.mem_unit / 4) {
		fd = memfd_create("godwit", MFD_CLOEXEC);
		if (fd >= 0)
			return fd;
	}
	if (tmp == NULL || tmp[0] == '\0')
		tmp = "/tmp";
	fd = open(tmp, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(
			"cannot make a temporary file in %s: %s (TMPDIR chooses another folder)",
			tmp, strerror(errno));
	return fd;
}

/* Open what will hold `size` bytes; *path is how QEMU names it. */
static int create(const char *folder, const char *name, uint64_t size, char **path)
{
	int fd;

	if (folder == NULL) {
		fd = nameless(size);
		if (fd >= 0)
			*path = xasprintf("/proc/self/fd/%d", fd);
		return fd;
	}
	*path = xasprintf("%s/%s", folder, name);
	fd = open(*path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	return fd >= 0 ? fd : fail("cannot make %s: %s", *path, strerror(errno));
}

static int pack_all(struct pack *p, const struct options *o)
{
	char addr[20] = "";

	memcpy(addr, o->addr, strcspn(o->addr, "/"));
	for (size_t i = 0; i < o->files.n; i++)
		if (pack_extra(p, o->files.v[i]) != 0)
			return -1;
	if (pack_program(p, o->argv) != 0)
		return -1;
	return pack_system(p, o->hostname, addr[0] != '\0' ? addr : NULL,
			   o->dns[0] != '\0' ? o->dns : NULL);
}

static void fill_config(struct config *c, const struct options *o, const struct pack *p)
{
	*c = (struct config){ .program = p->program,
			      .args = &p->args,
			      .env = &o->env,
			      .cwd = o->cwd,
			      .hostname = o->hostname,
			      .uid = o->uid,
			      .gid = o->gid,
			      .net = o->net == NET_NONE ? "none"
				     : o->dhcp		? "dhcp"
							: "static",
			      .net_addr = o->addr[0] != '\0' ? o->addr : NULL,
			      .net_gw = o->gw[0] != '\0' ? o->gw : NULL,
			      .net_dns = o->dns[0] != '\0' ? o->dns : NULL,
			      .net_congestion = o->congestion,
			      .poll_ns = o->poll_ns,
			      .trace_every = o->trace_every,
			      .root = o->root,
			      .no_input = o->deterministic,
			      .tty = !o->deterministic && isatty(STDIN_FILENO) == 1 };
}

/* The root image behind the configuration's strings, from the next page on. */
static int attach_root(struct text *blob, const struct image *m)
{
	static const char zeros[4096];
	char buf[65536];
	ssize_t n;

	if (m->root_size > ROOT_MEMORY_MAX)
		return fail("--root memory: the program's files are %.0f MB, at most %u fit",
			    (double)m->root_size / 1e6, ROOT_MEMORY_MAX / 1000000u);
	text_add(blob, zeros, (4096 - blob->len % 4096) % 4096);
	for (uint64_t at = 0; at < m->root_size; at += (uint64_t)n) {
		n = pread(m->root_fd, buf, sizeof(buf), (off_t)at);
		if (n <= 0)
			return fail("cannot read the root image back: %s",
				    n < 0 ? strerror(errno) : "it is cut short");
		text_add(blob, buf, (size_t)n);
	}
	return 0;
}

static int write_bundle(struct image *m, const struct options *o, const struct pack *p,
			const struct program *runtime, const char *folder)
{
	struct text blob = { 0 };
	struct config config;
	struct timespec now;
	struct bundle_spec spec = { .program = runtime,
				    .vcores = o->vcores,
				    .mmio = qemu_mmio(o->machine) };
	int result;

	fill_config(&config, o, p);
	config_write(&blob, &config);
	clock_gettime(CLOCK_REALTIME, &now);
	spec.epoch_ns = o->deterministic
				? FIXED_EPOCH_NS
				: (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	result = strcmp(o->root, "memory") == 0 ? attach_root(&blob, m) : 0;
	spec.config = blob.data;
	spec.config_len = blob.len;
	if (result == 0)
		m->bundle_fd = create(folder, "bundle.img", (1u << 20) + blob.len, &m->bundle);
	if (m->bundle_fd < 0)
		result = -1;
	if (result == 0)
		result = bundle_write(m->bundle_fd, &spec, &m->bundle_size);
	text_free(&blob);
	return result;
}

int image_make(struct image *m, const struct options *o, const struct program *runtime,
	       const char *folder)
{
	uint64_t since = now_ns();
	struct pack pack;
	int result;

	*m = (struct image){ .bundle_fd = -1, .root_fd = -1 };
	pack_init(&pack, &o->env);
	result = pack_all(&pack, o);
	mark(m, "files found", &since);
	if (result == 0 && strcmp(o->root, "none") != 0) {
		m->root_fd = create(folder, "root.img", pack.tree.n_bytes, &m->root);
		result = m->root_fd < 0 ? -1 : rootimg_write(m->root_fd, &pack.tree, &m->root_size);
		mark(m, "root image written", &since);
	}
	if (result == 0)
		result = write_bundle(m, o, &pack, runtime, folder);
	mark(m, "boot bundle written", &since);
	if (result == 0)
		note("root image %.1f MB in %zu entries, boot bundle %.1f KB",
		     (double)m->root_size / 1e6, pack.tree.n_nodes, (double)m->bundle_size / 1e3);
	pack_free(&pack);
	return result;
}

void image_free(struct image *m)
{
	if (m->bundle_fd >= 0)
		close(m->bundle_fd);
	if (m->root_fd >= 0)
		close(m->root_fd);
	free(m->bundle);
	free(m->root);
	*m = (struct image){ .bundle_fd = -1, .root_fd = -1 };
}
