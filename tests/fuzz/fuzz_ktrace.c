/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_ktrace.c - any console output as a trace: no crash, and what comes out is closed and plain.
 */
#include <stdlib.h>
#include <string.h>

#include "tools/godwit/ktrace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ktrace k;
	char *all = xcalloc(size + 1, 1), *json = NULL;
	size_t len = 0;
	int64_t depth = 0;

	memcpy(all, data, size);
	ktrace_begin(&k, open_memstream(&json, &len), "memory");
	for (char *line = all, *end; line < all + size; line = end + 1) {
		end = memchr(line, '\n', (size_t)(all + size - line));
		if (end == NULL)
			end = all + size;
		*end = 0;
		ktrace_line(&k, line);
	}
	if (ktrace_end(&k) != 0)
		abort();
	for (size_t i = 0; i < len; i++)
		depth += (json[i] == '{') - (json[i] == '}');
	if (depth != 0 && strpbrk((const char *)all, "{}") == NULL &&
	    memchr(data, '{', size) == NULL && memchr(data, '}', size) == NULL)
		abort();
	free(json);
	free(all);
	return 0;
}
