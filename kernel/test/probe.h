/* SPDX-License-Identifier: Apache-2.0 */
/* probe.h - what the files of the probe share. */
#ifndef GODWIT_KERNEL_TEST_PROBE_H
#define GODWIT_KERNEL_TEST_PROBE_H

#include "abi/boot.h"
#include "abi/call.h"
#include "abi/vcore.h"

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

extern const struct gw_boot_info *boot;

void check(int ok, const char *text, long got);
void skip(const char *why);
uint64_t frame_take(uint64_t n);
uint64_t now_ns(void);
void test_rng(uint32_t index);
void measure_rng(uint32_t index);

#define EXPECT(expr, want)                                             \
	do {                                                           \
		long got_ = (long)(expr);                              \
		check(got_ == (long)(want), #expr " == " #want, got_); \
	} while (0)

static inline long call(uint64_t n, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	register uint64_t r10 __asm__("r10") = d;
	uint64_t rax = GW_CALL(n);

	__asm__ volatile("syscall"
			 : "+a"(rax)
			 : "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return (long)rax;
}

static inline struct gw_vcore *area(uint32_t i)
{
	return (struct gw_vcore *)GW_VCORE_VA(i);
}

static inline void *window(uint64_t pa)
{
	return (void *)(GW_MEM_BASE + pa);
}

static inline uint64_t code_at(const char *code)
{
	return CODE_VA + (uint64_t)(code - code_syscall);
}

#endif
