/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_load.c - the load generator's parsers of what others wrote: HTTP and redis answers (the same
 * in one piece and in parts), JSON, command mixes, URLs, base64 histograms. The first byte chooses.
 */
#include <stdlib.h>
#include <string.h>

#include "tools/load/hdr_log.h"
#include "tools/load/http_parse.h"
#include "tools/load/json.h"
#include "tools/load/load.h"
#include "tools/load/mix.h"
#include "tools/load/resp.h"
#include "tools/load/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool what)
{
	if (!what)
		abort();
}

/* Answers that are complete, or ~ of it when the bytes are refused; a hash of what was seen. */
static uint64_t http(const uint8_t *data, size_t size, size_t part)
{
	struct http_parser p;
	uint64_t seen = 1;

	http_init(&p, false, true);
	for (size_t at = 0; at < size;) {
		bool done = false;
		ssize_t n = http_feed(&p, data + at, GW_MIN(part, size - at), &done);

		require(n < 0 || (n > 0 && (size_t)n <= size - at));
		if (n < 0)
			return ~seen;
		if (done)
			seen = (seen ^ p.hash ^ p.status) * 31;
		at += (size_t)n;
	}
	return seen;
}

static uint64_t resp(const uint8_t *data, size_t size, size_t part)
{
	struct resp_parser p;
	char text[16];
	uint64_t seen = 1;

	resp_init(&p, text, sizeof(text));
	p.keep_first = size % 2;
	for (size_t at = 0; at < size;) {
		bool done = false;
		ssize_t n = resp_feed(&p, data + at, GW_MIN(part, size - at), &done);

		require(n < 0 || (n > 0 && (size_t)n <= size - at));
		if (n < 0)
			return ~seen;
		if (done)
			seen = (seen ^ (uint64_t)p.type ^ p.len ^ (uint64_t)p.number) * 31;
		at += (size_t)n;
	}
	return seen;
}

static void text(unsigned int which, const char *s)
{
	static uint64_t memory[HISTOGRAM_COUNTS_3];
	struct histogram h;
	struct json j;
	struct mix m;
	struct url u;

	switch (which) {
	case 0:
		(void)json_parse(&j, s);
		json_free(&j);
		break;
	case 1:
		if (mix_parse(&m, s) == 0)
			require(m.n > 0 && m.total > 0 && m.commands[0].n_parts > 0);
		mix_free(&m);
		break;
	case 2:
		if (url_parse(&u, s) == 0)
			require(u.host[0] != '\0' && u.path[0] == '/');
		break;
	case 6: {
		struct hdr_line line;
		char *cut = strdup(s);

		if (cut != NULL && hdr_log_parse(cut, &line) == 0)
			require(line.start_s >= 0 && line.length_s >= 0 && line.tag[0] >= 0 &&
				line.text + strlen(line.text) <= cut + strlen(s));
		free(cut);
		break;
	}
	default:
		require(histogram_init(&h, 3, memory) == 0);
		if (hdr_from_base64(&h, s) != 0)
			require(histogram_count(&h) == 0);
		break;
	}
	fail_clear();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int which;
	char *copy;

	if (size < 2)
		return 0;
	which = data[0] % 7;
	data++;
	size--;
	if (which == 4) {
		require(http(data, size, size) == http(data, size, 1));
	} else if (which == 5) {
		require(resp(data, size, size) == resp(data, size, 1));
	} else {
		copy = calloc(1, size + 1);
		memcpy(copy, data, size);
		text(which, copy);
		free(copy);
	}
	return 0;
}
