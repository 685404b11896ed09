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
	f->guests[0].o = &o;
	f->n_guests = 1;
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
	struct qemu_files f = { .uart_fd = 8,
				.guests = { { .root = "/proc/self/fd/4", .fds = { 5, 6, 7 } } } };
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
	CHECK(strstr(c, "iommu") == NULL);
	free(c);
	c = command(ARGS("--dma", "isolated", "x"), &f);
	HAS(" -device intel-iommu,intremap=off,aw-bits=48 ");
	HAS(" -device virtio-rng-pci,disable-legacy=on,iommu_platform=on ");
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
	c = command(ARGS("--addr6", "auto", "x"), &f);
	HAS(" -netdev user,id=n0 ");
	free(c);
	c = command(ARGS("--addr6", "2001:db8:1::15/48", "x"), &f);
	HAS(" -netdev user,id=n0,ipv6-net=2001:db8:1::/48,ipv6-host=2001:db8:1::2,"
	    "ipv6-dns=2001:db8:1::3 ");
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

/* Each partition's devices are the functions of one PCI device; one has no Linux devices at all. */
TEST(several)
{
	struct options o, web, db;
	struct qemu_files f = { .qemu = "qemu", .kernel = "k", .bundle = "b", .uart_fd = 9 };
	struct words w = { 0 };
	struct text t = { 0 };
	const char *c;

	fail_clear();
	CHECK_EQ(options_parse(&o, 1, ARGS("x")), 0);
	CHECK_EQ(options_parse(&web, 3, ARGS("-p", "81:80", "x")), 0);
	CHECK_EQ(options_parse(&db, 3, ARGS("--net", "none", "x")), 0);
	web.no_input = db.no_input = true;
	o.isolated = web.isolated = true;
	f.guests[0] = (struct qemu_guest){ &web, "web", "/root", { 3, 4, 5 } };
	f.guests[1].name = "bare";
	f.guests[2] = (struct qemu_guest){ &db, "db", NULL, { 6, 7, 8 } };
	f.n_guests = 3;
	qemu_command(&w, &o, &f);
	for (size_t i = 0; i < w.n; i++)
		text_printf(&t, " %s", w.v[i]);
	text_add(&t, " ", 1);
	c = t.data;
	HAS(" virtio-serial-pci,disable-legacy=on,bus=pcie.0,addr=0x1.0,multifunction=on,"
	    "iommu_platform=on,max_ports=4,id=serial-web ");
	HAS(" -chardev socket,id=console-web,fd=3 -device "
	    "virtserialport,bus=serial-web.0,nr=1,chardev=console-web,");
	HAS(" -netdev user,id=n0-web,ipv6=off,hostfwd=tcp:127.0.0.1:81-10.0.2.15:80 ");
	HAS(" virtio-net-pci,disable-legacy=on,bus=pcie.0,addr=0x1.1,iommu_platform=on,romfile=,"
	    "netdev=n0-web,");
	HAS(",addr=0x1.2,iommu_platform=on,drive=root-web,");
	HAS(",addr=0x1.3,iommu_platform=on ");
	/* before everything that may be behind it */
	HAS(" -device intel-iommu,intremap=off,");
	CHECK(strstr(c, "intel-iommu") < strstr(c, "virtio"));
	HAS(",addr=0x3.0,multifunction=on,max_ports=4,id=serial-db ");
	HAS("virtio-rng-pci,disable-legacy=on,bus=pcie.0,addr=0x3.1 ");
	CHECK(strstr(c, "bare") == NULL && strstr(c, "0x2.") == NULL);
	CHECK_EQ(qemu_devices(&web, true), 4);
	CHECK_EQ(qemu_devices(&db, false), 2);
	text_free(&t);
	words_free(&w);
	options_free(&o);
	options_free(&web);
	options_free(&db);
}

UNIT_MAIN(CASE(several), CASE(q35), CASE(microvm), CASE(networks), CASE(deterministic))
