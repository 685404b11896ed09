# SPDX-License-Identifier: Apache-2.0
# Native programs. Each is compiled once and linked twice: $(BUILD)/apps/NAME is a Linux process (godwit host -- NAME),
# $(BUILD)/apps/NAME.elf a partition (godwit run --native NAME). A folder apps/NAME is a program of all its C files; an
# apps/NAME/build.mk may say NAME_CFLAGS, NAME_LIBS (hosted) and NAME_PART_LIBS (partition), for packaged libraries, and
# NAME_WITH: folders of others that it is linked with (FOLDER/hosted and FOLDER/partition: for the one or the other only).
APPS := $(patsubst apps/%/,%,$(sort $(dir $(wildcard apps/*/*.c))))
-include $(wildcard apps/*/build.mk)
APP_PARTS := $(sort $(foreach a,$(APPS),$($(a)_WITH)))

app_sources = $(wildcard $(1)/*.c)
app_objs = $(patsubst %.c,$(BUILD)/$(1)/obj/%.o,$(call app_sources,$(2)))
# $(call app_all,apps|apps-asan,NAME,FOLDER,hosted|partition): all that it is linked from
app_all = $(foreach f,$(3) $($(2)_WITH) $(addsuffix /$(4),$($(2)_WITH)),$(call app_objs,$(1),$(f)))
APP_CFLAGS = $(COMMON) -O2 -fPIE -fno-stack-protector -fcf-protection=none -ffunction-sections -fdata-sections

# $(call app_compile,FOLDER,NAME)
define app_compile
$(call app_objs,apps,$(1)): $(BUILD)/apps/obj/%.o: %.c
	@mkdir -p $$(dir $$@)
	$(CC) $(APP_CFLAGS) $$($(2)_CFLAGS) -c -o $$@ $$<
$(call app_objs,apps-asan,$(1)): $(BUILD)/apps-asan/obj/%.o: %.c
	@mkdir -p $$(dir $$@)
	$(CC) $(COMMON) -O1 -fPIE $(SANITIZE) $$($(2)_CFLAGS) -c -o $$@ $$<
endef
# $(call app_rules,NAME,FOLDER)
define app_rules
$(call app_compile,$(2),$(1))
$(BUILD)/apps/$(1): $(call app_all,apps,$(1),$(2),hosted) $(BUILD)/libgodwit.a
	$(CC) -o $$@ $$^ $$($(1)_LIBS) $(HOSTED_LIBS)
$(BUILD)/apps/$(1).elf: $(call app_all,apps,$(1),$(2),partition) $(BUILD)/libgodwit-part.a $(GUEST_LDSCRIPT)
	$(CC) $(GUEST_LDFLAGS) -Wl,-u,_start -o $$@ $$(filter %.o %.a,$$^) $$($(1)_PART_LIBS) -lgcc
$(BUILD)/apps-asan/$(1): $(call app_all,apps-asan,$(1),$(2),hosted) $(BUILD)/libgodwit-asan.a
	$(CC) $(SANITIZE) -o $$@ $$^ $$($(1)_LIBS) $(HOSTED_LIBS)
endef
$(foreach a,$(APPS),$(eval $(call app_rules,$(a),apps/$(a))))
$(eval $(call app_rules,probe,tests/native/probe))
$(eval $(call app_rules,rate,tests/native/rate))
$(foreach f,$(APP_PARTS),$(foreach k,$(f) $(f)/hosted $(f)/partition,$(eval $(call app_compile,$(k),$(f)))))
-include $(shell find $(BUILD)/apps $(BUILD)/apps-asan -name '*.d' 2>/dev/null)

# The tests' own vhost-user back end.
$(BUILD)/programs/backend: tests/native/backend/backend.c
	@mkdir -p $(dir $@)
	$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -MMD -MP -o $@ $<
-include $(BUILD)/programs/backend.d

# make native: all of them. make hosted-asan: as Linux processes under the address and undefined-behaviour sanitizers.
.PHONY: native hosted-asan
native: all $(BUILD)/programs/backend $(foreach a,$(APPS) probe rate,$(BUILD)/apps/$(a) $(BUILD)/apps/$(a).elf)
hosted-asan: $(DISK_TEST) $(foreach a,$(APPS) probe rate,$(BUILD)/apps-asan/$(a))
