/* SPDX-License-Identifier: Apache-2.0 */
/* life_test.c - trace records, proper and not; the table's figures; the file that comes of them. */
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit.h"
#include "tools/godwit/life.h"
#include "tools/godwit/locate.h"

static char path[] = "/tmp/godwit-life-test.XXXXXX";

static void open_life(struct life *l)
{
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	close(fd);
	CHECK_EQ(life_open(l, path, "a \"program\"\n\xff"), 0);
}

/* What was written; the file is gone afterwards. The caller frees it. */
static char *close_life(struct life *l)
{
	char *text;
	size_t len;

	CHECK_EQ(life_close(l), 0);
	text = (char *)read_file(path, &len);
	unlink(path);
	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	text = xrealloc(text, len + 1, 1);
	text[len] = '\0';
	return text;
}

TEST(proper)
{
	struct text t = { 0 };
	struct life l;
	char *file;

	open_life(&l);
	CHECK_EQ(life_add(&l, "1 7 10.0.2.2:4000 6379 1234567 10 20 25 - 40 50 60 100 150 1000"),
		 0);
	CHECK_EQ(life_add(&l, "1 7 10.0.2.2:4000 6379 3000000 10 20 25 30 40 50 60 100 150 2000"),
		 0);
	CHECK_EQ(life_add(&l, "0 7 10.0.2.2:4001 6379 3000001 0 0 0 0 0 0 0 0 0 0"), 0);
	CHECK_EQ(life_add(&l, "lost 3 4"), 0);
	CHECK_EQ(life_add(&l, "lost 1 0"), 0);
	life_table(&l, &t);
	CHECK(strstr(t.data, "followed: 3 (4 given up unanswered, 4 lost)") != NULL);
	/* 10 + 10 + 0 of 3000 ns; median 0.01 us */
	CHECK(strstr(t.data, "  receive ring              3       0.01       0.01    0.7 %\n") !=
	      NULL);
	CHECK(strstr(t.data, "  run queue                 2       0.00       0.01    0.2 %\n") !=
	      NULL);
	CHECK(strstr(t.data, "  send ring                 3       0.85       1.85   90.0 %\n") !=
	      NULL);
	CHECK(strstr(t.data, "  total                     3       1.00       2.00  100.0 %\n") !=
	      NULL);
	text_free(&t);
	file = close_life(&l);
	CHECK(file[0] == '[' && strcmp(file + strlen(file) - 3, "\n]\n") == 0);
	CHECK(strstr(file, "{\"name\":\"a \\\"program\\\"\\u000a\\u00ff\"}") != NULL);
	CHECK(strstr(file, "\"tid\":1,\"name\":\"request\",\"ts\":1234.567,\"dur\":1.000,"
			   "\"args\":{\"port\":6379,\"thread\":7,\"shard\":1}}") != NULL);
	/* what was not met belongs to the next */
	CHECK(strstr(file, "\"tid\":1,\"name\":\"poll\",\"ts\":1234.592,\"dur\":0.015,") != NULL);
	CHECK(strstr(file,
		     "\"tid\":2,\"name\":\"thread_name\",\"args\":{\"name\":\"10.0.2.2:4001\"}}") !=
	      NULL);
	free(file);
}

TEST(refused)
{
	static const char *const bad[] = {
		"",
		"1",
		"1 7 10.0.2.2:4000 6379 1234567 10 20 25 30 40 50 60 100 150",	 /* a point short */
		"1 7 10.0.2.2:4000 6379 1234567 10 20 25 30 40 50 60 100 150 -", /* never left */
		"1 7 10.0.2.2:4000 6379 1234567 10 20 25 30 40 50 60 100 150 200 1", /* one more */
		"1 7 10.0.2.2:4000 6379 1234567 10 9 25 30 40 50 60 100 150 200",    /* backwards */
		"1 7 10.0.2.2:4000 6379 1234567 10 20 25 30 40 50 60 100 150 99999999999999999",
		"1 7 10.0.2.2:4000 65536 1234567 10 20 25 30 40 50 60 100 150 200",
		"4096 7 10.0.2.2:4000 6379 1234567 10 20 25 30 40 50 60 100 150 200",
		"1 7 a-very-long-name-of-a-connection-end-that-no-IPv6-address-has:4000 6379 1 1 2 "
		"3 4 5 6 7 8 9 10",
		"1 7 x 6379 -5 10 20 25 30 40 50 60 100 150 200",
		"lost 1",
		"lost x 1",
		"lost",
	};
	struct text t = { 0 };
	struct life l;
	char *file;

	open_life(&l);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_EQ(life_add(&l, bad[i]), -1);
	life_table(&l, &t);
	CHECK(strstr(t.data, "followed: 0 (0 given up unanswered, 0 lost)") != NULL);
	CHECK(strstr(t.data, "stage") == NULL);
	text_free(&t);
	file = close_life(&l);
	CHECK(strstr(file, "\"ph\":\"X\"") == NULL);
	free(file);
}

TEST(many_connections)
{
	struct life l;
	char *file, line[128];

	open_life(&l);
	for (unsigned int i = 0; i < LIFE_CONNECTIONS + 5; i++) {
		snprintf(line, sizeof(line), "0 1 c%u 80 %u 1 2 3 4 5 6 7 8 9 10", i, i * 20);
		CHECK_EQ(life_add(&l, line), 0);
	}
	CHECK_EQ(l.n_connections, LIFE_CONNECTIONS);
	file = close_life(&l);
	CHECK(strstr(file, "\"tid\":1001") == NULL);
	CHECK(strstr(file, "{\"ph\":\"X\",\"pid\":1,\"tid\":0,\"name\":\"request\"") != NULL);
	free(file);
}

TEST(unwritable)
{
	struct life l;

	CHECK_EQ(life_open(&l, "/nonexistent/x", "p"), -1);
	CHECK(strstr(fail_text(), "/nonexistent/x") != NULL);
	fail_clear();
	CHECK_EQ(life_open(&l, "/dev/full", "p"), 0);
	CHECK_EQ(life_close(&l), -1);
	CHECK(strstr(fail_text(), "not complete") != NULL);
	fail_clear();
}

UNIT_MAIN(CASE(proper), CASE(refused), CASE(many_connections), CASE(unwritable))
