/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - log lines and the end of the partition by its own report, through the kernel's debug
 * UART. The text goes through the vcore area's batch, which a caller may be filling: what lay there
 * is put back. */
#include "runtime/base/str.h"
#include "runtime/platform/platform.h"

#define LINE 256u
#define HEALTH_PANIC 1u /* code of health_raise: the runtime gave up */
#define BACKTRACE_MAX 16

static inline struct gw_vcore *own_vcore(void)
{
	uint64_t id;

	__asm__ volatile("movq %%gs:0x38, %0" : "=r"(id));
	return (struct gw_vcore *)GW_VCORE_VA(id);
}

static void emit(const char *text, size_t n)
{
	struct gw_vcore *vc = own_vcore();
	uint8_t kept[LINE];

	memcpy(kept, vc->batch.bytes, n);
	memcpy(vc->batch.bytes, text, n);
	gw_call(GW_CALL_CONSOLE_WRITE, n, 0, 0);
	memcpy(vc->batch.bytes, kept, n);
}

static void PRINTF_LIKE(2, 0) line(const char *prefix, const char *fmt, va_list ap)
{
	char buf[LINE];

	emit(buf, fmt_vline(buf, sizeof(buf), prefix, fmt, ap));
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line("", fmt, ap);
	va_end(ap);
}

void log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line("warning: ", fmt, ap);
	va_end(ap);
}

/* Return addresses along the frame pointers, while they stay on one stack. */
static void backtrace(const uint64_t *fp)
{
	for (int i = 0; i < BACKTRACE_MAX && fp; i++) {
		const uint64_t *next = (const uint64_t *)fp[0];

		log_info("  #%d %#lx", i, (unsigned long)fp[1]);
		if (next <= fp || (uint64_t)next - (uint64_t)fp > 16384)
			break;
		fp = next;
	}
}

_Noreturn void panic(const char *fmt, ...)
{
	static _Atomic bool entered;
	va_list ap;

	if (!atomic_exchange(&entered, true)) {
		va_start(ap, fmt);
		line("panic: ", fmt, ap);
		va_end(ap);
		backtrace(__builtin_frame_address(0));
	}
	for (;;)
		gw_call(GW_CALL_HEALTH_RAISE, HEALTH_PANIC, 0, 0);
}
