/* SPDX-License-Identifier: Apache-2.0 */
/* session.h - one machine from start to end: QEMU as a child process, bytes moved both ways between
 * it and the terminal, the control port read, signals turned into requests. */
#ifndef GODWIT_TOOLS_SESSION_H
#define GODWIT_TOOLS_SESSION_H

#include <sys/types.h>

#include "tools/godwit/qemu.h"
#include "tools/godwit/records.h"
#include "tools/godwit/serve.h"

#define UART_RING 65536u

struct session {
	struct records records;
	/* how it ended */
	int wait_status; /* of QEMU, as waitpid has it */
	int by_signal;	 /* SIGINT, SIGTERM, SIGHUP, or SIGPIPE (standard output was closed); 0: by
			    itself */
	bool killed;	 /* the machine had to be ended from outside */
	char uart[UART_RING];	   /* the last bytes of the kernel's log */
	uint64_t uart_bytes;	   /* all there were */
	struct text qemu_messages; /* what QEMU itself wrote, bounded */
	uint64_t start_ns;	   /* of QEMU, CLOCK_MONOTONIC */
	/* set by the caller */
	void (*seen)(struct session *s, enum record_kind kind); /* after each record */
	const void *context;
	bool no_input;	    /* standard input is left alone */
	struct serve serve; /* serve_init'ed; the session closes it */
	/* private */
	int fds[STREAM_COUNT], qemu_fds[STREAM_COUNT], messages_fd, messages_child_fd, signal_fd;
	struct text metrics; /* being received */
	pid_t pid;
	uint64_t deadline_ns; /* kill the machine then; 0: never */
};

/* session_prepare - make the sockets that the QEMU command names (qemu_fds) and take over the
 * signals. session_run - start argv, stay until QEMU has ended and its output is delivered. Both 0
 * or -1 (fail). QEMU ends with this process, however that ends. keep: fds (kept_n) that QEMU
 * inherits besides. */
int session_prepare(struct session *s);
int session_run(struct session *s, const struct words *argv, const int *keep, size_t kept_n);

/* session_uart_tail - the last `lines` lines of the kernel's log. */
void session_uart_tail(const struct session *s, unsigned int lines, struct text *out);

#endif
