/* SPDX-License-Identifier: Apache-2.0 */
/* process.h - threads, signals, futexes and time as the files of process/ and start.c share them.
 * Lock order here: processes.lock > a process's lock > its signal_lock > the signal queue's pool; a
 * futex bucket's lock and that of a waitq are innermost but for the scheduler's own. */
#ifndef GODWIT_LINUX_PROCESS_H
#define GODWIT_LINUX_PROCESS_H

#include "linux/linux.h"
#include "linux/memory/mm.h"
#include "runtime/platform/platform.h"
#include "runtime/virtio/console.h"

/* ---- time ---- */
#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID 3
#define CLOCK_MONOTONIC_RAW 4
#define CLOCK_REALTIME_COARSE 5
#define CLOCK_MONOTONIC_COARSE 6
#define CLOCK_BOOTTIME 7
#define CLOCK_REALTIME_ALARM 8
#define CLOCK_BOOTTIME_ALARM 9
#define CLOCK_TAI 11

struct timespec64 {
	int64_t sec, nsec;
};
struct timeval64 {
	int64_t sec, usec;
};
static inline struct timespec64 timespec_of(uint64_t ns)
{
	return (struct timespec64){ (int64_t)(ns / NS_PER_SEC), (int64_t)(ns % NS_PER_SEC) };
}
static inline struct timeval64 timeval_of(uint64_t ns)
{
	return (struct timeval64){ (int64_t)(ns / NS_PER_SEC), (int64_t)(ns % NS_PER_SEC / 1000) };
}
/* Nanoseconds, saturating below GW_NEVER. 0 or -EINVAL. */
int timespec_ns(const struct timespec64 *ts, uint64_t *ns) MUST_CHECK;
int timespec_from_program(uint64_t va, uint64_t *ns) MUST_CHECK;
/* A clock's time now. 0 or -EINVAL. */
int clock_read(int64_t id, uint64_t *ns) MUST_CHECK;
/* The monotonic deadline of a time on a clock (REALTIME or MONOTONIC kinds). 0 or -EINVAL. */
int clock_deadline(int64_t id, uint64_t ns, bool absolute, uint64_t *deadline) MUST_CHECK;
uint64_t thread_cpu_ns(const struct thread *t);
uint64_t process_cpu_of(struct process *p);

/* ---- threads ---- */
#define FIRST_PID 2				 /* not 1: some programs behave as init then */
struct thread *thread_create(struct process *p); /* not yet listed; NULL: memory is out */
int thread_number(void);			 /* a free number for a thread or process */
void thread_list(struct thread *t, int tid);
void thread_unlist(struct thread *t);	    /* one that never ran; freed */
void thread_leave_memory(struct thread *t); /* robust list, CLONE_CHILD_CLEARTID */
void threads_stop(struct process *p, const struct thread *but); /* p->lock held */
_Noreturn void thread_exit(int status);
uint64_t thread_syscalls(struct process *p); /* of the threads it has */
uint64_t thread_syscalls_ended(void);	     /* counted by threads that have ended */

/* ---- processes (family.c) ---- */
struct processes {
	struct spinlock lock; /* the list, who is whose child, groups and sessions, zombies */
	struct list_node list;
	uint32_t n;
	int next_number;
	bool wrapped; /* numbers may be in use */
};
extern struct processes processes;
/* A process without memory, files and threads, with one reference; what parent (may be NULL) hands
 * down is in it. */
struct process *process_create(const struct process *parent) MUST_CHECK;
struct process *process_get(struct process *p);
/* Into the table and out of it again: its first reference is the table's meanwhile. -ERESTARTNOINTR
 * when a signal waits for the thread that forks (by; NULL: none does), as in Linux: a signal for a
 * group or for everybody finds the child in the table, or its parent before it has one. */
int process_list(struct process *p, struct process *parent, struct thread *by) MUST_CHECK;
void process_unlist(struct process *p);
struct process *process_find(int pid); /* processes.lock held */
/* kill(2) of `from`: by pid, group, everybody. info->signo 0: only look. 0, -ESRCH, -EPERM,
 * -EAGAIN. */
int process_kill(const struct process *from, int64_t pid, const struct siginfo64 *info);
/* By the last thread, before and after it has given up its struct thread. */
void process_empty(struct process *p);
void process_ended(struct process *p);
/* The parent that waits in vfork goes on. */
void process_release_vfork(struct process *p);
_Noreturn void machine_end(int status, int signal); /* start.c */

/* ---- futex ---- */
void futex_init(void);
/* Wake up to n waiters at va of an address space; how many. May park (shared memory is looked up).
 */
uint32_t futex_wake(struct mm *mm, uint64_t va, uint32_t n, uint32_t bitset);
void robust_list_walk(struct thread *t);

/* ---- signals ---- */
#define SIGHUP 1
#define SIGINT 2
#define SIGILL 4
#define SIGTRAP 5
#define SIGABRT 6
#define SIGBUS 7
#define SIGFPE 8
#define SIGKILL 9
#define SIGSEGV 11
#define SIGPIPE 13
#define SIGALRM 14
#define SIGTERM 15
#define SIGCHLD 17
#define SIGCONT 18
#define SIGSTOP 19
#define SIGTSTP 20
#define SIGTTIN 21
#define SIGTTOU 22
#define SIGURG 23
#define SIGWINCH 28
#define SIGSYS 31
#define SI_USER 0
#define SI_KERNEL 0x80
#define SI_QUEUE (-1)
#define SI_TIMER (-2)
#define SI_TKILL (-6)
#define SIG_DFL 0ull
#define SIG_IGN 1ull
#define SA_NOCLDSTOP 1ull
#define SA_NOCLDWAIT 2ull
#define CLD_EXITED 1
#define CLD_KILLED 2
#define SA_SIGINFO 4ull
#define SA_ONSTACK 0x08000000ull
#define SA_RESTART 0x10000000ull
#define SA_NODEFER 0x40000000ull
#define SA_RESETHAND 0x80000000ull
#define SA_RESTORER 0x04000000ull
#define SIGBIT(n) (1ull << ((n)-1))

struct signal_action { /* as the kernel's struct sigaction */
	uint64_t handler, flags, restorer;
	sigset64 mask;
};
int signal_init(void) MUST_CHECK;
void signal_reset(struct process *p); /* handlers back to the defaults: exec */
void signal_process_ended(struct process *p);
void signal_init_thread(struct thread *t);
/* To a process, or to its thread t. -EAGAIN: the queue is full (real-time signals only). */
int signal_queue(struct process *p, struct thread *t, const struct siginfo64 *info);
/* The same to one thread of p by number (info->signo 0: only look). -ESRCH: no such thread. */
int signal_queue_tid(struct process *p, int tid, const struct siginfo64 *info);
/* Forget that there was work if no signal is left for a handler. */
void signal_recheck(struct thread *t);
/* Give up what a thread held when it ends. */
void signal_thread_ended(struct thread *t);
const char *signal_name(int sig);

/* sigframe.c: build the frame of a handler and point f at it. False: the stack is not writable. */
bool sigframe_push(struct thread *t, struct program_frame *f, const struct siginfo64 *info,
		   const struct signal_action *act, sigset64 saved);
/* Take everything back from the frame at the program's stack pointer. 0 or -EFAULT. */
int sigframe_pop(struct thread *t, struct program_frame *f) MUST_CHECK;

/* ---- timers ---- */
void posix_timers_init(void);
/* A process's timers go; the alarm only if all (exec keeps it). May park. */
void posix_timers_drop(struct process *p, bool all);

#endif
