/* SPDX-License-Identifier: Apache-2.0 */
/* buffer.c - message queues between the processes of the partition (ARINC 653 Part 1, 3.7.2.1).
 *
 *   slots: | length (4) | message, max_size rounded up to 4 | ...   `count` of them from `first` on
 *
 * A message for a process that waits goes straight to its memory; what a waiting sender offers
 * comes into the queue as soon as there is room. So senders wait only when it is full, receivers
 * only when it is empty, and both never at once. */
#include "arinc653/apex_internal.h"
#include "arinc653/object.h"
#include "arinc653/platform.h"

struct buffer {
	struct apex_object o;
	uint8_t *slots;
	MESSAGE_SIZE_TYPE max_size;
	MESSAGE_RANGE_TYPE max, first, count;
};

struct slot {
	MESSAGE_SIZE_TYPE length;
	uint8_t bytes[];
};

OBJECT_KIND(buffers, struct buffer, MAX_NUMBER_OF_BUFFERS);

static size_t slot_bytes(MESSAGE_SIZE_TYPE max_size)
{
	return sizeof(struct slot) + ROUND_UP((size_t)max_size, 4);
}

static struct slot *slot_at(const struct buffer *b, MESSAGE_RANGE_TYPE i)
{
	return (struct slot *)(void *)(b->slots +
				       (size_t)((b->first + i) % b->max) * slot_bytes(b->max_size));
}

static RETURN_CODE_TYPE create(const NAME_TYPE name, MESSAGE_SIZE_TYPE size, MESSAGE_RANGE_TYPE n,
			       QUEUING_DISCIPLINE_TYPE discipline)
{
	bool valid = size >= 1 && size <= SYSTEM_LIMIT_MESSAGE_SIZE && n >= 1 &&
		     n <= SYSTEM_LIMIT_NUMBER_OF_MESSAGES && discipline_valid(discipline);
	RETURN_CODE_TYPE rc = object_refused(&buffers, name, valid);
	struct buffer *b;
	uint8_t *slots;

	if (rc != NO_ERROR)
		return rc;
	slots = plat_alloc(slot_bytes(size) * (size_t)n, 8);
	if (slots == NULL)
		return INVALID_CONFIG;
	b = object_make(&buffers, name, discipline);
	b->slots = slots;
	b->max_size = size;
	b->max = n;
	return NO_ERROR;
}

void CREATE_BUFFER(BUFFER_NAME_TYPE BUFFER_NAME, MESSAGE_SIZE_TYPE MAX_MESSAGE_SIZE,
		   MESSAGE_RANGE_TYPE MAX_NB_MESSAGE, QUEUING_DISCIPLINE_TYPE QUEUING_DISCIPLINE,
		   BUFFER_ID_TYPE *BUFFER_ID, RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc;
	BUFFER_ID_TYPE id;
	NAME_TYPE name;

	name_copy(name, BUFFER_NAME);
	apex_lock();
	rc = create(name, MAX_MESSAGE_SIZE, MAX_NB_MESSAGE, QUEUING_DISCIPLINE);
	id = (BUFFER_ID_TYPE)buffers.n;
	apex_unlock();
	if (rc == NO_ERROR)
		*BUFFER_ID = id;
	*RETURN_CODE = rc;
}

static void put(struct buffer *b, const void *message, MESSAGE_SIZE_TYPE length)
{
	struct slot *s = slot_at(b, b->count++);

	s->length = length;
	memcpy(s->bytes, message, (size_t)length);
}

static RETURN_CODE_TYPE send(struct buffer *b, MESSAGE_ADDR_TYPE message, MESSAGE_SIZE_TYPE length,
			     SYSTEM_TIME_TYPE time_out)
{
	struct apex_process *p;

	if (b == NULL || length < 1 || length > b->max_size || !time_valid(time_out, plat_now()))
		return INVALID_PARAM;
	if (b->count == 0 && (p = waitq_first(&b->o.queue)) != NULL) {
		memcpy(p->message, message, (size_t)length);
		p->length = length;
		process_wake(p, NO_ERROR);
		return NO_ERROR;
	}
	if (b->count < b->max) {
		put(b, message, length);
		return NO_ERROR;
	}
	return wait_send(&b->o.queue, message, length, time_out);
}

/* The capacity of a message, 0 for a bad identifier: set once, before NORMAL mode. */
static size_t message_size(BUFFER_ID_TYPE id)
{
	const struct buffer *b = object_by_id(&buffers, id);

	return b != NULL ? (size_t)b->max_size : 0;
}

void SEND_BUFFER(BUFFER_ID_TYPE BUFFER_ID, MESSAGE_ADDR_TYPE MESSAGE_ADDR, MESSAGE_SIZE_TYPE LENGTH,
		 SYSTEM_TIME_TYPE TIME_OUT, RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc;

	if (LENGTH > 0 && (size_t)LENGTH <= message_size(BUFFER_ID))
		plat_touch(MESSAGE_ADDR, (size_t)LENGTH, false);
	apex_lock();
	rc = send(object_by_id(&buffers, BUFFER_ID), MESSAGE_ADDR, LENGTH, TIME_OUT);
	apex_unlock();
	*RETURN_CODE = rc;
}

static RETURN_CODE_TYPE receive(struct buffer *b, MESSAGE_ADDR_TYPE message,
				MESSAGE_SIZE_TYPE *length, SYSTEM_TIME_TYPE time_out)
{
	struct apex_process *p;

	if (b == NULL || !time_valid(time_out, plat_now()))
		return INVALID_PARAM;
	if (b->count != 0) {
		const struct slot *s = slot_at(b, 0);

		memcpy(message, s->bytes, (size_t)s->length);
		*length = s->length;
		b->first = (b->first + 1) % b->max;
		b->count--;
		p = waitq_first(&b->o.queue); /* a sender */
		if (p != NULL) {
			put(b, p->message, p->length);
			process_wake(p, NO_ERROR);
		}
		return NO_ERROR;
	}
	return wait_receive(&b->o.queue, message, length, time_out);
}

void RECEIVE_BUFFER(BUFFER_ID_TYPE BUFFER_ID, SYSTEM_TIME_TYPE TIME_OUT,
		    MESSAGE_ADDR_TYPE MESSAGE_ADDR, MESSAGE_SIZE_TYPE *LENGTH,
		    RETURN_CODE_TYPE *RETURN_CODE)
{
	MESSAGE_SIZE_TYPE length = 0;
	RETURN_CODE_TYPE rc;

	plat_touch(MESSAGE_ADDR, message_size(BUFFER_ID), true);
	apex_lock();
	rc = receive(object_by_id(&buffers, BUFFER_ID), MESSAGE_ADDR, &length, TIME_OUT);
	apex_unlock();
	*LENGTH = length;
	*RETURN_CODE = rc;
}

void GET_BUFFER_ID(BUFFER_NAME_TYPE BUFFER_NAME, BUFFER_ID_TYPE *BUFFER_ID,
		   RETURN_CODE_TYPE *RETURN_CODE)
{
	*RETURN_CODE = object_find(&buffers, BUFFER_NAME, BUFFER_ID);
}

void GET_BUFFER_STATUS(BUFFER_ID_TYPE BUFFER_ID, BUFFER_STATUS_TYPE *BUFFER_STATUS,
		       RETURN_CODE_TYPE *RETURN_CODE)
{
	BUFFER_STATUS_TYPE s = { 0 };
	const struct buffer *b;

	apex_lock();
	b = object_by_id(&buffers, BUFFER_ID);
	if (b != NULL)
		s = (BUFFER_STATUS_TYPE){ b->count, b->max, b->max_size, b->o.queue.count };
	apex_unlock();
	if (b != NULL)
		*BUFFER_STATUS = s;
	*RETURN_CODE = b != NULL ? NO_ERROR : INVALID_PARAM;
}
