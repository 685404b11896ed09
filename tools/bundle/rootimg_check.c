/* SPDX-License-Identifier: Apache-2.0 */
/* rootimg_check.c - reading a root image: every offset checked before it is followed, and a
 * listing. The bytes are not trusted. See rootimg.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "abi/root.h"
#include "tools/bundle/crc32c.h"
#include "tools/bundle/rootimg.h"

static bool inside(uint64_t offset, uint64_t len, uint64_t size)
{
	return offset <= size && len <= size - offset;
}

static int check_header(const struct gw_root *h, const uint8_t *bytes, size_t len)
{
	static const uint8_t zero[4];
	size_t at_crc = offsetof(struct gw_root, crc);
	uint32_t crc;

	if (h->magic != GW_ROOT_MAGIC || h->version != GW_ROOT_VERSION)
		return fail("this is not a root image of version %u", GW_ROOT_VERSION);
	if (h->size > len || h->index_len > h->size || h->index_len % 4096 != 0 ||
	    h->index_len < 4096)
		return fail("the root image is truncated");
	if (h->n_entries < 1 || h->n_entries > GW_ROOT_MAX_ENTRIES || h->entries_offset % 8 != 0 ||
	    !inside(h->entries_offset, h->n_entries * sizeof(struct gw_root_entry), h->index_len) ||
	    !inside(h->names_offset, h->names_len, h->index_len) || h->names_len == 0 ||
	    bytes[h->names_offset + h->names_len - 1] != '\0')
		return fail("the root image's index is out of bounds");
	crc = crc32c(0, bytes, at_crc);
	crc = crc32c(crc, zero, sizeof(zero));
	crc = crc32c(crc, bytes + at_crc + 4, (size_t)h->index_len - at_crc - 4);
	if (crc != h->crc)
		return fail("the root image's checksum is wrong: 0x%08x, not 0x%08x", crc, h->crc);
	return 0;
}

int rootimg_check(const void *bytes, size_t len)
{
	struct gw_root h;

	if (len < sizeof(h))
		return fail("the root image is truncated");
	memcpy(&h, bytes, sizeof(h));
	if (check_header(&h, bytes, len) != 0)
		return -1;
	for (uint32_t i = 0; i < h.n_entries; i++) {
		struct gw_root_entry e;

		memcpy(&e, (const uint8_t *)bytes + h.entries_offset + i * sizeof(e), sizeof(e));
		if ((i == 0 ? e.parent != 0 : e.parent >= i) || e.name >= h.names_len)
			return fail("entry %u of the root image is bad", i);
		if (S_ISREG(e.mode) ? e.data % 4096 != 0 || !inside(e.data, e.size, h.size)
				    : S_ISLNK(e.mode) && !inside(e.data, e.size, h.names_len - 1u))
			return fail("entry %u of the root image points outside it", i);
		if (!S_ISREG(e.mode) && !S_ISLNK(e.mode) && !S_ISDIR(e.mode))
			return fail("entry %u of the root image has mode 0%o", i, e.mode);
	}
	return 0;
}

static void show_path(const struct gw_root_entry *entries, const char *names, uint32_t i,
		      struct text *out)
{
	char path[4096];
	size_t at = sizeof(path);

	if (i == 0) {
		text_printf(out, "/");
		return;
	}
	for (; i != 0; i = entries[i].parent) {
		const char *name = names + entries[i].name;
		size_t n = strlen(name);

		if (n + 1 > at)
			break;
		at -= n;
		memcpy(path + at, name, n);
		path[--at] = '/';
	}
	text_add(out, path + at, sizeof(path) - at);
}

void rootimg_show(const void *bytes, struct text *out)
{
	const struct gw_root_entry *entries;
	const char *names;
	struct gw_root h;

	memcpy(&h, bytes, sizeof(h));
	entries = (const void *)((const char *)bytes + h.entries_offset);
	names = (const char *)bytes + h.names_offset;
	text_printf(out, "root image version %u, %" PRIu64 " bytes, %u entries\n", h.version,
		    h.size, h.n_entries);
	for (uint32_t i = 0; i < h.n_entries; i++) {
		const struct gw_root_entry *e = &entries[i];

		text_printf(out, "%06o %5u:%-5u %10" PRIu64 " ", e->mode, e->uid, e->gid, e->size);
		show_path(entries, names, i, out);
		if (S_ISLNK(e->mode))
			text_printf(out, " -> %s", names + e->data);
		text_printf(out, "\n");
	}
}
