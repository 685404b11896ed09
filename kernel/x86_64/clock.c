/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c - how fast the TSC runs, and what time it is. The hypervisor or the CPU may say;
 * otherwise the TSC is measured against PIT channel 2, from clock_begin to clock_end: the boot work
 * in between is the waiting. */
#include "kernel/x86_64/arch_internal.h"

#define PIT_HZ 1193182ULL
#define PIT_WAIT 2386u	   /* PIT ticks at least between the samples: 2 ms */
#define PIT_WAIT_MAX 4773u /* and at most, if they did not take longer by themselves */
#define WIDTH_WAIT 3000u   /* in between, so many times the time that reading the PIT takes */
#define SAMPLES 16u
#define TRIES 20u
#define MIN_WAIT_TSC 8000000u /* 2 ms, or a little more: 1 to 80 ms at what hz_of_pit accepts */
#define NS_PER_S 1000000000ULL
#define MSR_KVM_CLOCK 0x4b564d01u

struct gw_clock clock;
uint64_t clock_tsc_per_ns;

/* Means of several readings, times SAMPLES: finer than a PIT tick. */
struct sample {
	uint64_t tsc, pit, n, width;
	uint64_t apic_tsc, apic;
};

static struct sample first;

static uint32_t pit_latched(void)
{
	uint32_t low = inb(0x42);

	return low | (uint32_t)inb(0x42) << 8;
}

static struct sample sample_take(void)
{
	uint64_t at[SAMPLES], width[SAMPLES], best = ~0ULL;
	uint32_t count[SAMPLES];
	struct sample s = { 0 };

	for (uint32_t i = 0; i < SAMPLES; i++) {
		at[i] = rdtsc();
		outb(0x43, 0x80); /* latch channel 2 */
		width[i] = rdtsc() - at[i];
		at[i] += width[i] / 2;
		count[i] = pit_latched();
		best = min_u64(best, width[i]);
	}
	for (uint32_t i = 0; i < SAMPLES; i++) {
		if (width[i] > best + best / 4)
			continue; /* interrupted by the host */
		s.tsc += at[i];
		s.pit += count[i];
		s.n++;
	}
	s.width = best;
	best = ~0ULL;
	for (uint32_t i = 0; i < 4; i++) {
		uint64_t t = rdtsc(), apic = apic_timer_count(), w = rdtsc() - t;

		if (w >= best)
			continue;
		best = w;
		s.apic_tsc = t + w / 2;
		s.apic = apic;
	}
	return s;
}

static void pit_start(void)
{
	outb(0x61, (uint8_t)((inb(0x61) & ~2) | 1)); /* gate on, speaker off */
	outb(0x43, 0xb0); /* channel 2, mode 0: counts down once, then raises OUT */
	outb(0x42, 0xff);
	outb(0x42, 0xff);
}

/* Has the counter passed zero since pit_start? Asked of the PIT itself: not every machine has the
 * port 0x61. */
static bool pit_wrapped(void)
{
	outb(0x43, 0xe8); /* latch the status of channel 2: its OUT pin in bit 7 */
	return (inb(0x42) & 0x80) != 0;
}

void clock_begin(void)
{
	pit_start();
	first = sample_take();
}

static void set_apic_rate(const struct sample *last)
{
	if (last->apic_tsc > first.apic_tsc && last->apic < first.apic)
		apic_timer_set_rate(mul_div(first.apic - last->apic, 1ULL << 32,
					    last->apic_tsc - first.apic_tsc));
	else if (!cpu.tsc_deadline)
		fail(STATUS_CONFIG, "the APIC timer does not count");
}

/* The second sample, far enough from the first; the core sleeps until then. */
static struct sample sample_last(void)
{
	struct sample s;
	uint64_t apic;

	if (pit_wrapped())
		clock_begin(); /* more than 54 ms have passed: the counter wrapped */
	s = sample_take();
	set_apic_rate(&s);
	apic = first.apic - s.apic; /* from here on estimated: the timer is used to sleep */
	for (uint32_t i = 0; i < 8; i++) {
		uint64_t tsc = max_u64(s.apic_tsc - first.apic_tsc, 1);
		uint64_t pit = max_u64(first.pit / first.n - s.pit / s.n, 1);
		uint64_t want = mul_div(WIDTH_WAIT * max_u64(first.width, s.width), pit, tsc);

		want = min_u64(max_u64(want, PIT_WAIT), PIT_WAIT_MAX);
		if (pit >= want)
			break;
		/* What is missing, in ticks of the APIC timer, for which the first part is the
		 * scale: at most eight times that, so that it is bounded whatever was measured. */
		apic_sleep((uint32_t)mul_div(apic, min_u64(want, 8 * pit) - pit, pit) | 1);
		s = sample_take();
		apic = mul_div(apic, s.apic_tsc - first.apic_tsc, tsc);
	}
	return s;
}

static uint64_t hz_of_kvm(void)
{
	static volatile struct {
		uint32_t version, pad;
		uint64_t tsc, ns;
		uint32_t mul;
		int8_t shift;
		uint8_t flags, pad2[2];
	} kvm __attribute__((aligned(64)));
	uint64_t hz;

	if (!cpu.kvm || !(cpuid(0x40000001, 0).a & 8))
		return 0;
	wrmsr(MSR_KVM_CLOCK, image_pa((const void *)&kvm) | 1);
	if (kvm.mul == 0)
		return 0;
	hz = (NS_PER_S << 32) / kvm.mul;
	hz = kvm.shift < 0 ? hz << -kvm.shift : hz >> kvm.shift;
	wrmsr(MSR_KVM_CLOCK, 0);
	return hz;
}

static uint64_t hz_of_cpuid(void)
{
	struct cpuid r;

	if (cpu.hypervisor && cpuid(0x40000000, 0).a >= 0x40000010) {
		r = cpuid(0x40000010, 0);
		if (r.a != 0)
			return r.a * 1000ULL;
	}
	if (cpu.max_leaf >= 0x15) {
		r = cpuid(0x15, 0);
		if (r.a != 0 && r.b != 0 && r.c != 0)
			return (uint64_t)r.c * r.b / r.a;
	}
	return 0;
}

/* Measured against the PIT; 0 when there is none. */
static uint64_t hz_of_pit(const struct sample *last)
{
	uint64_t tsc = last->tsc * first.n - first.tsc * last->n; /* both times n * n */
	uint64_t pit = first.pit * last->n - last->pit * first.n;

	/* Nothing counted, or nonsense: the TSC is between 100 MHz and 8 GHz. */
	if (last->pit == first.pit || pit == 0 || tsc / pit < 80 || tsc / pit > 6800)
		return 0;
	return mul_div(tsc, PIT_HZ, pit);
}

/* The same, again when the host kept us waiting until the counter had wrapped (54 ms). */
static uint64_t hz_measured(struct sample *last)
{
	uint64_t hz = hz_of_pit(last);

	for (uint32_t i = 0; i < TRIES && (hz == 0 || pit_wrapped()); i++) {
		uint64_t until;

		clock_begin();
		until = first.tsc / first.n + MIN_WAIT_TSC;
		while (rdtsc() < until)
			;
		*last = sample_take();
		hz = hz_of_pit(last);
	}
	return pit_wrapped() ? 0 : hz;
}

static uint8_t rtc_read(uint8_t reg)
{
	outb(0x70, reg);
	return inb(0x71);
}

static uint32_t rtc_value(uint32_t v, bool binary)
{
	return binary ? v : (v >> 4) * 10 + (v & 15);
}

/* Seconds since 1970; 0: no clock. */
static uint64_t rtc_seconds(void)
{
	uint32_t s, m, h, day, month, year, hour_raw;
	uint8_t mode;
	uint64_t days;

	for (uint32_t i = 0; i < 10000 && (rtc_read(0x0a) & 0x80); i++)
		;
	mode = rtc_read(0x0b);
	if (mode == 0xff)
		return 0;
	s = rtc_value(rtc_read(0), mode & 4);
	m = rtc_value(rtc_read(2), mode & 4);
	hour_raw = rtc_read(4);
	h = rtc_value(hour_raw & 0x7f, mode & 4);
	if (!(mode & 2)) /* twelve hours */
		h = h % 12 + (hour_raw & 0x80 ? 12 : 0);
	day = rtc_value(rtc_read(7), mode & 4);
	month = rtc_value(rtc_read(8), mode & 4);
	year = 2000 + rtc_value(rtc_read(9), mode & 4);
	if (month < 1 || month > 12 || day < 1 || day > 31 || h > 23 || m > 59 || s > 60)
		return 0;
	/* Days since 1 March 2000, counting January and February to the year before. */
	year -= month <= 2;
	month = (month + 9) % 12;
	days = (year - 2000) * 365 + (year - 2000) / 4 + (month * 153 + 2) / 5 + day - 1;
	return (days + 11017) * 86400 + h * 3600 + m * 60 + s;
}

uint64_t arch_now_ns(void)
{
	return clock_ns(rdtsc());
}

static void set_epoch(uint64_t bundle_epoch_ns)
{
	uint64_t rtc = rtc_seconds() * NS_PER_S, diff;

	if (rtc != 0)
		rtc -= arch_now_ns();
	diff = rtc > bundle_epoch_ns ? rtc - bundle_epoch_ns : bundle_epoch_ns - rtc;
	/* The host's clock is finer than the RTC's seconds. */
	clock.epoch_ns = rtc == 0 || diff < 5 * NS_PER_S ? bundle_epoch_ns : rtc;
}

void clock_end(uint64_t bundle_epoch_ns)
{
	uint64_t hz = hz_of_kvm();
	struct sample last;

	if (hz == 0)
		hz = hz_of_cpuid();
	if (hz != 0 && cpu.tsc_deadline) {
		last = first;
	} else {
		last = sample_last();
		if (hz == 0)
			hz = hz_measured(&last);
		if (hz == 0 && cpu.max_leaf >= 0x16)
			hz = (cpuid(0x16, 0).a & 0xffff) * 1000000ULL;
	}
	if (hz < 100000000 || hz >= 8000000000)
		fail(STATUS_CONFIG, "cannot tell the TSC's frequency; the machine needs a PIT "
				    "(-machine pit=on) or a CPU that reports it");
	clock.tsc_hz = hz;
	clock.mult = mul_div(NS_PER_S, 1ULL << 32, hz);
	clock_tsc_per_ns = mul_div(hz, 1ULL << 31, NS_PER_S);
	set_epoch(bundle_epoch_ns);
}
