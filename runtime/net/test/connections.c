/* SPDX-License-Identifier: Apache-2.0 */
/* connections.c [N] - N connections (a million) between two stacks in one process: what each costs
 * in memory while idle, and how long opening, asking and closing them all takes. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "runtime/net/test/many.h"
#include "runtime/net/tcp/tcp_internal.h"

int main(int argc, char **argv)
{
	unsigned n = argc > 1 ? (unsigned)atoi(argv[1]) : 1000000;
	struct many_report r;
	double seconds;
	bool good;

	if (n < 1 || n > 1040000) {
		fprintf(stderr, "connections: 1 to 1,040,000\n");
		return 2;
	}
	many_run(n, &r);
	seconds = (double)clock() / CLOCKS_PER_SEC;
	good = r.opened == n && r.accepted == n && r.answered == n && r.wrong == 0 &&
	       r.frames_idle == 0 && r.buffers_idle == 0 && r.sleeps && r.left == 0;
	printf("connections %u\nanswered %u\nbytes %.1f\nstruct %zu\nbuffers %zu\nframes_idle "
	       "%llu\n"
	       "cpu_us %.2f\n",
	       r.opened, r.answered, (double)r.bytes_idle / 2 / n, sizeof(struct tcp_conn),
	       r.buffers_idle, (unsigned long long)r.frames_idle, seconds * 1e6 / n);
	puts(good ? "good" : "BAD");
	return good ? 0 : 1;
}
