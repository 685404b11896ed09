/* SPDX-License-Identifier: Apache-2.0 */
/* parts.h - what the files of the test program for several partitions share. */
#ifndef GODWIT_KERNEL_TEST_PARTS_H
#define GODWIT_KERNEL_TEST_PARTS_H

#include "abi/boot.h"
#include "abi/bundle.h"
#include "abi/status.h"
#include "kernel/test/probe_call.h"

extern const struct gw_boot_info *boot;

/* Text of the console line, which out_flush puts out; of vcore 0 only. */
void out(const char *s);
void out_number(uint64_t v);
void out_flush(void);

/* Count a check; a failed one is printed, with the value that was got. */
void check(int ok, const char *text, uint64_t got);

uint64_t now_ns(void);

/* The number behind the last `key` of the configuration s, or value. */
uint64_t number_after(const char *s, char key, uint64_t value);

/* elastic.c: spin on all vcores; wake up often and see how late; ask for help. */
void elastic_batch(void);
void elastic_latency(void);
void elastic_helped(void);

#endif
