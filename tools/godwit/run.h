/* SPDX-License-Identifier: Apache-2.0 */
/* run.h - the commands. Each takes what follows its name and returns the process's exit status. */
#ifndef GODWIT_TOOLS_RUN_H
#define GODWIT_TOOLS_RUN_H

int command_run(int argc, char *const *argv);
int command_module(int argc, char *const *argv);
int command_bundle(int argc, char *const *argv);

#endif
