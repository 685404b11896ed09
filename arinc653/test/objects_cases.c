/* SPDX-License-Identifier: Apache-2.0 */
/* objects_cases.c - semaphores, events, blackboards. */
#include "arinc653/test/sim.h"

static SEMAPHORE_ID_TYPE semaphore;
static EVENT_ID_TYPE event;
static BLACKBOARD_ID_TYPE board;

static char *numbered(const char *kind, int i)
{
	static char name[32];

	snprintf(name, sizeof(name), "%s %d", kind, i);
	return name;
}

/* ---- semaphores ---- */

static void semaphore_waiter(char c)
{
	RETURN_CODE_TYPE rc;

	WAIT_SEMAPHORE(semaphore, INFINITE_TIME_VALUE, &rc);
	IS(rc, NO_ERROR);
	mark(c);
}

static void low(void)
{
	semaphore_waiter('l');
}

static void high(void)
{
	semaphore_waiter('h');
}

static void semaphore_user(void)
{
	SEMAPHORE_STATUS_TYPE s;
	SEMAPHORE_ID_TYPE id;

	SAYS(INVALID_MODE, CREATE_SEMAPHORE, "late", 0, 1, FIFO, &id);
	SAYS(INVALID_PARAM, WAIT_SEMAPHORE, 99, 0);
	SAYS(INVALID_PARAM, WAIT_SEMAPHORE, semaphore, -2);
	SAYS(INVALID_PARAM, WAIT_SEMAPHORE, semaphore, INT64_MAX);
	SAYS(INVALID_PARAM, SIGNAL_SEMAPHORE, 99);
	SAYS(INVALID_PARAM, GET_SEMAPHORE_STATUS, 99, &s);
	SAYS(INVALID_CONFIG, GET_SEMAPHORE_ID, "none", &id);
	OK(GET_SEMAPHORE_ID, "S", &id);
	IS(id, semaphore);
	SAYS(NOT_AVAILABLE, WAIT_SEMAPHORE, semaphore, 0);
	SAYS(TIMED_OUT, WAIT_SEMAPHORE, semaphore, 500); /* behind the two others */
	OK(GET_SEMAPHORE_STATUS, semaphore, &s);
	IS(s.WAITING_PROCESSES, 2);
	IS(s.CURRENT_VALUE, 0);
	IS(s.MAXIMUM_VALUE, 2);
	OK(SIGNAL_SEMAPHORE, semaphore);
	OK(SIGNAL_SEMAPHORE, semaphore);
	OK(SIGNAL_SEMAPHORE, semaphore);
	OK(SIGNAL_SEMAPHORE, semaphore);
	SAYS(NO_ACTION, SIGNAL_SEMAPHORE, semaphore); /* at its maximum */
	OK(WAIT_SEMAPHORE, semaphore, 0);
	OK(WAIT_SEMAPHORE, semaphore, INFINITE_TIME_VALUE);
	mark('u');
}

static void semaphores_made(QUEUING_DISCIPLINE_TYPE discipline)
{
	SEMAPHORE_ID_TYPE id;

	OK(CREATE_SEMAPHORE, "S", 0, 2, discipline, &semaphore);
	SAYS(NO_ACTION, CREATE_SEMAPHORE, "S", 0, 2, FIFO, &id);
	SAYS(INVALID_PARAM, CREATE_SEMAPHORE, "T", -1, 2, FIFO, &id);
	SAYS(INVALID_PARAM, CREATE_SEMAPHORE, "T", 3, 2, FIFO, &id);
	SAYS(INVALID_PARAM, CREATE_SEMAPHORE, "T", 0, 0, FIFO, &id);
	SAYS(INVALID_PARAM, CREATE_SEMAPHORE, "T", 0, MAX_SEMAPHORE_VALUE + 1, FIFO, &id);
	SAYS(INVALID_PARAM, CREATE_SEMAPHORE, "T", 0, 1, (QUEUING_DISCIPLINE_TYPE)2, &id);
	SAYS(INVALID_MODE, WAIT_SEMAPHORE, semaphore, 10); /* the main process */
	OK(START, process_make("L", low, 20));
	OK(START, process_make("H", high, 30));
	OK(START, process_make("U", semaphore_user, 10));
}

/* The lower one came first: H starts to wait only after L. */
static void semaphore_fifo_main(void)
{
	semaphores_made(FIFO);
	OK(STOP, 2);
	OK(DELAYED_START, 2, 100);
	OK(SET_PARTITION_MODE, NORMAL);
}

static void semaphore_priority_main(void)
{
	semaphores_made(PRIORITY);
	OK(STOP, 2);
	OK(DELAYED_START, 2, 100);
	OK(SET_PARTITION_MODE, NORMAL);
}

/* ---- events ---- */

static void event_waiter(void)
{
	OK(WAIT_EVENT, event, INFINITE_TIME_VALUE);
	mark('e');
}

static void event_user(void)
{
	EVENT_STATUS_TYPE s;
	EVENT_ID_TYPE id;

	SAYS(INVALID_MODE, CREATE_EVENT, "late", &id);
	SAYS(INVALID_PARAM, WAIT_EVENT, 99, 0);
	SAYS(INVALID_PARAM, WAIT_EVENT, event, -2);
	SAYS(INVALID_PARAM, SET_EVENT, 99);
	SAYS(INVALID_PARAM, RESET_EVENT, 99);
	SAYS(INVALID_PARAM, GET_EVENT_STATUS, 99, &s);
	SAYS(INVALID_CONFIG, GET_EVENT_ID, "none", &id);
	OK(GET_EVENT_ID, "E", &id);
	IS(id, event);
	SAYS(NOT_AVAILABLE, WAIT_EVENT, event, 0);
	SAYS(TIMED_OUT, WAIT_EVENT, event, 500);
	OK(GET_EVENT_STATUS, event, &s);
	IS(s.WAITING_PROCESSES, 2);
	IS(s.EVENT_STATE, DOWN);
	OK(SET_EVENT, event); /* wakes all */
	mark('u');
	OK(WAIT_EVENT, event, 0); /* it stays up */
	OK(GET_EVENT_STATUS, event, &s);
	IS(s.EVENT_STATE, UP);
	OK(RESET_EVENT, event);
	SAYS(NOT_AVAILABLE, WAIT_EVENT, event, 0);
}

static void event_main(void)
{
	EVENT_ID_TYPE id;

	OK(CREATE_EVENT, "E", &event);
	SAYS(NO_ACTION, CREATE_EVENT, "E", &id);
	SAYS(INVALID_MODE, WAIT_EVENT, event, 10);
	OK(START, process_make("A", event_waiter, 20));
	OK(START, process_make("B", event_waiter, 30));
	OK(START, process_make("U", event_user, 10));
	OK(SET_PARTITION_MODE, NORMAL);
}

/* ---- blackboards ---- */

static APEX_BYTE text[16];

static void board_reader(void)
{
	MESSAGE_SIZE_TYPE n = 0;
	APEX_BYTE own[16] = { 0 };

	OK(READ_BLACKBOARD, board, INFINITE_TIME_VALUE, own, &n);
	IS(n, 3);
	IS(memcmp(own, "one", 3), 0); /* what woke it, not what came after */
	mark('r');
}

static void board_user(void)
{
	BLACKBOARD_STATUS_TYPE s;
	BLACKBOARD_ID_TYPE id;
	MESSAGE_SIZE_TYPE n;

	SAYS(INVALID_MODE, CREATE_BLACKBOARD, "late", 8, &id);
	SAYS(INVALID_PARAM, READ_BLACKBOARD, 99, 0, text, &n);
	SAYS(INVALID_PARAM, READ_BLACKBOARD, board, -2, text, &n);
	SAYS(INVALID_PARAM, DISPLAY_BLACKBOARD, 99, text, 3);
	SAYS(INVALID_PARAM, DISPLAY_BLACKBOARD, board, text, 0);
	SAYS(INVALID_PARAM, DISPLAY_BLACKBOARD, board, text, 17);
	SAYS(INVALID_PARAM, CLEAR_BLACKBOARD, 99);
	SAYS(INVALID_PARAM, GET_BLACKBOARD_STATUS, 99, &s);
	SAYS(INVALID_CONFIG, GET_BLACKBOARD_ID, "none", &id);
	OK(GET_BLACKBOARD_ID, "B", &id);
	IS(id, board);
	SAYS(NOT_AVAILABLE, READ_BLACKBOARD, board, 0, text, &n);
	SAYS(TIMED_OUT, READ_BLACKBOARD, board, 500, text, &n);
	IS(n, 0);
	OK(GET_BLACKBOARD_STATUS, board, &s);
	IS(s.EMPTY_INDICATOR, EMPTY);
	IS(s.WAITING_PROCESSES, 2);
	IS(s.MAX_MESSAGE_SIZE, 16);
	OK(SET_PRIORITY, 3, 100); /* before the readers */
	OK(DISPLAY_BLACKBOARD, board, (MESSAGE_ADDR_TYPE) "one", 3);
	OK(DISPLAY_BLACKBOARD, board, (MESSAGE_ADDR_TYPE) "two!", 4);
	OK(SET_PRIORITY, 3, 10);
	OK(READ_BLACKBOARD, board, 0, text, &n);
	IS(n, 4);
	OK(GET_BLACKBOARD_STATUS, board, &s);
	IS(s.EMPTY_INDICATOR, OCCUPIED);
	OK(CLEAR_BLACKBOARD, board);
	SAYS(NOT_AVAILABLE, READ_BLACKBOARD, board, 0, text, &n);
	mark('u');
}

static void board_main(void)
{
	BLACKBOARD_ID_TYPE id;
	MESSAGE_SIZE_TYPE n;

	OK(CREATE_BLACKBOARD, "B", 16, &board);
	SAYS(NO_ACTION, CREATE_BLACKBOARD, "B", 16, &id);
	SAYS(INVALID_PARAM, CREATE_BLACKBOARD, "C", 0, &id);
	SAYS(INVALID_PARAM, CREATE_BLACKBOARD, "C", SYSTEM_LIMIT_MESSAGE_SIZE + 1, &id);
	SAYS(INVALID_MODE, READ_BLACKBOARD, board, 10, text, &n);
	OK(START, process_make("A", board_reader, 20));
	OK(START, process_make("B", board_reader, 30));
	OK(START, process_make("U", board_user, 10));
	OK(SET_PARTITION_MODE, NORMAL);
}

static void limits_main(void)
{
	APEX_INTEGER id;

	for (int i = 1; i <= 256; i++) {
		OK(CREATE_SEMAPHORE, numbered("S", i), 1, 1, FIFO, &id);
		OK(CREATE_EVENT, numbered("E", i), &id);
		OK(CREATE_BLACKBOARD, numbered("B", i), 1, &id);
		OK(CREATE_MUTEX, numbered("M", i), 1, FIFO, &id);
		IS(id, i);
	}
	SAYS(INVALID_CONFIG, CREATE_SEMAPHORE, "more", 1, 1, FIFO, &id);
	SAYS(INVALID_CONFIG, CREATE_EVENT, "more", &id);
	SAYS(INVALID_CONFIG, CREATE_BLACKBOARD, "more", 8, &id);
	SAYS(INVALID_CONFIG, CREATE_MUTEX, "more", 1, FIFO, &id);
}

static void no_memory_main(void)
{
	sim.memory_left = 4;
	SAYS(INVALID_CONFIG, CREATE_BLACKBOARD, "B", 16, &board);
	SAYS(INVALID_CONFIG, CREATE_BUFFER, "B", 16, 2, FIFO, &(BUFFER_ID_TYPE){ 0 });
}

void cases_objects(void)
{
	sim_run(semaphore_fifo_main);
	TRACE("lhu");
	sim_run(semaphore_priority_main);
	TRACE("hlu");
	sim_run(event_main);
	TRACE("eeu");
	sim_run(board_main);
	TRACE("rru");
	sim_run(limits_main);
	sim_run(no_memory_main);
}
