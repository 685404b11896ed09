/* SPDX-License-Identifier: Apache-2.0 */
/* misc.h - the devices that are not on the packet path (blk, console, rng) share one poller on
 * shard 0, so that a loop turn pays for it once. Their queues stay armed: service() takes what is
 * there and arms again (misc_rearm). */
#ifndef GODWIT_RUNTIME_VIRTIO_MISC_H
#define GODWIT_RUNTIME_VIRTIO_MISC_H

#include "runtime/sched/sched.h"
#include "runtime/virtio/transport.h"

#define MISC_QUEUES 24u

/* Call service(ctx) on shard 0 when q has completions. Context: shard 0, start-up. 0, -ENOMEM. */
int misc_watch(struct vq *q, void (*service)(void *ctx), void *ctx) MUST_CHECK;
/* vq_arm of a watched queue; what came meanwhile, the poller sees at its next turn, which comes
 * before shard 0 sleeps. Context: the owner of q, any shard. */
void misc_rearm(struct vq *q);
/* Interrupts of d's vector 0 to this vcore; without them the poller looks every millisecond. */
void misc_bind(struct vdev *d);
void misc_init(void);

/* Drivers (probed by virtio_init). Each takes a device that vdev_probe accepted, keeps a copy, and
 * returns 0 when it works; on error the device is stopped and nothing of it is kept but memory that
 * it may still write. */
int net_probe(const struct vdev *d) MUST_CHECK;
int blk_probe(const struct vdev *d) MUST_CHECK;
int console_probe(const struct vdev *d) MUST_CHECK;
int rng_probe(const struct vdev *d) MUST_CHECK;

/* Forget the devices, so that a test can probe others. */
void net_forget(void);
void blk_forget(void);
void console_forget(void);
void rng_forget(void);

#endif
