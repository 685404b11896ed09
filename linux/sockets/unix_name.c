/* SPDX-License-Identifier: Apache-2.0 */
/* unix_name.c - names of local sockets: abstract ones, and paths, where the name is an inode of the
 * file system and the table here says which socket is bound to it. */
#include "linux/sockets/unix.h"

#define S_IFSOCK 0140000u
#define PATH_OFF 2u /* of sun_path in the address */
#define AUTOBIND_TRIES 64u

static struct {
	struct spinlock lock;
	struct list_node all;
} names = { .all = { &names.all, &names.all } };

static bool is_abstract(const struct sock_name *n)
{
	return n->len > PATH_OFF && n->u.un.path[0] == 0;
}

static bool same_abstract(const struct sock_name *a, const struct sock_name *b)
{
	return a->len == b->len && is_abstract(a) && memcmp(a->u.raw, b->u.raw, a->len) == 0;
}

static int check(const struct sock_name *n)
{
	if (n->u.family != AF_UNIX || n->len > PATH_OFF + sizeof(n->u.un.path))
		return -EINVAL;
	return 0;
}

/* names.lock held. */
static struct unix_socket *find_abstract(const struct sock_name *n)
{
	list_for_each (k, &names.all) {
		struct unix_socket *u = list_entry(k, struct unix_socket, named);

		if (u->name && same_abstract(u->name, n))
			return u;
	}
	return NULL;
}

/* Enter u under copy (and inode): 0, -EINVAL (has a name), -EADDRINUSE. */
static int enter(struct unix_socket *u, struct sock_name *copy, struct inode *inode)
{
	int r = 0;

	spin_lock(&names.lock);
	if (u->name)
		r = -EINVAL;
	else if (!inode && find_abstract(copy))
		r = -EADDRINUSE;
	if (r == 0) {
		u->name = copy;
		u->inode = inode;
		list_add_tail(&names.all, &u->named);
	}
	spin_unlock(&names.lock);
	return r;
}

/* A name of five hexadecimal digits that is free (unix(7), autobind). */
static int autobind(struct unix_socket *u, struct sock_name *copy)
{
	int r = -EADDRINUSE;

	for (unsigned i = 0; i < AUTOBIND_TRIES && r == -EADDRINUSE; i++) {
		copy->len = PATH_OFF + 6;
		copy->u.un.path[0] = 0;
		(void)fmt_print(copy->u.un.path + 1, 6, "%05x", random_u32() & 0xfffff);
		r = enter(u, copy, NULL);
	}
	return r;
}

static int bind_path(struct unix_socket *u, struct sock_name *copy)
{
	char path[sizeof(copy->u.un.path) + 1];
	struct inode *inode;
	size_t n = strnlen(copy->u.un.path, copy->len - PATH_OFF);
	int r;

	memcpy(path, copy->u.un.path, n);
	path[n] = 0;
	copy->len = PATH_OFF + (uint32_t)n + 1;
	r = vfs_mknod(NULL, path, S_IFSOCK | (0777 & ~process_self()->umask), 0, &inode);
	if (r < 0)
		return r == -EEXIST ? -EADDRINUSE : r;
	r = enter(u, copy, inode);
	if (r < 0)
		inode_put(inode);
	return r;
}

int unix_bind(struct socket *s, const struct sock_name *name)
{
	struct unix_socket *u = to_unix(s);
	struct sock_name *copy;
	int r = check(name);

	if (r < 0)
		return r;
	if (u->name)
		return -EINVAL;
	copy = mem_zalloc(sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	*copy = *name;
	if (name->len == PATH_OFF)
		r = autobind(u, copy);
	else if (is_abstract(name))
		r = enter(u, copy, NULL);
	else
		r = bind_path(u, copy);
	if (r < 0)
		mem_free(copy, sizeof(*copy));
	return r;
}

int unix_find(const struct sock_name *name, struct unix_socket **out)
{
	char path[sizeof(name->u.un.path) + 1];
	struct unix_socket *u = NULL;
	struct inode *inode = NULL;
	int r = check(name);

	if (r < 0 || name->len == PATH_OFF)
		return -EINVAL;
	if (!is_abstract(name)) {
		size_t n = strnlen(name->u.un.path, name->len - PATH_OFF);

		memcpy(path, name->u.un.path, n);
		path[n] = 0;
		r = vfs_lookup(NULL, path, 0, &inode);
		if (r < 0)
			return r;
	}
	spin_lock(&names.lock);
	if (!inode)
		u = find_abstract(name);
	else
		list_for_each (k, &names.all)
			if (list_entry(k, struct unix_socket, named)->inode == inode)
				u = list_entry(k, struct unix_socket, named);
	if (u)
		(void)unix_get(u);
	spin_unlock(&names.lock);
	if (inode)
		inode_put(inode);
	*out = u;
	return u ? 0 : -ECONNREFUSED;
}

int unix_name_copy(struct unix_socket *to, const struct unix_socket *from)
{
	if (!from->name)
		return 0;
	to->name = mem_alloc(sizeof(*to->name));
	if (!to->name)
		return -ENOMEM;
	*to->name = *from->name;
	return 0;
}

void unix_unname(struct unix_socket *u)
{
	struct inode *inode;

	spin_lock(&names.lock);
	list_del(&u->named);
	inode = u->inode;
	u->inode = NULL;
	spin_unlock(&names.lock);
	if (inode)
		inode_put(inode);
}
