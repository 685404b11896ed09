/* SPDX-License-Identifier: Apache-2.0 */
/* linux.h - the Linux personality's shared vocabulary: the process, its threads, syscalls, open
 * files.
 *
 * Folders: process/ (threads, signals, futex, time, identity, exit), memory/ (address space, ELF,
 * page faults), files/ (root file system, descriptors, pipes, eventfd, timerfd, epoll, poll, proc,
 * dev), sockets/. Objects that every thread may touch live here under short spinlocks, or a mutex
 * where a holder may park. Everything hot below (packets, connections, timers) stays in its shard
 * without locks. Lock order: mm.lock (mutex) > inode lock (mutex) > any spinlock; one spinlock at a
 * time except where stated (process/process.h). No spinlock is held while touching program
 * memory, allocating with reclaim, or parking. */
#ifndef GODWIT_LINUX_H
#define GODWIT_LINUX_H

#include "runtime/base/errno.h"
#include "runtime/base/str.h"
#include "runtime/mem/mem.h"
#include "runtime/sched/sched.h"
#include "runtime/sched/upcall.h"

struct process;
struct thread;
struct file;

/* ---- syscalls ---- */
/* Arguments: r->rdi, rsi, rdx, r10, r8, r9. Result: value or -errno. SYS_RESTART: see signal rules.
 */
typedef long syscall_fn(struct thread *t, struct gw_regs *r);
#define SYSCALL_FN(name) long sys_##name(struct thread *t, struct gw_regs *r)
/* Internal results, never seen by programs. */
#define ERESTARTSYS 512	   /* interrupted: restart if SA_RESTART or no handler ran, else EINTR */
#define ERESTARTNOINTR 513 /* interrupted: restart after whatever handler ran (fork) */
#define EINTR_ALWAYS EINTR
/* Each family lists its syscalls in <family>/syscalls.def as SYSCALL(number, name); linux/table.c
 * makes the table. */

/* ---- threads and processes ---- */
#define NSIG 64
typedef uint64_t sigset64; /* bit n-1 = signal n */

struct thread {
	struct uthread *uthread;
	struct process *process;
	struct list_node link; /* process->threads */
	int tid;
	_Atomic uint32_t work; /* WORK_*: looked at before returning to the program */
	sigset64 sigmask,
		saved_sigmask; /* saved: restored after sigsuspend, ppoll, pselect, epoll_pwait */
	bool restore_sigmask;
	struct list_node sigqueue; /* queued siginfo of this thread; process->signal_lock */
	sigset64 pending;
	uint64_t altstack_va, altstack_len;
	uint32_t altstack_flags;
	uint64_t clear_child_tid; /* CLONE_CHILD_CLEARTID */
	uint64_t robust_list;	  /* set_robust_list head */
	char comm[16];
	uint64_t personality[8]; /* families' own small per-thread words */
	uint64_t n_syscalls;	 /* own count, summed for the exit report */
	sigset64 sigwait;	 /* rt_sigtimedwait: wanted although blocked */
	uint64_t trap_no, trap_error,
		trap_va; /* of the last fault, for signal frames and reports */
};
#define WORK_SIGNAL 1u
#define WORK_EXIT 2u /* the process is ending: this thread must end */

/* NULL on the runtime's own uthreads. */
static inline struct thread *thread_self(void)
{
	return (struct thread *)shard_self()->current->owner;
}
/* Sleep until woken, a deadline, or a signal that this thread must handle. 0 = woken (re-check the
 * condition), -ETIMEDOUT, -ERESTARTSYS (signal or exit pending: unwind and return it). */
int thread_park(uint64_t deadline_ns) MUST_CHECK;
/* The thread of a tid (under p->lock), or NULL. */
struct thread *thread_find(struct process *p, int tid);
/* True if a handled signal or exit is pending. */
static inline bool thread_interrupted(const struct thread *t)
{
	return t->work != 0;
}

struct fd_table;
struct mm;
struct inode;
struct signal_action;
/* A process lives from fork until its parent has waited for it; between its end and that it is a
 * zombie. */
struct process {
	int pid, pgid, sid;
	_Atomic uint32_t refs;	/* one is the table's */
	struct list_node link;	/* all processes; this and the next block: family.c's lock */
	struct process *parent; /* NULL: nobody waits for it */
	bool zombie, reaper, no_zombies,
		execed;	      /* reaper: PR_SET_CHILD_SUBREAPER; no_zombies: ignores SIGCHLD */
	int exit_signal;      /* what the parent gets at its end */
	uint64_t children_ns; /* CPU time of waited-for children */
	struct waitq changed; /* a child ended; or a thread of its own */
	struct uthread *vfork_waiter; /* under lock: its vfork waits until this process has let its
					 memory go */
	struct spinlock lock;	      /* threads, exit state, mm and vfork_waiter */
	struct list_node threads;
	uint32_t n_threads;
	uint64_t ended_ns; /* CPU time of threads that have ended */
	struct mm *mm;	   /* changes by exec; NULL: it is ending */
	struct fd_table *fds;
	struct inode *cwd;
	struct inode *exe;
	char exe_path[256];
	uint32_t umask;
	uint32_t uid, euid, suid, gid, egid, sgid;
	struct signal_action *actions; /* [NSIG] */
	struct spinlock signal_lock;   /* sigqueue, pending, actions */
	struct list_node sigqueue;
	sigset64 pending;
	uint64_t rlimits[16][2]; /* RLIMIT_*: soft, hard */
	_Atomic int exiting;	 /* 1: exit_group in progress */
	int exit_status;	 /* as wait(2) reports it */
	struct thread *execing;	 /* that waits for the others to end */
	uint32_t pdeath_signal;
	uint64_t start_ns;
};
/* The process of a pid with a reference, or NULL. */
struct process *process_of(int pid) MUST_CHECK;
int process_parent(struct process *p); /* its number; 1: none */
int process_next(int pid);	       /* lowest pid in use >= pid, or -1 */
void process_put(struct process *p);
extern struct process *process_first; /* the configuration's program: the machine ends with it */
/* The calling thread's process; on the runtime's own uthreads the first one. */
static inline struct process *process_self(void)
{
	struct thread *t = thread_self();

	return t != NULL ? t->process : process_first;
}
extern char linux_hostname[65], linux_domainname[65];
#define LINUX_RELEASE "6.1.0-godwit"
#define LINUX_VERSION "#1 SMP Godwit"

/* End the whole process: status 0..255, signal 0 or the number that killed it. The first process
 * reports to the host and shuts the machine down, from any uthread; another one must be at a point
 * where it holds nothing. */
_Noreturn void process_exit(int status, int signal);
/* Send signal sig (1..64) to a thread, or to the first process (t NULL: any thread that takes it).
 * code: SI_*. value: fault address, sigval or sender, as the code has it. Any context of the
 * runtime that may take spinlocks. */
struct siginfo64 { /* kernel's siginfo_t, the fields we fill */
	int32_t signo, err, code, pad;
	union {
		struct {
			int32_t pid;
			uint32_t uid;
			uint64_t value;
		} sender;
		struct {
			uint64_t addr;
		} fault;
		struct {
			int32_t tid, overrun;
			uint64_t value;
		} timer;
		struct {
			int32_t pid;
			uint32_t uid;
			int32_t status, pad;
			int64_t utime, stime;
		} child;
		uint8_t bytes[112];
	} u;
};
void signal_send(struct thread *t, const struct siginfo64 *info);
/* Change t's mask (t is the caller); a signal that becomes deliverable makes thread_park return. */
void signal_set_mask(struct thread *t, sigset64 mask);
/* Take one pending signal of `from` off the thread's or the process's queue (signalfd,
 * sigtimedwait). */
bool signal_take(struct thread *t, sigset64 from, struct siginfo64 *info);
/* Called after a signal was queued, without locks; NULL: nobody wants to know (signalfd does). */
extern void (*signal_arrived)(void);
/* Force a fault signal (not blockable, SIG_IGN = default). */
void signal_fault(struct thread *t, int sig, int code, uint64_t addr);

/* Counters for the exit summary; the host tool prints them. */
struct linux_stats {
	_Atomic uint64_t syscalls, faults, page_ins, evictions;
	_Atomic uint32_t enosys[512]; /* by number */
	_Atomic uint32_t refused;     /* requests for memory that could not be met */
};
extern struct linux_stats linux_stats;

/* ---- transfer of bytes between a file and the program or the runtime ---- */
struct uio_segment {
	uint64_t va; /* program address, or runtime pointer when uio.kernel */
	uint64_t len;
};
struct uio {
	const struct uio_segment *seg;
	uint32_t n, at; /* segments, current */
	size_t off;	/* in the current */
	size_t left;	/* bytes in all, not yet transferred */
	bool kernel;	/* runtime memory: cannot fault */
};
/* A uio of one segment, held in *s. */
static inline void uio_one(struct uio *u, struct uio_segment *s, uint64_t va, size_t n, bool kernel)
{
	*s = (struct uio_segment){ va, n };
	*u = (struct uio){ .seg = s, .n = 1, .left = n, .kernel = kernel };
}
/* Move bytes and advance. 0 or -EFAULT (bytes before the fault have been moved and left says so).
 * May park. */
int uio_put(struct uio *u, const void *from, size_t n) MUST_CHECK; /* to the program; n <= left */
int uio_get(struct uio *u, void *to, size_t n) MUST_CHECK;	   /* from the program */
int uio_zero(struct uio *u, size_t n) MUST_CHECK;
/* The same without parking: bytes moved (short when a page must first be faulted in by
 * uio_fault_in). */
size_t uio_put_nofault(struct uio *u, const void *from, size_t n);
size_t uio_get_nofault(struct uio *u, void *to, size_t n);
int uio_fault_in(struct uio *u, bool write) MUST_CHECK;

/* ---- open files ---- */
/* Readiness bits: Linux POLLIN 1, POLLPRI 2, POLLOUT 4, POLLERR 8, POLLHUP 16, POLLRDHUP 0x2000. */
struct stat64; /* files/stat.h: the x86-64 struct stat */
struct file_ops {
	/* Blocking unless O_NONBLOCK in f->flags. off: position for pread/pwrite, or -1: use and
	 * advance the file's own position (streams ignore it). Return bytes, 0 at end, -errno
	 * (-ESPIPE for off >= 0 on streams). */
	long (*read)(struct file *f, struct uio *u, int64_t off);
	long (*write)(struct file *f, struct uio *u, int64_t off);
	/* Ready now; no waiting. NULL: always POLLIN|POLLOUT. */
	uint32_t (*poll)(struct file *f);
	long (*ioctl)(struct file *f, uint64_t cmd, uint64_t arg);
	int (*stat)(struct file *f, struct stat64 *out);
	int64_t (*seek)(struct file *f, int64_t off, int whence);
	/* Last reference is gone. May park. */
	void (*release)(struct file *f);
	/* fcntl(F_SETFL) or FIONBIO changed flags. May be NULL. */
	void (*set_flags)(struct file *f);
	const char *kind; /* for /proc/self/fd: "socket", "pipe", "anon_inode:[eventpoll]"; NULL: a
			     path */
};
struct file {
	const struct file_ops *ops;
	_Atomic uint32_t refs;
	_Atomic uint32_t flags; /* O_ACCMODE, O_NONBLOCK, O_APPEND ... */
	struct waitq *waitq; /* notified with POLL* bits when readiness may have grown; NULL: never
				blocks */
	struct inode *inode; /* NULL for anonymous kinds */
	int64_t pos;
	void *object;		      /* the kind's own */
	struct list_node epoll_items; /* epoll's registrations of this file; under epoll's lock */
};
/* A file with refs 1; NULL: memory is out. */
struct file *file_create(const struct file_ops *ops, uint32_t flags, void *object,
			 struct waitq *wq) MUST_CHECK;
struct file *file_get(struct file *f);
void file_put(struct file *f); /* may park in release */
/* The file of a descriptor with a reference, or NULL. */
struct file *fd_file(int fd) MUST_CHECK;
/* Lowest free descriptor >= min for f (takes the caller's reference on success). fd or -EMFILE,
 * -ENOMEM. */
int fd_install(struct file *f, int min, bool cloexec) MUST_CHECK;
/* Take the file out of fd: the table's reference passes to the caller; NULL: not open. */
struct file *fd_take(int fd);
/* Descriptor tables: a fresh one, a copy of all open descriptors (NULL: memory is out); the last
 * put closes them. */
struct fd_table *fd_table_create(void) MUST_CHECK;
struct fd_table *fd_table_copy(struct fd_table *from) MUST_CHECK;
struct fd_table *fd_table_get(struct fd_table *t);
void fd_table_put(struct fd_table *t); /* may park */
/* exec: the calling process gets a table of its own, without what is marked close-on-exec. 0,
 * -ENOMEM. */
int fd_table_exec(void) MUST_CHECK;
/* Park until (ops->poll & events), deadline, or signal. 0, -EAGAIN (O_NONBLOCK), -ETIMEDOUT,
 * -ERESTARTSYS. */
int file_wait(struct file *f, uint32_t events, uint64_t deadline_ns) MUST_CHECK;
/* Tell epoll that a file is going away (called by file_put). */
void epoll_file_closed(struct file *f);

/* ---- init, in order (linux/start.c: personality_start) ---- */
int files_init(void); /* root from the image, /dev /proc /sys, stdio descriptors 0 1 2 */
int sockets_init(void);
int process_init(void); /* the process and its first thread */
/* Called by the runtime's main on shard 0 when devices and the network are up; returns when the
 * program's first thread is on its way. */
void personality_start(void);
/* Load program `path` into the current address space and give its first registers. On failure:
 * -errno, and *why a text for the user. */
int elf_load(const char *path, const char *const *argv, const char *const *envp,
	     struct gw_regs *regs, char *why, size_t why_size) MUST_CHECK;

#endif
