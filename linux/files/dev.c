/* SPDX-License-Identifier: Apache-2.0 */
/* dev.c - memory devices, and the console: standard input and output on the host's port 0, standard
 * error on port 1. */
#include "linux/files/files_internal.h"
#include "runtime/platform/platform.h"
#include "runtime/virtio/console.h"

/* ---- memory devices ---- */
static long null_read(struct file *f, struct uio *u, int64_t off)
{
	(void)f, (void)u, (void)off;
	return 0;
}

static long null_write(struct file *f, struct uio *u, int64_t off)
{
	size_t n = u->left;

	(void)f, (void)off;
	u->left = 0;
	return (long)n;
}

static long zero_read(struct file *f, struct uio *u, int64_t off)
{
	size_t n = u->left;
	int r = uio_zero(u, n);

	(void)f, (void)off;
	return u->left < n ? (long)(n - u->left) : r;
}

static long full_write(struct file *f, struct uio *u, int64_t off)
{
	(void)f, (void)off;
	return u->left ? -ENOSPC : 0;
}

static long random_read(struct file *f, struct uio *u, int64_t off)
{
	size_t start = u->left;
	uint8_t buf[256];
	int r = 0;

	(void)f, (void)off;
	while (u->left && !r) {
		size_t n = GW_MIN(u->left, sizeof(buf));

		random_bytes(buf, n);
		r = uio_put(u, buf, n);
	}
	memset(buf, 0, sizeof(buf));
	return u->left < start ? (long)(start - u->left) : r;
}

static int64_t dev_seek(struct file *f, int64_t off, int whence)
{
	(void)f, (void)off, (void)whence;
	return 0;
}

static const struct file_ops memdev_ops[] = {
	{ .read = null_read, .write = null_write, .seek = dev_seek },
	{ .read = zero_read, .write = null_write, .seek = dev_seek },
	{ .read = zero_read, .write = full_write, .seek = dev_seek },
	{ .read = random_read, .write = null_write, .seek = dev_seek },
};

static int memdev_open(unsigned kind, uint32_t flags, struct inode *i, struct file **out)
{
	*out = file_create(&memdev_ops[kind], flags, NULL, NULL);
	if (!*out)
		return -ENOMEM;
	(*out)->inode = inode_get(i);
	return 0;
}

#define MEMDEV(name, kind)                                                         \
	static int name##_open(struct inode *i, uint32_t flags, struct file **out) \
	{                                                                          \
		return memdev_open(kind, flags, i, out);                           \
	}                                                                          \
	const struct inode_ops name##_ops = { .open = name##_open };
MEMDEV(null, 0)
MEMDEV(zero, 1)
MEMDEV(full, 2)
MEMDEV(random, 3)

/* ---- the console ---- */
struct termios {
	uint32_t iflag, oflag, cflag, lflag;
	uint8_t line, cc[19];
};

static struct {
	struct mutex lock; /* input */
	uint32_t at, len;
	uint8_t buf[256]; /* read ahead, so that poll can tell */
	struct termios termios;
	uint16_t rows, cols, pixels[2];
	bool tty, no_input;
} console;

void console_init(void)
{
	const char *tty = config_get("tty"), *input = config_get("stdin");

	mutex_init(&console.lock);
	console.no_input = input && !strcmp(input, "none");
	console.tty = tty && tty[0] == '1';
	console.rows = 24;
	console.cols = 80;
	/* A sane terminal; the host's own does the editing: ICRNL IXON, OPOST ONLCR, CS8 CREAD
	 * B38400, ISIG ICANON ECHO.. */
	console.termios = (struct termios){
		0x500,	5, 0xbf,
		0x8a3b, 0, { 3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22 }
	};
}

static bool console_ended(void)
{
	return console.no_input || console_closed(0);
}

/* Is there input, or its end? console.lock held. */
static bool console_fill(void)
{
	if (console.at == console.len) {
		console.at = 0;
		console.len = (uint32_t)console_read(0, console.buf, sizeof(console.buf));
	}
	return console.at < console.len;
}

static long console_file_read(struct file *f, struct uio *u, int64_t off)
{
	long n = 0;

	(void)off;
	while (u->left) {
		bool closed = console_ended(); /* before the last look */
		int r;

		mutex_lock(&console.lock);
		if (console_fill()) {
			n = (long)GW_MIN(console.len - console.at, u->left);
			r = uio_put(u, console.buf + console.at, (size_t)n);
			if (r)
				n = r;
			else
				console.at += (uint32_t)n;
		}
		mutex_unlock(&console.lock);
		if (n || closed)
			return n;
		r = file_wait(f, POLLIN, GW_NEVER);
		if (r)
			return r;
	}
	return 0;
}

static long console_file_write(struct file *f, struct uio *u, int64_t off)
{
	size_t start = u->left;
	uint8_t buf[512];

	(void)off;
	while (u->left) {
		size_t n = GW_MIN(u->left, sizeof(buf)), before = u->left;
		int r = uio_get(u, buf, n);

		console_write((unsigned)(uint64_t)f->object, buf, before - u->left);
		if (r)
			return u->left < start ? (long)(start - u->left) : r;
	}
	return (long)start;
}

static uint32_t console_poll(struct file *f)
{
	uint32_t r = POLLOUT | POLLWRNORM;

	(void)f;
	if (mutex_trylock(&console.lock)) {
		bool closed = console_ended();

		if (console_fill() || closed)
			r |= POLLIN | POLLRDNORM;
		mutex_unlock(&console.lock);
	}
	return r;
}

static long console_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
	int32_t n = 1;

	(void)f;
	if (!console.tty)
		return -ENOTTY;
	switch (cmd) {
	case 0x5401: /* TCGETS */
		return copy_to_program(arg, &console.termios, sizeof(console.termios));
	case 0x5402: /* TCSETS, TCSETSW, TCSETSF */
	case 0x5403:
	case 0x5404:
		return copy_from_program(&console.termios, arg, sizeof(console.termios));
	case 0x5413: /* TIOCGWINSZ */
		return copy_to_program(arg, &console.rows, 8);
	case 0x5414: /* TIOCSWINSZ */
		return copy_from_program(&console.rows, arg, 8);
	case 0x540f: /* TIOCGPGRP */
		n = process_self()->pid;
		return copy_to_program(arg, &n, sizeof(n));
	case 0x5410: /* TIOCSPGRP */
	case 0x540e: /* TIOCSCTTY */
		return 0;
	case 0x541b: /* FIONREAD */
		n = (int32_t)(console.len - console.at);
		return copy_to_program(arg, &n, sizeof(n));
	default:
		return -ENOTTY;
	}
}

static const struct file_ops console_ops = { .read = console_file_read,
					     .write = console_file_write,
					     .poll = console_poll,
					     .ioctl = console_ioctl };

static int console_open(uint64_t port, uint32_t flags, struct inode *i, struct file **out)
{
	/* Input comes on port 0; its queue serves error output too, which is always ready. */
	*out = file_create(&console_ops, flags, (void *)port, console_waitq(0));
	if (!*out)
		return -ENOMEM;
	(*out)->inode = inode_get(i);
	return 0;
}

static int console_in_open(struct inode *i, uint32_t flags, struct file **out)
{
	return console_open(0, flags, i, out);
}

static int console_err_open(struct inode *i, uint32_t flags, struct file **out)
{
	return console_open(1, flags, i, out);
}

const struct inode_ops console_in_ops = { .open = console_in_open };
const struct inode_ops console_err_ops = { .open = console_err_open };

int stdio_install(void)
{
	struct inode *in, *err = inode_create(S_IFCHR | 0620, 0, 0);
	int r = vfs_lookup(NULL, "/dev/console", 0, &in);

	if (r || !err)
		return r ? r : -ENOMEM;
	err->ops = &console_err_ops;
	err->rdev = 5 << 8 | 1;
	for (int fd = 0; fd < 3 && !r; fd++) {
		struct file *f;

		r = console_open(fd == 2, O_RDWR, fd == 2 ? err : in, &f);
		if (!r && fd_give(f, 0) != fd)
			r = -EMFILE;
	}
	inode_put(in);
	inode_put(err);
	return r;
}
