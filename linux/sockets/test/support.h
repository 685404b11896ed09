/* SPDX-License-Identifier: Apache-2.0 */
/* support.h - a machine for the sockets under test: shards without threads, simulated time, program
 * memory that is the test's own, files and descriptors as small as they can be. The stack and the
 * sockets are the real ones. */
#ifndef GODWIT_SOCKETS_TEST_SUPPORT_H
#define GODWIT_SOCKETS_TEST_SUPPORT_H

#include "linux/linux.h"

/* n stacks at 10.0.0.2, empty descriptor table. machine_stop: everything closed must have been
 * freed. */
void machine_start(uint32_t n);
void machine_stop(void);
/* Work of the shards for about ms milliseconds. */
void machine_run(unsigned ms);
/* Run what follows on shard n. */
void machine_on(uint32_t n);
/* Called whenever a call under test waits; NULL: nothing happens but time. */
extern void (*machine_idle)(void);
/* The next n-byte access that must not park stops at this address, until it is faulted in. */
extern uint64_t machine_absent;
extern unsigned machine_faults;
extern unsigned machine_signals; /* SIGPIPEs sent */
extern struct thread machine_thread;
extern unsigned machine_notified; /* POLL* bits a watcher saw (machine_watch) */
void machine_watch(int fd, bool on);
uint32_t machine_poll(int fd);
int machine_files(void);	     /* files that exist */
extern unsigned machine_sent[2];     /* IP packets that left by the device, by shard */
void machine_net_stop(bool stopped); /* packets stay where they are */

extern struct latency machine_latency[LATENCY_KINDS]; /* of all shards */
/* trace_every, which a test may set before machine_start, and what tracing came to. */
extern uint32_t trace_every;
extern struct trace_sample *machine_traced;
extern unsigned machine_replies, machine_given_up;
extern char machine_line[512];
extern char machine_listens[64]; /* what report_listen was told last: "tcp 80" */

long call6(syscall_fn *fn, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
#define PTR(p) ((uint64_t)(uintptr_t)(p))
#define SYS(name, ...) \
	SYS_PICK(__VA_ARGS__, SYS6, SYS5, SYS4, SYS3, SYS2, SYS1)(sys_##name, __VA_ARGS__)
#define SYS_PICK(a, b, c, d, e, f, pick, ...) pick
#define ARG(x) ((uint64_t)(x))
#define SYS1(n, a) call6(n, ARG(a), 0, 0, 0, 0, 0)
#define SYS2(n, a, b) call6(n, ARG(a), ARG(b), 0, 0, 0, 0)
#define SYS3(n, a, b, c) call6(n, ARG(a), ARG(b), ARG(c), 0, 0, 0)
#define SYS4(n, a, b, c, d) call6(n, ARG(a), ARG(b), ARG(c), ARG(d), 0, 0)
#define SYS5(n, a, b, c, d, e) call6(n, ARG(a), ARG(b), ARG(c), ARG(d), ARG(e), 0)
#define SYS6(n, a, b, c, d, e, f) call6(n, ARG(a), ARG(b), ARG(c), ARG(d), ARG(e), ARG(f))
long t_read(int fd, void *to, size_t n);
long t_write(int fd, const void *from, size_t n);
long t_close(int fd);
void t_nonblock(int fd, bool on);

#define SYSCALL(nr, name) SYSCALL_FN(name);
#include "linux/sockets/syscalls.def"
#undef SYSCALL
#endif
