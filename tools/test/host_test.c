/* SPDX-License-Identifier: Apache-2.0 */
/* host_test.c - the command line of `godwit host`: what is taken, what is refused and how. */
#include <sched.h>
#include "tools/godwit/host.h"
#include "tools/test/command_line.h"

COMMAND_LINE(host_options, host_options_parse, host_options_free)

TEST(defaults)
{
	struct host_options h;

	CHECK(parse(&h, ARGS("app", "-x", "--net")) == 0);
	CHECK(strcmp(h.net, "none") == 0 && h.cores[0] == '\0' && !h.base.dhcp);
	CHECK(h.base.memory == 256u << 20 && h.base.argv[1][1] == 'x');
	host_options_free(&h);
}

TEST(values)
{
	struct host_options h;
	char first[32];
	cpu_set_t set;
	int core = 0;

	CHECK(sched_getaffinity(0, sizeof(set), &set) == 0);
	while (!CPU_ISSET((unsigned)core, &set))
		core++;
	snprintf(first, sizeof(first), "%d,%d-%d", core, core, core);
	CHECK(parse(&h, ARGS("--cores", first, "--net=tap=t0", "-m", "64M", "--poll=5", "--set",
			     "a=b", "--set=c=d", "--files", "/tmp", "--disk", "/x", "--", "app")) ==
	      0);
	snprintf(first, sizeof(first), "%d,%d", core, core);
	CHECK(strcmp(h.cores, first) == 0 && strcmp(h.net, "tap=t0") == 0);
	CHECK(h.base.memory == 64u << 20 && h.base.poll_ns == 5 && h.base.sets.n == 2);
	CHECK(h.base.dhcp && strcmp(h.base.files_dir, "/tmp") == 0 && h.disks.n == 1);
	host_options_free(&h);
	CHECK(parse(&h, ARGS("--net", "vhost-user=/s", "--addr", "10.0.0.2/24,gw=10.0.0.1",
			     "app")) == 0);
	CHECK(!h.base.dhcp && strcmp(h.base.addr, "10.0.0.2/24") == 0 &&
	      strcmp(h.base.gw, "10.0.0.1") == 0);
	CHECK(strcmp(options_net6(&h.base), "auto") == 0);
	host_options_free(&h);
	CHECK(parse(&h, ARGS("--net=tap=t", "--addr6", "2001:db8::2/64", "app")) == 0);
	CHECK(h.base.dhcp && strcmp(h.base.addr6, "2001:db8::2/64") == 0);
	host_options_free(&h);
	CHECK(parse(&h, ARGS("app")) == 0 && strcmp(options_net6(&h.base), "none") == 0);
	host_options_free(&h);
	CHECK(parse(&h, ARGS("--move", "77", "--cores", first)) == 0 && h.move == 77);
	host_options_free(&h);
	CHECK(parse(&h, ARGS("--help")) == 0 && h.help);
	host_options_free(&h);
}

TEST(mistakes)
{
	CHECK(refuses(ARGS("--cores", "x", "app"), "numbers and ranges"));
	CHECK(refuses(ARGS("--cores", "3-2", "app"), "FIRST-LAST"));
	CHECK(refuses(ARGS("--cores", "99999", "app"), "not there"));
	CHECK(refuses(ARGS("--cores", "-1", "app"), "numbers and ranges"));
	CHECK(refuses(ARGS("--net", "tap=", "app"), "tap=INTERFACE"));
	CHECK(refuses(ARGS("--move", "0", "--cores", "0"), "a process's number"));
	CHECK(refuses(ARGS("--move", "7x", "--cores", "0"), "a process's number"));
	CHECK(refuses(ARGS("--move", "7"), "goes with --cores"));
	CHECK(refuses(ARGS("--move", "7", "--cores", "0", "app"), "goes with --cores"));
	CHECK(refuses(ARGS("--net", "tap=a-name-that-is-too-long", "app"), "tap=INTERFACE"));
	CHECK(refuses(ARGS("--net", "afxdp=nosuchif0", "app"), "no such interface"));
	CHECK(refuses(ARGS("--net", "afxdp=lo", "--addr", "dhcp", "app"), "--addr dhcp"));
	CHECK(refuses(ARGS("--addr", "1.2.3.4/24", "app"), "without --net"));
	CHECK(refuses(ARGS("--addr6", "auto", "app"), "without --net"));
	CHECK(refuses(ARGS("--net", "afxdp=lo", "--addr6", "auto", "app"), "IPv4 alone"));
	CHECK(refuses(ARGS("--net", "tap=t", "--trust-checksums", "app"), "afxdp"));
	CHECK(refuses(ARGS("--set", "novalue", "app"), "KEY=VALUE"));
	CHECK(refuses(ARGS("--cores"), "needs a value"));
	CHECK(refuses(ARGS("--nett=x", "app"), "unknown option"));
	CHECK(refuses(ARGS("--poll", "1"), "which program"));
}

UNIT_MAIN(CASE(defaults), CASE(values), CASE(mistakes))
