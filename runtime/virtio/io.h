/* SPDX-License-Identifier: Apache-2.0 */
/* io.h - device registers: the only volatile accesses of the drivers. A register block is an
 * address the kernel mapped for this partition (uncached). Host tests route every access to their
 * fake device. */
#ifndef GODWIT_RUNTIME_VIRTIO_IO_H
#define GODWIT_RUNTIME_VIRTIO_IO_H

#include "runtime/base/base.h"

#ifdef GW_HOST_TEST
uint64_t fake_read(uint64_t addr, unsigned bytes);
void fake_write(uint64_t addr, unsigned bytes, uint64_t value);
#define IO_ACCESS(bits)                                                    \
	static inline uint##bits##_t io_read##bits(uint64_t addr)          \
	{                                                                  \
		return (uint##bits##_t)fake_read(addr, bits / 8);          \
	}                                                                  \
	static inline void io_write##bits(uint64_t addr, uint##bits##_t v) \
	{                                                                  \
		fake_write(addr, bits / 8, v);                             \
	}
#elif defined(GW_HOSTED)
/* a Linux process: "registers" are the platform's (platform/linux/vhost_user.c) */
uint64_t hosted_io_read(uint64_t addr, unsigned bytes);
void hosted_io_write(uint64_t addr, unsigned bytes, uint64_t value);
#define IO_ACCESS(bits)                                                    \
	static inline uint##bits##_t io_read##bits(uint64_t addr)          \
	{                                                                  \
		return (uint##bits##_t)hosted_io_read(addr, bits / 8);     \
	}                                                                  \
	static inline void io_write##bits(uint64_t addr, uint##bits##_t v) \
	{                                                                  \
		hosted_io_write(addr, bits / 8, v);                        \
	}
#else
#define IO_ACCESS(bits)                                                    \
	static inline uint##bits##_t io_read##bits(uint64_t addr)          \
	{                                                                  \
		return *(const volatile uint##bits##_t *)addr;             \
	}                                                                  \
	static inline void io_write##bits(uint64_t addr, uint##bits##_t v) \
	{                                                                  \
		*(volatile uint##bits##_t *)addr = v;                      \
	}
#endif
IO_ACCESS(8)
IO_ACCESS(16)
IO_ACCESS(32)
#undef IO_ACCESS

/* A 64-bit register that is written as two of 32, the lower one first. */
static inline void io_write_halves(uint64_t addr, uint64_t v)
{
	io_write32(addr, (uint32_t)v);
	io_write32(addr + 4, (uint32_t)(v >> 32));
}

#endif
