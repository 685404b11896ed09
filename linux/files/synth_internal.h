/* SPDX-License-Identifier: Apache-2.0 */
/* synth_internal.h - who writes the texts below /proc/PID (synth_pid.c), for the table of all of
 * them (synth_table.c). Each writes that of the process whose file is read. */
#ifndef GODWIT_LINUX_SYNTH_INTERNAL_H
#define GODWIT_LINUX_SYNTH_INTERNAL_H

#include "linux/files/files_internal.h"
#include "linux/memory/mm.h"

#define ULL(x) ((unsigned long long)(x))
#define KIB(pages) ULL((uint64_t)(pages)*4)

struct mm_usage pid_usage(struct process *p);
void pid_link(struct text *t);
void pid_thread_link(struct text *t);
void pid_stat(struct text *t);
void pid_statm(struct text *t);
void pid_status(struct text *t);
void pid_maps(struct text *t);
void pid_smaps(struct text *t);
void pid_cmdline(struct text *t);
void pid_environ(struct text *t);
void pid_exe(struct text *t);
void pid_cwd(struct text *t);
void pid_comm(struct text *t);
long pid_comm_store(const char *s, size_t n);
void pid_limits(struct text *t);
void pid_oom_adj(struct text *t);
long pid_oom_adj_store(const char *s, size_t n);

#endif
