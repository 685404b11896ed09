/* SPDX-License-Identifier: Apache-2.0 */
/* parse.c - numbers, and words that were meant to be others. See util.h. */
#include <string.h>

#include "tools/base/util.h"

/* Edit distance (insert, delete, replace, swap of neighbours), words of at most 31 bytes. */
static size_t distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), d[32][32];

	if (n > 31 || m > 31)
		return 99;
	for (size_t i = 0; i <= n; i++) {
		for (size_t j = 0; j <= m; j++) {
			size_t best;

			if (i == 0 || j == 0) {
				d[i][j] = i + j;
				continue;
			}
			best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	}
	return d[n][m];
}

const char *nearest(const char *word, const char *const *candidates)
{
	size_t limit = strlen(word) < 5 ? 1 : strlen(word) / 3 + 1, best = limit + 1;
	const char *found = NULL;

	for (; *candidates != NULL; candidates++) {
		size_t d = distance(word, *candidates);

		/* The start of one word alone is a likely slip, too. */
		if (strlen(word) >= 4 && strncmp(word, *candidates, strlen(word)) == 0)
			d = 0;
		if (d < best) {
			best = d;
			found = *candidates;
		}
	}
	return found;
}

int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *value)
{
	uint64_t v = 0;

	if (*s == '\0')
		return -1;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9' || v > (UINT64_MAX - 9) / 10)
			return -1;
		v = v * 10 + (uint64_t)(*s - '0');
	}
	if (v < min || v > max)
		return -1;
	*value = v;
	return 0;
}

int parse_size(const char *s, uint64_t *bytes)
{
	size_t n = strlen(s);
	unsigned int shift = 20;
	uint64_t v = 0;
	char digits[24];

	if (n == 0 || n >= sizeof(digits))
		return -1;
	memcpy(digits, s, n + 1);
	switch (digits[n - 1]) {
	case 'k':
	case 'K':
		shift = 10;
		break;
	case 'm':
	case 'M':
		shift = 20;
		break;
	case 'g':
	case 'G':
		shift = 30;
		break;
	default:
		n++;
		break;
	}
	digits[n - 1] = '\0';
	if (parse_u64(digits, 0, UINT64_MAX >> shift, &v) != 0)
		return -1;
	*bytes = v << shift;
	return 0;
}
