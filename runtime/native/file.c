/* SPDX-License-Identifier: Apache-2.0 */
/* file.c - the files given with --files: a root image (abi/root.h) behind the configuration, in
 * memory. The image is the host's, checked once (sizes, then each entry when it is used): a damaged
 * one has no files. Entries lie behind their parents and in the order of a walk, so that a name is
 * found by looking at them in turn. */
#include "abi/root.h"
#include "runtime/native/native_internal.h"
#include "runtime/platform/platform.h"

#define TYPE_MASK 0170000u
#define TYPE_DIR 0040000u
#define TYPE_FILE 0100000u

static struct {
	const uint8_t *image;
	const struct gw_root_entry *entries;
	const char *names;
	uint32_t n_entries, names_len;
	uint64_t size;
	bool looked;
} files;

void native_files_forget(void)
{
	files.looked = false;
	files.n_entries = 0;
}

static bool good_image(const struct gw_root *r, uint64_t len)
{
	return len >= sizeof(*r) && r->magic == GW_ROOT_MAGIC && r->version == GW_ROOT_VERSION &&
	       r->size <= len && r->index_len <= r->size && r->n_entries <= GW_ROOT_MAX_ENTRIES &&
	       r->entries_offset % 8 == 0 && r->entries_offset <= r->index_len &&
	       r->n_entries * sizeof(struct gw_root_entry) <= r->index_len - r->entries_offset &&
	       r->names_offset <= r->index_len && r->names_len <= r->index_len - r->names_offset;
}

static void look(void)
{
	uint64_t len;
	const uint8_t *p = config_attached(&len);
	const struct gw_root *r = (const struct gw_root *)(const void *)p;

	files.looked = true;
	if (len == 0)
		return;
	if (!good_image(r, len)) {
		log_warn("the files are damaged and left out");
		return;
	}
	files.image = p;
	files.entries = (const void *)(p + r->entries_offset);
	files.names = (const char *)p + r->names_offset;
	files.names_len = r->names_len;
	files.size = r->size;
	files.n_entries = r->n_entries;
}

static bool is_named(const struct gw_root_entry *e, const char *name, size_t n)
{
	return e->name < files.names_len && files.names_len - e->name > n &&
	       memcmp(files.names + e->name, name, n) == 0 && files.names[e->name + n] == '\0';
}

/* The entry `name` in directory `dir`, or 0. */
static uint32_t find(uint32_t dir, const char *name, size_t n)
{
	for (uint32_t i = dir + 1; i < files.n_entries; i++)
		if (files.entries[i].parent == dir && is_named(&files.entries[i], name, n))
			return i;
	return 0;
}

int gw_file(const char *path, struct gw_file *out)
{
	const struct gw_root_entry *e;
	uint32_t at = 0;

	if (!files.looked)
		look();
	if (files.n_entries == 0 || *path == '\0' || *path == '/')
		return -ENOENT;
	for (;;) {
		size_t n = 0;

		while (path[n] != '\0' && path[n] != '/')
			n++;
		at = n != 0 ? find(at, path, n) : 0;
		if (at == 0)
			return -ENOENT;
		path += n;
		if (*path == '\0')
			break;
		path++;
	}
	e = &files.entries[at];
	if ((e->mode & TYPE_MASK) == TYPE_DIR)
		return -EISDIR;
	if ((e->mode & TYPE_MASK) != TYPE_FILE)
		return -ENOENT;
	if (e->data > files.size || e->size > files.size - e->data)
		return -EIO;
	*out = (struct gw_file){ .data = files.image + e->data,
				 .len = e->size,
				 .mtime_ns = (uint64_t)e->mtime * NS_PER_SEC };
	return 0;
}
