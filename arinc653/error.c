/* SPDX-License-Identifier: Apache-2.0 */
/* error.c - health monitoring (ARINC 653 Part 1, 3.8 and 2.4): errors of processes go to the error
 * handler process, which runs before all others; the rest, and errors of its own, to the
 * partition's level, which is the kernel's. */
#include "arinc653/apex_internal.h"
#include "arinc653/platform.h"

#define STACK_MAX (16u << 20)

/* ---- errors ---- */

static void handler_run(void)
{
	if (apex.handler_active)
		return;
	apex.handler_active = true;
	apex.handler_asked = false;
	apex.handler_core = apex.handler.core == CORE_AFFINITY_NO_PREFERENCE
				    ? plat_core()
				    : (uint32_t)apex.handler.core;
	apex.handler.state = READY;
	process_enter(&apex.handler);
}

void error_raise(struct apex_process *p, ERROR_CODE_TYPE code, uint64_t address,
		 const void *message, uint32_t len)
{
	ERROR_STATUS_TYPE *e = &apex.errors[(apex.first_error + apex.n_errors) % ERRORS_MAX];

	if (apex.mode != NORMAL || !apex.handler_made || p == &apex.handler ||
	    apex.config->level[code] != APEX_LEVEL_PROCESS || apex.n_errors == ERRORS_MAX) {
		plat_health(p->id, code, address);
		return;
	}
	memset(e, 0, sizeof(*e));
	e->ERROR_CODE = code;
	e->FAILED_PROCESS_ID = p->id;
	e->FAILED_ADDRESS = (SYSTEM_ADDRESS_TYPE)(uintptr_t)address;
	e->LENGTH = (ERROR_MESSAGE_SIZE_TYPE)len;
	if (len != 0)
		memcpy(e->MESSAGE, message, len);
	apex.n_errors++;
	handler_run();
}

/* It does not go on where it failed, unless somebody says so (RESUME). If the health monitor
 * ignores a fault of the partition's level, the process stays as it is; the handler's ends the
 * handler. */
void apex_fault(ERROR_CODE_TYPE code, uint64_t address)
{
	struct apex_process *p = current();

	if (p->state != READY || p->fresh)
		return; /* another core has just stopped or suspended it: it happens again, or never
			 */
	if (p == &apex.main) {
		plat_health(p->id, code, address);
		plat_end(); /* ignored, but there is no way on */
	}
	if (p == &apex.handler) {
		apex.handler_active = false;
		apex.handler.state = DORMANT;
		apex.n_errors = 0;
	} else {
		process_off(p, FAULTED);
	}
	apex.resched = true;
	error_raise(p, code, address, NULL, 0);
}

/* Errors that came since it last asked are handled by a new run; a handler that never asks has
 * none. */
_Noreturn void handler_stop(void)
{
	apex.handler_active = false;
	apex.handler.state = DORMANT;
	if (!apex.handler_asked)
		apex.n_errors = 0;
	if (apex.n_errors != 0)
		handler_run();
	apex.resched = true;
	apex_go();
}

/* ---- services ---- */

void REPORT_APPLICATION_MESSAGE(MESSAGE_ADDR_TYPE MESSAGE_ADDR, MESSAGE_SIZE_TYPE LENGTH,
				RETURN_CODE_TYPE *RETURN_CODE)
{
	if (LENGTH < 0 || LENGTH > MAX_ERROR_MESSAGE_SIZE) {
		*RETURN_CODE = INVALID_PARAM;
		return;
	}
	plat_touch(MESSAGE_ADDR, (size_t)LENGTH, false);
	apex_lock();
	plat_message(MESSAGE_ADDR, (uint32_t)LENGTH);
	apex_unlock();
	*RETURN_CODE = NO_ERROR;
}

static RETURN_CODE_TYPE create_handler(SYSTEM_ADDRESS_TYPE entry, STACK_SIZE_TYPE stack)
{
	struct apex_process *p = &apex.handler;

	if (apex.handler_made)
		return NO_ACTION;
	if (stack == 0 || stack > STACK_MAX)
		return INVALID_CONFIG;
	if (apex.mode == NORMAL)
		return INVALID_MODE;
	p->context = plat_alloc(plat_context_size(), 64);
	p->stack_top = p->context == NULL ? NULL : plat_stack(ROUND_UP(stack, 4096u));
	if (p->stack_top == NULL)
		return INVALID_CONFIG;
	p->attributes.ENTRY_POINT = entry;
	p->attributes.STACK_SIZE = stack;
	apex.handler_made = true;
	return NO_ERROR;
}

void CREATE_ERROR_HANDLER(SYSTEM_ADDRESS_TYPE ENTRY_POINT, STACK_SIZE_TYPE STACK_SIZE,
			  RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc;

	apex_lock();
	rc = create_handler(ENTRY_POINT, STACK_SIZE);
	apex_unlock();
	*RETURN_CODE = rc;
}

void GET_ERROR_STATUS(ERROR_STATUS_TYPE *ERROR_STATUS, RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc = NO_ERROR;
	ERROR_STATUS_TYPE e = { 0 };

	apex_lock();
	if (!is_handler()) {
		rc = INVALID_CONFIG;
	} else if (apex.n_errors == 0) {
		apex.handler_asked = true;
		rc = NO_ACTION;
	} else {
		apex.handler_asked = true;
		e = apex.errors[apex.first_error];
		apex.first_error = (apex.first_error + 1) % ERRORS_MAX;
		apex.n_errors--;
	}
	apex_unlock();
	if (rc == NO_ERROR)
		*ERROR_STATUS = e;
	*RETURN_CODE = rc;
}

void RAISE_APPLICATION_ERROR(ERROR_CODE_TYPE ERROR_CODE, MESSAGE_ADDR_TYPE MESSAGE_ADDR,
			     ERROR_MESSAGE_SIZE_TYPE LENGTH, RETURN_CODE_TYPE *RETURN_CODE)
{
	if (LENGTH < 0 || LENGTH > MAX_ERROR_MESSAGE_SIZE || ERROR_CODE != APPLICATION_ERROR) {
		*RETURN_CODE = INVALID_PARAM;
		return;
	}
	plat_touch(MESSAGE_ADDR, (size_t)LENGTH, false);
	apex_lock();
	error_raise(current(), APPLICATION_ERROR, 0, MESSAGE_ADDR, (uint32_t)LENGTH);
	apex_unlock();
	*RETURN_CODE = NO_ERROR;
}

/* PROCESSES_PAUSE: no process runs while the handler does; PROCESSES_SCHEDULED: only on its core.
 */
void CONFIGURE_ERROR_HANDLER(ERROR_HANDLER_CONCURRENCY_CONTROL_TYPE CONCURRENCY_CONTROL,
			     PROCESSOR_CORE_ID_TYPE PROCESSOR_CORE_ID,
			     RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc = NO_ERROR;

	apex_lock();
	if (!apex.handler_made)
		rc = INVALID_CONFIG;
	else if (CONCURRENCY_CONTROL != PROCESSES_PAUSE &&
		 CONCURRENCY_CONTROL != PROCESSES_SCHEDULED)
		rc = INVALID_PARAM;
	else if (!core_valid(PROCESSOR_CORE_ID))
		rc = INVALID_CONFIG;
	else if (apex.mode == NORMAL)
		rc = INVALID_MODE;
	if (rc == NO_ERROR) {
		apex.handler_shares = CONCURRENCY_CONTROL == PROCESSES_SCHEDULED;
		apex.handler.core = PROCESSOR_CORE_ID;
	}
	apex_unlock();
	*RETURN_CODE = rc;
}
