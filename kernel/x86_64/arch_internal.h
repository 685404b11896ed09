/* SPDX-License-Identifier: Apache-2.0 */
/* arch_internal.h - what the files of kernel/x86_64 share among themselves. */
#ifndef GODWIT_X86_64_ARCH_INTERNAL_H
#define GODWIT_X86_64_ARCH_INTERNAL_H

#include "abi/bundle.h"
#include "kernel/core/acpi.h"
#include "kernel/core/arch.h"
#include "kernel/core/call.h"
#include "kernel/core/log.h"
#include "kernel/core/manifest.h"
#include "kernel/core/range.h"
#include "kernel/x86_64/asm.h"

/* What the loader said, whatever loader it was. */
struct boot_info {
	uint64_t entry_tsc;
	uint64_t module_pa, module_len; /* the bundle; len 0: none */
	uint64_t rsdp;			/* pa; 0: unknown */
	struct range_set ram;
	uint64_t ram_bytes;
	uint64_t ram_top_below_4g;
	uint32_t n_apic_ids; /* from the MADT; 0: unknown */
	uint32_t apic_ids[GW_MAX_VCORES];
	struct acpi_iommus iommus;
};

/* bootinfo.c: read the loader's tables, and the MADT and DMAR if there are sound ones, which are
 * still where they were put (identity mapped). */
void bootinfo_read(struct boot_info *b, uint32_t magic, uint64_t info_pa);

/* Kernel address space (paging.c). */
#define SLOTS_BASE 0xffffff0000000000ULL /* cores' slots */
#define VCORES_BASE (SLOTS_BASE + GW_MAX_VCORES * (uint64_t)CORE_SLOT)
#define MMIO_BASE 0xffffff0040000000ULL /* registers that the kernel itself uses */

extern uint64_t kernel_root; /* pa of the kernel's top table */
extern char image_start[], rodata_start[], data_start[], image_end[];
extern uint64_t kernel_slide; /* virtual minus physical address of the image */

static inline uint64_t image_pa(const void *p)
{
	return (uint64_t)(uintptr_t)p - kernel_slide;
}

void paging_init(const struct boot_info *b, struct range_set *free);
/* What is marked so is written before paging_seal only, which takes the right to write it away, in
 * the image and in the direct map. Before other cores are started: only this one's TLB is cleared.
 */
#define SEALED __attribute__((section(".bss.sealed")))
void paging_seal(void);
/* Pages at min or above: below 1 MiB as long as there are any. The kernel's own: zeroed. Boot only.
 */
#define LOW_END 0x100000ULL
uint64_t memory_take(struct range_set *free, uint64_t bytes, uint64_t min);
uint64_t kernel_pages(struct range_set *free, uint64_t bytes);
/* Map a page of device registers (uncached); returns the address of pa. Boot only. */
void *mmio_map(uint64_t pa);
/* Slot, struct core and stacks for core `id`; boot_stack: the first core keeps its own. */
struct core *core_create(struct range_set *free, uint32_t id, bool boot_stack);
/* Slot `index` for vcore `id` of p, on core c. */
struct vcore *vcore_create(struct range_set *free, uint32_t index, struct partition *p, uint32_t id,
			   struct core *c);

/* cpu.c */
struct cpu_features {
	bool smep, smap, umip, fsgsbase, xsave, x2apic, tsc_deadline, crc32, huge_pages, rdrand;
	bool kvm, emulated, hypervisor;
	uint64_t xcr0; /* extended state in use; 0: FXSAVE only */
	uint32_t max_leaf;
};
extern struct cpu_features cpu;
void cpu_detect(void);
/* Page colours of the cache behind the first level that has the fewest. */
uint32_t cpu_colours(void);
/* Control registers, GDT, TSS, IDT, syscall MSRs, GS of this core. */
void cpu_init(struct core *c);
void idt_build(void);

/* apic.c */
void apic_init_first(struct core *c);
void apic_init_core(struct core *c);
void apic_eoi(struct core *c);
void apic_ipi(uint32_t apic_id, uint32_t command);
void apic_self(uint32_t vector); /* also in the middle of apic_ipi */
uint32_t apic_id(void);
uint32_t apic_timer_count(void);
/* Halt for so many ticks of the timer (or less, if something else interrupts). Boot only. */
void apic_sleep(uint32_t count);
void apic_timer_set_rate(uint64_t per_tsc_32);
extern bool apic_x2;

/* clock.c: starts a calibration early, ends it late; no waiting if enough time has passed between.
 */
extern struct gw_clock clock;
extern uint64_t clock_tsc_per_ns; /* the inverse of clock.mult, 33.31 */

static inline uint64_t clock_ns(uint64_t tsc)
{
	return mul_shift(tsc - clock.tsc_base, clock.mult, 32);
}
void clock_begin(void);
void clock_end(uint64_t bundle_epoch_ns);

/* devices */
void pci_scan(const struct gw_bundle *b, const struct boot_info *boot);
void virtio_mmio_scan(const struct gw_bundle *b);
/* iommu.c, in the order of boot: look at the units, if a partition wants isolated DMA. Put the PCI
 * device at location into the domain of p, which is p's memory (gw_boot_info.extents) at the same
 * addresses; a trusted one reaches all. Let nothing reach memory but by these domains, which stay
 * as they are, restarts included. VECTOR_DMA: each fault is an error of its device's partition. */
void iommu_find(const struct boot_info *boot, struct range_set *free);
void iommu_attach(struct partition *p, uint32_t location);
void iommu_enable(void);
void iommu_faults(void);
int pci_irq_bind(uint32_t device, uint32_t vector, const struct core *target, uint32_t vec);
/* May device `device` of the kernel (an index as in struct partition) write to memory? */
void pci_master(uint32_t device, bool on);
int ioapic_route(uint32_t gsi, uint32_t apic_id, uint32_t vec);
void ioapic_init(void);
/* The partition that the device goes to, or NULL: nobody's. *kernel_index: its number among all.
 * The caller fills p->info->devices[p->info->n_devices], and calls device_added. */
struct partition *device_accept(const struct gw_bundle *b, uint32_t kind, uint16_t vendor,
				uint16_t device, uint32_t location, uint32_t *kernel_index);
void device_added(struct partition *p);
/* End with a message: p's DMA is to be isolated, and that of the device cannot be. */
void device_refuse(const struct partition *p, uint32_t location, const char *why);
/* Space for a device's registers in the partition: returns the va. */
uint64_t device_va(struct partition *p, uint64_t len);
void device_map(struct partition *p, uint64_t va, uint64_t pa, uint64_t len);

/* smp.c */
/* Memory for cores 1..n-1, before memory is dealt out; their start, after. */
void smp_reserve(struct range_set *free, uint32_t n);
void smp_start(const struct boot_info *b, uint32_t n);
void smp_go(void); /* they may run partitions from here on */
void core_run(struct core *c) __attribute__((noreturn));

/* entry.S */
void trap_return(struct trap *t) __attribute__((noreturn));
void call_suspended(void);
void suspend_call(struct trap *t);
void syscall_entry(void);
extern char vector_stubs[];

/* symbols.c: the function that contains the link-time address, and the offset in it; NULL: none. */
const char *symbol_find(uint64_t link_va, uint64_t *offset);

/* fault.c */
void fault_handle(struct trap *t);
void fault_fatal(const struct trap *t) __attribute__((noreturn));
void hardware_fault(const struct trap *t);
void health_raise(struct trap *t);
void interrupt_serve(uint32_t vector);
void interrupt_user(struct trap *t);

/* partition.c: make the partitions of a checked bundle and their vcores, then deal out memory and
 * build their address spaces. Cores exist. */
void partitions_create(const struct gw_bundle *b, uint32_t stretches, struct range_set *free);
/* Pages of p's colours, or of all (min 0: below 1 MiB first). The partition's own address. */
uint64_t partition_take(struct partition *p, struct range_set *free, uint64_t bytes, uint64_t min);
void partition_build(struct partition *p, const struct gw_bundle *b, uint64_t bundle_pa,
		     const struct boot_info *boot, struct range_set *free);
/* The page of the health log, mapped for those that may read it. */
struct gw_health_log *health_log_build(const struct gw_bundle *b, struct range_set *free);
/* The status page, for all of them; NULL: no windows. */
struct gw_status *status_build(const struct gw_bundle *b, struct range_set *free);

static inline struct vcore *vcore_self(void)
{
	struct vcore *v;

	__asm__ volatile("movq %%gs:0, %0" : "=r"(v));
	return v;
}

#endif
