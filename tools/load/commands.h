/* SPDX-License-Identifier: Apache-2.0 */
/* commands.h - the commands of godwit-load; argv is what follows the command's name. Each returns
 * an exit status. */
#ifndef GODWIT_LOAD_COMMANDS_H
#define GODWIT_LOAD_COMMANDS_H

int run_main(int argc, char **argv);
int sweep_main(int argc, char **argv);
int reflector_main(int argc, char **argv);
int floor_main(int argc, char **argv);
int log_main(int argc, char **argv);

void help_main(void);
void help_run(void);
void help_sweep(void);
void help_reflector(void);
void help_floor(void);
void help_log(void);
void help_plot(void);

#endif
