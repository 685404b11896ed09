/* SPDX-License-Identifier: Apache-2.0 */
/* wait.c - queues of processes that wait for an object, and how a service joins one. */
#include "arinc653/apex_internal.h"
#include "arinc653/platform.h"

void waitq_init(struct waitq *q, QUEUING_DISCIPLINE_TYPE discipline)
{
	list_init(&q->head);
	q->discipline = discipline;
	q->count = 0;
}

struct apex_process *waitq_first(const struct waitq *q)
{
	struct apex_process *best = NULL;

	list_for_each (n, &q->head) {
		struct apex_process *p = list_entry(n, struct apex_process, queue);

		if (best == NULL || p->current_priority > best->current_priority)
			best = p;
		if (q->discipline == FIFO)
			break;
	}
	return best;
}

RETURN_CODE_TYPE apex_wait_on(struct waitq *q, SYSTEM_TIME_TYPE time_out)
{
	struct apex_process *p = current();

	list_add_tail(&q->head, &p->queue);
	q->count++;
	p->on = q;
	return apex_wait_for(WAIT_QUEUE, time_after(plat_now(), time_out));
}

RETURN_CODE_TYPE wait_object(struct waitq *q, SYSTEM_TIME_TYPE time_out)
{
	if (time_out == 0)
		return NOT_AVAILABLE;
	if (cannot_wait())
		return INVALID_MODE;
	return apex_wait_on(q, time_out);
}

RETURN_CODE_TYPE wait_send(struct waitq *q, MESSAGE_ADDR_TYPE message, MESSAGE_SIZE_TYPE length,
			   SYSTEM_TIME_TYPE time_out)
{
	struct apex_process *p = current();

	p->message = message;
	p->length = length;
	return wait_object(q, time_out);
}

RETURN_CODE_TYPE wait_receive(struct waitq *q, MESSAGE_ADDR_TYPE message, MESSAGE_SIZE_TYPE *length,
			      SYSTEM_TIME_TYPE time_out)
{
	struct apex_process *p = current();
	RETURN_CODE_TYPE rc = wait_send(q, message, 0, time_out);

	*length = rc == NO_ERROR ? p->length : 0;
	return rc;
}
