/* SPDX-License-Identifier: Apache-2.0 */
/* qemu.h - the QEMU command for a machine. */
#ifndef GODWIT_TOOLS_QEMU_H
#define GODWIT_TOOLS_QEMU_H

#include "abi/bundle.h"
#include "tools/godwit/options.h"

/* The four byte streams between the command and QEMU. */
enum stream { STREAM_CONSOLE, STREAM_STDERR, STREAM_CONTROL, STREAM_UART, STREAM_COUNT };

struct qemu_files {
	const char *qemu, *kernel, *bundle, *root; /* paths; root NULL: no disk */
	bool kvm;
	int fds[STREAM_COUNT]; /* connected sockets that QEMU inherits */
	const char *folder; /* instead of fds, if not NULL: log files in here, console on stdio */
};

/* qemu_command - the whole argv. */
void qemu_command(struct words *argv, const struct options *o, const struct qemu_files *f);

/* qemu_mmio - where this machine has its virtio-mmio windows (count 0: it has none). */
struct gw_bundle_mmio qemu_mmio(enum machine_kind machine);

#endif
