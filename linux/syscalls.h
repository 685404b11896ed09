/* SPDX-License-Identifier: Apache-2.0 */
/* syscalls.h - every family's list, for table.c, which defines SYSCALL(number, name) each time it
 * includes this. */
#include "linux/process/syscalls.def"
#include "linux/memory/syscalls.def"
#if __has_include("linux/files/syscalls.def")
#include "linux/files/syscalls.def"
#endif
#if __has_include("linux/sockets/syscalls.def")
#include "linux/sockets/syscalls.def"
#endif
