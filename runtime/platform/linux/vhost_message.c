/* SPDX-License-Identifier: Apache-2.0 */
/* vhost_message.c - sending and hearing vhost-user messages. The back end's answers are bounded and
 * checked. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "runtime/platform/linux/vhost_message.h"

#define VERSION 1u
#define IS_REPLY 4u
#define ANSWER_MS 5000

int vhost_fd = -1;

void vhost_tell(struct vu_message *m, uint32_t request, uint32_t size, int fd)
{
	struct iovec iov = { m, VHOST_HEADER + size };
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	m->request = request;
	m->flags = VERSION;
	m->size = size;
	if (fd >= 0) {
		struct cmsghdr *c;

		h.msg_control = control;
		h.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	n = sendmsg(vhost_fd, &h, MSG_NOSIGNAL);
	if (n != (ssize_t)(VHOST_HEADER + size))
		log_warn("vhost-user: the back end takes no message %u: %s", request,
			 n < 0 ? strerror(errno) : "cut short");
}

void vhost_tell_u64(uint32_t request, uint64_t v, int fd)
{
	struct vu_message m = { .u.u64 = v };

	vhost_tell(&m, request, sizeof(m.u.u64), fd);
}

void vhost_tell_state(uint32_t request, uint32_t index, uint32_t num)
{
	struct vu_message m = { .u.state = { index, num } };

	vhost_tell(&m, request, sizeof(m.u.state), -1);
}

bool vhost_hear(struct vu_message *m, uint32_t request, uint32_t n)
{
	size_t have = 0;

	while (have < VHOST_HEADER + n) {
		struct pollfd p = { .fd = vhost_fd, .events = POLLIN };
		ssize_t k = poll(&p, 1, ANSWER_MS) == 1
				    ? recv(vhost_fd, (char *)m + have, VHOST_HEADER + n - have, 0)
				    : -1;

		if (k <= 0)
			return false;
		have += (size_t)k;
	}
	return m->request == request && (m->flags & IS_REPLY) && m->size == n;
}

bool vhost_ask_u64(uint32_t request, uint64_t *v)
{
	struct vu_message m = { 0 };

	vhost_tell(&m, request, 0, -1);
	if (!vhost_hear(&m, request, sizeof(m.u.u64)))
		return false;
	*v = m.u.u64;
	return true;
}
