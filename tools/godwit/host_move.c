/* SPDX-License-Identifier: Apache-2.0 */
/* host_move.c - `godwit host --move PID --cores LIST`: a running program's shards go on on other
 * cores. A shard is a thread's state and nothing else, so moving the thread moves all of it; it is
 * stopped for as long as Linux takes to put a thread elsewhere. Shard 0 is the process's first
 * thread, the others are named (runtime/platform/linux/vcore.c). */
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/godwit/host.h"

/* The program's shard that thread `tid` is, or -1: one of another kind. */
static int shard_of(unsigned long pid, unsigned long tid)
{
	char path[96], name[32] = "";
	unsigned shard;
	FILE *f;

	if (pid == tid)
		return 0;
	snprintf(path, sizeof(path), "/proc/%lu/task/%lu/comm", pid, tid);
	f = fopen(path, "re");
	if (f == NULL)
		return -1;
	(void)!fgets(name, sizeof(name), f);
	fclose(f);
	return sscanf(name, "shard %u", &shard) == 1 && shard < 4096 ? (int)shard : -1;
}

/* Its first environment tells what `godwit host` started. */
static bool is_hosted(unsigned long pid)
{
	static const char name[] = "GODWIT_HOST_FD=";
	char path[64], *word = NULL;
	bool found = false;
	size_t size = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%lu/environ", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	while (!found && getdelim(&word, &size, '\0', f) > 0)
		found = strncmp(word, name, sizeof(name) - 1) == 0;
	free(word);
	fclose(f);
	return found;
}

/* The i'th of "2,3,5", beginning again after the last. */
static unsigned long core_of(const char *cores, unsigned i)
{
	const char *p = cores;

	while (i-- != 0) {
		p = strchr(p, ',');
		p = p != NULL ? p + 1 : cores;
	}
	return strtoul(p, NULL, 10);
}

int host_move(const struct host_options *h)
{
	char path[64];
	struct dirent *e;
	int moved = 0;
	DIR *d;

	if (!is_hosted(h->move))
		return fail("--move %lu: no program of 'godwit host' (or not yours)", h->move);
	snprintf(path, sizeof(path), "/proc/%lu/task", h->move);
	d = opendir(path);
	while (d != NULL && (e = readdir(d)) != NULL) {
		unsigned long tid = strtoul(e->d_name, NULL, 10);
		int shard = tid != 0 ? shard_of(h->move, tid) : -1;
		cpu_set_t set;

		if (shard < 0)
			continue;
		CPU_ZERO(&set);
		CPU_SET(core_of(h->cores, (unsigned)shard), &set);
		if (sched_setaffinity((pid_t)tid, sizeof(set), &set) != 0) {
			closedir(d);
			return fail("--move %lu: shard %d does not move: %s", h->move, shard,
				    strerror(errno));
		}
		moved++;
	}
	if (d != NULL)
		closedir(d);
	return moved != 0 ? 0 : fail("--move %lu: it has gone", h->move);
}
