/* SPDX-License-Identifier: Apache-2.0 */
/* image.c - boot bundle and root images of one run. See image.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "tools/bundle/config.h"
#include "tools/bundle/rootimg.h"
#include "tools/godwit/image.h"

#define ROOT_MEMORY_MAX 250000000u	      /* the kernel maps it in a window of 256 MiB */
#define FIXED_EPOCH_NS 1767225600000000000ull /* 2026-01-01, as QEMU's clock then */

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

/* The folder of --files becomes the root. */
static int pack_files(struct pack *p, const char *dir)
{
	char *spec = xasprintf("%s:/", dir);
	struct stat st;
	int result;

	if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode))
		result = fail("--files %s: %s", dir,
			      stat(dir, &st) != 0 ? strerror(errno) : "not a folder");
	else
		result = pack_extra(p, spec);
	free(spec);
	return result;
}

static int pack_native(struct pack *p, const struct options *o)
{
	for (char *const *a = o->argv; *a != NULL; a++)
		words_add(&p->args, *a);
	return o->files_dir != NULL ? pack_files(p, o->files_dir) : 0;
}

static const char *some(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

static int pack_all(struct pack *p, const struct options *o)
{
	char addr[20] = "", addr6[IP6_TEXT] = "";
	struct pack_names names = { .hostname = o->hostname,
				    .dns = { some(o->dns), some(o->dns6) } };

	memcpy(addr, o->addr, strcspn(o->addr, "/"));
	memcpy(addr6, o->addr6, strcspn(o->addr6, "/"));
	names.address[0] = some(addr);
	names.address[1] = some(addr6);
	for (size_t i = 0; i < o->files.n; i++)
		if (pack_extra(p, o->files.v[i]) != 0)
			return -1;
	if (pack_program(p, o->argv) != 0)
		return -1;
	return pack_system(p, &names);
}

/* A program of the runtime itself has no files, only arguments. */
static int pack_bare(struct pack *p, const struct options *o)
{
	p->program = xstrdup(o->argv[0]);
	for (size_t i = 0; o->argv[i] != NULL; i++)
		words_add(&p->args, o->argv[i]);
	return 0;
}

int image_check(const struct options *o)
{
	struct pack pack;
	int result;

	pack_init(&pack, &o->env);
	result = o->bare ? 0 : o->native ? pack_native(&pack, o) : pack_all(&pack, o);
	pack_free(&pack);
	return result;
}

static void fill_config(struct config *c, const struct options *o, const struct words *ports,
			const struct pack *p)
{
	*c = (struct config){ .program = p->program,
			      .ports = ports,
			      .raise = o->raise,
			      .args = &p->args,
			      .env = &o->env,
			      .sets = &o->sets,
			      .cwd = o->cwd,
			      .hostname = o->hostname,
			      .uid = o->uid,
			      .gid = o->gid,
			      .net = o->net == NET_NONE ? "none"
				     : o->dhcp		? "dhcp"
							: "static",
			      .net_addr = some(o->addr),
			      .net_gw = some(o->gw),
			      .net_dns = some(o->dns),
			      .net6 = options_net6(o),
			      .net6_addr = some(o->addr6),
			      .net6_gw = some(o->gw6),
			      .net6_dns = some(o->dns6),
			      .net_congestion = o->congestion,
			      .net_ecn = o->ecn,
			      .poll_ns = o->poll_ns,
			      .trace_every = o->trace_every,
			      .root = o->root,
			      .no_input = o->no_input,
			      .tty = !o->no_input && isatty(STDIN_FILENO) == 1 };
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

static int write_config(struct image *m, const struct options *o, const struct words *ports,
			const struct pack *p)
{
	struct config config;

	fill_config(&config, o, ports, p);
	config_write(&m->config, &config);
	return strcmp(o->root, "memory") == 0 ? attach_root(&m->config, m) : 0;
}

int image_make(struct image *m, const struct options *o, const struct words *ports,
	       const char *folder, const char *name, uint64_t *found_ns, uint64_t *written_ns)
{
	char *file = name != NULL ? xasprintf("%s.root.img", name) : xstrdup("root.img");
	uint64_t begin = now_ns(), packed;
	struct pack pack;
	int result;

	*m = (struct image){ .root_fd = -1 };
	pack_init(&pack, &o->env);
	result = o->native ? pack_native(&pack, o)
		 : o->bare ? pack_bare(&pack, o)
			   : pack_all(&pack, o);
	packed = now_ns();
	*found_ns += packed - begin;
	if (result == 0 && strcmp(o->root, "none") != 0) {
		m->root_fd = create(folder, file, pack.tree.n_bytes, &m->root);
		result = m->root_fd < 0 ? -1 : rootimg_write(m->root_fd, &pack.tree, &m->root_size);
		*written_ns += now_ns() - packed;
	}
	if (result == 0)
		result = write_config(m, o, ports, &pack);
	if (result == 0)
		note("root image %.1f MB in %zu entries", (double)m->root_size / 1e6,
		     pack.tree.n_nodes);
	pack_free(&pack);
	free(file);
	return result;
}

int image_attach_files(struct text *blob, const struct options *o)
{
	struct image m = { .root_fd = -1 };
	struct pack pack;
	int result = 0;

	if (o->files_dir == NULL)
		return 0;
	pack_init(&pack, &o->env);
	m.root_fd = nameless(64u << 20);
	if (m.root_fd < 0 || pack_files(&pack, o->files_dir) != 0 ||
	    rootimg_write(m.root_fd, &pack.tree, &m.root_size) != 0 || attach_root(blob, &m) != 0)
		result = -1;
	pack_free(&pack);
	image_free(&m);
	return result;
}

void image_free(struct image *m)
{
	if (m->root_fd >= 0)
		close(m->root_fd);
	free(m->root);
	text_free(&m->config);
	*m = (struct image){ .root_fd = -1 };
}

int bundle_file_make(struct bundle_file *f, struct bundle_spec *spec, const struct options *o,
		     const char *folder)
{
	uint64_t size = 1u << 20;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	spec->manifest.epoch_ns =
		o->deterministic ? FIXED_EPOCH_NS
				 : (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	for (uint32_t i = 0; i < spec->manifest.n_partitions; i++)
		size += spec->parts[i].config_len;
	f->fd = create(folder, "bundle.img", size, &f->path);
	if (f->fd < 0 || bundle_write(f->fd, spec, &f->size) != 0)
		return -1;
	note("boot bundle %.1f KB", (double)f->size / 1e3);
	return 0;
}

void bundle_file_free(struct bundle_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f->path);
	*f = (struct bundle_file){ .fd = -1 };
}
