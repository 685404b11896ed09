/* SPDX-License-Identifier: Apache-2.0 */
/* root.c - reads the root image's index and checks it field by field. The image is input from
 * outside: nothing in it is used before every offset, length and reference has been checked and its
 * checksum is right. Portable; fuzzed. */
#include "linux/files/abi.h"
#include "linux/files/root.h"
#include "runtime/base/errno.h"
#include "runtime/base/str.h"
#include "runtime/mem/mem.h"
#include "runtime/virtio/blkdev.h"

#define INDEX_MAX (256ull << 20)

#define REFUSE(...)                                                   \
	do {                                                          \
		fmt_print(why, why_size, "root image: " __VA_ARGS__); \
		return -EINVAL;                                       \
	} while (0)

int root_check_header(const struct gw_root *h, uint64_t device_size, char *why, size_t why_size)
{
	uint64_t entries_len = (uint64_t)h->n_entries * sizeof(struct gw_root_entry);

	if (h->magic != GW_ROOT_MAGIC)
		REFUSE("not a root image (wrong magic)");
	if (h->version != GW_ROOT_VERSION)
		REFUSE("version %u, this system reads %u", h->version, GW_ROOT_VERSION);
	if (h->size > device_size)
		REFUSE("cut short: %llu bytes, the disk has %llu", (unsigned long long)h->size,
		       (unsigned long long)device_size);
	if (h->index_len > h->size || h->index_len > INDEX_MAX || h->index_len < GW_PAGE_SIZE ||
	    h->index_len % GW_PAGE_SIZE)
		REFUSE("bad index length");
	if (!h->n_entries || h->n_entries > GW_ROOT_MAX_ENTRIES)
		REFUSE("bad number of entries: %u", h->n_entries);
	if (h->entries_offset < sizeof(*h) || h->entries_offset % 8 ||
	    h->entries_offset > h->index_len || entries_len > h->index_len - h->entries_offset)
		REFUSE("entries outside the index");
	if (h->names_offset < h->entries_offset + entries_len || h->names_offset > h->index_len ||
	    !h->names_len || h->names_len > h->index_len - h->names_offset)
		REFUSE("names outside the index");
	return 0;
}

/* 0, or what is wrong with entry n. */
static const char *check_entry(const struct gw_root *h, const struct gw_root_entry *all,
			       const char *names, uint32_t n)
{
	const struct gw_root_entry *e = &all[n];
	const char *p;

	if (e->name >= h->names_len)
		return "name outside the names";
	if (e->mode & ~(S_IFMT | 07777u))
		return "bad mode";
	if (n) {
		if (e->parent >= n || !S_ISDIR(all[e->parent].mode))
			return "bad parent";
		for (p = names + e->name; *p && *p != '/'; p++)
			;
		if (*p || p == names + e->name || p - (names + e->name) > (long)NAME_MAX)
			return "bad name";
		if (names[e->name] == '.' &&
		    (!names[e->name + 1] || (names[e->name + 1] == '.' && !names[e->name + 2])))
			return "bad name";
	} else if (e->parent || !S_ISDIR(e->mode)) {
		return "the first is no root directory";
	}
	if (S_ISREG(e->mode)) {
		if (e->size && (e->data % GW_PAGE_SIZE || e->data < h->index_len ||
				e->data > h->size || e->size > h->size - e->data))
			return "data outside the image";
		if (e->size > (1ull << 40))
			return "too large";
	} else if (S_ISLNK(e->mode)) {
		if (!e->size || e->size >= PATH_MAX || e->data >= h->names_len ||
		    e->size > h->names_len - 1 - e->data || memchr(names + e->data, 0, e->size) ||
		    names[e->data + e->size])
			return "bad link target";
	} else if (!S_ISDIR(e->mode)) {
		return "neither file, directory nor link";
	}
	return NULL;
}

int root_check_index(const void *index, uint64_t len, struct root_image *out, char *why,
		     size_t why_size)
{
	struct gw_root h;
	const struct gw_root_entry *entries;
	const char *names, *wrong;
	uint32_t crc, want;

	memcpy(&h, index, sizeof(h));
	want = h.crc;
	h.crc = 0;
	if (h.index_len != len)
		REFUSE("index length changed while it was read");
	crc = crc32c(0, &h, sizeof(h));
	crc = crc32c(crc, (const char *)index + sizeof(h), len - sizeof(h));
	if (crc != want)
		REFUSE("wrong checksum (%08x, computed %08x)", want, crc);
	entries = (const void *)((const char *)index + h.entries_offset);
	names = (const char *)index + h.names_offset;
	if (names[h.names_len - 1])
		REFUSE("names are not terminated");
	for (uint32_t i = 0; i < h.n_entries; i++) {
		wrong = check_entry(&h, entries, names, i);
		if (wrong)
			REFUSE("entry %u: %s", i, wrong);
	}
	out->entries = entries;
	out->names = names;
	out->n_entries = h.n_entries;
	return 0;
}

void root_link(struct root_image *r)
{
	for (uint32_t i = 0; i < r->n_entries; i++)
		r->first_child[i] = r->next[i] = 0;
	for (uint32_t i = r->n_entries - 1; i > 0; i--) {
		uint32_t parent = r->entries[i].parent;

		r->next[i] = r->first_child[parent];
		r->first_child[parent] = i;
	}
}

static int read_index(struct blkdev *dev, uint64_t pa, uint64_t len)
{
	for (uint64_t at = 0; at < len;) {
		struct blk_segment s = { pa + at, (uint32_t)GW_MIN(len - at, 65536u) };
		int r = blkdev_read(dev, at, &s, 1);

		if (r)
			return r;
		at += s.len;
	}
	return 0;
}

int root_load(struct blkdev *dev, struct root_image *out, char *why, size_t why_size)
{
	uint64_t pa = pages_alloc(1, 1), size = blkdev_size(dev);
	struct gw_root h;
	size_t pages;
	int r;

	if (!pa)
		goto no_memory;
	if (size < GW_PAGE_SIZE) {
		pages_free(pa, 1);
		REFUSE("the disk is empty");
	}
	r = read_index(dev, pa, GW_PAGE_SIZE);
	memcpy(&h, pa_to_va(pa), sizeof(h));
	if (!r)
		r = root_check_header(&h, size, why, why_size);
	else
		fmt_print(why, why_size, "root image: the disk cannot be read");
	pages_free(pa, 1);
	if (r)
		return r;
	pages = h.index_len / GW_PAGE_SIZE;
	pa = pages_alloc(pages, 1);
	if (!pa)
		goto no_memory;
	r = read_index(dev, pa, h.index_len);
	if (r)
		fmt_print(why, why_size, "root image: the disk cannot be read");
	/* The disk may have changed between the reads: look at what will be used. */
	if (!r)
		r = root_check_header(pa_to_va(pa), size, why, why_size);
	if (!r)
		r = root_check_index(pa_to_va(pa), h.index_len, out, why, why_size);
	if (r) {
		pages_free(pa, pages);
		return r;
	}
	out->dev = dev;
	out->first_child = mem_alloc((size_t)out->n_entries * 8);
	if (!out->first_child) {
		pages_free(pa, pages);
		goto no_memory;
	}
	out->next = out->first_child + out->n_entries;
	root_link(out);
	return 0;
no_memory:
	fmt_print(why, why_size, "root image: not enough memory for its index");
	return -ENOMEM;
}
