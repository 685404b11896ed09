/* SPDX-License-Identifier: Apache-2.0 */
/* blackboard.c - one message for all processes of the partition (ARINC 653 Part 1, 3.7.2.2). */
#include "arinc653/apex_internal.h"
#include "arinc653/object.h"
#include "arinc653/platform.h"

struct blackboard {
	struct apex_object o;
	uint8_t *bytes;
	MESSAGE_SIZE_TYPE max_size, length; /* length 0: empty */
};

OBJECT_KIND(blackboards, struct blackboard, MAX_NUMBER_OF_BLACKBOARDS);

static RETURN_CODE_TYPE create(const NAME_TYPE name, MESSAGE_SIZE_TYPE size)
{
	RETURN_CODE_TYPE rc =
		object_refused(&blackboards, name, size >= 1 && size <= SYSTEM_LIMIT_MESSAGE_SIZE);
	struct blackboard *b;
	uint8_t *bytes;

	if (rc != NO_ERROR)
		return rc;
	bytes = plat_alloc((size_t)size, 8);
	if (bytes == NULL)
		return INVALID_CONFIG;
	b = object_make(&blackboards, name, FIFO);
	b->bytes = bytes;
	b->max_size = size;
	return NO_ERROR;
}

void CREATE_BLACKBOARD(BLACKBOARD_NAME_TYPE BLACKBOARD_NAME, MESSAGE_SIZE_TYPE MAX_MESSAGE_SIZE,
		       BLACKBOARD_ID_TYPE *BLACKBOARD_ID, RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc;
	BLACKBOARD_ID_TYPE id;
	NAME_TYPE name;

	name_copy(name, BLACKBOARD_NAME);
	apex_lock();
	rc = create(name, MAX_MESSAGE_SIZE);
	id = (BLACKBOARD_ID_TYPE)blackboards.n;
	apex_unlock();
	if (rc == NO_ERROR)
		*BLACKBOARD_ID = id;
	*RETURN_CODE = rc;
}

static size_t message_size(BLACKBOARD_ID_TYPE id)
{
	const struct blackboard *b = object_by_id(&blackboards, id);

	return b != NULL ? (size_t)b->max_size : 0;
}

/* All that wait have the message that woke them, whatever is displayed when they run. */
static RETURN_CODE_TYPE display(struct blackboard *b, MESSAGE_ADDR_TYPE message,
				MESSAGE_SIZE_TYPE length)
{
	struct apex_process *p;

	if (b == NULL || length < 1 || length > b->max_size)
		return INVALID_PARAM;
	memcpy(b->bytes, message, (size_t)length);
	b->length = length;
	while ((p = waitq_first(&b->o.queue)) != NULL) {
		memcpy(p->message, b->bytes, (size_t)length);
		p->length = length;
		process_wake(p, NO_ERROR);
	}
	return NO_ERROR;
}

void DISPLAY_BLACKBOARD(BLACKBOARD_ID_TYPE BLACKBOARD_ID, MESSAGE_ADDR_TYPE MESSAGE_ADDR,
			MESSAGE_SIZE_TYPE LENGTH, RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc;

	if (LENGTH > 0 && (size_t)LENGTH <= message_size(BLACKBOARD_ID))
		plat_touch(MESSAGE_ADDR, (size_t)LENGTH, false);
	apex_lock();
	rc = display(object_by_id(&blackboards, BLACKBOARD_ID), MESSAGE_ADDR, LENGTH);
	apex_unlock();
	*RETURN_CODE = rc;
}

static RETURN_CODE_TYPE read(struct blackboard *b, MESSAGE_ADDR_TYPE message,
			     MESSAGE_SIZE_TYPE *length, SYSTEM_TIME_TYPE time_out)
{
	if (b == NULL || !time_valid(time_out, plat_now()))
		return INVALID_PARAM;
	if (b->length != 0) {
		memcpy(message, b->bytes, (size_t)b->length);
		*length = b->length;
		return NO_ERROR;
	}
	return wait_receive(&b->o.queue, message, length, time_out);
}

void READ_BLACKBOARD(BLACKBOARD_ID_TYPE BLACKBOARD_ID, SYSTEM_TIME_TYPE TIME_OUT,
		     MESSAGE_ADDR_TYPE MESSAGE_ADDR, MESSAGE_SIZE_TYPE *LENGTH,
		     RETURN_CODE_TYPE *RETURN_CODE)
{
	MESSAGE_SIZE_TYPE length = 0;
	RETURN_CODE_TYPE rc;

	plat_touch(MESSAGE_ADDR, message_size(BLACKBOARD_ID), true);
	apex_lock();
	rc = read(object_by_id(&blackboards, BLACKBOARD_ID), MESSAGE_ADDR, &length, TIME_OUT);
	apex_unlock();
	*LENGTH = length;
	*RETURN_CODE = rc;
}

void CLEAR_BLACKBOARD(BLACKBOARD_ID_TYPE BLACKBOARD_ID, RETURN_CODE_TYPE *RETURN_CODE)
{
	struct blackboard *b;

	apex_lock();
	b = object_by_id(&blackboards, BLACKBOARD_ID);
	if (b != NULL)
		b->length = 0;
	apex_unlock();
	*RETURN_CODE = b != NULL ? NO_ERROR : INVALID_PARAM;
}

void GET_BLACKBOARD_ID(BLACKBOARD_NAME_TYPE BLACKBOARD_NAME, BLACKBOARD_ID_TYPE *BLACKBOARD_ID,
		       RETURN_CODE_TYPE *RETURN_CODE)
{
	*RETURN_CODE = object_find(&blackboards, BLACKBOARD_NAME, BLACKBOARD_ID);
}

void GET_BLACKBOARD_STATUS(BLACKBOARD_ID_TYPE BLACKBOARD_ID,
			   BLACKBOARD_STATUS_TYPE *BLACKBOARD_STATUS, RETURN_CODE_TYPE *RETURN_CODE)
{
	BLACKBOARD_STATUS_TYPE s = { 0 };
	const struct blackboard *b;

	apex_lock();
	b = object_by_id(&blackboards, BLACKBOARD_ID);
	if (b != NULL)
		s = (BLACKBOARD_STATUS_TYPE){ b->length != 0 ? OCCUPIED : EMPTY, b->max_size,
					      b->o.queue.count };
	apex_unlock();
	if (b != NULL)
		*BLACKBOARD_STATUS = s;
	*RETURN_CODE = b != NULL ? NO_ERROR : INVALID_PARAM;
}
