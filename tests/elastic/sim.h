/* SPDX-License-Identifier: Apache-2.0 */
/* sim.h - a discrete-event simulator of a machine that a latency program shares with a batch
 * program that never ends. The allocator is the kernel's own (kernel/core/elastic.c and its
 * policies, unchanged); around it, and around a policy with a dedicated core in the manner of
 * Caladan, stands the same model of a runtime: one queue a vcore, arrivals spread over them at
 * random, work stealing. Deterministic: times are whole ns, and random numbers come from the seed.
 */
#ifndef GODWIT_TESTS_ELASTIC_SIM_H
#define GODWIT_TESTS_ELASTIC_SIM_H

#include <stdbool.h>
#include <stdint.h>

#define CORES_MAX 128u
#define NONE (~0u)

/* What things cost, in ns, the same for both policies: measured are some 1,200 instructions for a
 * move in the kernel (make boot-test), at most 1 ns each, and an interrupt to another core. */
#define MOVE_NS 2500u  /* a core from one program to another: from the decision to its work */
#define SWITCH_NS 500u /* between two vcores of one program */
#define STEAL_NS 300u  /* to take a request from another one's queue */
#define LOOK_NS 500u   /* Godwit: a busy core looks after everybody's delay */
#define EVENT_NS 1000u /* Godwit: an event interrupts a program, and its runtime looks around */
#define BOUND_NS 5000u /* the delay that asks for a core */

struct params {
	uint32_t cores;
	double load;	   /* of all cores: arrivals a second times mean service, over cores */
	uint64_t requests; /* measured; as many as a tenth of them before */
	uint64_t seed;
	/* Service: mean_ns, or short_ns, and long_ns with probability `longs`. */
	enum { EXPONENTIAL, BIMODAL } service;
	double mean_ns, short_ns, long_ns, longs;
	/* Steps: the load is a tenth for half of the period, then rises to `load` within 20 us. */
	uint64_t step_period_ns;
	bool batch; /* beside a batch program, on all cores that are left */
};

struct result {
	uint64_t p50, p99, p999, max; /* latencies, ns */
	double batch;		      /* cores that the batch program had, on average */
	double moves;		      /* of cores, a ms */
	bool unstable;		      /* the queue grew and grew */
};

/* All cores work, and requests are seen when they come. */
struct result sim_godwit(const struct params *p);
/* The same with Godwit's runtime as it is: a program that runs is not told of requests that come,
 * but they are counted; and blind, not even that. See README. */
struct result sim_counted(const struct params *p);
struct result sim_blind(const struct params *p);
struct result sim_caladan(const struct params *p); /* one core of p->cores decides only */
struct result sim_static(const struct params *p);  /* half of the cores, for good; one queue */
struct result sim_sharing(const struct params *p); /* ideal processor sharing, all cores */

/* ---- engine.c ---- */

/* A request. Pushed to and taken from queues by number. */
struct job {
	uint64_t arrived, service, left, seen;
	uint32_t next;
};

extern uint64_t now;
extern struct job *jobs;
#define JOBS_MAX 200000u /* at a time: more means that the machine is overloaded */

struct queue {
	uint32_t head, tail, n;
};

void engine_begin(const struct params *p);
struct result engine_end(void);

/* The next arrival is put into *job and true returned; false: an event fires, *core and *tag are as
 * it was set. Ends when all requests have been answered: returns -1. */
enum what { ARRIVAL, EVENT, END };
enum what engine_next(uint32_t *job, uint32_t *core, uint32_t *tag);

/* An event for `core` at `at`. A core has one of its own (tag < 2); a newer one replaces it. */
void engine_set(uint32_t core, uint32_t tag, uint64_t at);
void engine_cancel(uint32_t core, uint32_t tag);

void job_done(uint32_t job); /* answered now */
void queue_push(struct queue *q, uint32_t job);
uint32_t queue_take(struct queue *q); /* the oldest, or NONE */
uint32_t random_below(uint32_t n);
void batch_ran(uint64_t ns);
void moved(void);

#endif
