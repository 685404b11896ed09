/* SPDX-License-Identifier: Apache-2.0 */
/* xfer.c - moves seeded patterns over TCP and says what arrived. The same program runs in a machine and on Linux beside
 * it, so that the two stacks are each other's check over an impaired link (tests/system/test_tap.py).
 *
 *   xfer server PORT                            serves connections, a thread each, until it is ended
 *   xfer client ADDR PORT OP BYTES SEED         one transfer
 *   xfer back ADDR PORT OP BYTES SEED MYADDR    has the server open the connection, to MYADDR, and do the same
 * OP: 1 the server sends, 2 the client sends, 3 both at once. A client prints one line:
 *   BYTES-IN SUM-IN BYTES-OUT SUM-OUT-AS-THE-PEER-SAW-IT MS      and exits 0 when both sums are the patterns'. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAGIC 0x52454658u
#define PATIENCE_MS 60000
#define OP_SERVER_SENDS 1u
#define OP_CLIENT_SENDS 2u
#define OP_BACK 4u

struct order { /* what a client asks of a server; both are little-endian machines */
	uint32_t magic, op;
	uint64_t bytes, seed;
	uint32_t addr; /* network byte order, for OP_BACK */
	uint32_t port;
};

struct result {
	uint64_t bytes, sum; /* received */
};

struct outcome {
	struct result in, out; /* out: as the peer received it */
	uint64_t want_in, want_out; /* sums of the patterns */
	uint64_t ms;
};

/* A pattern is a stream of 64-bit words (splitmix64) and its sum an order-dependent mix of its bytes. */
struct pattern {
	uint64_t state, word, at;
};

static uint8_t pattern_byte(struct pattern *p)
{
	if (p->at++ % 8 == 0) {
		uint64_t z = p->state += 0x9e3779b97f4a7c15ull;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
		z = (z ^ z >> 27) * 0x94d049bb133111ebull;
		p->word = z ^ z >> 31;
	} else {
		p->word >>= 8;
	}
	return (uint8_t)p->word;
}

static uint64_t sum_add(uint64_t sum, const uint8_t *data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum = (sum ^ data[i]) * 0x100000001b3ull;
	return sum;
}

static uint64_t pattern_sum(uint64_t seed, uint64_t bytes)
{
	struct pattern p = { .state = seed };
	uint64_t sum = 0;

	while (bytes-- != 0) {
		uint8_t b = pattern_byte(&p);

		sum = sum_add(sum, &b, 1);
	}
	return sum;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int wait_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n = poll(&p, 1, PATIENCE_MS);

	if (n == 0)
		errno = ETIMEDOUT;
	return n == 1 ? p.revents : -1;
}

static int put(int fd, const void *data, size_t n)
{
	const uint8_t *at = data;

	while (n != 0) {
		ssize_t k = write(fd, at, n);

		if (k < 0 && errno == EAGAIN && wait_for(fd, POLLOUT) >= 0)
			continue;
		if (k <= 0)
			return -1;
		at += k;
		n -= (size_t)k;
	}
	return 0;
}

static int get(int fd, void *data, size_t n)
{
	uint8_t *at = data;

	while (n != 0) {
		ssize_t k = read(fd, at, n);

		if (k < 0 && errno == EAGAIN && wait_for(fd, POLLIN) >= 0)
			continue;
		if (k <= 0) {
			if (k == 0)
				errno = EPIPE;
			return -1;
		}
		at += k;
		n -= (size_t)k;
	}
	return 0;
}

/* Send and receive at once, then tell each other what arrived, then see the end of the stream. */
static int transfer(int fd, uint64_t send, uint64_t send_seed, uint64_t receive, struct outcome *o)
{
	struct pattern p = { .state = send_seed };
	static __thread uint8_t in[32768], out[32768];
	size_t have = 0, done = 0;
	uint64_t left = send;

	o->in.bytes = o->in.sum = 0;
	while (left != 0 || done != have || o->in.bytes != receive) {
		struct pollfd f = { .fd = fd };
		ssize_t k;
		int n;

		if (done == have && left != 0) {
			for (have = 0; have < sizeof(out) && left != 0; left--)
				out[have++] = pattern_byte(&p);
			done = 0;
		}
		f.events = (short)((done != have ? POLLOUT : 0) | (o->in.bytes != receive ? POLLIN : 0));
		n = poll(&f, 1, PATIENCE_MS);
		if (n <= 0) {
			if (n == 0)
				errno = ETIMEDOUT;
			return -1;
		}
		if (o->in.bytes != receive && f.revents & (POLLIN | POLLHUP | POLLERR)) {
			uint64_t want = receive - o->in.bytes;

			k = read(fd, in, want < sizeof(in) ? (size_t)want : sizeof(in));
			if (k == 0)
				errno = EPIPE;
			if (k == 0 || (k < 0 && errno != EAGAIN))
				return -1;
			if (k > 0) {
				o->in.sum = sum_add(o->in.sum, in, (size_t)k);
				o->in.bytes += (uint64_t)k;
			}
		}
		if (done != have && f.revents & (POLLOUT | POLLERR)) {
			k = write(fd, out + done, have - done);
			if (k < 0 && errno != EAGAIN)
				return -1;
			if (k > 0)
				done += (size_t)k;
		}
	}
	if (put(fd, &o->in, sizeof(o->in)) != 0 || shutdown(fd, SHUT_WR) != 0 || get(fd, &o->out, sizeof(o->out)) != 0)
		return -1;
	if (wait_for(fd, POLLIN) < 0 || read(fd, in, 1) != 0) {
		errno = EPROTO;
		return -1;
	}
	return 0;
}

/* Like against like: XFER_CONGESTION names the algorithm where the system has several (a machine has one). */
static void choose_congestion(int fd)
{
	const char *name = getenv("XFER_CONGESTION");

	if (name != NULL && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name)) != 0)
		fprintf(stderr, "xfer: no %s here: %s\n", name, strerror(errno));
}

static int open_to(uint32_t addr, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = addr };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		return -1;
	choose_congestion(fd);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
		int err = errno;

		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

/* The client's side of a transfer. */
static int client(uint32_t addr, uint16_t port, uint32_t op, uint64_t bytes, uint64_t seed, struct outcome *o)
{
	struct order order = { .magic = MAGIC, .op = op, .bytes = bytes, .seed = seed };
	uint64_t start = now_ms();
	int fd = open_to(addr, port), rc, err;

	if (fd < 0)
		return -1;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	o->want_in = op & OP_SERVER_SENDS ? pattern_sum(seed, bytes) : 0;
	o->want_out = op & OP_CLIENT_SENDS ? pattern_sum(seed + 1, bytes) : 0;
	rc = put(fd, &order, sizeof(order));
	if (rc == 0)
		rc = transfer(fd, op & OP_CLIENT_SENDS ? bytes : 0, seed + 1, op & OP_SERVER_SENDS ? bytes : 0, o);
	err = errno;
	o->ms = now_ms() - start;
	close(fd);
	errno = err;
	return rc;
}

static void *serve(void *arg)
{
	int fd = (int)(intptr_t)arg;
	struct order order;
	struct outcome o = { 0 };
	uint32_t op;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (get(fd, &order, sizeof(order)) != 0 || order.magic != MAGIC) {
		close(fd);
		return NULL;
	}
	op = order.op & 3;
	if (order.op & OP_BACK) {
		if (client(order.addr, (uint16_t)order.port, op, order.bytes, order.seed, &o) != 0)
			fprintf(stderr, "xfer: back: %s\n", strerror(errno));
		else if (put(fd, &o, sizeof(o)) != 0)
			fprintf(stderr, "xfer: answer: %s\n", strerror(errno));
	} else if (transfer(fd, op & OP_SERVER_SENDS ? order.bytes : 0, order.seed,
			    op & OP_CLIENT_SENDS ? order.bytes : 0, &o) != 0) {
		fprintf(stderr, "xfer: serve: %s after %" PRIu64 " bytes\n", strerror(errno), o.in.bytes);
	}
	close(fd);
	return NULL;
}

static int server(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	int l = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	choose_congestion(l);
	setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (l < 0 || bind(l, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(l, 128) != 0) {
		perror("xfer: listen");
		return 1;
	}
	printf("serving\n");
	fflush(stdout);
	for (;;) {
		int fd = accept(l, NULL, NULL);
		pthread_t t;

		if (fd < 0) {
			perror("xfer: accept");
			return 1;
		}
		if (pthread_create(&t, NULL, serve, (void *)(intptr_t)fd) != 0)
			close(fd);
		else
			pthread_detach(t);
	}
}

/* Ask the server to open the connection to a server on this side. */
static int back(uint32_t addr, uint16_t port, uint32_t op, uint64_t bytes, uint64_t seed, uint32_t my_addr,
		struct outcome *o)
{
	struct order order = { MAGIC, op | OP_BACK, bytes, seed, my_addr, port };
	int fd = open_to(addr, port), rc;

	if (fd < 0)
		return -1;
	rc = put(fd, &order, sizeof(order));
	if (rc == 0)
		rc = get(fd, o, sizeof(*o));
	close(fd);
	return rc;
}

int main(int argc, char **argv)
{
	struct outcome o = { 0 };
	int rc;

	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && strcmp(argv[1], "server") == 0)
		return server((uint16_t)atoi(argv[2]));
	if (argc == 7 && strcmp(argv[1], "client") == 0) {
		rc = client(inet_addr(argv[2]), (uint16_t)atoi(argv[3]), (uint32_t)atoi(argv[4]),
			    strtoull(argv[5], NULL, 10), strtoull(argv[6], NULL, 10), &o);
	} else if (argc == 8 && strcmp(argv[1], "back") == 0) {
		rc = back(inet_addr(argv[2]), (uint16_t)atoi(argv[3]), (uint32_t)atoi(argv[4]),
			  strtoull(argv[5], NULL, 10), strtoull(argv[6], NULL, 10), inet_addr(argv[7]), &o);
	} else {
		fprintf(stderr, "xfer server PORT | client ADDR PORT OP BYTES SEED | back ... MYADDR\n");
		return 2;
	}
	if (rc != 0) {
		perror("xfer");
		return 1;
	}
	printf("%" PRIu64 " %016" PRIx64 " %" PRIu64 " %016" PRIx64 " %" PRIu64 "\n", o.in.bytes, o.in.sum, o.out.bytes,
	       o.out.sum, o.ms);
	return o.in.sum == o.want_in && o.out.sum == o.want_out ? 0 : 3;
}
