/* SPDX-License-Identifier: Apache-2.0 */
/* hdr_log.c - see hdr_log.h. The deflated form is zlib's; base64 is RFC 4648's with padding. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "tools/base/util.h"
#include "tools/load/hdr_log.h"
#include "tools/load/load.h"

#define COOKIE_COMPRESSED 0x1c849314u

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char *base64(const uint8_t *in, size_t n)
{
	char *out = xcalloc(1, (n + 2) / 3 * 4 + 1), *to = out;

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)in[i] << 16 | (uint32_t)(i + 1 < n ? in[i + 1] : 0) << 8 |
			     (i + 2 < n ? in[i + 2] : 0);

		*to++ = alphabet[v >> 18];
		*to++ = alphabet[v >> 12 & 63];
		*to++ = i + 1 < n ? alphabet[v >> 6 & 63] : '=';
		*to++ = i + 2 < n ? alphabet[v & 63] : '=';
	}
	return out;
}

/* Bytes, or -1 at a character that does not belong. */
static ssize_t from_base64(const char *text, uint8_t *out)
{
	uint32_t v = 0, bits = 0;
	size_t n = 0, len = strcspn(text, "=");

	for (size_t i = 0; i < len; i++) {
		const char *at = strchr(alphabet, text[i]);

		if (at == NULL)
			return -1;
		v = v << 6 | (uint32_t)(at - alphabet);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (uint8_t)(v >> bits);
		}
	}
	return strspn(text + len, "=") == strlen(text + len) ? (ssize_t)n : -1;
}

char *hdr_base64(const struct histogram *h)
{
	size_t room = HISTOGRAM_ENCODED_MAX(3);
	uint8_t *plain = xcalloc(1, room), *packed;
	int64_t n = histogram_encode(h, plain, room);
	uLongf len = compressBound((uLong)(n > 0 ? n : 0));
	char *text = NULL;

	packed = xcalloc(1, len + 8);
	if (n > 0 && compress2(packed + 8, &len, plain, (uLong)n, 9) == Z_OK) {
		for (unsigned int i = 0; i < 4; i++) {
			packed[i] = (uint8_t)(COOKIE_COMPRESSED >> (24 - 8 * i));
			packed[4 + i] = (uint8_t)(len >> (24 - 8 * i));
		}
		text = base64(packed, len + 8);
	}
	free(plain);
	free(packed);
	return need(text);
}

int hdr_from_base64(struct histogram *h, const char *text)
{
	size_t room = strlen(text) + 4;
	uint8_t *packed = xcalloc(1, room), *plain = NULL;
	ssize_t n = from_base64(text, packed);
	/* larger than any encoding of 5 digits and 63 bits needs to be is not taken */
	uLongf len = 1u << 24;
	int rc = -1;

	if (n > 8 && packed[0] == 0x1c && packed[1] == 0x84 && packed[2] == 0x93 &&
	    (packed[3] & 0x0f) == 4) {
		size_t said = (size_t)packed[4] << 24 | (size_t)packed[5] << 16 |
			      (size_t)packed[6] << 8 | packed[7];

		plain = xcalloc(1, len);
		if (said <= (size_t)n - 8 && uncompress(plain, &len, packed + 8, said) == Z_OK)
			rc = histogram_decode(h, plain, len) == 0 ? 0 : -1;
	}
	free(plain);
	free(packed);
	return rc;
}

void hdr_log_header(FILE *f, const char *command, time_t start)
{
	char when[64];
	struct tm tm;

	strftime(when, sizeof(when), "%a %b %d %H:%M:%S %Z %Y", gmtime_r(&start, &tm));
	fprintf(f, "#[Logged with godwit-load " LOAD_VERSION ": %s]\n", command);
	fprintf(f,
		"#[Histogram log format version 1.3]\n#[StartTime: %lld.000 (seconds since epoch), "
		"%s]\n",
		(long long)start, when);
	fprintf(f, "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_"
		   "Histogram\"\n");
	fflush(f);
}

void hdr_log_line(FILE *f, double start_s, double length_s, const struct histogram *h)
{
	char *text = hdr_base64(h);

	fprintf(f, "%.3f,%.3f,%.3f,%s\n", start_s, length_s, (double)histogram_max(h) / 1e6, text);
	fflush(f); /* what was measured is there whatever happens next */
	free(text);
}

int hdr_log_parse(char *line, struct hdr_line *parsed)
{
	double *const numbers[] = { &parsed->start_s, &parsed->length_s, NULL };

	line[strcspn(line, "\r\n")] = '\0';
	*parsed = (struct hdr_line){ .tag = "" };
	if (*line == '\0' || *line == '#' || *line == '"')
		return 1;
	if (strncmp(line, "Tag=", 4) == 0) {
		parsed->tag = line + 4;
		line += strcspn(line, ",");
		if (*line == '\0')
			return -1;
		*line++ = '\0';
	}
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		char *end;
		double d = strtod(line, &end);

		if (end == line || *end != ',' || !(d >= 0 && d < 1e12))
			return -1;
		if (numbers[i] != NULL)
			*numbers[i] = d;
		line = end + 1;
	}
	parsed->text = line;
	return 0;
}

void hgrm_write(FILE *f, const struct histogram *h)
{
	uint64_t total = histogram_count(h);
	double percentile = 0;

	fprintf(f, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
		"1/(1-Percentile)");
	for (unsigned int tick = 0; total > 0 && load_known(total, (uint64_t)(percentile * 1e7));
	     tick++) {
		uint64_t value = histogram_at(h, (uint64_t)(percentile * 1e7));

		fprintf(f, "%12.3f %2.12f %10llu %14.2f\n", (double)value / 1e3, percentile / 100,
			(unsigned long long)histogram_count_to(h, value),
			1 / (1 - percentile / 100));
		percentile += 100.0 / (10 * exp2(floor(log2(100 / (100 - percentile)))));
	}
	if (total > 0)
		fprintf(f, "%12.3f %2.12f %10llu\n", (double)histogram_max(h) / 1e3, 1.0,
			(unsigned long long)total);
	fprintf(f, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n",
		(double)histogram_mean(h) / 1e3, (double)histogram_stddev(h) / 1e3);
	fprintf(f, "#[Max     = %12.3f, Total count    = %12llu]\n", (double)histogram_max(h) / 1e3,
		(unsigned long long)total);
	fprintf(f, "#[Buckets = %12d, SubBuckets     = %12d]\n", h->digits == 2 ? 35 : 32,
		2 << h->half);
}
