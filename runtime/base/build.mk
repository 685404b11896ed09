# SPDX-License-Identifier: Apache-2.0
GUEST_SRCS += runtime/base/str.c runtime/base/fmt.c runtime/base/crc32c.c runtime/base/random.c \
	runtime/base/log.c
