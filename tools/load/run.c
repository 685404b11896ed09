/* SPDX-License-Identifier: Apache-2.0 */
/* run.c - one run: threads, what is watched meanwhile, and the sum. See load.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/load/run.h"

volatile int load_interrupted;

const char *const load_error_names[LOAD_ERRORS] = { "connect", "closed", "garbage",
						    "refused", "wrong",	 "timeout" };

struct run {
	struct worker *workers;
	pthread_barrier_t ready, go;
	struct sockaddr_storage address;
	socklen_t address_len;
	void *shared;
	uint64_t start;
	bool cancelled;
	_Atomic bool stop, early;
	uint64_t early_at;
	_Atomic uint32_t running;
};

struct thread_start {
	struct worker *worker;
	struct run *run;
};

static void *thread_main(void *arg)
{
	struct thread_start s = *(struct thread_start *)arg;

	free(arg);
	worker_main(s.worker);
	s.run->running--;
	return NULL;
}

static void init_histograms(struct worker *w)
{
	w->memory = xcalloc(3 * HISTOGRAM_COUNTS_3, sizeof(uint64_t));
	if (histogram_init(&w->corrected, 3, w->memory) != 0 ||
	    histogram_init(&w->uncorrected, 3, w->memory + HISTOGRAM_COUNTS_3) != 0 ||
	    histogram_init(&w->late, 3, w->memory + 2 * HISTOGRAM_COUNTS_3) != 0)
		abort(); /* the digits are right */
}

static int start_threads(struct run *run, const struct load_config *c)
{
	run->workers = xcalloc(c->threads, sizeof(*run->workers));
	pthread_barrier_init(&run->ready, NULL, c->threads + 1);
	pthread_barrier_init(&run->go, NULL, c->threads + 1);
	for (uint32_t i = 0; i < c->threads; i++) {
		struct worker *w = &run->workers[i];
		struct thread_start *s = xcalloc(1, sizeof(*s));

		*w = (struct worker){ .config = c,
				      .shared = run->shared,
				      .address = &run->address,
				      .address_len = run->address_len,
				      .number = i,
				      .ready = &run->ready,
				      .go = &run->go,
				      .start = &run->start,
				      .cancelled = &run->cancelled,
				      .stop = &run->stop,
				      .early = &run->early,
				      .epoll = -1 };
		init_histograms(w);
		*s = (struct thread_start){ w, run };
		run->running++;
		if (pthread_create(&w->thread, NULL, thread_main, s) != 0) {
			say("thread %u of %u: %s", i + 1, c->threads, strerror(errno));
			exit(STATUS_TROUBLE); /* the others wait for it for ever */
		}
	}
	return 0;
}

static void watch_run(struct run *run, const struct load_config *c, FILE *log,
		      struct load_result *r)
{
	struct watch watch;

	watch_init(&watch, c, run->workers, r, log, run->start);
	while (run->running > 0) {
		uint64_t now = clock_ns(), next = watch_next(&watch);

		if (load_interrupted != 0) {
			if (!run->early)
				run->early_at = now;
			r->interrupted = true;
			run->early = true;
		}
		if (now >= next) {
			watch_tick(&watch, now);
			continue;
		}
		/* short enough to see the end and an interrupt */
		next = GW_MIN(next - now, 20 * NS_PER_MS);
		nanosleep(&(struct timespec){ .tv_nsec = (long)next }, NULL);
	}
	watch_finish(&watch, clock_ns());
	watch_free(&watch);
}

static void add_counters(struct load_result *r, const struct load_counters *c)
{
	struct load_counters *to = &r->counters;

	to->sent += c->sent;
	to->answered += c->answered;
	to->sent_measured += c->sent_measured;
	to->answered_measured += c->answered_measured;
	to->finished_measured += c->finished_measured;
	to->unanswered += c->unanswered;
	to->unsent += c->unsent;
	to->reconnects += c->reconnects;
	to->strays += c->strays;
	to->most_waiting += c->most_waiting;
	to->waiting_at_end += c->waiting_at_end;
	for (int e = 0; e < LOAD_ERRORS; e++)
		to->errors[e] += c->errors[e];
}

static void collect(struct run *run, const struct load_config *c, struct load_result *r,
		    uint64_t stopped)
{
	uint64_t from = run->start + c->warmup, to = GW_MIN(stopped, from + c->duration);

	for (uint32_t i = 0; i < c->threads; i++) {
		const struct worker *w = &run->workers[i];

		histogram_merge(&r->corrected, &w->corrected);
		histogram_merge(&r->uncorrected, &w->uncorrected);
		histogram_merge(&r->late, &w->late);
		add_counters(r, &w->counters);
		for (int e = 0; e < LOAD_ERRORS; e++) {
			if (r->first_error[e][0] == '\0')
				memcpy(r->first_error[e], w->first_error[e],
				       sizeof(r->first_error[e]));
		}
		if (r->stopped[0] == '\0')
			memcpy(r->stopped, w->stopped, sizeof(r->stopped));
	}
	r->measured_s = to > from ? (double)(to - from) / 1e9 : 0;
	if (r->measured_s <= 0)
		return;
	r->asked_per_s = (arrivals_expected(&c->arrivals, to - run->start) -
			  arrivals_expected(&c->arrivals, c->warmup)) /
			 r->measured_s;
	r->due_per_s = (double)(r->counters.sent_measured + r->counters.unsent) / r->measured_s;
}

/* All connections are made, or one could not be: says so and gives up. */
static int check_ready(struct run *run, const struct load_config *c)
{
	for (uint32_t i = 0; i < c->threads; i++) {
		if (run->workers[i].stopped[0] != '\0')
			return fail("%s: %s", c->target, run->workers[i].stopped);
	}
	return 0;
}

int load_run(const struct load_config *c, FILE *log, struct load_result *r)
{
	struct run run = { 0 };
	uint64_t stopped = 0;
	int rc;

	if (load_result_init(r) != 0 || want_files(c->connections) != 0 ||
	    find_target(c, &run.address, &run.address_len) != 0 ||
	    c->proto->prepare(&c->options, &run.shared) != 0)
		return -1;
	rc = start_threads(&run, c);
	pthread_barrier_wait(&run.ready);
	rc = rc == 0 ? check_ready(&run, c) : rc;
	run.cancelled = rc != 0 || load_interrupted != 0;
	r->started = time(NULL);
	run.start = clock_ns() + 10 * NS_PER_MS;
	if (log != NULL && rc == 0)
		/* by interval, so that a run that is cut short leaves them */
		fflush(log);
	pthread_barrier_wait(&run.go);
	if (!run.cancelled)
		watch_run(&run, c, log, r);
	stopped = run.early ? run.early_at : clock_ns();
	for (uint32_t i = 0; i < c->threads; i++)
		pthread_join(run.workers[i].thread, NULL);
	collect(&run, c, r, stopped);
	for (uint32_t i = 0; i < c->threads; i++)
		free(run.workers[i].memory);
	free(run.workers);
	pthread_barrier_destroy(&run.ready);
	pthread_barrier_destroy(&run.go);
	c->proto->release(run.shared);
	return rc;
}
