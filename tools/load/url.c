/* SPDX-License-Identifier: Apache-2.0 */
/* url.c - see url.h. */
#include <stdio.h>
#include <string.h>

#include "tools/base/util.h"
#include "tools/load/url.h"

static int take(char *to, size_t room, const char *from, size_t n, const char *what,
		const char *text)
{
	if (n == 0 || n >= room)
		return fail("'%s': its %s is %s", text, what, n == 0 ? "missing" : "too long");
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)from[i] <= ' ' || from[i] == 0x7f)
			return fail("'%s': its %s has a blank or control character", text, what);
	}
	memcpy(to, from, n);
	to[n] = '\0';
	return 0;
}

int url_parse(struct url *u, const char *text)
{
	const char *host = strstr(text, "://"), *end, *port;
	uint64_t number = 0;

	*u = (struct url){ .path = "/" };
	if (host == NULL)
		return fail("'%s' is not a URL such as redis://127.0.0.1:6379", text);
	if (take(u->scheme, sizeof(u->scheme), text, (size_t)(host - text), "scheme", text) != 0)
		return -1;
	host += 3;
	end = host + strcspn(host, "/");
	if (*end == '/' && take(u->path, sizeof(u->path), end, strlen(end), "path", text) != 0)
		return -1;
	if (take(u->authority, sizeof(u->authority), host, (size_t)(end - host), "host", text) != 0)
		return -1;
	if (strchr(u->authority, '@') != NULL)
		return fail("'%s': a user name in the URL is not supported", text);
	if (u->authority[0] == '[') {
		const char *close = strchr(u->authority, ']');

		if (close == NULL)
			return fail("'%s': its [ is not closed", text);
		port = close + 1;
		if (take(u->host, sizeof(u->host), u->authority + 1,
			 (size_t)(close - u->authority - 1), "host", text) != 0)
			return -1;
	} else {
		port = u->authority + strcspn(u->authority, ":");
		if (take(u->host, sizeof(u->host), u->authority, (size_t)(port - u->authority),
			 "host", text) != 0)
			return -1;
	}
	if (*port == '\0')
		return 0;
	if (*port != ':' || parse_u64(port + 1, 0, 65535, &number) != 0)
		return fail("'%s': '%s' is not a port (0 to 65535)", text, port + (*port == ':'));
	u->port = (uint16_t)number;
	return 0;
}
