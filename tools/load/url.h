/* SPDX-License-Identifier: Apache-2.0 */
/* url.h - SCHEME://HOST[:PORT][/PATH], with [..] around an IPv6 address. */
#ifndef GODWIT_LOAD_URL_H
#define GODWIT_LOAD_URL_H

#include <stdint.h>

struct url {
	char scheme[16];
	char host[256];	     /* without brackets */
	char authority[272]; /* HOST or HOST:PORT as written, for HTTP's Host */
	uint16_t port;	     /* 0: not given */
	char path[1024];     /* from the first / on; "/" when there is none */
};

/* url_parse - 0, or -1 (fail) saying what is wrong with it. */
int url_parse(struct url *u, const char *text);

#endif
