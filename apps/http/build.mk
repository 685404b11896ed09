# SPDX-License-Identifier: Apache-2.0
# The server, and its library for other programs: NAME_WITH := $(HTTP_WITH) and the two others.
HTTP_WITH := apps/http/lib
HTTP_LIBS := -l:libbearssl.a
http_WITH := $(HTTP_WITH)
http_LIBS := $(HTTP_LIBS)
http_PART_LIBS := $(HTTP_LIBS)

HTTP_PARSERS := $(addprefix apps/http/lib/,parse.c chunk.c target.c date.c)
UNIT_TESTS += apps/http/lib/test/parse_test
apps/http/lib/test/parse_test_SRCS := $(HTTP_PARSERS)
