/* SPDX-License-Identifier: Apache-2.0 */
/* files_internal.h - what the files of this folder share: inodes, directory entries, the descriptor
 * table.
 *
 * Locks. tree (mutex): names, directories and nlink; below mm.lock. inode.lock (mutex): size and
 * pages; below mm.lock. Neither is held while program memory is touched. write locks and pipe.lock
 * and epoll.mutex are above mm.lock (held over uio). Spinlocks: fd_table.lock, cache.lock, and the
 * chain  waitq.lock > epoll.lock  (notify callbacks; an epoll notifies its own waitq after it
 * released epoll.lock, so nested epolls go  waitq(inner file) > waitq(inner epoll) > outer.lock).
 */
#ifndef GODWIT_LINUX_FILES_INTERNAL_H
#define GODWIT_LINUX_FILES_INTERNAL_H

#include "abi/root.h"
#include "linux/files/abi.h"
#include "linux/files/root.h"
#include "linux/files/stat.h"
#include "linux/files/vfs.h"

#define NO_IMAGE 0xffffffffu
#define FILE_SIZE_MAX (1ull << 40)
#define CHUNK_PAGES 32u

struct synth;
struct pipe;

/* A name in a directory. Names of image entries lie in the index, others behind the struct. */
struct dentry {
	struct list_node order; /* dir.order: creation order, for readdir */
	struct dentry *next;	/* hash chain */
	struct inode *dir;
	struct inode *inode; /* a reference; NULL: image entry not touched yet */
	const char *name;
	uint32_t image;	    /* when inode is NULL */
	uint32_t hash, seq; /* seq: readdir position */
	uint16_t len;
	bool own; /* name follows the struct */
};

struct inode {
	_Atomic uint32_t refs;
	uint32_t mode, nlink, uid, gid, rdev;
	uint64_t ino;
	_Atomic uint64_t size;
	uint64_t atime, mtime, ctime; /* CLOCK_REALTIME, ns */
	const struct inode_ops *ops;
	struct dentry *dentry; /* one that names it; NULL: none (unlinked, or the root) */
	struct mutex lock;
	const struct synth *synth; /* generated file, or device */
	union {
		struct {		   /* regular */
			uint64_t **chunks; /* page slots: PG_* | pa, CHUNK_PAGES each; pages.c */
			uint32_t n_chunks, n_clean, hand;
			uint64_t image_off, image_len; /* bytes that the image still backs */
			struct list_node cached;
		} file;
		struct { /* directory */
			struct dentry **buckets;
			uint32_t n_buckets, n, seq;
			uint32_t image; /* to take children from; NO_IMAGE: none */
			bool populated;
			uint8_t synth_len; /* synthetic children: prefix of their paths */
			const char *synth_path;
			struct list_node order;
		} dir;
		char *target; /* symlink, size bytes, not terminated */
		struct pipe *fifo;
		uint64_t value; /* small synthetic files: number of a descriptor or thread */
	} u;
};

/* ---- inode.c ---- */
extern struct mutex vfs_tree;
extern struct inode *vfs_root;
extern struct root_image root_image;
uint64_t realtime_ns(void);
/* A new inode with refs 1, nlink 0, times now; NULL: memory is out. */
struct inode *inode_create(uint32_t mode, uint32_t uid, uint32_t gid) MUST_CHECK;
/* Permission bits want (4 read, 2 write, 1 execute) for the process: 0, -EACCES. */
int inode_access(const struct inode *i, uint32_t want, bool real_ids);
void inode_stat(struct inode *i, struct stat64 *out);
int inode_set_target(struct inode *i, const char *target, size_t len) MUST_CHECK;
/* Directories; vfs_tree held. dir_find makes the image's inode when first touched. */
int dir_populate(struct inode *dir) MUST_CHECK;
struct dentry *dentry_find(struct inode *dir, const char *name, size_t len);
int dentry_inode(struct dentry *d, struct inode **out) MUST_CHECK; /* no reference taken */
int dentry_add(struct inode *dir, const char *name, size_t len, bool own, struct inode *i,
	       uint32_t image) MUST_CHECK;
void dentry_remove(struct dentry *d); /* drops its inode's reference and nlink */
void dentry_unhash(struct dentry *d); /* for rename: only out of the directory */
bool dir_empty(struct inode *dir);

/* ---- walk.c; vfs_tree held ---- */
/* With VFS_NOFOLLOW: the last component is wanted as a name, whatever it is; a slash behind it
 * changes nothing (w.slash). */
#define VFS_NAME 0x100u
struct walk {
	struct inode *dir;     /* parent of the last component, referenced; NULL only on error */
	struct inode *inode;   /* what was found, referenced; NULL: last component does not exist */
	struct dentry *dentry; /* its entry in dir; NULL: ".", "..", "/" or a synthetic child */
	bool slash;	       /* the path ended in '/' */
	uint8_t len;
	char name[NAME_MAX + 1]; /* last component; empty for "/" */
};
/* at: base of relative paths, NULL: cwd. 0, or -errno (nothing to free). A missing last component
 * is no error. */
int vfs_walk(struct inode *at, const char *path, uint32_t flags, struct walk *w) MUST_CHECK;
void walk_end(struct walk *w);
int inode_path_locked(struct inode *i, char *buf, size_t size);

/* ---- namespace.c: take vfs_tree themselves; at as in vfs_walk ---- */
int vfs_mknod(struct inode *at, const char *path, uint32_t mode, uint32_t rdev,
	      struct inode **out) MUST_CHECK;
int vfs_symlink(struct inode *at, const char *path, const char *target) MUST_CHECK;
int vfs_unlink(struct inode *at, const char *path, bool dir) MUST_CHECK;
int vfs_link(struct inode *i, struct inode *at, const char *path) MUST_CHECK;
int vfs_rename(struct inode *at, const char *from, struct inode *to_at, const char *to,
	       uint32_t flags) MUST_CHECK;
int vfs_open_inode(struct inode *i, uint32_t flags, struct file **out) MUST_CHECK;
/* For open.c; vfs_tree held. May the process add or remove names in dir? Does the walk name an
 * entry, not "." or ".."? A new inode as the process makes them in dir. Link it at the walk's free
 * name (consumes i, also on failure). */
int dir_may_change(const struct inode *dir) MUST_CHECK;
bool walk_names_entry(const struct walk *w);
struct inode *inode_create_for(uint32_t mode, const struct inode *dir) MUST_CHECK;
int walk_link_new(struct walk *w, struct inode *i) MUST_CHECK;

/* ---- pages.c ---- */
int pages_init(void);
void pages_free_inode(struct inode *i);
/* Under the inode's write lock (inode_write_lock). */
long inode_write(struct inode *i, struct uio *u, uint64_t off);
int inode_truncate(struct inode *i, uint64_t size) MUST_CHECK;
int inode_punch(struct inode *i, uint64_t off, uint64_t len) MUST_CHECK;
struct mutex *inode_write_lock(struct inode *i);
long inode_read_uio(struct inode *i, struct uio *u, uint64_t off);
/* First resident or image-backed (data) or hole byte at or after off. */
int64_t inode_seek_data(struct inode *i, uint64_t off, bool hole);
size_t pages_reclaim(size_t want, bool may_park);

/* ---- regular.c ---- */
extern const struct file_ops regular_ops, directory_ops, path_ops;

/* ---- fd.c ---- */
struct fd_table {
	struct spinlock lock;
	_Atomic uint32_t refs; /* processes that use it */
	uint32_t cap, lowest;  /* no free descriptor below lowest */
	struct file **slots;
	uint64_t *used, *cloexec;
};
static inline struct file *fd_get_of(struct fd_table *t, int fd)
{
	struct file *f = NULL;

	spin_lock(&t->lock);
	if (likely((uint32_t)fd < t->cap)) {
		f = t->slots[fd];
		if (likely(f != NULL))
			atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
	}
	spin_unlock(&t->lock);
	return f;
}
static inline struct file *fd_get(int fd)
{
	return fd_get_of(process_self()->fds, fd);
}
void file_destroy(struct file *f);
static inline void file_drop(struct file *f)
{
	if (unlikely(atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) == 1))
		file_destroy(f);
}
/* Take the file out of fd: the table's reference passes to the caller; NULL: not open. */
struct file *fd_take(int fd);
/* Put f at exactly fd; *old is what was there. */
int fd_replace(int fd, struct file *f, bool cloexec, struct file **old) MUST_CHECK;
bool fd_cloexec(int fd);
void fd_set_cloexec(int fd, bool on);
/* Next open descriptor >= fd, or -1. */
int fd_next(struct fd_table *t, int fd);
/* fd_install of a fresh file, or drop it: fd or -errno. */
long fd_give(struct file *f, uint32_t flags);

/* ---- synth.c, dev.c: generated files ---- */
struct text { /* growing text; truncated when memory is out */
	char *at;
	size_t len, cap;
	struct process *of; /* whose file it is: files of /proc/PID */
};
void text_add(struct text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void text_bytes(struct text *t, const char *s, size_t n);
void text_free(struct text *t);
struct synth {
	const char *path; /* "proc/meminfo"; component "@pid" is a process's number (proc_pid.c) */
	uint32_t mode;	  /* 0: regular, read-only */
	uint32_t rdev;
	const char *fixed;			/* the text, or a link's target */
	void (*text)(struct text *t);		/* or who writes it */
	const struct inode_ops *ops;		/* devices, live directories */
	long (*store)(const char *s, size_t n); /* written text */
};
extern const struct synth synth_table[];
extern const uint32_t synth_count;
int synth_populate(struct inode *dir) MUST_CHECK;
/* Inode for a synthetic directory whose children are at prefix. */
struct inode *synth_dir(const char *prefix, size_t len) MUST_CHECK;
int synth_readlink(struct inode *i, char *to, size_t size); /* vfs_tree held; length or -errno */
struct inode *synth_inode(const struct synth *s) MUST_CHECK;
extern const struct inode_ops synth_file_ops, proc_dir_ops, pid_dir_ops, fd_dir_ops, fd_link_ops,
	task_dir_ops;
/* The process whose part of /proc an inode is; 0: none's. */
int proc_pid_of(const struct inode *i);
/* The file that a link of /proc/PID/fd names, referenced, or NULL. */
struct file *fd_link_file(const struct inode *i);
extern const struct inode_ops null_ops, zero_ops, full_ops, random_ops, console_in_ops,
	console_err_ops;
void console_init(void);
int stdio_install(void) MUST_CHECK; /* descriptors 0, 1, 2 */

/* ---- pipe.c ---- */
int fifo_open(struct inode *i, uint32_t flags, struct file **out) MUST_CHECK;
void fifo_free(struct inode *i);
long pipe_fcntl_size(struct file *f, bool set, uint64_t size); /* -EBADF: no pipe */

/* ---- events ---- */
void epoll_init(void);
void signalfd_init(void);
/* Deadline (monotonic ns) from a relative time: *out; va 0: none. */
int deadline_from_timespec(uint64_t va, uint64_t *out) MUST_CHECK;
uint64_t deadline_in(int64_t ns);
/* Temporary signal mask of ppoll, pselect, epoll_pwait. */
int sigmask_enter(struct thread *t, uint64_t va, uint64_t size) MUST_CHECK;
long sigmask_leave(struct thread *t, long result);

/* ---- syscalls ---- */
#define SYS(name)                                                 \
	long sys_##name(struct thread *t __attribute__((unused)), \
			struct gw_regs *r __attribute__((unused)))
static inline uint32_t lo32(uint64_t v)
{
	return (uint32_t)v;
}
static inline int fd_arg(uint64_t v)
{
	return (int)(uint32_t)v;
}
struct path_arg {
	char *text;
	struct inode *at; /* referenced, or NULL: cwd */
};
/* Fetch a path and its base directory. 0 or -errno; path_end frees. */
int path_begin(struct path_arg *p, int dirfd, uint64_t va) MUST_CHECK;
void path_end(struct path_arg *p);
/* The inode of (dirfd, path); with empty_ok an empty or NULL path is dirfd itself. */
int lookup_at(int dirfd, uint64_t va, uint32_t vfs_flags, bool empty_ok,
	      struct inode **out) MUST_CHECK;
/* What a descriptor (or AT_FDCWD) leads to, with a reference: 0, -EBADF, -EINVAL (no inode). */
int inode_of_fd(int fd, struct inode **out) MUST_CHECK;
static inline uint32_t at_flags(uint64_t flags)
{
	return flags & AT_SYMLINK_NOFOLLOW ? VFS_NOFOLLOW : 0;
}

#endif
