/* SPDX-License-Identifier: Apache-2.0 */
/* dhcp_msg.c - see dhcp.h. The message comes from anyone on the link: each length is checked, each
 * value that could do harm (a mask with holes, a group address) makes the message invalid. */
#include "runtime/net/dhcp.h"

#define COOKIE 0x63825363u

static bool host_address(uint32_t a)
{
	return a != 0 && (a & 0xff) != 127 && (a & 0xff) != 0 && (a & 0xf0) < 0xe0;
}

static bool take_option(struct dhcp_msg *o, uint8_t code, const uint8_t *v, size_t n)
{
	switch (code) {
	case 1:
		o->mask = n == 4 ? ld32(v) : 0;
		return n == 4;
	case 3:
		if (n < 4 || n % 4 != 0)
			return false;
		o->router = host_address(ld32(v)) ? ld32(v) : 0;
		return true;
	case 6:
		if (n < 4 || n % 4 != 0)
			return false;
		o->dns[0] = ld32(v);
		o->dns[1] = n >= 8 ? ld32(v + 4) : 0;
		return true;
	case 51:
		o->lease = n == 4 ? ldbe32(v) : 0;
		return n == 4;
	case 53:
		o->type = v[0];
		return n == 1;
	case 54:
		o->server = n == 4 ? ld32(v) : 0;
		return n == 4;
	case 58:
		o->renew = n == 4 ? ldbe32(v) : 0;
		return n == 4;
	case 59:
		o->rebind = n == 4 ? ldbe32(v) : 0;
		return n == 4;
	default:
		return true;
	}
}

/* One field of options. overload: where option 52 is noted. */
static bool take_field(struct dhcp_msg *o, const uint8_t *p, size_t n, uint8_t *overload)
{
	size_t i = 0;

	while (i < n) {
		uint8_t code = p[i++], len;

		if (code == 0)
			continue;
		if (code == 255)
			return true;
		if (i >= n)
			return false;
		len = p[i++];
		if (len == 0 || len > n - i)
			return false;
		if (code == 52 && overload != NULL)
			*overload = len == 1 ? p[i] & 3 : 0;
		else if (!take_option(o, code, p + i, len))
			return false;
		i += len;
	}
	return true; /* some servers leave out the end mark */
}

static bool mask_ok(uint32_t mask)
{
	uint32_t holes = ~be32(mask);

	return mask != 0 && (holes & (holes + 1)) == 0;
}

bool dhcp_parse(const uint8_t *p, size_t n, struct dhcp_msg *o)
{
	uint8_t overload = 0;

	memset(o, 0, sizeof(*o));
	if (n < DHCP_FIXED + 4 || p[0] != 2 || p[1] != 1 || p[2] != 6 ||
	    ldbe32(p + DHCP_FIXED) != COOKIE)
		return false;
	o->xid = ld32(p + 4);
	o->yiaddr = ld32(p + 16);
	memcpy(o->chaddr, p + 28, 6);
	if (!take_field(o, p + DHCP_FIXED + 4, n - DHCP_FIXED - 4, &overload))
		return false;
	if ((overload & 1) && !take_field(o, p + 108, 128, NULL)) /* the file field */
		return false;
	if ((overload & 2) && !take_field(o, p + 44, 64, NULL)) /* the sname field */
		return false;
	if (o->type == DHCP_NAK)
		return true;
	if ((o->type != DHCP_OFFER && o->type != DHCP_ACK) || !host_address(o->yiaddr) ||
	    o->lease == 0)
		return false;
	if (o->mask == 0) { /* by class, as in the old days */
		o->mask = be32((o->yiaddr & 0x80) == 0	    ? 0xff000000u
			       : (o->yiaddr & 0xc0) == 0x80 ? 0xffff0000u
							    : 0xffffff00u);
	}
	return mask_ok(o->mask);
}

static uint8_t *put(uint8_t *at, uint8_t code, const void *v, uint8_t n)
{
	at[0] = code;
	at[1] = n;
	memcpy(at + 2, v, n);
	return at + 2 + n;
}

size_t dhcp_build(uint8_t *to, size_t cap, const struct dhcp_request *r)
{
	static const uint8_t wanted[] = { 1, 3, 6, 12, 51, 54, 58, 59 };
	uint8_t *at = to + DHCP_FIXED + 4, id[7] = { 1 }, max[2] = { 1500 >> 8, 1500 & 255 };
	size_t n;

	memset(to, 0, cap);
	to[0] = to[1] = 1;
	to[2] = 6;
	st32(to + 4, r->xid);
	stbe16(to + 8, r->secs);
	stbe16(to + 10, r->broadcast ? 0x8000 : 0);
	st32(to + 12, r->ciaddr);
	memcpy(to + 28, r->mac, 6);
	stbe32(to + DHCP_FIXED, COOKIE);
	at = put(at, 53, &r->type, 1);
	memcpy(id + 1, r->mac, 6);
	at = put(at, 61, id, 7);
	at = put(at, 57, max, 2);
	at = put(at, 55, wanted, sizeof(wanted));
	if (r->requested != 0)
		at = put(at, 50, &r->requested, 4);
	if (r->server != 0)
		at = put(at, 54, &r->server, 4);
	if (r->hostname != NULL && r->hostname[0] != 0) {
		n = strlen(r->hostname);
		at = put(at, 12, r->hostname, (uint8_t)GW_MIN(n, 63u));
	}
	*at++ = 255;
	n = (size_t)(at - to);
	return GW_MAX(n, 300u); /* BOOTP relays drop shorter ones */
}
