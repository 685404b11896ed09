/* SPDX-License-Identifier: Apache-2.0 */
/* setup.c - a partition's address space in a Linux process: memory, boot information, vcore areas
 * and configuration where a machine's kernel would have mapped them (abi/vcore.h). */
#include <cpuid.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "runtime/platform/linux/hosted.h"

#define HUGE_BYTES (2ull << 20)
#define MEMORY_DEFAULT (256ull << 20)
#define CALIBRATE_NS 2000000u

struct hosted_memory hosted_memory = { .fd = -1 };
static int cores[GW_MAX_VCORES];

int hosted_core(uint32_t i)
{
	return cores[i];
}

/* Exactly there, where nothing else is: the addresses are part of the interface. */
static void *map_at(uint64_t va, uint64_t bytes, int prot, int flags, int fd)
{
	void *p = mmap((void *)va, bytes, prot, flags | MAP_FIXED_NOREPLACE, fd, 0);

	if (p == MAP_FAILED)
		return NULL;
	if ((uint64_t)p != va) {
		(void)munmap(p, bytes);
		errno = EEXIST;
		return NULL;
	}
	return p;
}

static void *must_map(uint64_t va, uint64_t bytes, int prot, int flags, int fd, const char *what)
{
	void *p = map_at(va, bytes, prot, flags, fd);

	if (p == NULL)
		hosted_fail("no %s at %#lx (%lu bytes): %s", what, (unsigned long)va,
			    (unsigned long)bytes, strerror(errno));
	return p;
}

/* Huge pages that were set aside, else whatever the system has, huge where it can. */
static void map_memory(uint64_t bytes, bool shared)
{
	uint64_t va = GW_MEM_BASE + HOSTED_MEM_PA;
	struct hosted_memory *m = &hosted_memory;
	/* huge pages are reserved here: without, the first touch of one too many is a SIGBUS */
	int flags = shared ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;

	m->bytes = bytes;
	for (int huge = 1; huge >= 0 && m->base == NULL; huge--) {
		if (shared) {
			m->fd = memfd_create("godwit", MFD_CLOEXEC | (huge ? MFD_HUGETLB : 0u));
			if (m->fd < 0 || ftruncate(m->fd, (off_t)bytes) != 0) {
				if (m->fd >= 0)
					close(m->fd);
				m->fd = -1;
				continue;
			}
		}
		m->huge = huge != 0;
		m->base = map_at(va, bytes, PROT_READ | PROT_WRITE,
				 flags | (huge ? MAP_HUGETLB : MAP_NORESERVE), m->fd);
		if (m->base == NULL && m->fd >= 0) {
			close(m->fd);
			m->fd = -1;
		}
	}
	if (m->base == NULL)
		hosted_fail("-m: no %lu MiB of memory: %s", (unsigned long)(bytes >> 20),
			    strerror(errno));
	if (!m->huge)
		(void)madvise(m->base, bytes, MADV_HUGEPAGE);
}

/* The time stamp counter's and the system's clock at the same moment. */
static void both_clocks(uint64_t *tsc, uint64_t *ns)
{
	uint64_t best = ~0ull;

	for (int i = 0; i < 16; i++) {
		struct timespec t;
		uint64_t before = __builtin_ia32_rdtsc(), after;

		clock_gettime(CLOCK_MONOTONIC, &t);
		after = __builtin_ia32_rdtsc();
		if (after - before < best) {
			best = after - before;
			*tsc = before + best / 2;
			*ns = (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec;
		}
	}
}

static void set_clock(struct gw_clock *c)
{
	uint64_t tsc[2], ns[2];
	unsigned a, b, x, d;
	struct timespec t;

	if (!__get_cpuid(0x80000007, &a, &b, &x, &d) || !(d & (1u << 8)))
		log_warn("this processor's time stamp counter may change its rate; times may be "
			 "wrong");
	both_clocks(&tsc[0], &ns[0]);
	do {
		both_clocks(&tsc[1], &ns[1]);
	} while (ns[1] - ns[0] < CALIBRATE_NS);
	c->tsc_base = tsc[0];
	c->mult = (uint64_t)(((unsigned __int128)(ns[1] - ns[0]) << 32) / (tsc[1] - tsc[0]));
	c->tsc_hz = (uint64_t)((unsigned __int128)(tsc[1] - tsc[0]) * NS_PER_SEC / (ns[1] - ns[0]));
	clock_gettime(CLOCK_REALTIME, &t);
	c->epoch_ns = (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec -
		      clock_ns_of(c, __builtin_ia32_rdtsc());
}

/* host.cores=2,3: a vcore for each. Without: host.vcores of them, anywhere. */
static uint32_t read_cores(void)
{
	const char *s = config_get("host.cores");
	uint64_t n = 0;

	memset(cores, 0xff, sizeof(cores)); /* -1 */
	if (s == NULL)
		return 1;
	while (*s != '\0' && n < GW_MAX_VCORES) {
		char *end;
		unsigned long core = strtoul(s, &end, 10);

		if (end == s || core > 4095 || (*end != ',' && *end != '\0'))
			hosted_fail("bad host.cores");
		cores[n++] = (int)core;
		s = *end == ',' ? end + 1 : end;
	}
	return (uint32_t)n;
}

static uint64_t memory_bytes(void)
{
	const char *s = config_get("host.memory");
	uint64_t n = MEMORY_DEFAULT;

	if (s != NULL && (str_to_u64(s, 1ull << 40, &n) != 0 || n < (8u << 20)))
		hosted_fail("bad host.memory=%s", s);
	return ROUND_UP(n, HUGE_BYTES);
}

void hosted_setup(int config_fd)
{
	const int rw = PROT_READ | PROT_WRITE, own = MAP_PRIVATE | MAP_ANONYMOUS;
	struct gw_boot_info *boot =
		must_map(GW_BOOT_VA, GW_BOOT_PAGES * GW_PAGE, rw, own, -1, "boot information");
	uint8_t seed[32];
	struct stat st;

	if (fstat(config_fd, &st) != 0 || st.st_size <= 0)
		hosted_fail("the configuration is missing: %s", strerror(errno));
	must_map(GW_CONFIG_VA, (uint64_t)st.st_size, PROT_READ, MAP_PRIVATE, config_fd,
		 "configuration");
	*boot = (struct gw_boot_info){ .magic = GW_BOOT_MAGIC,
				       .size = sizeof(*boot),
				       .flags = GW_BOOT_MEM_ZEROED | GW_BOOT_DMA_TRUSTED,
				       .n_extents = 1,
				       .config_len = (uint64_t)st.st_size };
	boot->vcores = read_cores();
	boot->boot_tsc = boot->start_tsc = __builtin_ia32_rdtsc();
	must_map(GW_VCORE_BASE, (uint64_t)boot->vcores * GW_VCORE_AREA, rw, own, -1, "vcore areas");
	map_memory(memory_bytes(), config_get("host.shared") != NULL);
	boot->extents[0] = (struct gw_extent){ HOSTED_MEM_PA, hosted_memory.bytes };
	boot->machine_bytes = hosted_memory.bytes;
	set_clock(&boot->clock);
	if (getrandom(seed, sizeof(seed), 0) == sizeof(seed))
		random_seed(seed, sizeof(seed));
}
