/* SPDX-License-Identifier: Apache-2.0 */
/* godwit.h - the native interface: what a server program is written against. The same program,
 * built once, runs as a Linux process (godwit host -- APP) and as a partition of a virtual machine
 * (godwit run --native APP). docs/native.md is the guide; apps/echo has both styles as examples.
 *
 * A program defines app_main. It is ordinary C: this header, the freestanding headers (stdint.h,
 * stdbool.h, ...) and from string.h memcpy memmove memset memcmp memchr strlen strnlen strcmp
 * strncmp strchr strrchr. Nothing else of a C library exists in a partition.
 *
 * Shards. A program runs on gw_shards() shards, one for each core it was given. Everything that
 * this header makes belongs to the shard where it was made and is used there only; nothing is
 * locked, and nothing moves by itself. Connections arrive on all shards; each is handled where it
 * arrived.
 *
 * Two styles, which mix freely:
 *  - tasks: cheap threads with a stack. They wait in calls that say so, never in others.
 *  - callbacks: functions that the shard calls when something happened. They must not wait (calls
 *    that would answer -EDEADLK), and may call everything else, gw_tcp_close of their own
 * connection included.
 *
 *     static void serve(struct gw_tcp *c, void *arg)       // a task for each connection
 *     {
 *             char line[512];
 *             long n;
 *
 *             while ((n = gw_tcp_recv(c, line, sizeof(line), GW_NEVER_NS)) > 0)
 *                     if (gw_tcp_send(c, line, (size_t)n, GW_NEVER_NS) < 0)
 *                             break;
 *     }
 *
 *     int app_main(int argc, char **argv)
 *     {
 *             struct gw_addr at;
 *             int err = gw_addr_parse("*:7", &at);
 *
 *             if (err == 0)
 *                     err = gw_tcp_listen(&at, &(struct gw_tcp_service){ .serve = serve }, NULL);
 *             if (err != 0)
 *                     return gw_fail(err, "cannot listen");
 *             return gw_wait_stop();
 *     }
 *
 *     static void received(struct gw_tcp *c)               // the same with callbacks, no copy
 *     {
 *             struct gw_buf *b;
 *
 *             while (gw_tcp_space(c) != 0 && (b = gw_tcp_take(c)) != NULL)
 *                     (void)gw_tcp_give(c, b);             // what arrived is what is sent
 *             gw_tcp_push(c);
 *             if (gw_tcp_eof(c))
 *                     gw_tcp_close(c);
 *     }
 *     static void closed(struct gw_tcp *c, int error) { gw_tcp_close(c); }
 *     ... { .ops = { .received = received, .writable = received, .closed = closed } } ...
 *
 * Errors are negative numbers of errno.h. Times are nanoseconds; deadlines are points of the
 * monotonic clock (gw_now). Strings are UTF-8 and end with NUL. */
#ifndef GODWIT_H
#define GODWIT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GW_MUST_CHECK __attribute__((warn_unused_result))
#define GW_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* The program's entry: a task of shard 0, the network has its address. argv[0] is the program's
 * name. What it returns (0..255) is the exit status, and everything else ends with it. */
int app_main(int argc, char **argv);

/* ---- time ---- */
#define GW_NEVER_NS (~0ull) /* a deadline that does not come */
#define GW_US 1000ull
#define GW_MS 1000000ull
#define GW_SEC 1000000000ull
/* Monotonic time. Some ten instructions. */
uint64_t gw_now(void);
/* Nanoseconds since 1970 (UTC). 0: the machine was not told the time. */
uint64_t gw_wall(void);
/* Wait. Tasks only. */
void gw_sleep(uint64_t ns);
void gw_sleep_until(uint64_t deadline_ns);

/* A timer calls fn(arg) once, as a callback on the shard that set it, at the deadline or soon
 * after. It lies in the caller's memory, which stays as long as the timer is set. */
struct gw_timer {
	void *opaque[8];
};
void gw_timer_init(struct gw_timer *t, void (*fn)(void *arg), void *arg);
/* Set, or move. 0, -ENOMEM (never for one that is set already). O(log timers). */
int gw_timer_set(struct gw_timer *t, uint64_t deadline_ns) GW_MUST_CHECK;
/* Harmless when it is not set. After it fn is not called. */
void gw_timer_cancel(struct gw_timer *t);

/* ---- tasks ---- */
#define GW_STACK_DEFAULT 0u /* 16 KiB in a partition, 64 KiB in a Linux process (for libraries) */
/* Start fn(arg) on this shard; it runs when the caller waits or ends. stack_bytes: 0, or 8 KiB to
 * 1 MiB. 0, -ENOMEM, -EINVAL. Also from callbacks. */
int gw_spawn(void (*fn)(void *arg), void *arg, size_t stack_bytes) GW_MUST_CHECK;
/* The same on another shard (0..gw_shards()-1). */
int gw_spawn_on(unsigned shard, void (*fn)(void *arg), void *arg, size_t stack_bytes) GW_MUST_CHECK;
/* Let others run. Tasks only. A task that computes for long calls it now and then: nothing
 * interrupts it. */
void gw_yield(void);
/* Whether the caller may wait: true in tasks, false in callbacks. */
bool gw_may_wait(void);

unsigned gw_shards(void); /* how many */
unsigned gw_shard(void);  /* the caller's, from 0 */
/* Run fn(arg) as a callback on a shard, or on every shard in turn, and wait for its end. Tasks
 * only. This is how per-shard state is made, and read. */
void gw_run_on(unsigned shard, void (*fn)(void *arg), void *arg);
void gw_run_everywhere(void (*fn)(void *arg), void *arg);

/* A place to wait for something on one shard: gw_wait sleeps until gw_signal, in a loop around a
 * condition. { 0 } is one in which nobody waits; it is not moved afterwards. */
struct gw_waiters {
	void *opaque[2];
};
/* 0 = signalled (look at the condition again), -ETIMEDOUT, -EDEADLK. */
int gw_wait(struct gw_waiters *w, uint64_t deadline_ns);
/* Wake one, or all. From the same shard, tasks and callbacks. */
void gw_signal(struct gw_waiters *w, bool all);

/* ---- the end ---- */
/* The program is asked to end (SIGTERM or SIGINT, `godwit stop`): fn(arg) is called once on shard 0
 * as a callback. One function; NULL takes it back. */
void gw_on_stop(void (*fn)(void *arg), void *arg);
bool gw_stopping(void);				    /* it was asked */
int gw_wait_stop(void);				    /* wait until then; returns 0. Tasks only. */
void gw_exit(int status) __attribute__((noreturn)); /* tasks only */

/* ---- memory ---- */
/* 16-byte aligned. NULL: memory is out. May be freed on any shard, with the size it was asked for.
 */
void *gw_alloc(size_t n) GW_MUST_CHECK;
void *gw_zalloc(size_t n) GW_MUST_CHECK; /* zeroed */
/* NULL: p is as it was. p may be NULL with old_n 0. */
void *gw_resize(void *p, size_t old_n, size_t new_n) GW_MUST_CHECK;
void gw_free(void *p, size_t n);
uint64_t gw_memory_total(void), gw_memory_free(void); /* bytes */

/* ---- text, log, random ---- */
/* As snprintf and vsnprintf with %d %i %u %x %X %o %c %s %p %%, flags, width, precision, hh h l ll
 * z: no floating point. */
int gw_format(char *to, size_t size, const char *fmt, ...) GW_PRINTF(3, 4);
int gw_vformat(char *to, size_t size, const char *fmt, va_list args);
/* One line (at most 255 bytes) on standard error. Any context. */
void gw_log(const char *fmt, ...) GW_PRINTF(1, 2);
/* "warning: ...", and "error: ...: text of err"; gw_fail returns 1, for `return gw_fail(...)`. */
void gw_warn(const char *fmt, ...) GW_PRINTF(1, 2);
int gw_fail(int err, const char *fmt, ...) GW_PRINTF(2, 3);
/* Bytes to standard output: an access log. All of them are written or queued; what does not fit
 * while a callback runs is dropped and counted. Returns how many were taken. */
size_t gw_out(const void *bytes, size_t n);
const char *gw_strerror(int err); /* "connection refused" */
/* A number from text: decimal, or 0x. 0, -EINVAL, -ERANGE (> max). */
int gw_parse_u64(const char *text, uint64_t max, uint64_t *out) GW_MUST_CHECK;
void gw_random(void *to, size_t n); /* for keys too */
uint64_t gw_random_u64(void);

/* ---- configuration and files ---- */
/* The value of a key given with --set KEY=VALUE, the first or, by index, the n-th; NULL: not given.
 */
const char *gw_config(const char *key);
const char *gw_config_at(const char *key, unsigned index);
/* A file below the directory given with --files DIR, read-only, whole, in memory for good.
 * path: "a/b.html", no "..", no leading '/'. 0, -ENOENT, -EISDIR, -ENAMETOOLONG, -EIO, -ENOMEM.
 * May read a disk; tasks only at first use of a file, afterwards anywhere and quickly. */
struct gw_file {
	const void *data;
	size_t len;
	uint64_t mtime_ns; /* of the wall clock */
};
int gw_file(const char *path, struct gw_file *out) GW_MUST_CHECK;

/* ---- addresses ---- */
struct gw_addr {
	uint8_t family; /* 4 or 6; 0: none, or to listen on, any address of both */
	uint16_t port;	/* host order */
	uint8_t ip[16]; /* as on the wire; IPv4: the first four */
};
/* "1.2.3.4:80"; "[2001:db8::1]:80", in any form of RFC 4291 2.2; "0.0.0.0:80" and "[::]:80", any
 * address of that family; "*:80", ":80" and "80", any address of both. 0, -EINVAL. */
int gw_addr_parse(const char *text, struct gw_addr *out) GW_MUST_CHECK;
/* The same as text, IPv6 as RFC 5952 has it; family 0 is "*". */
#define GW_ADDR_TEXT 56u
const char *gw_addr_text(const struct gw_addr *a, char to[GW_ADDR_TEXT]); /* returns to */
/* This machine's IPv4 address (family 0: it has none). */
void gw_addr_own(struct gw_addr *out);
/* The nth (from 0) of its IPv6 addresses that can be used; the link-local one comes first. False:
 * there are no more. */
bool gw_addr_own6(unsigned n, struct gw_addr *out);

/* ---- buffers: handles on packet memory ---- */
/* A handle on bytes that lie where the network card wrote them, or from where it will read them.
 * One owner: who got it releases it or gives it away. They come from the shard's packet memory,
 * which is bounded: do not hoard them. */
struct gw_buf;
#define GW_BUF_ROOM 1400u		       /* what a fresh one holds at least */
struct gw_buf *gw_buf_new(void) GW_MUST_CHECK; /* empty. NULL: packet memory is out */
void gw_buf_release(struct gw_buf *b);
uint8_t *gw_buf_data(struct gw_buf *b);
size_t gw_buf_len(const struct gw_buf *b);
/* A datagram larger than a packet comes in several pieces: the one behind b, which goes with it, or
 * NULL. */
struct gw_buf *gw_buf_next(const struct gw_buf *b);
size_t gw_buf_room(const struct gw_buf *b);	 /* bytes that can be written behind its data */
void gw_buf_set_len(struct gw_buf *b, size_t n); /* n <= len + room */
void gw_buf_skip(struct gw_buf *b, size_t n);	 /* drop n (<= len) bytes at the front */

/* ---- TCP ---- */
struct gw_tcp;
struct gw_listener;

/* What happens to a connection. Each may be NULL. Context: callbacks; the state is asked by the
 * functions below. They come after a batch of packets, once for all that happened. */
struct gw_tcp_ops {
	void (*opened)(struct gw_tcp *c);   /* accepted, or gw_tcp_open succeeded */
	void (*received)(struct gw_tcp *c); /* more bytes, or their end, can be read */
	void (*writable)(struct gw_tcp *c); /* gw_tcp_space had been small and is large again */
	/* It is dead: error is what tcp says (-ECONNRESET, -ETIMEDOUT, -ECONNREFUSED, ...). It must
	 * still be closed; without this callback it is closed for you. An orderly end does not come
	 * here, but as received with gw_tcp_eof. */
	void (*closed)(struct gw_tcp *c, int error);
};

struct gw_tcp_service {
	/* Tasks: a new one for each connection runs serve(c, arg) and the connection is closed
	 * after it (orderly), whatever it returned from. */
	void (*serve)(struct gw_tcp *c, void *arg);
	/* Callbacks (serve NULL): ops for each connection, gw_tcp_user(c) is arg until set. */
	struct gw_tcp_ops ops;
	/* Neither: gw_tcp_accept. */
	void *arg;
	uint32_t backlog;   /* half-open connections for each shard; 0: 1024. Beyond: SYN cookies */
	uint32_t max_conns; /* open ones for each shard, more are reset; 0: what memory allows */
	size_t stack_bytes; /* of serve's tasks; as in gw_spawn */
	bool nodelay;	    /* no Nagle */
	uint32_t idle_ms;   /* TCP keepalive after so long without a word; 0: never */
};

/* Listen on all shards. *out (may be NULL) is the listener. Tasks of shard 0. 0, -EADDRINUSE,
 * -EADDRNOTAVAIL, -ENOMEM, -EAFNOSUPPORT. */
int gw_tcp_listen(const struct gw_addr *at, const struct gw_tcp_service *service,
		  struct gw_listener **out) GW_MUST_CHECK;
/* Stop listening, on all shards; connections stay. Tasks of shard 0. */
void gw_listener_close(struct gw_listener *l);
/* The next connection that arrived on the caller's shard. 0, -ETIMEDOUT, -ECANCELED (closed),
 * -EDEADLK. */
int gw_tcp_accept(struct gw_listener *l, uint64_t deadline_ns, struct gw_tcp **out) GW_MUST_CHECK;
/* Connections open on the caller's shard through this listener. */
uint32_t gw_listener_open(const struct gw_listener *l);

/* Connect and wait: 0, -ECONNREFUSED, -ETIMEDOUT, -ENETUNREACH, -EADDRNOTAVAIL, -ENOMEM. */
int gw_tcp_connect(const struct gw_addr *to, uint64_t deadline_ns,
		   struct gw_tcp **out) GW_MUST_CHECK;
/* Connect without waiting: opened or closed follows. ops stay as long as the connection. The same
 * errors at once. */
int gw_tcp_open(const struct gw_addr *to, const struct gw_tcp_ops *ops, void *user,
		struct gw_tcp **out) GW_MUST_CHECK;

void gw_tcp_set_user(struct gw_tcp *c, void *user);
void *gw_tcp_user(const struct gw_tcp *c);
/* Other callbacks from now on, which stay as long as the connection; NULL: none (a task waits
 * instead). */
void gw_tcp_set_ops(struct gw_tcp *c, const struct gw_tcp_ops *ops);

/* Receiving, never waits. peek: the next bytes in place (returns how many; 0: none now); they stay
 * until consumed. take: the next ones as a handle of the caller's; NULL: none now. */
size_t gw_tcp_available(const struct gw_tcp *c);
size_t gw_tcp_peek(const struct gw_tcp *c, const uint8_t **data);
/* The same from `offset` on: a message that lies in several packets. */
size_t gw_tcp_peek_at(const struct gw_tcp *c, size_t offset, const uint8_t **data);
void gw_tcp_consume(struct gw_tcp *c, size_t n);
struct gw_buf *gw_tcp_take(struct gw_tcp *c) GW_MUST_CHECK;
bool gw_tcp_eof(const struct gw_tcp *c); /* all was read, and the peer sends no more */

/* Sending, never waits. space: bytes that the send queue takes now. room: a place at its end to
 * write into (returns its size, 0: none now); commit: n bytes of it are to be sent. write: copies
 * as much as fits, returns how much. give: appends a handle, without copying where it lies
 * suitably. 0: taken; -EAGAIN: no space, it is still the caller's (perhaps shorter: what was copied
 * is skipped); -EPIPE: the connection is gone, released. After any of them, push sends; until then
 * everything waits for more. */
size_t gw_tcp_space(const struct gw_tcp *c);
size_t gw_tcp_room(struct gw_tcp *c, uint8_t **data);
void gw_tcp_commit(struct gw_tcp *c, size_t n);
size_t gw_tcp_write(struct gw_tcp *c, const void *data, size_t n);
int gw_tcp_give(struct gw_tcp *c, struct gw_buf *b) GW_MUST_CHECK;
void gw_tcp_push(struct gw_tcp *c);

/* Waiting, tasks only. recv: at least one byte; 0 = end of stream. send: all n, pushed; send and
 * recv: -ETIMEDOUT (send: some may be queued), -ECONNRESET, -EPIPE, -EDEADLK. ready: until there is
 * something to peek or the end: 0. drain: until the peer has acknowledged everything. */
long gw_tcp_recv(struct gw_tcp *c, void *to, size_t n, uint64_t deadline_ns) GW_MUST_CHECK;
long gw_tcp_send(struct gw_tcp *c, const void *data, size_t n, uint64_t deadline_ns) GW_MUST_CHECK;
int gw_tcp_ready(struct gw_tcp *c, uint64_t deadline_ns) GW_MUST_CHECK;
int gw_tcp_wait_space(struct gw_tcp *c, uint64_t deadline_ns) GW_MUST_CHECK;
int gw_tcp_drain(struct gw_tcp *c, uint64_t deadline_ns) GW_MUST_CHECK;

void gw_tcp_shutdown(struct gw_tcp *c); /* no more to send: the peer sees the end after it */
/* Give it up: what was written is still sent, then the end. No callback follows, and c is not used
 * any more. Data that was not read makes it a reset (RFC 2525 2.17). A task that waits on it gets
 * -EPIPE and must not use it again either. */
void gw_tcp_close(struct gw_tcp *c);
void gw_tcp_abort(struct gw_tcp *c);	  /* the same by a reset, at once */
int gw_tcp_error(const struct gw_tcp *c); /* 0, or why it is dead */
void gw_tcp_local(const struct gw_tcp *c, struct gw_addr *out);
void gw_tcp_remote(const struct gw_tcp *c, struct gw_addr *out);
int gw_tcp_set_nodelay(struct gw_tcp *c, bool on);
/* What it may queue, bytes for each direction, 4 KiB .. 1 MiB. */
int gw_tcp_set_buffers(struct gw_tcp *c, uint32_t send, uint32_t receive);
/* Round-trip time as measured, and what has not been acknowledged. */
uint32_t gw_tcp_rtt_us(const struct gw_tcp *c);
size_t gw_tcp_unacked(const struct gw_tcp *c);

/* ---- UDP ---- */
struct gw_udp;
/* A datagram arrived: callback; takes b. */
typedef void gw_udp_received(struct gw_udp *u, struct gw_buf *b, const struct gw_addr *from);
/* Open on all shards (port 0: one is chosen). received NULL: gw_udp_recv. Tasks of shard 0. 0,
 * -EADDRINUSE, -EADDRNOTAVAIL, -ENOMEM, -EAFNOSUPPORT. */
int gw_udp_open(const struct gw_addr *at, gw_udp_received *received, void *user,
		struct gw_udp **out) GW_MUST_CHECK;
void *gw_udp_user(const struct gw_udp *u);
void gw_udp_local(const struct gw_udp *u, struct gw_addr *out);
/* Send a handle (taken in any case), or a copy; never waits. 0, -EMSGSIZE, -ENETUNREACH, -ENOBUFS.
 */
int gw_udp_give(struct gw_udp *u, struct gw_buf *b, const struct gw_addr *to);
int gw_udp_send(struct gw_udp *u, const void *data, size_t n, const struct gw_addr *to);
/* The next datagram of the caller's shard (at most 256 wait, more are dropped): its whole length,
 * also when that is more than n. -ETIMEDOUT, -EDEADLK. Tasks only. */
long gw_udp_recv(struct gw_udp *u, void *to, size_t n, struct gw_addr *from,
		 uint64_t deadline_ns) GW_MUST_CHECK;
void gw_udp_close(struct gw_udp *u); /* on all shards. Tasks of shard 0 */

/* ---- metrics ---- */
/* The runtime's own counters and latencies as Prometheus text, a line at a time without '\n', for
 * a /metrics of the program's own. Tasks or callbacks. */
void gw_metrics(void (*line)(void *arg, const char *text), void *arg);

/* The program's own, which appear there too: gw_count(gw_counter("requests"), 1) makes
 * godwit_counted_total{name="requests"}. The counter or histogram of that name: a letter, then
 * letters, digits and _, at most 31. Made at the first call, stays for good; finding it compares
 * names, so keep it. NULL, which gw_count and gw_record ignore: a bad name, one of the other kind,
 * more than 32, or no memory. Any shard, any context. */
struct gw_metric;
struct gw_metric *gw_counter(const char *name);
struct gw_metric *gw_histogram(const char *name);
void gw_count(struct gw_metric *m, uint64_t n);
void gw_record(struct gw_metric *m, uint64_t value); /* up to 2^40 or so; longer counts as that */

#ifdef __cplusplus
}
#endif

#endif
