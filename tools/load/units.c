/* SPDX-License-Identifier: Apache-2.0 */
/* units.c - see units.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/load/units.h"

/* A decimal number (digits and one point only: no sign, exponent, inf or hex) and where it ends. */
static int parse_decimal(const char *s, double *v, const char **end)
{
	size_t n = strspn(s, "0123456789.");
	char digits[40];

	if (n == 0 || n >= sizeof(digits) || strspn(s, ".") == n)
		return -1;
	memcpy(digits, s, n);
	digits[n] = '\0';
	if (strchr(digits, '.') != strrchr(digits, '.'))
		return -1;
	*v = strtod(digits, NULL);
	*end = s + n;
	return 0;
}

int parse_duration(const char *s, uint64_t *ns)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = { { "", 1e9 },  { "ns", 1 },   { "us", 1e3 },  { "ms", 1e6 },
		      { "s", 1e9 }, { "m", 60e9 }, { "h", 3600e9 } };
	const char *end;
	double v;

	if (parse_decimal(s, &v, &end) != 0)
		return -1;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].name) != 0)
			continue;
		v *= units[i].ns;
		if (v > 30.0 * 86400e9)
			return -1;
		*ns = (uint64_t)llround(v);
		return 0;
	}
	return -1;
}

int parse_rate(const char *s, double *per_second)
{
	const char *end;
	double v;

	if (parse_decimal(s, &v, &end) != 0)
		return -1;
	if (*end == 'k' || *end == 'K') {
		v *= 1e3;
		end++;
	} else if (*end == 'm' || *end == 'M') {
		v *= 1e6;
		end++;
	}
	if (strcmp(end, "/s") == 0)
		end += 2;
	if (*end != '\0' || v <= 0 || v > 1e9)
		return -1;
	*per_second = v;
	return 0;
}

int parse_ppb(const char *s, uint64_t *ppb)
{
	const char *end;
	double v;

	if (*s == 'p')
		s++;
	if (parse_decimal(s, &v, &end) != 0 || *end != '\0' || v <= 0 || v >= 100)
		return -1;
	*ppb = (uint64_t)llround(v * 1e7);
	return 0;
}

static char *buffer(void)
{
	static char buffers[8][48];
	static unsigned int turn;

	return buffers[turn++ % 8];
}

#define ROOM 48

const char *show_ns(uint64_t ns)
{
	char *b = buffer();
	double v = (double)ns;

	if (ns < 1000)
		snprintf(b, ROOM, "%u ns", (unsigned int)ns);
	else if (v < 999.5e3)
		snprintf(b, ROOM, "%.*f us", v < 99.95e3 ? 1 : 0, v / 1e3);
	else if (v < 999.5e6)
		snprintf(b, ROOM, "%.*f ms", v < 9.995e6 ? 2 : v < 99.95e6 ? 1 : 0, v / 1e6);
	else
		snprintf(b, ROOM, "%.*f s", v < 99.95e9 ? 2 : 0, v / 1e9);
	return b;
}

const char *show_count(uint64_t n)
{
	char digits[24], *b = buffer(), *to = b;
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return b;
}

const char *show_rate(double per_second)
{
	char *b = buffer();
	double rounded = per_second < 1000 ? per_second : floor(per_second + 0.5);

	if (per_second < 1000)
		snprintf(b, ROOM, "%.1f", rounded);
	else
		snprintf(b, ROOM, "%s", show_count((uint64_t)rounded));
	return b;
}

const char *show_ppb(uint64_t ppb)
{
	char *b = buffer();
	size_t n = (size_t)snprintf(b, ROOM, "%.7f", (double)ppb / 1e7);

	while (b[n - 1] == '0')
		b[--n] = '\0';
	if (b[n - 1] == '.')
		b[--n] = '\0';
	return b;
}
