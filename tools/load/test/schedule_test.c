/* SPDX-License-Identifier: Apache-2.0 */
/* schedule_test.c - when requests are due, and for which keys: exact where it is fixed, by its
 * statistics where it is random (with a fixed seed; bounds of five standard deviations). */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/base/util.h"
#include "tools/load/arrivals.h"
#include "tools/load/zipf.h"
#include "tests/unit.h"

TEST(constant)
{
	struct arrivals_spec s = { .burst = 1, .from = 30000, .to = 30000 };
	struct arrivals a, part[3];
	uint64_t merged = 0;

	arrivals_init(&a, &s, 0, 1, 1);
	for (uint64_t i = 0; i < 100000; i++, arrivals_step(&a))
		CHECK(a.next == (uint64_t)llround((double)i / 30000 * 1e9)); /* no error adds up */
	CHECK_EQ(a.passed, 100000);
	/* three threads share the same schedule out */
	for (uint32_t t = 0; t < 3; t++)
		arrivals_init(&part[t], &s, t, 3, 1);
	arrivals_init(&a, &s, 0, 1, 1);
	for (int i = 0; i < 3000; i++, arrivals_step(&a)) {
		CHECK_EQ(part[i % 3].next, a.next);
		arrivals_step(&part[i % 3]);
		merged++;
	}
	CHECK_EQ(merged, 3000);
}

TEST(bursts)
{
	struct arrivals_spec s = { .burst = 10, .from = 1000, .to = 1000 };
	struct arrivals a;

	arrivals_init(&a, &s, 0, 1, 1);
	for (uint64_t i = 0; i < 1000; i++, arrivals_step(&a))
		CHECK_EQ(a.next, i / 10 * 10000000);
	s.poisson = true;
	arrivals_init(&a, &s, 0, 1, 1);
	for (int i = 0; i < 100; i++) {
		uint64_t at = a.next;

		for (int j = 0; j < 10; j++, arrivals_step(&a))
			CHECK_EQ(a.next, at);
		CHECK(a.next > at);
	}
}

/* Gaps of a Poisson process: exponential (Kolmogorov-Smirnov), independent of the gap before. */
TEST(poisson)
{
	enum { N = 200000 };
	struct arrivals_spec s = { .poisson = true, .burst = 1, .from = 50000, .to = 50000 };
	struct arrivals a;
	double mean = 0, square = 0, product = 0, before = 0, worst = 0;
	uint64_t last = 0;
	static unsigned int bins[1000];

	arrivals_init(&a, &s, 0, 1, 7);
	for (int i = 0; i < N; i++, arrivals_step(&a)) {
		double gap = (double)(a.next - last) / 20000; /* in means */
		int bin = (int)((1 - exp(-gap)) * 1000);

		last = a.next;
		mean += gap / N;
		square += gap * gap / N;
		product += gap * before / N;
		before = gap;
		bins[bin > 999 ? 999 : bin]++;
	}
	CHECK(fabs(mean - 1) < 5 / sqrt(N));
	CHECK(fabs(square - 2) < 5 * sqrt(20.0 / N));
	CHECK(fabs(product - 1) < 5 * sqrt(3.0 / N));
	for (unsigned int i = 0, sum = 0; i < 1000; i++) {
		sum += bins[i];
		worst = fmax(worst, fabs((double)sum / N - (i + 1) / 1000.0));
	}
	CHECK(worst < 2.0 / sqrt(N)); /* Kolmogorov: 1.95 is 0.1 % */
}

/* Counts of a second of four threads together: variance equal to the mean. */
TEST(poisson_counts)
{
	struct arrivals_spec s = { .poisson = true, .burst = 1, .from = 400, .to = 400 };
	static double counts[2000];
	double mean = 0, variance = 0;

	for (uint32_t t = 0; t < 4; t++) {
		struct arrivals a;

		for (arrivals_init(&a, &s, t, 4, 99); a.next < 2000 * 1000000000ull;
		     arrivals_step(&a))
			counts[a.next / 1000000000]++;
	}
	for (int i = 0; i < 2000; i++)
		mean += counts[i] / 2000;
	for (int i = 0; i < 2000; i++)
		variance += (counts[i] - mean) * (counts[i] - mean) / 2000;
	CHECK(fabs(mean - 400) < 5 * sqrt(400.0 / 2000));
	CHECK(fabs(variance / mean - 1) < 5 * sqrt(2.0 / 2000));
}

TEST(ramp)
{
	struct arrivals_spec s = { .burst = 1, .from = 100, .to = 1000, .ramp_s = 10 };
	struct arrivals a;
	uint64_t per_second[15] = { 0 };

	CHECK(fabs(arrivals_expected(&s, 10000000000) - 5500) < 1e-6);
	CHECK(fabs(arrivals_expected(&s, 12000000000) - 7500) < 1e-6);
	for (arrivals_init(&a, &s, 0, 1, 1); a.next < 15000000000; arrivals_step(&a))
		per_second[a.next / 1000000000]++;
	for (int i = 0; i < 10; i++)
		CHECK(llabs((long long)per_second[i] - (145 + 90 * i)) <= 1);
	for (int i = 10; i < 15; i++)
		CHECK_EQ(per_second[i], 1000);
	s.from = 0; /* from nothing, and down */
	for (arrivals_init(&a, &s, 0, 1, 1); a.passed < 5000; arrivals_step(&a))
		;
	CHECK(llabs((long long)a.next - 10000000000) < 1000000);
	s = (struct arrivals_spec){
		.burst = 1, .from = 1000, .to = 100, .ramp_s = 10, .poisson = true
	};
	for (arrivals_init(&a, &s, 0, 1, 1); a.next < 10000000000; arrivals_step(&a))
		;
	CHECK(fabs((double)a.passed - 5500) < 5 * sqrt(5500));
}

static int trace_of(struct trace *t, const char *content)
{
	char path[] = "/tmp/godwit-load-trace-XXXXXX";
	int fd = mkstemp(path), rc;

	CHECK(fd >= 0 && write(fd, content, strlen(content)) == (ssize_t)strlen(content));
	close(fd);
	fail_clear();
	rc = trace_read(t, path);
	unlink(path);
	return rc;
}

TEST(trace)
{
	struct trace t;
	struct arrivals_spec s = { .burst = 1, .trace = &t };
	struct arrivals a;

	CHECK_EQ(trace_of(&t, "# recorded\n0.5\n\n750ms # three\n1\r\n  1.0  \n"), 0);
	CHECK_EQ(t.n, 4);
	arrivals_init(&a, &s, 1, 2, 1);
	CHECK_EQ(a.next, 750000000);
	arrivals_step(&a);
	CHECK_EQ(a.next, 1000000000);
	arrivals_step(&a);
	CHECK(a.next == ARRIVALS_END);
	CHECK(arrivals_expected(&s, 750000000) == 1 && arrivals_expected(&s, 2000000000) == 4);
	trace_free(&t);
	CHECK(trace_of(&t, "1\n2\nx\n") != 0 && strstr(fail_text(), ":3: 'x") != NULL);
	CHECK(trace_of(&t, "2\n1\n") != 0 && strstr(fail_text(), ":2: the time goes back") != NULL);
	CHECK(trace_of(&t, "# nothing\n") != 0 && strstr(fail_text(), "no times") != NULL);
	CHECK(trace_of(&t, "-1\n") != 0 && trace_of(&t, "1 2\n") != 0);
	fail_clear();
	CHECK(trace_read(&t, "/no/such/file") != 0);
	fail_clear();
	CHECK(trace_read(&t, "/") != 0);
	fail_clear();
}

/* Frequencies against the definition. */
static void zipf_against(uint64_t n, double theta)
{
	enum { N = 300000 };
	struct zipf z;
	struct rng rng = { 5 };
	double norm = 0;
	unsigned int *count = calloc(n, sizeof(*count));

	zipf_init(&z, n, theta);
	for (uint64_t k = 0; k < n; k++)
		norm += pow((double)(k + 1), -theta);
	for (int i = 0; i < N; i++) {
		uint64_t k = zipf_next(&z, &rng);

		CHECK(k < n);
		count[k < n ? k : 0]++;
	}
	for (uint64_t k = 0; k < n && k < 50; k++) {
		double p = pow((double)(k + 1), -theta) / norm;

		CHECK(fabs((double)count[k] - N * p) < 5 * sqrt(N * p) + 1);
	}
	free(count);
}

TEST(zipf)
{
	zipf_against(1, 0.99);
	zipf_against(2, 1);
	zipf_against(100, 0.5);
	zipf_against(10000, 0.99);
	zipf_against(10000, 1.0);
	zipf_against(1000, 2.5);
	zipf_against(100000, 1.2);
}

UNIT_MAIN(CASE(constant), CASE(bursts), CASE(poisson), CASE(poisson_counts), CASE(ramp),
	  CASE(trace), CASE(zipf))
