/* SPDX-License-Identifier: Apache-2.0 */
/* config.c - the partition's configuration blob, which comes from outside: every field is checked
 * here, once. */
#include "abi/vcore.h"
#include "arinc653/apex_internal.h"
#include "arinc653/platform.h"
#include "arinc653/port.h"

#define NS_MAX (1ULL << 62)
#define STACK_MAX (16u << 20)

static const char *check_port(const struct apex_config *c, uint32_t i)
{
	const struct apex_config_port *ports = apex_config_ports(c), *p = &ports[i];

	if (p->name[0] == 0)
		return "a port without name";
	for (uint32_t k = 0; k + 1 < MAX_NAME_LENGTH; k++)
		if (p->name[k] == 0 && p->name[k + 1] != 0)
			return "a port's name is not padded with zero bytes";
	if (p->kind != APEX_PORT_SAMPLING && p->kind != APEX_PORT_QUEUING)
		return "a port's kind";
	if (p->direction > APEX_PORT_DESTINATION)
		return "a port's direction";
	if (p->message_bytes < 1 || p->message_bytes > GW_BATCH_BYTES)
		return "a port's message size";
	if (p->kind == APEX_PORT_QUEUING ? p->messages < 1 || p->messages > 1024 : p->messages != 0)
		return "a port's number of messages";
	if (p->kind == APEX_PORT_SAMPLING && p->direction == APEX_PORT_DESTINATION
		    ? p->refresh_ns < 1 || p->refresh_ns > NS_MAX
		    : p->refresh_ns != 0)
		return "a port's refresh period";
	if (p->reserved != 0)
		return "a port's reserved field";
	for (uint32_t k = 0; k < i; k++)
		if (ports[k].channel == p->channel ||
		    memcmp(ports[k].name, p->name, MAX_NAME_LENGTH) == 0)
			return "two ports with one name or channel";
	return NULL;
}

const char *apex_config_check(const void *blob, size_t len)
{
	const struct apex_config *c = blob;
	const char *wrong = NULL;

	if (len < sizeof(*c))
		return "too short";
	if (c->magic != APEX_CONFIG_MAGIC)
		return "not a configuration of an ARINC 653 partition";
	if (c->version != APEX_CONFIG_VERSION)
		return "another version";
	if (c->n_ports > APEX_CONFIG_PORTS)
		return "too many ports";
	if (c->size > len || c->size != sizeof(*c) + c->n_ports * sizeof(struct apex_config_port))
		return "its size";
	if (c->period_ns < 1 || c->period_ns > NS_MAX)
		return "the period";
	if (c->duration_ns < 1 || c->duration_ns > c->period_ns)
		return "the duration";
	if (c->phase_ns >= c->period_ns)
		return "the phase";
	if (c->identifier > INT32_MAX)
		return "the identifier";
	if (c->main_stack_bytes < 4096 || c->main_stack_bytes > STACK_MAX)
		return "the main process's stack";
	if (c->default_core >= APEX_CORES && c->default_core != APEX_ANY_CORE)
		return "the default core";
	for (uint32_t i = 0; i < APEX_CONFIG_ERRORS; i++)
		if (c->level[i] > APEX_LEVEL_PARTITION)
			return "the level of an error";
	for (uint32_t i = 0; wrong == NULL && i < c->n_ports; i++)
		wrong = check_port(c, i);
	return wrong;
}

const struct apex_config_port *port_config(const NAME_TYPE name, uint32_t kind)
{
	const struct apex_config_port *ports = apex_config_ports(apex.config);

	for (uint32_t i = 0; i < apex.config->n_ports; i++)
		if (ports[i].kind == kind && memcmp(ports[i].name, name, MAX_NAME_LENGTH) == 0)
			return &ports[i];
	return NULL;
}

bool port_usable(const struct apex_config_port *c)
{
	return plat_port_count(c->channel) >= 0;
}
