/* SPDX-License-Identifier: Apache-2.0 */
/* errno.h - error numbers, Linux x86-64 values (the host's own header in host builds). */
#ifndef GODWIT_RUNTIME_ERRNO_H
#define GODWIT_RUNTIME_ERRNO_H
#if __STDC_HOSTED__
#include <errno.h>
#else
/* kernel headers: constants only */
#include <asm/errno.h>
#endif
#endif
