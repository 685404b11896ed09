/* SPDX-License-Identifier: Apache-2.0 */
/* dhcp_test.c - the DHCP client against a scripted server: handshake, renewal, rebinding, expiry,
 * bad answers. */
#include "runtime/net/dhcp.h"
#include "runtime/net/test/sim.h"
#include "tests/unit.h"

static struct sim m;
static struct {
	bool silent, nak, wrong_xid, wrong_mac, truncated;
	unsigned discovers, requests, unicast;
	uint32_t lease;
} srv;

static size_t reply(uint8_t *out, const uint8_t *req, uint8_t type)
{
	uint8_t u[600] = { 0 }, *d = u + 8, *o = d + 240;
	uint32_t lease = be32(srv.lease), addr = sim_ip(9), server = sim_ip(1), router = sim_ip(1);
	size_t n;

	d[0] = 2;
	d[1] = 1;
	d[2] = 6;
	memcpy(d + 4, req + 4, 4);
	if (srv.wrong_xid)
		d[4] ^= 1;
	st32(d + 16, type == DHCP_NAK ? 0 : addr);
	memcpy(d + 28, req + 28, 6);
	if (srv.wrong_mac)
		d[30] ^= 1;
	stbe32(d + 236, 0x63825363);
	memcpy(o, (uint8_t[]){ 53, 1, type, 1, 4, 255, 255, 255, 0 }, 9);
	o += 9;
	*o++ = 51;
	*o++ = 4;
	memcpy(o, &lease, 4);
	o += 4;
	*o++ = 54;
	*o++ = 4;
	memcpy(o, &server, 4);
	o += 4;
	*o++ = 3;
	*o++ = 4;
	memcpy(o, &router, 4);
	o += 4;
	*o++ = 6;
	*o++ = 8;
	memcpy(o, &router, 4);
	memcpy(o + 4, &addr, 4);
	o += 8;
	*o++ = 255;
	n = (size_t)(o - u);
	if (srv.truncated)
		n -= 10;
	stbe16(u, 67);
	stbe16(u + 2, 68);
	stbe16(u + 4, (uint16_t)n);
	n = sim_ip_frame(out, 1, 0, IP_UDP, u, n);
	memset(out, 0xff, 6);
	st32(out + 30, 0xffffffff);
	sim_fix_csums(out, n);
	return n;
}

static bool server(struct sim *s, unsigned from, uint8_t *f, size_t len)
{
	const uint8_t *d = f + 42;
	uint8_t out[700], type;

	if (from != 0 || len < 42 + 243 || f[23] != IP_UDP || ldbe16(f + 36) != 67)
		return false;
	type = d[242];
	srv.discovers += type == DHCP_DISCOVER;
	srv.requests += type == DHCP_REQUEST;
	srv.unicast += f[0] != 0xff;
	if (srv.silent)
		return true;
	type = type == DHCP_DISCOVER ? DHCP_OFFER : srv.nak ? DHCP_NAK : DHCP_ACK;
	sim_inject(s, 0, out, reply(out, d, type));
	return true;
}

static void begin(void)
{
	memset(&srv, 0, sizeof(srv));
	srv.lease = 3600;
	sim_init(&m, 5, NULL); /* host 1 is only an address: the tap answers */
	net_set_ip4(m.host[0].stack, 0, 0, 0, 0);
	m.host[0].configured = 0;
	m.host[0].out.tap = server;
}

static bool up(void *arg)
{
	(void)arg;
	return net_get_ip4(m.host[0].stack)->up;
}

TEST(handshake_and_renewal)
{
	const struct net_ip4 *ip;

	begin();
	net_start_dhcp(m.host[0].stack, "godwit");
	CHECK(sim_run(&m, 5 * SEC, up, NULL));
	ip = net_get_ip4(m.host[0].stack);
	CHECK_EQ(ip->addr, sim_ip(9));
	CHECK_EQ(ip->mask, be32(0xffffff00u));
	CHECK_EQ(ip->gateway, sim_ip(1));
	CHECK_EQ(ip->dns[0], sim_ip(1));
	CHECK_EQ(ip->dns[1], sim_ip(9));
	CHECK_EQ(m.host[0].configured, 1);
	CHECK_EQ(srv.discovers, 1);
	CHECK_EQ(srv.requests, 1);
	sim_run(&m, 10000 * SEC, NULL,
		NULL); /* renewed at 1800 s, again and again, to the server itself */
	CHECK(up(NULL));
	CHECK_EQ(srv.discovers, 1);
	CHECK(srv.unicast >= 5 || srv.requests >= 6);
	CHECK_EQ(m.host[0].configured, 1);
	srv.silent = true;
	sim_run(&m, 3500 * SEC, NULL, NULL);
	CHECK(up(NULL) || srv.discovers > 1);
	sim_run(&m, 600 * SEC, NULL, NULL);
	CHECK(!up(NULL)); /* expired */
	CHECK(srv.discovers > 1);
	srv.silent = false;
	CHECK(sim_run(&m, 60 * SEC, up, NULL));
	sim_free(&m);
}

TEST(bad_answers)
{
	begin();
	srv.wrong_xid = true;
	net_start_dhcp(m.host[0].stack, NULL);
	CHECK(!sim_run(&m, 20 * SEC, up, NULL));
	CHECK(srv.discovers > 2);
	CHECK_EQ(srv.requests, 0);
	srv.wrong_xid = false;
	srv.wrong_mac = true;
	CHECK(!sim_run(&m, 80 * SEC, up, NULL));
	srv.wrong_mac = false;
	srv.truncated = true;
	sim_run(&m, 80 * SEC, NULL, NULL);
	CHECK(!up(NULL));
	srv.truncated = false;
	srv.nak = true;
	CHECK(!sim_run(&m, 80 * SEC, up, NULL));
	CHECK(srv.requests > 0);
	CHECK(m.host[0].stack->n.drop_proto > 3);
	srv.nak = false;
	CHECK(sim_run(&m, 80 * SEC, up, NULL));
	sim_free(&m);
}

TEST(parser)
{
	uint8_t req[512] = { 0 }, frame[700];
	struct dhcp_msg out;
	size_t n;

	memset(&srv, 0, sizeof(srv));
	srv.lease = 100;
	n = reply(frame, req, DHCP_ACK) - 42;
	CHECK(dhcp_parse(frame + 42, n, &out));
	CHECK_EQ(out.lease, 100);
	CHECK_EQ(out.type, DHCP_ACK);
	for (size_t cut = 0; cut < 240; cut++)
		CHECK(!dhcp_parse(frame + 42, cut, &out));
	frame[42 + 240 + 5] = 0; /* 0.255.255.0: a mask with holes */
	CHECK(!dhcp_parse(frame + 42, n, &out));
	n = reply(frame, req, DHCP_ACK) - 42;
	frame[42 + 240 + 1] = 200; /* an option longer than the message */
	CHECK(!dhcp_parse(frame + 42, n, &out));
	n = reply(frame, req, DHCP_ACK) - 42;
	st32(frame + 42 + 16, 0xffffffff);
	CHECK(!dhcp_parse(frame + 42, n, &out));
	/* overloaded: the lease in the file field */
	srv.lease = 0;
	n = reply(frame, req, DHCP_ACK) - 42;
	CHECK(!dhcp_parse(frame + 42, n, &out));
	memcpy(frame + 42 + 240 + 9, (uint8_t[]){ 52, 1, 1, 0, 0, 0 }, 6);
	memcpy(frame + 42 + 108, (uint8_t[]){ 51, 4, 0, 0, 1, 0, 255 }, 7);
	CHECK(dhcp_parse(frame + 42, n, &out));
	CHECK_EQ(out.lease, 256);
}

UNIT_MAIN(CASE(handshake_and_renewal), CASE(bad_answers), CASE(parser))
