/* SPDX-License-Identifier: Apache-2.0 */
/* date.c - dates (RFC 9110 5.6.7), byte ranges (14.1, 14.2) and entity tags (8.8.3). */
#include <string.h>
#include "apps/http/lib/parse.h"

static const char days[] = "ThuFriSatSunMonTueWed"; /* 1970 began on a Thursday */
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* Days since 1970 of a date of the Gregorian calendar, and back; years begin in March, so that the
 * leap day is the last. */
static long days_of(long year, long month, long day)
{
	long y = month <= 2 ? year - 1 : year, m = month <= 2 ? month + 9 : month - 3;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + day - 1 - 719468;
}

static void date_of(long n, long *year, long *month, long *day)
{
	long z = n + 719468, y = (z * 10000 + 14780) / 3652425, rest, m;

	rest = z - (365 * y + y / 4 - y / 100 + y / 400);
	if (rest < 0) {
		y--;
		rest = z - (365 * y + y / 4 - y / 100 + y / 400);
	}
	m = (100 * rest + 52) / 3060;
	*day = rest - (m * 306 + 5) / 10 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = m < 10 ? y : y + 1;
}

static void two(char *to, long v)
{
	to[0] = (char)('0' + v / 10 % 10);
	to[1] = (char)('0' + v % 10);
}

void http_date_put(uint64_t seconds, char to[HTTP_DATE_LEN])
{
	long day_no = (long)(seconds / 86400), s = (long)(seconds % 86400), y, m, d;

	date_of(day_no, &y, &m, &d);
	memcpy(to, "ddd, 00 mmm 0000 00:00:00 GMT", HTTP_DATE_LEN);
	memcpy(to, days + day_no % 7 * 3, 3);
	two(to + 5, d);
	memcpy(to + 8, months + (m - 1) * 3, 3);
	two(to + 12, y / 100);
	two(to + 14, y % 100);
	two(to + 17, s / 3600);
	two(to + 20, s / 60 % 60);
	two(to + 23, s % 60);
}

static long number(const char *p, size_t n)
{
	long v = 0;

	for (size_t i = 0; i < n; i++) {
		char ch = p[i] == ' ' && i == 0 ? '0' : p[i]; /* asctime: " 6" */

		if (ch < '0' || ch > '9')
			return -1;
		v = v * 10 + ch - '0';
	}
	return v;
}

static long month_of(const char *p)
{
	for (long m = 0; m < 12; m++)
		if (memcmp(months + m * 3, p, 3) == 0)
			return m + 1;
	return -1;
}

static long seconds_of(long y, long m, long d, const char *time)
{
	long h = number(time, 2), min = number(time + 3, 2), s = number(time + 6, 2);

	if (y < 1970 || m < 1 || d < 1 || d > 31 || h < 0 || h > 23 || min < 0 || min > 59 ||
	    s < 0 || s > 60 || time[2] != ':' || time[5] != ':')
		return -1;
	return days_of(y, m, d) * 86400 + h * 3600 + min * 60 + s;
}

long http_date_get(const char *t, size_t n)
{
	const char *comma = memchr(t, ',', n);

	if (n == 29 && t[3] == ',') /* Sun, 06 Nov 1994 08:49:37 GMT */
		return memcmp(t + 25, " GMT", 4) == 0
			       ? seconds_of(number(t + 12, 4), month_of(t + 8), number(t + 5, 2),
					    t + 17)
			       : -1;
	if (comma != NULL && n - (size_t)(comma - t) == 24) { /* Sunday, 06-Nov-94 08:49:37 GMT */
		long y = number(comma + 9, 2);

		return y >= 0 ? seconds_of(y < 70 ? 2000 + y : 1900 + y, month_of(comma + 5),
					   number(comma + 2, 2), comma + 12)
			      : -1;
	}
	if (n == 24 && comma == NULL) /* Sun Nov  6 08:49:37 1994 */
		return seconds_of(number(t + 20, 4), month_of(t + 4), number(t + 8, 2), t + 11);
	return -1;
}

/* ---- ranges ---- */

/* Digits at *p; -1: none, or more than a length can be. */
static long digits(const char **p, const char *end)
{
	const char *from = *p;
	long v = 0;

	while (*p < end && **p >= '0' && **p <= '9') {
		if (v > (1l << 56))
			return -1;
		v = v * 10 + *(*p)++ - '0';
	}
	return *p == from ? -1 : v;
}

int http_range_get(const char *text, size_t n, uint64_t len, struct http_range *out)
{
	const char *p = text + 6, *end = text + n;
	long first, last = -1;

	if (n < 7 || !http_same(text, 6, "bytes=", 6) || memchr(text, ',', n) != NULL)
		return HTTP_RANGE_NONE;
	first = digits(&p, end);
	if (p == end || *p++ != '-')
		return HTTP_RANGE_NONE;
	if (p < end)
		last = digits(&p, end);
	if (p != end || (first < 0 && last < 0) || (last >= 0 && first > last))
		return HTTP_RANGE_NONE;
	if (first < 0) { /* the last so many */
		if (last == 0 || len == 0)
			return HTTP_RANGE_BAD;
		out->first = (uint64_t)last < len ? len - (uint64_t)last : 0;
		out->last = len - 1;
		return HTTP_RANGE_ONE;
	}
	if ((uint64_t)first >= len)
		return HTTP_RANGE_BAD;
	out->first = (uint64_t)first;
	out->last = last >= 0 && (uint64_t)last < len ? (uint64_t)last : len - 1;
	return HTTP_RANGE_ONE;
}

bool http_tag_listed(const char *list, size_t n, const char *tag, size_t tag_len, bool weak)
{
	const char *p = list, *end = list + n;

	if (n == 1 && *p == '*')
		return true;
	while (p < end) {
		bool is_weak = false;
		const char *from;

		while (p < end && (*p == ' ' || *p == '\t' || *p == ','))
			p++;
		if (end - p >= 2 && p[0] == 'W' && p[1] == '/') {
			is_weak = true;
			p += 2;
		}
		from = p;
		if (p == end || *p++ != '"')
			return false;
		while (p < end && *p != '"')
			p++;
		if (p++ == end)
			return false;
		if ((weak || !is_weak) && (size_t)(p - from) == tag_len &&
		    memcmp(from, tag, tag_len) == 0)
			return true;
	}
	return false;
}
