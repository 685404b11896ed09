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
#define SESSION_KEEP 16u   /* descriptors that QEMU inherits besides the streams, at most */
#define SESSION_LINE 4096u /* of a partition's output, when its name goes before each line */

/* A stream of one of several partitions: lines, so that they can be told apart. */
struct session_lines {
	char line[SESSION_LINE];
	uint32_t n;
};

/* A partition, as far as a session is concerned. */
struct session_guest {
	struct records records;
	uint32_t starts;  /* of its runtime: more than one after restarts */
	const char *name; /* goes before each line of its output; NULL: bytes pass as they are */
	bool absent;	  /* it has no console: nothing is heard of it here */
	uint32_t errors;  /* that the kernel's log told of it: at most 16 of each class */
	char error[24], action[16]; /* the last one's class, and what was done; "": none */
	/* private */
	int fds[STREAM_COUNT], qemu_fds[STREAM_COUNT];
	struct session_lines lines[2]; /* STREAM_CONSOLE, STREAM_STDERR */
	struct text metrics;	       /* being received */
	struct text status;	       /* of those, what is about all partitions */
	bool metrics_done;
};

struct session {
	/* Set by the caller; none: one, whose bytes pass as they are. */
	struct session_guest guests[GW_BUNDLE_PARTITIONS];
	size_t n_guests;
	size_t input; /* the guest that gets standard input */
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
	/* after each record */
	void (*seen)(struct session *s, struct session_guest *g, enum record_kind kind);
	const void *context;
	bool no_input;	    /* standard input is left alone */
	struct serve serve; /* serve_init'ed; the session closes it */
	/* private */
	int uart_fd, uart_qemu_fd, messages_fd, messages_child_fd, signal_fd;
	char log_line[160]; /* of the kernel's log, unfinished */
	size_t log_n;
	uint64_t metrics_ns; /* when they were asked for; 0: nobody waits */
	pid_t pid;
	uint64_t deadline_ns; /* kill the machine then; 0: never */
};

/* session_prepare - make the sockets that the QEMU command names (uart_qemu_fd, and qemu_fds of
 * each guest) and take over the signals. session_run - start argv, stay until QEMU has ended and
 * its output is delivered. Both 0 or -1 (fail). QEMU ends with this process, however that ends.
 * keep: fds (kept_n) that QEMU inherits besides. */
int session_prepare(struct session *s);
int session_run(struct session *s, const struct words *argv, const int *keep, size_t kept_n);

/* session_uart_tail - the last `lines` lines of the kernel's log. */
void session_uart_tail(const struct session *s, unsigned int lines, struct text *out);

#endif
