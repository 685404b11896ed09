/* SPDX-License-Identifier: Apache-2.0 */
/* qemu.c - the QEMU command. QEMU 7.2 (Debian 12) is what it is tested with. See qemu.h. */
#include <inttypes.h>
#include <stdio.h>
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

/* What add_* need: one partition of the machine. */
struct adding {
	struct words *w;
	const struct options *machine;
	const struct qemu_files *f;
	const struct qemu_guest *g;
	unsigned int slot, function; /* PCI device of several guests' machines; slot 0: anywhere */
	char suffix[40];	     /* of ids: "" or "-NAME" */
};

static void add_chardev(const struct adding *a, int fd, const char *id, bool stdio)
{
	const struct qemu_files *f = a->f;
	char *folder;

	words_add(a->w, "-chardev");
	if (f->folder == NULL) {
		words_printf(a->w, "socket,id=%s%s,fd=%d", id, a->suffix, fd);
	} else if (stdio) {
		words_printf(a->w, "stdio,id=%s%s,signal=on", id, a->suffix);
	} else {
		folder = escape(f->folder);
		words_printf(a->w, "file,id=%s%s,path=%s/%s%s.log", id, a->suffix, folder, id,
			     a->suffix);
		free(folder);
	}
}

/* A device is virtio-X-pci,... on q35 and virtio-X-device,... on microvm. */
static void add_device(struct adding *a, const char *kind, const char *pci, const char *both)
{
	char where[64] = "";

	words_add(a->w, "-device");
	if (a->machine->machine == MACHINE_MICROVM) {
		words_printf(a->w, "virtio-%s-device%s", kind, both);
		return;
	}
	if (a->slot != 0)
		snprintf(where, sizeof(where), ",bus=pcie.0,addr=0x%x.%u%s", a->slot, a->function,
			 a->function == 0 ? ",multifunction=on" : "");
	a->function++;
	words_printf(a->w, "virtio-%s-pci,disable-legacy=on%s%s%s%s", kind, where,
		     a->g->o->isolated ? ",iommu_platform=on" : "", pci, both);
}

static void add_port(const struct adding *a, enum stream stream, const char *id, unsigned int nr)
{
	bool alone = a->g->name == NULL;
	char bus[56] = "";

	add_chardev(a, a->g->fds[stream], id,
		    stream == STREAM_CONSOLE && (alone || !a->g->o->no_input));
	if (!alone)
		snprintf(bus, sizeof(bus), ",bus=serial%s.0", a->suffix);
	words_add(a->w, "-device");
	words_printf(a->w, "virtserialport%s,nr=%u,chardev=%s%s,name=godwit.%s%s", bus, nr, id,
		     a->suffix, id, a->suffix);
}

static void add_channels(struct adding *a)
{
	bool alone = a->g->name == NULL;
	char *both = xasprintf(",max_ports=%u%s%s", GW_CHANNEL_PORTS, alone ? "" : ",id=serial",
			       a->suffix);

	add_device(a, "serial", "", both);
	free(both);
	add_port(a, STREAM_CONSOLE, "console", GW_CHANNEL_CONSOLE);
	add_port(a, STREAM_STDERR, "stderr", GW_CHANNEL_STDERR);
	add_port(a, STREAM_CONTROL, "control", GW_CHANNEL_CONTROL);
}

static void add_user_net(struct adding *a)
{
	const struct options *o = a->g->o;
	struct text t = { 0 };
	char addr[20] = "", net6[IP6_TEXT], *both;

	text_printf(&t, "user,id=n0%s", a->suffix);
	if (o->ip6 == IP6_NONE) {
		text_printf(&t, ",ipv6=off");
	} else if (o->ip6 == IP6_STATIC) {
		option_ip6_network(o, net6);
		text_printf(&t, ",ipv6-net=%s,ipv6-host=%s,ipv6-dns=%s", net6, o->gw6, o->dns6);
	}
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
	add(a->w, "-netdev", t.data);
	text_free(&t);
	both = xasprintf(",netdev=n0%s,mrg_rxbuf=on", a->suffix);
	add_device(a, "net", ",romfile=", both);
	free(both);
}

/* Machines that share a bridge need addresses of their own: made from the names that tell them
 * apart. */
static void add_tap_net(struct adding *a)
{
	const struct options *o = a->g->o;
	bool mq = o->vcores > 1;
	uint32_t h = 2166136261u;
	char *pci, *both;

	for (const char *p = o->tap; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	for (const char *p = o->hostname; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	words_add(a->w, "-netdev");
	both = mq ? xasprintf(",queues=%u", o->vcores) : xstrdup("");
	words_printf(a->w, "tap,id=n0%s,ifname=%s,script=no,downscript=no,vhost=off%s", a->suffix,
		     o->tap, both);
	free(both);
	pci = mq ? xasprintf(",romfile=,vectors=%u", 2 * o->vcores + 2) : xstrdup(",romfile=");
	both = xasprintf(",netdev=n0%s,mrg_rxbuf=on%s,mac=52:54:00:%02x:%02x:%02x", a->suffix,
			 mq ? ",mq=on" : "", h >> 16 & 0xff, h >> 8 & 0xff, h & 0xff);
	add_device(a, "net", pci, both);
	free(pci);
	free(both);
}

static void add_root(struct adding *a)
{
	char *root = escape(a->g->root), *both;

	words_add(a->w, "-drive");
	words_printf(a->w, "if=none,id=root%s,format=raw,readonly=on,file.locking=off,file=%s",
		     a->suffix, root);
	both = xasprintf(",drive=root%s,num-queues=1", a->suffix);
	add_device(a, "blk", "", both);
	free(both);
	free(root);
}

static void add_guest(struct adding *a)
{
	const struct options *o = a->g->o;

	add_channels(a);
	if (o->net == NET_USER)
		add_user_net(a);
	else if (o->net == NET_TAP)
		add_tap_net(a);
	if (a->g->root != NULL)
		add_root(a);
	if (!o->no_random)
		add_device(a, "rng", "", "");
}

unsigned int qemu_devices(const struct options *o, bool disk)
{
	return 1u + (o->net != NET_NONE ? 1u : 0u) + (disk ? 1u : 0u) + (o->no_random ? 0u : 1u);
}

void qemu_command(struct words *w, const struct options *o, const struct qemu_files *f)
{
	struct adding a = { .w = w, .machine = o, .f = f };

	words_add(w, f->qemu);
	add_machine(w, o, f);
	if (o->isolated) /* before the devices behind it */
		add(w, "-device", "intel-iommu,intremap=off,aw-bits=48");
	add_chardev(&a, f->uart_fd, "uart", false);
	add(w, "-serial", "chardev:uart");
	for (size_t i = 0; i < f->n_guests; i++) {
		a.g = &f->guests[i];
		a.function = 0;
		if (a.g->name != NULL) {
			a.slot = (unsigned int)i + 1;
			snprintf(a.suffix, sizeof(a.suffix), "-%s", a.g->name);
		}
		if (a.g->o != NULL)
			add_guest(&a);
	}
	for (size_t i = 0; i < o->qemu_args.n; i++)
		words_add(w, o->qemu_args.v[i]);
}
