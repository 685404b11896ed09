/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - one machine: the child process and the poll loop around it. See session.h.
 *
 *   stdin  --> [in]      --> console          uart     --> ring, stderr with -v
 *   stdout <-- [out]     <-- console          messages --> text (QEMU's own stdout and stderr)
 *   stderr <-- [err]     <-- stderr           signals  --> stop, kill
 *              [request] --> control --> records
 *
 * Of several partitions each has the three ports; their output goes by lines into [out] and [err]
 * (session_guest.c). */
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
#define SERVE_MS 100 /* between looks at the clock while a client of serve.c is there */

enum slot {
	IN_FROM,
	IN_TO,
	OUT_TO,
	ERR_TO,
	UART,
	MESSAGES,
	SIGNALS,
	SERVE,
	GUESTS = SERVE + SERVE_SLOTS
};
enum guest_slot { OUT_FROM, ERR_FROM, CONTROL, REQUEST, GUEST_SLOTS };

struct loop {
	struct session *s;
	struct pump in, out, err, requests[GW_BUNDLE_PARTITIONS];
	struct pollfd fds[GUESTS + GUEST_SLOTS * GW_BUNDLE_PARTITIONS];
	bool eof_sent, ended, serving;
	uint64_t asked_ns; /* when the programs were asked to stop */
};

static int socket_pair(int *ours, int *theirs)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return fail("socketpair: %s", strerror(errno));
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	*ours = pair[0];
	*theirs = pair[1];
	return 0;
}

static int prepare_guest(struct session_guest *g)
{
	for (int i = 0; i < STREAM_COUNT; i++) {
		g->fds[i] = g->qemu_fds[i] = -1;
		if (!g->absent && socket_pair(&g->fds[i], &g->qemu_fds[i]) != 0)
			return -1;
	}
	return 0;
}

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
	if (s->n_guests == 0)
		s->n_guests = 1;
	for (size_t i = 0; i < s->n_guests; i++)
		if (prepare_guest(&s->guests[i]) != 0)
			return -1;
	if (socket_pair(&s->uart_fd, &s->uart_qemu_fd) != 0)
		return -1;
	if (pipe2(pair, O_CLOEXEC) != 0)
		return fail("pipe: %s", strerror(errno));
	s->messages_fd = pair[0];
	s->messages_child_fd = pair[1];
	return 0;
}

static void request(struct loop *l, size_t guest, const char *line)
{
	/* Requests are few and short; a guest that reads none of 64 KiB of them is past talking to.
	 */
	if (!l->s->guests[guest].absent)
		(void)!pump_put(&l->requests[guest], line, strlen(line));
}

static void request_all(struct loop *l, const char *line)
{
	for (size_t i = 0; i < l->s->n_guests; i++)
		if (!l->s->guests[i].records.exited)
			request(l, i, line);
}

static bool all_exited(const struct session *s)
{
	for (size_t i = 0; i < s->n_guests; i++)
		if (!s->guests[i].records.exited && !s->guests[i].absent)
			return false;
	return true;
}

static void end_by(struct loop *l, int signal_number)
{
	struct session *s = l->s;
	uint64_t now = now_ns();

	/* Shells' Ctrl-C, timeout(1) and service managers signal the group as well as the child. */
	if (s->by_signal != 0 && now - l->asked_ns < SAME_NS)
		return;
	if (s->by_signal != 0 || all_exited(s)) {
		s->by_signal = s->by_signal != 0 ? s->by_signal : signal_number;
		s->killed = true;
		kill(s->pid, SIGKILL);
		return;
	}
	s->by_signal = signal_number;
	l->asked_ns = now;
	request_all(l, "stop\n");
	s->deadline_ns = now + STOP_NS;
	if (signal_number == SIGINT && isatty(STDERR_FILENO))
		warn("stopping the program%s; Ctrl-C again ends %s at once",
		     s->n_guests > 1 ? "s" : "", s->n_guests > 1 ? "them" : "it");
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

/* Where a record came from. */
struct origin {
	struct session *s;
	struct session_guest *g;
};

static void on_record(void *context, enum record_kind kind)
{
	struct origin *o = context;
	struct session *s = o->s;

	if (kind == RECORD_METRIC)
		session_metric(s, o->g);
	if (kind == RECORD_BOOT)
		session_boot(o->g);
	if (kind == RECORD_EXIT && all_exited(s))
		s->deadline_ns = now_ns() + END_NS;
	if (s->seen != NULL)
		s->seen(s, o->g, kind);
}

static void read_control(struct session *s, struct session_guest *g)
{
	struct origin o = { s, g };
	char buf[4096];
	size_t n;

	if (session_read(&g->fds[STREAM_CONTROL], buf, sizeof(buf), &n))
		records_input(&g->records, buf, (uint32_t)n, on_record, &o);
}

static void read_uart(struct session *s)
{
	char buf[4096];
	size_t n;

	if (!session_read(&s->uart_fd, buf, sizeof(buf), &n))
		return;
	for (size_t i = 0; i < n; i++)
		s->uart[s->uart_bytes++ % UART_RING] = buf[i];
	session_health(s, buf, n);
	if (verbose && n > 0)
		(void)!write(STDERR_FILENO, buf, n);
}

static void read_messages(struct session *s)
{
	char buf[4096];
	size_t n;

	if (!session_read(&s->messages_fd, buf, sizeof(buf), &n) || n == 0)
		return;
	if (s->qemu_messages.len + n < MESSAGES_MAX)
		text_add(&s->qemu_messages, buf, n);
	if (verbose)
		(void)!write(STDERR_FILENO, buf, n);
}

static void watch(struct loop *l, unsigned int slot, int fd, bool wanted, short events)
{
	l->fds[slot] = (struct pollfd){ .fd = wanted ? fd : -1, .events = events };
}

static unsigned int guest_slot(size_t guest, enum guest_slot slot)
{
	return (unsigned int)(GUESTS + guest * GUEST_SLOTS + slot);
}

/* Returns whether it may still say something. */
static bool watch_guest(struct loop *l, size_t i)
{
	const struct session_guest *g = &l->s->guests[i];
	const int *fds = g->fds;
	bool out = session_has_room(&l->out), err = session_has_room(&l->err);

	if (g->name == NULL) { /* pumped as it is */
		out = pump_wants_input(&l->out);
		err = pump_wants_input(&l->err);
	}
	watch(l, guest_slot(i, OUT_FROM), fds[STREAM_CONSOLE], out, POLLIN);
	watch(l, guest_slot(i, ERR_FROM), fds[STREAM_STDERR], err, POLLIN);
	watch(l, guest_slot(i, CONTROL), fds[STREAM_CONTROL], true, POLLIN);
	watch(l, guest_slot(i, REQUEST), fds[STREAM_CONTROL],
	      pump_wants_output(&l->requests[i]) && !l->ended, POLLOUT);
	return fds[STREAM_CONSOLE] >= 0 || fds[STREAM_STDERR] >= 0 || fds[STREAM_CONTROL] >= 0;
}

/* Which descriptors matter now. Returns false when the machine has ended and all it said is
 * delivered. */
static bool watch_all(struct loop *l)
{
	struct session *s = l->s;
	bool open = !l->ended;

	/* The child's exit closes its ends of the sockets: then each is read until it is empty. */
	watch(l, IN_FROM, l->in.from, pump_wants_input(&l->in) && !l->ended, POLLIN);
	watch(l, IN_TO, l->in.to, pump_wants_output(&l->in) && !l->ended, POLLOUT);
	watch(l, OUT_TO, l->out.to, pump_wants_output(&l->out), POLLOUT);
	watch(l, ERR_TO, l->err.to, pump_wants_output(&l->err), POLLOUT);
	watch(l, UART, s->uart_fd, true, POLLIN);
	watch(l, MESSAGES, s->messages_fd, true, POLLIN);
	watch(l, SIGNALS, s->signal_fd, true, POLLIN);
	l->serving = serve_watch(&s->serve, &l->fds[SERVE]);
	for (size_t i = 0; i < s->n_guests; i++)
		open |= watch_guest(l, i);
	return open || pump_wants_output(&l->out) || pump_wants_output(&l->err) ||
	       s->uart_fd >= 0 || s->messages_fd >= 0;
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
	request(l, l->s->input, line);
}

static bool is_ready(const struct loop *l, unsigned int slot)
{
	return l->fds[slot].fd >= 0 && l->fds[slot].revents != 0;
}

/* Output of guest i has come. */
static void take_output(struct loop *l, size_t i, enum stream stream)
{
	struct session_guest *g = &l->s->guests[i];
	struct pump *p = stream == STREAM_CONSOLE ? &l->out : &l->err;

	if (g->name != NULL) {
		session_lines(g, stream, p);
		return;
	}
	pump_input(p);
	g->fds[stream] = p->from;
}

static void move_guest(struct loop *l, size_t i)
{
	struct session *s = l->s;

	if (is_ready(l, guest_slot(i, OUT_FROM)))
		take_output(l, i, STREAM_CONSOLE);
	if (is_ready(l, guest_slot(i, ERR_FROM)))
		take_output(l, i, STREAM_STDERR);
	if (is_ready(l, guest_slot(i, REQUEST)))
		pump_output(&l->requests[i]);
	if (is_ready(l, guest_slot(i, CONTROL)))
		read_control(s, &s->guests[i]);
}

static void move(struct loop *l)
{
	struct session *s = l->s;

	if (is_ready(l, IN_FROM))
		pump_input(&l->in);
	if (is_ready(l, IN_TO))
		pump_output(&l->in);
	for (size_t i = 0; i < s->n_guests; i++)
		move_guest(l, i);
	if (is_ready(l, OUT_TO))
		pump_output(&l->out);
	if (is_ready(l, ERR_TO))
		pump_output(&l->err);
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
		int n = poll(l->fds, (nfds_t)(GUESTS + GUEST_SLOTS * s->n_guests), timeout_ms(l));

		if (n > 0)
			move(l);
		if (n >= 0 && serve_move(&s->serve, &l->fds[SERVE]) && !l->ended) {
			s->metrics_ns = now_ns();
			request_all(l, "stat\n");
		}
		session_metrics_late(s);
		if (!l->ended && s->deadline_ns != 0 && now_ns() >= s->deadline_ns) {
			s->deadline_ns = 0;
			s->killed = true;
			kill(s->pid, SIGKILL);
		}
	}
}

/* Connect the pumps; the alone guest's output needs no lines. */
static void connect_pumps(struct loop *l)
{
	struct session *s = l->s;
	struct session_guest *g = &s->guests[s->input];

	l->in.from = s->no_input ? -1 : STDIN_FILENO;
	l->eof_sent = s->no_input;
	l->in.to = g->fds[STREAM_CONSOLE];
	l->out.from = g->name == NULL ? g->fds[STREAM_CONSOLE] : -1;
	l->out.to = STDOUT_FILENO;
	l->err.from = g->name == NULL ? g->fds[STREAM_STDERR] : -1;
	l->err.to = STDERR_FILENO;
	for (size_t i = 0; i < s->n_guests; i++) {
		l->requests[i].from = -1;
		l->requests[i].to = s->guests[i].fds[STREAM_CONTROL];
	}
}

/* What QEMU inherits: its ends of all streams, and what is kept for it. */
static size_t inherited(const struct session *s, const int *keep, size_t kept_n, int *fds)
{
	size_t n = 0;

	fds[n++] = s->uart_qemu_fd;
	for (size_t i = 0; i < s->n_guests; i++)
		for (size_t k = 0; k < STREAM_COUNT && !s->guests[i].absent; k++)
			fds[n++] = s->guests[i].qemu_fds[k];
	for (size_t i = 0; i < kept_n && i < SESSION_KEEP; i++)
		fds[n++] = keep[i];
	return n;
}

int session_run(struct session *s, const struct words *argv, const int *keep, size_t kept_n)
{
	struct loop *l = xcalloc(1, sizeof(*l));
	int inherit[1 + STREAM_COUNT * GW_BUNDLE_PARTITIONS + SESSION_KEEP];
	size_t n = inherited(s, keep, kept_n, inherit);

	s->start_ns = now_ns();
	s->pid = spawn(argv->v, s->messages_child_fd, inherit, n);
	if (s->pid < 0) {
		free(l);
		return fail("cannot start %s: %s", argv->v[0], strerror(errno));
	}
	for (size_t i = 0; i < n - (kept_n < SESSION_KEEP ? kept_n : SESSION_KEEP); i++)
		close(inherit[i]);
	close(s->messages_child_fd);
	l->s = s;
	connect_pumps(l);
	pump_all(l);
	for (size_t i = 0; i < s->n_guests; i++) {
		text_free(&s->guests[i].metrics);
		text_free(&s->guests[i].status);
	}
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
