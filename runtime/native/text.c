/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - text, log, random numbers and configuration for programs. */
#include "runtime/native/native_internal.h"
#include "runtime/platform/platform.h"
#include "runtime/virtio/console.h"

#define OUT 0u
#define ERR 1u
#define LINE 256u

int gw_format(char *to, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = fmt_vprint(to, size, fmt, ap);
	va_end(ap);
	return n;
}

int gw_vformat(char *to, size_t size, const char *fmt, va_list args)
{
	return fmt_vprint(to, size, fmt, args);
}

/* One line on standard error. */
static void PRINTF_LIKE(2, 0) line(const char *prefix, const char *fmt, va_list ap)
{
	char text[LINE];

	(void)console_write(ERR, text, fmt_vline(text, sizeof(text), prefix, fmt, ap));
}

void gw_log(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line("", fmt, ap);
	va_end(ap);
}

void gw_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line("warning: ", fmt, ap);
	va_end(ap);
}

int gw_fail(int err, const char *fmt, ...)
{
	char text[LINE];
	va_list ap;

	va_start(ap, fmt);
	(void)fmt_vprint(text, sizeof(text), fmt, ap);
	va_end(ap);
	gw_log("error: %s: %s", text, gw_strerror(err));
	return 1;
}

size_t gw_out(const void *bytes, size_t n)
{
	return console_write(OUT, bytes, n);
}

/* What the calls of godwit.h answer, and the usual companions. */
static const struct {
	int err;
	const char *text;
} texts[] = {
	{ 0, "no error" },
	{ ENOENT, "no such file" },
	{ EIO, "input or output error" },
	{ EAGAIN, "try again" },
	{ ENOMEM, "memory is out" },
	{ EINVAL, "invalid argument" },
	{ EPIPE, "the connection is closed" },
	{ ERANGE, "out of range" },
	{ EDEADLK, "a callback must not wait" },
	{ ENAMETOOLONG, "name too long" },
	{ EISDIR, "a directory" },
	{ EMSGSIZE, "message too long" },
	{ EAFNOSUPPORT, "address family not supported" },
	{ EADDRINUSE, "address in use" },
	{ EADDRNOTAVAIL, "not an address of this machine" },
	{ ENETUNREACH, "network unreachable" },
	{ ECONNRESET, "connection reset" },
	{ ENOBUFS, "no buffers" },
	{ ETIMEDOUT, "timed out" },
	{ ECONNREFUSED, "connection refused" },
	{ EHOSTUNREACH, "host unreachable" },
	{ ECANCELED, "closed meanwhile" },
};

const char *gw_strerror(int err)
{
	if (err < 0)
		err = -err;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].err == err)
			return texts[i].text;
	return "unknown error";
}

int gw_parse_u64(const char *text, uint64_t max, uint64_t *out)
{
	return str_to_u64(text, max, out);
}

void gw_random(void *to, size_t n)
{
	random_bytes(to, n);
}

uint64_t gw_random_u64(void)
{
	uint64_t v;

	random_bytes(&v, sizeof(v));
	return v;
}

/* ---- configuration: set=KEY=VALUE entries ---- */

const char *gw_config_at(const char *key, unsigned index)
{
	size_t cursor = 0, n = strlen(key);
	const char *s;

	while ((s = config_next("set", &cursor)) != NULL)
		if (strncmp(s, key, n) == 0 && s[n] == '=' && index-- == 0)
			return s + n + 1;
	return NULL;
}

const char *gw_config(const char *key)
{
	return gw_config_at(key, 0);
}
