/* SPDX-License-Identifier: Apache-2.0 */
/* talk.c - two partitions, each in its window: one sends samples and a queue of messages, the other
 * reads them, as fast as the queue lets them; periodic processes on both sides. */
#include "arinc653/test/boot/boot.h"

#define MESSAGES 100

struct message {
	long long number, sent;
	char text[48];
};

static SAMPLING_PORT_ID_TYPE sampling;
static QUEUING_PORT_ID_TYPE queuing;
static SEMAPHORE_ID_TYPE done;
static SYSTEM_TIME_TYPE period; /* of the partition */

static void period_get(void)
{
	PARTITION_STATUS_TYPE s;

	OK(GET_PARTITION_STATUS, &s);
	period = s.PERIOD;
}

/* ---- the source ---- */

static void sampler_out(void)
{
	for (long long i = 1;; i++) {
		struct message m = { i, now(), "a sample" };

		OK(WRITE_SAMPLING_MESSAGE, sampling, (MESSAGE_ADDR_TYPE)&m, sizeof(m));
		OK0(PERIODIC_WAIT);
	}
}

static void sender(void)
{
	RETURN_CODE_TYPE rc;
	int waited = 0;

	for (long long i = 1; i <= MESSAGES; i++) {
		struct message m = { i, now(), "one of many" };

		SEND_QUEUING_MESSAGE(queuing, (MESSAGE_ADDR_TYPE)&m, sizeof(m), 0, &rc);
		if (rc == NO_ERROR)
			continue;
		IS(rc, NOT_AVAILABLE);
		OK(SEND_QUEUING_MESSAGE, queuing, (MESSAGE_ADDR_TYPE)&m, sizeof(m),
		   INFINITE_TIME_VALUE);
		waited++;
	}
	IS(waited > 5, 1); /* the queue holds four */
	OK(TIMED_WAIT, 5 * period);
	finish();
}

void talker_main(void)
{
	period_get();
	OK(CREATE_SAMPLING_PORT, "SAMPLES", sizeof(struct message), SOURCE, 0, &sampling);
	OK(CREATE_QUEUING_PORT, "MESSAGES", sizeof(struct message), 4, SOURCE, FIFO, &queuing);
	OK(START, make("sampler", sampler_out, 20, period, period));
	OK(START, make("sender", sender, 10, APERIODIC));
}

/* ---- the destination ---- */

static void sampler_in(void)
{
	long long last = 0, valid = 0;
	MESSAGE_SIZE_TYPE n;
	RETURN_CODE_TYPE rc;
	VALIDITY_TYPE v;
	struct message m;

	for (int i = 0; i < 12; i++) {
		OK0(PERIODIC_WAIT);
		READ_SAMPLING_MESSAGE(sampling, (MESSAGE_ADDR_TYPE)&m, &n, &v, &rc);
		if (rc == NO_ACTION)
			continue;
		IS(rc, NO_ERROR);
		IS(n, sizeof(m));
		IS(m.number >= last, 1);
		IS(m.sent <= now(), 1);
		last = m.number;
		valid += v == VALID;
	}
	IS(last >= 4, 1);
	IS(valid >= 6, 1);
	OK(SIGNAL_SEMAPHORE, done);
}

static void receiver(void)
{
	MESSAGE_SIZE_TYPE n;
	struct message m;

	for (long long i = 1; i <= MESSAGES; i++) {
		OK(RECEIVE_QUEUING_MESSAGE, queuing, 100 * period, (MESSAGE_ADDR_TYPE)&m, &n);
		IS(n, sizeof(m));
		IS(m.number, i);
		IS(m.sent < now(), 1);
	}
	SAYS(TIMED_OUT, RECEIVE_QUEUING_MESSAGE, queuing, period, (MESSAGE_ADDR_TYPE)&m, &n);
	OK(WAIT_SEMAPHORE, done, INFINITE_TIME_VALUE);
	finish();
}

void listener_main(void)
{
	period_get();
	OK(CREATE_SEMAPHORE, "DONE", 0, 1, FIFO, &done);
	OK(CREATE_SAMPLING_PORT, "SAMPLES", sizeof(struct message), DESTINATION, 3 * period,
	   &sampling);
	OK(CREATE_QUEUING_PORT, "MESSAGES", sizeof(struct message), 4, DESTINATION, FIFO, &queuing);
	OK(START, make("sampler", sampler_in, 20, period, period));
	OK(START, make("receiver", receiver, 10, APERIODIC));
}
