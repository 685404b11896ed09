/* SPDX-License-Identifier: Apache-2.0 */
/* serve.h - a running machine's metrics over HTTP: on a TCP port of the user's choice (--metrics),
 * and on a unix socket that only this user reaches (`godwit top`). Clients are not trusted:
 * requests are bounded, and few at once. */
#ifndef GODWIT_TOOLS_SERVE_H
#define GODWIT_TOOLS_SERVE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "tools/base/util.h"

#define SERVE_LISTENERS 2
#define SERVE_CLIENTS 8
#define SERVE_SLOTS (SERVE_LISTENERS + SERVE_CLIENTS)
#define SERVE_NS \
	3000000000ull /* how long a client waits for the machine, or the machine for a client */

struct serve {
	int listeners[SERVE_LISTENERS]; /* -1: none */
	char *path;			/* of the unix socket; NULL: none */
	const char *program;
	struct serve_client {
		int fd; /* -1: free */
		char request[1024];
		size_t n, sent;
		bool waiting; /* for the machine's figures */
		struct text answer;
		uint64_t end_ns;
	} clients[SERVE_CLIENTS];
};

void serve_init(struct serve *s, const char *program);
/* serve_tcp - listen on [ADDR:]PORT (127.0.0.1 unless given). serve_local - listen on this
 * process's unix socket. Both 0 or -1 (fail). */
int serve_tcp(struct serve *s, const char *where);
int serve_local(struct serve *s);
/* serve_folder - where the unix sockets are: $XDG_RUNTIME_DIR/godwit, or /tmp/godwit-UID; made when
 * it is missing, refused unless it is this user's alone. The caller frees it; NULL (fail). */
char *serve_folder(void);

/* serve_watch - fill SERVE_SLOTS entries for poll; returns whether somebody waits (then poll again
 * within 100 ms). serve_move - do what poll found; returns whether the machine is to be asked for
 * its figures, which go to serve_answer. */
bool serve_watch(struct serve *s, struct pollfd *fds);
bool serve_move(struct serve *s, const struct pollfd *fds);
void serve_answer(struct serve *s, const char *text, size_t n);
void serve_close(struct serve *s);

#endif
