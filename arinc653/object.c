/* SPDX-License-Identifier: Apache-2.0 */
/* object.c - objects by name and by identifier. Tables have a fixed place and size; an object is
 * made before NORMAL mode and never goes away. */
#include "arinc653/apex_internal.h"
#include "arinc653/object.h"

void name_copy(NAME_TYPE to, const char *from)
{
	uint32_t i = 0;

	for (; i < MAX_NAME_LENGTH && from[i] != 0; i++)
		to[i] = from[i];
	for (; i < MAX_NAME_LENGTH; i++)
		to[i] = 0;
}

static struct apex_object *object_at(const struct apex_kind *k, uint32_t i)
{
	return (struct apex_object *)(void *)((uint8_t *)k->table + (size_t)i * k->size);
}

void *object_by_id(const struct apex_kind *k, APEX_INTEGER id)
{
	return id >= 1 && (uint32_t)id <= k->n ? object_at(k, (uint32_t)id - 1) : NULL;
}

APEX_INTEGER object_by_name(const struct apex_kind *k, const NAME_TYPE name)
{
	for (uint32_t i = 0; i < k->n; i++)
		if (memcmp(object_at(k, i)->name, name, MAX_NAME_LENGTH) == 0)
			return (APEX_INTEGER)i + 1;
	return 0;
}

RETURN_CODE_TYPE object_find(const struct apex_kind *k, const char *name, APEX_INTEGER *id)
{
	APEX_INTEGER found;
	NAME_TYPE copy;

	name_copy(copy, name);
	apex_lock();
	found = object_by_name(k, copy);
	apex_unlock();
	if (found != 0)
		*id = found;
	return found != 0 ? NO_ERROR : INVALID_CONFIG;
}

RETURN_CODE_TYPE object_refused(const struct apex_kind *k, const NAME_TYPE name, bool valid)
{
	if (k->n == k->max)
		return INVALID_CONFIG;
	if (object_by_name(k, name) != 0)
		return NO_ACTION;
	if (!valid)
		return INVALID_PARAM;
	return apex.mode == NORMAL ? INVALID_MODE : NO_ERROR;
}

void *object_make(struct apex_kind *k, const NAME_TYPE name, QUEUING_DISCIPLINE_TYPE discipline)
{
	struct apex_object *o;

	if (k->n == k->max)
		return NULL;
	o = object_at(k, k->n++);
	memset(o, 0, k->size);
	memcpy(o->name, name, MAX_NAME_LENGTH);
	waitq_init(&o->queue, discipline);
	return o;
}

void objects_reset(void)
{
	buffers.n = blackboards.n = semaphores.n = events.n = mutexes.n = 0;
	sampling_ports.n = queuing_ports.n = 0;
}

struct apex_process *process_by_id(PROCESS_ID_TYPE id)
{
	return id >= 1 && (uint32_t)id <= apex.n_processes ? &apex.processes[id - 1] : NULL;
}
