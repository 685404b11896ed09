# SPDX-License-Identifier: Apache-2.0
# The latency gate (README.md): make gate compares with baseline.json, make gate-update REASON='...' rewrites it.
BOOT_TESTS += gate
GATE := $(BUILD)/gate/client $(BUILD)/gate/slow.so

$(BUILD)/gate/client: tests/gate/client.c
	@mkdir -p $(dir $@)
	$(CC) -std=gnu11 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror -o $@ $<
$(BUILD)/gate/slow.so: tests/gate/slow.c
	@mkdir -p $(dir $@)
	$(CC) -std=gnu11 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror -shared -fPIC -o $@ $<

.PHONY: gate gate-update
gate: all $(GATE)
	BUILD=$(BUILD) tests/gate/gate.py --self-test
gate-update: all $(GATE)
	BUILD=$(BUILD) tests/gate/gate.py --update '$(REASON)'
