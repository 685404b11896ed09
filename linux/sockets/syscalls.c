/* SPDX-License-Identifier: Apache-2.0 */
/* syscalls.c - the socket system calls except sendmsg and recvmsg: arguments are copied and checked
 * here, then the family does the work. */
#include "linux/sockets/socket_internal.h"

SYSCALL_FN(socket);
SYSCALL_FN(socketpair);
SYSCALL_FN(bind);
SYSCALL_FN(listen);
SYSCALL_FN(accept);
SYSCALL_FN(accept4);
SYSCALL_FN(connect);
SYSCALL_FN(getsockname);
SYSCALL_FN(getpeername);
SYSCALL_FN(shutdown);
SYSCALL_FN(sendto);
SYSCALL_FN(recvfrom);
SYSCALL_FN(setsockopt);
SYSCALL_FN(getsockopt);

/* A call on the socket of the descriptor in rdi: the common frame. */
#define WITH_SOCKET(s, f)                                              \
	struct file *f;                                                \
	int socket_error = 0;                                          \
	struct socket *s = socket_get((int)r->rdi, &f, &socket_error); \
	if (!s)                                                        \
		return socket_error;                                   \
	(void)t

static int create(int domain, uint32_t type_flags, int protocol, struct socket **out)
{
	uint32_t flags = type_flags & ~SOCK_TYPE_MASK;
	int type = (int)(type_flags & SOCK_TYPE_MASK);

	if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	switch (domain) {
	case AF_UNIX:
		return unix_socket_create(type, protocol, out);
	case AF_INET:
	case AF_INET6:
		if (type == SOCK_STREAM)
			return tcp_socket_create(domain, protocol, out);
		if (type == SOCK_DGRAM)
			return udp_socket_create(domain, protocol, out);
		return type == SOCK_RAW ? -EPERM : -ESOCKTNOSUPPORT;
	default: /* netlink and the rest: programs do without */
		return -EAFNOSUPPORT;
	}
}

/* A socket that has no file yet goes away as one with a file does. */
static void destroy(struct socket *s)
{
	struct file dead = { .object = s };

	s->file = NULL;
	s->ops->file.release(&dead);
}

long sys_socket(struct thread *t, struct gw_regs *r)
{
	struct socket *s;
	int fd = create((int)r->rdi, (uint32_t)r->rsi, (int)r->rdx, &s);

	(void)t;
	if (fd < 0)
		return fd;
	fd = socket_install(s, (uint32_t)r->rsi & ~SOCK_TYPE_MASK);
	if (fd < 0)
		destroy(s);
	return fd;
}

/* The two files are made by socket_install, so a failure in the middle takes back the first
 * descriptor. */
long sys_socketpair(struct thread *t, struct gw_regs *r)
{
	uint32_t flags = (uint32_t)r->rsi & ~SOCK_TYPE_MASK;
	struct socket *a, *b;
	int fds[2], ret;

	(void)t;
	if ((int)r->rdi != AF_UNIX)
		return (int)r->rdi == AF_INET || (int)r->rdi == AF_INET6 ? -EOPNOTSUPP
									 : -EAFNOSUPPORT;
	ret = create(AF_UNIX, (uint32_t)r->rsi, (int)r->rdx, &a);
	if (ret < 0)
		return ret;
	ret = create(AF_UNIX, (uint32_t)r->rsi, (int)r->rdx, &b);
	if (ret < 0) {
		destroy(a);
		return ret;
	}
	ret = unix_socket_pair(a, b);
	fds[0] = ret < 0 ? ret : socket_install(a, flags);
	if (fds[0] < 0) {
		destroy(a);
		destroy(b);
		return fds[0];
	}
	fds[1] = socket_install(b, flags);
	if (fds[1] < 0) {
		destroy(b);
		socket_drop_fd(fds[0]);
		return fds[1];
	}
	if (copy_to_program(r->r10, fds, sizeof(fds)) < 0) {
		socket_drop_fd(fds[0]);
		socket_drop_fd(fds[1]);
		return -EFAULT;
	}
	return 0;
}

long sys_bind(struct thread *t, struct gw_regs *r)
{
	WITH_SOCKET(s, f);
	struct sock_name n;
	int ret = name_from_program(&n, r->rsi, (uint32_t)r->rdx);

	if (ret == 0)
		ret = s->ops->bind ? s->ops->bind(s, &n) : -EOPNOTSUPP;
	file_put(f);
	return ret;
}

long sys_listen(struct thread *t, struct gw_regs *r)
{
	WITH_SOCKET(s, f);
	int ret = s->ops->listen ? s->ops->listen(s, (int)r->rsi) : -EOPNOTSUPP;

	file_put(f);
	return ret;
}

static long accept_one(struct socket *s, uint64_t name_va, uint64_t len_va, uint32_t flags)
{
	uint64_t deadline = socket_deadline(s->rcvtimeo_ns);
	struct socket *child;
	struct sock_name n;
	int fd, ret;

	if (!s->ops->accept)
		return -EOPNOTSUPP;
	while ((ret = s->ops->accept(s, &child)) == -EAGAIN) {
		ret = socket_wait(s, POLLIN, 0, deadline);
		if (ret < 0)
			return ret;
	}
	if (ret < 0)
		return ret;
	if (name_va != 0 && s->ops->get_name(child, true, &n) < 0)
		n.len = 0; /* gone already: the program finds out by reading */
	fd = socket_install(child, flags);
	if (fd < 0) {
		s->ops->unaccept(s, child);
		return fd;
	}
	if (name_va != 0) {
		ret = name_to_program(&n, name_va, len_va);
		if (ret < 0) {
			socket_drop_fd(fd);
			return ret;
		}
	}
	return fd;
}

long sys_accept4(struct thread *t, struct gw_regs *r)
{
	WITH_SOCKET(s, f);
	uint32_t flags = (uint32_t)r->r10;
	long ret = flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC) ? -EINVAL
							   : accept_one(s, r->rsi, r->rdx, flags);

	file_put(f);
	return ret;
}

long sys_accept(struct thread *t, struct gw_regs *r)
{
	WITH_SOCKET(s, f);
	long ret = accept_one(s, r->rsi, r->rdx, 0);

	file_put(f);
	return ret;
}

long sys_connect(struct thread *t, struct gw_regs *r)
{
	WITH_SOCKET(s, f);
	struct sock_name n;
	int ret = name_from_program(&n, r->rsi, (uint32_t)r->rdx);

	if (ret == 0)
		ret = s->ops->connect(s, &n);
	file_put(f);
	return ret;
}

static long get_name(struct gw_regs *r, bool peer)
{
	struct thread *t = NULL;
	WITH_SOCKET(s, f);
	struct sock_name n;
	int ret = s->ops->get_name(s, peer, &n);

	if (ret == 0)
		ret = r->rsi == 0 ? -EFAULT : name_to_program(&n, r->rsi, r->rdx);
	file_put(f);
	return ret;
}

long sys_getsockname(struct thread *t, struct gw_regs *r)
{
	(void)t;
	return get_name(r, false);
}

long sys_getpeername(struct thread *t, struct gw_regs *r)
{
	(void)t;
	return get_name(r, true);
}

long sys_shutdown(struct thread *t, struct gw_regs *r)
{
	WITH_SOCKET(s, f);
	int how = (int)r->rsi;
	int ret = how < SHUT_RD || how > SHUT_RDWR ? -EINVAL : s->ops->shutdown(s, how);

	file_put(f);
	return ret;
}

long sys_sendto(struct thread *t, struct gw_regs *r)
{
	WITH_SOCKET(s, f);
	struct uio_segment seg;
	struct uio u;
	struct sock_name n;
	struct sock_msg m = { .uio = &u, .flags = (uint32_t)r->r10 };
	long ret = 0;

	if (r->rdx > INT32_MAX - 4095)
		r->rdx = INT32_MAX - 4095;
	if (!program_range(r->rsi, r->rdx)) {
		ret = -EFAULT;
	} else if (r->r8 != 0) {
		ret = name_from_program(&n, r->r8, (uint32_t)r->r9);
		m.name = &n;
	}
	if (ret == 0) {
		uio_one(&u, &seg, r->rsi, r->rdx, false);
		ret = s->ops->send(s, &m);
	}
	file_put(f);
	return ret;
}

long sys_recvfrom(struct thread *t, struct gw_regs *r)
{
	WITH_SOCKET(s, f);
	struct uio_segment seg;
	struct uio u;
	struct sock_name n;
	struct sock_msg m = { .uio = &u, .flags = (uint32_t)r->r10 };
	long ret = -EFAULT;

	if (r->rdx > INT32_MAX - 4095)
		r->rdx = INT32_MAX - 4095;
	if (r->r8 != 0) {
		n.len = 0;
		m.name = &n;
	}
	if (program_range(r->rsi, r->rdx)) {
		uio_one(&u, &seg, r->rsi, r->rdx, false);
		ret = s->ops->recv(s, &m);
	}
	file_put(f);
	if (ret >= 0 && m.name) {
		int e = name_to_program(&n, r->r8, r->r9);

		return e < 0 ? e : ret;
	}
	return ret;
}

long sys_setsockopt(struct thread *t, struct gw_regs *r)
{
	WITH_SOCKET(s, f);
	int ret = socket_setopt(s, (int)r->rsi, (int)r->rdx, r->r10, (uint32_t)r->r8);

	file_put(f);
	return ret;
}

long sys_getsockopt(struct thread *t, struct gw_regs *r)
{
	WITH_SOCKET(s, f);
	int ret = socket_getopt(s, (int)r->rsi, (int)r->rdx, r->r10, r->r8);

	file_put(f);
	return ret;
}
