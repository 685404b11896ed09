/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - `probe self`: everything over loopback. `probe connect ADDRESS BYTES`: to an echo server
 * elsewhere. `probe crash`: reads freed memory, for the sanitizer to see; `probe overflow`: the end
 * of its stack. Status 0, or 1 when a check failed. */
#include "tests/native/probe/probe.h"

unsigned passed, failed;

void check_at(bool ok, const char *what, const char *file, int line)
{
	if (ok) {
		passed++;
	} else {
		failed++;
		gw_log("%s:%d: not so: %s", file, line, what);
	}
}

static int self(void)
{
	struct gw_addr at;

	CHECK(gw_addr_parse("127.0.0.1:7001", &at) == 0);
	try_basics();
	try_tasks();
	try_tcp(&at);
	at.port = 7002;
	try_tcp_callbacks(&at);
	at.port = 7003;
	try_udp(&at);
	try_families();
	try_metrics();
	return 0;
}

static int crash(void)
{
	volatile char *p = gw_alloc(100);

	gw_free((void *)(uintptr_t)p, 100);
	return p[50]; /* on purpose */
}

/* Deeper than any stack. */
static unsigned overflow(unsigned n)
{
	volatile char room[4096];

	room[n % sizeof(room)] = (char)n;
	return (n < 1000000 ? overflow(n + 1) : 0) + (unsigned)room[n % sizeof(room)];
}

int app_main(int argc, char **argv)
{
	struct gw_addr to;
	uint64_t bytes;

	if (argc == 2 && strcmp(argv[1], "self") == 0) {
		(void)self();
	} else if (argc == 2 && strcmp(argv[1], "crash") == 0) {
		return crash();
	} else if (argc == 2 && strcmp(argv[1], "overflow") == 0) {
		return overflow(1) == 0;
	} else if (argc == 4 && strcmp(argv[1], "connect") == 0 &&
		   gw_addr_parse(argv[2], &to) == 0 &&
		   gw_parse_u64(argv[3], 1u << 30, &bytes) == 0) {
		try_connect(&to, bytes);
	} else {
		gw_log("probe self | connect ADDRESS BYTES | crash | overflow");
		return 2;
	}
	gw_log("probe: %u passed, %u failed", passed, failed);
	return failed != 0;
}
