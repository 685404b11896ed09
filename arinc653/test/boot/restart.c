/* SPDX-License-Identifier: Apache-2.0 */
/* restart.c - SET_PARTITION_MODE: a warm start keeps the data, a cold start makes them anew. */
#include "arinc653/test/boot/boot.h"

static int lives = 100, kept;
static double big[1000];

static void restart(void)
{
	RETURN_CODE_TYPE rc;

	big[999] += 1.0;
	lives++;
	if (lives == 101)
		SET_PARTITION_MODE(WARM_START, &rc);
	else if (lives == 102)
		SET_PARTITION_MODE(COLD_START, &rc);
	say("not reached");
}

void restart_main(void)
{
	PARTITION_STATUS_TYPE s;
	SEMAPHORE_ID_TYPE id;

	OK(GET_PARTITION_STATUS, &s);
	OK(CREATE_SEMAPHORE, "S", 0, 1, FIFO, &id); /* there is none of that name again */
	IS(id, 1);
	if (s.START_CONDITION == NORMAL_START) {
		IS(s.OPERATING_MODE, COLD_START);
		IS(lives, 100);
	} else if (s.OPERATING_MODE == WARM_START) {
		IS(s.START_CONDITION, PARTITION_RESTART);
		IS(lives, 101);
		IS(big[999], 1);
		say("warm");
	} else {
		IS(s.START_CONDITION, PARTITION_RESTART);
		IS(lives, 100);
		IS(big[999], 0);
		say("cold");
		finish();
	}
	kept++;
	OK(START, make("restart", restart, 10, APERIODIC));
}
