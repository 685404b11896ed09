/* SPDX-License-Identifier: Apache-2.0 */
/* dhcp.h - DHCP messages (RFC 2131, 2132): the parser on its own, so that it can be fuzzed on its
 * own. */
#ifndef GODWIT_NET_DHCP_H
#define GODWIT_NET_DHCP_H

#include "runtime/net/csum.h"

#define DHCP_FIXED 236u /* up to the options' magic cookie */

enum dhcp_type {
	DHCP_DISCOVER = 1,
	DHCP_OFFER,
	DHCP_REQUEST,
	DHCP_DECLINE,
	DHCP_ACK,
	DHCP_NAK,
	DHCP_RELEASE,
};

struct dhcp_msg { /* addresses in network byte order, times in seconds */
	uint32_t xid;
	uint8_t chaddr[6];
	uint8_t type;
	uint32_t yiaddr, mask, router, server, dns[2];
	uint32_t lease, renew, rebind; /* 0: not given */
};

/* A server's message in [p, p+n). false: not a DHCP reply, or malformed. Reads nothing outside.
 * O(n). */
bool dhcp_parse(const uint8_t *p, size_t n, struct dhcp_msg *out) MUST_CHECK;

struct dhcp_request {
	uint8_t type, mac[6];
	bool broadcast;
	uint32_t xid, ciaddr, requested, server;
	uint16_t secs;
	const char *hostname; /* NULL or text */
};

/* Write a client's message; cap >= 400. Returns its length. */
size_t dhcp_build(uint8_t *to, size_t cap, const struct dhcp_request *r);

#endif
