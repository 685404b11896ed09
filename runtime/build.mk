# SPDX-License-Identifier: Apache-2.0
# The runtime: each module folder's build.mk adds its sources to GUEST_SRCS.
GUEST_SRCS :=
-include $(wildcard runtime/*/build.mk)
