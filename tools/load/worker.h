/* SPDX-License-Identifier: Apache-2.0 */
/* worker.h - one thread of load: its part of the connections and of the schedule, on one epoll. */
#ifndef GODWIT_LOAD_WORKER_H
#define GODWIT_LOAD_WORKER_H

#include <pthread.h>

#include "tools/load/load.h"

#define IN_BYTES 65536u /* of worker.in */

/* A request on its way. */
struct flight {
	uint64_t intended, sent; /* ns, CLOCK_MONOTONIC; sent 0: not yet handed to the socket */
	bool answered;		 /* datagrams, whose order is free */
};

enum conn_state { CONN_DOWN, CONN_CONNECTING, CONN_UP };

struct conn {
	int fd;
	enum conn_state state;
	uint32_t index, generation;  /* of all threads; how often it was made */
	bool queued, dirty, writing; /* in the free queue; has unflushed requests; waits for room in
					the socket */
	bool opened;		     /* state_of has been opened */
	struct flight *flights;	     /* ring of pipeline entries */
	uint32_t head, n;
	uint64_t first_id; /* of flights[head] */
	uint64_t free_at;  /* when it last became able to take a request */
	struct text out;
	size_t out_sent;
	uint64_t retry_at, backoff;
	void *state_of; /* the protocol's */
};

struct worker {
	const struct load_config *config;
	const void *shared;
	const struct sockaddr_storage *address;
	socklen_t address_len;
	uint32_t number;
	pthread_t thread;
	pthread_barrier_t *ready, *go;
	const uint64_t *start; /* the schedule's time 0, set before go */
	const bool *cancelled; /* set before go: do not start */
	_Atomic bool *stop;

	int epoll;
	struct conn *conns;
	uint32_t n_conns, n_up;
	uint32_t *free_queue; /* ring of n_conns indices */
	uint32_t free_head, n_free;
	uint32_t *dirty; /* connections to flush */
	uint32_t n_dirty;
	struct arrivals due; /* next to send */
	struct rng rng;
	uint64_t in_flight;
	uint64_t begin, measure_from, end; /* absolute; end: nothing is due from here on */
	uint64_t check_at, all_down_since;
	uint8_t *in;

	struct histogram corrected, uncorrected, late;
	uint64_t *memory;
	struct load_counters counters;
	char first_error[LOAD_ERRORS][200];
	char stopped[256]; /* why it gave up */
};

/* worker_main - the thread. */
void *worker_main(void *worker);

/* conn.c */
void conn_start(struct worker *w, struct conn *c, uint64_t now); /* begin to connect */
void conn_event(struct worker *w, struct conn *c, uint32_t events);
void conn_flush(struct worker *w, struct conn *c);
void conn_check(struct worker *w, struct conn *c, uint64_t now); /* time-outs, reconnection */
void conn_drop(struct worker *w, struct conn *c);		 /* close, forget what is on it */
void worker_error(struct worker *w, enum load_error kind, uint64_t n, const char *format, ...)
	PRINTF(4, 5);

/* flight.c */
void flight_send(struct worker *w, struct conn *c, uint64_t intended);
void flight_answer(struct worker *w, struct conn *c, const struct proto_answer *a, uint64_t now);
uint64_t flight_lose(struct worker *w, struct conn *c, uint64_t now,
		     bool waited); /* all of them; returns how many */
void conn_offer(struct worker *w, struct conn *c,
		uint64_t now); /* into the free queue, if it can take a request */

#endif
