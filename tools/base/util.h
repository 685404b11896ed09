/* SPDX-License-Identifier: Apache-2.0 */
/* util.h - what every part of the command needs: messages, growing text, vectors of strings.
 * The command is a short-lived process: when memory runs out it says so and ends (status 2). */
#ifndef GODWIT_TOOLS_UTIL_H
#define GODWIT_TOOLS_UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATUS_USAGE 2	   /* a mistake in the options, or what could not be prepared */
#define STATUS_MACHINE 125 /* the machine ended without the program's exit status */

#define PRINTF(a, b) __attribute__((format(printf, a, b)))

/* fail - record an error for the user (first one wins, see fail_text) and return -1. */
int fail(const char *format, ...) PRINTF(1, 2);
/* fail_within - put what was being done before the recorded error, with ": " between. Returns -1.
 */
int fail_within(const char *format, ...) PRINTF(1, 2);
const char *fail_text(void); /* "" when none */
void fail_clear(void);

/* warn, note - one line on stderr: "godwit: ...". note only speaks when verbose is set. */
void warn(const char *format, ...) PRINTF(1, 2);
void note(const char *format, ...) PRINTF(1, 2);
extern bool verbose;

/* need - p itself; ends the process when it is NULL. The others are libc's, with that check. */
void *need(void *p);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *format, ...) PRINTF(1, 2);
char *xvasprintf(const char *format, va_list ap) PRINTF(1, 0);

/* A byte string that grows. data is NUL-terminated beyond len once something was added. */
struct text {
	char *data;
	size_t len, room;
};
void text_add(struct text *t, const void *bytes, size_t n);
void text_printf(struct text *t, const char *format, ...) PRINTF(2, 3);
void text_free(struct text *t);

/* A NULL-terminated vector of strings that it owns. */
struct words {
	char **v;
	size_t n;
};
void words_add(struct words *w, const char *s);
void words_printf(struct words *w, const char *format, ...) PRINTF(2, 3);
void words_free(struct words *w);

/* words_split - split a command line as a shell would: blanks, '...', "...", \. Nothing is
 * expanded. Returns 0, or -1 (fail) at an open quote. */
int words_split(struct words *w, const char *line);

/* shell_quote - add s so that a shell reads it back as one word. */
void shell_quote(struct text *t, const char *s);

/* nearest - the candidate (NULL-terminated list) that is most like `word`, or NULL if none is near.
 */
const char *nearest(const char *word, const char *const *candidates);

/* parse_size - "64K", "256M", "1G" (K, M, G, also lower case; no suffix: MiB as QEMU has it). */
int parse_size(const char *s, uint64_t *bytes);
/* parse_u64 - a plain decimal number within [min, max]. Both return 0 or -1, and set no error. */
int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *value);

/* write_all, read_all - move exactly n bytes (pwrite/pread); -1 with errno, or errno 0 at the end.
 */
int write_all(int fd, const void *bytes, size_t n, uint64_t offset);
int read_all(int fd, void *bytes, size_t n, uint64_t offset);

uint64_t now_ns(void); /* CLOCK_MONOTONIC */

#endif
