/* SPDX-License-Identifier: Apache-2.0 */
/* port.c - /dev/port: the partition's ends of channels as files (abi/port.h), one message a read or
 * write, and /dev/port/status, a line of text for each. */
#include "abi/port.h"
#include "linux/files/files_internal.h"
#include "runtime/platform/port.h"

static long port_file_read(struct file *f, struct uio *u, int64_t off)
{
	struct port *p = f->object;
	struct port_state s;
	uint8_t *message;
	long n;
	int r;

	(void)off;
	if (p->source)
		return -EBADF;
	if (u->left < p->bytes)
		return -EMSGSIZE;
	message = mem_alloc(p->bytes);
	if (!message)
		return -ENOMEM;
	while ((n = port_read(p, message, &s)) == -EAGAIN) {
		n = file_wait(f, POLLIN, GW_NEVER);
		if (n)
			break;
	}
	if (n > 0) {
		f->pos = (int64_t)s.time_ns;
		r = uio_put(u, message, (size_t)n);
		n = r ? r : n;
	}
	mem_free(message, p->bytes);
	return n;
}

static long port_file_write(struct file *f, struct uio *u, int64_t off)
{
	struct port *p = f->object;
	size_t n = u->left;
	uint8_t *message;
	int r;

	(void)off;
	if (!p->source)
		return -EBADF;
	if (n == 0 || n > p->bytes)
		return n == 0 ? 0 : -EMSGSIZE;
	message = mem_alloc(n);
	if (!message)
		return -ENOMEM;
	r = uio_get(u, message, n);
	while (!r && (r = port_write(p, message, n)) == -EAGAIN)
		r = file_wait(f, POLLOUT, GW_NEVER);
	mem_free(message, n);
	return r ? r : (long)n;
}

static uint32_t port_poll(struct file *f)
{
	struct port *p = f->object;
	struct port_state s;

	if (port_status(p, &s))
		return POLLERR;
	if (p->source)
		return p->depth == 0 || s.count < p->depth ? POLLOUT | POLLWRNORM : 0;
	return s.count && (p->depth || s.time_ns > (uint64_t)f->pos) ? POLLIN | POLLRDNORM : 0;
}

static long port_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
	struct port *p = f->object;
	struct gw_port_status out = { .message_bytes = p->bytes, .depth = p->depth };
	struct port_state s;
	int r;

	if ((uint32_t)cmd != GW_PORT_STATUS)
		return -ENOTTY;
	r = port_status(p, &s);
	if (r)
		return r;
	out.flags = (p->source ? GW_PORT_SOURCE : 0) | (p->depth ? GW_PORT_QUEUING : 0);
	out.messages = s.count;
	out.valid = s.valid;
	out.written_ns = s.time_ns;
	out.read_ns = (uint64_t)f->pos;
	return copy_to_program(arg, &out, sizeof(out));
}

static int64_t port_seek(struct file *f, int64_t off, int whence)
{
	(void)f, (void)off, (void)whence;
	return -ESPIPE;
}

static const struct file_ops port_ops = { .read = port_file_read,
					  .write = port_file_write,
					  .poll = port_poll,
					  .ioctl = port_ioctl,
					  .seek = port_seek };

static int port_open(struct inode *i, uint32_t flags, struct file **out)
{
	struct port *p = port_at((uint32_t)i->u.value);

	*out = file_create(&port_ops, flags, p, &p->waitq);
	if (!*out)
		return -ENOMEM;
	(*out)->inode = inode_get(i);
	return 0;
}

static const struct inode_ops port_inode_ops = { .open = port_open };

/* ---- the directory ---- */

static void status_text(struct text *t)
{
	for (uint32_t k = 0; k < port_count(); k++) {
		struct port *p = port_at(k);
		struct port_state s;

		if (!port_status(p, &s))
			text_add(t, "%s %s %s bytes=%u depth=%u messages=%u valid=%u age_us=%ld\n",
				 p->name, p->depth ? "queuing" : "sampling",
				 p->source ? "source" : "destination", p->bytes, p->depth, s.count,
				 s.valid,
				 s.time_ns ? (long)((clock_now() - s.time_ns) / NS_PER_US) : -1l);
	}
}

static const struct synth status = { .text = status_text };

static int add(struct inode *dir, const char *name, uint32_t mode, const struct inode_ops *ops,
	       uint32_t port)
{
	struct inode *i = inode_create(mode, 0, 0);
	int r;

	if (!i)
		return -ENOMEM;
	i->ops = ops;
	if (ops == &port_inode_ops)
		i->u.value = port;
	if (ops == &synth_file_ops)
		i->synth = &status;
	r = dentry_add(dir, name, strlen(name), false, i, NO_IMAGE);
	inode_put(i);
	return r;
}

int ports_install(struct inode *dev)
{
	struct dentry *d;
	struct inode *dir;
	int r = ports_init();

	if (r || !port_count())
		return r;
	r = dir_populate(dev);
	if (!r)
		r = add(dev, "port", S_IFDIR | 0755, NULL, 0);
	d = r ? NULL : dentry_find(dev, "port", 4);
	if (!d)
		return r;
	r = dentry_inode(d, &dir);
	for (uint32_t k = 0; k < port_count() && !r; k++)
		r = add(dir, port_at(k)->name, S_IFCHR | 0660, &port_inode_ops, k);
	if (!r)
		r = add(dir, "status", S_IFREG | 0444, &synth_file_ops, 0);
	return r;
}
