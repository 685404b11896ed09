/* SPDX-License-Identifier: Apache-2.0 */
/* client.c - the gate's benchmark, a guest program: it starts redis-server as its child, waits for
 * it, and measures it over loopback, all on one vcore. Under `godwit run --deterministic` an
 * instruction takes a nanosecond and every run is the same, so each figure is exact. Prints `NAME
 * NANOSECONDS` lines.
 *
 *   client [-l LIBRARY] SERVER [ARG...]      -l: the server runs with LD_PRELOAD=LIBRARY
 *
 * closed loop: one connection, a fixed think time between an answer and the next request.
 * open loop: eight connections, requests at times drawn beforehand (exponential gaps from a fixed
 * seed); a request's latency counts from when it was meant to be sent, whatever the server did. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define PORT 6379
#define KEYS 256u
#define VALUE 64u
#define WARM 1500u
#define CLOSED 5000u
#define OPEN 16000u
#define CONNS 8u
#define THINK_NS 30000u
#define GAP_NS 40000u /* mean */
#define QUEUE 1024u   /* outstanding on a connection */

static uint64_t latency[OPEN];
static char value[VALUE + 1];

static void die(const char *what)
{
	fprintf(stderr, "gate client: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint32_t draw(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32);
}

/* ---- the server ---- */

static pid_t start(char **argv, const char *library, int *log)
{
	int ends[2];
	pid_t pid;

	if (pipe(ends) != 0)
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		dup2(ends[1], 1);
		close(ends[0]);
		close(ends[1]);
		if (library != NULL)
			setenv("LD_PRELOAD", library, 1);
		execv(argv[0], argv);
		die(argv[0]);
	}
	close(ends[1]);
	*log = ends[0];
	return pid;
}

static void await_ready(int log)
{
	static char text[16384];
	size_t n = 0;

	while (strstr(text, "Ready to accept connections") == NULL) {
		ssize_t got = read(log, text + n, sizeof(text) - 1 - n);

		if (got <= 0) {
			fprintf(stderr, "%s", text);
			die("the server said nothing of being ready");
		}
		n += (size_t)got;
		text[n] = '\0';
	}
}

static int dial(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* ---- requests and answers ---- */

enum kind { GET, SET, MIX };

struct request {
	char text[160];
	size_t len;
	const char *answer;
};

static char get_answer[VALUE + 16];

static void make(struct request *r, enum kind kind)
{
	uint32_t key = draw() % KEYS;
	bool set = kind == SET || (kind == MIX && draw() % 10 == 0);

	r->answer = set ? "+OK\r\n" : get_answer;
	r->len = (size_t)(set ? snprintf(r->text, sizeof(r->text),
					 "*3\r\n$3\r\nSET\r\n$7\r\nkey:%03u\r\n$%u\r\n%s\r\n", key,
					 VALUE, value)
			      : snprintf(r->text, sizeof(r->text),
					 "*2\r\n$3\r\nGET\r\n$7\r\nkey:%03u\r\n", key));
}

static void put(int fd, const char *text, size_t len)
{
	if (write(fd, text, len) != (ssize_t)len)
		die("write");
}

static void expect(int fd, const char *answer)
{
	char buf[256];
	size_t want = strlen(answer), n = 0;

	while (n < want) {
		ssize_t got = read(fd, buf + n, want - n);

		if (got <= 0)
			die("read");
		n += (size_t)got;
	}
	if (memcmp(buf, answer, want) != 0) {
		fprintf(stderr, "gate client: wrong answer %.*s\n", (int)n, buf);
		exit(1);
	}
}

static void fill(int fd)
{
	char text[160];

	for (uint32_t i = 0; i < KEYS; i++) {
		int n = snprintf(text, sizeof(text),
				 "*3\r\n$3\r\nSET\r\n$7\r\nkey:%03u\r\n$%u\r\n%s\r\n", i, VALUE,
				 value);

		put(fd, text, (size_t)n);
		expect(fd, "+OK\r\n");
	}
}

/* ---- figures ---- */

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void print(const char *name, uint32_t n)
{
	static const struct {
		const char *name;
		uint32_t per_mille;
	} points[] = { { "p50", 500 }, { "p99", 990 }, { "p999", 999 }, { "max", 1000 } };

	qsort(latency, n, sizeof(*latency), by_size);
	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++) {
		uint32_t rank = (uint32_t)(((uint64_t)n * points[i].per_mille + 999) / 1000);

		printf("%s_%s_ns %llu\n", name, points[i].name,
		       (unsigned long long)latency[rank - 1]);
	}
}

static void closed_loop(int fd, const char *name, enum kind kind)
{
	struct timespec think = { 0, THINK_NS };
	struct request r;

	for (uint32_t i = 0; i < WARM + CLOSED; i++) {
		uint64_t begin;

		make(&r, kind);
		nanosleep(&think, NULL);
		begin = now();
		put(fd, r.text, r.len);
		expect(fd, r.answer);
		if (i >= WARM)
			latency[i - WARM] = now() - begin;
	}
	print(name, CLOSED);
}

/* ---- open loop ---- */

struct conn {
	uint32_t first, n; /* of the queue */
	struct {
		uint64_t due;
		const char *answer;
		uint32_t number;
	} queue[QUEUE];
	char buf[4096];
	size_t len;
};

/* About exponential with mean GAP_NS: -log2(u) from the bits of a random number, linear in between.
 */
static uint64_t gap(void)
{
	uint32_t u = draw() | 1, top = 31u - (uint32_t)__builtin_clz(u);
	uint64_t fraction =
		((uint64_t)u << (31 - top) << 1 & 0xffffffff) >> 16; /* 16 bits below the top one */
	uint64_t log2 = ((uint64_t)(31 - top) << 16) + 65536 - fraction;

	return GAP_NS * log2 / 65536 * 693 / 1000;
}

static void take_answers(struct conn *c, int fd, uint32_t *left)
{
	ssize_t got = read(fd, c->buf + c->len, sizeof(c->buf) - c->len);
	uint64_t at = now();
	size_t used = 0;

	if (got <= 0)
		die("read");
	c->len += (size_t)got;
	while (c->n != 0) {
		const char *want = c->queue[c->first].answer;
		size_t len = strlen(want);

		if (c->len - used < len)
			break;
		if (memcmp(c->buf + used, want, len) != 0)
			die("wrong answer in the open loop");
		latency[c->queue[c->first].number] = at - c->queue[c->first].due;
		c->first = (c->first + 1) % QUEUE;
		c->n--;
		(*left)--;
		used += len;
	}
	c->len -= used;
	memmove(c->buf, c->buf + used, c->len);
}

static void send_due(struct conn *conns, const struct pollfd *fds, uint32_t number, uint64_t due)
{
	struct conn *c = &conns[number % CONNS];
	struct request r;
	uint32_t slot = (c->first + c->n) % QUEUE;

	if (c->n == QUEUE)
		die("the server is far behind");
	make(&r, MIX);
	c->queue[slot].due = due;
	c->queue[slot].answer = r.answer;
	c->queue[slot].number = number;
	c->n++;
	put(fds[number % CONNS].fd, r.text, r.len);
}

static void open_loop(void)
{
	static struct conn conns[CONNS];
	struct pollfd fds[CONNS];
	uint32_t sent = 0, left = OPEN;
	uint64_t due;

	for (uint32_t i = 0; i < CONNS; i++)
		fds[i] = (struct pollfd){ .fd = dial(), .events = POLLIN };
	due = now() + 1000000;
	while (left != 0) {
		struct timespec wait = { 1, 0 };
		uint64_t t = now();

		while (sent < OPEN && due <= t) {
			send_due(conns, fds, sent++, due);
			due += gap();
			t = now();
		}
		if (sent < OPEN)
			wait = (struct timespec){ 0, due > t ? (long)(due - t) : 0 };
		if (ppoll(fds, CONNS, &wait, NULL) < 0)
			die("ppoll");
		for (uint32_t i = 0; i < CONNS; i++)
			if (fds[i].revents != 0)
				take_answers(&conns[i], fds[i].fd, &left);
	}
	for (uint32_t i = 0; i < CONNS; i++)
		close(fds[i].fd);
	print("open", OPEN);
}

int main(int argc, char **argv)
{
	const char *library = NULL;
	int log, fd, status;
	pid_t pid;

	if (argc > 3 && strcmp(argv[1], "-l") == 0) {
		library = argv[2];
		argv += 2;
		argc -= 2;
	}
	if (argc < 2) {
		fprintf(stderr, "usage: client [-l LIBRARY] SERVER [ARG...]\n");
		return 2;
	}
	memset(value, 'v', VALUE);
	snprintf(get_answer, sizeof(get_answer), "$%u\r\n%s\r\n", VALUE, value);
	pid = start(argv + 1, library, &log);
	await_ready(log);
	fd = dial();
	put(fd, "PING\r\n", 6);
	expect(fd, "+PONG\r\n");
	/* The time stamp counter runs from power-on, one tick an instruction. */
	printf("first_reply_instructions %llu\n", (unsigned long long)__rdtsc());
	fill(fd);
	closed_loop(fd, "get", GET);
	closed_loop(fd, "set", SET);
	closed_loop(fd, "mix", MIX);
	open_loop();
	kill(pid, SIGTERM);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		die("the server did not end well");
	return 0;
}
