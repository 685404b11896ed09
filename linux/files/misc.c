/* SPDX-License-Identifier: Apache-2.0 */
/* misc.c - memfd_create, inotify (accepted; nothing is ever reported: the one process knows what it
 * does). */
#include "linux/files/files_internal.h"

SYS(memfd_create)
{
	uint32_t flags = lo32(r->rsi);
	struct inode *i;
	struct file *f;
	char name[250];
	long n = copy_string_from_program(name, r->rdi, sizeof(name));

	if (n < 0)
		return n == -ENAMETOOLONG ? -EINVAL : n;
	if (flags & ~0x1bu) /* CLOEXEC, ALLOW_SEALING, NOEXEC_SEAL, EXEC; no huge pages */
		return -EINVAL;
	i = inode_create(S_IFREG | 0777, process_self()->euid, process_self()->egid);
	if (!i)
		return -ENOMEM;
	n = vfs_open_inode(i, O_RDWR, &f);
	inode_put(i);
	return n ? n : fd_give(f, flags & 1 ? O_CLOEXEC : 0);
}

/* ---- inotify ---- */
struct inotify {
	struct waitq wq;
	_Atomic int32_t watches;
};

static long inotify_read(struct file *f, struct uio *u, int64_t off)
{
	(void)u, (void)off;
	return file_wait(f, POLLIN, GW_NEVER);
}

static uint32_t inotify_poll(struct file *f)
{
	(void)f;
	return 0;
}

static void inotify_release(struct file *f)
{
	mem_free(f->object, sizeof(struct inotify));
}

static const struct file_ops inotify_ops = { .read = inotify_read,
					     .poll = inotify_poll,
					     .release = inotify_release,
					     .kind = "anon_inode:inotify" };

SYS(inotify_init1)
{
	uint32_t flags = lo32(r->rdi);
	struct inotify *in;
	struct file *f;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	in = mem_zalloc(sizeof(*in));
	if (!in)
		return -ENOMEM;
	waitq_init(&in->wq);
	f = file_create(&inotify_ops, flags & O_NONBLOCK, in, &in->wq);
	if (!f) {
		mem_free(in, sizeof(*in));
		return -ENOMEM;
	}
	return fd_give(f, flags);
}

SYS(inotify_init)
{
	struct gw_regs none = { 0 };

	return sys_inotify_init1(t, &none);
}

/* A new watch descriptor, or 0 to check one. */
static long watch(uint64_t fd, bool add)
{
	struct file *f = fd_get(fd_arg(fd));
	long n = -EINVAL;

	if (!f)
		return -EBADF;
	if (f->ops == &inotify_ops)
		n = add ? atomic_fetch_add(&((struct inotify *)f->object)->watches, 1) + 1 : 0;
	file_drop(f);
	return n;
}

SYS(inotify_add_watch)
{
	struct inode *i;
	int n = lookup_at(AT_FDCWD, r->rsi, 0, false, &i);

	if (n)
		return n;
	inode_put(i);
	return watch(r->rdi, true);
}

SYS(inotify_rm_watch)
{
	return watch(r->rdi, false);
}
