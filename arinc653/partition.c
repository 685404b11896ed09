/* SPDX-License-Identifier: Apache-2.0 */
/* partition.c - partition management (ARINC 653 Part 1, 3.2). */
#include "arinc653/apex_internal.h"
#include "arinc653/platform.h"

void GET_PARTITION_STATUS(PARTITION_STATUS_TYPE *PARTITION_STATUS, RETURN_CODE_TYPE *RETURN_CODE)
{
	PARTITION_STATUS_TYPE s;

	apex_lock();
	s = (PARTITION_STATUS_TYPE){
		.PERIOD = (SYSTEM_TIME_TYPE)apex.config->period_ns,
		.DURATION = (SYSTEM_TIME_TYPE)apex.config->duration_ns,
		.IDENTIFIER = (PARTITION_ID_TYPE)apex.config->identifier,
		.LOCK_LEVEL = apex.preemption.count,
		.OPERATING_MODE = apex.mode,
		.START_CONDITION = apex.start_condition,
		.NUM_ASSIGNED_CORES = apex.n_cores,
	};
	apex_unlock();
	*PARTITION_STATUS = s;
	*RETURN_CODE = NO_ERROR;
}

void GET_MY_PARTITION_ID(PARTITION_ID_TYPE *PARTITION_ID, RETURN_CODE_TYPE *RETURN_CODE)
{
	*PARTITION_ID = (PARTITION_ID_TYPE)apex.config->identifier;
	*RETURN_CODE = NO_ERROR;
}

/* The main process ends here: from now on the processes run that it has started, in this order. */
static _Noreturn void enter_normal(void)
{
	uint64_t now = plat_now();

	apex.mode = NORMAL;
	apex.main.state = DORMANT;
	while (!list_empty(&apex.started)) {
		struct apex_process *p = list_entry(apex.started.next, struct apex_process, queue);

		process_off(p, DORMANT);
		process_begin(p, p->delay, now);
	}
	apex.resched = true;
	plat_cores_start();
	apex_go();
}

void SET_PARTITION_MODE(OPERATING_MODE_TYPE OPERATING_MODE, RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc = NO_ERROR;

	apex_lock();
	if ((unsigned)OPERATING_MODE > NORMAL)
		rc = INVALID_PARAM;
	else if (OPERATING_MODE == NORMAL && apex.mode == NORMAL)
		rc = NO_ACTION;
	else if (OPERATING_MODE == WARM_START && apex.mode == COLD_START)
		rc = INVALID_MODE;
	else if (OPERATING_MODE == NORMAL)
		enter_normal();
	else if (OPERATING_MODE == IDLE)
		plat_end();
	else
		plat_restart(OPERATING_MODE);
	apex_unlock();
	*RETURN_CODE = rc;
}
