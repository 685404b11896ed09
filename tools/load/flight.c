/* SPDX-License-Identifier: Apache-2.0 */
/* flight.c - requests on their way: from the schedule onto a connection, from an answer into the
 * histograms. */
#include "tools/load/worker.h"

static bool measured(const struct worker *w, uint64_t intended)
{
	return intended >= w->measure_from;
}

void conn_offer(struct worker *w, struct conn *c, uint64_t now)
{
	if (c->queued || c->state != CONN_UP || c->n >= w->config->pipeline)
		return;
	c->queued = true;
	c->free_at = now;
	w->free_queue[(w->free_head + w->n_free++) % w->n_conns] = c->index / w->config->threads;
}

void flight_send(struct worker *w, struct conn *c, uint64_t intended)
{
	struct flight *f = &c->flights[(c->head + c->n) % w->config->pipeline];
	uint64_t id = c->first_id + c->n;

	*f = (struct flight){ .intended = intended };
	c->n++;
	w->in_flight++;
	w->config->proto->request(c->state_of, &c->out, &w->rng, id);
	if (!c->dirty) {
		c->dirty = true;
		w->dirty[w->n_dirty++] = c->index / w->config->threads;
	}
}

/* Its latency, or how long it has waited in vain. */
static void record(struct worker *w, const struct flight *f, uint64_t now)
{
	if (!measured(w, f->intended))
		return;
	histogram_record(&w->corrected, now > f->intended ? now - f->intended : 0);
	if (f->sent != 0)
		histogram_record(&w->uncorrected, now > f->sent ? now - f->sent : 0);
}

static void pop(struct worker *w, struct conn *c)
{
	c->head = (c->head + 1) % w->config->pipeline;
	c->first_id++;
	c->n--;
}

void flight_answer(struct worker *w, struct conn *c, const struct proto_answer *a, uint64_t now)
{
	uint64_t place = w->config->proto->datagram ? a->id - c->first_id : 0;
	struct flight *f = &c->flights[(c->head + place) % w->config->pipeline];

	if (place >= c->n || f->answered) {
		w->counters.strays++;
		return;
	}
	record(w, f, now);
	f->answered = true;
	w->in_flight--;
	w->counters.answered++;
	if (measured(w, f->intended))
		w->counters.answered_measured++;
	if (now >= w->measure_from && now < w->end)
		w->counters.finished_measured++;
	if (a->error)
		worker_error(w, LOAD_ANSWER, 1, "%s", a->why);
	if (a->wrong)
		worker_error(w, LOAD_WRONG, 1, "%s", a->why);
	while (c->n > 0 && c->flights[c->head].answered)
		pop(w, c);
	conn_offer(w, c, now);
}

uint64_t flight_lose(struct worker *w, struct conn *c, uint64_t now, bool waited)
{
	uint64_t lost = 0;

	while (c->n > 0) {
		const struct flight *f = &c->flights[c->head];

		if (!f->answered) {
			/* leaving out what took longest would flatter: it counts with the time that
			 * it has waited */
			if (waited)
				record(w, f, now);
			lost++;
		}
		pop(w, c);
	}
	w->in_flight -= lost;
	return lost;
}
