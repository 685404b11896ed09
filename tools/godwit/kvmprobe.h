/* SPDX-License-Identifier: Apache-2.0 */
/* kvmprobe.h - is KVM worth using here? On some hosts /dev/kvm opens, but an instruction emulator
 * runs a guest's ring 0 at about a microsecond an instruction; then TCG is many times faster. */
#ifndef GODWIT_TOOLS_KVMPROBE_H
#define GODWIT_TOOLS_KVMPROBE_H

#include <stdbool.h>
#include <stddef.h>

/* kvm_usable - run a short ring-0 loop in a virtual machine of its own and time it (some
 * milliseconds; at most about 50). why (room bytes) says what was found, either way. */
bool kvm_usable(char *why, size_t room);

#endif
