/* SPDX-License-Identifier: Apache-2.0 */
/* port.h - what both kinds of ports need of the configuration. */
#ifndef GODWIT_ARINC653_PORT_H
#define GODWIT_ARINC653_PORT_H

#include "arinc653/apex_internal.h"

/* port_config - what the configuration says about the port of this name and kind, or NULL.
 * port_usable - the kernel has a channel for it. */
const struct apex_config_port *port_config(const NAME_TYPE name, uint32_t kind);
bool port_usable(const struct apex_config_port *c);

#endif
