/* SPDX-License-Identifier: Apache-2.0 */
/* ktrace.c - lines of the kernel's trace to a Chrome (Perfetto) trace. The text is not trusted:
 * it may be cut, mixed with a partition's own output, or somebody's invention. */
#include "tools/godwit/ktrace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "abi/trace.h"

#define MARK "godwit: trace: "
#define RUNS 1u
#define WINDOWS 2u

static const char *const classes[GW_HEALTH_CLASSES] = { "deadline missed", "application error",
							"numeric error",   "illegal request",
							"stack overflow",  "memory violation",
							"hardware fault",  "power fail" };

void ktrace_begin(struct ktrace *k, FILE *f, const char *path)
{
	memset(k, 0, sizeof(*k));
	perfetto_begin(&k->out, f, path);
}

static void put_slice(struct ktrace *k, const char *name, uint32_t core, uint32_t track,
		      struct ktrace_slice *s, uint64_t end_ns)
{
	if (s->open)
		perfetto_slice(&k->out, core, track, name, s->start_ns,
			       end_ns >= s->start_ns ? end_ns - s->start_ns : 0, NULL);
	s->open = false;
}

static const char *name_of(const struct ktrace *k, uint32_t partition, char room[48])
{
	if (partition < GW_BUNDLE_PARTITIONS && k->names[partition][0] != 0)
		return k->names[partition];
	snprintf(room, 48, "partition %" PRIu32, partition);
	return room;
}

static void end_run(struct ktrace *k, uint32_t core, uint64_t ns)
{
	struct ktrace_slice *s = &k->cores[core].runs;
	char room[48], name[96];

	snprintf(name, sizeof(name), "%s vcore %" PRIu32, name_of(k, s->partition, room),
		 s->number);
	put_slice(k, name, core, RUNS, s, ns);
}

static void end_window(struct ktrace *k, uint32_t core, uint64_t ns)
{
	struct ktrace_slice *s = &k->cores[core].window;
	char room[48], name[96];

	if (s->partition == GW_WINDOW_POOL)
		snprintf(name, sizeof(name), "window %" PRIu32 ": the pool", s->number);
	else
		snprintf(name, sizeof(name), "window %" PRIu32 ": %s", s->number,
			 name_of(k, s->partition, room));
	put_slice(k, name, core, WINDOWS, s, ns);
}

static void put_instant(struct ktrace *k, uint32_t core, uint64_t ns, uint32_t kind,
			uint32_t partition, uint32_t arg)
{
	static const char *const names[GW_TRACE_KINDS] = { [GW_TRACE_INTERRUPT] = "interrupt",
							   [GW_TRACE_EVENT] = "event upcall",
							   [GW_TRACE_FAULT] = "fault upcall",
							   [GW_TRACE_GRANT] = "grant" };
	const char *name = names[kind];
	char room[48];
	const struct perfetto_arg args[] = {
		{ .key = "arg", .number = arg },
		{ .key = "partition",
		  .text = partition == GW_TRACE_NOBODY ? "nobody" : name_of(k, partition, room) },
		{ .key = NULL },
	};

	if (kind == GW_TRACE_ERROR)
		name = arg < GW_HEALTH_CLASSES ? classes[arg] : "error";
	perfetto_instant(&k->out, core, RUNS, name, ns, args);
}

static void event(struct ktrace *k, uint32_t core, uint64_t ns, uint32_t kind, uint32_t partition,
		  uint32_t vcore, uint32_t arg)
{
	struct ktrace_core *c = &k->cores[core];

	c->seen = true;
	c->last_ns = ns > c->last_ns ? ns : c->last_ns;
	switch (kind) {
	case GW_TRACE_SWITCH:
		end_run(k, core, ns);
		c->runs =
			(struct ktrace_slice){ partition != GW_TRACE_NOBODY, ns, partition, vcore };
		break;
	case GW_TRACE_WINDOW:
	case GW_TRACE_GAP:
		end_window(k, core, ns);
		c->window = (struct ktrace_slice){ kind == GW_TRACE_WINDOW, ns,
						   arg < GW_BUNDLE_SLOTS ? k->window_owner[arg]
									 : GW_WINDOW_POOL,
						   arg };
		break;
	default:
		put_instant(k, core, ns, kind, partition, arg);
		break;
	}
}

/* Decimal numbers (the last one hexadecimal if `hex`) with single blanks between, to the line's
 * end.
 */
static bool numbers(const char *s, uint64_t *v, uint32_t n, bool hex)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t base = hex && i + 1 == n ? 16 : 10, digits = 0;

		for (v[i] = 0;; s++, digits++) {
			const char *all = "0123456789abcdef", *at = *s ? strchr(all, *s) : NULL;

			if (at == NULL || at - all >= (int)base || digits > 18)
				break;
			v[i] = v[i] * base + (uint64_t)(at - all);
		}
		if (digits == 0 || (i + 1 < n && *s++ != ' '))
			return false;
	}
	return *s == 0 || *s == '\r' || *s == '\n';
}

static bool partition_line(struct ktrace *k, const char *s)
{
	size_t n;

	if (*s < '0' || *s >= '0' + (int)GW_BUNDLE_PARTITIONS || s[1] != ' ')
		return false;
	n = strcspn(s + 2, "\r\n");
	if (n == 0 || n >= sizeof(k->names[0]))
		return false;
	memcpy(k->names[*s - '0'], s + 2, n);
	k->names[*s - '0'][n] = 0;
	return true;
}

static bool window_line(struct ktrace *k, const char *s)
{
	uint64_t v[3];

	if (!numbers(s, v, 3, false) || v[0] >= GW_BUNDLE_SLOTS || v[2] > 255)
		return false;
	k->window_owner[v[0]] = (uint8_t)v[2];
	return true;
}

static bool event_line(struct ktrace *k, const char *s)
{
	uint64_t v[6];

	if (!numbers(s, v, 6, true) || v[0] >= GW_MAX_VCORES || v[2] < 1 ||
	    v[2] >= GW_TRACE_KINDS || v[3] > 255 || v[4] > UINT16_MAX || v[5] > UINT32_MAX)
		return false;
	event(k, (uint32_t)v[0], v[1], (uint32_t)v[2], (uint32_t)v[3], (uint32_t)v[4],
	      (uint32_t)v[5]);
	return true;
}

void ktrace_line(struct ktrace *k, const char *line)
{
	const char *s = strstr(line, MARK);
	bool ok;

	if (s == NULL)
		return;
	s += strlen(MARK);
	if (strncmp(s, "partition ", 10) == 0)
		ok = partition_line(k, s + 10);
	else if (strncmp(s, "window ", 7) == 0)
		ok = window_line(k, s + 7);
	else
		ok = event_line(k, s);
	k->damaged += !ok;
}

int ktrace_end(struct ktrace *k)
{
	for (uint32_t i = 0; i < GW_MAX_VCORES; i++) {
		char name[16];

		if (!k->cores[i].seen)
			continue;
		end_run(k, i, k->cores[i].last_ns);
		end_window(k, i, k->cores[i].last_ns);
		snprintf(name, sizeof(name), "core %" PRIu32, i);
		perfetto_process(&k->out, i, name);
		perfetto_thread(&k->out, i, RUNS, "runs");
		perfetto_thread(&k->out, i, WINDOWS, "windows");
	}
	return perfetto_close(&k->out);
}
