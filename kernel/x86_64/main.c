/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - the order of boot, on the first core, from the loader's state to the partition's first
 * instruction. Nothing is allocated after it. */
#include "kernel/core/health.h"
#include "kernel/core/pool.h"
#include "kernel/core/port.h"
#include "kernel/core/schedule.h"
#include "kernel/core/trace.h"
#include "kernel/x86_64/arch_internal.h"

#define START_NS 20000ULL /* until the first major frame begins, for all cores to be there */

static struct boot_info boot;
static struct range_set free_memory;

static void take_out(uint64_t start, uint64_t end)
{
	if (range_remove(&free_memory, start, end) != 0)
		fail(STATUS_CONFIG, "the memory map has too many pieces");
}

/* The bundle, checked, at a page-aligned address. */
static const struct gw_bundle *bundle_open(uint64_t *pa)
{
	const struct gw_bundle *b;
	struct manifest_error err;

	if (boot.module_len == 0)
		fail(STATUS_CONFIG, "no bundle: give it as the first boot module (-initrd FILE)");
	*pa = boot.module_pa;
	if (boot.module_pa % PAGE_SIZE != 0) {
		*pa = kernel_pages(&free_memory, boot.module_len);
		memcpy(direct(*pa), direct(boot.module_pa), boot.module_len);
	}
	b = direct(*pa);
	if (manifest_check(b, boot.module_len, cpu.crc32, &err) != 0)
		fail(STATUS_CONFIG, "bundle: %s (entry %u) %s; build it again", err.field,
		     err.index, err.reason);
	return b;
}

static void log_partition(const struct partition *p)
{
	log_text("godwit: %s: %u vcores, %lu of %lu KiB, %u devices (dma = %s), tsc %lu kHz, boot "
		 "%lu us\n",
		 p->name, p->n_vcores, p->memory / 1024, boot.ram_bytes / 1024, p->info->n_devices,
		 p->dma_trusted ? "trusted" : "isolated", clock.tsc_hz / 1000,
		 arch_now_ns() / 1000);
}

/* Cores that the bundle wants, of those that there are. */
static uint32_t cores_wanted(const struct gw_bundle *b)
{
	uint32_t vcores = 0;

	for (uint32_t i = 0; i < b->n_partitions; i++)
		vcores += b->partitions[i].vcores;
	if (b->cores != 0)
		return b->cores;
	if (b->n_partitions > 1)
		vcores = (uint32_t)min_u64(vcores, boot.n_apic_ids != 0 ? boot.n_apic_ids : 1);
	return (uint32_t)min_u64(vcores, GW_MAX_VCORES);
}

static void start_partition(struct partition *p)
{
	struct vcore *v = p->vcores[0];

	p->info->clock = clock;
	log_partition(p);
	v->start_entry = p->entry_va;
	v->start_arg = GW_BOOT_VA;
	atomic_store(&v->state, VCORE_RUNNING);
	p->info->start_tsc = rdtsc();
}

void kernel_boot(uint32_t magic, uint64_t info_pa)
{
	const struct gw_bundle *b;
	struct gw_status *status;
	uint64_t bundle_pa;
	struct core *c;

	boot.entry_tsc = rdtsc();
	clock.tsc_base = boot.entry_tsc;
	cpu_detect();
	bootinfo_read(&boot, magic, info_pa);
	free_memory = boot.ram;
	take_out(0, PAGE_SIZE);
	take_out(image_pa(image_start), image_pa(image_end));
	if (boot.module_len != 0)
		take_out(boot.module_pa, boot.module_pa + boot.module_len);
	paging_init(&boot, &free_memory);
	idt_build();
	c = core_create(&free_memory, 0, true);
	cpu_init(c);
	ioapic_init(); /* first: the PICs are silenced while the APIC still listens to them */
	apic_init_first(c);
	clock_begin();
	b = bundle_open(&bundle_pa);
	n_cores = cores_wanted(b);
	smp_reserve(&free_memory, n_cores);
	partitions_create(b, boot.ram.n, &free_memory);
	for (uint32_t i = 0; i < n_partitions; i++)
		partition_build(partitions[i], b, bundle_pa, &boot, &free_memory);
	ports_init(b,
		   ports_bytes(b) != 0 ? direct(kernel_pages(&free_memory, ports_bytes(b))) : NULL);
	status = status_build(b, &free_memory);
	health_init(b, health_log_build(b, &free_memory));
	if (b->trace_records != 0)
		trace_init(b, direct(kernel_pages(&free_memory, trace_bytes(b))));
	iommu_find(&boot, &free_memory);
	pci_scan(b, &boot);
	virtio_mmio_scan(b);
	clock_end(b->epoch_ns);
	apic_init_core(c);
	iommu_enable();
	smp_start(&boot, n_cores);
	for (uint32_t i = 0; i < n_partitions; i++)
		start_partition(partitions[i]);
	if (n_partitions > 1)
		log_deferred(direct(kernel_pages(&free_memory, PAGE_SIZE)));
	schedule_init(b, status, arch_now_ns() + START_NS);
	pool_init(b, status);
	smp_go();
	core_run(c);
}
