/* SPDX-License-Identifier: Apache-2.0 */
/* conf_threads - threads, futexes (through pthreads), signals, limits, identity, time. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <linux/futex.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include "tests/unit.h"

static atomic_int counter;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static long shared;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void *add(void *arg)
{
	for (int i = 0; i < 20000; i++) {
		pthread_mutex_lock(&mutex);
		shared++;
		pthread_mutex_unlock(&mutex);
		if (i % 1000 == 0)
			sched_yield();
	}
	return arg;
}

TEST(create_join_mutex)
{
	pthread_t t[8];
	void *r;

	shared = 0;
	for (long i = 0; i < 8; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, add, (void *)i), 0);
	for (long i = 0; i < 8; i++) {
		CHECK_EQ(pthread_join(t[i], &r), 0);
		CHECK_EQ((long)r, i);
	}
	CHECK_EQ(shared, 160000);
}

static int turn;
static void *pingpong(void *arg)
{
	int me = (int)(long)arg;

	pthread_mutex_lock(&mutex);
	for (int i = 0; i < 2000; i++) {
		while (turn != me)
			pthread_cond_wait(&cond, &mutex);
		turn = 1 - me;
		pthread_cond_broadcast(&cond);
	}
	pthread_mutex_unlock(&mutex);
	return NULL;
}

TEST(condition_variables)
{
	pthread_t a, b;

	CHECK_EQ(pthread_create(&a, NULL, pingpong, (void *)0), 0);
	CHECK_EQ(pthread_create(&b, NULL, pingpong, (void *)1), 0);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec += 20000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&mutex);
	CHECK_EQ(pthread_cond_timedwait(&cond, &mutex, &ts), ETIMEDOUT);
	pthread_mutex_unlock(&mutex);
}

static __thread int tls = 5;
static void *tls_thread(void *arg)
{
	(void)arg;
	CHECK_EQ(tls, 5);
	tls = 6;
	volatile double x = 1.5;
	for (int i = 0; i < 1000; i++) {
		x = x * 1.0001;
		if (i % 100 == 0)
			sched_yield();
	}
	return x > 1.6 && x < 1.7 ? (void *)1 : (void *)0;
}

TEST(tls_and_floats)
{
	pthread_t t[6];
	void *r;

	for (int i = 0; i < 6; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, tls_thread, NULL), 0);
	for (int i = 0; i < 6; i++) {
		pthread_join(t[i], &r);
		CHECK(r != NULL);
	}
	CHECK_EQ(tls, 5);
}

TEST(many_threads)
{
	enum { N = 200 };
	static pthread_t t[N];

	for (int i = 0; i < N; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, tls_thread, NULL), 0);
	for (int i = 0; i < N; i++)
		pthread_join(t[i], NULL);
}

static void *spin(void *arg)
{
	atomic_int *stop = arg;

	while (!*stop) /* no syscall: needs preemption */
		;
	return NULL;
}

TEST(preemption)
{
	atomic_int stop = 0;
	pthread_t t[3];

	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, spin, &stop);
	usleep(20000);
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	CHECK(1);
}

TEST(raw_futex)
{
	int word = 1;
	struct timespec ts = { 0, 5000000 };

	CHECK_EQ(syscall(SYS_futex, &word, FUTEX_WAIT, 2, NULL, NULL, 0), -1);
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 1, &ts, NULL, 0), -1);
	CHECK_EQ(errno, ETIMEDOUT);
	CHECK_EQ(syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
	CHECK_EQ(syscall(SYS_futex, (char *)&word + 1, FUTEX_WAIT, 1, NULL, NULL, 0), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(syscall(SYS_futex, 8, FUTEX_WAIT, 1, NULL, NULL, 0), -1);
	CHECK_EQ(errno, EFAULT);
}

static sem_t sem;
static void *poster(void *arg)
{
	for (int i = 0; i < 100; i++)
		sem_post(&sem);
	return arg;
}

TEST(semaphores_and_rwlocks)
{
	pthread_t t;
	pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
	pthread_barrier_t bar;

	sem_init(&sem, 0, 0);
	pthread_create(&t, NULL, poster, NULL);
	for (int i = 0; i < 100; i++)
		CHECK_EQ(sem_wait(&sem), 0);
	pthread_join(t, NULL);
	CHECK_EQ(sem_trywait(&sem), -1);
	CHECK_EQ(pthread_rwlock_rdlock(&rw), 0);
	CHECK_EQ(pthread_rwlock_tryrdlock(&rw), 0);
	CHECK_EQ(pthread_rwlock_trywrlock(&rw), EBUSY);
	CHECK_EQ(pthread_barrier_init(&bar, NULL, 1), 0);
	CHECK_EQ(pthread_barrier_wait(&bar), PTHREAD_BARRIER_SERIAL_THREAD);
}

static volatile sig_atomic_t got, got_code, got_value;
static void handler(int sig, siginfo_t *si, void *uc)
{
	(void)uc;
	got = sig;
	got_code = si->si_code;
	got_value = si->si_value.sival_int;
}

static void catch (int sig, int flags)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };

	CHECK_EQ(sigaction(sig, &sa, NULL), 0);
	got = 0;
}

TEST(signal_delivery)
{
	catch (SIGUSR1, 0);
	volatile double keep = 3.25;
	CHECK_EQ(raise(SIGUSR1), 0);
	CHECK_EQ(got, SIGUSR1);
	CHECK(keep == 3.25);
	got = 0;
	CHECK_EQ(kill(getpid(), SIGUSR1), 0);
	CHECK_EQ(got, SIGUSR1);
	CHECK_EQ(got_code, SI_USER);
	CHECK_EQ(sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 77 }), 0);
	CHECK_EQ(got_value, 77);
	CHECK_EQ(got_code, SI_QUEUE);
	CHECK_EQ(kill(getpid(), 0), 0);
	CHECK_EQ(kill(999999, SIGUSR1), -1);
	CHECK_EQ(errno, ESRCH);
	CHECK_EQ(kill(getpid(), 99), -1);
	CHECK_EQ(errno, EINVAL);
	signal(SIGUSR1, SIG_IGN);
	CHECK_EQ(raise(SIGUSR1), 0);
}

TEST(signal_masks)
{
	sigset_t set, old, pend;

	catch (SIGUSR2, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, &old), 0);
	CHECK_EQ(kill(getpid(), SIGUSR2), 0);
	CHECK_EQ(got, 0);
	CHECK_EQ(sigpending(&pend), 0);
	CHECK(sigismember(&pend, SIGUSR2));
	CHECK_EQ(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	CHECK_EQ(got, SIGUSR2);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	kill(getpid(), SIGUSR2);
	siginfo_t si;
	struct timespec ts = { 0, 10000000 };
	CHECK_EQ(sigtimedwait(&set, &si, &ts), SIGUSR2);
	CHECK_EQ(sigtimedwait(&set, &si, &ts), -1);
	CHECK_EQ(errno, EAGAIN);
	got = 0;
	kill(getpid(), SIGUSR2);
	sigset_t none;
	sigemptyset(&none);
	CHECK_EQ(sigsuspend(&none), -1);
	CHECK_EQ(errno, EINTR);
	CHECK_EQ(got, SIGUSR2);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static char altstack[65536];
static volatile int on_alt;
static void alt_handler(int sig, siginfo_t *si, void *uc)
{
	char here;

	(void)sig, (void)si, (void)uc;
	on_alt = &here >= altstack && &here < altstack + sizeof(altstack);
}

TEST(alternate_stack)
{
	stack_t ss = { .ss_sp = altstack, .ss_size = sizeof(altstack) }, old;
	struct sigaction sa = { .sa_sigaction = alt_handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	CHECK_EQ(sigaltstack(&ss, NULL), 0);
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	CHECK_EQ(on_alt, 1);
	CHECK_EQ(sigaltstack(NULL, &old), 0);
	CHECK(old.ss_sp == altstack);
	ss.ss_flags = SS_DISABLE;
	CHECK_EQ(sigaltstack(&ss, NULL), 0);
}

static void fix_handler(int sig, siginfo_t *si, void *ucv)
{
	ucontext_t *uc = ucv;

	got = sig;
	got_code = si->si_code;
	uc->uc_mcontext.gregs[REG_RIP] += 2; /* skip ud2 */
	uc->uc_mcontext.gregs[REG_RBX] = 0x1234;
}

TEST(context_changes)
{
	struct sigaction sa = { .sa_sigaction = fix_handler, .sa_flags = SA_SIGINFO };
	unsigned long rbx = 1;

	sigaction(SIGILL, &sa, NULL);
	__asm__ volatile("mov %1, %%rbx; ud2; mov %%rbx, %0" : "=r"(rbx) : "r"(5UL) : "rbx");
	CHECK_EQ(got, SIGILL);
	CHECK_EQ(rbx, 0x1234);
	signal(SIGILL, SIG_DFL);
}

static sigjmp_buf env;
static void jump_out(int sig)
{
	siglongjmp(env, sig);
}

TEST(arithmetic_fault)
{
	volatile int zero = 0, x = 7;

	signal(SIGFPE, jump_out);
	if (sigsetjmp(env, 1) == 0) {
		x = x / zero;
		CHECK(0);
	}
	CHECK_EQ(x, 7);
	signal(SIGFPE, SIG_DFL);
}

static void *interrupter(void *arg)
{
	usleep(20000);
	pthread_kill(*(pthread_t *)arg, SIGUSR1);
	return NULL;
}

TEST(interrupted_calls)
{
	pthread_t me = pthread_self(), t;
	int p[2];
	char c;

	catch (SIGUSR1, 0);
	CHECK_EQ(pipe(p), 0);
	pthread_create(&t, NULL, interrupter, &me);
	CHECK_EQ(read(p[0], &c, 1), -1);
	CHECK_EQ(errno, EINTR);
	pthread_join(t, NULL);
	struct timespec ts = { 5, 0 }, rem;
	pthread_create(&t, NULL, interrupter, &me);
	CHECK_EQ(nanosleep(&ts, &rem), -1);
	CHECK_EQ(errno, EINTR);
	CHECK(rem.tv_sec == 4);
	pthread_join(t, NULL);
	catch (SIGALRM, SA_RESTART);
	struct itimerval it = { .it_value = { 0, 20000 } };
	CHECK_EQ(setitimer(ITIMER_REAL, &it, NULL), 0);
	pthread_create(&t, NULL, (void *(*)(void *))(void *)usleep, (void *)60000L);
	/* SA_RESTART: read goes on until the byte comes */
	double t0 = now();
	catch (SIGALRM, SA_RESTART);
	struct timespec w = { 0, 50000000 };
	(void)w;
	while (!got && now() - t0 < 2)
		sched_yield();
	CHECK_EQ(got, SIGALRM);
	pthread_join(t, NULL);
	close(p[0]);
	close(p[1]);
}

TEST(timers)
{
	timer_t id;
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2 };
	struct itimerspec its = { { 0, 0 }, { 0, 5000000 } }, cur;

	catch (SIGUSR2, 0);
	CHECK_EQ(timer_create(CLOCK_MONOTONIC, &ev, &id), 0);
	CHECK_EQ(timer_settime(id, 0, &its, NULL), 0);
	CHECK_EQ(timer_gettime(id, &cur), 0);
	double t0 = now();
	while (!got && now() - t0 < 2)
		usleep(1000);
	CHECK_EQ(got, SIGUSR2);
	CHECK_EQ(timer_delete(id), 0);
}

TEST(clocks)
{
	struct timespec a, b, res;
	struct timeval tv;

	CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &a), 0);
	CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &b), 0);
	CHECK(b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec));
	CHECK_EQ(clock_gettime(CLOCK_REALTIME, &a), 0);
	CHECK(a.tv_sec > 1600000000);
	CHECK_EQ(gettimeofday(&tv, NULL), 0);
	CHECK(tv.tv_sec - a.tv_sec <= 1);
	CHECK(time(NULL) - a.tv_sec <= 1);
	CHECK_EQ(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a), 0);
	CHECK_EQ(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a), 0);
	CHECK_EQ(clock_gettime(CLOCK_BOOTTIME, &a), 0);
	CHECK_EQ(clock_gettime(CLOCK_MONOTONIC_COARSE, &a), 0);
	CHECK_EQ(clock_getres(CLOCK_MONOTONIC, &res), 0);
	CHECK_EQ(clock_gettime(99, &a), -1);
	CHECK_EQ(errno, EINVAL);
	double t0 = now();
	struct timespec ts = { 0, 30000000 };
	CHECK_EQ(nanosleep(&ts, NULL), 0);
	double d = now() - t0;
	CHECK(d >= 0.03 && d < 1.0);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_nsec += 10000000;
	if (ts.tv_nsec >= 1000000000)
		ts.tv_sec++, ts.tv_nsec -= 1000000000;
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL), 0);
	CHECK(times(NULL) != (clock_t)-1);
}

TEST(identity_and_limits)
{
	struct utsname u;
	struct rlimit rl;
	struct rusage ru;
	struct sysinfo si;
	cpu_set_t cpus;
	char name[32] = "", rnd[16] = "";

	CHECK_EQ(uname(&u), 0);
	CHECK_STR(u.sysname, "Linux");
	CHECK_STR(u.machine, "x86_64");
	CHECK(getpid() > 0);
	CHECK_EQ(syscall(SYS_gettid), getpid());
	CHECK_EQ(getuid(), 0);
	CHECK_EQ(geteuid(), getuid());
	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &rl), 0);
	CHECK(rl.rlim_cur >= 256);
	rl.rlim_cur = 512;
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &rl), 0);
	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &rl), 0);
	CHECK_EQ(rl.rlim_cur, 512);
	CHECK_EQ(getrusage(RUSAGE_SELF, &ru), 0);
	CHECK_EQ(sysinfo(&si), 0);
	CHECK(si.totalram > 0);
	CHECK_EQ(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
	CHECK(CPU_COUNT(&cpus) >= 1);
	CHECK(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
	CHECK_EQ(prctl(PR_SET_NAME, "conf"), 0);
	CHECK_EQ(prctl(PR_GET_NAME, name), 0);
	CHECK_STR(name, "conf");
	CHECK_EQ(getrandom(rnd, sizeof(rnd), 0), 16);
	CHECK(memcmp(rnd, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16) != 0);
	CHECK_EQ(wait4(-1, NULL, WNOHANG, NULL), -1);
	CHECK_EQ(errno, ECHILD);
	CHECK_EQ(syscall(1000), -1);
	CHECK_EQ(errno, ENOSYS);
	CHECK(sched_getcpu() >= 0);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), nice(0)); /* whatever it was started with */
}

static void *cancelled(void *arg)
{
	(void)arg;
	for (;;)
		sleep(10);
	return NULL;
}

static void once_fn(void)
{
	counter++;
}

TEST(cancel_and_once)
{
	pthread_t t;
	void *r;
	pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_create(&t, NULL, cancelled, NULL);
	usleep(5000);
	CHECK_EQ(pthread_cancel(t), 0);
	CHECK_EQ(pthread_join(t, &r), 0);
	CHECK(r == PTHREAD_CANCELED);
	pthread_once(&once, once_fn);
	pthread_once(&once, once_fn);
	CHECK_EQ(counter, 1);
}

static void *die_holding(void *arg)
{
	pthread_mutex_lock(arg);
	return NULL;
}

TEST(robust_mutex)
{
	pthread_mutexattr_t a;
	pthread_mutex_t m;
	pthread_t t;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&m, &a);
	pthread_create(&t, NULL, die_holding, &m);
	pthread_join(t, NULL);
	CHECK_EQ(pthread_mutex_lock(&m), EOWNERDEAD);
	CHECK_EQ(pthread_mutex_consistent(&m), 0);
	CHECK_EQ(pthread_mutex_unlock(&m), 0);
}

UNIT_MAIN(CASE(create_join_mutex), CASE(condition_variables), CASE(tls_and_floats),
	  CASE(many_threads), CASE(preemption), CASE(raw_futex), CASE(semaphores_and_rwlocks),
	  CASE(signal_delivery), CASE(signal_masks), CASE(alternate_stack), CASE(context_changes),
	  CASE(arithmetic_fault), CASE(interrupted_calls), CASE(timers), CASE(clocks),
	  CASE(identity_and_limits), CASE(cancel_and_once), CASE(robust_mutex))
