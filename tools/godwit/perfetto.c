/* SPDX-License-Identifier: Apache-2.0 */
/* perfetto.c - see perfetto.h. Source: Trace Event Format ("Google, 2016"): phases X, i and M. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "tools/base/util.h"
#include "tools/godwit/perfetto.h"

void perfetto_begin(struct perfetto *p, FILE *f, const char *path)
{
	*p = (struct perfetto){ .file = f, .path = path };
	fputs("[", f);
}

int perfetto_open(struct perfetto *p, const char *path)
{
	FILE *f = fopen(path, "we");

	*p = (struct perfetto){ .path = path };
	if (f == NULL)
		return fail("cannot write the trace %s: %s", path, strerror(errno));
	perfetto_begin(p, f, path);
	return 0;
}

static void put_string(FILE *f, const char *s)
{
	fputc('"', f);
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			fprintf(f, "\\%c", c);
		else if (c < ' ' || c >= 0x7f) /* what is not ASCII may not be UTF-8 */
			fprintf(f, "\\u%04x", c);
		else
			fputc(c, f);
	}
	fputc('"', f);
}

static void put_args(FILE *f, const struct perfetto_arg *args)
{
	fputs(",\"args\":{", f);
	for (size_t i = 0; args != NULL && args[i].key != NULL; i++) {
		if (i != 0)
			fputc(',', f);
		put_string(f, args[i].key);
		fputc(':', f);
		if (args[i].text != NULL)
			put_string(f, args[i].text);
		else
			fprintf(f, "%" PRIu64, args[i].number);
	}
	fputs("}}", f);
}

/* Everything but the phase's own fields and the args. */
static void put_event(struct perfetto *p, char phase, uint32_t pid, uint32_t tid, const char *name)
{
	fprintf(p->file, "%s\n{\"ph\":\"%c\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32 ",\"name\":",
		p->events++ == 0 ? "" : ",", phase, pid, tid);
	put_string(p->file, name);
}

/* The format counts microseconds; three decimals keep the nanoseconds. */
static void put_time(FILE *f, const char *key, uint64_t ns)
{
	fprintf(f, ",\"%s\":%" PRIu64 ".%03u", key, ns / 1000, (unsigned int)(ns % 1000));
}

static void put_name(struct perfetto *p, const char *what, uint32_t pid, uint32_t tid,
		     const char *name)
{
	const struct perfetto_arg args[] = { { .key = "name", .text = name }, { .key = NULL } };

	if (p->file == NULL)
		return;
	put_event(p, 'M', pid, tid, what);
	put_args(p->file, args);
}

void perfetto_process(struct perfetto *p, uint32_t pid, const char *name)
{
	put_name(p, "process_name", pid, 0, name);
}

void perfetto_thread(struct perfetto *p, uint32_t pid, uint32_t tid, const char *name)
{
	put_name(p, "thread_name", pid, tid, name);
}

void perfetto_slice(struct perfetto *p, uint32_t pid, uint32_t tid, const char *name,
		    uint64_t start_ns, uint64_t length_ns, const struct perfetto_arg *args)
{
	if (p->file == NULL)
		return;
	put_event(p, 'X', pid, tid, name);
	put_time(p->file, "ts", start_ns);
	put_time(p->file, "dur", length_ns);
	put_args(p->file, args);
}

void perfetto_instant(struct perfetto *p, uint32_t pid, uint32_t tid, const char *name,
		      uint64_t at_ns, const struct perfetto_arg *args)
{
	if (p->file == NULL)
		return;
	put_event(p, 'i', pid, tid, name);
	put_time(p->file, "ts", at_ns);
	fputs(",\"s\":\"t\"", p->file);
	put_args(p->file, args);
}

int perfetto_close(struct perfetto *p)
{
	FILE *f = p->file;
	bool bad;

	if (f == NULL)
		return 0;
	p->file = NULL;
	fputs("\n]\n", f);
	bad = ferror(f) != 0;
	if (fclose(f) != 0 || bad)
		return fail("the trace %s is not complete: %s", p->path, strerror(errno));
	return 0;
}
