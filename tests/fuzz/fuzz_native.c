/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_native.c - what godwit.h's functions parse: addresses as text (what is taken must print, and
 * parse to the same again), and the image of --files (every path of it within its bytes). */
#include <stdlib.h>
#include <string.h>
#include "abi/root.h"
#include "runtime/native/native_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *image;
static uint64_t image_len;

const void *config_attached(uint64_t *len);
const void *config_attached(uint64_t *len)
{
	*len = image_len;
	return image;
}

struct shard *shard_self_host(void)
{
	abort();
}

const struct net_ip4 *net_get_ip4(const struct net_stack *s)
{
	(void)s;
	abort();
}

const struct net_ip6 *net_get_ip6(const struct net_stack *s)
{
	(void)s;
	abort();
}

void log_warn(const char *fmt, ...)
{
	(void)fmt;
}

static void address(const char *text)
{
	char once[GW_ADDR_TEXT], twice[GW_ADDR_TEXT];
	struct gw_addr a, b;

	if (gw_addr_parse(text, &a) != 0)
		return;
	gw_addr_text(&a, once);
	if (gw_addr_parse(once, &b) != 0 || memcmp(a.ip, b.ip, 16) != 0 || a.port != b.port)
		abort();
	if (strcmp(once, gw_addr_text(&b, twice)) != 0)
		abort();
}

static void files(uint8_t *bytes, size_t n, const char *path)
{
	struct gw_root *r = (void *)bytes;
	struct gw_file f;
	volatile uint8_t sum = 0;

	if (n >= sizeof(*r)) { /* what a fuzzer would spend its days on */
		r->magic = GW_ROOT_MAGIC;
		r->version = GW_ROOT_VERSION;
		r->size = GW_MIN(r->size, n);
	}
	image = bytes;
	image_len = n;
	native_files_forget();
	if (gw_file(path, &f) == 0)
		for (size_t i = 0; i < f.len; i++)
			sum = (uint8_t)(sum + ((const uint8_t *)f.data)[i]);
	if (gw_file("a", &f) == 0 && f.len != 0)
		sum = (uint8_t)(sum + ((const uint8_t *)f.data)[f.len - 1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[32] = { 0 };
	uint8_t *copy;

	if (size < sizeof(path))
		return 0;
	memcpy(path, data, sizeof(path) - 1);
	copy = malloc(size - sizeof(path) + 1);
	memcpy(copy, data + sizeof(path), size - sizeof(path));
	copy[size - sizeof(path)] = 0;
	address(path);
	address((char *)copy);
	files(copy, size - sizeof(path), path);
	free(copy);
	return 0;
}
