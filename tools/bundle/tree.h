/* SPDX-License-Identifier: Apache-2.0 */
/* tree.h - the guest's root directory while it is being put together: names, modes, and where each
 * file's bytes will come from. Paths are absolute guest paths; symlinks already in the tree are
 * followed in all but the last component, missing directories are made (0755, root). */
#ifndef GODWIT_TOOLS_TREE_H
#define GODWIT_TOOLS_TREE_H

#include <stdint.h>
#include <sys/stat.h>

#include "tools/base/util.h"

struct node {
	struct node *parent, *first, *last, *next; /* children in the order they were added */
	struct node *hash_next;
	char *name;
	uint32_t mode, uid, gid, mtime;
	uint64_t size;
	char *source;	/* regular file: host path to read, or NULL: bytes */
	char *bytes;	/* generated file's contents, or symlink's target; a NUL behind them */
	uint32_t index; /* set by rootimg_write */
	uint64_t data;
};

struct tree {
	struct node *root;
	struct node **buckets;
	size_t n_buckets, n_nodes;
	uint64_t n_bytes; /* of all files, each rounded up to a page */
};

void tree_init(struct tree *t);
void tree_free(struct tree *t);

/* Each adds one entry and returns 0, or -1 (fail): a file where a directory is (or the reverse), a
 * path through a file, a symlink loop, a name too long. A file or symlink replaces a file or
 * symlink; a directory that is there already takes the new mode. st == NULL: root's, 0755 or 0644,
 * mtime 0. */
int tree_add_dir(struct tree *t, const char *path, const struct stat *st);
int tree_add_file(struct tree *t, const char *path, const char *source, const struct stat *st);
int tree_add_symlink(struct tree *t, const char *path, const char *target);
int tree_add_bytes(struct tree *t, const char *path, const void *bytes, size_t n);

/* tree_find - the node at path, the last component not followed; NULL when there is none. */
struct node *tree_find(struct tree *t, const char *path);

#endif
