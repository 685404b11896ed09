/* SPDX-License-Identifier: Apache-2.0 */
/* pack.c - host files and folders into the tree, and the system's own. See pack.h. */
#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/godwit/pack.h"

#define MAX_LINKS 40

void pack_init(struct pack *p, const struct words *env)
{
	*p = (struct pack){ .env = env };
	tree_init(&p->tree);
}

void pack_free(struct pack *p)
{
	tree_free(&p->tree);
	free(p->program);
	words_free(&p->args);
}

/* Add the entry `path` (no symlink above it) whose lstat is st. Returns 1 for a symlink, whose
 * target is then in `target`. */
static int add_entry(struct pack *p, const char *path, const struct stat *st, char *target)
{
	ssize_t n;

	if (S_ISDIR(st->st_mode))
		return tree_add_dir(&p->tree, path, st);
	if (S_ISREG(st->st_mode))
		return tree_add_file(&p->tree, path, path, st);
	if (!S_ISLNK(st->st_mode))
		return fail("%s is a device, pipe or socket: only files and folders can be packed",
			    path);
	n = readlink(path, target, PATH_MAX - 1);
	if (n <= 0)
		return fail("cannot read the symbolic link %s: %s", path, strerror(errno));
	target[n] = '\0';
	return tree_add_symlink(&p->tree, path, target) != 0 ? -1 : 1;
}

/* One component of the walk: `real` has no symlinks and no trailing slash ("" is the root). */
static int step(struct pack *p, char *real, char **rest, char *buffer, int *links,
		const char *whole)
{
	char target[PATH_MAX], joined[PATH_MAX];
	size_t n = strcspn(*rest, "/"), len = strlen(real);
	struct stat st;
	int kind, k;

	if (n == 1 && (*rest)[0] == '.') {
		*rest += n;
		return 0;
	}
	if (n == 2 && strncmp(*rest, "..", 2) == 0) {
		char *slash = strrchr(real, '/');

		if (slash != NULL)
			*slash = '\0';
		*rest += n;
		return 0;
	}
	if (len + 1 + n >= PATH_MAX)
		return fail("%s: path too long", whole);
	real[len] = '/';
	memcpy(real + len + 1, *rest, n);
	real[len + 1 + n] = '\0';
	*rest += n;
	if (lstat(real, &st) != 0)
		return fail("%s: %s", whole, strerror(errno));
	if (S_ISREG(st.st_mode) && (*rest)[strspn(*rest, "/")] != '\0')
		return fail("%s: %s is not a directory", whole, real);
	kind = add_entry(p, real, &st, target);
	if (kind != 1)
		return kind;
	k = snprintf(joined, sizeof(joined), "%s/%s", target, *rest);
	if (++*links > MAX_LINKS || k < 0 || (size_t)k >= sizeof(joined))
		return fail("%s: too many levels of symbolic links", whole);
	real[target[0] == '/' ? 0 : len] = '\0';
	memcpy(buffer, joined, (size_t)k + 1);
	*rest = buffer;
	return 0;
}

int pack_path(struct pack *p, const char *path)
{
	char real[PATH_MAX] = "", buffer[PATH_MAX], *rest = buffer;
	int links = 0;

	if (path[0] != '/') {
		if (getcwd(buffer, sizeof(buffer)) == NULL)
			return fail("cannot tell the current directory: %s", strerror(errno));
	} else {
		buffer[0] = '\0';
	}
	if (strlen(buffer) + strlen(path) + 2 > sizeof(buffer))
		return fail("%s: path too long", path);
	strcat(buffer, "/");
	strcat(buffer, path);
	for (;;) {
		rest += strspn(rest, "/");
		if (*rest == '\0')
			return 0;
		if (step(p, real, &rest, buffer, &links, path) != 0)
			return -1;
	}
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* One entry of a folder, to the guest path `to`. links: symlinks whose targets may lie elsewhere.
 */
static int add_found(struct pack *p, const FTSENT *e, const char *to, struct words *links)
{
	char target[PATH_MAX];
	ssize_t n;

	switch (e->fts_info) {
	case FTS_D:
		return tree_add_dir(&p->tree, to, e->fts_statp);
	case FTS_F:
		return tree_add_file(&p->tree, to, e->fts_accpath, e->fts_statp);
	case FTS_SL:
	case FTS_SLNONE:
		n = readlink(e->fts_accpath, target, sizeof(target) - 1);
		if (n <= 0)
			return fail("cannot read the symbolic link %s", e->fts_path);
		target[n] = '\0';
		words_add(links, e->fts_path);
		return tree_add_symlink(&p->tree, to, target);
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		return fail("cannot read %s: %s", e->fts_path, strerror(e->fts_errno));
	case FTS_DEFAULT:
		note("left out %s: a device, pipe or socket", e->fts_path);
		return 0;
	default: /* a directory again, after what is in it; a cycle cannot be, symlinks are not
		    followed */
		return 0;
	}
}

/* Everything below the folder `host` (absolute, without symlinks) to the guest folder `guest`. */
static int pack_folder(struct pack *p, const char *host, const char *guest)
{
	char *roots[] = { xstrdup(host), NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	struct words links = { 0 };
	int result = 0;
	FTSENT *e;

	if (fts == NULL)
		result = fail("cannot read %s: %s", host, strerror(errno));
	while (result == 0 && (e = fts_read(fts)) != NULL) {
		char *to = xasprintf("%s%s", guest, e->fts_path + strlen(host));

		result = add_found(p, e, to, &links);
		free(to);
	}
	/* In its own place, a symlink to a file outside the folder brings that file along. */
	for (size_t i = 0; result == 0 && i < links.n; i++) {
		struct stat st;

		if (strcmp(host, guest) == 0 && stat(links.v[i], &st) == 0 && S_ISREG(st.st_mode))
			result = pack_path(p, links.v[i]);
	}
	if (fts != NULL)
		fts_close(fts);
	words_free(&links);
	free(roots[0]);
	return result;
}

int pack_extra(struct pack *p, const char *spec)
{
	const char *colon = strrchr(spec, ':');
	bool to_other = colon != NULL && colon[1] == '/';
	char *host = to_other ? xstrndup(spec, (size_t)(colon - spec)) : xstrdup(spec);
	char *real = realpath(host, NULL);
	struct stat st;
	int result;

	if (real == NULL || stat(real, &st) != 0)
		result = fail("-f %s: %s%s", host, strerror(errno),
			      colon != NULL && !to_other ? " (a guest path starts with /)" : "");
	else if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		result = fail(
			"-f %s is a device, pipe or socket: only files and folders can be packed",
			host);
	else if (to_other && S_ISDIR(st.st_mode))
		result = pack_folder(p, real, colon[2] == '\0' ? "" : colon + 1);
	else if (to_other)
		result = tree_add_file(&p->tree, colon + 1, real, &st);
	else if (pack_path(p, host) != 0)
		result = -1;
	else
		result = S_ISDIR(st.st_mode) ? pack_folder(p, real, real) : 0;
	free(real);
	free(host);
	return result;
}

static int add_text(struct pack *p, const char *path, const char *text)
{
	return tree_add_bytes(&p->tree, path, text, strlen(text));
}

static char *hosts(const struct pack_names *n)
{
	struct text t = { 0 };

	text_printf(&t, "127.0.0.1\tlocalhost\n::1\tlocalhost\n");
	if (n->address[0] == NULL && n->address[1] == NULL)
		text_printf(&t, "127.0.1.1\t%s\n", n->hostname);
	for (size_t i = 0; i < 2; i++)
		if (n->address[i] != NULL)
			text_printf(&t, "%s\t%s\n", n->address[i], n->hostname);
	return t.data;
}

static char *resolvers(const struct pack_names *n)
{
	struct text t = { 0 };

	text_add(&t, "", 0);
	for (size_t i = 0; i < 2; i++)
		if (n->dns[i] != NULL)
			text_printf(&t, "nameserver %s\n", n->dns[i]);
	return t.data != NULL ? t.data : xstrdup("");
}

int pack_system(struct pack *p, const struct pack_names *names)
{
	static const char *const folders[] = { "/dev", "/proc",	   "/sys",    "/run",
					       "/tmp", "/var/tmp", "/root",   "/home",
					       "/etc", "/var",	   "/var/run" };
	static const char *const files[] = { "/etc/passwd",	   "/etc/group",
					     "/etc/nsswitch.conf", "/etc/services",
					     "/etc/protocols",	   "/etc/localtime",
					     "/etc/host.conf" };
	struct tree *t = &p->tree;
	char *text;
	int result = 0;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (tree_find(t, folders[i]) == NULL && tree_add_dir(t, folders[i], NULL) != 0)
			return -1;
	for (size_t i = 0; i < 2; i++)
		if (tree_find(t, i == 0 ? "/tmp" : "/var/tmp") != NULL)
			tree_find(t, i == 0 ? "/tmp" : "/var/tmp")->mode = S_IFDIR | 01777;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (tree_find(t, files[i]) == NULL && access(files[i], R_OK) == 0 &&
		    pack_path(p, files[i]) != 0)
			return -1;
	if (tree_find(t, "/etc/hosts") == NULL) {
		text = hosts(names);
		result = add_text(p, "/etc/hosts", text);
		free(text);
	}
	if (result == 0 && tree_find(t, "/etc/hostname") == NULL) {
		text = xasprintf("%s\n", names->hostname);
		result = add_text(p, "/etc/hostname", text);
		free(text);
	}
	if (result == 0 && tree_find(t, "/etc/resolv.conf") == NULL) {
		text = resolvers(names);
		result = add_text(p, "/etc/resolv.conf", text);
		free(text);
	}
	return result;
}
