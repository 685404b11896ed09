/* SPDX-License-Identifier: Apache-2.0 */
/* reflector.c - sockets and events of the reflector, and its command. See reflector.h. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tools/load/commands.h"
#include "tools/load/options.h"
#include "tools/load/reflector.h"
#include "tools/load/units.h"

#define CREDIT (40 * NS_PER_MS)

static const char *const schemes[] = { "tcp", "udp", "redis", "http" };

static struct peer *add_peer(struct reflector *r, int fd, enum reflect_kind kind, bool listening)
{
	struct peer *p = xcalloc(1, sizeof(*p));
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = p };

	*p = (struct peer){ .fd = fd, .kind = kind, .listening = listening };
	resp_init(&p->resp, p->name, sizeof(p->name));
	p->resp.keep_first = true;
	if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &e) != 0) {
		close(fd);
		free(p);
		return NULL;
	}
	return p;
}

static void drop(struct reflector *r, struct peer *p)
{
	if (p->gone)
		return;
	close(p->fd);
	p->gone = true;
	p->next_gone = r->gone;
	r->gone = p;
}

int reflector_init(struct reflector *r, const struct reflect_options *o)
{
	*r = (struct reflector){ .options = *o, .epoll = epoll_create1(EPOLL_CLOEXEC) };
	if (r->epoll < 0)
		return fail("epoll: %s", strerror(errno));
	for (uint32_t i = 0; i < o->size; i++)
		text_add(&r->value, "x", 1);
	text_printf(&r->http,
		    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %u\r\n\r\n%s",
		    o->size, o->size > 0 ? r->value.data : "");
	return 0;
}

void reflector_free(struct reflector *r)
{
	close(r->epoll);
	text_free(&r->value);
	text_free(&r->http);
}

static int bind_to(const struct addrinfo *a, bool datagram)
{
	int fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && (datagram || listen(fd, 1024) == 0))
		return fd;
	close(fd);
	return -1;
}

int reflector_listen(struct reflector *r, struct url *u)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE }, *list = NULL;
	struct sockaddr_storage address = { 0 };
	struct sockaddr_in v4;
	socklen_t len = sizeof(address);
	char service[8];
	size_t kind = 0;
	int fd, rc;

	while (kind < ARRAY_SIZE(schemes) && strcmp(schemes[kind], u->scheme) != 0)
		kind++;
	if (kind == ARRAY_SIZE(schemes))
		return fail("%s://: the reflector knows tcp, udp, redis and http", u->scheme);
	hints.ai_socktype = kind == REFLECT_UDP ? SOCK_DGRAM : SOCK_STREAM;
	snprintf(service, sizeof(service), "%u", u->port);
	rc = getaddrinfo(u->host, service, &hints, &list);
	if (rc != 0)
		return fail("%s: %s", u->host, gai_strerror(rc));
	fd = bind_to(list, kind == REFLECT_UDP);
	rc = errno;
	freeaddrinfo(list);
	if (fd < 0)
		return fail("%s://%s:%u: %s", u->scheme, u->host, u->port, strerror(rc));
	if (getsockname(fd, (struct sockaddr *)&address, &len) != 0 ||
	    add_peer(r, fd, (enum reflect_kind)kind, true) == NULL)
		return fail("%s://%s: %s", u->scheme, u->host, strerror(errno));
	memcpy(&v4, &address, sizeof(v4)); /* IPv6 has its port in the same place */
	u->port = ntohs(v4.sin_port);
	return 0;
}

/* Takes its time for requests. It sleeps until an absolute time, and what it overslept (up to
 * CREDIT) it catches up, so that its rate does not depend on what else the machine does. */
static void serve_time(struct reflector *r, uint64_t requests)
{
	uint64_t now = clock_ns();
	struct timespec t;

	if (r->options.delay > 0) {
		while (clock_ns() < now + r->options.delay)
			__builtin_ia32_pause();
	}
	if (r->options.service == 0)
		return;
	r->free_at = GW_MAX(r->free_at, now - CREDIT) + r->options.service * requests;
	if (r->free_at <= now)
		return;
	t = (struct timespec){ .tv_sec = (time_t)(r->free_at / NS_PER_SEC),
			       .tv_nsec = (long)(r->free_at % NS_PER_SEC) };
	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void echo_datagrams(struct reflector *r, struct peer *p, uint8_t *in, size_t room)
{
	for (int i = 0; i < 64; i++) {
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(p->fd, in, room, 0, (struct sockaddr *)&from, &len);

		if (n < 0)
			return;
		serve_time(r, 1);
		if (r->options.fault == FAULT_GARBAGE && n > 0)
			memset(in, '?', (size_t)n);
		if (r->options.fault == FAULT_HALF)
			n /= 2;
		if (r->options.fault != FAULT_SILENT && r->options.fault != FAULT_CLOSE)
			(void)sendto(p->fd, in, (size_t)n, MSG_NOSIGNAL, (struct sockaddr *)&from,
				     len);
	}
}

static void write_out(struct reflector *r, struct peer *p)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = p };

	while (p->out_sent < p->out.len) {
		ssize_t n = send(p->fd, p->out.data + p->out_sent, p->out.len - p->out_sent,
				 MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN) {
			drop(r, p);
			return;
		}
		if (n < 0)
			break;
		p->out_sent += (size_t)n;
	}
	if (p->out_sent == p->out.len)
		p->out.len = p->out_sent = 0;
	if (p->waits_to_write == (p->out.len > 0))
		return;
	p->waits_to_write = p->out.len > 0;
	e.events = p->waits_to_write ? EPOLLOUT
				     : EPOLLIN; /* a peer that does not read is not read from */
	(void)epoll_ctl(r->epoll, EPOLL_CTL_MOD, p->fd, &e);
}

/* What it answers, as the fault has it; false: nothing is to be written. */
static bool spoil(struct reflector *r, struct peer *p)
{
	switch (r->options.fault) {
	case FAULT_CLOSE:
		drop(r, p);
		return false;
	case FAULT_GARBAGE:
		memset(p->out.data, '?', p->out.len);
		return true;
	case FAULT_HALF: /* half of the answers at hand, and then it is gone */
		p->out.len /= 2;
		write_out(r, p);
		drop(r, p);
		return false;
	case FAULT_SILENT:
		p->out.len = 0;
		return false;
	case FAULT_NONE:
	default:
		return true;
	}
}

static void serve_peer(struct reflector *r, struct peer *p, uint8_t *in, size_t room)
{
	ssize_t n = recv(p->fd, in, room, 0);
	int requests;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	requests = n > 0 ? reflect(r, p, in, (size_t)n) : -1;
	if (requests < 0) {
		drop(r, p);
		return;
	}
	serve_time(r, (uint64_t)requests);
	if (p->out.len > 0 && spoil(r, p))
		write_out(r, p);
}

static void accept_peers(struct reflector *r, struct peer *p)
{
	for (int i = 0; i < 64; i++) {
		int fd = accept4(p->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;

		if (fd < 0)
			return;
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		(void)add_peer(r, fd, p->kind, false);
	}
}

static void event(struct reflector *r, struct peer *p, uint32_t events, uint8_t *in, size_t room)
{
	if (p->gone)
		return;
	if (p->kind == REFLECT_UDP)
		echo_datagrams(r, p, in, room);
	else if (p->listening)
		accept_peers(r, p);
	else if ((events & EPOLLOUT) != 0)
		write_out(r, p);
	else
		serve_peer(r, p, in, room);
}

static void bury(struct reflector *r)
{
	while (r->gone != NULL) {
		struct peer *p = r->gone;

		r->gone = p->next_gone;
		text_free(&p->out);
		free(p);
	}
}

void reflector_serve(struct reflector *r)
{
	const size_t room = 1u << 17;
	uint8_t *in = xcalloc(1, room);
	uint64_t next_stall = r->options.every == 0 ? UINT64_MAX : clock_ns() + r->options.every;

	while (!r->stop && load_interrupted == 0) {
		struct epoll_event events[128];
		int n = epoll_wait(r->epoll, events, 128, 5);
		uint64_t now = clock_ns();

		if (now >= next_stall) {
			struct timespec t = { .tv_sec = (time_t)(r->options.stall / NS_PER_SEC),
					      .tv_nsec = (long)(r->options.stall % NS_PER_SEC) };

			nanosleep(&t, NULL);
			next_stall += r->options.every;
		}
		for (int i = 0; i < n; i++)
			event(r, events[i].data.ptr, events[i].events, in, room);
		bury(r);
	}
	free(in);
}

static int parse_fault(const char *s, enum reflect_fault *fault)
{
	static const char *const names[] = { "none", "close", "garbage", "half", "silent" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], s) == 0) {
			*fault = (enum reflect_fault)i;
			return 0;
		}
	}
	return fail("--fault %s: close, garbage, half or silent", s);
}

static int option(struct reflect_options *o, const char *name, const char *value)
{
	uint64_t n;

	if (value == NULL)
		return fail("%s: not an option, or without its value; godwit-load reflector --help",
			    name);
	if (strcmp(name, "--size") == 0) {
		if (parse_u64(value, 0, 64u << 20, &n) != 0)
			return fail("--size %s: bytes, at most 64 MB", value);
		o->size = (uint32_t)n;
	} else if (strcmp(name, "--stall") == 0) {
		if (parse_every(value, &o->stall, &o->every) != 0)
			return fail("--stall %s: how long and how often, as in 100ms/1s", value);
	} else if (strcmp(name, "--service") == 0) {
		if (parse_duration(value, &o->service) != 0)
			return fail("--service %s: a time, as in 50us", value);
	} else if (strcmp(name, "--delay") == 0) {
		if (parse_duration(value, &o->delay) != 0 || o->delay > NS_PER_SEC)
			return fail("--delay %s: a time up to a second, as in 50us", value);
	} else if (strcmp(name, "--fault") == 0) {
		return parse_fault(value, &o->fault);
	} else {
		return fail("%s: not an option; godwit-load reflector --help", name);
	}
	return 0;
}

static int listen_all(struct reflector *r, int argc, char **argv)
{
	int n = 0;

	for (int i = 0; i < argc; i++) {
		struct url u;

		if (argv[i][0] == '-') {
			i++;
			continue;
		}
		if (url_parse(&u, argv[i]) != 0 || reflector_listen(r, &u) != 0)
			return -1;
		printf("listening on %s://%s%s%s:%u\n", u.scheme, strchr(u.host, ':') ? "[" : "",
		       u.host, strchr(u.host, ':') ? "]" : "", u.port);
		n++;
	}
	fflush(stdout);
	return n > 0 ? 0
		     : fail("reflector: where to listen? As in: godwit-load reflector "
			    "redis://127.0.0.1:7000");
}

static void stop_serving(int signal)
{
	(void)signal;
	load_interrupted = 1;
}

int reflector_main(int argc, char **argv)
{
	struct reflect_options o = { .size = 64 };
	struct reflector r;
	int rc = 0;

	(void)signal(SIGINT, stop_serving);
	(void)signal(SIGTERM, stop_serving);
	for (int i = 0; rc == 0 && i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			help_reflector();
			return 0;
		}
		if (argv[i][0] == '-') {
			rc = option(&o, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
			i++;
		}
	}
	if (rc == 0)
		rc = reflector_init(&r, &o);
	if (rc == 0) {
		rc = listen_all(&r, argc, argv);
		if (rc == 0)
			reflector_serve(&r);
		reflector_free(&r);
	}
	if (rc != 0)
		say("%s", fail_text());
	return rc == 0 ? 0 : STATUS_USAGE;
}
