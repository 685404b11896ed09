/* SPDX-License-Identifier: Apache-2.0 */
/* chunk.c - the chunked transfer coding (RFC 9112 7.1), a byte at a time between pieces of content:
 *
 *     size-in-hex [;extension...] CRLF  data CRLF  ...  0 CRLF  [trailer CRLF]... CRLF
 *
 * Extensions and trailers are read and dropped (7.1.1, 7.1.2 permit both), within a bound. */
#include "apps/http/lib/parse.h"

#define LINE_MAX 8192u /* bytes of sizes, extensions and trailers between two pieces of content */
#define SIZE_MAX_CHUNK (1ull << 56)

enum {
	FIRST_DIGIT,
	SIZE,
	EXTENSION,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	LINE,
	TRAILER,
	TRAILER_LF,
	LAST_LF,
	DONE
};

static int hex(uint8_t ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	ch |= 0x20;
	return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

/* A size's digit, or what follows them. */
static int size_byte(struct http_chunked *d, uint8_t ch)
{
	int v = hex(ch);

	if (v >= 0) {
		if (d->left >= SIZE_MAX_CHUNK / 16) /* RFC 9112 7.1: must not overflow */
			return -400;
		d->left = d->left * 16 + (uint64_t)v;
		d->state = SIZE;
		return 0;
	}
	if (d->state == FIRST_DIGIT)
		return -400;
	if (ch == '\r')
		d->state = SIZE_LF;
	else if (ch == ';' || ch == ' ' || ch == '\t')
		d->state = EXTENSION;
	else
		return -400;
	return 0;
}

/* Text until CR: no other control, above all no bare LF. */
static int text_byte(struct http_chunked *d, uint8_t ch, uint8_t after)
{
	if (ch == '\r')
		d->state = after;
	else if ((ch < 0x20 && ch != '\t') || ch == 0x7f)
		return -400;
	return 0;
}

static int expect(struct http_chunked *d, uint8_t ch, uint8_t want, uint8_t then)
{
	d->state = then;
	return ch == want ? 0 : -400;
}

static int one_byte(struct http_chunked *d, uint8_t ch)
{
	switch (d->state) {
	case FIRST_DIGIT:
	case SIZE:
		return size_byte(d, ch);
	case EXTENSION:
		return text_byte(d, ch, SIZE_LF);
	case SIZE_LF:
		return expect(d, ch, '\n', d->left != 0 ? DATA : LINE);
	case DATA_CR:
		return expect(d, ch, '\r', DATA_LF);
	case DATA_LF:
		return expect(d, ch, '\n', FIRST_DIGIT);
	case LINE: /* of the trailer section: its end, or a field */
		d->state = ch == '\r' ? LAST_LF : TRAILER;
		return ch == '\r' || (ch > 0x20 && ch != 0x7f) ? 0 : -400;
	case TRAILER:
		return text_byte(d, ch, TRAILER_LF);
	case TRAILER_LF:
		return expect(d, ch, '\n', LINE);
	case LAST_LF:
		d->done = true;
		return expect(d, ch, '\n', DONE);
	default:
		return -400;
	}
}

long http_chunked_next(struct http_chunked *d, const uint8_t *p, size_t n, const uint8_t **data,
		       size_t *data_n)
{
	size_t at = 0;

	*data_n = 0;
	while (at < n && !d->done) {
		int err;

		if (d->state == DATA) {
			size_t k = n - at < d->left ? n - at : (size_t)d->left;

			*data = p + at;
			*data_n = k;
			d->left -= k;
			d->line = 0;
			if (d->left == 0)
				d->state = DATA_CR;
			return (long)(at + k);
		}
		if (d->line++ >= LINE_MAX)
			return -431;
		err = one_byte(d, p[at++]);
		if (err != 0)
			return err;
	}
	return (long)at;
}
