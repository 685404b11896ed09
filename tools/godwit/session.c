/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - one machine: the child process and the poll loop around it. See session.h.
 *
 *   stdin  --> [in]      --> console          uart     --> ring, stderr with -v
 *   stdout <-- [out]     <-- console          messages --> text (QEMU's own stdout and stderr)
 *   stderr <-- [err]     <-- stderr           signals  --> stop, kill
 *              [request] --> control --> records */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/godwit/session.h"
#include "tools/godwit/session_internal.h"
#include "tools/godwit/spawn.h"

#define STOP_NS 5000000000ull /* for the program to end after a request */
#define SAME_NS 400000000ull  /* signals this close are one wish, sent to us and to our group */
#define END_NS 3000000000ull  /* for the machine to end after the program did */
#define MESSAGES_MAX 65536u
#define METRICS_MAX (1u << 20)
#define SERVE_MS 100 /* between looks at the clock while a client of serve.c is there */

enum slot {
	IN_FROM,
	IN_TO,
	OUT_FROM,
	OUT_TO,
	ERR_FROM,
	ERR_TO,
	CONTROL,
	REQUEST,
	UART,
	MESSAGES,
	SIGNALS,
	SERVE,
	SLOTS = SERVE + SERVE_SLOTS
};

struct loop {
	struct session *s;
	struct pump in, out, err, request;
	struct pollfd fds[SLOTS];
	bool eof_sent, ended, serving;
	uint64_t asked_ns; /* when the program was asked to stop */
};

int session_prepare(struct session *s)
{
	sigset_t set;
	int pair[2];

	serve_init(&s->serve, "");
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signal_fd < 0)
		return fail("signalfd: %s", strerror(errno));
	for (int i = 0; i < STREAM_COUNT; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
			return fail("socketpair: %s", strerror(errno));
		fcntl(pair[0], F_SETFL, O_NONBLOCK);
		s->fds[i] = pair[0];
		s->qemu_fds[i] = pair[1];
	}
	if (pipe2(pair, O_CLOEXEC) != 0)
		return fail("pipe: %s", strerror(errno));
	s->messages_fd = pair[0];
	s->messages_child_fd = pair[1];
	return 0;
}

static void request(struct loop *l, const char *line)
{
	/* Requests are few and short; a guest that reads none of 64 KiB of them is past talking to.
	 */
	(void)!pump_put(&l->request, line, strlen(line));
}

static void end_by(struct loop *l, int signal_number)
{
	struct session *s = l->s;
	uint64_t now = now_ns();

	/* Shells' Ctrl-C, timeout(1) and service managers signal the group as well as the child. */
	if (s->by_signal != 0 && now - l->asked_ns < SAME_NS)
		return;
	if (s->by_signal != 0 || s->records.exited) {
		s->by_signal = s->by_signal != 0 ? s->by_signal : signal_number;
		s->killed = true;
		kill(s->pid, SIGKILL);
		return;
	}
	s->by_signal = signal_number;
	l->asked_ns = now;
	request(l, "stop\n");
	s->deadline_ns = now + STOP_NS;
	if (signal_number == SIGINT && isatty(STDERR_FILENO))
		warn("stopping the program; Ctrl-C again ends it at once");
}

static void read_signals(struct loop *l)
{
	struct signalfd_siginfo info;

	while (read(l->s->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGCHLD) {
			if (!l->ended)
				end_by(l, (int)info.ssi_signo);
			else
				_exit(128 + (int)info.ssi_signo); /* only a slow reader is left */
		} else if (!l->ended &&
			   waitpid(l->s->pid, &l->s->wait_status, WNOHANG) == l->s->pid) {
			l->ended = true;
		}
	}
}

static void on_metric(struct session *s)
{
	const char *line = s->records.metric;

	if (line[0] != '\0' && s->metrics.len < METRICS_MAX) {
		text_printf(&s->metrics, "%s\n", line);
	} else if (line[0] == '\0') {
		serve_answer(&s->serve, s->metrics.len != 0 ? s->metrics.data : "", s->metrics.len);
		text_free(&s->metrics);
	}
}

static void on_record(void *context, enum record_kind kind)
{
	struct session *s = context;

	if (kind == RECORD_METRIC)
		on_metric(s);

	if (kind == RECORD_EXIT)
		s->deadline_ns = now_ns() + END_NS;
	if (s->seen != NULL)
		s->seen(s, kind);
}

/* One read into buf; false at the end of the stream. */
static bool read_some(int *fd, char *buf, size_t room, size_t *n)
{
	ssize_t got = read(*fd, buf, room);

	*n = got > 0 ? (size_t)got : 0;
	if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)))
		return true;
	close(*fd);
	*fd = -1;
	return false;
}

static void read_control(struct session *s)
{
	char buf[4096];
	size_t n;

	if (read_some(&s->fds[STREAM_CONTROL], buf, sizeof(buf), &n))
		records_input(&s->records, buf, (uint32_t)n, on_record, s);
}

static void read_uart(struct session *s)
{
	char buf[4096];
	size_t n;

	if (!read_some(&s->fds[STREAM_UART], buf, sizeof(buf), &n))
		return;
	for (size_t i = 0; i < n; i++)
		s->uart[s->uart_bytes++ % UART_RING] = buf[i];
	if (verbose && n > 0)
		(void)!write(STDERR_FILENO, buf, n);
}

static void read_messages(struct session *s)
{
	char buf[4096];
	size_t n;

	if (!read_some(&s->messages_fd, buf, sizeof(buf), &n) || n == 0)
		return;
	if (s->qemu_messages.len + n < MESSAGES_MAX)
		text_add(&s->qemu_messages, buf, n);
	if (verbose)
		(void)!write(STDERR_FILENO, buf, n);
}

static void watch(struct loop *l, enum slot slot, int fd, bool wanted, short events)
{
	l->fds[slot] = (struct pollfd){ .fd = wanted ? fd : -1, .events = events };
}

/* Which descriptors matter now. Returns false when the machine has ended and all it said is
 * delivered. */
static bool watch_all(struct loop *l)
{
	struct session *s = l->s;

	/* The child's exit closes its ends of the sockets: then each is read until it is empty. */
	watch(l, IN_FROM, l->in.from, pump_wants_input(&l->in) && !l->ended, POLLIN);
	watch(l, IN_TO, l->in.to, pump_wants_output(&l->in) && !l->ended, POLLOUT);
	watch(l, OUT_FROM, l->out.from, pump_wants_input(&l->out), POLLIN);
	watch(l, OUT_TO, l->out.to, pump_wants_output(&l->out), POLLOUT);
	watch(l, ERR_FROM, l->err.from, pump_wants_input(&l->err), POLLIN);
	watch(l, ERR_TO, l->err.to, pump_wants_output(&l->err), POLLOUT);
	watch(l, CONTROL, s->fds[STREAM_CONTROL], true, POLLIN);
	watch(l, REQUEST, s->fds[STREAM_CONTROL], pump_wants_output(&l->request) && !l->ended,
	      POLLOUT);
	watch(l, UART, s->fds[STREAM_UART], true, POLLIN);
	watch(l, MESSAGES, s->messages_fd, true, POLLIN);
	watch(l, SIGNALS, s->signal_fd, true, POLLIN);
	l->serving = serve_watch(&s->serve, &l->fds[SERVE]);
	return !l->ended || l->out.from >= 0 || l->err.from >= 0 || pump_wants_output(&l->out) ||
	       pump_wants_output(&l->err) || s->fds[STREAM_CONTROL] >= 0 ||
	       s->fds[STREAM_UART] >= 0 || s->messages_fd >= 0;
}

static int timeout_ms(const struct loop *l)
{
	uint64_t now = now_ns(), end = l->s->deadline_ns;
	int ms = -1;

	if (end != 0 && !l->ended)
		ms = end <= now ? 0 : (int)((end - now) / 1000000) + 1;
	return l->serving && (ms < 0 || ms > SERVE_MS) ? SERVE_MS : ms;
}

/* Standard input has ended and is handed over: say so, with the count, since the ports are not
 * ordered. */
static void check_eof(struct loop *l)
{
	char line[48];

	if (l->eof_sent || l->in.from >= 0)
		return;
	l->eof_sent = true;
	snprintf(line, sizeof(line), "eof %llu\n", (unsigned long long)l->in.total);
	request(l, line);
}

static bool is_ready(const struct loop *l, enum slot slot)
{
	return l->fds[slot].fd >= 0 && l->fds[slot].revents != 0;
}

static void move(struct loop *l)
{
	struct session *s = l->s;

	if (is_ready(l, IN_FROM))
		pump_input(&l->in);
	if (is_ready(l, IN_TO))
		pump_output(&l->in);
	if (is_ready(l, OUT_FROM))
		pump_input(&l->out);
	if (is_ready(l, OUT_TO))
		pump_output(&l->out);
	if (is_ready(l, ERR_FROM))
		pump_input(&l->err);
	if (is_ready(l, ERR_TO))
		pump_output(&l->err);
	if (is_ready(l, REQUEST))
		pump_output(&l->request);
	if (is_ready(l, CONTROL))
		read_control(s);
	if (is_ready(l, UART))
		read_uart(s);
	if (is_ready(l, MESSAGES))
		read_messages(s);
	if (is_ready(l, SIGNALS))
		read_signals(l);
	if (l->out.to_failed && s->by_signal == 0 && !l->ended)
		end_by(l, SIGPIPE);
	check_eof(l);
}

static void pump_all(struct loop *l)
{
	struct session *s = l->s;

	while (watch_all(l)) {
		int n = poll(l->fds, SLOTS, timeout_ms(l));

		if (n > 0)
			move(l);
		if (n >= 0 && serve_move(&s->serve, &l->fds[SERVE]) && !l->ended)
			request(l, "stat\n");
		if (!l->ended && s->deadline_ns != 0 && now_ns() >= s->deadline_ns) {
			s->deadline_ns = 0;
			s->killed = true;
			kill(s->pid, SIGKILL);
		}
	}
}

int session_run(struct session *s, const struct words *argv, const int *keep, size_t kept_n)
{
	struct loop *l = xcalloc(1, sizeof(*l));
	int inherit[STREAM_COUNT + 8];
	size_t n = 0;

	for (; n < STREAM_COUNT; n++)
		inherit[n] = s->qemu_fds[n];
	for (size_t i = 0; i < kept_n && i < 8; i++)
		inherit[n++] = keep[i];
	s->start_ns = now_ns();
	s->pid = spawn(argv->v, s->messages_child_fd, inherit, n);
	if (s->pid < 0)
		return fail("cannot start %s: %s", argv->v[0], strerror(errno));
	for (int i = 0; i < STREAM_COUNT; i++)
		close(s->qemu_fds[i]);
	close(s->messages_child_fd);
	l->s = s;
	l->in.from = s->no_input ? -1 : STDIN_FILENO;
	l->eof_sent = s->no_input;
	l->in.to = l->out.from = s->fds[STREAM_CONSOLE];
	l->out.to = STDOUT_FILENO;
	l->err.from = s->fds[STREAM_STDERR];
	l->err.to = STDERR_FILENO;
	l->request.from = -1;
	l->request.to = s->fds[STREAM_CONTROL];
	pump_all(l);
	text_free(&s->metrics);
	free(l);
	return 0;
}

void session_uart_tail(const struct session *s, unsigned int lines, struct text *out)
{
	uint64_t at = s->uart_bytes,
		 first = s->uart_bytes > UART_RING ? s->uart_bytes - UART_RING : 0;

	for (; at > first; at--)
		if (at != s->uart_bytes && s->uart[(at - 1) % UART_RING] == '\n' && lines-- == 1)
			break;
	for (; at < s->uart_bytes; at++)
		if (s->uart[at % UART_RING] != '\r' && s->uart[at % UART_RING] != '\0')
			text_add(out, &s->uart[at % UART_RING], 1);
	if (out->len != 0 && out->data[out->len - 1] != '\n')
		text_add(out, "\n", 1);
}
