/* SPDX-License-Identifier: Apache-2.0 */
/* ports_cases.c - sampling and queuing ports, the test being the other partition. */
#include "arinc653/test/sim.h"

enum { OUT = 0, IN = 1, QOUT = 2, QIN = 3 }; /* channels */

static SAMPLING_PORT_ID_TYPE out, in;
static QUEUING_PORT_ID_TYPE qout, qin;
static APEX_BYTE text[64];

static void other_writes(uint32_t channel, const char *s)
{
	IS(plat_port_write(channel, s, (uint32_t)strlen(s)), 0);
	sim_post();
}

static void sampling_user(void)
{
	SAMPLING_PORT_STATUS_TYPE s;
	SAMPLING_PORT_ID_TYPE id;
	MESSAGE_SIZE_TYPE n = 1;
	VALIDITY_TYPE v = VALID;

	SAYS(INVALID_PARAM, WRITE_SAMPLING_MESSAGE, 99, text, 1);
	SAYS(INVALID_PARAM, WRITE_SAMPLING_MESSAGE, out, text, 0);
	SAYS(INVALID_CONFIG, WRITE_SAMPLING_MESSAGE, out, text, 65);
	SAYS(INVALID_MODE, WRITE_SAMPLING_MESSAGE, in, text, 1);
	OK(WRITE_SAMPLING_MESSAGE, out, (MESSAGE_ADDR_TYPE) "hello", 5);
	OK(WRITE_SAMPLING_MESSAGE, out, (MESSAGE_ADDR_TYPE) "you", 3);
	IS(sim.channels[OUT].messages[0].len, 3);
	SAYS(INVALID_PARAM, READ_SAMPLING_MESSAGE, 99, text, &n, &v);
	SAYS(INVALID_MODE, READ_SAMPLING_MESSAGE, out, text, &n, &v);
	SAYS(NO_ACTION, READ_SAMPLING_MESSAGE, in, text, &n, &v);
	IS(n, 0);
	IS(v, INVALID);
	other_writes(IN, "abcd");
	OK(READ_SAMPLING_MESSAGE, in, text, &n, &v);
	IS(n, 4);
	IS(v, VALID);
	IS(memcmp(text, "abcd", 4), 0);
	OK(GET_SAMPLING_PORT_STATUS, in, &s);
	IS(s.LAST_MSG_VALIDITY, VALID);
	IS(s.REFRESH_PERIOD, 5000);
	IS(s.PORT_DIRECTION, DESTINATION);
	sim_work(5001); /* older than its refresh period */
	OK(READ_SAMPLING_MESSAGE, in, text, &n, &v);
	IS(v, INVALID);
	IS(n, 4);
	OK(GET_SAMPLING_PORT_STATUS, in, &s);
	IS(s.LAST_MSG_VALIDITY, INVALID);
	SAYS(INVALID_PARAM, GET_SAMPLING_PORT_STATUS, 99, &s);
	SAYS(INVALID_CONFIG, GET_SAMPLING_PORT_ID, "QUEUE_IN", &id);
	OK(GET_SAMPLING_PORT_ID, "SAMPLE_IN", &id);
	IS(id, in);
	SAYS(INVALID_MODE, CREATE_SAMPLING_PORT, "NO_SAMPLES", 64, SOURCE, 0, &id);
	mark('s');
}

static void sampling_main(void)
{
	PORT_DIRECTION_TYPE none = (PORT_DIRECTION_TYPE)2;
	SAMPLING_PORT_ID_TYPE id;

	SAYS(INVALID_CONFIG, CREATE_SAMPLING_PORT, "unknown", 64, SOURCE, 1, &id);
	SAYS(INVALID_CONFIG, CREATE_SAMPLING_PORT, "QUEUE_OUT", 64, SOURCE, 1, &id);
	SAYS(INVALID_CONFIG, CREATE_SAMPLING_PORT, "NO_SAMPLES", 64, SOURCE, 1, &id);
	SAYS(INVALID_PARAM, CREATE_SAMPLING_PORT, "SAMPLE_IN", 0, DESTINATION, 5000, &id);
	SAYS(INVALID_CONFIG, CREATE_SAMPLING_PORT, "SAMPLE_IN", 65, DESTINATION, 5000, &id);
	SAYS(INVALID_PARAM, CREATE_SAMPLING_PORT, "SAMPLE_IN", 64, none, 5000, &id);
	SAYS(INVALID_CONFIG, CREATE_SAMPLING_PORT, "SAMPLE_IN", 64, SOURCE, 5000, &id);
	SAYS(INVALID_PARAM, CREATE_SAMPLING_PORT, "SAMPLE_IN", 64, DESTINATION, 0, &id);
	SAYS(INVALID_CONFIG, CREATE_SAMPLING_PORT, "SAMPLE_IN", 64, DESTINATION, 5001, &id);
	OK(CREATE_SAMPLING_PORT, "SAMPLE_IN", 64, DESTINATION, 5000, &in);
	SAYS(NO_ACTION, CREATE_SAMPLING_PORT, "SAMPLE_IN", 64, DESTINATION, 5000, &id);
	OK(CREATE_SAMPLING_PORT, "SAMPLE_OUT", 64, SOURCE, 0, &out);
	OK(START, process_make("A", sampling_user, 10));
	OK(SET_PARTITION_MODE, NORMAL);
}

/* ---- queuing ports ---- */

static void receive(const char *want)
{
	APEX_BYTE own[64] = { 0 };
	MESSAGE_SIZE_TYPE n = 0;

	OK(RECEIVE_QUEUING_MESSAGE, qin, INFINITE_TIME_VALUE, own, &n);
	IS(n, (long)strlen(want));
	IS(memcmp(own, want, strlen(want)), 0);
}

static void receiver(void)
{
	receive("one");
	mark('1');
	receive("two");
	mark('2');
	OK(SEND_QUEUING_MESSAGE, qout, text, 1, INFINITE_TIME_VALUE); /* waits for room */
	mark('3');
	receive("more");
}

static void queuing_checks(void)
{
	QUEUING_PORT_STATUS_TYPE s;
	QUEUING_PORT_ID_TYPE id;
	MESSAGE_SIZE_TYPE n;

	SAYS(INVALID_MODE, CREATE_QUEUING_PORT, "NO_CHANNEL", 64, 1, SOURCE, FIFO, &id);
	SAYS(INVALID_PARAM, SEND_QUEUING_MESSAGE, 99, text, 1, 0);
	SAYS(INVALID_PARAM, SEND_QUEUING_MESSAGE, qout, text, 0, 0);
	SAYS(INVALID_CONFIG, SEND_QUEUING_MESSAGE, qout, text, 65, 0);
	SAYS(INVALID_PARAM, SEND_QUEUING_MESSAGE, qout, text, 1, -2);
	SAYS(INVALID_MODE, SEND_QUEUING_MESSAGE, qin, text, 1, 0);
	SAYS(INVALID_PARAM, RECEIVE_QUEUING_MESSAGE, 99, 0, text, &n);
	SAYS(INVALID_PARAM, RECEIVE_QUEUING_MESSAGE, qin, -2, text, &n);
	SAYS(INVALID_MODE, RECEIVE_QUEUING_MESSAGE, qout, 0, text, &n);
	SAYS(NOT_AVAILABLE, RECEIVE_QUEUING_MESSAGE, qin, 0, text, &n);
	SAYS(TIMED_OUT, RECEIVE_QUEUING_MESSAGE, qin, 100, text, &n);
	SAYS(INVALID_PARAM, CLEAR_QUEUING_PORT, 99);
	SAYS(INVALID_MODE, CLEAR_QUEUING_PORT, qout);
	SAYS(INVALID_PARAM, GET_QUEUING_PORT_STATUS, 99, &s);
	SAYS(INVALID_CONFIG, GET_QUEUING_PORT_ID, "SAMPLE_IN", &id);
	OK(GET_QUEUING_PORT_ID, "QUEUE_IN", &id);
	IS(id, qin);
}

static void queuing_user(void)
{
	QUEUING_PORT_STATUS_TYPE s;
	MESSAGE_SIZE_TYPE n;

	queuing_checks();
	OK(GET_QUEUING_PORT_STATUS, qin, &s);
	IS(s.WAITING_PROCESSES, 1);
	IS(s.MAX_NB_MESSAGE, 3);
	OK(SEND_QUEUING_MESSAGE, qout, text, 64, 0);
	OK(SEND_QUEUING_MESSAGE, qout, text, 2, INFINITE_TIME_VALUE);
	SAYS(NOT_AVAILABLE, SEND_QUEUING_MESSAGE, qout, text, 1, 0);
	SAYS(TIMED_OUT, SEND_QUEUING_MESSAGE, qout, text, 1, 100);
	other_writes(QIN, "one"); /* for the waiting one */
	mark('a');
	other_writes(QIN, "two");
	mark('b');
	SAYS(NOT_AVAILABLE, SEND_QUEUING_MESSAGE, qout, text, 1, 0); /* it waits first */
	IS(plat_port_read(QOUT, text, 64, &(uint64_t){ 0 }), 64);
	sim_post();
	IS(sim.channels[QOUT].count, 2);
	mark('c');
	OK(STOP, 2);
	for (int i = 0; i < 3; i++)
		IS(plat_port_write(QIN, "x", 1), 0);
	OK(GET_QUEUING_PORT_STATUS, qin, &s);
	IS(s.NB_MESSAGE, 3);
	OK(RECEIVE_QUEUING_MESSAGE, qin, 0, text, &n);
	OK(CLEAR_QUEUING_PORT, qin);
	SAYS(NOT_AVAILABLE, RECEIVE_QUEUING_MESSAGE, qin, 0, text, &n);
}

static void queuing_main(void)
{
	QUEUING_DISCIPLINE_TYPE bad = (QUEUING_DISCIPLINE_TYPE)2;
	PORT_DIRECTION_TYPE none = (PORT_DIRECTION_TYPE)2;
	QUEUING_PORT_ID_TYPE id;
	MESSAGE_SIZE_TYPE n;

	SAYS(INVALID_CONFIG, CREATE_QUEUING_PORT, "unknown", 64, 3, SOURCE, FIFO, &id);
	SAYS(INVALID_CONFIG, CREATE_QUEUING_PORT, "NO_CHANNEL", 64, 1, SOURCE, FIFO, &id);
	SAYS(INVALID_PARAM, CREATE_QUEUING_PORT, "QUEUE_IN", 0, 3, DESTINATION, FIFO, &id);
	SAYS(INVALID_CONFIG, CREATE_QUEUING_PORT, "QUEUE_IN", 65, 3, DESTINATION, FIFO, &id);
	SAYS(INVALID_PARAM, CREATE_QUEUING_PORT, "QUEUE_IN", 64, 0, DESTINATION, FIFO, &id);
	SAYS(INVALID_CONFIG, CREATE_QUEUING_PORT, "QUEUE_IN", 64, 4, DESTINATION, FIFO, &id);
	SAYS(INVALID_PARAM, CREATE_QUEUING_PORT, "QUEUE_IN", 64, 3, none, FIFO, &id);
	SAYS(INVALID_CONFIG, CREATE_QUEUING_PORT, "QUEUE_IN", 64, 3, SOURCE, FIFO, &id);
	SAYS(INVALID_PARAM, CREATE_QUEUING_PORT, "QUEUE_IN", 64, 3, DESTINATION, bad, &id);
	OK(CREATE_QUEUING_PORT, "QUEUE_IN", 64, 3, DESTINATION, FIFO, &qin);
	SAYS(NO_ACTION, CREATE_QUEUING_PORT, "QUEUE_IN", 64, 3, DESTINATION, FIFO, &id);
	OK(CREATE_QUEUING_PORT, "QUEUE_OUT", 64, 2, SOURCE, PRIORITY, &qout);
	SAYS(INVALID_MODE, RECEIVE_QUEUING_MESSAGE, qin, 10, text, &n);
	for (int i = 0; i < 2; i++)
		OK(SEND_QUEUING_MESSAGE, qout, text, 1, 0);
	SAYS(INVALID_MODE, SEND_QUEUING_MESSAGE, qout, text, 1, 10);
	sim.channels[QOUT].count = 0;
	OK(START, process_make("A", queuing_user, 10));
	OK(START, process_make("R", receiver, 20));
	OK(SET_PARTITION_MODE, NORMAL);
}

void cases_ports(void)
{
	sim_run(sampling_main);
	TRACE("s");
	sim_run(queuing_main);
	TRACE("1a2b3c");
}
