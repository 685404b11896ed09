/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_root.c - the input is the root image. Its checksum is made right, so that what lies behind
 * it is reached; an image that is taken is walked whole, and every file in it read. */
#include <stdlib.h>
#include "linux/files/test/support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const char *path, int depth)
{
	char *buf = malloc(4096), *child = malloc(PATH_MAX);
	long fd = support_call(sys_open, (uint64_t)path, O_RDONLY, 0, 0, 0, 0), n;

	while (fd >= 0 && depth < 6 &&
	       (n = support_call(sys_getdents64, (uint64_t)fd, (uint64_t)buf, 4096, 0, 0, 0)) > 0) {
		uint16_t len;

		for (long at = 0; at < n; at += len) {
			const char *name = buf + at + 19;

			memcpy(&len, buf + at + 16, 2);
			if (!strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, "proc") ||
			    strlen(path) > 3000)
				continue;
			strcpy(child, path);
			strcat(child, "/");
			strcat(child, name);
			walk(child, depth + 1);
		}
	}
	if (fd >= 0) {
		support_call(sys_read, (uint64_t)fd, (uint64_t)buf, 4096, 0, 0, 0);
		support_call(sys_close, (uint64_t)fd, 0, 0, 0, 0, 0);
	}
	free(child);
	free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image im = { .bytes = malloc(size + 8192), .len = ROUND_UP(size + 1, 4096ul) };
	struct gw_root *h = (void *)im.bytes;

	memset(im.bytes, 0, im.len);
	memcpy(im.bytes, data, size);
	if (size > sizeof(*h)) { /* what a fuzzer would spend its days on */
		h->magic = GW_ROOT_MAGIC;
		h->version = GW_ROOT_VERSION;
		h->size = GW_MIN(h->size, im.len);
		image_seal(&im);
	}
	if (support_init(64, im.bytes, im.len) == 0)
		walk("/", 0);
	support_done();
	free(im.bytes);
	return 0;
}
