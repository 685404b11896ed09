/* SPDX-License-Identifier: Apache-2.0 */
/* arp_internal.h - the question each packet sent asks of its neighbour's entry, in line. */
#ifndef GODWIT_ARP_INTERNAL_H
#define GODWIT_ARP_INTERNAL_H

#include "runtime/net/net_internal.h"

#define ARP_FRESH WHEEL_MS(300000) /* ask again after 5 minutes */
#define ARP_DOUBT WHEEL_MS(250)	   /* an answer that recent is not doubted */
#define ARP_RETRY WHEEL_MS(1000)
#define ARP_TRIES 3

static inline bool arp_ready(const struct arp_entry *a, uint32_t ip, uint32_t now)
{
	return a != NULL && a->ip == ip && a->state == ARP_OK && now - a->when < ARP_FRESH;
}

#endif
