/* SPDX-License-Identifier: Apache-2.0 */
/* msg.c - sendmsg, recvmsg and their many-message forms: the vectors and the control messages
 * (SCM_RIGHTS, SCM_CREDENTIALS, IP_PKTINFO, IPV6_PKTINFO, SO_TIMESTAMP). Everything is copied from
 * the program once and checked. */
#include "linux/sockets/socket_internal.h"

SYSCALL_FN(sendmsg);
SYSCALL_FN(recvmsg);
SYSCALL_FN(sendmmsg);
SYSCALL_FN(recvmmsg);

#define IOV_FAST 8u
#define IOV_MAX 1024u
#define CONTROL_MAX 4096u /* bytes of control that we look at: above what SCM_MAX_FD needs */
#define CMSG_ALIGN(n) (((n) + 7) & ~(uint64_t)7)

_Static_assert(sizeof(struct uio_segment) == 16, "a segment is laid out as struct iovec");

struct vector {
	struct uio uio;
	struct uio_segment *seg;
	struct uio_segment fast[IOV_FAST];
};

static void vector_free(struct vector *v, uint64_t n)
{
	if (v->seg != v->fast)
		mem_free(v->seg, n * sizeof(*v->seg));
}

static int vector_from_program(struct vector *v, uint64_t va, uint64_t n)
{
	uint64_t left = 0;

	v->seg = v->fast;
	if (n > IOV_MAX)
		return -EMSGSIZE;
	if (n > IOV_FAST) {
		v->seg = mem_alloc(n * sizeof(*v->seg));
		if (!v->seg)
			return -ENOMEM;
	}
	if (n != 0 && copy_from_program(v->seg, va, n * sizeof(*v->seg)) < 0)
		goto fault;
	for (uint64_t i = 0; i < n; i++) {
		if (!program_range(v->seg[i].va, v->seg[i].len))
			goto fault;
		v->seg[i].len = GW_MIN(v->seg[i].len, (uint64_t)(INT32_MAX - 4095) - left);
		left += v->seg[i].len;
	}
	v->uio = (struct uio){ .seg = v->seg, .n = (uint32_t)n, .left = left };
	return 0;
fault:
	vector_free(v, n);
	return -EFAULT;
}

/* ---- control out of the program ---- */
static int rights_from(struct sock_msg *m, const uint8_t *data, uint64_t len)
{
	uint32_t n = (uint32_t)(len / sizeof(int32_t)), have = m->scm ? m->scm->n : 0;
	struct scm *scm;

	if (n == 0)
		return 0;
	if (n + have > SCM_MAX_FD)
		return -EINVAL;
	scm = mem_alloc(scm_size(n + have));
	if (!scm)
		return -ENOMEM;
	scm->n = 0;
	if (m->scm) {
		memcpy(scm->file, m->scm->file, have * sizeof(struct file *));
		mem_free(m->scm, scm_size(have));
	}
	m->scm = scm;
	for (uint32_t i = 0; i < n; i++) {
		int32_t fd;

		memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
		scm->file[have + i] = fd_file(fd);
		if (!scm->file[have + i]) {
			for (uint32_t k = 0; k < have + i; k++)
				file_put(scm->file[k]);
			mem_free(scm, scm_size(n + have));
			m->scm = NULL;
			return -EBADF;
		}
	}
	scm->n = n + have;
	return 0;
}

static int control_parse(struct sock_msg *m, const uint8_t *buf, uint64_t len)
{
	uint64_t at = 0;

	while (at + sizeof(struct cmsghdr64) <= len) {
		struct cmsghdr64 h;
		int r = 0;

		memcpy(&h, buf + at, sizeof(h));
		if (h.len < sizeof(h) || h.len > len - at)
			return -EINVAL;
		if (h.level == SOL_SOCKET && h.type == SCM_RIGHTS)
			r = rights_from(m, buf + at + sizeof(h), h.len - sizeof(h));
		/* Others (credentials: one user; packet info: one device) have nothing to choose.
		 */
		if (r < 0)
			return r;
		at += CMSG_ALIGN(h.len);
	}
	return 0;
}

static int control_from_program(struct sock_msg *m, const struct msghdr64 *h)
{
	uint8_t *buf;
	int r;

	if (h->control == 0 || h->controllen == 0)
		return 0;
	if (h->controllen > CONTROL_MAX)
		return -ENOBUFS;
	buf = mem_alloc(h->controllen);
	if (!buf)
		return -ENOBUFS;
	r = copy_from_program(buf, h->control, h->controllen);
	if (r == 0)
		r = control_parse(m, buf, h->controllen);
	mem_free(buf, h->controllen);
	if (r < 0) {
		scm_free(m->scm);
		m->scm = NULL;
	}
	return r;
}

/* ---- control to the program ---- */
struct control_out {
	uint64_t va, room, used;
	uint32_t *flags;
};

/* One control message, cut to the room (MSG_CTRUNC). */
static int control_put(struct control_out *c, int level, int type, const void *data, uint64_t n)
{
	struct cmsghdr64 h = { sizeof(h) + n, level, type };
	uint64_t room = c->room - c->used;

	if (room < sizeof(h)) {
		*c->flags |= MSG_CTRUNC;
		return 0;
	}
	if (h.len > room) {
		*c->flags |= MSG_CTRUNC;
		h.len = room;
	}
	if (copy_to_program(c->va + c->used, &h, sizeof(h)) < 0 ||
	    copy_to_program(c->va + c->used + sizeof(h), data, h.len - sizeof(h)) < 0)
		return -EFAULT;
	c->used += GW_MIN(CMSG_ALIGN(h.len), room);
	return 0;
}

/* Descriptors for as many files as there is room for; the others are closed, as Linux does it. */
static int rights_put(struct control_out *c, struct scm *scm, bool cloexec)
{
	uint64_t room = c->room - c->used;
	uint32_t fits = room > sizeof(struct cmsghdr64)
				? (uint32_t)((room - sizeof(struct cmsghdr64)) / 4)
				: 0;
	struct cmsghdr64 h = { 0, SOL_SOCKET, SCM_RIGHTS };
	uint64_t at = c->va + c->used + sizeof(h);
	uint32_t n = 0;

	while (n < scm->n && n < fits) {
		int32_t fd = fd_install(file_get(scm->file[n]), 0, cloexec);

		if (fd < 0) {
			file_put(scm->file[n]);
			break;
		}
		if (copy_to_program(at + n * sizeof(fd), &fd, sizeof(fd)) < 0) {
			socket_drop_fd(fd);
			return -EFAULT;
		}
		n++;
	}
	if (n < scm->n)
		*c->flags |= MSG_CTRUNC;
	if (n == 0)
		return 0;
	h.len = sizeof(h) + n * sizeof(int32_t);
	if (copy_to_program(c->va + c->used, &h, sizeof(h)) < 0)
		return -EFAULT;
	c->used += GW_MIN(CMSG_ALIGN(h.len), room);
	return 0;
}

static int32_t interface_of(const struct net_endpoint *to)
{
	return endpoint_is_loopback(to) ? INTERFACE_LO : INTERFACE_ETH0;
}

static int control_to_program(struct socket *s, struct sock_msg *m, struct control_out *c)
{
	int r = 0;

	if (m->has_time && s->ints[SI_TIMESTAMP]) {
		uint64_t ns = m->time_ns + clock_epoch_ns();
		struct timeval64 tv = { (int64_t)(ns / NS_PER_SEC),
					(int64_t)(ns % NS_PER_SEC / NS_PER_US) };

		r = control_put(c, SOL_SOCKET, SO_TIMESTAMP, &tv, sizeof(tv));
	}
	if (r == 0 && m->has_to && m->to.family == 4 && s->ints[SI_PKTINFO]) {
		struct in_pktinfo64 info = { interface_of(&m->to), m->to.ip4, m->to.ip4 };

		r = control_put(c, SOL_IP, IP_PKTINFO, &info, sizeof(info));
	}
	if (r == 0 && m->has_to && s->ints[SI_PKTINFO6]) {
		struct in6_pktinfo64 info = { .ifindex = (uint32_t)interface_of(&m->to) };

		endpoint_to_in6(&m->to, info.addr);
		r = control_put(c, SOL_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	}
	if (r == 0 && m->has_creds && s->ints[SI_PASSCRED])
		r = control_put(c, SOL_SOCKET, SCM_CREDENTIALS, &m->creds, sizeof(m->creds));
	if (r == 0 && m->scm)
		r = rights_put(c, m->scm, m->flags & MSG_CMSG_CLOEXEC);
	return r;
}

/* ---- the calls ---- */
static long send_one(struct socket *s, uint64_t hdr_va, uint32_t flags)
{
	struct msghdr64 h;
	struct vector v;
	struct sock_name n;
	struct sock_msg m = { .uio = &v.uio, .flags = flags };
	long r;

	if (copy_from_program(&h, hdr_va, sizeof(h)) < 0)
		return -EFAULT;
	if (h.name != 0 && h.namelen != 0) {
		r = name_from_program(&n, h.name, h.namelen);
		if (r < 0)
			return r;
		m.name = &n;
	}
	r = vector_from_program(&v, h.iov, h.iovlen);
	if (r < 0)
		return r;
	r = control_from_program(&m, &h);
	if (r == 0) {
		r = s->ops->send(s, &m);
		scm_free(m.scm); /* what the family did not take */
	}
	vector_free(&v, h.iovlen);
	return r;
}

static long recv_one(struct socket *s, uint64_t hdr_va, uint32_t flags)
{
	struct msghdr64 h;
	struct vector v;
	struct sock_name n = { .len = 0 };
	struct sock_msg m = { .uio = &v.uio, .flags = flags, .name = &n, .control = true };
	struct control_out c;
	long r;

	if (copy_from_program(&h, hdr_va, sizeof(h)) < 0)
		return -EFAULT;
	r = vector_from_program(&v, h.iov, h.iovlen);
	if (r < 0)
		return r;
	r = s->ops->recv(s, &m);
	vector_free(&v, h.iovlen);
	c = (struct control_out){ h.control, h.control ? h.controllen : 0, 0, &m.out_flags };
	if (r >= 0 && control_to_program(s, &m, &c) < 0)
		r = -EFAULT;
	scm_free(m.scm);
	if (r < 0)
		return r;
	if (h.name != 0) {
		uint32_t k = GW_MIN(n.len, h.namelen);

		if (k != 0 && copy_to_program(h.name, n.u.raw, k) < 0)
			return -EFAULT;
		h.namelen = n.len;
	}
	h.controllen = c.used;
	h.flags = m.out_flags | (flags & MSG_CMSG_CLOEXEC);
	return copy_to_program(hdr_va, &h, sizeof(h)) < 0 ? -EFAULT : r;
}

static long one_message(const struct gw_regs *r, long (*fn)(struct socket *, uint64_t, uint32_t))
{
	struct file *f;
	int err;
	struct socket *s = socket_get((int)r->rdi, &f, &err);
	long ret;

	if (!s)
		return err;
	ret = fn(s, r->rsi, (uint32_t)r->rdx);
	file_put(f);
	return ret;
}

long sys_sendmsg(struct thread *t, struct gw_regs *r)
{
	(void)t;
	return one_message(r, send_one);
}

long sys_recvmsg(struct thread *t, struct gw_regs *r)
{
	(void)t;
	return one_message(r, recv_one);
}

long sys_sendmmsg(struct thread *t, struct gw_regs *r)
{
	struct file *f;
	int err;
	struct socket *s = socket_get((int)r->rdi, &f, &err);
	uint32_t n = GW_MIN((uint32_t)r->rdx, IOV_MAX), done = 0;
	long ret = 0;

	(void)t;
	if (!s)
		return err;
	for (; done < n; done++) {
		uint64_t va = r->rsi + done * sizeof(struct mmsghdr64);
		uint32_t len;

		ret = send_one(s, va, (uint32_t)r->r10);
		if (ret < 0)
			break;
		len = (uint32_t)ret;
		if (copy_to_program(va + offsetof(struct mmsghdr64, len), &len, sizeof(len)) < 0) {
			ret = -EFAULT;
			break;
		}
	}
	file_put(f);
	return done != 0 || n == 0 ? (long)done : ret;
}

long sys_recvmmsg(struct thread *t, struct gw_regs *r)
{
	struct file *f;
	int err;
	struct socket *s = socket_get((int)r->rdi, &f, &err);
	uint32_t n = GW_MIN((uint32_t)r->rdx, IOV_MAX), done = 0, flags = (uint32_t)r->r10;
	uint64_t deadline = GW_NEVER;
	int64_t ts[2]; /* struct timespec; looked at after each message, as Linux does */
	long ret = 0;

	(void)t;
	if (!s)
		return err;
	if (r->r8 != 0) {
		if (copy_from_program(ts, r->r8, sizeof(ts)) < 0)
			ret = -EFAULT;
		else if (ts[0] < 0 || ts[1] < 0 || ts[1] >= (int64_t)NS_PER_SEC)
			ret = -EINVAL;
		else if (ts[0] < 1000000000)
			deadline = clock_now() + (uint64_t)ts[0] * NS_PER_SEC + (uint64_t)ts[1];
	}
	while (ret >= 0 && done < n) {
		uint64_t va = r->rsi + done * sizeof(struct mmsghdr64);
		uint32_t len;

		ret = recv_one(s, va, flags & ~MSG_WAITFORONE);
		if (ret < 0)
			break;
		len = (uint32_t)ret;
		if (copy_to_program(va + offsetof(struct mmsghdr64, len), &len, sizeof(len)) < 0) {
			ret = -EFAULT;
			break;
		}
		done++;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (deadline != GW_NEVER && clock_now() >= deadline)
			break;
	}
	file_put(f);
	return done != 0 ? (long)done : ret;
}
