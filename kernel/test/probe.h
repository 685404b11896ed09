/* SPDX-License-Identifier: Apache-2.0 */
/* probe.h - what the files of the probe share. */
#ifndef GODWIT_KERNEL_TEST_PROBE_H
#define GODWIT_KERNEL_TEST_PROBE_H

#include "abi/boot.h"
#include "abi/call.h"
#include "abi/vcore.h"
#include "kernel/test/probe_call.h"

#define CODE_VA 0x400000ULL

extern char code_syscall[], code_spin[], code_store[], code_ud[], code_ud_syscall[], code_end[];
extern char back_label[];
extern uint64_t seen_rax, seen_rdi, seen_rsp, seen_r11;
extern void (*upcall_hook)(void);
long program_run(uint64_t rip, uint64_t rsp, uint64_t rax, uint64_t rdi);
long resume_run(void);
void reflect_entry(void);
void upcall_entry(void);
void probe_second_entry(void);

void check(int ok, const char *text, long got);
void skip(const char *why);
uint64_t frame_take(uint64_t n);
void test_rng(uint32_t index);
void measure_rng(uint32_t index);

#define EXPECT(expr, want)                                             \
	do {                                                           \
		long got_ = (long)(expr);                              \
		check(got_ == (long)(want), #expr " == " #want, got_); \
	} while (0)

static inline void *window(uint64_t pa)
{
	return (void *)(GW_MEM_BASE + pa);
}

static inline uint64_t code_at(const char *code)
{
	return CODE_VA + (uint64_t)(code - code_syscall);
}

#endif
