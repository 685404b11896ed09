/* SPDX-License-Identifier: Apache-2.0 */
/* figures_test.c - Prometheus text as a guest may send it. */
#include "tests/unit.h"
#include "tools/godwit/figures.h"

TEST(well_formed)
{
	char label[8];
	struct figures f, only;

	figures_parse(&f, "# HELP godwit_a x\ngodwit_a{shard=\"0\",kind=\"in\"} "
			  "5\ngodwit_a{shard=\"10\",kind=\"in\"} 7\n"
			  "godwit_up 1.500000000\ngodwit_p{program=\"a \\\"b\"} 1");
	CHECK_EQ(f.n, 4);
	CHECK_EQ((long)figures_get(&f, "a", "shard=\"10\"", "kind=\"in\"", -1), 7);
	CHECK_EQ((long)figures_get(&f, "a", "shard=\"1\"", NULL, -1), -1);
	CHECK_EQ((long)figures_get(&f, "a", "kind=\"i\"", NULL, -1), -1);
	CHECK_EQ((long)figures_sum(&f, "a", NULL), 12);
	CHECK_EQ((long)(figures_get(&f, "up", NULL, NULL, 0) * 10), 15);
	CHECK(figure_label(&f.v[3], "program", label, sizeof(label)));
	CHECK_STR(label, "a \"b");
	CHECK(figure_label(&f.v[0], "kind", label, 2));
	CHECK_STR(label, "i");
	CHECK(!figure_label(&f.v[0], "ind", label, sizeof(label)));
	figures_with(&only, &f, "shard=\"10\"");
	CHECK_EQ(only.n, 1);
	CHECK_EQ((long)figures_sum(&only, "a", NULL), 7);
	figures_free(&only);
	figures_with(&only, &f, "shard=\"1\"");
	CHECK_EQ(only.n, 0);
	figures_free(&only);
	figures_free(&f);
}

TEST(nonsense)
{
	static const char *const lines[] = { "godwit_a",
					     "godwit_a x",
					     "godwit_a{ 5",
					     "godwit_a{x=\"1\" 5",
					     "other_a 5",
					     "godwit_a 5 trailing",
					     " 5",
					     "{} 5",
					     "godwit_a{ } x",
					     "}",
					     "\n\n" };
	static char longest[1000];
	struct figures f;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		figures_parse(&f, lines[i]);
		CHECK_EQ(f.n, 0);
		figures_free(&f);
	}
	memset(longest, 'x', sizeof(longest) - 1);
	memcpy(longest, "godwit_", 7);
	strcpy(longest + sizeof(longest) - 3, " 5");
	figures_parse(&f, longest);
	CHECK_EQ(f.n, 0);
	figures_free(&f);
	longest[100] = ' '; /* a name beyond its room */
	strcpy(longest + 101, "5");
	figures_parse(&f, longest);
	CHECK_EQ(f.n, 0);
	figures_free(&f);
}

UNIT_MAIN(CASE(well_formed), CASE(nonsense))
