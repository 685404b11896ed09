/* SPDX-License-Identifier: Apache-2.0 */
/* timewait.c - TIME_WAIT (RFC 9293 3.6.1) in a small structure of its own, at most max_tw of them:
 * the oldest goes first when there are more. The owner of the connection may still hold its shell
 * to read what is left. */
#include "runtime/net/tcp/tcp_internal.h"

#define TW_HASH 256u

int tw_init(struct net_stack *s)
{
	struct tcp_state_stack *t = &s->tcp;

	list_init(&t->tw_list);
	t->max_tw = GW_MAX(64u, GW_MIN(s->cfg.max_conns, 4096u));
	t->tw_mask = TW_HASH - 1;
	timer_init(&t->tw_timer, tw_fire);
	t->tw_hash = s->cfg.alloc(TW_HASH * sizeof(struct tcp_tw *));
	return t->tw_hash != NULL ? 0 : -ENOMEM;
}

static size_t tw_size(uint64_t key)
{
	return sizeof(struct tcp_tw) + (key_is6(key) ? 32 : 0);
}

static struct tcp_tw **slot(struct net_stack *s, uint64_t addr, uint32_t port)
{
	uint64_t w[2] = { addr, port };

	return &s->tcp.tw_hash[siphash(&s->tcp.secret, w, 2) & s->tcp.tw_mask];
}

struct tcp_tw *tw_lookup(struct net_stack *s, struct tcp_pair addr, uint32_t port)
{
	struct tcp_tw *tw;

	if (s->tcp.n_tw == 0)
		return NULL;
	tw = *slot(s, addr.key, port);
	while (tw != NULL && (tw->key_addr != addr.key || tw->key_port != port ||
			      (addr.six != NULL && memcmp(tw->six, addr.six, 32) != 0)))
		tw = tw->hash_next;
	return tw;
}

void tw_drop(struct net_stack *s, struct tcp_tw *tw)
{
	struct tcp_tw **at = slot(s, tw->key_addr, tw->key_port);

	while (*at != tw)
		at = &(*at)->hash_next;
	*at = tw->hash_next;
	list_del(&tw->link);
	s->tcp.n_tw--;
	s->cfg.free(tw, tw_size(tw->key_addr));
}

static void restart(struct net_stack *s, struct tcp_tw *tw)
{
	tw->expires = now_tick(s) + TCP_TW_TICKS;
	list_del(&tw->link);
	list_add_tail(&s->tcp.tw_list, &tw->link);
	net_timer_by(s, &s->tcp.tw_timer, TCP_TW_TICKS);
}

void tw_fire(struct net_stack *s, struct net_timer *t)
{
	uint32_t now = now_tick(s);

	while (!list_empty(&s->tcp.tw_list)) {
		struct tcp_tw *tw = list_entry(s->tcp.tw_list.next, struct tcp_tw, link);

		if (!tick_due(now, tw->expires)) {
			net_timer_by(s, t, tw->expires - now);
			return;
		}
		tw_drop(s, tw);
	}
}

static void answer(struct net_stack *s, struct tcp_tw *tw)
{
	uint32_t ts[2] = { now_tick(s) + tw->ts_off, tw->ts_recent };

	tcp_send_raw(s, tw_pair(tw), tw->key_port, tw->snd_nxt, tw->rcv_nxt, tw->rcv_wnd, TH_ACK,
		     tw->ts ? ts : NULL, NULL, 0);
}

void tw_enter(struct tcp_conn *c)
{
	struct net_stack *s = c->stack;
	struct tcp_tw *tw, **at;

	tcp_send_ack(c);
	if (s->tcp.n_tw >= s->tcp.max_tw)
		tw_drop(s, list_entry(s->tcp.tw_list.next, struct tcp_tw, link));
	tw = s->cfg.alloc(tw_size(c->key_addr));
	if (tw != NULL) { /* without memory there is no TIME_WAIT: as if it had been pushed out */
		tw->key_addr = c->key_addr;
		if (conn_is6(c))
			memcpy(tw->six, c->six->pair, 32);
		tw->key_port = c->key_port;
		tw->snd_nxt = c->snd_nxt;
		tw->rcv_nxt = c->rcv_nxt;
		tw->rcv_wnd = GW_MIN((c->rcv_adv - c->rcv_nxt) >> c->rcv_scale, 65535u);
		tw->ts = (c->flags & TF_TS) != 0;
		tw->ts_recent = c->ts_recent;
		tw->ts_off = c->ts_off;
		tw->ts_tick = now_tick(s);
		list_init(&tw->link);
		at = slot(s, c->key_addr, c->key_port);
		tw->hash_next = *at;
		*at = tw;
		s->tcp.n_tw++;
		restart(s, tw);
	}
	conn_remove(c);
	conn_purge_tx(c);
	if (c->flags & TF_OWNED) {
		list_del(&c->work);
		c->state = TCP_TIME_WAIT;
	} else {
		conn_bury(c);
	}
}

bool tw_input(struct net_stack *s, struct tcp_tw *tw, const struct tcp_seg *g)
{
	uint32_t end = g->seq + g->len + ((g->flags & TH_FIN) != 0);
	bool old_ts = tw->ts && g->o.has_ts && SEQ_LT(g->o.tsval, tw->ts_recent);

	/* A new SYN that cannot be an old one: RFC 6191, RFC 9293 3.10.7.4. */
	if ((g->flags & (TH_SYN | TH_RST | TH_ACK)) == TH_SYN &&
	    ((tw->ts && g->o.has_ts && SEQ_GT(g->o.tsval, tw->ts_recent)) ||
	     (!old_ts && SEQ_GT(g->seq, tw->rcv_nxt)))) {
		tw_drop(s, tw);
		return true;
	}
	s->n.drop_seq++;
	if (g->flags & TH_RST) /* RFC 1337: an RST does not end TIME_WAIT */
		return false;
	if (old_ts || (g->flags & TH_SYN) || g->len != 0 || (g->flags & TH_FIN) ||
	    SEQ_LT(end, tw->rcv_nxt))
		answer(s, tw);
	if ((g->flags & TH_FIN) && !old_ts && end == tw->rcv_nxt)
		restart(s, tw); /* the peer did not hear our last ACK */
	return false;
}
