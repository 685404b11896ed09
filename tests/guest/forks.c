/* SPDX-License-Identifier: Apache-2.0 */
/* forks - what many processes cost: `forks leak N`: N processes one after the other leave as much
 * memory free as there was; `forks bomb N`: every process forks until none can any more, and the
 * machine survives it; N times. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static long free_kb(void)
{
	char buf[512];
	int fd = open("/proc/meminfo", O_RDONLY);
	ssize_t n = read(fd, buf, sizeof(buf) - 1);
	const char *s;

	close(fd);
	buf[n > 0 ? n : 0] = 0;
	s = strstr(buf, "MemFree:");
	return s != NULL ? atol(s + 8) : -1;
}

static void one(int i, char *data)
{
	char name[] = "/proc/self/exe";
	char *args[] = { name, "nothing", NULL };
	pid_t pid = i % 10 == 9 ? vfork() : fork();
	int status;

	if (pid == 0) {
		if (i % 5 == 4) { /* some run another program */
			execv(name, args);
			_exit(1);
		}
		for (int k = 0; k < 64; k++)
			data[k * 4096 * 7] = (char)i;
		if (i % 7 == 0)
			raise(SIGKILL);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		printf("fork %d: %s\n", i, strerror(errno));
		exit(1);
	}
}

static int leak(int n)
{
	size_t size = 8u << 20;
	char *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long before, after;

	memset(data, 1, size);
	for (int i = 0; i < 100; i++)
		one(i, data);
	memset(data, 1, size);
	before = free_kb();
	for (int i = 0; i < n; i++)
		one(i, data);
	memset(data, 1, size);
	after = free_kb();
	printf("%d processes: %ld KiB were free, %ld KiB are free\n", n, before, after);
	return before < 0 || labs(before - after) > 256;
}

static int bomb(void)
{
	int p[2], n = 0, refused = 0, status;
	char c;

	if (pipe(p) != 0)
		return 1;
	if (fork() == 0) {
		setpgid(0, 0);
		for (;;) {
			pid_t pid = fork();

			if (pid < 0) {
				c = errno == EAGAIN || errno == ENOMEM ? 'r' : 'x';
				(void)!write(p[1], &c, 1);
				pause();
			} else if (pid == 0) {
				(void)!write(p[1], "f", 1);
			}
		}
	}
	while (refused < 10 && read(p[0], &c, 1) == 1) {
		n += c == 'f';
		refused += c == 'r';
		if (c == 'x')
			return 2;
	}
	kill(-1, SIGKILL); /* everybody else */
	while (wait(&status) > 0)
		;
	close(p[1]);
	while (read(p[0], &c, 1) == 1) /* until the last of them has gone */
		;
	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			return 3;
	}
	close(p[0]);
	return n > 4 ? 0 : 4;
}

/* Each time anew: a child that is being made just when everybody is killed must not escape. */
static int bombs(int rounds)
{
	int r = 0;

	for (int i = 0; i < rounds && r == 0; i++)
		r = bomb();
	if (r == 0)
		printf("bomb: many processes, then refused; all gone\n");
	return r;
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "leak") == 0)
		return leak(atoi(argv[2]));
	if (argc > 1 && strcmp(argv[1], "bomb") == 0)
		return bombs(argc > 2 ? atoi(argv[2]) : 1);
	return argc > 1 ? 0 : 1;
}
