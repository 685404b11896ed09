/* SPDX-License-Identifier: Apache-2.0 */
/* tls_platform.c - in a Linux process the C library has what BearSSL's object code expects. */
#include "apps/http/lib/http_internal.h"

void tls_platform_init(void)
{
}
