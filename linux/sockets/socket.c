/* SPDX-License-Identifier: Apache-2.0 */
/* socket.c - what every socket has: its file, waiting, errors, and the file operations that are not
 * a family's own hot path. */
#include "linux/files/stat.h"
#include "linux/report.h"
#include "linux/sockets/socket_internal.h"
#include "linux/sockets/sockets.h"
#include "linux/sockets/tcp.h"

const char socket_kind[] = "socket";

void socket_init(struct socket *s, const struct socket_ops *ops, int domain, int type, int protocol)
{
	s->ops = ops;
	waitq_init(&s->wq);
	s->domain = (uint16_t)domain;
	s->type = (uint16_t)type;
	s->protocol = (uint16_t)protocol;
	s->linger_s = -1;
	socket_default_options(s);
}

int socket_install(struct socket *s, uint32_t flags)
{
	struct file *f =
		file_create(&s->ops->file, 2u /* O_RDWR */ | (flags & SOCK_NONBLOCK), s, &s->wq);
	int fd;

	if (!f)
		return -ENOMEM;
	s->file = f;
	fd = fd_install(f, 0, flags & SOCK_CLOEXEC);
	if (fd < 0) {
		s->file = NULL;
		f->object = NULL; /* release then leaves the socket alone */
		file_put(f);
	}
	return fd;
}

struct socket *socket_get(int fd, struct file **f, int *err)
{
	*f = fd_file(fd);
	if (!*f) {
		*err = -EBADF;
		return NULL;
	}
	if ((*f)->ops->kind != socket_kind) {
		file_put(*f);
		*err = -ENOTSOCK;
		return NULL;
	}
	return (*f)->object;
}

uint64_t socket_deadline(uint64_t timeout_ns)
{
	return timeout_ns == 0 ? GW_NEVER : clock_now() + timeout_ns;
}

int socket_wait(struct socket *s, uint32_t events, uint32_t msg_flags, uint64_t deadline_ns)
{
	uint64_t since;
	int r;

	if (msg_flags & MSG_DONTWAIT)
		return -EAGAIN;
	since = clock_now();
	r = file_wait(s->file, events, deadline_ns);
	if (MEASURE && r != -EAGAIN) /* it is not a non-blocking one */
		latency_record(&shard_self()->latency[events & POLLIN ? LATENCY_SOCKET_RECV
								      : LATENCY_SOCKET_SEND],
			       clock_now() - since);
	if (r == -ETIMEDOUT)
		return -EAGAIN;
	/* A call with a timeout is not restarted (signal(7)): the time would start again. */
	if (r == -ERESTARTSYS && deadline_ns != GW_NEVER)
		return -EINTR;
	return r;
}

long socket_epipe(uint32_t msg_flags)
{
	if (!(msg_flags & MSG_NOSIGNAL)) {
		struct siginfo64 info = { .signo = SIGPIPE };

		info.u.sender.pid = process_self()->pid;
		info.u.sender.uid = process_self()->uid;
		signal_send(thread_self(), &info);
	}
	return -EPIPE;
}

void sockets_each_shard(void (*fn)(void *), void *arg)
{
	for (uint32_t i = 0; i < n_shards; i++)
		shard_call(shards[i], fn, arg);
}

void socket_report_listen(const struct socket *s, const struct net_endpoint *at)
{
	static const char *const names[2][2] = { { "tcp", "tcp6" }, { "udp", "udp6" } };

	if (!endpoint_is_loopback(at))
		report_listen(
			names[s->type == SOCK_DGRAM][at->family == 6 && !socket_is_dual(s, at)],
			at->port);
}

long socket_file_read(struct file *f, struct uio *u, int64_t off)
{
	struct socket *s = f->object;
	struct sock_msg m = { .uio = u };

	return off >= 0 ? -ESPIPE : s->ops->recv(s, &m);
}

long socket_file_write(struct file *f, struct uio *u, int64_t off)
{
	struct socket *s = f->object;
	struct sock_msg m = { .uio = u };

	return off >= 0 ? -ESPIPE : s->ops->send(s, &m);
}

long socket_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
	struct socket *s = f->object;
	int32_t value = 0;

	switch ((uint32_t)cmd) {
	case FIONREAD:
	case SIOCOUTQ: {
		int64_t n = s->ops->queued(s, (uint32_t)cmd == SIOCOUTQ);

		if (n < 0)
			return (long)n;
		value = (int32_t)GW_MIN(n, INT32_MAX);
		break;
	}
	case SIOCATMARK:
		break;
	default:
		return socket_if_ioctl((uint32_t)cmd, arg);
	}
	return copy_to_program(arg, &value, sizeof(value));
}

int socket_stat(struct file *f, struct stat64 *out)
{
	/* as Linux's sockfs: an inode number of its own, nothing else */
	*out = (struct stat64){
		.dev = 8,
		.ino = (uint64_t)(uintptr_t)f->object >> 4 & 0xffffffff,
		.nlink = 1,
		.mode = 0140777,
		.uid = process_self()->uid,
		.gid = process_self()->gid,
		.blksize = 4096,
	};
	return 0;
}

static struct spinlock dying_lock;
static struct scm *dying;
static bool dropping; /* someone takes what is in dying */

/* A file's release may call this again for what lay in its queue: that is left to the caller
 * already at work, so that a chain of sockets in sockets does not use up the stack. */
void scm_free(struct scm *s)
{
	if (!s)
		return;
	spin_lock(&dying_lock);
	s->next = dying;
	dying = s;
	if (dropping) {
		spin_unlock(&dying_lock);
		return;
	}
	dropping = true;
	while ((s = dying) != NULL) {
		dying = s->next;
		spin_unlock(&dying_lock);
		for (uint32_t i = 0; i < s->n; i++)
			file_put(s->file[i]);
		mem_free(s, scm_size(s->n));
		spin_lock(&dying_lock);
	}
	dropping = false;
	spin_unlock(&dying_lock);
}

void sockets_stats(uint64_t *connections, uint64_t *packets_in, uint64_t *packets_out)
{
	*connections = *packets_in = *packets_out = 0;
	for (uint32_t i = 0; i < n_shards; i++) {
		const struct net_counters *c;

		if (!shards[i] || !shards[i]->net)
			continue;
		c = net_counters(shards[i]->net);
		*connections += c->conns_accepted + c->conns_opened;
		*packets_in += c->rx_packets;
		*packets_out += c->tx_packets;
	}
}

static void init_shard(void *unused)
{
	(void)unused;
	if (shard_self()->net) {
		tcp_sockets_init_shard(shard_self()->net);
		udp_sockets_init_shard(shard_self()->net);
	}
}

int sockets_init(void)
{
	sockets_each_shard(init_shard, NULL);
	return tcp_trace_init();
}
