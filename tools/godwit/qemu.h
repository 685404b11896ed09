/* SPDX-License-Identifier: Apache-2.0 */
/* qemu.h - the QEMU command for a machine. */
#ifndef GODWIT_TOOLS_QEMU_H
#define GODWIT_TOOLS_QEMU_H

#include "abi/bundle.h"
#include "tools/godwit/options.h"

/* The byte streams between the command and one partition. */
enum stream { STREAM_CONSOLE, STREAM_STDERR, STREAM_CONTROL, STREAM_COUNT };

/* A partition's devices: virtio console ports, network, disk, entropy. */
struct qemu_guest {
	const struct options *o; /* its network and ports */
	const char *name;	 /* NULL: the machine's only one */
	const char *root;	 /* path; NULL: no disk */
	int fds[STREAM_COUNT];	 /* connected sockets that QEMU inherits */
};

struct qemu_files {
	const char *qemu, *kernel, *bundle; /* paths */
	bool kvm;
	int uart_fd;	    /* as fds */
	const char *folder; /* instead of sockets, if not NULL: log files, console on stdio */
	struct qemu_guest guests[GW_BUNDLE_PARTITIONS];
	size_t n_guests;
};

/* qemu_command - the whole argv. Several guests (q35 only): guest i's devices are the functions of
 * PCI device i + 1 on bus 0. */
void qemu_command(struct words *argv, const struct options *o, const struct qemu_files *f);

/* qemu_devices - how many devices such a guest gets: functions 0..n-1 of its PCI device. */
unsigned int qemu_devices(const struct options *o, bool disk);

/* qemu_mmio - where this machine has its virtio-mmio windows (count 0: it has none). */
struct gw_bundle_mmio qemu_mmio(enum machine_kind machine);

#endif
