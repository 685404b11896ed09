/* SPDX-License-Identifier: Apache-2.0 */
/* faults.c - each error of a process reaches the error handler with its code, its process and its
 * address, and the others go on; a partition whose error handler fails is the health monitor's. */
#include "arinc653/test/boot/boot.h"

#define MS 1000000

static PROCESS_ID_TYPE ids[16], driver_id;
static ERROR_STATUS_TYPE last;
static int errors;
static volatile int zero;
static int read_only_word; /* its page is writable: see writes_text */

static void divides(void)
{
	zero = 7 / zero;
}

static void divides_x87(void)
{
	unsigned short control = 0x37b; /* division by zero is not masked */

	__asm__ volatile("fldcw %0\n\tfld1\n\tfldz\n\tfdivrp\n\tfwait" : : "m"(control));
}

static int deep(volatile char *above)
{
	volatile char here[256];

	here[0] = above[0];
	return zero == 1234567 ? 0 : deep(here) + here[0];
}

static void overflows(void)
{
	volatile char here[1] = { 0 };

	zero = deep(here);
}

/* No room for a service: it begins at the very end of the stack. */
static void overflows_in_service(void)
{
	SYSTEM_TIME_TYPE time = 0;
	RETURN_CODE_TYPE rc;

	__asm__ volatile("movq %%rsp, %%rbx\n\t"
			 "subq $6400, %%rsp\n\t"
			 "andq $-16, %%rsp\n\t"
			 "movl $0, %%edi\n\t"
			 "movq %0, %%rsi\n\t"
			 "call TIMED_WAIT\n\t"
			 "movq %%rbx, %%rsp"
			 :
			 : "r"(&rc)
			 : "rbx", "rdi", "rsi", "rax", "rcx", "rdx", "r8", "r9", "r10", "r11",
			   "memory", "cc");
	OK(TIMED_WAIT, time);
}

static void writes_null(void)
{
	*(volatile int *)(uintptr_t)zero = 1;
}

static void writes_text(void)
{
	*(volatile int *)(uintptr_t)(void *)writes_null = read_only_word;
}

static void executes_data(void)
{
	((void (*)(void))(uintptr_t)&read_only_word)();
}

static void bad_pointer(void)
{
	SEMAPHORE_ID_TYPE id;

	OK(GET_SEMAPHORE_ID, "S", &id);
	SAYS(NOT_AVAILABLE, RECEIVE_BUFFER, 1, 0, (MESSAGE_ADDR_TYPE)0x123456789000, &id);
}

static void bad_return_code(void)
{
	OK(SIGNAL_SEMAPHORE, 1);
	SIGNAL_SEMAPHORE(1, (RETURN_CODE_TYPE *)(uintptr_t)0x800);
}

static void bad_opcode(void)
{
	__asm__ volatile("ud2");
}

static void privileged(void)
{
	__asm__ volatile("cli");
}

static void linux_call(void)
{
	__asm__ volatile("syscall" : : "a"(39) : "rcx", "r11", "memory");
}

static void misses(void)
{
	for (;;)
		;
}

static const struct {
	const char *name;
	void (*entry)(void);
	ERROR_CODE_TYPE code;
	uintptr_t address; /* 0: not looked at */
} cases[] = {
	{ "divide", divides, NUMERIC_ERROR, 0 },
	{ "divide x87", divides_x87, NUMERIC_ERROR, 0 },
	{ "overflow", overflows, STACK_OVERFLOW, 0 },
	{ "overflow service", overflows_in_service, STACK_OVERFLOW, 0 },
	{ "null", writes_null, MEMORY_VIOLATION, 0 },
	{ "text", writes_text, MEMORY_VIOLATION, (uintptr_t)writes_null },
	{ "data", executes_data, MEMORY_VIOLATION, (uintptr_t)&read_only_word },
	{ "pointer", bad_pointer, MEMORY_VIOLATION, 0x123456789000 },
	{ "code", bad_return_code, MEMORY_VIOLATION, 0x800 },
	{ "opcode", bad_opcode, ILLEGAL_REQUEST, (uintptr_t)bad_opcode },
	{ "privileged", privileged, ILLEGAL_REQUEST, (uintptr_t)privileged },
	{ "call", linux_call, ILLEGAL_REQUEST, 0 },
	{ "deadline", misses, DEADLINE_MISSED, 0 },
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

static void handler(void)
{
	PROCESS_STATUS_TYPE s;
	RETURN_CODE_TYPE rc;

	for (;;) {
		GET_ERROR_STATUS(&last, &rc);
		if (rc != NO_ERROR)
			break;
		errors++;
		OK(GET_PROCESS_STATUS, last.FAILED_PROCESS_ID, &s);
		IS(s.PROCESS_STATE, last.ERROR_CODE == DEADLINE_MISSED ? READY : FAULTED);
		OK(STOP, last.FAILED_PROCESS_ID);
	}
	STOP_SELF();
}

static void driver(void)
{
	for (unsigned i = 0; i < CASES; i++) {
		volatile double x = (double)i + 0.5; /* stays what it is, whoever else computes */

		OK(START, ids[i]); /* of higher priority: it has failed when this returns */
		if (cases[i].code == DEADLINE_MISSED)
			OK(TIMED_WAIT, 2 * MS);
		if (errors != (int)i + 1)
			say(cases[i].name);
		IS(errors, i + 1);
		IS(last.ERROR_CODE, cases[i].code);
		IS(last.FAILED_PROCESS_ID, ids[i]);
		if (cases[i].address != 0)
			IS((uintptr_t)last.FAILED_ADDRESS, cases[i].address);
		IS(x * 2.0, 2 * i + 1);
	}
	finish();
}

void faults_main(void)
{
	BUFFER_ID_TYPE buffer;
	SEMAPHORE_ID_TYPE s;

	OK(CREATE_ERROR_HANDLER, (SYSTEM_ADDRESS_TYPE)handler, 4096);
	OK(CREATE_BUFFER, "B", 64, 2, FIFO, &buffer);
	OK(CREATE_SEMAPHORE, "S", 0, 100, FIFO, &s);
	driver_id = make("driver", driver, 10, APERIODIC);
	for (unsigned i = 0; i < CASES; i++)
		ids[i] = make(cases[i].name, cases[i].entry, 20, INFINITE_TIME_VALUE,
			      cases[i].code == DEADLINE_MISSED ? MS : INFINITE_TIME_VALUE);
	OK(START, driver_id);
}

/* ---- the error handler fails itself: the partition's level ---- */

static void crashes(void)
{
	zero = 7 / zero;
}

static void crash_driver(void)
{
	APEX_BYTE text[4] = "oops";

	say("crashing");
	OK(RAISE_APPLICATION_ERROR, APPLICATION_ERROR, text, 4);
	say("went on"); /* the health monitor ignored it; the handler has ended */
	finish();
}

void crash_main(void)
{
	PARTITION_STATUS_TYPE s;

	OK(GET_PARTITION_STATUS, &s);
	if (s.START_CONDITION == HM_PARTITION_RESTART) {
		say(s.OPERATING_MODE == WARM_START ? "restarted by the health monitor, warm"
						   : "restarted by the health monitor, cold");
		finish();
	}
	IS(s.START_CONDITION, NORMAL_START);
	OK(CREATE_ERROR_HANDLER, (SYSTEM_ADDRESS_TYPE)crashes, 4096);
	OK(START, make("driver", crash_driver, 10, APERIODIC));
}
