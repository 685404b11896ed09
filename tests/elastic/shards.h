/* SPDX-License-Identifier: Apache-2.0 */
/* shards.h - the runtime that both policies run: vcores with a queue each, on cores. */
#ifndef GODWIT_TESTS_ELASTIC_SHARDS_H
#define GODWIT_TESTS_ELASTIC_SHARDS_H

#include "tests/elastic/sim.h"

struct svcore {
	struct queue q;
	uint32_t running;      /* the request that it has begun, or NONE */
	uint32_t on;	       /* core, or NONE */
	uint32_t last;	       /* the core where it was last */
	uint64_t ready_ns;     /* since when it has work and no core; 0: not so */
	uint64_t published_ns; /* what its runtime says: the oldest in its queue, as it last saw it
				*/
	uint32_t n_seen;       /* of its queue, when its runtime last looked */
	uint64_t unseen_ns;    /* since when requests are known to be there that it has not seen */
	uint64_t helped_ns;
};

struct score {
	enum { IDLE, MOVING, BUSY, BATCH, OTHER } state;
	uint32_t vcore;	     /* NONE: of the batch program, or nothing */
	bool to_batch;	     /* MOVING */
	uint64_t since, end; /* BUSY: the request is done then. BATCH: it runs since then */
	uint64_t slice_end;
};

extern struct svcore vcores[CORES_MAX];
extern struct score cores[CORES_MAX];
extern uint32_t n_vcores, n_cores;

void shards_begin(uint32_t n, const struct params *p);

/* core begins to serve vcore v (NONE: the batch program, idle: nothing) after `cost` ns; its event,
 * tag 0, says that it is there (shards_there). */
void core_move(uint32_t core, uint32_t v, bool batch, uint64_t cost);

/* Whatever core does is put aside: a request stays begun at its vcore. */
void core_stop(uint32_t core);

/* The core's event: it has come to its vcore, or a request is done, or its turn is over (tag 1).
 * Returns true when its vcore has nothing more to do, and it found nothing to steal. */
bool shards_event(uint32_t core, uint32_t tag);

/* core serves its vcore: the begun request, its queue, another one's. False: there is nothing. */
bool core_serve(uint32_t core);

/* core is held up for ns by something else. */
void core_delay(uint32_t core, uint64_t ns);

/* v's runtime looks at its queue, and says what it sees. */
void shard_look(struct svcore *v);

/* Its queue holds one that its runtime has not seen. */
bool shard_unseen(const struct svcore *v);

bool has_work(const struct svcore *v);
extern bool steals_parked;    /* a vcore may take from the queue of one that has no core */
extern bool steals_interrupt; /* by asking the other's runtime, which must stop its program */

/* Which of another's queue a vcore knows of that looks for work: all; what the other's runtime has
 * seen; and that there is more, but not how much. */
extern enum steals { STEALS_ALL, STEALS_SEEN, STEALS_COUNTED } steals_know;

#endif
