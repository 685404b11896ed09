/* SPDX-License-Identifier: Apache-2.0 */
/* fmt.c - bounded formatting, the part of snprintf that the runtime uses. Never writes past `size`,
 * always terminates when size > 0. */
#include "runtime/base/str.h"

struct out {
	char *to;
	size_t size, len; /* len: what the whole text has so far */
};

struct spec {
	bool left, zero, plus, space, alt;
	int width, precision; /* precision -1: none */
	int length;	      /* bytes of the integer */
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->to[o->len] = c;
	o->len++;
}

static void pad(struct out *o, char c, int n)
{
	for (; n > 0; n--)
		put(o, c);
}

static void put_text(struct out *o, const struct spec *s, const char *text, size_t n)
{
	int fill = s->width > (int)n ? s->width - (int)n : 0;

	if (!s->left)
		pad(o, ' ', fill);
	for (size_t i = 0; i < n; i++)
		put(o, text[i]);
	if (s->left)
		pad(o, ' ', fill);
}

/* prefix: sign or 0x; digits are made backwards. */
static void put_number(struct out *o, const struct spec *s, uint64_t v, unsigned base, bool upper,
		       const char *prefix)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char buf[24];
	int n = 0, zeros = 0, fill;

	if (v == 0 && s->precision != 0)
		buf[n++] = '0';
	for (; v; v /= base)
		buf[n++] = digits[v % base];
	if (s->precision > n)
		zeros = s->precision - n;
	else if (s->alt && base == 8 && (n == 0 || buf[n - 1] != '0'))
		zeros = 1;
	fill = s->width - n - zeros - (int)strlen(prefix);
	if (s->zero && !s->left && s->precision < 0 && fill > 0) {
		zeros += fill;
		fill = 0;
	}
	if (!s->left)
		pad(o, ' ', fill);
	while (*prefix)
		put(o, *prefix++);
	pad(o, '0', zeros);
	while (n)
		put(o, buf[--n]);
	if (s->left)
		pad(o, ' ', fill);
}

static const char *parse_flags(const char *p, struct spec *s)
{
	for (;; p++) {
		if (*p == '-')
			s->left = true;
		else if (*p == '0')
			s->zero = true;
		else if (*p == '+')
			s->plus = true;
		else if (*p == ' ')
			s->space = true;
		else if (*p == '#')
			s->alt = true;
		else
			return p;
	}
}

static const char *parse_int(const char *p, int *v)
{
	for (*v = 0; *p >= '0' && *p <= '9'; p++)
		if (*v < 100000)
			*v = *v * 10 + (*p - '0');
	return p;
}

static const char *parse_length(const char *p, struct spec *s)
{
	s->length = sizeof(int);
	if (*p == 'h') {
		s->length = sizeof(short);
		if (*++p == 'h') {
			s->length = sizeof(char);
			p++;
		}
	} else if (*p == 'l') {
		s->length = sizeof(long);
		if (*++p == 'l')
			p++;
	} else if (*p == 'z') {
		s->length = sizeof(size_t);
		p++;
	}
	return p;
}

int fmt_vprint(char *to, size_t size, const char *p, va_list args)
{
	struct out o = { .to = to, .size = size };
	va_list ap;

	va_copy(ap, args);
	for (; *p; p++) {
		struct spec s = { .precision = -1 };
		const char *text, *prefix = "";
		uint64_t v;
		char c;

		if (*p != '%') {
			put(&o, *p);
			continue;
		}
		p = parse_flags(p + 1, &s);
		if (*p == '*') {
			p++;
			s.width = va_arg(ap, int);
			if (s.width < 0) {
				s.left = true;
				s.width = -s.width;
			}
		} else {
			p = parse_int(p, &s.width);
		}
		if (*p == '.') {
			if (*++p == '*') {
				p++;
				s.precision = va_arg(ap, int);
			} else {
				p = parse_int(p, &s.precision);
			}
		}
		p = parse_length(p, &s);
		if (!*p)
			break;
		switch (*p) {
		case 'd':
		case 'i': {
			int64_t d = s.length == 8 ? va_arg(ap, int64_t) : va_arg(ap, int);

			if (s.length == 2)
				d = (int16_t)d;
			else if (s.length == 1)
				/* NOLINTNEXTLINE(bugprone-signed-char-misuse): sign wanted */
				d = (int8_t)d;
			prefix = d < 0 ? "-" : s.plus ? "+" : s.space ? " " : "";
			put_number(&o, &s, d < 0 ? 0 - (uint64_t)d : (uint64_t)d, 10, false,
				   prefix);
			break;
		}
		case 'u':
		case 'x':
		case 'X':
		case 'o':
			v = s.length == 8 ? va_arg(ap, uint64_t) : va_arg(ap, unsigned);
			if (s.length == 2)
				v = (uint16_t)v;
			else if (s.length == 1)
				v = (uint8_t)v;
			if (s.alt && v && (*p == 'x' || *p == 'X'))
				prefix = *p == 'x' ? "0x" : "0X";
			put_number(&o, &s, v,
				   *p == 'u'   ? 10
				   : *p == 'o' ? 8
					       : 16,
				   *p == 'X', prefix);
			break;
		case 'p':
			put_number(&o, &s, (uint64_t)(uintptr_t)va_arg(ap, void *), 16, false,
				   "0x");
			break;
		case 'c':
			c = (char)va_arg(ap, int);
			put_text(&o, &s, &c, 1);
			break;
		case 's':
			text = va_arg(ap, const char *);
			if (!text)
				text = "(null)";
			put_text(&o, &s, text,
				 s.precision < 0 ? strlen(text)
						 : strnlen(text, (size_t)s.precision));
			break;
		default: /* %% and what is unknown: as it stands */
			put(&o, *p);
			break;
		}
	}
	va_end(ap);
	if (size)
		to[o.len < size ? o.len : size - 1] = '\0';
	return (int)o.len;
}

int fmt_print(char *to, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = fmt_vprint(to, size, fmt, ap);
	va_end(ap);
	return n;
}

size_t fmt_vline(char *to, size_t size, const char *prefix, const char *fmt, va_list args)
{
	size_t n = (size_t)fmt_print(to, size, "%s", prefix);

	n += (size_t)fmt_vprint(to + n, size - n, fmt, args);
	n = GW_MIN(n, size - 1);
	to[n++] = '\n';
	return n;
}
