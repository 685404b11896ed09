/* SPDX-License-Identifier: Apache-2.0 */
/* start.c - an ARINC 653 partition begins, begins again, and ends; its text and its errors for the
 * kernel. */
#include "abi/bundle.h"
#include "abi/status.h"
#include "arinc653/godwit/godwit.h"

#define LINE 200u

extern uint8_t data_begin[], data_end[], bss_begin[], bss_end[];
void apex_upcall_entry(void);
void apex_syscall_entry(void);
_Noreturn void plat_core_main(void);
_Noreturn void plat_main(const struct gw_boot_info *info);
int main(void);

_Static_assert((int)GW_START_NORMAL == NORMAL_START &&
		       (int)GW_START_PARTITION == PARTITION_RESTART &&
		       (int)GW_START_HM_MODULE == HM_MODULE_RESTART &&
		       (int)GW_START_HM_PARTITION == HM_PARTITION_RESTART,
	       "start conditions");
_Static_assert((int)GW_HEALTH_DEADLINE == DEADLINE_MISSED &&
		       (int)GW_HEALTH_APPLICATION == APPLICATION_ERROR &&
		       (int)GW_HEALTH_NUMERIC == NUMERIC_ERROR &&
		       (int)GW_HEALTH_ILLEGAL == ILLEGAL_REQUEST &&
		       (int)GW_HEALTH_STACK == STACK_OVERFLOW &&
		       (int)GW_HEALTH_MEMORY == MEMORY_VIOLATION &&
		       (int)GW_HEALTH_HARDWARE == HARDWARE_FAULT &&
		       (int)GW_HEALTH_POWER == POWER_FAIL,
	       "error codes");

static const struct apex_config *config(void)
{
	return (const struct apex_config *)GW_CONFIG_VA;
}

/* ---- text ---- */

static void console(const void *text, uint32_t len)
{
	memcpy(vcore()->batch.bytes, text, len);
	vcore()->batch.bytes[len] = '\n';
	gw_call(GW_CALL_CONSOLE_WRITE, len + 1, 0);
}

void plat_message(const void *text, uint32_t len)
{
	console(text, len);
}

/* The services themselves have failed: nothing in here can be relied on any more. */
_Noreturn void panic(const char *fmt, ...)
{
	char text[LINE];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = fmt_vprint(text, sizeof(text), fmt, ap);
	va_end(ap);
	console(text, GW_MIN((uint32_t)n, LINE - 1));
	gw_call(GW_CALL_HEALTH_RAISE, GW_HEALTH_CODE((uint64_t)ILLEGAL_REQUEST, 0), 0);
	for (;;)
		gw_call(GW_CALL_SHUTDOWN, 125, 0);
}

/* ---- the end ---- */

/* The kernel logs it: its class, the process as its code, the address. */
void plat_health(PROCESS_ID_TYPE id, ERROR_CODE_TYPE code, uint64_t address)
{
	gw_call(GW_CALL_HEALTH_RAISE, GW_HEALTH_CODE((uint64_t)code, (uint32_t)id), address);
}

_Noreturn void plat_end(void)
{
	for (;;)
		gw_call(GW_CALL_SHUTDOWN, 0, 0);
}

/* ---- the beginning ---- */

uint64_t plat_period_start(uint64_t now_ns)
{
	const struct gw_status *s = (const struct gw_status *)GW_STATUS_VA;
	bool windows = boot()->status_len != 0 && s->n_windows != 0;
	uint64_t origin = config()->phase_ns + (windows ? s->start_ns : 0);
	uint64_t period = config()->period_ns;

	if (now_ns <= origin)
		return origin;
	return origin + (now_ns - origin + period - 1) / period * period;
}

START_CONDITION_TYPE plat_start_condition(void)
{
	return lives.started > 1 ? PARTITION_RESTART : (START_CONDITION_TYPE)boot()->start;
}

OPERATING_MODE_TYPE plat_start_mode(void)
{
	if (lives.started > 1)
		return (OPERATING_MODE_TYPE)lives.mode;
	return boot()->flags & GW_BOOT_WARM ? WARM_START : COLD_START;
}

/* The first bytes of the first extent: plat_alloc leaves them alone. */
static void data_save(void)
{
	size_t n = (size_t)(data_end - data_begin);

	if (boot()->n_extents == 0 || boot()->extents[0].len < n)
		panic("apex: no memory for a copy of the data");
	lives.data_copy = GW_MEM_BASE + boot()->extents[0].pa;
	memcpy((void *)lives.data_copy, data_begin, n);
}

static void main_entry(void)
{
	(void)main();
	apex_main_return();
}

static void main_process_run(void)
{
	struct apex_process *p = &apex.main;

	p->context = plat_alloc(plat_context_size(), 64);
	p->stack_top = p->context == NULL ? NULL : plat_stack(config()->main_stack_bytes);
	if (p->stack_top == NULL)
		panic("apex: no memory for the main process");
	p->attributes.STACK_SIZE = config()->main_stack_bytes;
	plat_context_init(p, main_entry);
	plat_switch(NULL, p);
}

_Noreturn void plat_main(const struct gw_boot_info *info)
{
	const char *wrong = "no configuration";

	if (info->magic != GW_BOOT_MAGIC || info->size != sizeof(*info))
		panic("apex: another kernel's interface");
	if (info->config_len != 0)
		wrong = apex_config_check(config(), info->config_len);
	if (wrong == NULL &&
	    (info->vcores > APEX_CORES ||
	     (config()->default_core != APEX_ANY_CORE && config()->default_core >= info->vcores)))
		wrong = "its cores";
	if (wrong != NULL)
		panic("apex: bad configuration: %s", wrong);
	gw_call(GW_CALL_UPCALL_SET, (uint64_t)apex_syscall_entry, (uint64_t)apex_upcall_entry);
	if (lives.started++ == 0)
		data_save();
	memory_init((uint64_t)(data_end - data_begin));
	fpu_init();
	apex_start(config(), info->vcores);
	main_process_run();
	panic("apex: the main process went away");
}

/* ---- the other cores ---- */

_Noreturn void plat_core_main(void)
{
	gw_call(GW_CALL_UPCALL_SET, (uint64_t)apex_syscall_entry, (uint64_t)apex_upcall_entry);
	apex_core_main();
}

/* Sleeps until the partition is in NORMAL mode again; what was to happen here is forgotten. */
_Noreturn void halt(uint64_t unused)
{
	uint32_t self = plat_core();

	(void)unused;
	gw_call(GW_CALL_TICK_SET, GW_NEVER, 0);
	atomic_store(&vcore()->pending, 0);
	atomic_fetch_add(&lives.halted, 1);
	while ((atomic_load(&lives.going) >> self & 1) == 0) {
		gw_call(GW_CALL_WAIT, GW_NEVER, 0);
		atomic_store(&vcore()->pending, 0);
	}
	apex_core_main();
}

static void others_halt(void)
{
	uint64_t others = atomic_load(&lives.going) & ~(1ULL << plat_core());

	atomic_store(&lives.halted, 0);
	atomic_store(&lives.going, 0);
	atomic_store(&lives.halt, 1);
	for (uint32_t c = 0; c < apex.n_cores; c++)
		if (others >> c & 1)
			plat_kick(c);
	while (atomic_load(&lives.halted) != (uint64_t)__builtin_popcountll(others))
		__asm__ volatile("pause");
	atomic_store(&lives.halt, 0);
}

/* ---- once more ---- */

/* For a warm start the application's data stay; the executive makes its own anew in any case. */
static void begin_again(uint64_t mode)
{
	gw_call(GW_CALL_TICK_SET, GW_NEVER, 0);
	atomic_store(&vcore()->pending, 0);
	if (mode == COLD_START) {
		memcpy(data_begin, (const void *)lives.data_copy, (size_t)(data_end - data_begin));
		memset(bss_begin, 0, (size_t)(bss_end - bss_begin));
	}
	lives.mode = mode;
	plat_main(boot());
}

_Noreturn void plat_restart(OPERATING_MODE_TYPE mode)
{
	others_halt();
	apex_on_exec_stack(begin_again, mode);
}
