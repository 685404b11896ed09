/* SPDX-License-Identifier: Apache-2.0 */
/* console.c - the streams of console.h in a Linux process: ports 0 and 1 are standard output and
 * error. The control port says "stop" when the process is asked to end (SIGTERM, SIGINT); what the
 * runtime reports there goes to the descriptor GODWIT_CONTROL_FD, if there is one. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "runtime/platform/linux/hosted.h"
#include "runtime/virtio/console.h"

#define CONTROL 2u

static struct {
	struct poller poller;
	struct waitq waiters[CONSOLE_PORTS];
	_Atomic int asked; /* to end, how often */
	int told;	   /* of those, how many were read; shard 0's */
	size_t at;	   /* in "stop\n" */
	int control_fd;
} con = { .control_fd = -1 };

static void on_signal(int signo)
{
	static const char again[] = "godwit: asked twice; ending at once\n";

	if (atomic_fetch_add(&con.asked, 1) != 0) {
		(void)!write(STDERR_FILENO, again, sizeof(again) - 1);
		_exit(128 + signo); /* descriptors go, and with them what is attached to a card */
	}
	hosted_notify(0);
}

static bool poll(struct poller *p)
{
	(void)p;
	if (likely(atomic_load_explicit(&con.asked, memory_order_relaxed) == con.told))
		return false;
	waitq_notify(&con.waiters[CONTROL], ~0u);
	return true;
}

static bool arm(struct poller *p, uint64_t *deadline_ns)
{
	(void)p;
	(void)deadline_ns;
	return atomic_load_explicit(&con.asked, memory_order_relaxed) != con.told;
}

void hosted_console_start(void)
{
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	const char *s = getenv("GODWIT_CONTROL_FD");
	uint64_t fd;

	for (uint32_t i = 0; i < CONSOLE_PORTS; i++)
		waitq_init(&con.waiters[i]);
	if (s != NULL && str_to_u64(s, 1 << 20, &fd) == 0)
		con.control_fd = (int)fd;
	(void)sigaction(SIGTERM, &act, NULL);
	(void)sigaction(SIGINT, &act, NULL);
	act.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &act, NULL);
	con.poller = (struct poller){ .poll = poll, .arm = arm };
	shard_add_poller(&con.poller);
}

size_t console_write(unsigned port, const void *data, size_t n)
{
	int fd = port == 0 ? STDOUT_FILENO : port == 1 ? STDERR_FILENO : con.control_fd;
	size_t done = 0;

	while (fd >= 0 && done < n) {
		ssize_t k = write(fd, (const char *)data + done, n - done);

		if (k < 0 && errno != EINTR)
			break;
		done += k > 0 ? (size_t)k : 0;
	}
	return n;
}

size_t console_read(unsigned port, void *data, size_t n)
{
	static const char stop[] = "stop\n";
	size_t k;

	if (port != CONTROL || atomic_load(&con.asked) == con.told)
		return 0;
	k = GW_MIN(n, sizeof(stop) - 1 - con.at);
	memcpy(data, stop + con.at, k);
	con.at += k;
	if (con.at == sizeof(stop) - 1) {
		con.at = 0;
		con.told++;
	}
	return k;
}

bool console_closed(unsigned port)
{
	return port != CONTROL;
}

void console_end_input(unsigned port, uint64_t n)
{
	(void)port;
	(void)n; /* only a machine's host sends it */
}

struct waitq *console_waitq(unsigned port)
{
	return &con.waiters[port];
}

void console_drain(void)
{
	/* what was written is the system's already */
}

void control_line(const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int n;

	if (con.control_fd < 0)
		return;
	va_start(ap, fmt);
	n = fmt_vprint(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	n = GW_MIN(n, (int)sizeof(line) - 2);
	line[n++] = '\n';
	(void)console_write(CONTROL, line, (size_t)n);
}
