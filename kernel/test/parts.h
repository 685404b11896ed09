/* SPDX-License-Identifier: Apache-2.0 */
/* parts.h - what the files of the several partitions' test program share. */
#ifndef GODWIT_KERNEL_TEST_PARTS_H
#define GODWIT_KERNEL_TEST_PARTS_H

#include <stdbool.h>

#include "abi/boot.h"
#include "abi/bundle.h"
#include "abi/call.h"
#include "abi/health.h"
#include "abi/status.h"
#include "abi/vcore.h"
#include "kernel/test/probe_call.h"

extern uint32_t failed;
extern volatile uint64_t must_be_zero,
	must_be_seven; /* bss, data: as in the bundle at each start */

/* Count, and print the text when not ok. end: print the counts, and end with 0 if none failed. */
void check(int ok, const char *text, uint64_t got);
void end(void) __attribute__((noreturn));

/* The number behind the letter `key` in the configuration, or value. */
uint64_t config_number(char key, uint64_t value);

/* parts.c: entries for upcalls that go on where they came from. */
void ignore_syscall(void);
void ignore_upcall(void);

/* parts_fault.c: errors of every class at random moments, until there were so many; and a neighbour
 * that remembers all that it sees of time. */
void inject(uint64_t faults);
void reset(bool raise);
void observe(uint64_t ms);

/* parts_fuzz.c: kernel calls with random arguments. */
void fuzz(uint64_t calls, bool all);

/* parts_measure.c: path lengths. */
void measure(void);

/* parts_dma.c: a device that writes to the neighbour's memory, and the neighbour. */
void dma_attack(uint64_t tries) __attribute__((noreturn));
void dma_victim(uint64_t ms);

/* elastic.c: spin on all vcores; wake up often and see how late; get up another vcore; ask for
 * help. */
void elastic_batch(void);
void elastic_kicked(void);
void elastic_latency(void);
void elastic_helped(void);

#endif
