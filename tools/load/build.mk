# SPDX-License-Identifier: Apache-2.0
# The load generator `godwit-load`. Needs zlib (HdrHistogram's compressed encodings); nothing of it goes into a guest.
LOAD_HISTOGRAM := runtime/base/histogram.c runtime/base/histogram_code.c
LOAD_SRCS := $(TOOLS_BASE) $(LOAD_HISTOGRAM) $(sort $(wildcard tools/load/*.c))
LOAD_OBJS := $(LOAD_SRCS:%.c=$(BUILD)/host/%.o)

all: $(BUILD)/godwit-load
$(BUILD)/godwit-load: $(LOAD_OBJS)
	$(CC) -o $@ $^ -lz -lm -pthread
-include $(LOAD_OBJS:.o=.d)
