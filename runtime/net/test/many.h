/* SPDX-License-Identifier: Apache-2.0 */
/* many.h - very many connections between two stacks on the simulated wire: opened, left idle, and
 * each asked once. For connections_test.c and the bench connections.c. */
#ifndef GODWIT_NET_MANY_H
#define GODWIT_NET_MANY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct many_report {
	unsigned opened, accepted, answered, wrong;
	size_t bytes_idle;    /* both stacks' allocations for them while idle, tables included */
	size_t buffers_idle;  /* packet buffers in use while idle */
	uint64_t frames_idle; /* sent during an hour of idleness */
	bool sleeps;	      /* nothing was due while idle */
	size_t left;	      /* connections left in both stacks after all were closed */
};

/* n: up to 1,040,000. Opens n connections (60,000 local ports to as many server ports as it takes),
 * lets them idle for an hour of simulated time, has each send 14 bytes and wait for them to come
 * back, and resets them all. */
void many_run(unsigned n, struct many_report *out);

#endif
