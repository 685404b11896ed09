/* SPDX-License-Identifier: Apache-2.0 */
/* verify.h - what redis must answer: each connection has its own keys, and redis answers a
 * connection's requests in order, so that the answer to each follows exactly from the requests
 * before it. */
#ifndef GODWIT_LOAD_VERIFY_H
#define GODWIT_LOAD_VERIFY_H

#include "tools/load/mix.h"
#include "tools/load/resp.h"

struct expectation {
	char what; /* O: OK, V: the value of a version (0: nil), I: a number, P: PONG, E: an echo,
		      0: anything */
	uint64_t key;
	int64_t n; /* version or number */
};

struct verifier {
	uint64_t seed, keys;
	uint32_t size;	    /* of a value */
	uint32_t *versions; /* of each key; 0: absent */
	int64_t *counters;
	int64_t issued;		 /* versions so far */
	struct expectation *due; /* ring */
	uint32_t room, head, n;
};

/* verify_can - whether every command of a mix can be checked; -1 (fail) names the first that
 * cannot. */
int verify_can(const struct mix *m);
void verify_init(struct verifier *v, uint64_t seed, uint64_t keys, uint32_t size,
		 uint32_t pipeline);
void verify_free(struct verifier *v);

/* verify_sent - a command on key goes out. Returns the version that a {value} in it must have. */
int64_t verify_sent(struct verifier *v, const struct mix_command *c, uint64_t key);
/* verify_value - the bytes of a version of a key's value, size of them. */
void verify_value(const struct verifier *v, uint64_t key, int64_t version, char *out);
/* verify_answer - the next answer came; false with a reason when it is not what it must be. */
bool verify_answer(struct verifier *v, const struct resp_parser *p, char *why, size_t room);

#endif
