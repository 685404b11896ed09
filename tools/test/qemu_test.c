/* SPDX-License-Identifier: Apache-2.0 */
/* qemu_test.c - the QEMU command that options lead to. */
#include <stdlib.h>

#include "tests/unit.h"
#include "tools/godwit/qemu.h"

/* The command as one line, each word between blanks. */
static char *command(char *const *argv, struct qemu_files *f)
{
	static char *kept[32];
	struct options o;
	struct words w = { 0 };
	struct text t = { 0 };
	int argc = 0;

	fail_clear();
	for (; argv[argc] != NULL; argc++)
		kept[argc] = argv[argc];
	kept[argc] = NULL;
	CHECK_EQ(options_parse(&o, argc, kept), 0);
	f->qemu = "qemu";
	f->kernel = "kernel.elf";
	f->bundle = "/proc/self/fd/3";
	qemu_command(&w, &o, f);
	for (size_t i = 0; i < w.n; i++)
		text_printf(&t, " %s", w.v[i]);
	text_add(&t, " ", 1);
	words_free(&w);
	options_free(&o);
	return t.data;
}

#define HAS(part)                               \
	do {                                    \
		if (strstr(c, part) == NULL)    \
			printf("%s\n", c);      \
		CHECK(strstr(c, part) != NULL); \
	} while (0)
#define ARGS(...)                         \
	(char *[])                        \
	{                                 \
		__VA_ARGS__, (char *)NULL \
	}

TEST(q35)
{
	struct qemu_files f = { .root = "/proc/self/fd/4", .fds = { 5, 6, 7, 8 } };
	char *c = command(ARGS("-c", "2", "-m", "24M", "-p", "6380:6379", "-p", "0.0.0.0:53:53/udp",
			       "--qemu-args", "-d 'guest errors'", "x"),
			  &f);

	HAS(" -M q35,");
	HAS(" -accel tcg -cpu max -bios qboot.rom ");
	HAS(" -smp 2 -m 24576K ");
	HAS(" -kernel kernel.elf -initrd /proc/self/fd/3 ");
	HAS(" -device isa-debug-exit,iobase=0xf4,iosize=4 ");
	HAS(" -chardev socket,id=console,fd=5 -device virtserialport,nr=1,chardev=console,");
	HAS(" -chardev socket,id=stderr,fd=6 ");
	HAS(" -chardev socket,id=control,fd=7 ");
	HAS(" -chardev socket,id=uart,fd=8 -serial chardev:uart ");
	HAS(" -netdev user,id=n0,ipv6=off,hostfwd=tcp:127.0.0.1:6380-10.0.2.15:6379,"
	    "hostfwd=udp:0.0.0.0:53-10.0.2.15:53 ");
	HAS(" -device virtio-net-pci,disable-legacy=on,romfile=,netdev=n0,mrg_rxbuf=on ");
	HAS(",file=/proc/self/fd/4 -device virtio-blk-pci,disable-legacy=on,drive=root,");
	HAS(" -d guest errors ");
	free(c);
	CHECK_EQ(qemu_mmio(MACHINE_Q35).count, 0);
}

TEST(microvm)
{
	struct qemu_files f = { .kvm = true, .folder = "/tmp/a,b" };
	char *c = command(ARGS("--machine", "microvm", "--net", "none", "x"), &f);

	HAS(" -M microvm,");
	HAS(" -accel kvm -cpu host");
	HAS(" -global virtio-mmio.force-legacy=false ");
	HAS(" -device virtio-serial-device,max_ports=4 ");
	HAS(" -device virtio-rng-device ");
	HAS("path=/tmp/a,,b/uart.log "); /* a comma is doubled */
	CHECK(strstr(c, "net") == NULL);
	CHECK(strstr(c, "-drive") == NULL);
	CHECK(strstr(c, "-pci") == NULL);
	free(c);
	CHECK_EQ(qemu_mmio(MACHINE_MICROVM).count, 8);
}

TEST(networks)
{
	struct qemu_files f = { 0 };
	char *c = command(ARGS("--net", "tap=tap3", "-c", "3", "x"), &f);

	HAS(" -netdev tap,id=n0,ifname=tap3,script=no,downscript=no,vhost=off,queues=3 ");
	HAS(",vectors=8,netdev=n0,mrg_rxbuf=on,mq=on,mac=52:54:00:");
	free(c);
	c = command(ARGS("--net", "tap=tap3", "x"), &f);
	CHECK(strstr(c, "queues=") == NULL && strstr(c, "mq=on") == NULL);
	free(c);
	c = command(ARGS("--addr", "10.9.0.7/24", "-p", "1:2", "x"), &f);
	HAS(" -netdev user,id=n0,ipv6=off,net=10.9.0.7/24,host=10.9.0.2,dns=10.9.0.3,"
	    "hostfwd=tcp:127.0.0.1:1-10.9.0.7:2 ");
	free(c);
	c = command(ARGS("--addr", "dhcp", "-p", "1:2", "x"), &f);
	HAS(",hostfwd=tcp:127.0.0.1:1-:2 ");
	free(c);
}

TEST(deterministic)
{
	struct qemu_files f = { 0 };
	char *c = command(ARGS("--deterministic", "x"), &f);

	HAS(" -icount shift=0,sleep=off -rtc base=2026-01-01,clock=vm -seed 1 ");
	HAS(" -global virtio-pci.ioeventfd=off ");
	CHECK(strstr(c, "virtio-rng") == NULL);
	CHECK(strstr(c, "-netdev") == NULL);
	CHECK(strstr(c, "-drive") == NULL);
	free(c);
}

UNIT_MAIN(CASE(q35), CASE(microvm), CASE(networks), CASE(deterministic))
