/* SPDX-License-Identifier: Apache-2.0 */
/* list.h - an intrusive doubly linked list with a head node. A node that is in no list points to
 * itself. */
#ifndef GODWIT_RUNTIME_LIST_H
#define GODWIT_RUNTIME_LIST_H

#include "runtime/base/base.h"

struct list_node {
	struct list_node *next, *prev;
};

static inline void list_init(struct list_node *n)
{
	n->next = n->prev = n;
}

static inline bool list_empty(const struct list_node *head)
{
	return head->next == head;
}

static inline void list_add_tail(struct list_node *head, struct list_node *n)
{
	n->prev = head->prev;
	n->next = head;
	head->prev->next = n;
	head->prev = n;
}

static inline void list_add_head(struct list_node *head, struct list_node *n)
{
	list_add_tail(head->next, n);
}

/* Remove and re-initialise, so that removing twice is harmless. */
static inline void list_del(struct list_node *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}

static inline struct list_node *list_pop(struct list_node *head)
{
	struct list_node *n = head->next;

	if (n == head)
		return NULL;
	list_del(n);
	return n;
}

#define list_entry(node, type, member) container_of(node, type, member)
#define list_for_each(n, head) for (struct list_node *n = (head)->next; n != (head); n = n->next)
/* Safe against removal of the visited node. */
#define list_for_each_safe(n, head)                                                \
	for (struct list_node *n = (head)->next, *n##_next = n->next; n != (head); \
	     n = n##_next, n##_next = n->next)

#endif
