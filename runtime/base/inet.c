/* SPDX-License-Identifier: Apache-2.0 */
/* inet.c - IP addresses and their texts. See inet.h. */
#include "runtime/base/inet.h"
#include "runtime/base/str.h"

#define NO_GAP 16u

const char *inet_parse4(const char *s, uint8_t ip[4])
{
	for (unsigned i = 0; i < 4; i++) {
		unsigned v = 0, digits = 0;

		if (i != 0 && *s++ != '.')
			return NULL;
		for (; *s >= '0' && *s <= '9' && digits < 3; s++, digits++)
			v = v * 10 + (unsigned)(*s - '0');
		if (digits == 0 || v > 255)
			return NULL;
		ip[i] = (uint8_t)v;
	}
	return s;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One group of one to four hexadecimal digits. */
static const char *group(const char *s, uint8_t to[2])
{
	unsigned v = 0, digits = 0;

	for (; hex(*s) >= 0 && digits < 4; s++, digits++)
		v = v << 4 | (unsigned)hex(*s);
	to[0] = (uint8_t)(v >> 8);
	to[1] = (uint8_t)v;
	return digits != 0 ? s : NULL;
}

const char *inet_parse6(const char *s, uint8_t ip[16])
{
	unsigned n = 0, gap = NO_GAP; /* bytes; where "::" stood */

	memset(ip, 0, 16);
	if (s[0] == ':' && s[1] == ':') {
		gap = 0;
		s += 2;
	}
	while (n < 16 && hex(*s) >= 0) {
		const char *end = n <= 12 ? inet_parse4(s, ip + n) : NULL;

		if (end != NULL) { /* form 3: the last four bytes dotted */
			s = end;
			n += 4;
			break;
		}
		s = group(s, ip + n);
		n += 2;
		if (*s != ':' || n == 16)
			break;
		s++;
		if (*s == ':') {
			if (gap != NO_GAP)
				return NULL;
			gap = n;
			s++;
		} else if (hex(*s) < 0) {
			return NULL;
		}
	}
	if ((n == 16) == (gap != NO_GAP))
		return NULL;
	if (gap != NO_GAP) { /* what came after the gap belongs to the end */
		memmove(ip + 16 - (n - gap), ip + gap, n - gap);
		memset(ip + gap, 0, 16 - n);
	}
	return s;
}

size_t inet_print4(char to[INET_TEXT], const uint8_t ip[4])
{
	return (size_t)fmt_print(to, INET_TEXT, "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
}

size_t inet_print6(char to[INET_TEXT], const uint8_t ip[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, 0xff };
	unsigned best = 8, best_n = 1, n; /* the longest run of zero groups, if of two at least */
	size_t at = 0;

	if (memcmp(ip, mapped, sizeof(mapped)) == 0)
		return (size_t)fmt_print(to, INET_TEXT, "::ffff:%u.%u.%u.%u", ip[12], ip[13],
					 ip[14], ip[15]);
	for (unsigned i = 0; i < 8; i += n + 1) {
		for (n = 0; i + n < 8 && (ip[2 * (i + n)] | ip[2 * (i + n) + 1]) == 0; n++)
			;
		if (n > best_n) {
			best = i;
			best_n = n;
		}
	}
	for (unsigned i = 0; i < 8; i++) {
		if (i == best) {
			at += (size_t)fmt_print(to + at, INET_TEXT - at, "::");
			i += best_n - 1;
			continue;
		}
		at += (size_t)fmt_print(to + at, INET_TEXT - at, "%s%x",
					i != 0 && i != best + best_n ? ":" : "",
					(unsigned)ip[2 * i] << 8 | ip[2 * i + 1]);
	}
	return at;
}
