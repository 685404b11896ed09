/* SPDX-License-Identifier: Apache-2.0 */
/* disk.c - the io_uring block device in a hosted process of its own (in the place of a
 * personality): every shard's uthreads read a patterned file in random pieces and compare. `disk
 * SIZE`: the file's bytes. */
#include <errno.h>
#include <string.h>

#include "runtime/base/str.h"
#include "runtime/mem/mem.h"
#include "runtime/platform/platform.h"
#include "runtime/sched/sched.h"
#include "runtime/virtio/blkdev.h"

#define READERS 200u /* on each shard: more than a ring holds at once */
#define ROUNDS 20u
#define PIECES 6u

void personality_start(void);

static _Atomic uint32_t left, bad, good;
static struct blkdev *disk;

/* Word i of the file is i * 2654435761 (tests/system/test_native.py writes it). */
static bool right(const uint32_t *p, uint64_t offset, uint32_t n)
{
	for (uint32_t i = 0; i < n / 4; i++)
		if (p[i] != (uint32_t)((offset / 4 + i) * 2654435761u))
			return false;
	return true;
}

static bool one_round(uint64_t *random)
{
	struct blk_segment s[PIECES];
	uint64_t pages[PIECES], offset, at;
	uint32_t n = 1 + (uint32_t)(*random >> 40) % PIECES, total = 0;
	bool ok;

	for (uint32_t i = 0; i < n; i++) {
		*random = *random * 6364136223846793005ull + 1442695040888963407ull;
		pages[i] = page_alloc();
		s[i] = (struct blk_segment){ pages[i], 512 * (1 + (uint32_t)(*random >> 50) % 8) };
		total += s[i].len;
	}
	offset = (*random >> 20) % ((blkdev_size(disk) - total) / 512) * 512;
	ok = blkdev_read(disk, offset, s, n) == 0;
	at = offset;
	for (uint32_t i = 0; i < n; i++) {
		ok = ok && right(pa_to_va(pages[i]), at, s[i].len);
		at += s[i].len;
		page_put(pages[i]);
	}
	return ok;
}

static void reader(void *arg)
{
	uint64_t random = (uint64_t)arg;

	for (uint32_t i = 0; i < ROUNDS; i++)
		atomic_fetch_add(one_round(&random) ? &good : &bad, 1);
	atomic_fetch_sub(&left, 1);
}

static void refusals(void)
{
	struct blk_segment s = { page_alloc(), 512 };

	bad += blkdev_read(disk, 1, &s, 1) != -EINVAL;
	bad += blkdev_read(disk, blkdev_size(disk), &s, 1) != -EINVAL;
	bad += blkdev_read(disk, 0, &s, 0) != -EINVAL;
	s.len = 100;
	bad += blkdev_read(disk, 0, &s, 1) != -EINVAL;
	bad += blkdev_get(1) != NULL;
	good += 5;
	page_put(s.pa);
}

static void run(void *arg)
{
	(void)arg;
	disk = blkdev_get(0);
	if (disk == NULL)
		panic("no disk");
	refusals();
	left = n_shards * READERS;
	for (uint32_t i = 0; i < n_shards * READERS; i++)
		if (uthread_create(NULL, shards[i % n_shards], reader, (void *)(uint64_t)(i + 1),
				   "reader", false, NULL) != 0)
			panic("no memory");
	while (left != 0)
		uthread_sleep_until(clock_now() + NS_PER_MS);
	log_info("disk: %u passed, %u failed", good, bad);
	platform_shutdown(bad != 0);
}

void personality_start(void)
{
	if (uthread_create(NULL, shards[0], run, NULL, "test", false, NULL) != 0)
		panic("no memory");
}
