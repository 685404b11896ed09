/* SPDX-License-Identifier: Apache-2.0 */
/* sampling.c - sampling ports (ARINC 653 Part 1, 3.6.2.1) on the kernel's channels. */
#include "arinc653/apex_internal.h"
#include "arinc653/object.h"
#include "arinc653/platform.h"
#include "arinc653/port.h"

struct sampling_port {
	struct apex_object o;
	const struct apex_config_port *config;
	VALIDITY_TYPE validity; /* of the last message read */
};

OBJECT_KIND(sampling_ports, struct sampling_port, MAX_NUMBER_OF_SAMPLING_PORTS);

static RETURN_CODE_TYPE create(const NAME_TYPE name, MESSAGE_SIZE_TYPE size,
			       PORT_DIRECTION_TYPE direction, SYSTEM_TIME_TYPE refresh)
{
	const struct apex_config_port *c = port_config(name, APEX_PORT_SAMPLING);
	struct sampling_port *p;

	if (sampling_ports.n == sampling_ports.max || c == NULL)
		return INVALID_CONFIG;
	if (object_by_name(&sampling_ports, name) != 0)
		return NO_ACTION;
	if (size < 1)
		return INVALID_PARAM;
	if ((uint32_t)size != c->message_bytes)
		return INVALID_CONFIG;
	if (direction != SOURCE && direction != DESTINATION)
		return INVALID_PARAM;
	if (direction != (PORT_DIRECTION_TYPE)c->direction)
		return INVALID_CONFIG;
	if (refresh < 1 && direction == DESTINATION)
		return INVALID_PARAM;
	if (direction == DESTINATION && (uint64_t)refresh != c->refresh_ns)
		return INVALID_CONFIG;
	if (apex.mode == NORMAL)
		return INVALID_MODE;
	if (!port_usable(c))
		return INVALID_CONFIG;
	p = object_make(&sampling_ports, name, FIFO);
	p->config = c;
	return NO_ERROR;
}

void CREATE_SAMPLING_PORT(SAMPLING_PORT_NAME_TYPE SAMPLING_PORT_NAME,
			  MESSAGE_SIZE_TYPE MAX_MESSAGE_SIZE, PORT_DIRECTION_TYPE PORT_DIRECTION,
			  SYSTEM_TIME_TYPE REFRESH_PERIOD, SAMPLING_PORT_ID_TYPE *SAMPLING_PORT_ID,
			  RETURN_CODE_TYPE *RETURN_CODE)
{
	SAMPLING_PORT_ID_TYPE id;
	RETURN_CODE_TYPE rc;
	NAME_TYPE name;

	name_copy(name, SAMPLING_PORT_NAME);
	apex_lock();
	rc = create(name, MAX_MESSAGE_SIZE, PORT_DIRECTION, REFRESH_PERIOD);
	id = (SAMPLING_PORT_ID_TYPE)sampling_ports.n;
	apex_unlock();
	if (rc == NO_ERROR)
		*SAMPLING_PORT_ID = id;
	*RETURN_CODE = rc;
}

static RETURN_CODE_TYPE write(const struct sampling_port *p, const void *message,
			      MESSAGE_SIZE_TYPE length)
{
	if (p == NULL || length < 1)
		return INVALID_PARAM;
	if ((uint32_t)length > p->config->message_bytes)
		return INVALID_CONFIG;
	if (p->config->direction != SOURCE)
		return INVALID_MODE;
	return plat_port_write(p->config->channel, message, (uint32_t)length) == 0 ? NO_ERROR
										   : NOT_AVAILABLE;
}

static size_t message_size(SAMPLING_PORT_ID_TYPE id)
{
	const struct sampling_port *p = object_by_id(&sampling_ports, id);

	return p != NULL ? p->config->message_bytes : 0;
}

void WRITE_SAMPLING_MESSAGE(SAMPLING_PORT_ID_TYPE SAMPLING_PORT_ID, MESSAGE_ADDR_TYPE MESSAGE_ADDR,
			    MESSAGE_SIZE_TYPE LENGTH, RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc;

	if (LENGTH > 0 && (size_t)LENGTH <= message_size(SAMPLING_PORT_ID))
		plat_touch(MESSAGE_ADDR, (size_t)LENGTH, false);
	apex_lock();
	rc = write(object_by_id(&sampling_ports, SAMPLING_PORT_ID), MESSAGE_ADDR, LENGTH);
	apex_unlock();
	*RETURN_CODE = rc;
}

static RETURN_CODE_TYPE read(struct sampling_port *p, MESSAGE_ADDR_TYPE message,
			     MESSAGE_SIZE_TYPE *length)
{
	uint64_t written, now;
	int n;

	if (p == NULL)
		return INVALID_PARAM;
	if (p->config->direction != DESTINATION)
		return INVALID_MODE;
	p->validity = INVALID;
	n = plat_port_read(p->config->channel, message, p->config->message_bytes, &written);
	if (n < 0)
		return NO_ACTION;
	*length = n;
	now = plat_now();
	if (now < written || now - written <= p->config->refresh_ns)
		p->validity = VALID;
	return NO_ERROR;
}

void READ_SAMPLING_MESSAGE(SAMPLING_PORT_ID_TYPE SAMPLING_PORT_ID, MESSAGE_ADDR_TYPE MESSAGE_ADDR,
			   MESSAGE_SIZE_TYPE *LENGTH, VALIDITY_TYPE *VALIDITY,
			   RETURN_CODE_TYPE *RETURN_CODE)
{
	VALIDITY_TYPE validity = INVALID;
	MESSAGE_SIZE_TYPE length = 0;
	struct sampling_port *p;
	RETURN_CODE_TYPE rc;

	plat_touch(MESSAGE_ADDR, message_size(SAMPLING_PORT_ID), true);
	apex_lock();
	p = object_by_id(&sampling_ports, SAMPLING_PORT_ID);
	rc = read(p, MESSAGE_ADDR, &length);
	if (rc == NO_ERROR)
		validity = p->validity;
	apex_unlock();
	*LENGTH = length;
	*VALIDITY = validity;
	*RETURN_CODE = rc;
}

void GET_SAMPLING_PORT_ID(SAMPLING_PORT_NAME_TYPE SAMPLING_PORT_NAME,
			  SAMPLING_PORT_ID_TYPE *SAMPLING_PORT_ID, RETURN_CODE_TYPE *RETURN_CODE)
{
	*RETURN_CODE = object_find(&sampling_ports, SAMPLING_PORT_NAME, SAMPLING_PORT_ID);
}

void GET_SAMPLING_PORT_STATUS(SAMPLING_PORT_ID_TYPE SAMPLING_PORT_ID,
			      SAMPLING_PORT_STATUS_TYPE *SAMPLING_PORT_STATUS,
			      RETURN_CODE_TYPE *RETURN_CODE)
{
	SAMPLING_PORT_STATUS_TYPE s = { 0 };
	const struct sampling_port *p;

	apex_lock();
	p = object_by_id(&sampling_ports, SAMPLING_PORT_ID);
	if (p != NULL)
		s = (SAMPLING_PORT_STATUS_TYPE){
			.REFRESH_PERIOD = (SYSTEM_TIME_TYPE)p->config->refresh_ns,
			.MAX_MESSAGE_SIZE = (MESSAGE_SIZE_TYPE)p->config->message_bytes,
			.PORT_DIRECTION = (PORT_DIRECTION_TYPE)p->config->direction,
			.LAST_MSG_VALIDITY = p->validity,
		};
	apex_unlock();
	if (p != NULL)
		*SAMPLING_PORT_STATUS = s;
	*RETURN_CODE = p != NULL ? NO_ERROR : INVALID_PARAM;
}
