/* SPDX-License-Identifier: Apache-2.0 */
/* conf_ip6 - IPv6 sockets over loopback: IPv4-mapped addresses, listeners of both families, which
 * binds exclude which, errors, options. `conf_ip6 serve PORT`: on [::]:PORT for both families, TCP
 * and UDP; says to each client who he is, and what he was reached at, then sends back what he
 * sends.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/unit.h"

static struct sockaddr_in6 six(const char *ip, int port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };

	CHECK_EQ(inet_pton(AF_INET6, ip, &a.sin6_addr), 1);
	return a;
}

static struct sockaddr_in four(const char *ip, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	CHECK_EQ(inet_pton(AF_INET, ip, &a.sin_addr), 1);
	return a;
}

static int error_of(int r)
{
	return r < 0 ? errno : 0;
}

static int bind6(int fd, const char *ip, int port)
{
	struct sockaddr_in6 a = six(ip, port);

	return error_of(bind(fd, (void *)&a, sizeof(a)));
}

static int connect6(int fd, const char *ip, int port)
{
	struct sockaddr_in6 a = six(ip, port);

	return error_of(connect(fd, (void *)&a, sizeof(a)));
}

static int set(int fd, int level, int opt, int value)
{
	return error_of(setsockopt(fd, level, opt, &value, sizeof(value)));
}

static int get(int fd, int level, int opt)
{
	int value = -12345;
	socklen_t n = sizeof(value);

	CHECK_EQ(getsockopt(fd, level, opt, &value, &n), 0);
	CHECK_EQ(n, sizeof(value));
	return value;
}

/* "address port", as getnameinfo prints it. */
static const char *name_of(int fd, int peer)
{
	static char text[2][120];
	char host[80] = "?", port[20] = "?";
	struct sockaddr_in6 a;
	socklen_t n = sizeof(a);

	if ((peer ? getpeername(fd, (void *)&a, &n) : getsockname(fd, (void *)&a, &n)) < 0)
		return strerror(errno);
	CHECK_EQ(n, sizeof(a));
	CHECK_EQ(a.sin6_scope_id, 0);
	(void)getnameinfo((void *)&a, n, host, sizeof(host), port, sizeof(port),
			  NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(text[peer], sizeof(text[peer]), "%s %s", host, peer ? port : "");
	return text[peer];
}

static int port_of(int fd)
{
	struct sockaddr_in6 a;
	socklen_t n = sizeof(a);

	CHECK_EQ(getsockname(fd, (void *)&a, &n), 0);
	return ntohs(a.sin6_port);
}

static void talk(int c, int s)
{
	char buf[10];

	CHECK_EQ(write(c, "ask", 3), 3);
	CHECK_EQ(read(s, buf, sizeof(buf)), 3);
	CHECK_EQ(write(s, "answer", 6), 6);
	CHECK_EQ(read(c, buf, sizeof(buf)), 6);
}

TEST(both_families)
{
	int l = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), c, s, port;
	struct sockaddr_in a4;

	CHECK_EQ(get(l, SOL_IPV6, IPV6_V6ONLY), 0);
	CHECK_STR(name_of(l, 0), ":: ");
	CHECK_EQ(bind6(l, "::", 0), 0);
	CHECK_EQ(listen(l, 5), 0);
	CHECK_STR(name_of(l, 0), ":: ");
	port = port_of(l);
	c = socket(AF_INET, SOCK_STREAM, 0);
	a4 = four("127.0.0.1", port);
	CHECK_EQ(connect(c, (void *)&a4, sizeof(a4)), 0);
	s = accept(l, NULL, NULL);
	CHECK_STR(name_of(s, 0), "::ffff:127.0.0.1 ");
	CHECK_EQ(strncmp(name_of(s, 1), "::ffff:127.0.0.1 ", 17), 0);
	CHECK_EQ(get(s, SOL_SOCKET, SO_DOMAIN), AF_INET6);
	talk(c, s);
	close(c);
	close(s);
	c = socket(AF_INET6, SOCK_STREAM, 0);
	CHECK_EQ(connect6(c, "::1", port), 0);
	s = accept(l, NULL, NULL);
	CHECK_STR(name_of(s, 0), "::1 ");
	CHECK_EQ(strncmp(name_of(s, 1), "::1 ", 4), 0);
	CHECK_STR(name_of(c, 0), "::1 ");
	talk(c, s);
	close(c);
	close(s);
	c = socket(AF_INET6, SOCK_STREAM, 0);
	CHECK_EQ(connect6(c, "::ffff:127.0.0.1", port), 0);
	s = accept(l, NULL, NULL);
	CHECK_STR(name_of(c, 0), "::ffff:127.0.0.1 ");
	talk(c, s);
	close(c);
	close(s);
	c = socket(AF_INET6, SOCK_STREAM, 0);
	CHECK_EQ(connect6(c, "::", port), 0); /* "any" is the loopback address */
	CHECK_EQ(strncmp(name_of(c, 1), "::1 ", 4), 0);
	close(c);
	close(l);
}

TEST(only_ip6)
{
	int l = socket(AF_INET6, SOCK_STREAM, 0), c, port;

	CHECK_EQ(set(l, SOL_IPV6, IPV6_V6ONLY, 7), 0);
	CHECK_EQ(get(l, SOL_IPV6, IPV6_V6ONLY), 1);
	CHECK_EQ(bind6(l, "::ffff:127.0.0.1", 0), EINVAL);
	CHECK_EQ(bind6(l, "::", 0), 0);
	CHECK_EQ(set(l, SOL_IPV6, IPV6_V6ONLY, 0), EINVAL);
	CHECK_EQ(listen(l, 5), 0);
	port = port_of(l);
	c = socket(AF_INET6, SOCK_STREAM, 0);
	CHECK_EQ(connect6(c, "::ffff:127.0.0.1", port), ECONNREFUSED);
	close(c);
	c = socket(AF_INET6, SOCK_STREAM, 0);
	CHECK_EQ(set(c, SOL_IPV6, IPV6_V6ONLY, 1), 0);
	CHECK_EQ(connect6(c, "::ffff:127.0.0.1", port), ENETUNREACH);
	CHECK_EQ(connect6(c, "::1", port), 0);
	close(c);
	c = socket(AF_INET6, SOCK_DGRAM, 0);
	CHECK_EQ(set(c, SOL_IPV6, IPV6_V6ONLY, 1), 0);
	CHECK_EQ(connect6(c, "::ffff:127.0.0.1", port), ENETUNREACH);
	close(c);
	c = socket(AF_INET6, SOCK_STREAM, 0);
	CHECK_EQ(bind6(c, "::1", 0), 0);
	CHECK_EQ(get(c, SOL_IPV6, IPV6_V6ONLY), 1);
	close(c);
	close(l);
}

TEST(bad_names)
{
	struct sockaddr_in6 a = six("::", 0);
	struct sockaddr_in a4 = four("127.0.0.1", 0);

	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		int s = socket(AF_INET6, type, 0);

		a = six("::", 0);
		CHECK_EQ(error_of(bind(s, (void *)&a, 23)), EINVAL);
		CHECK_EQ(error_of(bind(s, (void *)&a4, sizeof(a4))), EINVAL);
		a.sin6_family = AF_INET;
		CHECK_EQ(error_of(bind(s, (void *)&a, sizeof(a))), EAFNOSUPPORT);
		CHECK_EQ(bind6(s, "2001:db8::99", 0), EADDRNOTAVAIL);
		CHECK_EQ(bind6(s, "fe80::99", 0), EINVAL); /* no scope */
		a = six("fe80::99", 0);
		a.sin6_scope_id = 4000;
		CHECK_EQ(error_of(bind(s, (void *)&a, sizeof(a))), ENODEV);
		a = six("::1", 9);
		CHECK_EQ(error_of(connect(s, (void *)&a, 23)), EINVAL);
		close(s);
	}
	{
		int s = socket(AF_INET6, SOCK_STREAM, 0),
		    four_only = socket(AF_INET, SOCK_STREAM, 0);

		CHECK_EQ(bind6(s, "ff02::1", 0), EINVAL);
		CHECK_EQ(connect6(s, "ff02::1", 9), ENETUNREACH);
		CHECK_EQ(error_of(connect(s, (void *)&a4, sizeof(a4))), EINVAL);
		a = six("::1", 9);
		CHECK_EQ(error_of(connect(four_only, (void *)&a, sizeof(a))), EAFNOSUPPORT);
		CHECK_EQ(error_of(bind(four_only, (void *)&a, sizeof(a))), EAFNOSUPPORT);
		close(s);
		close(four_only);
		s = socket(AF_INET6, SOCK_STREAM, 0);
		a = six("::ffff:127.0.0.1", 0);
		CHECK_EQ(error_of(bind(s, (void *)&a, 24)), 0); /* RFC 2133's, without a scope */
		CHECK_EQ(connect6(s, "::1", 9), EAFNOSUPPORT);
		CHECK_EQ(connect6(s, "::", 9), ECONNREFUSED); /* 127.0.0.1 */
		close(s);
	}
	CHECK_EQ(error_of(socket(AF_INET6, SOCK_STREAM, IPPROTO_UDP)), EPROTONOSUPPORT);
	CHECK_EQ(error_of(socketpair(AF_INET6, SOCK_STREAM, 0, (int[2]){ 0 })), EOPNOTSUPP);
}

/* Every kind of local address after every other, on one port: which pairs Linux refuses. */
TEST(conflicts)
{
	static const struct {
		const char *four, *six;
		bool only;
	} kinds[] = { { "0.0.0.0", NULL, false },
		      { "127.0.0.1", NULL, false },
		      { NULL, "::", false },
		      { NULL, "::", true },
		      { NULL, "::1", false },
		      { NULL, "::ffff:127.0.0.1", false },
		      { NULL, "::ffff:0.0.0.0", false } };
	enum { N = sizeof(kinds) / sizeof(kinds[0]) };
	static const char refused[N][N + 1] = { "1110011", "1110011", "1111111", "0011100",
						"0011100", "1110011", "1110011" };

	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		for (unsigned i = 0; i < N * N; i++) {
			int fd[2], port = 20000 + (int)i;

			for (int k = 0; k < 2; k++) {
				unsigned kind = k == 0 ? i / N : i % N;
				int r;

				fd[k] = socket(kinds[kind].four ? AF_INET : AF_INET6, type, 0);
				if (kinds[kind].only)
					CHECK_EQ(set(fd[k], SOL_IPV6, IPV6_V6ONLY, 1), 0);
				if (kinds[kind].four) {
					struct sockaddr_in a = four(kinds[kind].four, port);

					r = error_of(bind(fd[k], (void *)&a, sizeof(a)));
				} else {
					r = bind6(fd[k], kinds[kind].six, port);
				}
				if (r != (k == 1 && refused[i / N][i % N] == '1' ? EADDRINUSE : 0))
					printf("type %d, %u after %u\n", type, i % N, i / N);
				CHECK_EQ(r,
					 k == 1 && refused[i / N][i % N] == '1' ? EADDRINUSE : 0);
			}
			close(fd[0]);
			close(fd[1]);
		}
	}
}

/* What is told of a datagram: where from, and by IPV6_PKTINFO where to. */
static void receive(int fd, const char *from, const char *to)
{
	char control[100], bytes[10], text[80];
	struct sockaddr_in6 name;
	struct iovec iov = { bytes, sizeof(bytes) };
	struct msghdr h = { &name, sizeof(name), &iov, 1, control, sizeof(control), 0 };
	struct cmsghdr *c;

	CHECK_EQ(recvmsg(fd, &h, 0), 5);
	CHECK_EQ(h.msg_namelen, sizeof(name));
	CHECK_STR(inet_ntop(AF_INET6, &name.sin6_addr, text, sizeof(text)), from);
	c = CMSG_FIRSTHDR(&h);
	CHECK(c != NULL && c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_PKTINFO);
	if (c == NULL)
		return;
	CHECK_EQ(c->cmsg_len, CMSG_LEN(sizeof(struct in6_pktinfo)));
	CHECK_STR(inet_ntop(AF_INET6, &((struct in6_pktinfo *)(void *)CMSG_DATA(c))->ipi6_addr,
			    text, sizeof(text)),
		  to);
	CHECK_EQ(((struct in6_pktinfo *)(void *)CMSG_DATA(c))->ipi6_ifindex, 1);
}

TEST(datagrams)
{
	int s = socket(AF_INET6, SOCK_DGRAM, 0), c = socket(AF_INET6, SOCK_DGRAM, 0), port;
	struct sockaddr_in6 to;
	struct sockaddr_in to4;
	char buf[10];

	CHECK_EQ(bind6(s, "::", 0), 0);
	port = port_of(s);
	CHECK_EQ(set(s, SOL_IPV6, IPV6_RECVPKTINFO, 1), 0);
	to = six("::ffff:127.0.0.1", port);
	CHECK_EQ(sendto(c, "query", 5, 0, (void *)&to, sizeof(to)), 5);
	receive(s, "::ffff:127.0.0.1", "::ffff:127.0.0.1");
	to4 = four("127.0.0.1", port);
	CHECK_EQ(sendto(c, "query", 5, 0, (void *)&to4, sizeof(to4)), 5); /* an IPv4 name will do */
	receive(s, "::ffff:127.0.0.1", "::ffff:127.0.0.1");
	to = six("::1", port);
	CHECK_EQ(sendto(c, "query", 5, 0, (void *)&to, sizeof(to)), 5);
	receive(s, "::1", "::1");
	CHECK_EQ(connect6(c, "::1", port), 0);
	CHECK_STR(name_of(c, 0), "::1 ");
	CHECK_EQ(write(c, "query", 5), 5);
	receive(s, "::1", "::1");
	to = six("::1", port_of(c));
	CHECK_EQ(sendto(s, "back", 4, 0, (void *)&to, sizeof(to)), 4);
	CHECK_EQ(read(c, buf, sizeof(buf)), 4);
	/* connected to one family, it hears nothing of the other */
	to = six("::ffff:127.0.0.1", port_of(c));
	CHECK_EQ(sendto(s, "stray", 5, 0, (void *)&to, sizeof(to)), 5);
	CHECK_EQ(error_of((int)recv(c, buf, sizeof(buf), MSG_DONTWAIT)), EAGAIN);
	close(c);
	close(s);
}

TEST(options)
{
	static const struct {
		int opt, initial, value, after;
	} table[] = {
		{ IPV6_UNICAST_HOPS, 64, 5, 5 },  { IPV6_UNICAST_HOPS, 5, -1, 64 },
		{ IPV6_MULTICAST_HOPS, 1, 9, 9 }, { IPV6_MULTICAST_HOPS, 9, -1, 1 },
		{ IPV6_MULTICAST_LOOP, 1, 0, 0 }, { IPV6_MTU_DISCOVER, 1, 2, 2 },
		{ IPV6_RECVERR, 0, 3, 1 },	  { IPV6_RECVPKTINFO, 0, 1, 1 },
		{ IPV6_RECVHOPLIMIT, 0, 1, 1 },	  { IPV6_RECVTCLASS, 0, 1, 1 },
		{ IPV6_TCLASS, 0, 0x28, 0x28 },	  { IPV6_TCLASS, 0x28, -1, 0 },
		{ IPV6_DONTFRAG, 0, 1, 1 },	  { IPV6_V6ONLY, 0, 1, 1 },
	};
	int s = socket(AF_INET6, SOCK_DGRAM, 0), four_only = socket(AF_INET, SOCK_DGRAM, 0);

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		CHECK_EQ(get(s, SOL_IPV6, table[i].opt), table[i].initial);
		CHECK_EQ(set(s, SOL_IPV6, table[i].opt, table[i].value), 0);
		CHECK_EQ(get(s, SOL_IPV6, table[i].opt), table[i].after);
	}
	CHECK_EQ(set(s, SOL_IPV6, IPV6_UNICAST_HOPS, 256), EINVAL);
	CHECK_EQ(set(s, SOL_IPV6, IPV6_TCLASS, 256), EINVAL);
	CHECK_EQ(set(s, SOL_IPV6, IPV6_MTU_DISCOVER, 6), EINVAL);
	CHECK_EQ(set(s, SOL_IPV6, 250, 1), ENOPROTOOPT);
	CHECK_EQ(set(s, SOL_IP, IP_TOS, 16), 0); /* for its IPv4 */
	CHECK_EQ(get(s, SOL_IP, IP_TOS), 16);
	CHECK_EQ(set(four_only, SOL_IPV6, IPV6_V6ONLY, 1), ENOPROTOOPT);
	close(s);
	close(four_only);
}

TEST(names_resolve)
{
	struct addrinfo hints = { .ai_family = AF_INET6, .ai_socktype = SOCK_STREAM }, *ai = NULL;
	FILE *f = fopen("/proc/net/if_inet6", "r");
	char line[200], ip[40];
	bool lo = false;

	CHECK_EQ(getaddrinfo("::1", "80", &hints, &ai), 0);
	if (ai != NULL) {
		CHECK_EQ(ai->ai_addrlen, sizeof(struct sockaddr_in6));
		freeaddrinfo(ai);
	}
	CHECK(f != NULL);
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		unsigned index, prefix, scope, flags;
		char name[20];

		CHECK_EQ(sscanf(line, "%39s %x %x %x %x %19s", ip, &index, &prefix, &scope, &flags,
				name),
			 6);
		CHECK_EQ(strlen(ip), 32);
		lo |= strcmp(ip, "00000000000000000000000000000001") == 0 && index == 1 &&
		      prefix == 128 && scope == 0x10 && flags == 0x80 && strcmp(name, "lo") == 0;
	}
	CHECK(lo);
	if (f != NULL)
		fclose(f);
}

/* ---- serve ---- */

static void tell(char *to, size_t size, const struct sockaddr_in6 *peer,
		 const struct in6_addr *local)
{
	char host[80], own[80];

	inet_ntop(AF_INET6, &peer->sin6_addr, host, sizeof(host));
	inet_ntop(AF_INET6, local, own, sizeof(own));
	snprintf(to, size, "you %s, I %s\n", host, own);
}

static void serve_stream(int l)
{
	struct sockaddr_in6 peer, own;
	socklen_t n = sizeof(peer), k = sizeof(own);
	int s = accept(l, (void *)&peer, &n);
	char text[200], buf[4096];
	ssize_t got;

	if (s < 0 || getsockname(s, (void *)&own, &k) < 0)
		return;
	tell(text, sizeof(text), &peer, &own.sin6_addr);
	got = write(s, text, strlen(text));
	while (got >= 0 && (got = read(s, buf, sizeof(buf))) > 0)
		got = write(s, buf, (size_t)got);
	close(s);
}

static void serve_datagram(int u)
{
	static char bytes[70000];
	char control[100], text[200];
	struct sockaddr_in6 name;
	struct iovec iov = { bytes, sizeof(bytes) };
	struct msghdr h = { &name, sizeof(name), &iov, 1, control, sizeof(control), 0 };
	ssize_t got = recvmsg(u, &h, 0);
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);

	if (got < 0 || c == NULL)
		return;
	if (got == 3 && memcmp(bytes, "who", 3) == 0) {
		tell(text, sizeof(text), &name,
		     &((struct in6_pktinfo *)(void *)CMSG_DATA(c))->ipi6_addr);
		(void)!sendto(u, text, strlen(text), 0, (void *)&name, h.msg_namelen);
	} else {
		(void)!sendto(u, bytes, (size_t)got, 0, (void *)&name, h.msg_namelen);
	}
}

static int serve(int port)
{
	int l = socket(AF_INET6, SOCK_STREAM, 0), u = socket(AF_INET6, SOCK_DGRAM, 0);
	struct pollfd p[2] = { { l, POLLIN, 0 }, { u, POLLIN, 0 } };

	if (set(l, SOL_SOCKET, SO_REUSEADDR, 1) || set(u, SOL_IPV6, IPV6_RECVPKTINFO, 1) ||
	    bind6(l, "::", port) || bind6(u, "::", port) || listen(l, 10))
		return 1;
	printf("serving\n");
	fflush(stdout);
	while (poll(p, 2, -1) > 0) {
		if (p[0].revents)
			serve_stream(l);
		if (p[1].revents)
			serve_datagram(u);
	}
	return 1;
}

#define main unit
UNIT_MAIN(CASE(both_families), CASE(only_ip6), CASE(bad_names), CASE(conflicts), CASE(datagrams),
	  CASE(options), CASE(names_resolve))
#undef main

int main(int argc, char **argv)
{
	return argc == 3 && strcmp(argv[1], "serve") == 0 ? serve(atoi(argv[2])) : unit();
}
