/* SPDX-License-Identifier: Apache-2.0 */
/* apex_test.c - the services on the simulated platform, and the table of every (service, return
 * code) pair, each of which some case must have seen (docs/arinc653.md lists the same). */
#include "arinc653/test/sim.h"
#include "tests/unit.h"

#define B(code) (1u << (code))
#define NA B(NO_ACTION)
#define AV B(NOT_AVAILABLE)
#define IP B(INVALID_PARAM)
#define IC B(INVALID_CONFIG)
#define IM B(INVALID_MODE)
#define TO B(TIMED_OUT)

static const struct pairs {
	const char *service;
	unsigned codes; /* beside NO_ERROR */
} pairs[] = {
	{ "GET_PARTITION_STATUS", 0 },
	{ "SET_PARTITION_MODE", NA | IP | IM },
	{ "GET_MY_PARTITION_ID", 0 },
	{ "GET_PROCESS_ID", IC },
	{ "GET_PROCESS_STATUS", IP },
	{ "CREATE_PROCESS", NA | IP | IC | IM },
	{ "SET_PRIORITY", IP | IM },
	{ "SUSPEND_SELF", IP | IM | TO },
	{ "SUSPEND", NA | IP | IM },
	{ "RESUME", NA | IP | IM },
	{ "STOP", NA | IP },
	{ "START", NA | IP | IC },
	{ "DELAYED_START", NA | IP | IC },
	{ "LOCK_PREEMPTION", NA | IC | IM },
	{ "UNLOCK_PREEMPTION", NA | IM },
	{ "GET_MY_ID", IM },
	{ "INITIALIZE_PROCESS_CORE_AFFINITY", IP | IC | IM },
	{ "GET_MY_PROCESSOR_CORE_ID", 0 },
	{ "GET_MY_INDEX", IM },
	{ "TIMED_WAIT", IP | IM },
	{ "PERIODIC_WAIT", IC | IM },
	{ "GET_TIME", 0 },
	{ "REPLENISH", NA | IP | IM },
	{ "CREATE_SAMPLING_PORT", NA | IP | IC | IM },
	{ "WRITE_SAMPLING_MESSAGE", IP | IC | IM },
	{ "READ_SAMPLING_MESSAGE", NA | IP | IM },
	{ "GET_SAMPLING_PORT_ID", IC },
	{ "GET_SAMPLING_PORT_STATUS", IP },
	{ "CREATE_QUEUING_PORT", NA | IP | IC | IM },
	{ "SEND_QUEUING_MESSAGE", AV | IP | IC | IM | TO },
	{ "RECEIVE_QUEUING_MESSAGE", AV | IP | IM | TO },
	{ "GET_QUEUING_PORT_ID", IC },
	{ "GET_QUEUING_PORT_STATUS", IP },
	{ "CLEAR_QUEUING_PORT", IP | IM },
	{ "CREATE_BUFFER", NA | IP | IC | IM },
	{ "SEND_BUFFER", AV | IP | IM | TO },
	{ "RECEIVE_BUFFER", AV | IP | IM | TO },
	{ "GET_BUFFER_ID", IC },
	{ "GET_BUFFER_STATUS", IP },
	{ "CREATE_BLACKBOARD", NA | IP | IC | IM },
	{ "DISPLAY_BLACKBOARD", IP },
	{ "READ_BLACKBOARD", AV | IP | IM | TO },
	{ "CLEAR_BLACKBOARD", IP },
	{ "GET_BLACKBOARD_ID", IC },
	{ "GET_BLACKBOARD_STATUS", IP },
	{ "CREATE_SEMAPHORE", NA | IP | IC | IM },
	{ "WAIT_SEMAPHORE", AV | IP | IM | TO },
	{ "SIGNAL_SEMAPHORE", NA | IP },
	{ "GET_SEMAPHORE_ID", IC },
	{ "GET_SEMAPHORE_STATUS", IP },
	{ "CREATE_EVENT", NA | IC | IM },
	{ "SET_EVENT", IP },
	{ "RESET_EVENT", IP },
	{ "WAIT_EVENT", AV | IP | IM | TO },
	{ "GET_EVENT_ID", IC },
	{ "GET_EVENT_STATUS", IP },
	{ "CREATE_MUTEX", NA | IP | IC | IM },
	{ "ACQUIRE_MUTEX", AV | IP | IC | IM | TO },
	{ "RELEASE_MUTEX", IP | IM },
	{ "RESET_MUTEX", IP | IM },
	{ "GET_MUTEX_ID", IC },
	{ "GET_MUTEX_STATUS", IP },
	{ "GET_PROCESS_MUTEX_STATE", IP },
	{ "REPORT_APPLICATION_MESSAGE", IP },
	{ "CREATE_ERROR_HANDLER", NA | IC | IM },
	{ "GET_ERROR_STATUS", NA | IC },
	{ "RAISE_APPLICATION_ERROR", IP },
	{ "CONFIGURE_ERROR_HANDLER", IP | IC | IM },
};
static unsigned seen[ARRAY_SIZE(pairs)];

static const char *const names[] = { "NO_ERROR",      "NO_ACTION",	"NOT_AVAILABLE",
				     "INVALID_PARAM", "INVALID_CONFIG", "INVALID_MODE",
				     "TIMED_OUT" };

void sim_pair(const char *service, RETURN_CODE_TYPE want, RETURN_CODE_TYPE got, const char *file,
	      int line)
{
	size_t i = 0;

	if (got != want) {
		printf("%s:%d: %s says %s, not %s\n", file, line, service,
		       got <= TIMED_OUT ? names[got] : "nothing", names[want]);
		sim_failures++;
		return;
	}
	while (i < ARRAY_SIZE(pairs) && strcmp(pairs[i].service, service) != 0)
		i++;
	if (i == ARRAY_SIZE(pairs) || (want != NO_ERROR && !(pairs[i].codes & B(want)))) {
		printf("%s:%d: %s %s is not in the table\n", file, line, service, names[want]);
		sim_failures++;
		return;
	}
	seen[i] |= B(want);
}

/* The row of the service in docs/arinc653.md has these codes and no others. */
static void documented(const char *docs, const struct pairs *p)
{
	char row[256], start[64];
	const char *at;

	snprintf(start, sizeof(start), "\n| `%s` | 3.", p->service);
	at = strstr(docs, start);
	if (at == NULL) {
		printf("docs/arinc653.md: no %s\n", p->service);
		sim_failures++;
		return;
	}
	snprintf(row, sizeof(row), "%.*s", (int)strcspn(at + 1, "\n"), at + 1);
	for (unsigned c = 1; c <= TIMED_OUT; c++)
		if ((strstr(row, names[c]) != NULL) != ((p->codes & B(c)) != 0)) {
			printf("docs/arinc653.md: %s %s\n", p->service, names[c]);
			sim_failures++;
		}
}

static void docs_agree(void)
{
	static char docs[65536];
	FILE *f = fopen("docs/arinc653.md", "r");
	size_t n = f != NULL ? fread(docs, 1, sizeof(docs) - 1, f) : 0;

	docs[n] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		documented(docs, &pairs[i]);
	if (f != NULL)
		fclose(f);
}

/* Entering NORMAL mode does not return: the cases that run in it have seen it. */
void cases_pairs(void)
{
	docs_agree();
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		unsigned codes = pairs[i].codes | B(NO_ERROR);

		if (strcmp(pairs[i].service, "SET_PARTITION_MODE") == 0)
			codes &= ~B(NO_ERROR);
		for (unsigned c = 0; c <= TIMED_OUT; c++)
			if (codes & ~seen[i] & B(c)) {
				printf("no case: %s %s\n", pairs[i].service, names[c]);
				sim_failures++;
			}
	}
}

#define GROUP(name)                        \
	TEST(name)                         \
	{                                  \
		sim_failures = 0;          \
		cases_##name();            \
		CHECK_EQ(sim_failures, 0); \
	}
GROUP(process)
GROUP(state)
GROUP(time)
GROUP(objects)
GROUP(buffer)
GROUP(mutex)
GROUP(ports)
GROUP(error)
GROUP(partition)
GROUP(config)
GROUP(cores)
GROUP(pairs)

UNIT_MAIN(CASE(process), CASE(state), CASE(time), CASE(objects), CASE(buffer), CASE(mutex),
	  CASE(ports), CASE(error), CASE(partition), CASE(config), CASE(cores), CASE(pairs))
