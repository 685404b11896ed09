/* SPDX-License-Identifier: Apache-2.0 */
/* signal_internal.h - sets of signals that sending (signal.c) and delivering (sigreturn.c) share.
 */
#ifndef GODWIT_LINUX_SIGNAL_INTERNAL_H
#define GODWIT_LINUX_SIGNAL_INTERNAL_H

#include "linux/process/process.h"

#define STOPS (SIGBIT(SIGSTOP) | SIGBIT(SIGTSTP) | SIGBIT(SIGTTIN) | SIGBIT(SIGTTOU))
/* Default action: nothing. Nobody continues a stopped program, so stopping is ignored as well. */
#define IGNORED_BY_DEFAULT \
	(SIGBIT(SIGCHLD) | SIGBIT(SIGCONT) | SIGBIT(SIGURG) | SIGBIT(SIGWINCH) | STOPS)
#define SYNCHRONOUS                                                                             \
	(SIGBIT(SIGSEGV) | SIGBIT(SIGBUS) | SIGBIT(SIGILL) | SIGBIT(SIGTRAP) | SIGBIT(SIGFPE) | \
	 SIGBIT(SIGSYS))

#endif
