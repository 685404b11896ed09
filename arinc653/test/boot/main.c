/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - the main process of the boot test's partitions. */
#include "arinc653/test/boot/boot.h"

static unsigned passed, failed;

static unsigned text_add(char *line, unsigned n, const char *s)
{
	while (*s && n < MAX_ERROR_MESSAGE_SIZE)
		line[n++] = *s++;
	return n;
}

static unsigned number_add(char *line, unsigned n, long long v)
{
	char digits[24];
	unsigned i = sizeof(digits) - 1;
	unsigned long long u = v < 0 ? 0ULL - (unsigned long long)v : (unsigned long long)v;

	digits[i] = 0;
	do {
		digits[--i] = (char)('0' + u % 10);
		u /= 10;
	} while (u != 0);
	if (v < 0)
		digits[--i] = '-';
	return text_add(line, n, &digits[i]);
}

static void line_out(char *line, unsigned n)
{
	RETURN_CODE_TYPE rc;

	REPORT_APPLICATION_MESSAGE((MESSAGE_ADDR_TYPE)line, (MESSAGE_SIZE_TYPE)n, &rc);
}

void say(const char *text)
{
	char line[MAX_ERROR_MESSAGE_SIZE];

	line_out(line, text_add(line, 0, text));
}

void say_number(const char *text, long long v)
{
	char line[MAX_ERROR_MESSAGE_SIZE];

	line_out(line, number_add(line, text_add(line, 0, text), v));
}

void check_at(int ok, const char *what, long long got, int line)
{
	char text[MAX_ERROR_MESSAGE_SIZE];
	unsigned n;

	passed += ok != 0;
	failed += ok == 0;
	if (ok)
		return;
	n = text_add(text, 0, "failed, line ");
	n = number_add(text, n, line);
	n = text_add(text, text_add(text, n, ": "), what);
	n = number_add(text, text_add(text, n, ", got "), got);
	line_out(text, n);
}

void finish(void)
{
	char text[MAX_ERROR_MESSAGE_SIZE];
	unsigned n = number_add(text, 0, passed);
	RETURN_CODE_TYPE rc;

	n = number_add(text, text_add(text, n, " passed, "), failed);
	line_out(text, text_add(text, n, " failed"));
	SET_PARTITION_MODE(IDLE, &rc);
}

void copy_name(char *to, const char *from)
{
	unsigned i = 0;

	for (; from[i]; i++)
		to[i] = from[i];
	for (; i < MAX_NAME_LENGTH; i++)
		to[i] = 0;
}

PROCESS_ID_TYPE make(const char *name, void (*entry)(void), PRIORITY_TYPE priority,
		     SYSTEM_TIME_TYPE period, SYSTEM_TIME_TYPE capacity)
{
	PROCESS_ATTRIBUTE_TYPE a = { .PERIOD = period,
				     .TIME_CAPACITY = capacity,
				     .ENTRY_POINT = (SYSTEM_ADDRESS_TYPE)entry,
				     .STACK_SIZE = 4096,
				     .BASE_PRIORITY = priority,
				     .DEADLINE = HARD };
	PROCESS_ID_TYPE id = NULL_PROCESS_ID;

	copy_name(a.NAME, name);
	OK(CREATE_PROCESS, &a, &id);
	return id;
}

SYSTEM_TIME_TYPE now(void)
{
	RETURN_CODE_TYPE rc;
	SYSTEM_TIME_TYPE t;

	GET_TIME(&t, &rc);
	return t;
}

int main(void)
{
	static void (*const parts[])(void) = {
		[PART_TALKER] = talker_main,   [PART_LISTENER] = listener_main,
		[PART_FAULTS] = faults_main,   [PART_SCHED] = sched_main,
		[PART_RESTART] = restart_main, [PART_COST] = cost_main,
		[PART_CRASH] = crash_main,     [PART_FEEDER] = feeder_main,
		[PART_CORES] = cores_main,     [PART_CORES_RESTART] = cores_restart_main
	};
	PARTITION_ID_TYPE id;
	RETURN_CODE_TYPE rc;

	GET_MY_PARTITION_ID(&id, &rc);
	parts[id]();
	SET_PARTITION_MODE(NORMAL, &rc);
	return 0;
}
