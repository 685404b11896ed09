/* SPDX-License-Identifier: Apache-2.0 */
/* worker.c - a thread of load. Near a request's time it polls the clock, so that requests leave
 * within about a microsecond of when they are due; a request that finds no connection free waits,
 * and its clock runs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tools/load/worker.h"

#define CHECK_EVERY NS_PER_MS
#define EVENTS 256
#define CONNECTING_MOST 64u
#define BATCH 64u
#define NEAR (100 * NS_PER_US) /* how early a sleep ends: what waking up may take */
#define SPIN (NS_PER_US)       /* too short to look at the sockets in between */
#define STEPS_MOST 2000000.0

static void make_conns(struct worker *w)
{
	const struct load_config *c = w->config;

	w->n_conns = (c->connections - w->number + c->threads - 1) / c->threads;
	w->conns = xcalloc(w->n_conns, sizeof(*w->conns));
	w->free_queue = xcalloc(w->n_conns, sizeof(*w->free_queue));
	w->dirty = xcalloc(w->n_conns, sizeof(*w->dirty));
	for (uint32_t i = 0; i < w->n_conns; i++) {
		w->conns[i] = (struct conn){ .fd = -1, .index = w->number + i * c->threads };
		w->conns[i].flights = xcalloc(c->pipeline, sizeof(struct flight));
		w->conns[i].state_of = xcalloc(1, c->proto->conn_size);
	}
}

static void free_conns(struct worker *w)
{
	for (uint32_t i = 0; i < w->n_conns; i++) {
		conn_drop(w, &w->conns[i]);
		free(w->conns[i].flights);
		free(w->conns[i].state_of);
		text_free(&w->conns[i].out);
	}
	free(w->conns);
	free(w->free_queue);
	free(w->dirty);
}

static void poll_sockets(struct worker *w, uint64_t wait_ns)
{
	struct epoll_event events[EVENTS];
	struct timespec t = { .tv_sec = (time_t)(wait_ns / NS_PER_SEC),
			      .tv_nsec = (long)(wait_ns % NS_PER_SEC) };
	int n = wait_ns == 0 ? epoll_wait(w->epoll, events, EVENTS, 0)
			     : epoll_pwait2(w->epoll, events, EVENTS, &t, NULL);

	for (int i = 0; i < n; i++)
		conn_event(w, events[i].data.ptr, events[i].events);
}

/* All connections before the first request, some at a time (a server's backlog is short). */
static void connect_all(struct worker *w)
{
	uint64_t deadline = clock_ns() + w->config->connect_timeout + w->n_conns * NS_PER_MS;
	uint32_t made = 0, started = 0;

	while (made < w->n_conns && !*w->stop) {
		uint64_t now = clock_ns();

		while (started < w->n_conns && started - made < CONNECTING_MOST)
			conn_start(w, &w->conns[started++], now);
		poll_sockets(w, 10 * NS_PER_MS);
		made = 0;
		for (uint32_t i = 0; i < started; i++)
			made += w->conns[i].generation > 0;
		if (w->counters.errors[LOAD_CONNECT] == 0 && now < deadline)
			continue;
		snprintf(w->stopped, sizeof(w->stopped), "%u of %u connections made, then: %.150s",
			 made, w->n_conns,
			 w->first_error[LOAD_CONNECT][0] != '\0' ? w->first_error[LOAD_CONNECT]
								 : "no answer in time");
		return;
	}
}

/* How many requests are due and not sent, from their schedule alone. */
static double waiting(const struct worker *w, uint64_t until)
{
	if (w->due.next == ARRIVALS_END || w->due.next >= until)
		return 0;
	return 1 + (arrivals_expected(&w->config->arrivals, until) -
		    arrivals_expected(&w->config->arrivals, w->due.next)) /
			   w->config->threads;
}

static struct conn *take_free(struct worker *w)
{
	while (w->n_free > 0) {
		struct conn *c = &w->conns[w->free_queue[w->free_head]];

		w->free_head = (w->free_head + 1) % w->n_conns;
		w->n_free--;
		c->queued = false;
		if (c->state == CONN_UP && c->n < w->config->pipeline)
			return c;
	}
	return NULL;
}

static void flush_dirty(struct worker *w)
{
	uint32_t n = w->n_dirty;

	w->n_dirty = 0;
	for (uint32_t i = 0; i < n; i++)
		conn_flush(w, &w->conns[w->dirty[i]]);
}

/* Sends what is due, as far as connections are free. With a pipeline, what goes out together is
 * written together. */
static void dispatch(struct worker *w, uint64_t now)
{
	bool together = w->config->pipeline > 1 && !w->config->proto->datagram;

	for (uint32_t i = 0; i < BATCH; i++) {
		struct conn *c;
		uint64_t intended = w->begin + w->due.next;

		if (w->due.next == ARRIVALS_END || intended > now || intended >= w->end)
			break;
		c = take_free(w);
		if (c == NULL)
			break;
		flight_send(w, c, intended);
		arrivals_step(&w->due);
		conn_offer(w, c, c->free_at); /* room was there all the time */
		if (!together)
			flush_dirty(w);
	}
	flush_dirty(w);
}

static void give_up(struct worker *w, const char *what, enum load_error kind)
{
	for (int i = 0; w->first_error[kind][0] == '\0' && i < LOAD_ERRORS; i++)
		kind = w->first_error[i][0] != '\0' ? (enum load_error)i : kind;
	snprintf(w->stopped, sizeof(w->stopped), "%s: %.180s", what, w->first_error[kind]);
	*w->stop = true;
}

static void check(struct worker *w, uint64_t now)
{
	uint64_t errors = 0, still = (uint64_t)waiting(w, GW_MIN(now, w->end) - w->begin);

	w->check_at = now + CHECK_EVERY;
	for (uint32_t i = 0; i < w->n_conns; i++)
		conn_check(w, &w->conns[i], now);
	for (int i = 0; i < LOAD_ERRORS; i++)
		errors += w->counters.errors[i];
	w->counters.waiting = still;
	w->counters.most_waiting = GW_MAX(w->counters.most_waiting, still);
	if (now < w->end)
		w->counters.waiting_at_end = still;
	if (w->n_up > 0)
		w->all_down_since = now;
	if (now - w->all_down_since > w->config->connect_timeout)
		give_up(w, "no connection can be made any more", LOAD_CONNECT);
	else if (w->counters.answered == 0 && errors >= GW_MAX(50u, 10 * w->n_conns))
		give_up(w, "not one request was answered", LOAD_GARBAGE);
}

/* How long the sockets may be waited for. */
static uint64_t wait_time(const struct worker *w, uint64_t now)
{
	uint64_t wake = w->check_at, next = w->begin + w->due.next;
	bool can_send = w->n_free > 0 && w->due.next != ARRIVALS_END && next < w->end;

	if (w->config->busy && w->in_flight > 0)
		return 0;
	if (can_send)
		wake = GW_MIN(wake, next - GW_MIN(next, NEAR));
	return wake > now ? wake - now : 0;
}

static bool all_sent(const struct worker *w)
{
	return w->due.next == ARRIVALS_END || w->begin + w->due.next >= w->end;
}

/* Everything was sent and answered, or that has taken too long: what is due may still be sent for a
 * while after the end, and what was sent may still be answered for as long again. */
static bool finished(const struct worker *w, uint64_t now)
{
	uint64_t drain = w->config->drain;

	if (w->due.next == ARRIVALS_END && w->in_flight == 0)
		return true;
	if (now < w->end)
		return false;
	if (w->in_flight == 0 && (all_sent(w) || now >= w->end + drain))
		return true;
	return now >= w->end + 2 * drain;
}

static void run(struct worker *w)
{
	while (!atomic_load_explicit(w->stop, memory_order_relaxed)) {
		uint64_t now = clock_ns(), next = w->begin + w->due.next;

		if (finished(w, now))
			break;
		if (now >= w->check_at)
			check(w, now);
		if (now < w->end + w->config->drain)
			dispatch(w, now);
		if (w->n_free > 0 && w->due.next != ARRIVALS_END && next > now && next - now < SPIN)
			continue;
		poll_sockets(w, wait_time(w, clock_ns()));
	}
}

/* What never went out has waited, too. Beyond STEPS_MOST requests it is done in equal parts, each
 * standing for many. */
static void count_unsent(struct worker *w, uint64_t now)
{
	uint64_t stop = GW_MIN(now, w->end);
	double n = waiting(w, stop - GW_MIN(stop, w->begin));
	uint64_t first = GW_MAX(w->begin + w->due.next, w->measure_from);

	if (n <= 0 || w->due.next == ARRIVALS_END)
		return;
	if (n > STEPS_MOST) {
		uint64_t each = (uint64_t)(n / 1000000), span = stop > first ? stop - first : 0;

		for (uint64_t i = 0; i < 1000000; i++)
			histogram_record_n(&w->corrected, now - (first + span / 1000000 * i), each);
		w->counters.unsent += each * 1000000;
		return;
	}
	for (; w->due.next != ARRIVALS_END && w->begin + w->due.next < stop;
	     arrivals_step(&w->due)) {
		uint64_t intended = w->begin + w->due.next;

		if (intended < w->measure_from)
			continue;
		histogram_record(&w->corrected, now - intended);
		w->counters.unsent++;
	}
}

static void finish(struct worker *w)
{
	uint64_t now = clock_ns();

	count_unsent(w, now);
	for (uint32_t i = 0; i < w->n_conns; i++)
		w->counters.unanswered += flight_lose(w, &w->conns[i], now, true);
}

static void prepare(struct worker *w)
{
	(void)prctl(PR_SET_TIMERSLACK, 1000ul, 0ul, 0ul, 0ul);
	w->rng.state = w->config->options.seed + w->number * 7919u;
	w->in = xcalloc(1, IN_BYTES);
	make_conns(w);
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll < 0)
		snprintf(w->stopped, sizeof(w->stopped), "epoll: %s", strerror(errno));
	else
		connect_all(w);
}

void *worker_main(void *worker)
{
	struct worker *w = worker;
	const struct load_config *c = w->config;

	prepare(w);
	pthread_barrier_wait(w->ready);
	pthread_barrier_wait(w->go);
	if (!*w->cancelled) {
		w->begin = *w->start;
		w->measure_from = w->begin + c->warmup;
		w->end = w->measure_from + c->duration;
		w->check_at = w->all_down_since = w->begin;
		arrivals_init(&w->due, &c->arrivals, w->number, c->threads,
			      c->options.seed ^ 0xa11a);
		run(w);
		finish(w);
	}
	free_conns(w);
	if (w->epoll >= 0)
		close(w->epoll);
	free(w->in);
	return NULL;
}
