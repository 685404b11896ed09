/* SPDX-License-Identifier: Apache-2.0 */
/* config.c - the configuration blob at GW_CONFIG_VA (abi/channel.h), the same on every platform.
 * Every read is bounded by its length. */
#include "runtime/base/str.h"
#include "runtime/platform/platform.h"

/* The entry at offset *at, bounded by the blob: false at its end, which is an empty entry or the
 * blob's. An unterminated last entry is left out. */
static bool config_entry(size_t *at, const char **entry)
{
	const char *blob = (const char *)GW_CONFIG_VA;
	size_t len = platform_boot()->config_len, n;

	if (*at >= len)
		return false;
	n = strnlen(blob + *at, len - *at);
	if (n == 0 || n == len - *at)
		return false;
	*entry = blob + *at;
	*at += n + 1;
	return true;
}

const char *config_next(const char *key, size_t *cursor)
{
	size_t n = strlen(key);
	const char *entry;

	while (config_entry(cursor, &entry))
		if (strncmp(entry, key, n) == 0 && entry[n] == '=')
			return entry + n + 1;
	return NULL;
}

const void *config_attached(uint64_t *len)
{
	uint64_t all = platform_boot()->config_len;
	const char *entry;
	size_t at = 0;

	while (config_entry(&at, &entry))
		;
	at = (at + GW_PAGE) & ~(size_t)(GW_PAGE - 1); /* behind the empty entry */
	*len = at < all ? all - at : 0;
	return (const char *)GW_CONFIG_VA + at;
}

const char *config_get(const char *key)
{
	size_t cursor = 0;

	return config_next(key, &cursor);
}
