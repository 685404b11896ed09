/* SPDX-License-Identifier: Apache-2.0 */
/* proto.c - the list of protocols. See proto.h. */
#include <string.h>

#include "tools/load/proto.h"

static const struct proto *const protocols[] = { &proto_redis, &proto_http, &proto_tcp,
						 &proto_udp };
#define PROTOCOLS (sizeof(protocols) / sizeof(protocols[0]))

const struct proto *proto_find(const char *scheme)
{
	const char *names[PROTOCOLS + 1] = { 0 }, *near;

	for (size_t i = 0; i < PROTOCOLS; i++) {
		if (strcmp(protocols[i]->scheme, scheme) == 0)
			return protocols[i];
		names[i] = protocols[i]->scheme;
	}
	near = nearest(scheme, names);
	fail("'%s://' is not a protocol that is known (redis, http, tcp, udp)%s%s%s", scheme,
	     near != NULL ? "; did you mean " : "", near != NULL ? near : "",
	     near != NULL ? "://" : "");
	return NULL;
}
