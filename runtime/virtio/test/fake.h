/* SPDX-License-Identifier: Apache-2.0 */
/* fake.h - the world around the virtio drivers in host tests: memory, one shard, and a virtio
 * device whose registers (pci and mmio) and rings are under the test's control, honest or not. */
#ifndef GODWIT_VIRTIO_TEST_FAKE_H
#define GODWIT_VIRTIO_TEST_FAKE_H

#include "abi/boot.h"
#include "runtime/mem/mem.h"
#include "runtime/platform/platform.h"
#include "runtime/sched/sched.h"
#include "runtime/virtio/transport.h"

#define FAKE_QUEUES 12u
#define FAKE_MMIO 0x10000000ull /* register addresses: never dereferenced */
#define FAKE_PCI 0x20000000ull
#define FAKE_PCI_LEN 0x4000u

struct fake_queue {
	uint16_t max, num, vector;
	uint64_t desc, avail, used; /* bus addresses */
	bool ready;
	unsigned kicks;
	uint16_t avail_seen, used_idx; /* the device's own */
};

struct fake_device {
	struct gw_device dev;
	uint32_t id;
	uint64_t offer, accepted;
	uint8_t config[64];
	uint8_t status;
	uint32_t feature_sel, queue_sel;
	uint32_t generation;
	bool generation_moves; /* changes at every read */
	bool refuse_features, never_resets, no_vectors;
	unsigned sync_reads, acks, resets;
	struct fake_queue q[FAKE_QUEUES];
	/* Called at a kick of queue i; NULL: nothing. */
	void (*on_kick)(struct fake_device *d, unsigned i);
};

extern struct fake_device fake;
extern struct gw_boot_info fake_boot;
extern uint64_t fake_now_ns;
extern struct shard fake_shard, *fake_current; /* shard 0; the one that code runs on */
extern uint64_t fake_events;		       /* that a turn finds posted; all by default */
extern uint64_t fake_notified;		       /* vcores that were notified, one bit each */
extern unsigned fake_warnings;		       /* log_warn calls */
extern char fake_uart[256];		       /* what went to the kernel's UART */
extern uint8_t fake_entropy[256];
extern size_t fake_entropy_len;
extern uint64_t fake_total_pages;
extern struct timer *fake_timer;
/* Called by uthread_park: makes the world move on. Returning false: time goes to the deadline. */
extern bool (*fake_on_park)(void);

/* Everything fresh; a device of kind and id with queues of at most `max`. */
void fake_reset(enum gw_device_kind kind, uint32_t id, uint64_t offer, uint16_t max);
/* One loop turn of the shard: every poller's poll, then flush. */
void fake_turn(void);
bool fake_arm(void); /* every poller's arm; returns whether any said true */
uint64_t fake_deadline(void);

/* ---- the device's side of a ring ---- */
struct fake_chain {
	uint16_t id;
	unsigned n_out, n_in;
	struct {
		uint8_t *p;
		uint32_t len;
	} out[72], in[72];
	uint32_t out_len, in_len;
	bool indirect;
};
/* Next available chain, resolved (as an honest device does); false: none. */
bool fake_pop(unsigned queue, struct fake_chain *c);
/* Complete: write the used element and publish. */
void fake_push(unsigned queue, uint32_t id, uint32_t len);
/* Only the element, then only the index. */
void fake_put(unsigned queue, uint16_t at, uint32_t id, uint32_t len);
void fake_publish(unsigned queue, uint16_t idx);
/* Fill the chain's writable buffers with n bytes; returns how many fitted. */
uint32_t fake_write_in(const struct fake_chain *c, const void *data, uint32_t n);
uint32_t fake_read_out(const struct fake_chain *c, void *data, uint32_t n);
/* Would the device interrupt for completions old..new? (event index) */
bool fake_interrupts(unsigned queue, uint16_t old);

/* A PCI device with the usual four capabilities in config. */
void fake_pci_config(struct gw_device *dev, uint32_t id);

#endif
