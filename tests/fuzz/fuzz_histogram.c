/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_histogram.c - arbitrary bytes as an encoded histogram: what is refused must leave the
 * histogram empty, and what is taken must come back the same from a second round through the
 * encoding. */
#include <stdlib.h>
#include <string.h>

#include "runtime/base/histogram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool what)
{
	if (!what)
		abort();
}

static void check(unsigned int digits, const uint8_t *data, size_t size)
{
	static uint64_t mem_a[HISTOGRAM_COUNTS_3], mem_b[HISTOGRAM_COUNTS_3];
	static uint8_t code[HISTOGRAM_ENCODED_MAX(3)];
	struct histogram a, b;
	int64_t len;

	require(histogram_init(&a, digits, mem_a) == 0 && histogram_init(&b, digits, mem_b) == 0);
	if (histogram_decode(&a, data, size) != 0) {
		require(histogram_count(&a) == 0);
		return;
	}
	require(histogram_count(&a) == 0 || histogram_at(&a, NS_PER_SEC) == histogram_max(&a));
	require(histogram_mean(&a) <= HISTOGRAM_MAX && histogram_stddev(&a) <= HISTOGRAM_MAX);
	len = histogram_encode(&a, code, sizeof(code));
	require(len > 0 && histogram_decode(&b, code, (size_t)len) == 0);
	require(memcmp(mem_a, mem_b, a.n * sizeof(mem_a[0])) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check(2, data, size);
	check(3, data, size);
	return 0;
}
