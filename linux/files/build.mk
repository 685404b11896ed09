# SPDX-License-Identifier: Apache-2.0
FILES_SRCS := $(wildcard linux/files/*.c) linux/files/test/support.c runtime/base/fmt.c runtime/base/crc32c.c
define files_test
UNIT_TESTS += linux/files/test/$(1)
linux/files/test/$(1)_SRCS := $(FILES_SRCS)
endef
$(foreach t,root_test tree_test pages_test event_test port_test,$(eval $(call files_test,$(t))))
