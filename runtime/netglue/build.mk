# SPDX-License-Identifier: Apache-2.0
GUEST_SRCS += runtime/netglue/glue.c runtime/netglue/cross.c
