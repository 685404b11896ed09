/* SPDX-License-Identifier: Apache-2.0 */
/* paging.c - the kernel's own half of the address space: image at a random address with W^X, direct
 * map of RAM (never executable, the image's code read-only in it too), core slots with guard pages,
 * and the registers the kernel uses. Built once at boot, from static pages and pages below 1 MiB.
 */
#include "kernel/x86_64/arch_internal.h"

extern uint64_t boot_pml4[512], kernel_pdpt[512], kernel_pd[512], kernel_pt[512];
extern char boot_guard[], boot_stack[], sealed_start[], sealed_end[];
extern const struct {
	uint64_t offset, info, addend;
} rela_start[], rela_end[];

#define LEAF (PTE_P | PTE_A | PTE_D)

uint64_t kernel_root, kernel_slide;
static struct range_set *page_source;
static uint64_t *slot_pdpt, *mmio_pt;
static uint32_t mmio_used;
static bool direct_ready;
static uint64_t *first_pt; /* of the direct map's first 2 MiB */

/* A random multiple of 2 MiB in the top 512 GiB. */
static uint64_t random_slide(void)
{
	uint64_t r = rdtsc() * 0x9e3779b97f4a7c15ULL >> 20;
	uint64_t hw = 0;

	if (cpuid(1, 0).c & 1u << 30)
		__asm__ volatile("rdrand %0" : "+r"(hw) : : "cc");
	r = (r ^ hw) % (512 * 512 - 2);
	return 0xffffff8000000000ULL + r * LARGE_SIZE;
}

/* boot_relocate - map the image at its final addresses, under the loader's identity map, and apply
 * its relocations. Runs before them: no pointer constants in here. Returns the slide. */
uint64_t boot_relocate(void)
{
	uint64_t slide = random_slide();
	uint64_t start = (uint64_t)image_start, end = (uint64_t)image_end;

	for (uint64_t pa = start; pa < end; pa += PAGE_SIZE) {
		uint64_t bits = LEAF | PTE_G;

		if (pa >= (uint64_t)data_start)
			bits |= PTE_W | PTE_NX;
		else if (pa >= (uint64_t)rodata_start)
			bits |= PTE_NX;
		if (pa != (uint64_t)boot_guard)
			kernel_pt[pa / PAGE_SIZE % 512] = pa | bits;
	}
	kernel_pd[(slide >> 21) % 512] = (uint64_t)kernel_pt | PTE_P | PTE_W | PTE_A;
	kernel_pdpt[(slide >> 30) % 512] = (uint64_t)kernel_pd | PTE_P | PTE_W | PTE_A;
	boot_pml4[511] = (uint64_t)kernel_pdpt | PTE_P | PTE_W | PTE_A;
	for (uint32_t i = 0; &rela_start[i] < rela_end; i++)
		*(uint64_t *)rela_start[i].offset = rela_start[i].addend + slide;
	kernel_slide = slide;
	return slide;
}

static void *page_at(uint64_t pa)
{
	return direct_ready ? direct(pa) : (void *)(uintptr_t)pa;
}

uint64_t memory_take(struct range_set *free, uint64_t bytes, uint64_t min)
{
	uint64_t len = round_up(bytes, PAGE_SIZE), pa = 0;

	if (min < LOW_END)
		pa = range_carve(free, len, PAGE_SIZE, LOW_END);
	if (pa == 0)
		pa = range_carve(free, len, LOW_END, direct_ready ? UINT64_MAX : HUGE_SIZE);
	if (pa == 0)
		fail(STATUS_CONFIG,
		     "too little memory: %lu KiB more are needed; give the machine more (-m)",
		     len / 1024);
	return pa;
}

uint64_t kernel_pages(struct range_set *free, uint64_t bytes)
{
	uint64_t pa = memory_take(free, bytes, 0);

	memset(page_at(pa), 0, round_up(bytes, PAGE_SIZE));
	return pa;
}

/* The next table down from *e, made if missing. */
static uint64_t *table_below(uint64_t *e)
{
	if (*e == 0)
		*e = kernel_pages(page_source, PAGE_SIZE) | PTE_P | PTE_W | PTE_A;
	return page_at(*e & PTE_ADDR);
}

/* The first 2 MiB page by page: the image's code and constants must not be writable in the direct
 * map. */
static void map_first_large(uint64_t *pd)
{
	uint64_t *pt = table_below(&pd[0]);
	uint64_t first = image_pa(image_start) / PAGE_SIZE, end = image_pa(data_start) / PAGE_SIZE;

	first_pt = pt;
	for (uint64_t i = 1; i < LARGE_SIZE / PAGE_SIZE; i++)
		pt[i] = i * PAGE_SIZE | LEAF | PTE_G | PTE_NX | PTE_W;
	for (uint64_t i = first; i < end; i++)
		pt[i] &= ~PTE_W;
}

static void map_direct(uint64_t *root, uint64_t start, uint64_t end)
{
	uint64_t bits = LEAF | PTE_G | PTE_NX | PTE_W | PTE_PS;

	for (uint64_t pa = round_down(start, LARGE_SIZE); pa < end;) {
		uint64_t va = pa + direct_base;
		uint64_t *pdpt = table_below(&root[(va >> 39) % 512]);
		uint64_t *e = &pdpt[(va >> 30) % 512];
		uint64_t *pd;

		if (cpu.huge_pages && *e == 0 && pa % HUGE_SIZE == 0 && end - pa >= HUGE_SIZE &&
		    pa != 0) {
			*e = pa | bits;
			pa += HUGE_SIZE;
			continue;
		}
		if (*e & PTE_PS) {
			pa = round_down(pa, HUGE_SIZE) + HUGE_SIZE;
			continue;
		}
		pd = table_below(e);
		if (pa == 0 && pd[0] == 0)
			map_first_large(pd);
		else if (pa != 0)
			pd[(va >> 21) % 512] = pa | bits;
		pa += LARGE_SIZE;
	}
}

void paging_init(const struct boot_info *b, struct range_set *free)
{
	uint64_t *root, *pd;

	page_source = free;
	kernel_root = kernel_pages(free, PAGE_SIZE);
	root = page_at(kernel_root);
	root[511] = image_pa(kernel_pdpt) | PTE_P | PTE_W | PTE_A;
	map_direct(root, 0, LARGE_SIZE);
	for (uint32_t i = 0; i < b->ram.n; i++)
		map_direct(root, b->ram.r[i].start, b->ram.r[i].end);
	if (b->module_len != 0)
		map_direct(root, b->module_pa, b->module_pa + b->module_len);
	slot_pdpt = table_below(&root[SLOTS_BASE >> 39 & 511]);
	table_below(&slot_pdpt[SLOTS_BASE >> 30 & 511]);
	pd = table_below(&slot_pdpt[MMIO_BASE >> 30 & 511]);
	mmio_pt = table_below(&pd[0]);
	/* The loader's root keeps its identity map, for the other cores' start, and gets our half.
	 */
	for (uint32_t i = 256; i < 512; i++)
		boot_pml4[i] = root[i];
	write_cr4(read_cr4() | 1u << 7); /* PGE */
	write_cr3(kernel_root);
	slot_pdpt = direct((uint64_t)(uintptr_t)slot_pdpt);
	mmio_pt = direct((uint64_t)(uintptr_t)mmio_pt);
	direct_ready = true;
}

void paging_seal(void)
{
	uint64_t *pt = direct((uint64_t)(uintptr_t)first_pt);

	for (char *at = sealed_start; at < sealed_end; at += PAGE_SIZE) {
		uint64_t pa = image_pa(at);

		kernel_pt[pa / PAGE_SIZE] &= ~PTE_W;
		pt[pa / PAGE_SIZE] &= ~PTE_W;
		invlpg((uint64_t)(uintptr_t)at);
		invlpg((uint64_t)(uintptr_t)direct(pa));
	}
}

void *mmio_map(uint64_t pa)
{
	uint64_t page = round_down(pa, PAGE_SIZE);
	uint32_t i = 0;

	while (i < mmio_used && (mmio_pt[i] & PTE_ADDR) != page)
		i++;
	if (i == 512)
		fail(STATUS_CONFIG, "too many device registers for the kernel; remove devices");
	if (i == mmio_used) {
		mmio_pt[i] = page | LEAF | PTE_G | PTE_W | PTE_NX | PTE_PCD | PTE_PWT;
		mmio_used++;
	}
	return (void *)(uintptr_t)(MMIO_BASE + i * PAGE_SIZE + pa % PAGE_SIZE);
}

static void slot_map(uint64_t va, uint64_t pa, uint64_t len)
{
	uint64_t *pd = table_below(&slot_pdpt[va >> 30 & 511]);

	for (; len > 0; len -= PAGE_SIZE, va += PAGE_SIZE, pa += PAGE_SIZE)
		table_below(&pd[va >> 21 & 511])[va >> 12 & 511] =
			pa | LEAF | PTE_G | PTE_W | PTE_NX;
}

struct core *core_create(struct range_set *free, uint32_t id, bool own_stack)
{
	uint64_t slot = SLOTS_BASE + id * (uint64_t)CORE_SLOT;
	uint64_t pa = kernel_pages(free, 4 * PAGE_SIZE);
	struct core *c = (struct core *)(slot + CORE_AREA);

	slot_map(slot + CORE_AREA, pa, PAGE_SIZE);
	slot_map(slot + CORE_NMI_STACK, pa + PAGE_SIZE, PAGE_SIZE);
	slot_map(slot + CORE_DF_STACK, pa + 2 * PAGE_SIZE, PAGE_SIZE);
	slot_map(slot + CORE_MC_STACK, pa + 3 * PAGE_SIZE, PAGE_SIZE);
	pa = own_stack ? image_pa(boot_stack) : kernel_pages(free, 2 * PAGE_SIZE);
	slot_map(slot + CORE_STACK, pa, 2 * PAGE_SIZE);
	c->self = c;
	c->id = id;
	c->stack_top = c->idle.stack_top = slot + CORE_STACK_END;
	c->armed_tsc = c->armed_ns = ~0ULL;
	c->idle.self = &c->idle;
	c->idle.core = c;
	atomic_store(&c->current, &c->idle);
	cores[id] = c;
	return c;
}

struct vcore *vcore_create(struct range_set *free, uint32_t index, struct partition *p, uint32_t id,
			   struct core *c)
{
	uint64_t slot = VCORES_BASE + index * (uint64_t)VCORE_SLOT;
	uint64_t at = partition_take(p, free, GW_VCORE_AREA, 0);
	struct vcore *v = (struct vcore *)(slot + VCORE_PAGE);

	slot_map(slot + VCORE_PAGE, kernel_pages(free, PAGE_SIZE), PAGE_SIZE);
	for (uint64_t i = 0; i < GW_VCORE_AREA; i += PAGE_SIZE)
		slot_map(slot + VCORE_PAGE + VCORE + i, gw_stripe_pa(&p->pool.stripe, at + i),
			 PAGE_SIZE);
	v->self = v;
	v->stack_top = c->stack_top;
	v->area = (struct gw_vcore *)(slot + VCORE_PAGE + VCORE);
	v->area_at = at;
	memset(v->area, 0, sizeof(*v->area));
	v->area->id = id;
	v->area->masked = 1;
	v->core = c;
	v->part = p;
	v->id = id;
	v->tick_ns = ~0ULL;
	v->fresh = true;
	return v;
}
