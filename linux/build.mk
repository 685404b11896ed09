# SPDX-License-Identifier: Apache-2.0
# The Linux personality: every family's sources (tests lie one folder deeper), and the vDSO, which is a shared object
# of its own that start-up copies into two frames.
GUEST_SRCS += $(wildcard linux/*.c) $(foreach f,process memory files sockets,$(wildcard linux/$(f)/*.c)) \
	linux/vdso/map.c linux/vdso/image.S

VDSO := $(BUILD)/guest/linux/vdso/vdso.so
$(VDSO): linux/vdso/vdso.c linux/vdso/vdso.lds
	@mkdir -p $(dir $@)
	$(CC) $(COMMON) -MF $@.d -O2 -fPIC -ffreestanding -nostdlib -shared -mgeneral-regs-only -fno-stack-protector \
		-fno-asynchronous-unwind-tables -fno-plt -fvisibility=hidden -fcf-protection=none -Wl,-T,linux/vdso/vdso.lds \
		-Wl,-soname=linux-vdso.so.1 -Wl,--hash-style=both -Wl,--build-id=none -Wl,-Bsymbolic -Wl,-z,noexecstack \
		-Wl,-z,norelro -Wl,--no-undefined -Wl,-s -o $@ $<
$(BUILD)/guest/linux/vdso/image.S.o: $(VDSO)
$(BUILD)/guest/linux/vdso/image.S.o: GUEST_CFLAGS += '-DVDSO_SO="$(VDSO)"'

UNIT_TESTS += linux/memory/test/areas_test linux/memory/test/elf_check_test linux/process/test/sigframe_test
linux/memory/test/areas_test_SRCS := linux/memory/areas.c
linux/memory/test/elf_check_test_SRCS := linux/memory/elf_check.c
linux/process/test/sigframe_test_SRCS :=
include $(wildcard linux/*/build.mk)
GUEST_SRCS := $(sort $(GUEST_SRCS))
