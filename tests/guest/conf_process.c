/* SPDX-License-Identifier: Apache-2.0 */
/* conf_process - processes: fork and its copies, waiting, signals between them, exec, groups, ends.
 * Run with a word as argument it is the program that its own exec tests start. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "tests/unit.h"

extern char **environ;
static int value = 1;
static const char *self = "/proc/self/exe";

static void nap(int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&ts, &ts) != 0)
		;
}

/* The wait status of pid. */
static int status_of(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) != pid)
		if (errno != EINTR)
			return -1;
	return status;
}

static int exit_code(pid_t pid)
{
	int s = status_of(pid);

	return WIFEXITED(s) ? WEXITSTATUS(s) : 1000 + s;
}

TEST(fork_and_exit_codes)
{
	pid_t pid, me = getpid();

	for (int code = 0; code < 256; code += 51) {
		pid = fork();
		if (pid == 0)
			_exit(getppid() == me && getpid() != me ? code : 99);
		CHECK(pid > 0);
		CHECK_EQ(exit_code(pid), code);
	}
	CHECK_EQ(waitpid(-1, NULL, 0), -1);
	CHECK_EQ(errno, ECHILD);
	CHECK_EQ(kill(pid, 0), -1);
	CHECK_EQ(errno, ESRCH);
}

TEST(wait_variants)
{
	struct rusage ru;
	siginfo_t si;
	int p[2], status;
	pid_t a, b;
	char c;

	CHECK_EQ(pipe(p), 0);
	a = fork();
	if (a == 0) {
		close(p[1]);
		(void)!read(p[0], &c, 1);
		_exit(7);
	}
	CHECK_EQ(waitpid(a, &status, WNOHANG), 0);
	CHECK_EQ(waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED), 0);
	memset(&si, 0xff, sizeof(si));
	CHECK_EQ(waitid(P_ALL, 0, &si, WEXITED | WNOHANG), 0);
	CHECK_EQ(si.si_pid, 0);
	close(p[1]);
	CHECK_EQ(waitid(P_PID, (id_t)a, &si, WEXITED | WNOWAIT), 0);
	CHECK_EQ(si.si_pid, a);
	CHECK_EQ(si.si_signo, SIGCHLD);
	CHECK_EQ(si.si_code, CLD_EXITED);
	CHECK_EQ(si.si_status, 7);
	CHECK_EQ(wait4(a, &status, 0, &ru), a);
	CHECK_EQ(WEXITSTATUS(status), 7);
	close(p[0]);
	a = fork();
	if (a == 0)
		_exit(1);
	b = fork();
	if (b == 0)
		_exit(2);
	CHECK_EQ(exit_code(b), 2);
	CHECK_EQ(waitpid(0, &status, 0), a);
	CHECK_EQ(waitpid(a, &status, 0), -1);
	CHECK_EQ(errno, ECHILD);
	CHECK_EQ(waitpid(-1, &status, 0x40), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(waitid(P_ALL, 0, &si, WNOHANG), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(waitpid(1 << 21, &status, 0), -1);
	CHECK_EQ(errno, ECHILD);
}

static volatile sig_atomic_t got_signal, got_pid, got_status, got_code, n_signals;

static void on_signal(int sig, siginfo_t *si, void *context)
{
	(void)context;
	got_signal = sig;
	got_pid = si->si_pid;
	got_status = si->si_status;
	got_code = si->si_code;
	n_signals++;
}

static void handle(int sig, int flags)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | flags };

	sigaction(sig, &sa, NULL);
}

TEST(sigchld)
{
	pid_t pid;

	handle(SIGCHLD, SA_RESTART);
	n_signals = 0;
	pid = fork();
	if (pid == 0)
		_exit(5);
	CHECK_EQ(exit_code(pid), 5); /* restarted if the signal came first */
	for (int i = 0; i < 1000 && n_signals == 0; i++)
		nap(1);
	CHECK_EQ(n_signals, 1);
	CHECK_EQ(got_pid, pid);
	CHECK_EQ(got_status, 5);
	CHECK_EQ(got_code, CLD_EXITED);
	/* ignored: no zombies, wait waits for all and finds none */
	signal(SIGCHLD, SIG_IGN);
	pid = fork();
	if (pid == 0) {
		nap(30);
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, NULL, 0), -1);
	CHECK_EQ(errno, ECHILD);
	CHECK_EQ(kill(pid, 0), -1);
	signal(SIGCHLD, SIG_DFL);
}

TEST(kill_child)
{
	static const int sigs[] = { SIGKILL, SIGTERM, SIGUSR1, SIGSEGV };
	pid_t pid;
	int s;

	for (unsigned i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
		pid = fork();
		if (pid == 0)
			for (;;)
				pause();
		CHECK_EQ(kill(pid, sigs[i]), 0);
		s = status_of(pid);
		CHECK(WIFSIGNALED(s));
		CHECK_EQ(WTERMSIG(s), sigs[i]);
	}
	pid = fork(); /* one that computes, not waits */
	if (pid == 0)
		for (;;)
			value++;
	nap(20);
	kill(pid, SIGKILL);
	CHECK_EQ(WTERMSIG(status_of(pid)), SIGKILL);
	pid = fork();
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		abort();
	}
	CHECK_EQ(WTERMSIG(status_of(pid)), SIGABRT);
}

TEST(handler_in_child)
{
	sigset_t set, old;
	int status, p[2];
	pid_t pid;
	char c = 0;

	CHECK_EQ(pipe(p), 0);
	handle(SIGUSR2, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, &old);
	n_signals = 0;
	raise(SIGUSR2); /* pending signals are not inherited, the mask is */
	pid = fork();
	if (pid == 0) {
		sigset_t pending;

		sigpending(&pending);
		if (sigismember(&pending, SIGUSR2))
			_exit(1);
		sigprocmask(SIG_BLOCK, NULL, &pending);
		if (!sigismember(&pending, SIGUSR2))
			_exit(2);
		(void)!write(p[1], &c, 1);
		sigsuspend(&old);
		_exit(n_signals == 1 && got_pid == getppid() ? 0 : 3);
	}
	CHECK_EQ(read(p[0], &c, 1), 1);
	CHECK_EQ(kill(pid, SIGUSR2), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	close(p[0]);
	close(p[1]);
	CHECK_EQ(status, 0);
	CHECK_EQ(n_signals, 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	CHECK_EQ(n_signals, 1);
	signal(SIGUSR2, SIG_DFL);
}

TEST(pipes_between)
{
	char buf[65536];
	int to[2], from[2];
	long sum = 0, want = 0;
	pid_t pid;
	ssize_t n;

	CHECK_EQ(pipe(to), 0);
	CHECK_EQ(pipe(from), 0);
	pid = fork();
	if (pid == 0) {
		close(to[1]);
		close(from[0]);
		while ((n = read(to[0], buf, 5000)) > 0) {
			for (ssize_t i = 0; i < n; i++)
				buf[i] = (char)(buf[i] + 1);
			for (ssize_t done = 0; done < n;)
				done += write(from[1], buf + done, (size_t)(n - done));
		}
		_exit(0);
	}
	close(to[0]);
	close(from[1]);
	for (int round = 0; round < 20; round++) {
		memset(buf, round, 3000);
		CHECK_EQ(write(to[1], buf, 3000), 3000);
		for (ssize_t done = 0; done < 3000; done += n) {
			n = read(from[0], buf, sizeof(buf));
			if (n <= 0)
				break;
			for (ssize_t i = 0; i < n; i++)
				sum += buf[i];
		}
		want += 3000L * (round + 1);
	}
	CHECK_EQ(sum, want);
	close(to[1]);
	CHECK_EQ(read(from[0], buf, 1), 0); /* the child's end is closed */
	close(from[0]);
	CHECK_EQ(exit_code(pid), 0);
	/* SIGPIPE ends a writer whose reader is gone */
	CHECK_EQ(pipe(to), 0);
	pid = fork();
	if (pid == 0) {
		close(to[0]);
		for (;;)
			(void)!write(to[1], buf, sizeof(buf));
	}
	close(to[0]);
	CHECK_EQ(WTERMSIG(status_of(pid)), SIGPIPE);
	close(to[1]);
}

/* Each side changes its own copy only: data, heap, stack, large blocks, a file's private pages. */
TEST(copy_on_write)
{
	size_t big = 12u << 20;
	char *heap = malloc(100), *large = malloc(big), on_stack[64];
	int p[2];
	char c;
	pid_t pid;
	char *map =
		mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK_EQ(pipe(p), 0);
	value = 1;
	memset(heap, 'a', 100);
	memset(large, 'b', big);
	memset(on_stack, 'c', sizeof(on_stack));
	memset(map, 'd', 8 * 4096);
	pid = fork();
	if (pid == 0) {
		int bad = 0;

		close(p[1]);
		value = 2;
		memset(heap, 'x', 100);
		on_stack[0] = 'x';
		for (size_t i = 0; i < big; i += 8192)
			large[i] = 'x';
		(void)!read(p[0], &c, 1); /* until the parent has written too */
		bad += value != 2 || heap[50] != 'x' || on_stack[0] != 'x' || on_stack[1] != 'c';
		for (size_t i = 0; i < big; i += 4096)
			bad += large[i] != (i % 8192 == 0 ? 'x' : 'b') || large[i + 1] != 'b';
		for (int i = 0; i < 8; i++)
			bad += map[i * 4096] != 'd';
		_exit(bad != 0);
	}
	close(p[0]);
	for (int i = 0; i < 100; i++)
		CHECK(heap[i] == 'a');
	for (size_t i = 0; i < big; i += 4096)
		large[i + 1] = 'y';
	CHECK_EQ(mprotect(map, 8 * 4096, PROT_READ), 0);
	CHECK_EQ(mprotect(map, 8 * 4096, PROT_READ | PROT_WRITE), 0);
	memset(map, 'e', 8 * 4096);
	value = 3;
	close(p[1]);
	CHECK_EQ(exit_code(pid), 0);
	CHECK_EQ(value, 3);
	CHECK_EQ(heap[50], 'a');
	CHECK_EQ(on_stack[0], 'c');
	for (size_t i = 0; i < big; i += 4096)
		CHECK(large[i] == 'b' && large[i + 1] == 'y');
	for (size_t i = 0; i < big; i += 4096)
		large[i] = 'z';
	for (size_t i = 0; i < big; i += 4096)
		CHECK(large[i] == 'z');
	munmap(map, 8 * 4096);
	free(large);
	free(heap);
}

TEST(generations)
{
	volatile int level = 0;
	pid_t pid;

	for (;;) { /* each child forks the next and adds its own */
		pid = fork();
		if (pid != 0)
			break;
		level++;
		if (level == 8)
			_exit(level);
	}
	if (level > 0)
		_exit(exit_code(pid) == 8 && level <= 8 ? 8 : 1);
	CHECK_EQ(exit_code(pid), 8);
}

TEST(shared_mappings)
{
	char path[] = "/tmp/conf_processXXXXXX";
	int fd = mkstemp(path);
	atomic_int *anon =
		mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *file;
	pid_t pid[4];

	CHECK(anon != MAP_FAILED);
	CHECK_EQ(ftruncate(fd, 8192), 0);
	file = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	for (int i = 0; i < 4; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			for (int k = 0; k < 1000; k++)
				atomic_fetch_add(anon, 1);
			atomic_store(&anon[100000], 5); /* a page nobody had touched before */
			file[4096 + i] = (char)('A' + i);
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++)
		CHECK_EQ(exit_code(pid[i]), 0);
	CHECK_EQ(*anon, 4000);
	CHECK_EQ(anon[100000], 5);
	CHECK(memcmp(file + 4096, "ABCD", 4) == 0);
	munmap(anon, 1 << 20);
	munmap(file, 8192);
	close(fd);
	unlink(path);
}

/* A futex in shared memory wakes across processes; the same address in private memory does not. */
TEST(shared_futex)
{
	atomic_int *word =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t ma;
	struct shared {
		pthread_mutex_t lock;
		long count;
	} *s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = fork();

	if (pid == 0) {
		while (atomic_load(word) == 0)
			syscall(SYS_futex, word, FUTEX_WAIT, 0, NULL, NULL, 0);
		_exit(9);
	}
	nap(30);
	atomic_store(word, 1);
	syscall(SYS_futex, word, FUTEX_WAKE, 100, NULL, NULL, 0);
	CHECK_EQ(exit_code(pid), 9);
	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&s->lock, &ma);
	pid = fork();
	for (int i = 0; i < 3000; i++) {
		pthread_mutex_lock(&s->lock);
		s->count++;
		if (i % 100 == 0)
			sched_yield();
		pthread_mutex_unlock(&s->lock);
	}
	if (pid == 0)
		_exit(0);
	CHECK_EQ(exit_code(pid), 0);
	CHECK_EQ(s->count, 6000);
}

TEST(descriptors)
{
	char path[] = "/tmp/conf_processXXXXXX";
	int fd = mkstemp(path), sv[2], other;
	char c;
	pid_t pid;

	CHECK_EQ(write(fd, "abcdef", 6), 6);
	lseek(fd, 0, SEEK_SET);
	other = dup(fd);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	pid = fork();
	if (pid == 0) { /* the position is shared, the table is not */
		(void)!read(fd, &c, 1);
		close(other);
		close(sv[0]);
		(void)!write(sv[1], &c, 1);
		_exit(0);
	}
	close(sv[1]);
	CHECK_EQ(read(sv[0], &c, 1), 1);
	CHECK_EQ(c, 'a');
	CHECK_EQ(exit_code(pid), 0);
	CHECK_EQ(read(sv[0], &c, 1), 0);
	CHECK_EQ(read(other, &c, 1), 1);
	CHECK_EQ(c, 'b');
	close(sv[0]);
	close(other);
	close(fd);
	unlink(path);
}

TEST(own_attributes)
{
	struct itimerval it = { .it_value = { 100, 0 } };
	char old[4096], now[4096];
	struct rlimit rl;
	mode_t mask;
	pid_t pid;

	CHECK(getcwd(old, sizeof(old)) != NULL);
	mask = umask(022);
	setitimer(ITIMER_REAL, &it, NULL);
	pid = fork();
	if (pid == 0) {
		getitimer(ITIMER_REAL, &it);
		if (it.it_value.tv_sec != 0)
			_exit(1);
		if (umask(077) != 022 || chdir("/tmp") != 0)
			_exit(2);
		getrlimit(RLIMIT_NOFILE, &rl);
		rl.rlim_cur = 20;
		setrlimit(RLIMIT_NOFILE, &rl);
		_exit(setuid(12345) == 0 && getuid() == 12345 ? 0 : 3);
	}
	CHECK_EQ(exit_code(pid), 0);
	getitimer(ITIMER_REAL, &it);
	CHECK(it.it_value.tv_sec > 0);
	memset(&it, 0, sizeof(it));
	setitimer(ITIMER_REAL, &it, NULL);
	CHECK_EQ(umask(mask), 022);
	CHECK(getcwd(now, sizeof(now)) != NULL && strcmp(now, old) == 0);
	getrlimit(RLIMIT_NOFILE, &rl);
	CHECK(rl.rlim_cur != 20);
	CHECK(getuid() != 12345);
}

/* ---- exec ---- */

/* The other program: argv[1] says what to check. */
static int other(int argc, char **argv)
{
	const char *what = argv[1];

	if (strcmp(what, "args") == 0)
		return argc == 5 && strcmp(argv[2], "one") == 0 && strcmp(argv[3], "") == 0 &&
				       strcmp(argv[4], "th ree") == 0 && getenv("COLOUR") != NULL &&
				       strcmp(getenv("COLOUR"), "blue") == 0 &&
				       getenv("HOME") == NULL
			       ? 42
			       : 1;
	if (strcmp(what, "fds") == 0)
		return fcntl(atoi(argv[2]), F_GETFD) == 0 && fcntl(atoi(argv[3]), F_GETFD) == -1
			       ? 43
			       : 1;
	if (strcmp(what, "signals") == 0) {
		struct sigaction a, b;
		sigset_t mask;

		sigaction(SIGUSR1, NULL, &a);
		sigaction(SIGUSR2, NULL, &b);
		sigprocmask(SIG_BLOCK, NULL, &mask);
		return a.sa_handler == SIG_DFL && b.sa_handler == SIG_IGN &&
				       sigismember(&mask, SIGWINCH)
			       ? 44
			       : 1;
	}
	if (strcmp(what, "pid") == 0)
		return getpid() == atoi(argv[2]) && gettid() == getpid() ? 45 : 1;
	if (strcmp(what, "comm") == 0) {
		char name[17] = "";

		prctl(PR_GET_NAME, name);
		return strcmp(name, argv[2]) == 0 ? 46 : 1;
	}
	if (strcmp(what, "sleep") == 0)
		nap(atoi(argv[2]));
	if (strcmp(what, "write") == 0)
		return write(1, argv[2], strlen(argv[2])) > 0 ? 0 : 1;
	return 0;
}

static pid_t start(char *const argv[], char *const envp[])
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	execve(self, argv, envp);
	_exit(200 + (errno & 31));
}

TEST(exec_arguments)
{
	char *args[] = { "me", "args", "one", "", "th ree", NULL },
	     *env[] = { "COLOUR=blue", NULL };
	char a[16], b[16], *fds[] = { "me", "fds", a, b, NULL };
	char *sigs[] = { "me", "signals", NULL }, *comm[] = { "me", "comm", "exe", NULL };
	int keep = open("/dev/null", O_RDONLY), drop = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t set;

	CHECK_EQ(exit_code(start(args, env)), 42);
	sprintf(a, "%d", keep);
	sprintf(b, "%d", drop);
	CHECK_EQ(exit_code(start(fds, environ)), 43);
	close(keep);
	close(drop);
	handle(SIGUSR1, 0);
	signal(SIGUSR2, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK_EQ(exit_code(start(sigs, environ)), 44);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
	CHECK_EQ(exit_code(start(comm, environ)), 46);
}

TEST(exec_failures)
{
	char *args[] = { "me", "x", NULL }, **many, *huge;
	char path[] = "/tmp/conf_processXXXXXX";
	int fd = mkstemp(path);

	CHECK_EQ(execve("/nowhere/program", args, environ), -1);
	CHECK_EQ(errno, ENOENT);
	CHECK_EQ(execve("/tmp", args, environ), -1);
	CHECK_EQ(errno, EACCES);
	CHECK_EQ(write(fd,
		       "\x7f"
		       "ELF nonsense",
		       13),
		 13);
	fchmod(fd, 0644);
	CHECK_EQ(execve(path, args, environ), -1);
	CHECK_EQ(errno, EACCES);
	fchmod(fd, 0755);
	close(fd);
	CHECK_EQ(execve(path, args, environ), -1);
	CHECK_EQ(errno, ENOEXEC);
	unlink(path);
	CHECK_EQ(execve(self, (char **)8, environ), -1);
	CHECK_EQ(errno, EFAULT);
	huge = malloc(200000);
	memset(huge, 'h', 199999);
	huge[199999] = 0;
	args[1] = huge;
	CHECK_EQ(execve(self, args, environ), -1); /* a string of more than 32 pages */
	CHECK_EQ(errno, E2BIG);
	huge[100000] = 0;
	many = calloc(40, sizeof(*many));
	for (int i = 0; i < 39; i++)
		many[i] = huge;
	CHECK_EQ(execve(self, many, environ), -1);
	CHECK_EQ(errno, E2BIG);
	free(many);
	free(huge);
}

TEST(exec_script)
{
	char path[] = "/tmp/conf_processXXXXXX", link[4096], line[5000],
	     *args[] = { "script", "exit", NULL };
	ssize_t n = readlink(self, link, sizeof(link) - 1);
	int fd = mkstemp(path);
	pid_t pid;

	CHECK(n > 0);
	link[n > 0 ? n : 0] = 0;
	/* the interpreter gets its argument, the script's path, then the arguments */
	n = sprintf(line, "#!%s comm\nanything\n", link);
	CHECK_EQ(write(fd, line, (size_t)n), n);
	fchmod(fd, 0755);
	close(fd);
	pid = fork();
	if (pid == 0) {
		execve(path, args, environ);
		_exit(99);
	}
	CHECK_EQ(exit_code(pid), 1); /* "comm SCRIPT": another name than the script's whole path */
	unlink(path);
}

static void *exec_from_thread(void *arg)
{
	char pid[16], *args[] = { "me", "pid", pid, NULL };

	(void)arg;
	sprintf(pid, "%d", getpid());
	execve(self, args, environ);
	_exit(99);
}

static void *wait_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

TEST(exec_in_threaded)
{
	pthread_t t;
	pid_t pid = fork();

	if (pid == 0) {
		for (int i = 0; i < 3; i++)
			pthread_create(&t, NULL, wait_for_ever, NULL);
		pthread_create(&t, NULL, exec_from_thread, NULL);
		wait_for_ever(NULL);
	}
	CHECK_EQ(exit_code(pid), 45);
}

/* ---- vfork, posix_spawn, popen ---- */

TEST(vfork_waits)
{
	char *args[] = { "me", "sleep", "20", NULL };
	volatile int shared = 1;
	pid_t pid = vfork();

	if (pid == 0) {
		shared = 2;
		execve(self, args, environ);
		_exit(99);
	}
	CHECK_EQ(shared, 2); /* the child ran first, in this memory */
	CHECK_EQ(exit_code(pid), 0);
	pid = vfork();
	if (pid == 0) {
		shared = 3;
		_exit(6);
	}
	CHECK_EQ(shared, 3);
	CHECK_EQ(exit_code(pid), 6);
}

TEST(spawn)
{
	char *args[] = { "me", "args", "one", "", "th ree", NULL },
	     *env[] = { "COLOUR=blue", NULL };
	char *out[] = { "me", "write", "spoken", NULL }, buf[64];
	posix_spawn_file_actions_t fa;
	int p[2];
	pid_t pid;

	CHECK_EQ(posix_spawn(&pid, self, NULL, NULL, args, env), 0);
	CHECK_EQ(exit_code(pid), 42);
	CHECK_EQ(posix_spawn(&pid, "/nowhere/program", NULL, NULL, args, env), ENOENT);
	CHECK_EQ(waitpid(-1, NULL, 0), -1);
	CHECK_EQ(pipe2(p, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, p[1], 1);
	CHECK_EQ(posix_spawn(&pid, self, &fa, NULL, out, environ), 0);
	close(p[1]);
	CHECK_EQ(read(p[0], buf, sizeof(buf)), 6);
	CHECK(memcmp(buf, "spoken", 6) == 0);
	CHECK_EQ(exit_code(pid), 0);
	close(p[0]);
	posix_spawn_file_actions_destroy(&fa);
}

/* ---- families ---- */

TEST(orphans)
{
	int p[2], q[2];
	char c;
	pid_t child, pid, grand = 0;

	CHECK_EQ(pipe(p), 0);
	CHECK_EQ(pipe(q), 0);
	child = fork();
	if (child == 0) {
		pid = getpid();
		if (fork() == 0) {
			close(q[1]);
			(void)!read(q[0], &c, 1); /* until the parent has gone */
			for (int i = 0; i < 1000 && getppid() == pid; i++)
				nap(1);
			grand = getppid() != pid ? getpid() : -1;
			(void)!write(p[1], &grand, sizeof(grand));
			_exit(0);
		}
		_exit(0);
	}
	close(p[1]);
	CHECK_EQ(exit_code(child), 0);
	close(q[0]);
	close(q[1]);
	CHECK_EQ(read(p[0], &grand, sizeof(grand)), (ssize_t)sizeof(grand));
	CHECK(grand > 0);
	close(p[0]);
	CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1); /* it was never ours */
	/* a subreaper inherits */
	CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	child = fork();
	if (child == 0) {
		if (fork() == 0)
			_exit(33);
		_exit(0);
	}
	CHECK_EQ(exit_code(child), 0);
	pid = wait(&value);
	CHECK(pid > 0 && pid != child);
	CHECK_EQ(WEXITSTATUS(value), 33);
	CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

TEST(groups)
{
	pid_t a, b, me = getpgrp();

	CHECK_EQ(getpgid(0), me);
	a = fork();
	if (a == 0) {
		setpgid(0, 0);
		for (;;)
			pause();
	}
	setpgid(a, a);
	b = fork();
	if (b == 0)
		for (;;)
			pause();
	CHECK_EQ(setpgid(b, a), 0);
	CHECK_EQ(getpgid(b), a);
	CHECK_EQ(getpgrp(), me);
	CHECK_EQ(waitpid(-me, NULL, WNOHANG), -1);
	CHECK_EQ(errno, ECHILD);
	CHECK_EQ(waitpid(-a, NULL, WNOHANG), 0);
	CHECK_EQ(kill(-a, SIGTERM), 0);
	CHECK_EQ(WTERMSIG(status_of(a)), SIGTERM);
	CHECK_EQ(WTERMSIG(status_of(b)), SIGTERM);
	CHECK_EQ(kill(-a, SIGTERM), -1);
	CHECK_EQ(errno, ESRCH);
	CHECK_EQ(setpgid(0, 1 << 21), -1);
	CHECK_EQ(setpgid(1 << 21, 0), -1);
	a = fork();
	if (a == 0) {
		if (setsid() != getpid() || getsid(0) != getpid() || getpgrp() != getpid())
			_exit(1);
		_exit(setsid() == -1 && errno == EPERM ? 0 : 2);
	}
	CHECK_EQ(exit_code(a), 0);
}

TEST(parent_death_signal)
{
	int p[2];
	char c;
	pid_t pid = -1;

	CHECK_EQ(pipe(p), 0);
	pid = fork();
	if (pid == 0) {
		close(p[0]);
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			(void)!write(p[1], "r", 1);
			for (;;)
				pause();
		}
		nap(50);
		_exit(0);
	}
	close(p[1]);
	CHECK_EQ(read(p[0], &c, 1), 1);
	CHECK_EQ(exit_code(pid), 0);
	CHECK_EQ(read(p[0], &c, 1), 0); /* the last writer was killed */
	close(p[0]);
}

/* ---- fork in a threaded program ---- */

static atomic_int stop;

static void *busy(void *arg)
{
	long *n = arg;

	while (!stop)
		(*n)++;
	return NULL;
}

static void *forker(void *arg)
{
	long bad = 0;

	for (int i = 0; i < 10; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(i);
		bad += exit_code(pid) != i;
	}
	return (void *)((long)arg + bad);
}

TEST(fork_with_threads)
{
	pthread_t b, t[3];
	long n = 0;
	void *r;

	stop = 0;
	pthread_create(&b, NULL, busy, &n);
	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, forker, NULL);
	for (int i = 0; i < 3; i++) {
		pthread_join(t[i], &r);
		CHECK(r == NULL);
	}
	stop = 1;
	pthread_join(b, NULL);
	CHECK(n > 0);
}

TEST(exit_with_threads)
{
	pthread_t t;
	long n = 0;
	pid_t pid = fork();

	if (pid == 0) {
		for (int i = 0; i < 4; i++)
			pthread_create(&t, NULL, i & 1 ? busy : wait_for_ever, &n);
		nap(5);
		exit(21);
	}
	CHECK_EQ(exit_code(pid), 21);
	pid = fork();
	if (pid == 0) { /* the first thread ends, the last one's end is the process's */
		pthread_create(&t, NULL, forker, NULL);
		syscall(SYS_exit, 0); /* as pthread_exit, which wants another library */
	}
	CHECK_EQ(exit_code(pid), 0);
}

TEST(usage)
{
	struct rusage ru;
	struct timespec a, b;
	pid_t pid = fork();

	if (pid == 0) {
		clock_gettime(CLOCK_MONOTONIC, &a);
		do
			clock_gettime(CLOCK_MONOTONIC, &b);
		while ((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000 < 30);
		_exit(0);
	}
	CHECK_EQ(exit_code(pid), 0);
	CHECK_EQ(getrusage(RUSAGE_CHILDREN, &ru), 0);
	CHECK(ru.ru_utime.tv_sec * 1000000 + ru.ru_utime.tv_usec + ru.ru_stime.tv_usec > 5000);
}

static double fpu_work(int n)
{
	double x = 1;

	for (int i = 0; i < n; i++)
		x = x * 1.0000001 + 0.5;
	return x;
}

/* Extended registers and thread-local storage of many processes at once. */
TEST(registers_apart)
{
	static _Thread_local int mine = 5;
	double want = fpu_work(200000);
	pid_t pid[6];

	for (int i = 0; i < 6; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			double x;

			mine = i;
			x = fpu_work(200000);
			_exit(x == want && mine == i ? 0 : 1);
		}
	}
	CHECK(fpu_work(200000) == want);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(exit_code(pid[i]), 0);
	CHECK_EQ(mine, 5);
}

TEST(many)
{
	for (int i = 0; i < 300; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(i & 127);
		if (exit_code(pid) != (i & 127)) {
			CHECK(!"a child's status");
			break;
		}
	}
}

int main(int argc, char **argv)
{
	static const struct unit_case cases[] = {
		CASE(fork_and_exit_codes),
		CASE(wait_variants),
		CASE(sigchld),
		CASE(kill_child),
		CASE(handler_in_child),
		CASE(pipes_between),
		CASE(copy_on_write),
		CASE(generations),
		CASE(shared_mappings),
		CASE(shared_futex),
		CASE(descriptors),
		CASE(own_attributes),
		CASE(exec_arguments),
		CASE(exec_failures),
		CASE(exec_script),
		CASE(exec_in_threaded),
		CASE(vfork_waits),
		CASE(spawn),
		CASE(orphans),
		CASE(groups),
		CASE(parent_death_signal),
		CASE(fork_with_threads),
		CASE(exit_with_threads),
		CASE(usage),
		CASE(registers_apart),
		CASE(many),
	};

	if (argc > 1)
		return other(argc, argv);
	setvbuf(stdout, NULL, _IONBF,
		0); /* a child must not write what its parent left in the buffer */
	return unit_run(cases, sizeof(cases) / sizeof(cases[0]));
}
