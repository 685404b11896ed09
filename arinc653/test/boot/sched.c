/* SPDX-License-Identifier: Apache-2.0 */
/* sched.c - preemption by ticks, release points relative to the partition's period, floating point
 * across preemptions. In virtual time the figures are the same in every run. */
#include "arinc653/test/boot/boot.h"

#define PERIOD 1000000
#define ROUNDS 20

static volatile int stop;
static volatile long long spins[2];
static SYSTEM_TIME_TYPE first;
static long long worst;
static EVENT_ID_TYPE event;

/* x87, SSE and the control registers of two that never give the processor away. */
static void spinner(int self)
{
	unsigned csr = self ? 0x1f80 : 0x7f80, got; /* rounding towards zero or to nearest */
	double sum = 0.25 * self, step = 0.5 + self, want = sum;
	long double x87 = sum;

	__asm__ volatile("ldmxcsr %0" : : "m"(csr));
	while (!stop) {
		sum += step;
		want += step;
		x87 += step;
		__asm__ volatile("" : "+x"(sum), "+x"(step));
		__asm__ volatile("stmxcsr %0" : "=m"(got));
		if ((double)x87 != sum || want != sum || (got & 0x6000) != (csr & 0x6000))
			break;
		spins[self]++;
		if (spins[self] % 1000 == 0 && self == 0)
			TIMED_WAIT(0, &(RETURN_CODE_TYPE){ 0 });
	}
	IS(stop, 1);
	IS(sum == 0.25 * self + step * (double)spins[self], 1);
}

static void spinner_a(void)
{
	spinner(0);
}

static void spinner_b(void)
{
	spinner(1);
}

/* Preempts them every period; its own vector registers change each time. */
static void periodic(void)
{
	PROCESS_STATUS_TYPE s;
	PROCESS_ID_TYPE id;
	double d = 1.0;

	OK(GET_MY_ID, &id);
	for (int i = 0; i < ROUNDS; i++) {
		SYSTEM_TIME_TYPE t = now(), release;

		OK(GET_PROCESS_STATUS, id, &s);
		release = s.DEADLINE_TIME - PERIOD / 2;
		worst = t - release > worst ? t - release : worst;
		IS(i == 0 || release == first + (long long)i * PERIOD, 1);
		if (i == 0)
			first = release;
		d = d * 1.5;
		OK0(PERIODIC_WAIT);
	}
	IS(d > 3325.0 && d < 3326.0, 1); /* 1.5^20 */
	OK(SET_EVENT, event);
}

static void controller(void)
{
	OK(WAIT_EVENT, event, INFINITE_TIME_VALUE);
	stop = 1;
	IS(spins[0] >= 1000, 1);
	OK(TIMED_WAIT, PERIOD);
	IS(spins[1] > 1000, 1);
	say_number("worst release lateness, ns: ", worst);
	IS(worst < 20000, 1);
	finish();
}

void sched_main(void)
{
	OK(CREATE_EVENT, "E", &event);
	OK(START, make("A", spinner_a, 5, APERIODIC));
	OK(START, make("B", spinner_b, 5, APERIODIC));
	OK(START, make("periodic", periodic, 100, PERIOD, PERIOD / 2));
	OK(START, make("controller", controller, 50, APERIODIC));
}
