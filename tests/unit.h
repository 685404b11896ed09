/* SPDX-License-Identifier: Apache-2.0 */
/* unit.h - a unit test program: TEST(name) { CHECK(...); } and UNIT_MAIN(name, name...). Each
 * test's failures are printed with file and line; the last line is `N passed, N failed, N skipped`.
 */
#ifndef GODWIT_TESTS_UNIT_H
#define GODWIT_TESTS_UNIT_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct unit_case {
	const char *name;
	void (*run)(void);
};

static int unit_failures; /* of the running test */

#define TEST(name) static void test_##name(void)

#define CHECK(cond)                                                                     \
	do {                                                                            \
		if (!(cond)) {                                                          \
			unit_failures++;                                                \
			printf("%s:%d: CHECK(%s) failed\n", __FILE__, __LINE__, #cond); \
		}                                                                       \
	} while (0)

#define CHECK_EQ(a, b)                                                                          \
	do {                                                                                    \
		long long unit_a = (long long)(a), unit_b = (long long)(b);                     \
		if (unit_a != unit_b) {                                                         \
			unit_failures++;                                                        \
			printf("%s:%d: %s = %lld, %s = %lld\n", __FILE__, __LINE__, #a, unit_a, \
			       #b, unit_b);                                                     \
		}                                                                               \
	} while (0)

#define CHECK_STR(a, b)                                                                     \
	do {                                                                                \
		const char *unit_a = (a), *unit_b = (b);                                    \
		if (strcmp(unit_a, unit_b) != 0) {                                          \
			unit_failures++;                                                    \
			printf("%s:%d: \"%s\" is not \"%s\"\n", __FILE__, __LINE__, unit_a, \
			       unit_b);                                                     \
		}                                                                           \
	} while (0)

static int unit_run(const struct unit_case *cases, size_t n)
{
	int passed = 0, failed = 0;

	for (size_t i = 0; i < n; i++) {
		unit_failures = 0;
		cases[i].run();
		if (unit_failures == 0) {
			passed++;
		} else {
			failed++;
			printf("FAIL %s\n", cases[i].name);
		}
	}
	printf("%d passed, %d failed, 0 skipped\n", passed, failed);
	return failed != 0;
}

#define CASE(name)                 \
	{                          \
#name, test_##name \
	}
#define UNIT_MAIN(...)                                                    \
	int main(void)                                                    \
	{                                                                 \
		static const struct unit_case cases[] = { __VA_ARGS__ };  \
		return unit_run(cases, sizeof(cases) / sizeof(cases[0])); \
	}

#endif
