/* SPDX-License-Identifier: Apache-2.0 */
/* queuing.c - queuing ports (ARINC 653 Part 1, 3.6.2.2) on the kernel's channels. The queue is the
 * channel's: one for source and destination, so nothing is lost on the way and none overflows. */
#include "arinc653/apex_internal.h"
#include "arinc653/object.h"
#include "arinc653/platform.h"
#include "arinc653/port.h"

struct queuing_port {
	struct apex_object o;
	const struct apex_config_port *config;
};

OBJECT_KIND(queuing_ports, struct queuing_port, MAX_NUMBER_OF_QUEUING_PORTS);

static RETURN_CODE_TYPE create(const NAME_TYPE name, MESSAGE_SIZE_TYPE size, MESSAGE_RANGE_TYPE n,
			       PORT_DIRECTION_TYPE direction, QUEUING_DISCIPLINE_TYPE discipline)
{
	const struct apex_config_port *c = port_config(name, APEX_PORT_QUEUING);
	struct queuing_port *p;

	if (queuing_ports.n == queuing_ports.max || c == NULL)
		return INVALID_CONFIG;
	if (object_by_name(&queuing_ports, name) != 0)
		return NO_ACTION;
	if (size < 1)
		return INVALID_PARAM;
	if ((uint32_t)size != c->message_bytes)
		return INVALID_CONFIG;
	if (n < 1)
		return INVALID_PARAM;
	if ((uint32_t)n != c->messages)
		return INVALID_CONFIG;
	if (direction != SOURCE && direction != DESTINATION)
		return INVALID_PARAM;
	if (direction != (PORT_DIRECTION_TYPE)c->direction)
		return INVALID_CONFIG;
	if (!discipline_valid(discipline))
		return INVALID_PARAM;
	if (apex.mode == NORMAL)
		return INVALID_MODE;
	if (!port_usable(c))
		return INVALID_CONFIG;
	p = object_make(&queuing_ports, name, discipline);
	p->config = c;
	return NO_ERROR;
}

void CREATE_QUEUING_PORT(QUEUING_PORT_NAME_TYPE QUEUING_PORT_NAME,
			 MESSAGE_SIZE_TYPE MAX_MESSAGE_SIZE, MESSAGE_RANGE_TYPE MAX_NB_MESSAGE,
			 PORT_DIRECTION_TYPE PORT_DIRECTION,
			 QUEUING_DISCIPLINE_TYPE QUEUING_DISCIPLINE,
			 QUEUING_PORT_ID_TYPE *QUEUING_PORT_ID, RETURN_CODE_TYPE *RETURN_CODE)
{
	QUEUING_PORT_ID_TYPE id;
	RETURN_CODE_TYPE rc;
	NAME_TYPE name;

	name_copy(name, QUEUING_PORT_NAME);
	apex_lock();
	rc = create(name, MAX_MESSAGE_SIZE, MAX_NB_MESSAGE, PORT_DIRECTION, QUEUING_DISCIPLINE);
	id = (QUEUING_PORT_ID_TYPE)queuing_ports.n;
	apex_unlock();
	if (rc == NO_ERROR)
		*QUEUING_PORT_ID = id;
	*RETURN_CODE = rc;
}

static size_t message_size(QUEUING_PORT_ID_TYPE id)
{
	const struct queuing_port *p = object_by_id(&queuing_ports, id);

	return p != NULL ? p->config->message_bytes : 0;
}

static RETURN_CODE_TYPE send(struct queuing_port *p, MESSAGE_ADDR_TYPE message,
			     MESSAGE_SIZE_TYPE length, SYSTEM_TIME_TYPE time_out)
{
	if (p == NULL || !time_valid(time_out, plat_now()) || length < 1)
		return INVALID_PARAM;
	if ((uint32_t)length > p->config->message_bytes)
		return INVALID_CONFIG;
	if (p->config->direction != SOURCE)
		return INVALID_MODE;
	if (p->o.queue.count == 0 && /* those that wait come first */
	    plat_port_write(p->config->channel, message, (uint32_t)length) == 0)
		return NO_ERROR;
	return wait_send(&p->o.queue, message, length, time_out);
}

void SEND_QUEUING_MESSAGE(QUEUING_PORT_ID_TYPE QUEUING_PORT_ID, MESSAGE_ADDR_TYPE MESSAGE_ADDR,
			  MESSAGE_SIZE_TYPE LENGTH, SYSTEM_TIME_TYPE TIME_OUT,
			  RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc;

	if (LENGTH > 0 && (size_t)LENGTH <= message_size(QUEUING_PORT_ID))
		plat_touch(MESSAGE_ADDR, (size_t)LENGTH, false);
	apex_lock();
	rc = send(object_by_id(&queuing_ports, QUEUING_PORT_ID), MESSAGE_ADDR, LENGTH, TIME_OUT);
	apex_unlock();
	*RETURN_CODE = rc;
}

static int take(const struct queuing_port *p, MESSAGE_ADDR_TYPE message)
{
	uint64_t written;

	return plat_port_read(p->config->channel, message,
			      message != NULL ? p->config->message_bytes : 0, &written);
}

static RETURN_CODE_TYPE receive(struct queuing_port *p, MESSAGE_ADDR_TYPE message,
				MESSAGE_SIZE_TYPE *length, SYSTEM_TIME_TYPE time_out)
{
	int n = -1;

	if (p == NULL || !time_valid(time_out, plat_now()))
		return INVALID_PARAM;
	if (p->config->direction != DESTINATION)
		return INVALID_MODE;
	if (p->o.queue.count == 0)
		n = take(p, message);
	if (n >= 0) {
		*length = n;
		return NO_ERROR;
	}
	return wait_receive(&p->o.queue, message, length, time_out);
}

void RECEIVE_QUEUING_MESSAGE(QUEUING_PORT_ID_TYPE QUEUING_PORT_ID, SYSTEM_TIME_TYPE TIME_OUT,
			     MESSAGE_ADDR_TYPE MESSAGE_ADDR, MESSAGE_SIZE_TYPE *LENGTH,
			     RETURN_CODE_TYPE *RETURN_CODE)
{
	MESSAGE_SIZE_TYPE length = 0;
	RETURN_CODE_TYPE rc;

	plat_touch(MESSAGE_ADDR, message_size(QUEUING_PORT_ID), true);
	apex_lock();
	rc = receive(object_by_id(&queuing_ports, QUEUING_PORT_ID), MESSAGE_ADDR, &length,
		     TIME_OUT);
	apex_unlock();
	*LENGTH = length;
	*RETURN_CODE = rc;
}

/* A channel has a message, or room: for those that wait, in their order. */
static void poll(struct queuing_port *port)
{
	struct apex_process *p;

	while ((p = waitq_first(&port->o.queue)) != NULL) {
		if (port->config->direction == SOURCE) {
			if (plat_port_write(port->config->channel, p->message,
					    (uint32_t)p->length) != 0)
				return;
		} else {
			int n = take(port, p->message);

			if (n < 0)
				return;
			p->length = n;
		}
		process_wake(p, NO_ERROR);
	}
}

void queuing_ports_poll(void)
{
	for (uint32_t i = 1; i <= queuing_ports.n; i++)
		poll(object_by_id(&queuing_ports, (QUEUING_PORT_ID_TYPE)i));
}

void GET_QUEUING_PORT_ID(QUEUING_PORT_NAME_TYPE QUEUING_PORT_NAME,
			 QUEUING_PORT_ID_TYPE *QUEUING_PORT_ID, RETURN_CODE_TYPE *RETURN_CODE)
{
	*RETURN_CODE = object_find(&queuing_ports, QUEUING_PORT_NAME, QUEUING_PORT_ID);
}

void GET_QUEUING_PORT_STATUS(QUEUING_PORT_ID_TYPE QUEUING_PORT_ID,
			     QUEUING_PORT_STATUS_TYPE *QUEUING_PORT_STATUS,
			     RETURN_CODE_TYPE *RETURN_CODE)
{
	QUEUING_PORT_STATUS_TYPE s = { 0 };
	const struct queuing_port *p;

	apex_lock();
	p = object_by_id(&queuing_ports, QUEUING_PORT_ID);
	if (p != NULL)
		s = (QUEUING_PORT_STATUS_TYPE){
			.NB_MESSAGE = plat_port_count(p->config->channel),
			.MAX_NB_MESSAGE = (MESSAGE_RANGE_TYPE)p->config->messages,
			.MAX_MESSAGE_SIZE = (MESSAGE_SIZE_TYPE)p->config->message_bytes,
			.PORT_DIRECTION = (PORT_DIRECTION_TYPE)p->config->direction,
			.WAITING_PROCESSES = p->o.queue.count,
		};
	apex_unlock();
	if (p != NULL)
		*QUEUING_PORT_STATUS = s;
	*RETURN_CODE = p != NULL ? NO_ERROR : INVALID_PARAM;
}

/* What is there now goes; a source that fills it at the same time does not keep us here for ever.
 */
static void clear(const struct queuing_port *p)
{
	for (uint32_t i = 0; i < p->config->messages && take(p, NULL) >= 0; i++)
		;
}

void CLEAR_QUEUING_PORT(QUEUING_PORT_ID_TYPE QUEUING_PORT_ID, RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc = NO_ERROR;
	const struct queuing_port *p;

	apex_lock();
	p = object_by_id(&queuing_ports, QUEUING_PORT_ID);
	if (p == NULL)
		rc = INVALID_PARAM;
	else if (p->config->direction != DESTINATION)
		rc = INVALID_MODE;
	else
		clear(p);
	apex_unlock();
	*RETURN_CODE = rc;
}
