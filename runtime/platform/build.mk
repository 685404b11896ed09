# SPDX-License-Identifier: Apache-2.0
# PLATFORM_SRCS: every Godwit partition program; steps.c: those with devices and a personality.
PLATFORM_SRCS := $(addprefix runtime/platform/godwit/,start.S main.c calls.c)
GUEST_SRCS += $(PLATFORM_SRCS) runtime/platform/godwit/steps.c
