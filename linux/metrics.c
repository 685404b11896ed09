/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - the machine's part of the Prometheus text, and what programs record by themselves
 * (runtime/metric has the rest). */
#include "linux/linux.h"
#include "linux/metrics.h"
#include "linux/process/process.h"
#include "runtime/platform/platform.h"

#define SECOND 1000000000ul

void metrics_lines(void (*line)(void *ctx, const char *text), void *ctx)
{
	const struct metric_out o = { line, ctx };
	uint64_t up = clock_now() - process_first->start_ns, syscalls = thread_syscalls_ended();

	spin_lock(&processes.lock);
	list_for_each (n, &processes.list)
		syscalls += thread_syscalls(list_entry(n, struct process, link));
	spin_unlock(&processes.lock);
	metric_head(&o, "uptime_seconds", "gauge", "Since the program's start.");
	metric_put(&o, "godwit_uptime_seconds %lu.%09lu", up / SECOND, up % SECOND);
	metric_memory_lines(line, ctx);
	metric_head(&o, "syscalls_total", "counter", "Linux system calls.");
	metric_put(&o, "godwit_syscalls_total %lu", syscalls);
	metric_head(&o, "page_faults_total", "counter", "Faults that brought a page.");
	metric_put(&o, "godwit_page_faults_total %lu", linux_stats.faults);
	metric_head(&o, "page_ins_total", "counter", "Pages read from the root image.");
	metric_put(&o, "godwit_page_ins_total %lu", linux_stats.page_ins);
	metric_head(&o, "evictions_total", "counter", "Pages given up for want of memory.");
	metric_put(&o, "godwit_evictions_total %lu", linux_stats.evictions);
	metric_shard_lines(line, ctx);
	if (platform_boot()->status_len != 0)
		metric_status_lines((const struct gw_status *)GW_STATUS_VA, line, ctx);
	metric_lines(line, ctx);
}

long metrics_record(const char *s, size_t n)
{
	const char *end = s + n;

	while (s < end) {
		uint64_t value = 0;
		struct metric *m;
		const char *p;
		size_t len = 0;
		int why;

		while (s[len] != '\0' && s[len] != '\n' && s[len] != ' ')
			len++;
		p = s + len + 1;
		if (s[len] != ' ' || *p < '0' || *p > '9')
			return -EINVAL;
		for (; *p >= '0' && *p <= '9'; p++)
			value = GW_MIN(value * 10 + (uint64_t)(*p - '0'), LATENCY_MAX);
		if (*p != '\0' && *p != '\n')
			return -EINVAL;
		m = metric_find(s, len, true, &why);
		if (m == NULL)
			return why;
		metric_record(m, value);
		s = p + (*p == '\n');
	}
	return 0;
}
