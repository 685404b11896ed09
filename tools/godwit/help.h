/* SPDX-License-Identifier: Apache-2.0 */
/* help.h - the texts of --help. */
#ifndef GODWIT_TOOLS_HELP_H
#define GODWIT_TOOLS_HELP_H

#define GODWIT_VERSION "0.1"

void help_main(void);
void help_run(void);
void help_module(void);
void help_bundle(void);
void help_host(void);

#endif
