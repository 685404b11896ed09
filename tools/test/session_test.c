/* SPDX-License-Identifier: Apache-2.0 */
/* session_test.c - a whole session against a stand-in for QEMU: this program again, started with
 * "fake" as its first argument, speaking the guest's side of the three ports. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit.h"
#include "tools/godwit/outcome.h"
#include "tools/godwit/session.h"

#define BULK (6u << 20)

/* ---- the stand-in: fds are console, stderr, control, uart ---- */

#define STREAM_UART STREAM_COUNT

static int fake_fds[STREAM_COUNT + 1];

static void put(unsigned int stream, const void *bytes, size_t n)
{
	const char *p = bytes;

	while (n > 0) {
		ssize_t did = write(fake_fds[stream], p, n);

		if (did <= 0)
			_exit(99);
		p += did;
		n -= (size_t)did;
	}
}

static void say(const char *line)
{
	put(STREAM_CONTROL, line, strlen(line));
}

static void read_line(char *line, size_t room)
{
	size_t n = 0;

	while (n + 1 < room && read(fake_fds[STREAM_CONTROL], line + n, 1) == 1 && line[n] != '\n')
		n++;
	line[n] = '\0';
}

static uint8_t pattern(uint64_t i)
{
	return (uint8_t)(i * 2654435761u >> 13);
}

/* Send everything received back until the announced end of standard input. */
static void fake_echo(void)
{
	unsigned long long total = ~0ull, got = 0;
	static char buf[65536];
	char line[64];

	while (got < total) {
		struct pollfd p[2] = { { .fd = fake_fds[STREAM_CONSOLE], .events = POLLIN },
				       { .fd = fake_fds[STREAM_CONTROL], .events = POLLIN } };

		poll(p, 2, 10000);
		if (p[0].revents != 0) {
			ssize_t n = read(fake_fds[STREAM_CONSOLE], buf, sizeof(buf));

			if (n <= 0)
				_exit(98);
			put(STREAM_CONSOLE, buf, (size_t)n);
			got += (unsigned long long)n;
		}
		if (p[1].revents != 0) {
			read_line(line, sizeof(line));
			if (sscanf(line, "eof %llu", &total) != 1)
				_exit(97);
		}
	}
	say("exit 7\n");
}

static void fake_flood(void)
{
	static uint8_t buf[BULK];

	for (uint32_t i = 0; i < BULK; i++)
		buf[i] = pattern(i);
	put(STREAM_CONSOLE, buf, BULK);
	put(STREAM_STDERR, "complaint\n", 10);
	say("exit 0\n");
}

static void fake_stop(void)
{
	char line[64];

	kill(getppid(), SIGTERM);
	do
		read_line(line, sizeof(line));
	while (strcmp(line, "stop") != 0);
	say("stat connections 3\nexit 4\n");
}

static void fake_deaf(void)
{
	kill(getppid(), SIGINT);
	usleep(50000);
	kill(getppid(), SIGINT); /* the same Ctrl-C, once more */
	usleep(800000);
	say("boot alive 2000\n");
	kill(getppid(), SIGINT);
	sleep(60);
}

__attribute__((constructor)) static void fake(int argc, char **argv, char **env)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} scenes[] = { { "echo", fake_echo },
		       { "flood", fake_flood },
		       { "stop", fake_stop },
		       { "deaf", fake_deaf } };

	(void)env;
	if (argc < 7 || strcmp(argv[1], "fake") != 0)
		return;
	for (int i = 0; i <= STREAM_COUNT; i++)
		fake_fds[i] = atoi(argv[3 + i]);
	put(STREAM_UART, "kernel: hello\nkernel: second\n", 29);
	say("boot kernel 1000\n");
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
		if (strcmp(argv[2], scenes[i].name) == 0)
			scenes[i].run();
	if (strcmp(argv[2], "fault") == 0)
		_exit((125 << 1 & 0xff) | 1);
	if (strcmp(argv[2], "refuse") == 0)
		_exit(7);
	_exit(1);
}

/* ---- the other side ---- */

static struct session *run(const char *scene, int in, int out, int err)
{
	struct session *s = calloc(1, sizeof(*s));
	struct words argv = { 0 };
	int kept[3], with[3] = { in, out, err };

	fail_clear();
	fflush(stdout);
	for (int i = 0; i < 3; i++) {
		kept[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
		if (with[i] >= 0)
			dup2(with[i], i);
	}
	CHECK_EQ(session_prepare(s), 0);
	words_add(&argv, "/proc/self/exe");
	words_add(&argv, "fake");
	words_add(&argv, scene);
	for (int i = 0; i < STREAM_COUNT; i++)
		words_printf(&argv, "%d", s->guests[0].qemu_fds[i]);
	words_printf(&argv, "%d", s->uart_qemu_fd);
	CHECK_EQ(session_run(s, &argv, NULL, 0), 0);
	for (int i = 0; i < 3; i++) {
		dup2(kept[i], i);
		close(kept[i]);
	}
	words_free(&argv);
	close(s->signal_fd);
	return s;
}

static void drop(struct session *s)
{
	text_free(&s->qemu_messages);
	free(s);
}

static int null_fd(void)
{
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

TEST(echo)
{
	int in = memfd_create("in", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC);
	uint8_t *sent = malloc(BULK), *got = calloc(1, BULK);
	struct session *s;

	for (uint32_t i = 0; i < BULK; i++)
		sent[i] = pattern(i);
	CHECK_EQ(write_all(in, sent, BULK, 0), 0);
	s = run("echo", in, out, -1);
	CHECK_EQ(read_all(out, got, BULK, 0), 0);
	CHECK_EQ(memcmp(sent, got, BULK), 0);
	CHECK_EQ(lseek(out, 0, SEEK_END), BULK);
	CHECK(s->guests[0].records.exited);
	CHECK_EQ(s->guests[0].records.status, 7);
	CHECK_EQ(s->guests[0].records.boot.n, 1);
	drop(s);
	free(sent);
	free(got);
	close(in);
	close(out);
}

TEST(slow_reader)
{
	int fds[2], null = null_fd(), err = memfd_create("err", MFD_CLOEXEC), status = 0;
	struct session *s;
	char text[16] = "";
	pid_t reader;

	CHECK_EQ(pipe(fds), 0);
	reader = fork();
	if (reader == 0) {
		uint8_t buf[3000];
		uint64_t at = 0;
		ssize_t n;

		close(fds[1]);
		while ((n = read(fds[0], buf, sizeof(buf))) > 0) {
			for (ssize_t i = 0; i < n; i++)
				if (buf[i] != pattern(at++))
					_exit(1);
			if (at % 7 == 0)
				usleep(300);
		}
		_exit(at == BULK ? 0 : 2);
	}
	close(fds[0]);
	s = run("flood", null, fds[1], err);
	close(fds[1]);
	CHECK_EQ(waitpid(reader, &status, 0), reader);
	CHECK_EQ(status, 0);
	CHECK_EQ(read_all(err, text, 10, 0), 0);
	CHECK_STR(text, "complaint\n");
	CHECK_EQ(s->guests[0].records.status, 0);
	drop(s);
	close(null);
	close(err);
}

TEST(reader_gone)
{
	int fds[2], null = null_fd();
	struct options o = { .argv = (char *[]){ (char[]){ "p" }, NULL } };
	struct session *s;

	CHECK_EQ(pipe(fds), 0);
	close(fds[0]);
	s = run("flood", null, fds[1], -1);
	CHECK_EQ(s->by_signal, SIGPIPE);
	CHECK_EQ(outcome(s, &o), 128 + SIGPIPE);
	drop(s);
	close(fds[1]);
	close(null);
}

TEST(stop)
{
	int null = null_fd();
	struct options o = { .argv = (char *[]){ (char[]){ "p" }, NULL } };
	struct session *s = run("stop", null, null, -1);

	CHECK_EQ(s->by_signal, SIGTERM);
	CHECK(s->guests[0].records.exited && !s->killed);
	CHECK_EQ(*record_find(&s->guests[0].records.stats, "connections"), 3);
	CHECK_EQ(outcome(s, &o), 4);
	drop(s);
	close(null);
}

TEST(second_signal_ends)
{
	int null = null_fd();
	uint64_t start = now_ns();
	struct options o = { .argv = (char *[]){ (char[]){ "p" }, NULL } };
	struct session *s = run("deaf", null, null, -1);

	CHECK(s->killed);
	CHECK_EQ(s->guests[0].records.boot.n, 2);
	CHECK(now_ns() - start < 4000000000u);
	CHECK_EQ(outcome(s, &o), 128 + SIGINT);
	drop(s);
	close(null);
}

TEST(failures)
{
	int null = null_fd(), err = memfd_create("err", MFD_CLOEXEC);
	struct options o = { .argv = (char *[]){ (char[]){ "p" }, NULL } };
	struct session *s = run("fault", null, null, -1);
	char text[2000] = "";
	int kept = dup(2);

	dup2(err, 2);
	CHECK_EQ(outcome(s, &o), 125);
	drop(s);
	s = run("refuse", null, null, -1);
	CHECK_EQ(outcome(s, &o), 125);
	drop(s);
	dup2(kept, 2);
	CHECK(pread(err, text, sizeof(text) - 1, 0) > 0);
	CHECK(strstr(text, "the kernel or the runtime failed") != NULL);
	CHECK(strstr(text, "kernel: second\n") != NULL);
	CHECK(strstr(text, "refused the boot bundle") != NULL);
	close(kept);
	close(err);
	close(null);
}

TEST(no_qemu)
{
	struct session *s = calloc(1, sizeof(*s));
	struct options o = { .argv = (char *[]){ (char[]){ "p" }, NULL } };
	struct words argv = { 0 };

	fail_clear();
	words_add(&argv, "/nonexistent/qemu");
	CHECK_EQ(session_prepare(s), 0);
	CHECK_EQ(session_run(s, &argv, NULL, 0), 0);
	CHECK(s->qemu_messages.len != 0 && strstr(s->qemu_messages.data, "No such file") != NULL);
	CHECK_EQ(outcome(s, &o), STATUS_USAGE);
	words_free(&argv);
	close(s->signal_fd);
	drop(s);
}

TEST(uart_tail)
{
	struct session *s = calloc(1, sizeof(*s));
	struct text t = { 0 };
	char line[64];

	for (int i = 0; i < 20000; i++) {
		int n = snprintf(line, sizeof(line), "line %d\r\n", i);

		for (int k = 0; k < n; k++)
			s->uart[s->uart_bytes++ % UART_RING] = line[k];
	}
	session_uart_tail(s, 2, &t);
	CHECK_STR(t.data, "line 19998\nline 19999\n");
	t.len = 0;
	session_uart_tail(s, 1000000, &t);
	CHECK(t.len < UART_RING && t.len > UART_RING / 2);
	text_free(&t);
	free(s);
}

UNIT_MAIN(CASE(echo), CASE(slow_reader), CASE(reader_gone), CASE(stop), CASE(second_signal_ends),
	  CASE(failures), CASE(no_qemu), CASE(uart_tail))
