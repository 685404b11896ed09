/* SPDX-License-Identifier: Apache-2.0 */
/* asm.h - the privileged and port instructions, one inline function each. */
#ifndef GODWIT_X86_64_ASM_H
#define GODWIT_X86_64_ASM_H

#include "kernel/core/lib.h"

#define PORT_OUT(name, type)                                              \
	static inline void name(uint16_t port, type v)                    \
	{                                                                 \
		__asm__ volatile(#name " %0, %1" : : "a"(v), "Nd"(port)); \
	}
#define PORT_IN(name, type)                                               \
	static inline type name(uint16_t port)                            \
	{                                                                 \
		type v;                                                   \
                                                                          \
		__asm__ volatile(#name " %1, %0" : "=a"(v) : "Nd"(port)); \
		return v;                                                 \
	}
PORT_OUT(outb, uint8_t)
PORT_OUT(outw, uint16_t)
PORT_OUT(outl, uint32_t)
PORT_IN(inb, uint8_t)
PORT_IN(inl, uint32_t)

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (uint64_t)hi << 32 | lo;
}

static inline void wrmsr(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32))
			 : "memory");
}

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

struct cpuid {
	uint32_t a, b, c, d;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t sub)
{
	struct cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
			 : "a"(leaf), "c"(sub));
	return r;
}

#define REGISTER_READ(name, instruction)                 \
	static inline uint64_t name(void)                \
	{                                                \
		uint64_t v;                              \
                                                         \
		__asm__ volatile(instruction : "=r"(v)); \
		return v;                                \
	}
/* Memory may mean something else after it. */
#define REGISTER_WRITE(name, instruction)                            \
	static inline void name(uint64_t v)                          \
	{                                                            \
		__asm__ volatile(instruction : : "r"(v) : "memory"); \
	}
REGISTER_READ(read_cr2, "mov %%cr2, %0")
REGISTER_READ(read_cr3, "mov %%cr3, %0")
REGISTER_READ(read_cr4, "mov %%cr4, %0")
REGISTER_READ(read_fs_base, "rdfsbase %0")
REGISTER_WRITE(write_cr0, "mov %0, %%cr0")
REGISTER_WRITE(write_cr3, "mov %0, %%cr3")
REGISTER_WRITE(write_cr4, "mov %0, %%cr4")
REGISTER_WRITE(write_fs_base, "wrfsbase %0")
REGISTER_WRITE(invlpg, "invlpg (%0)")

static inline void xsetbv(uint32_t reg, uint64_t v)
{
	__asm__ volatile("xsetbv" : : "c"(reg), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

static inline void write_gs_base(const void *v)
{
	__asm__ volatile("wrgsbase %0" : : "r"(v) : "memory");
}

/* Registers of devices: the only place where volatile is used for them. */
#define MMIO(bits)                                                      \
	static inline uint##bits##_t mmio_read##bits(const void *at)    \
	{                                                               \
		return *(const volatile uint##bits##_t *)at;            \
	}                                                               \
	static inline void mmio_write##bits(void *at, uint##bits##_t v) \
	{                                                               \
		*(volatile uint##bits##_t *)at = v;                     \
	}
MMIO(32)
MMIO(64)

/* a * b >> shift, of a 128-bit product that fits. */
static inline uint64_t mul_shift(uint64_t a, uint64_t b, uint32_t shift)
{
	return (uint64_t)((unsigned __int128)a * b >> shift);
}

/* a * b / c, whose result fits in 64 bits (c > high half of the product). */
static inline uint64_t mul_div(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t lo, hi;

	__asm__("mulq %3\n\tdivq %4" : "=&a"(lo), "=&d"(hi) : "0"(a), "r"(b), "r"(c) : "cc");
	return lo;
}

#endif
