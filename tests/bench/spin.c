/* SPDX-License-Identifier: Apache-2.0 */
/* spin THREADS SECONDS - a batch program: threads that compute and never wait. Says how much work
 * they have done every quarter of a second (`units N`, a unit is 10,000 steps of a generator), so
 * that its share of a machine can be told from outside.
 * spin nice|fifo PROGRAM ARGS - become PROGRAM, at nice 19 or under SCHED_FIFO. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static _Atomic uint64_t units;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *work(void *arg)
{
	volatile uint64_t keep;
	uint64_t x = (uintptr_t)&keep | 1;

	(void)arg;
	for (;;) {
		for (int i = 0; i < 10000; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
		}
		keep = x;
		atomic_fetch_add_explicit(&units, 1, memory_order_relaxed);
	}
	return NULL;
}

static int become(const char *how, char **argv)
{
	const struct sched_param p = { .sched_priority = 50 };

	if (strcmp(how, "nice") == 0 ? setpriority(PRIO_PROCESS, 0, 19) != 0
				     : sched_setscheduler(0, SCHED_FIFO, &p) != 0)
		perror(how);
	else
		execv(argv[0], argv);
	return 1;
}

int main(int argc, char **argv)
{
	double end = now() + (argc > 2 ? atof(argv[2]) : 1);
	int n = argc > 1 ? atoi(argv[1]) : 1;
	pthread_t t;

	if (argc > 2 && n == 0 && argv[1][0] > '9')
		return become(argv[1], argv + 2);
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (n-- > 0)
		if (pthread_create(&t, NULL, work, NULL) != 0)
			return 1;
	while (now() < end) {
		struct timespec quarter = { 0, 250000000 };

		printf("units %llu\n", (unsigned long long)atomic_load(&units));
		nanosleep(&quarter, NULL);
	}
	return 0;
}
