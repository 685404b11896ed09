# SPDX-License-Identifier: Apache-2.0
# The load generator `godwit-load`. Needs zlib (HdrHistogram's compressed encodings); nothing of it goes into a guest.
LOAD_HISTOGRAM := runtime/base/histogram.c runtime/base/histogram_code.c
LOAD_SRCS := $(TOOLS_BASE) $(LOAD_HISTOGRAM) $(sort $(wildcard tools/load/*.c))
LOAD_OBJS := $(LOAD_SRCS:%.c=$(BUILD)/host/%.o)

all: $(BUILD)/godwit-load
$(BUILD)/godwit-load: $(LOAD_OBJS)
	$(CC) -o $@ $^ -lz -lm -pthread
-include $(LOAD_OBJS:.o=.d)

UNIT_TESTS += tools/load/test/parse_test tools/load/test/schedule_test tools/load/test/result_test
tools/load/test/parse_test_SRCS := $(TOOLS_BASE) $(addprefix tools/load/,units.c url.c http_parse.c resp.c mix.c json.c)
tools/load/test/parse_test_LIBS := -lm
tools/load/test/schedule_test_SRCS := $(TOOLS_BASE) $(addprefix tools/load/,arrivals.c trace.c units.c zipf.c)
tools/load/test/schedule_test_LIBS := -lm
tools/load/test/result_test_SRCS := $(TOOLS_BASE) $(LOAD_HISTOGRAM) $(addprefix tools/load/,result.c hdr_log.c verify.c \
	mix.c resp.c proto.c proto_redis.c proto_http.c proto_echo.c http_parse.c url.c zipf.c units.c options.c arrivals.c \
	trace.c reflector.c reflect.c help.c)
tools/load/test/result_test_LIBS := -lz -lm
