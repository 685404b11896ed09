/* SPDX-License-Identifier: Apache-2.0 */
/* object.h - the kinds of objects, each defined in the file of its services. */
#ifndef GODWIT_ARINC653_OBJECT_H
#define GODWIT_ARINC653_OBJECT_H

#include "arinc653/apex_internal.h"

extern struct apex_kind buffers, blackboards, semaphores, events, mutexes;
extern struct apex_kind sampling_ports, queuing_ports;

/* The table of a kind, in zeroed memory. */
#define OBJECT_KIND(kind, type, limit)   \
	static type kind##_table[limit]; \
	struct apex_kind kind = { kind##_table, sizeof(type), limit, 0 }

#endif
