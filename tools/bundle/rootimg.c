/* SPDX-License-Identifier: Apache-2.0 */
/* rootimg.c - the root image's writer: index first in memory, then each file's bytes moved by the
 * kernel (copy_file_range, sendfile), never through this process. See rootimg.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "abi/root.h"
#include "tools/bundle/crc32c.h"
#include "tools/bundle/rootimg.h"

#define PAGE 4096u
#define PAGE_UP(x) (((x) + PAGE - 1) & ~(uint64_t)(PAGE - 1))

/* The nodes, breadth first: parents before children, and one directory's entries side by side. */
static struct node **number_nodes(struct tree *t)
{
	struct node **order = xcalloc(t->n_nodes, sizeof(*order));
	size_t n = 1;

	order[0] = t->root;
	for (size_t i = 0; i < n; i++) {
		order[i]->index = (uint32_t)i;
		for (struct node *c = order[i]->first; c != NULL; c = c->next)
			order[n++] = c;
	}
	return order;
}

/* Copy [offset, end) of `in` to `out` at the same distance from `to`. */
static int copy_range(int in, off_t offset, off_t end, int out, uint64_t to)
{
	off_t target = (off_t)to + offset;
	bool ranged = true;

	while (offset < end) {
		size_t n = (size_t)(end - offset);
		ssize_t did = -1;

		if (ranged) {
			did = copy_file_range(in, &offset, out, &target, n, 0);
			if (did < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS ||
					errno == EOPNOTSUPP || errno == EPERM || errno == EBADF)) {
				ranged = false;
				continue;
			}
		} else if (lseek(out, target, SEEK_SET) >= 0) {
			did = sendfile(out, in, &offset, n);
			target += did > 0 ? did : 0;
		}
		if (did < 0 && errno == EINTR)
			continue;
		if (did <= 0)
			return did == 0 ? (errno = 0, -1) : -1;
	}
	return 0;
}

static int copy_source(const struct node *f, int out)
{
	struct stat st;
	off_t data, hole = 0, size = (off_t)f->size;
	int in = open(f->source, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), result = 0;

	if (in < 0)
		return fail("cannot read %s: %s", f->source, strerror(errno));
	if (fstat(in, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size != size) {
		close(in);
		return fail("%s changed while it was being packed; try again", f->source);
	}
	while (result == 0 && hole < size) {
		data = lseek(in, hole, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break;
		hole = data < 0 ? size : lseek(in, data, SEEK_HOLE);
		if (data < 0)
			data = 0;
		if (hole < 0 || hole > size)
			hole = size;
		if (copy_range(in, data, hole, out, f->data) != 0)
			result = fail("cannot pack %s: %s", f->source,
				      errno != 0 ? strerror(errno) : "it became shorter");
	}
	close(in);
	return result;
}

static void fill_entry(struct gw_root_entry *e, struct node *c, uint32_t name, uint64_t data)
{
	*e = (struct gw_root_entry){ .parent = c->parent->index,
				     .name = name,
				     .mode = c->mode,
				     .uid = c->uid,
				     .gid = c->gid,
				     .mtime = c->mtime,
				     .size = S_ISDIR(c->mode) ? 0 : c->size,
				     .data = data };
	c->data = data;
}

/* The header and index, and every file's place; *size becomes the image's size. */
static char *make_index(struct node **order, size_t n, uint64_t *index_len, uint64_t *size)
{
	struct gw_root h = { .magic = GW_ROOT_MAGIC, .version = GW_ROOT_VERSION };
	struct gw_root_entry *entries;
	struct text names = { 0 };
	uint64_t data;
	char *index;

	for (size_t i = 0; i < n; i++) {
		text_add(&names, order[i]->name, strlen(order[i]->name) + 1);
		if (S_ISLNK(order[i]->mode))
			text_add(&names, order[i]->bytes, order[i]->size + 1);
	}
	h.n_entries = (uint32_t)n;
	h.names_len = (uint32_t)names.len;
	h.entries_offset = PAGE;
	h.names_offset = PAGE + n * sizeof(struct gw_root_entry);
	h.index_len = PAGE_UP(h.names_offset + names.len);
	index = xcalloc(1, (size_t)h.index_len);
	entries = (struct gw_root_entry *)(void *)(index + h.entries_offset);
	data = h.index_len;
	names.len = 0;
	for (size_t i = 0; i < n; i++) {
		struct node *c = order[i];
		uint32_t name = (uint32_t)names.len;

		names.len += strlen(c->name) + 1;
		fill_entry(&entries[i], c, name, 0);
		if (S_ISLNK(c->mode)) {
			entries[i].data = names.len;
			names.len += c->size + 1;
		} else if (S_ISREG(c->mode) && c->size != 0) {
			entries[i].data = c->data = data;
			data += PAGE_UP(c->size);
		}
	}
	if (names.len != 0)
		memcpy(index + h.names_offset, names.data, names.len);
	h.size = *size = data;
	*index_len = h.index_len;
	memcpy(index, &h, sizeof(h));
	h.crc = crc32c(0, index, (size_t)h.index_len);
	memcpy(index, &h, sizeof(h));
	text_free(&names);
	return index;
}

int rootimg_write(int fd, struct tree *t, uint64_t *size)
{
	struct node **order;
	uint64_t index_len;
	char *index;
	int result = 0;

	if (t->n_nodes > GW_ROOT_MAX_ENTRIES)
		return fail("too many files to pack: %zu (at most %u)", t->n_nodes,
			    GW_ROOT_MAX_ENTRIES);
	order = number_nodes(t);
	index = make_index(order, t->n_nodes, &index_len, size);
	if (ftruncate(fd, (off_t)*size) != 0 || write_all(fd, index, index_len, 0) != 0)
		result = fail("cannot write the root image: %s", strerror(errno));
	for (size_t i = 0; result == 0 && i < t->n_nodes; i++) {
		const struct node *c = order[i];

		if (!S_ISREG(c->mode) || c->size == 0)
			continue;
		if (c->source != NULL)
			result = copy_source(c, fd);
		else if (write_all(fd, c->bytes, c->size, c->data) != 0)
			result = fail("cannot write the root image: %s", strerror(errno));
	}
	free(index);
	free(order);
	return result;
}
