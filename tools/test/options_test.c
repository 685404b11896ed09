/* SPDX-License-Identifier: Apache-2.0 */
/* options_test.c - the command line of `godwit run`: what is taken, what is refused and how. */
#include "tools/godwit/options_internal.h"
#include "tools/test/command_line.h"

COMMAND_LINE(options, options_parse, options_free)

TEST(ip6)
{
	struct options o;

	CHECK_EQ(parse(&o, ARGS("x")), 0);
	CHECK_STR(options_net6(&o), "none");
	options_free(&o);
	CHECK_EQ(parse(&o, ARGS("--net=tap=tap0", "x")), 0);
	CHECK_STR(options_net6(&o), "auto");
	options_free(&o);
	CHECK_EQ(parse(&o, ARGS("--net=tap=tap0", "--addr6=none", "x")), 0);
	CHECK_STR(options_net6(&o), "none");
	options_free(&o);
	CHECK_EQ(parse(&o, ARGS("--net=tap=tap0", "--addr6",
				"2001:DB8:0::02/56,dns=2001:db8::53,gw=fe80::1", "x")),
		 0);
	CHECK_STR(options_net6(&o), "static");
	CHECK_STR(o.addr6, "2001:db8::2/56");
	CHECK_STR(o.gw6, "fe80::1");
	CHECK_STR(o.dns6, "2001:db8::53");
	CHECK(o.dhcp); /* IPv4 is as it was */
	options_free(&o);
	CHECK_EQ(parse(&o, ARGS("--addr6", "fec0::1:0:15/64", "x")), 0);
	CHECK_STR(o.gw6, "fec0::2");
	CHECK_STR(o.dns6, "fec0::3");
	options_free(&o);
	CHECK(refuses(ARGS("--addr6", "fec0::15", "x"), "prefix"));
	CHECK(option_addr6(&o, "fec0::1/64,mtu=9") != 0); /* nothing of it is kept */
	CHECK(o.ip6 == IP6_DEFAULT && o.addr6[0] == 0);
	CHECK(refuses(ARGS("--addr6", "fec0::15/129", "x"), "prefix"));
	CHECK(refuses(ARGS("--addr6", "10.0.0.1/8", "x"), "not an IPv6 address"));
	CHECK(refuses(ARGS("--addr6", "::1/64", "x"), "no machine"));
	CHECK(refuses(ARGS("--addr6", "ff02::1/64", "x"), "no machine"));
	CHECK(refuses(ARGS("--addr6", "::ffff:1.2.3.4/128", "x"), "no machine"));
	CHECK(refuses(ARGS("--addr6", "fec0::1/64,gw=1.2.3.4", "x"), "gateway or name server"));
	CHECK(refuses(ARGS("--addr6", "fec0::1/64,mtu=9", "x"), "only gw= and dns="));
	CHECK(refuses(ARGS("--net", "none", "--addr6", "auto", "x"), "no sense"));
}

TEST(defaults)
{
	struct options o;

	CHECK_EQ(parse(&o, ARGS("--", "prog", "-v", "--", "x")), 0);
	CHECK_EQ(o.memory, 256 << 20);
	CHECK_EQ(o.vcores, 1);
	CHECK_EQ(o.net, NET_USER);
	CHECK_EQ(o.machine, MACHINE_Q35);
	CHECK_EQ(o.accel, ACCEL_AUTO);
	CHECK_STR(o.addr, "10.0.2.15/24");
	CHECK_STR(o.gw, "10.0.2.2");
	CHECK_STR(o.dns, "10.0.2.3");
	CHECK_STR(o.argv[0], "prog");
	CHECK_STR(o.argv[1], "-v");
	CHECK_STR(o.argv[2], "--");
	CHECK(!verbose);
	options_free(&o);
}

TEST(program_without_dashes)
{
	struct options o;

	CHECK_EQ(parse(&o, ARGS("-m", "64M", "prog", "-m", "x")), 0);
	CHECK_STR(o.argv[0], "prog");
	CHECK_STR(o.argv[1], "-m");
	options_free(&o);
}

TEST(forwards)
{
	struct options o;

	CHECK_EQ(parse(&o, ARGS("-p", "6380:6379", "-p", "0.0.0.0:53:5353/udp", "-p8080:80",
				"--publish=0:81", "--", "x")),
		 0);
	CHECK_EQ(o.n_forwards, 4);
	CHECK_STR(o.forwards[0].addr, "127.0.0.1");
	CHECK_EQ(o.forwards[0].host, 6380);
	CHECK_EQ(o.forwards[0].guest, 6379);
	CHECK(!o.forwards[0].udp);
	CHECK_STR(o.forwards[1].addr, "0.0.0.0");
	CHECK_EQ(o.forwards[1].guest, 5353);
	CHECK(o.forwards[1].udp);
	CHECK_EQ(o.forwards[2].host, 8080);
	CHECK_EQ(o.forwards[3].host, 0);
	options_free(&o);
	CHECK(refuses(ARGS("-p", "80", "x"), "two ports"));
	CHECK(refuses(ARGS("-p", "1:2:3:4", "x"), "two ports"));
	CHECK(refuses(ARGS("-p", "80:0", "x"), "1 to 65535"));
	CHECK(refuses(ARGS("-p", "65536:1", "x"), "1 to 65535"));
	CHECK(refuses(ARGS("-p", "-1:1", "x"), "1 to 65535"));
	CHECK(refuses(ARGS("-p", "host:1:2", "x"), "IPv4"));
	CHECK(refuses(ARGS("-p", "1:2/sctp", "x"), "/tcp or /udp"));
	CHECK(refuses(ARGS("-p", "1:2", "-p", "1:3", "x"), "twice"));
	CHECK(refuses(ARGS("-p", "1:2", "--net", "none", "x"), "--net user"));
	CHECK(refuses(ARGS("-p",
			   "1111111111111111111111111111111111111111111111111111111111111111:2",
			   "x"),
		      "too long"));
}

TEST(sizes)
{
	uint64_t n = 7;

	CHECK_EQ(parse_size("64", &n), 0);
	CHECK_EQ(n, 64 << 20);
	CHECK_EQ(parse_size("16384k", &n), 0);
	CHECK_EQ(n, 16 << 20);
	CHECK_EQ(parse_size("2G", &n), 0);
	CHECK_EQ(n, 2ll << 30);
	CHECK_EQ(parse_size("", &n), -1);
	CHECK_EQ(parse_size("M", &n), -1);
	CHECK_EQ(parse_size("1.5G", &n), -1);
	CHECK_EQ(parse_size("99999999999999G", &n), -1);
	CHECK_EQ(parse_size("18446744073709551616", &n), -1);
	CHECK_EQ(parse_u64("18446744073709551615", 0, UINT64_MAX, &n),
		 -1); /* refused, not wrapped */
	CHECK(refuses(ARGS("-m", "lots", "x"), "256M"));
	CHECK(refuses(ARGS("-m", "1M", "x"), "too little"));
	CHECK(refuses(ARGS("-m", "2048G", "x"), "too much"));
}

TEST(network)
{
	struct options o;

	CHECK_EQ(parse(&o, ARGS("--net", "tap=tap0", "x")), 0);
	CHECK_EQ(o.net, NET_TAP);
	CHECK_STR(o.tap, "tap0");
	CHECK(o.dhcp);
	options_free(&o);
	CHECK_EQ(parse(&o, ARGS("--net=tap=tap0", "--addr",
				"192.168.7.2/24,gw=192.168.7.1,dns=1.1.1.1", "x")),
		 0);
	CHECK(!o.dhcp);
	CHECK_STR(o.addr, "192.168.7.2/24");
	CHECK_STR(o.gw, "192.168.7.1");
	CHECK_STR(o.dns, "1.1.1.1");
	options_free(&o);
	CHECK_EQ(parse(&o, ARGS("--addr", "172.16.5.9/20", "x")), 0);
	CHECK_STR(o.gw, "172.16.0.2");
	CHECK_STR(o.dns, "172.16.0.3");
	options_free(&o);
	CHECK_EQ(parse(&o, ARGS("--addr", "dhcp", "x")), 0);
	CHECK(o.dhcp && o.addr[0] == '\0');
	options_free(&o);
	CHECK(refuses(ARGS("--net", "tap=", "x"), "tap=IFACE"));
	CHECK(refuses(ARGS("--net", "tap=a,b", "x"), "tap=IFACE"));
	CHECK(refuses(ARGS("--net", "tap=averyverylonginterfacename", "x"), "tap=IFACE"));
	CHECK(refuses(ARGS("--addr", "10.0.0.1", "x"), "prefix"));
	CHECK(refuses(ARGS("--addr", "10.0.0.1/33", "x"), "prefix"));
	CHECK(refuses(ARGS("--addr", "10.0.0/8", "x"), "IPv4"));
	CHECK(refuses(ARGS("--addr", "10.0.0.1/8,gw=x", "x"), "not an IPv4"));
	CHECK(refuses(ARGS("--addr", "10.0.0.1/8,mtu=9", "x"), "only gw= and dns="));
	CHECK(refuses(ARGS("--net", "none", "--addr", "dhcp", "x"), "no sense"));
}

TEST(values)
{
	struct options o;

	CHECK_EQ(parse(&o, ARGS("-c", "64", "-e", "A=1", "-e", "A=2", "-e", "B=", "--machine",
				"microvm", "--accel", "tcg", "--root", "none", "--poll", "5000",
				"--hostname", "h", "--user", "7:8", "--qemu-args",
				"-d 'a b' \"c\\\"d\" e\\ f", "x")),
		 0);
	CHECK_EQ(o.vcores, 64);
	CHECK_EQ(o.env.n, 4); /* PATH and HOME too */
	CHECK_STR(o.env.v[2], "A=2");
	CHECK_STR(o.env.v[3], "B=");
	CHECK_EQ(o.machine, MACHINE_MICROVM);
	CHECK_EQ(o.accel, ACCEL_TCG);
	CHECK_STR(o.root, "none");
	CHECK_EQ(o.poll_ns, 5000);
	CHECK_EQ(o.uid, 7);
	CHECK_EQ(o.gid, 8);
	CHECK_EQ(o.qemu_args.n, 4);
	CHECK_STR(o.qemu_args.v[1], "a b");
	CHECK_STR(o.qemu_args.v[2], "c\"d");
	CHECK_STR(o.qemu_args.v[3], "e f");
	options_free(&o);
	CHECK(refuses(ARGS("-c", "0", "x"), "1 to 64"));
	CHECK(refuses(ARGS("-c", "65", "x"), "1 to 64"));
	CHECK(refuses(ARGS("-e", "=x", "x"), "NAME=VALUE"));
	CHECK(refuses(ARGS("--machine", "pc", "x"), "q35 or microvm"));
	CHECK(refuses(ARGS("--accel", "hvf", "x"), "auto, kvm or tcg"));
	CHECK(!o.isolated);
	CHECK_EQ(parse(&o, ARGS("--dma", "isolated", "x")), 0);
	CHECK(o.isolated);
	options_free(&o);
	CHECK(refuses(ARGS("--dma", "no", "x"), "trusted (devices reach all memory) or isolated"));
	CHECK(refuses(ARGS("--dma", "isolated", "--machine", "microvm", "x"), "microvm has none"));
	CHECK(refuses(ARGS("--qemu-args", "'x", "x"), "not closed"));
	CHECK(refuses(ARGS("--root", "nfs", "x"), "blk"));
	CHECK(refuses(ARGS("--user", "root", "x"), "UID"));
}

TEST(traces)
{
	struct options o;

	CHECK_EQ(parse(&o, ARGS("x")), 0);
	CHECK(o.trace == NULL);
	CHECK_EQ(o.trace_every, 0);
	options_free(&o);
	CHECK_EQ(parse(&o, ARGS("--trace", "a:b.json", "x")), 0);
	CHECK_STR(o.trace, "a:b.json");
	CHECK_EQ(o.trace_every, 100);
	options_free(&o);
	CHECK_EQ(parse(&o, ARGS("--trace", "other", "--trace=a:b.json:1/16", "x")), 0);
	CHECK_STR(o.trace, "a:b.json");
	CHECK_EQ(o.trace_every, 16);
	options_free(&o);
	CHECK(refuses(ARGS("--trace", "x:1/0", "x"), "--trace x:1/0: behind :1/"));
	CHECK(refuses(ARGS("--trace", "x:1/y", "x"), "behind :1/"));
	CHECK(refuses(ARGS("--trace", ":1/5", "x"), "name is empty"));
}

TEST(unknown)
{
	CHECK(refuses(ARGS("--machin", "q35", "x"), "did you mean --machine?"));
	CHECK(refuses(ARGS("--acel=kvm", "x"), "did you mean --accel?"));
	CHECK(refuses(ARGS("--print-qmeu", "x"), "did you mean --print-qemu?"));
	CHECK(refuses(ARGS("--frobnicate", "x"), "unknown option --frobnicate ("));
	CHECK(refuses(ARGS("-p"), "-p needs a value"));
	CHECK(refuses(ARGS("-c", "1"), "which program?"));
	CHECK(refuses(ARGS("--"), "which program?"));
}

TEST(quoting)
{
	struct text t = { 0 };
	struct words w = { 0 };

	shell_quote(&t, "plain-1.0");
	text_add(&t, " ", 1);
	shell_quote(&t, "it's $HOME");
	text_add(&t, " ", 1);
	shell_quote(&t, "");
	CHECK_STR(t.data, "plain-1.0 'it'\\''s $HOME' ''");
	CHECK_EQ(words_split(&w, t.data), 0);
	CHECK_EQ(w.n, 3);
	CHECK_STR(w.v[1], "it's $HOME");
	CHECK_STR(w.v[2], "");
	words_free(&w);
	text_free(&t);
}

TEST(deterministic)
{
	struct options o;

	CHECK_EQ(parse(&o, ARGS("--deterministic", "x")), 0);
	CHECK(o.deterministic);
	CHECK_EQ(o.net, NET_NONE);
	CHECK_EQ(o.accel, ACCEL_TCG);
	CHECK_STR(o.root, "memory");
	options_free(&o);
	CHECK_EQ(parse(&o, ARGS("--root", "memory", "x")), 0);
	CHECK(!o.deterministic);
	options_free(&o);
	CHECK(refuses(ARGS("--deterministic", "-p", "1:2", "x"), "no network"));
	CHECK(refuses(ARGS("--deterministic", "-c", "2", "x"), "one vcore"));
	CHECK(refuses(ARGS("--accel", "kvm", "--deterministic", "x"), "emulation"));
}

UNIT_MAIN(CASE(traces), CASE(deterministic), CASE(defaults), CASE(program_without_dashes),
	  CASE(forwards), CASE(sizes), CASE(network), CASE(ip6), CASE(values), CASE(unknown),
	  CASE(quoting))
