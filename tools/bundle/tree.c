/* SPDX-License-Identifier: Apache-2.0 */
/* tree.c - the guest's root directory being put together. See tree.h. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bundle/tree.h"

#define MAX_LINKS 40

static size_t hash(const struct node *parent, const char *name, size_t n)
{
	size_t h = (size_t)(uintptr_t)parent >> 4;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)name[i]) * 0x100000001b3u;
	return h ^ h >> 29;
}

static struct node *lookup(const struct tree *t, const struct node *dir, const char *name, size_t n)
{
	struct node *c = t->buckets[hash(dir, name, n) & (t->n_buckets - 1)];

	for (; c != NULL; c = c->hash_next)
		if (c->parent == dir && strncmp(c->name, name, n) == 0 && c->name[n] == '\0')
			return c;
	return NULL;
}

static void insert_hash(struct tree *t, struct node *c)
{
	struct node **b =
		&t->buckets[hash(c->parent, c->name, strlen(c->name)) & (t->n_buckets - 1)];

	c->hash_next = *b;
	*b = c;
}

static void grow(struct tree *t)
{
	struct node **old = t->buckets;
	size_t n = t->n_buckets;

	t->n_buckets = n * 2;
	t->buckets = xcalloc(t->n_buckets, sizeof(struct node *));
	for (size_t i = 0; i < n; i++) {
		for (struct node *c = old[i], *next; c != NULL; c = next) {
			next = c->hash_next;
			insert_hash(t, c);
		}
	}
	free(old);
}

static struct node *new_child(struct tree *t, struct node *dir, const char *name, size_t n)
{
	struct node *c = xcalloc(1, sizeof(*c));

	c->name = xstrndup(name, n);
	c->parent = dir;
	c->mode = S_IFDIR | 0755;
	if (dir->last != NULL)
		dir->last->next = c;
	else
		dir->first = c;
	dir->last = c;
	if (++t->n_nodes > t->n_buckets)
		grow(t);
	insert_hash(t, c);
	return c;
}

void tree_init(struct tree *t)
{
	*t = (struct tree){ .n_buckets = 256, .n_nodes = 1 };
	t->buckets = xcalloc(t->n_buckets, sizeof(struct node *));
	t->root = xcalloc(1, sizeof(struct node));
	t->root->name = xstrdup("");
	t->root->parent = t->root;
	t->root->mode = S_IFDIR | 0755;
}

static void free_node(struct node *c)
{
	free(c->name);
	free(c->source);
	free(c->bytes);
	free(c);
}

void tree_free(struct tree *t)
{
	for (size_t i = 0; i < t->n_buckets; i++) {
		for (struct node *c = t->buckets[i], *next; c != NULL; c = next) {
			next = c->hash_next;
			free_node(c);
		}
	}
	free(t->buckets);
	free_node(t->root);
	*t = (struct tree){ 0 };
}

/* Walk `path` from the root. What is left to walk is kept in a buffer of its own, in front of which
 * a symlink's target is put. make: create missing directories. The last component is not followed,
 * and with make and no such entry it is created as an (empty) directory for the caller to turn into
 * what it wants; *fresh tells. NULL: fail was called, or (without make) there is no such entry. */
static struct node *walk(struct tree *t, const char *path, bool make, bool *fresh)
{
	char rest[PATH_MAX], joined[PATH_MAX];
	struct node *at = t->root;
	int links = 0;

	*fresh = false;
	if (strlen(path) >= sizeof(rest))
		return fail("guest path too long: %.60s...", path), NULL;
	strcpy(rest, path);
	for (char *p = rest;;) {
		size_t n;
		struct node *c;

		p += strspn(p, "/");
		n = strcspn(p, "/");
		if (n == 0)
			return at;
		if (n == 1 && p[0] == '.') {
			p += n;
			continue;
		}
		if (n == 2 && p[0] == '.' && p[1] == '.') {
			at = at->parent;
			p += n;
			continue;
		}
		if (n > NAME_MAX)
			return fail("guest path %s has a name of more than %d bytes", path,
				    NAME_MAX),
			       NULL;
		c = lookup(t, at, p, n);
		if (c == NULL) {
			if (!make)
				return NULL;
			c = new_child(t, at, p, n);
			*fresh = true;
		}
		p += n;
		if (p[strspn(p, "/")] == '\0')
			return c;
		if (S_ISLNK(c->mode)) {
			int len = snprintf(joined, sizeof(joined), "%s/%s", c->bytes, p);

			if (++links > MAX_LINKS || len < 0 || (size_t)len >= sizeof(joined))
				return fail("guest path %s: too many levels of symbolic links",
					    path),
				       NULL;
			if (c->bytes[0] == '/')
				at = t->root;
			memcpy(rest, joined, (size_t)len + 1);
			p = rest;
			continue;
		}
		if (!S_ISDIR(c->mode))
			return fail("guest path %s goes through a file (%s)", path, c->name), NULL;
		at = c;
	}
}

static void set_stat(struct node *c, uint32_t mode, const struct stat *st)
{
	c->mode = st == NULL ? mode : (mode & S_IFMT) | (st->st_mode & 07777);
	c->uid = st == NULL ? 0 : st->st_uid;
	c->gid = st == NULL ? 0 : st->st_gid;
	c->mtime = st == NULL ? 0 : (uint32_t)st->st_mtime;
}

static struct node *add_leaf(struct tree *t, const char *path, uint32_t mode, const struct stat *st)
{
	bool fresh;
	struct node *c = walk(t, path, true, &fresh);

	if (c == NULL)
		return NULL;
	if (!fresh && S_ISDIR(c->mode))
		return fail("guest path %s is a directory already", path), NULL;
	if (S_ISREG(c->mode))
		t->n_bytes -= (c->size + 4095) & ~4095ull;
	free(c->source);
	free(c->bytes);
	c->source = c->bytes = NULL;
	set_stat(c, mode, st);
	return c;
}

int tree_add_dir(struct tree *t, const char *path, const struct stat *st)
{
	bool fresh;
	struct node *c = walk(t, path, true, &fresh);

	if (c == NULL)
		return -1;
	if (S_ISLNK(c->mode)) /* a link to a directory keeps its place */
		return 0;
	if (!S_ISDIR(c->mode))
		return fail("guest path %s is a file already", path);
	if (fresh || st != NULL)
		set_stat(c, S_IFDIR | 0755, st);
	return 0;
}

int tree_add_file(struct tree *t, const char *path, const char *source, const struct stat *st)
{
	struct node *c = add_leaf(t, path, S_IFREG | 0644, st);

	if (c == NULL)
		return -1;
	c->source = xstrdup(source);
	c->size = (uint64_t)st->st_size;
	t->n_bytes += (c->size + 4095) & ~4095ull;
	return 0;
}

int tree_add_bytes(struct tree *t, const char *path, const void *bytes, size_t n)
{
	struct node *c = add_leaf(t, path, S_IFREG | 0644, NULL);

	if (c == NULL)
		return -1;
	c->bytes = xcalloc(1, n + 1);
	if (n != 0)
		memcpy(c->bytes, bytes, n);
	c->size = n;
	t->n_bytes += (n + 4095) & ~4095ull;
	return 0;
}

int tree_add_symlink(struct tree *t, const char *path, const char *target)
{
	struct node *c = add_leaf(t, path, S_IFLNK | 0777, NULL);

	if (c == NULL)
		return -1;
	c->mode = S_IFLNK | 0777;
	c->bytes = xstrdup(target);
	c->size = strlen(target);
	return 0;
}

struct node *tree_find(struct tree *t, const char *path)
{
	bool fresh;

	return walk(t, path, false, &fresh);
}
