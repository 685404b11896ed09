/* SPDX-License-Identifier: Apache-2.0 */
/* slow.c - LD_PRELOAD: the server asks the kernel for its parent before each write. The gate's own
 * test plants this slowdown of a few hundred instructions a request, and expects the gate to bite.
 */
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

ssize_t write(int fd, const void *buf, size_t n)
{
	for (int i = 0; i < 4; i++)
		(void)syscall(SYS_getppid);
	return syscall(SYS_write, fd, buf, n);
}
