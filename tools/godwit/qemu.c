/* SPDX-License-Identifier: Apache-2.0 */
/* qemu.c - the QEMU command. QEMU 7.2 (Debian 12) is what it is tested with. See qemu.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "abi/channel.h"
#include "tools/godwit/qemu.h"

/* microvm without its second IO-APIC: eight windows, on the pins above the ISA interrupts. */
#define MICROVM_MMIO 0xfeb00000u
#define MICROVM_STRIDE 512u
#define MICROVM_WINDOWS 8u
#define MICROVM_GSI 16u

struct gw_bundle_mmio qemu_mmio(enum machine_kind machine)
{
	if (machine != MACHINE_MICROVM)
		return (struct gw_bundle_mmio){ 0 };
	return (struct gw_bundle_mmio){ .pa = MICROVM_MMIO,
					.stride = MICROVM_STRIDE,
					.count = MICROVM_WINDOWS,
					.gsi = MICROVM_GSI };
}

static void add(struct words *w, const char *option, const char *value)
{
	words_add(w, option);
	words_add(w, value);
}

/* QEMU ends a value at a comma; a comma in it is written twice. */
static char *escape(const char *s)
{
	struct text t = { 0 };

	text_add(&t, "", 0);
	for (; *s != '\0'; s++)
		text_add(&t, ",,", *s == ',' ? 2 : 0), text_add(&t, s, *s == ',' ? 0 : 1);
	return t.data;
}

static void add_machine(struct words *w, const struct options *o, const struct qemu_files *f)
{
	if (o->machine == MACHINE_Q35)
		add(w, "-M", "q35,usb=off,vmport=off,smbus=off,sata=off,smm=off");
	else
		add(w, "-M",
		    "microvm,acpi=on,ioapic2=off,pit=on,pic=on,rtc=on,isa-serial=on,"
		    "auto-kernel-cmdline=off");
	add(w, "-accel", f->kvm ? "kvm" : "tcg");
	/* Nested hosts refuse to set the ARCH_CAPABILITIES register, and the guest reads no such
	 * thing. */
	add(w, "-cpu", f->kvm ? "host,migratable=off,-arch-capabilities" : "max");
	add(w, "-bios", "qboot.rom");
	if (o->deterministic) {
		/* One instruction takes one nanosecond, idling skips to the next timer. */
		add(w, "-icount", "shift=0,sleep=off");
		add(w, "-rtc", "base=2026-01-01,clock=vm");
		add(w, "-seed", "1");
	}
	words_add(w, "-nodefaults");
	words_add(w, "-no-user-config");
	add(w, "-display", "none");
	words_add(w, "-no-reboot");
	words_add(w, "-smp");
	words_printf(w, "%" PRIu32, o->vcores);
	words_add(w, "-m");
	words_printf(w, "%" PRIu64 "K", o->memory >> 10);
	if (o->machine == MACHINE_MICROVM)
		add(w, "-global", "virtio-mmio.force-legacy=false");
	/* A doorbell is answered where it is rung, not by another thread some time later. */
	if (o->deterministic)
		add(w, "-global",
		    o->machine == MACHINE_MICROVM ? "virtio-mmio.ioeventfd=off"
						  : "virtio-pci.ioeventfd=off");
	add(w, "-kernel", f->kernel);
	add(w, "-initrd", f->bundle);
	words_add(w, "-device");
	words_printf(w, "isa-debug-exit,iobase=0x%x,iosize=4", GW_EXIT_PORT);
}

static void add_chardev(struct words *w, const struct qemu_files *f, enum stream stream,
			const char *id)
{
	char *folder;

	words_add(w, "-chardev");
	if (f->folder == NULL) {
		words_printf(w, "socket,id=%s,fd=%d", id, f->fds[stream]);
	} else if (stream == STREAM_CONSOLE) {
		words_printf(w, "stdio,id=%s,signal=on", id);
	} else {
		folder = escape(f->folder);
		words_printf(w, "file,id=%s,path=%s/%s.log", id, folder, id);
		free(folder);
	}
}

/* A device is virtio-X-pci,... on q35 and virtio-X-device,... on microvm. */
static void add_device(struct words *w, const struct options *o, const char *kind, const char *pci,
		       const char *both)
{
	words_add(w, "-device");
	if (o->machine == MACHINE_Q35)
		words_printf(w, "virtio-%s-pci,disable-legacy=on%s%s", kind, pci, both);
	else
		words_printf(w, "virtio-%s-device%s", kind, both);
}

static void add_channels(struct words *w, const struct options *o, const struct qemu_files *f)
{
	char *both = xasprintf(",max_ports=%u", GW_CHANNEL_PORTS);

	add_chardev(w, f, STREAM_UART, "uart");
	add(w, "-serial", "chardev:uart");
	add_device(w, o, "serial", "", both);
	free(both);
	add_chardev(w, f, STREAM_CONSOLE, "console");
	words_add(w, "-device");
	words_printf(w, "virtserialport,nr=%u,chardev=console,name=godwit.console",
		     GW_CHANNEL_CONSOLE);
	add_chardev(w, f, STREAM_STDERR, "stderr");
	words_add(w, "-device");
	words_printf(w, "virtserialport,nr=%u,chardev=stderr,name=godwit.stderr",
		     GW_CHANNEL_STDERR);
	add_chardev(w, f, STREAM_CONTROL, "control");
	words_add(w, "-device");
	words_printf(w, "virtserialport,nr=%u,chardev=control,name=godwit.control",
		     GW_CHANNEL_CONTROL);
}

static void add_user_net(struct words *w, const struct options *o)
{
	struct text t = { 0 };
	char addr[20] = "";

	text_printf(&t, "user,id=n0,ipv6=off");
	if (!o->dhcp) {
		memcpy(addr, o->addr, strcspn(o->addr, "/"));
		if (strcmp(o->addr, "10.0.2.15/24") != 0)
			text_printf(&t, ",net=%s", o->addr);
		if (strcmp(o->gw, "10.0.2.2") != 0)
			text_printf(&t, ",host=%s", o->gw);
		if (strcmp(o->dns, "10.0.2.3") != 0)
			text_printf(&t, ",dns=%s", o->dns);
	}
	for (size_t i = 0; i < o->n_forwards; i++)
		text_printf(&t, ",hostfwd=%s:%s:%u-%s:%u", o->forwards[i].udp ? "udp" : "tcp",
			    o->forwards[i].addr, o->forwards[i].host, addr, o->forwards[i].guest);
	add(w, "-netdev", t.data);
	text_free(&t);
	add_device(w, o, "net", ",romfile=", ",netdev=n0,mrg_rxbuf=on");
}

/* Machines that share a bridge need addresses of their own: made from the names that tell them
 * apart. */
static void add_tap_net(struct words *w, const struct options *o)
{
	bool mq = o->vcores > 1;
	uint32_t h = 2166136261u;
	char *pci, *both;

	for (const char *p = o->tap; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	for (const char *p = o->hostname; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	words_add(w, "-netdev");
	if (mq)
		words_printf(w, "tap,id=n0,ifname=%s,script=no,downscript=no,vhost=off,queues=%u",
			     o->tap, o->vcores);
	else
		words_printf(w, "tap,id=n0,ifname=%s,script=no,downscript=no,vhost=off", o->tap);
	pci = mq ? xasprintf(",romfile=,vectors=%u", 2 * o->vcores + 2) : xstrdup(",romfile=");
	both = xasprintf(",netdev=n0,mrg_rxbuf=on%s,mac=52:54:00:%02x:%02x:%02x",
			 mq ? ",mq=on" : "", h >> 16 & 0xff, h >> 8 & 0xff, h & 0xff);
	add_device(w, o, "net", pci, both);
	free(pci);
	free(both);
}

void qemu_command(struct words *w, const struct options *o, const struct qemu_files *f)
{
	char *root;

	words_add(w, f->qemu);
	add_machine(w, o, f);
	add_channels(w, o, f);
	if (o->net == NET_USER)
		add_user_net(w, o);
	else if (o->net == NET_TAP)
		add_tap_net(w, o);
	if (f->root != NULL) {
		root = escape(f->root);
		words_add(w, "-drive");
		words_printf(w, "if=none,id=root,format=raw,readonly=on,file.locking=off,file=%s",
			     root);
		free(root);
		add_device(w, o, "blk", "", ",drive=root,num-queues=1");
	}
	if (!o->deterministic)
		add_device(w, o, "rng", "", "");
	for (size_t i = 0; i < o->qemu_args.n; i++)
		words_add(w, o->qemu_args.v[i]);
}
