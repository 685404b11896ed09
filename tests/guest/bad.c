/* SPDX-License-Identifier: Apache-2.0 */
/* bad - misbehaves as its argument says, for the tests of clear errors. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char data[64] = { 1 };

__attribute__((noinline)) static int recurse(volatile char *up)
{
	volatile char big[4096];

	big[0] = *up;
	return recurse(big) + big[1];
}

/* Computes for ever, or (ms) so long at a stretch and sleeps as long between. */
static void *compute(void *ms)
{
	volatile unsigned long n = 0;
	struct timespec t, pause = { 0, (long)ms * 1000000 };

	for (;;) {
		long end;

		clock_gettime(CLOCK_MONOTONIC, &t);
		end = t.tv_sec * 1000000000 + t.tv_nsec + pause.tv_nsec;
		do {
			for (int i = 0; i < 1000; i++)
				n++;
			clock_gettime(CLOCK_MONOTONIC, &t);
		} while (ms == NULL || t.tv_sec * 1000000000 + t.tv_nsec < end);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "exit"))
		return argc > 2 ? atoi(argv[2]) : 0;
	if (!strcmp(what, "echo")) {
		for (int i = 2; i < argc; i++)
			printf("%s%s", argv[i], i + 1 < argc ? " " : "\n");
		return 0;
	}
	if (!strcmp(what, "env")) {
		const char *v = argc > 2 ? getenv(argv[2]) : NULL;
		printf("%s\n", v ? v : "(unset)");
		return 0;
	}
	if (!strcmp(what, "cat")) {
		char buf[4096];
		ssize_t n;
		while ((n = read(0, buf, sizeof(buf))) > 0)
			if (write(1, buf, (size_t)n) != n)
				return 1;
		return n < 0;
	}
	if (!strcmp(what, "stderr")) {
		fputs("to stderr\n", stderr);
		return 0;
	}
	if (!strcmp(what, "flood")) { /* much output, for flow control */
		for (int i = 0; i < 200000; i++)
			printf("line %d\n", i);
		return 0;
	}
	if (!strcmp(what, "null"))
		*(volatile int *)0 = 1;
	if (!strcmp(what, "jump"))
		((void (*)(void))(void *)data)();
	if (!strcmp(what, "kernel"))
		*(volatile int *)0xffffffff80100000ul = 1;
	if (!strcmp(what, "runtime")) /* what is at its base (argv[2]: further in) */
		((void (*)(void))(0x700000000000ul + (argc > 2 ? strtoul(argv[2], NULL, 0) : 0)))();
	if (!strcmp(what, "stack"))
		return recurse(data);
	if (!strcmp(what, "illegal"))
		__asm__ volatile("ud2");
	if (!strcmp(what, "privileged"))
		__asm__ volatile("cli");
	if (!strcmp(what, "abort"))
		abort();
	if (!strcmp(what, "memory")) {
		for (size_t i = 0;; i++) {
			char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
			if (p == MAP_FAILED)
				return 77;
			memset(p, 1, 1 << 20);
		}
	}
	if (!strcmp(what, "unknown")) { /* unknown syscalls go on */
		for (int i = 0; i < 3; i++)
			syscall(SYS_bpf, 0, 0, 0);
		printf("went on\n");
		return 0;
	}
	if (!strcmp(what, "gwcall")) { /* a program may not use the kernel's calls to harm anyone
					  but itself */
		long r;
		__asm__ volatile("syscall"
				 : "=a"(r)
				 : "a"(0x8000000000000fffUL)
				 : "rcx", "r11", "memory");
		printf("%ld\n", r);
		return 0;
	}
	if (!strcmp(what, "udp") && argc > 3) { /* beside a thread that computes */
		pthread_t thread;

		if (pthread_create(&thread, NULL, compute, (void *)atol(argv[3])))
			return 1;
	}
	if (!strcmp(what, "udp")) { /* echo on this port, until "quit" */
		struct sockaddr_in a = { .sin_family = AF_INET };
		int s = socket(AF_INET, SOCK_DGRAM, 0);
		socklen_t len = sizeof(a);
		char buf[2048];
		ssize_t n;

		a.sin_port = htons(argc > 2 ? (uint16_t)atoi(argv[2]) : 7);
		if (bind(s, (struct sockaddr *)&a, sizeof(a)))
			return 1;
		while ((n = recvfrom(s, buf, sizeof(buf), 0, (struct sockaddr *)&a, &len)) >= 0) {
			if (n == 4 && !memcmp(buf, "quit", 4))
				return 0;
			sendto(s, buf, (size_t)n, 0, (struct sockaddr *)&a, len);
		}
		return 1;
	}
	if (!strcmp(what, "exec")) { /* each file: how execve or the program ended */
		for (int i = 2; i < argc; i++) {
			int status = 0, pid;

			fflush(stdout);
			pid = fork();
			if (pid == 0) {
				execv(argv[i], argv + i);
				_exit(errno == ENOEXEC	? 201
				      : errno == ENOENT ? 202
				      : errno == ENOMEM ? 203
							: 204);
			}
			waitpid(pid, &status, 0);
			printf("%s %d\n", strrchr(argv[i], '/') + 1,
			       WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status));
		}
		return 0;
	}
	if (!strcmp(what, "cpus")) {
		printf("%ld\n", sysconf(_SC_NPROCESSORS_ONLN));
		return 0;
	}
	if (!strcmp(what, "sleep")) {
		printf("sleeping\n");
		fflush(stdout);
		sleep(argc > 2 ? (unsigned)atoi(argv[2]) : 1000);
		return 0;
	}
	if (!strcmp(what, "spin")) {
		printf("spinning\n");
		fflush(stdout);
		for (;;)
			;
	}
	fprintf(stderr, "bad: what?\n");
	return 2;
}
