/* SPDX-License-Identifier: Apache-2.0 */
/* buffer_cases.c - buffers: order, waiting senders and receivers, limits. */
#include "arinc653/test/sim.h"

static BUFFER_ID_TYPE buffer;
static APEX_BYTE text[16];

static void send_letter(char c, SYSTEM_TIME_TYPE time_out, RETURN_CODE_TYPE want)
{
	SAYS(want, SEND_BUFFER, buffer, (MESSAGE_ADDR_TYPE)&c, 1, time_out);
}

static void receive_letter(char want)
{
	APEX_BYTE got[8] = { 0 };
	MESSAGE_SIZE_TYPE n = 0;

	OK(RECEIVE_BUFFER, buffer, INFINITE_TIME_VALUE, got, &n);
	IS(n, 1);
	IS(got[0], want);
}

static void sender_c(void)
{
	send_letter('c', INFINITE_TIME_VALUE, NO_ERROR);
	mark('c');
}

static void sender_d(void)
{
	send_letter('d', INFINITE_TIME_VALUE, NO_ERROR);
	mark('d');
}

static void user(void)
{
	BUFFER_STATUS_TYPE s;
	MESSAGE_SIZE_TYPE n;
	BUFFER_ID_TYPE id;

	SAYS(INVALID_MODE, CREATE_BUFFER, "late", 8, 2, FIFO, &id);
	SAYS(INVALID_PARAM, SEND_BUFFER, 99, text, 1, 0);
	SAYS(INVALID_PARAM, SEND_BUFFER, buffer, text, 0, 0);
	SAYS(INVALID_PARAM, SEND_BUFFER, buffer, text, 9, 0);
	SAYS(INVALID_PARAM, SEND_BUFFER, buffer, text, 1, -2);
	SAYS(INVALID_PARAM, RECEIVE_BUFFER, 99, 0, text, &n);
	SAYS(INVALID_PARAM, RECEIVE_BUFFER, buffer, -2, text, &n);
	SAYS(INVALID_PARAM, GET_BUFFER_STATUS, 99, &s);
	SAYS(INVALID_CONFIG, GET_BUFFER_ID, "none", &id);
	OK(GET_BUFFER_ID, "B", &id);
	IS(id, buffer);
	SAYS(NOT_AVAILABLE, RECEIVE_BUFFER, buffer, 0, text, &n);
	SAYS(TIMED_OUT, RECEIVE_BUFFER, buffer, 500, text, &n);
	send_letter('a', 0, NO_ERROR);
	send_letter('b', INFINITE_TIME_VALUE, NO_ERROR);
	send_letter('x', 0, NOT_AVAILABLE);
	send_letter('x', 500, TIMED_OUT);
	OK(START, 2);
	OK(START, 3);
	OK(GET_BUFFER_STATUS, buffer, &s);
	IS(s.NB_MESSAGE, 2);
	IS(s.MAX_NB_MESSAGE, 2);
	IS(s.MAX_MESSAGE_SIZE, 8);
	IS(s.WAITING_PROCESSES, 2);
	for (const char *c = sim.start_condition == PARTITION_RESTART ? "abdc" : "abcd"; *c; c++)
		receive_letter(*c);
	mark('u');
	SAYS(NOT_AVAILABLE, RECEIVE_BUFFER, buffer, 0, text, &n);
}

static void make(QUEUING_DISCIPLINE_TYPE discipline)
{
	BUFFER_ID_TYPE id;

	OK(CREATE_BUFFER, "B", 8, 2, discipline, &buffer);
	SAYS(NO_ACTION, CREATE_BUFFER, "B", 8, 2, FIFO, &id);
	SAYS(INVALID_PARAM, CREATE_BUFFER, "C", 0, 2, FIFO, &id);
	SAYS(INVALID_PARAM, CREATE_BUFFER, "C", SYSTEM_LIMIT_MESSAGE_SIZE + 1, 2, FIFO, &id);
	SAYS(INVALID_PARAM, CREATE_BUFFER, "C", 8, 0, FIFO, &id);
	SAYS(INVALID_PARAM, CREATE_BUFFER, "C", 8, SYSTEM_LIMIT_NUMBER_OF_MESSAGES + 1, FIFO, &id);
	SAYS(INVALID_PARAM, CREATE_BUFFER, "C", 8, 2, (QUEUING_DISCIPLINE_TYPE)2, &id);
	SAYS(NOT_AVAILABLE, RECEIVE_BUFFER, buffer, 0, text, &(MESSAGE_SIZE_TYPE){ 0 });
	SAYS(INVALID_MODE, RECEIVE_BUFFER, buffer, 10, text, &(MESSAGE_SIZE_TYPE){ 0 });
	OK(START, process_make("U", user, 10));
	process_make("C", sender_c, 20);
	process_make("D", sender_d, 30);
	OK(SET_PARTITION_MODE, NORMAL);
}

static void fifo_main(void)
{
	make(FIFO);
}

static void priority_main(void)
{
	make(PRIORITY);
}

static void many_main(void)
{
	BUFFER_ID_TYPE id;
	char name[32];

	OK(CREATE_BUFFER, "one", 8, 1, FIFO, &id);
	OK(SEND_BUFFER, id, text, 8, 0);
	SAYS(INVALID_MODE, SEND_BUFFER, id, text, 8,
	     10); /* full, and the main process must not wait */
	for (int i = 2; i <= MAX_NUMBER_OF_BUFFERS; i++) {
		snprintf(name, sizeof(name), "%d", i);
		OK(CREATE_BUFFER, name, 1, 1, FIFO, &id);
	}
	SAYS(INVALID_CONFIG, CREATE_BUFFER, "more", 1, 1, FIFO, &id);
}

/* A message goes to the one that waits, though another one asks before that runs. */
static void receiver(void)
{
	receive_letter('m');
	mark('r');
}

static void quick(void)
{
	MESSAGE_SIZE_TYPE n;

	send_letter('m', 0, NO_ERROR);
	SAYS(NOT_AVAILABLE, RECEIVE_BUFFER, buffer, 0, text, &n);
	mark('q');
}

static void direct_main(void)
{
	OK(CREATE_BUFFER, "B", 8, 2, FIFO, &buffer);
	OK(START, process_make("R", receiver, 10));
	OK(DELAYED_START, process_make("Q", quick, 20), 100);
	OK(SET_PARTITION_MODE, NORMAL);
}

void cases_buffer(void)
{
	sim_run(fifo_main);
	TRACE("cdu");
	sim_reset();
	sim.start_condition = PARTITION_RESTART; /* tells the user the other order */
	sim_run_on(priority_main);
	TRACE("dcu");
	sim_run(many_main);
	sim_run(direct_main);
	TRACE("qr");
}
