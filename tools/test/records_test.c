/* SPDX-License-Identifier: Apache-2.0 */
/* records_test.c - the control port's lines, proper and not, and what is printed of them. */
#include <stdlib.h>

#include "tests/unit.h"
#include "tools/base/util.h"
#include "tools/godwit/records.h"
#include "tools/godwit/report.h"

static int kinds[16], n_kinds;

static void seen(void *context, enum record_kind kind)
{
	(void)context;
	if (n_kinds < 16)
		kinds[n_kinds++] = (int)kind;
}

static void input(struct records *r, const char *s)
{
	n_kinds = 0;
	records_input(r, s, (uint32_t)strlen(s), seen, NULL);
}

TEST(good)
{
	struct records *r = calloc(1, sizeof(*r));

	input(r, "boot kernel 120\nboot main 45000000\nlisten tcp 6379\nlisten udp 53\nst");
	CHECK_EQ(n_kinds, 4);
	CHECK_EQ(r->boot.n, 2);
	CHECK_EQ(r->boot.v[1].value, 45000000);
	CHECK_EQ(r->listen.n, 2);
	CHECK_STR(r->listen.v[1].name, "udp");
	input(r, "at connections 5\nstat connections 6\nenosys io_uring_setup 1\nenosys 999 2\n");
	CHECK_EQ(r->stats.n, 1); /* the later value counts */
	CHECK_EQ(*record_find(&r->stats, "connections"), 6);
	CHECK_EQ(r->enosys.n, 2);
	CHECK(record_find(&r->stats, "uptime_ns") == NULL);
	input(r, "error out of memory: 16 MiB\nsignal 11 SIGSEGV\nexit 139\n");
	CHECK_STR(r->error, "out of memory: 16 MiB");
	CHECK_EQ(r->signal, 11);
	CHECK_STR(r->signal_name, "SIGSEGV");
	CHECK(r->exited);
	CHECK_EQ(r->status, 139);
	CHECK_EQ(r->bad, 0);
	free(r);
}

TEST(bad)
{
	static const char *const lines[] = {
		"",
		"exit",
		"exit 256",
		"exit -1",
		"exit x",
		"boot",
		"boot kernel",
		"boot kernel -5",
		"stat a 99999999999999999999",
		"listen tcp 0",
		"listen tcp 65536",
		"listen sctp 5",
		"listen tcp66 5",
		"listen",
		"signal 0 X",
		"signal 65 X",
		"frobnicate",
		"EXIT 0",
		"stat a-name-that-is-longer-than-anything-that-a-record-can-hold 1"
	};
	struct records *r = calloc(1, sizeof(*r));

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		enum record_kind kind = records_line(r, lines[i]);

		if (kind != RECORD_BAD)
			printf("'%s' was taken as %d\n", lines[i], (int)kind);
		CHECK_EQ(kind, RECORD_BAD);
	}
	CHECK(!r->exited && r->signal == 0 && r->listen.n == 0 && r->boot.n == 0 &&
	      r->stats.n == 0);
	free(r);
}

TEST(limits)
{
	struct records *r = calloc(1, sizeof(*r));
	char line[64];

	for (int i = 0; i < 5000; i++)
		input(r, "xxxxxxxxxx");
	CHECK_EQ(r->line_len, GW_CHANNEL_LINE - 1);
	input(r, "\nexit 3\n"); /* the long line is dropped, the next one counts */
	CHECK_EQ(n_kinds, 2);
	CHECK_EQ(kinds[0], RECORD_BAD);
	CHECK_EQ(r->status, 3);
	for (int i = 0; i < 1000; i++) {
		snprintf(line, sizeof(line), "enosys n%d 1\nlisten tcp 80\n", i);
		input(r, line);
	}
	CHECK_EQ(r->enosys.n, RECORDS_MAX);
	CHECK_EQ(r->listen.n, RECORDS_MAX);
	input(r, "error a\033[31mb\n"); /* nothing for the terminal to obey */
	CHECK_STR(r->error, "a?[31mb");
	free(r);
}

TEST(reports)
{
	struct records *r = calloc(1, sizeof(*r));
	struct mark marks[] = { { "files found", 1500000 } };
	struct text t = { 0 };

	input(r,
	      "boot kernel 500000\nboot main 2500000\nstat uptime_ns 1500000000\nstat connections "
	      "2\n"
	      "stat packets_in 10\nstat packets_out 9\nstat kernel_entries 77\nstat page_faults 5\n"
	      "enosys rseq 3\nenosys 451 1\n");
	report_host(&t, marks, 1);
	report_boot(&t, r);
	CHECK(strstr(t.data, "files found") != NULL && strstr(t.data, "1.50 ms") != NULL);
	CHECK(strstr(t.data, "2.50 ms  (+2.00)") != NULL);
	text_free(&t);
	report_summary(&t, "redis", r);
	CHECK(strstr(t.data, "1.500 s\n") != NULL);
	CHECK(strstr(t.data, "10 in, 9 out\n") != NULL);
	CHECK(strstr(t.data, "page faults                5\n") != NULL);
	CHECK(strstr(t.data, "rseq (3), 451 (1)\n") != NULL);
	text_free(&t);
	free(r);
}

TEST(metrics)
{
	static struct records r;

	CHECK_EQ(records_line(&r, "metric godwit_x{a=\"b\"} 1.5"), RECORD_METRIC);
	CHECK_STR(r.metric, "godwit_x{a=\"b\"} 1.5");
	CHECK_EQ(records_line(&r, "metric"), RECORD_METRIC);
	CHECK_STR(r.metric, "");
}

UNIT_MAIN(CASE(metrics), CASE(good), CASE(bad), CASE(limits), CASE(reports))
