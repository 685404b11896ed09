/* SPDX-License-Identifier: Apache-2.0 */
/* check_internal.h - the parts of module_check. Each tells what is wrong in its field; those after
 * it can rely on nothing that it refused. */
#ifndef GODWIT_TOOLS_CHECK_INTERNAL_H
#define GODWIT_TOOLS_CHECK_INTERNAL_H

#include "tools/module/module.h"

void check_time(struct module *m, struct diag *d);     /* cores, windows, the elastic pool */
void check_channels(struct module *m, struct diag *d); /* ends, ports */
void check_memory(struct module *m, struct diag *d);   /* the machine's, colours */
void check_devices(struct module *m, struct diag *d);  /* networks, host ports, input, machine */
void check_apex(struct module *m, struct diag *d);     /* partitions of personality arinc653 */

#endif
