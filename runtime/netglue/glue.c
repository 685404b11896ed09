/* SPDX-License-Identifier: Apache-2.0 */
/* glue.c - a TCP/IP stack, packet pool and poller for every shard, and their configuration from the
 * bundle or from the link. DHCP and IPv6's configuration run on shard 0; the other stacks take the
 * result over at their next turn. */
#include "runtime/base/errno.h"
#include "runtime/base/str.h"
#include "runtime/mem/mem.h"
#include "runtime/netglue/glue_internal.h"
#include "runtime/platform/platform.h"
#include "runtime/virtio/dma.h"

struct glue *glues[SHARD_MAX];

static struct {
	struct spinlock lock;	     /* ip, ip6 */
	struct net_ip4 ip;	     /* what the stacks are to have */
	struct net_ip6 ip6;	     /* the same; before shard 0's has something, the settings */
	_Atomic uint32_t generation; /* of both */
	_Atomic bool ready;
	struct waitq waiters;
	struct netdev *dev;
	struct net_directory *directory;
	enum net_mode mode, mode6;
	bool follow;	       /* shard 0's may change */
	uint64_t packet_bytes; /* for all pools */
} net;

/* ---- memory ---- */

static void *stack_alloc(size_t n)
{
	return mem_zalloc(n);
}

static void stack_free(void *p, size_t n)
{
	mem_free(p, n);
}

/* 64 KiB at a time, less when memory is in pieces. */
static void *more_blocks(void *ctx, size_t *bytes)
{
	(void)ctx;
	for (size_t n = 16; n != 0; n /= 4) {
		uint64_t pa = pages_alloc(n, 1);

		if (pa != 0) {
			*bytes = n * GW_PAGE_SIZE;
			return pa_to_va(pa);
		}
	}
	return NULL;
}

/* An eighth of memory for packets, but in small machines no more than 1.5 MiB. */
static uint64_t packet_memory(void)
{
	uint64_t total = mem_total_pages() * GW_PAGE_SIZE;
	uint64_t n = total / 8;

	return total <= (20u << 20) ? GW_MIN(n, (uint64_t)3 << 19) : n;
}

/* ---- callbacks of stack and device ---- */

static int tx_own(void *ctx, struct pbuf *frame)
{
	return netdev_tx(((struct glue *)ctx)->queue, frame);
}

static int tx_cross(void *ctx, struct pbuf *frame)
{
	struct glue *g = ctx;

	return cross_send(g, g->via, frame, CROSS_TX);
}

static void forward(void *ctx, uint32_t to, struct pbuf *frame)
{
	struct glue *g = ctx;

	if (cross_send(g, to, frame, CROSS_INPUT) != 0)
		g->drops.shard_full++;
}

static void input(void *ctx, struct pbuf *frame)
{
	struct glue *g = ctx;

	net_set_now(g->stack, g->shard->now_ns);
	net_input(g->stack, frame);
}

/* Shard 0's stack got or lost an address: keep it where the others look, and wake them. */
static void configured(void *ctx)
{
	struct glue *g = ctx;
	const struct net_ip4 *ip = net_get_ip4(g->stack);

	if (g->shard->id != 0 || !net.follow)
		return;
	spin_lock(&net.lock);
	if (net.mode == NET_DHCP)
		net.ip = *ip;
	net.ip6 = *net_get_ip6(g->stack);
	spin_unlock(&net.lock);
	atomic_fetch_add_explicit(&net.generation, 1, memory_order_release);
	for (uint32_t i = 1; i < n_shards; i++)
		g->notify |= 1ull << i;
	if (ip->up && net.mode == NET_DHCP) {
		atomic_store_explicit(&net.ready, true, memory_order_release);
		waitq_notify(&net.waiters, ~0u);
	}
}

static void apply_ip4(struct glue *g)
{
	struct net_ip4 ip;
	unsigned prefix;

	spin_lock(&net.lock);
	ip = net.ip;
	spin_unlock(&net.lock);
	prefix = ip.mask == 0 ? 0 : 32u - (unsigned)__builtin_ctz(__builtin_bswap32(ip.mask));
	net_set_ip4(g->stack, ip.up ? ip.addr : 0, ip.up ? prefix : 0, ip.gateway, ip.dns[0]);
}

/* What shard 0's stack has come to, to another's. */
static void apply_config(struct glue *g)
{
	struct net_ip6 ip6;

	g->config_seen = atomic_load_explicit(&net.generation, memory_order_acquire);
	if (net.mode == NET_DHCP)
		apply_ip4(g);
	if (net.mode6 == NET_NONE)
		return;
	spin_lock(&net.lock);
	ip6 = net.ip6;
	spin_unlock(&net.lock);
	net_adopt_ip6(g->stack, &ip6);
}

/* ---- poller ---- */

static inline struct glue *of_poller(struct poller *p)
{
	return container_of(p, struct glue, poller);
}

static bool glue_poll(struct poller *p)
{
	struct glue *g = of_poller(p);
	bool any = false;

	net_set_now(g->stack, g->shard->now_ns);
	if (g->in != NULL) {
		if (unlikely(g->shard->id != 0 && net.follow &&
			     g->config_seen !=
				     atomic_load_explicit(&net.generation, memory_order_relaxed)))
			apply_config(g);
		any = cross_poll(g);
		cross_balance(g);
	}
	g->next_ns = net_poll(g->stack);
	return any;
}

static void glue_flush(struct poller *p)
{
	cross_flush(of_poller(p));
}

static bool glue_arm(struct poller *p, uint64_t *deadline_ns)
{
	struct glue *g = of_poller(p);

	*deadline_ns = GW_MIN(*deadline_ns, g->next_ns);
	if (net_loop_pending(g->stack))
		return true;
	if (g->in == NULL)
		return false;
	cross_flush(g);
	return cross_pending(g) ||
	       (net.follow && g->shard->id != 0 &&
		g->config_seen != atomic_load_explicit(&net.generation, memory_order_relaxed));
}

/* ---- start ---- */

static uint32_t clamp(uint64_t v, uint32_t low, uint32_t high)
{
	return v < low ? low : v > high ? high : (uint32_t)v;
}

uint32_t net_default_congestion(void)
{
	const char *s = config_get("net.congestion");

	return s != NULL && strcmp(s, "bbr") == 0 ? TCP_BBR : TCP_CUBIC;
}

static uint32_t default_ecn(void)
{
	const char *s = config_get("net.ecn");

	if (s == NULL || strcmp(s, "accept") == 0)
		return NET_ECN_ACCEPT;
	return strcmp(s, "request") == 0 ? NET_ECN_REQUEST : NET_ECN_OFF;
}

static struct net_stack *make_stack(struct glue *g)
{
	uint64_t share = net.packet_bytes / n_shards;
	struct net_config c = {
		.mtu = 1500,
		.shard = g->shard->id,
		.n_shards = n_shards,
		.max_conns = clamp(share / 1024, 64, 1 << 20),
		.sndbuf_max = clamp(share / 8, 64 << 10, 1 << 20),
		.rcvbuf_max = clamp(share / 8, 64 << 10, 1 << 20),
		.congestion = net_default_congestion(),
		.ecn = default_ecn(),
		.pool = &g->pool,
		.alloc = stack_alloc,
		.free = stack_free,
		.ctx = g,
		.tx = tx_cross,
		.forward = forward,
		.configured = configured,
	};

	if (net.dev != NULL) {
		const struct netdev_info *info = netdev_info(net.dev);

		memcpy(c.mac, info->mac, 6);
		c.mtu = info->mtu;
		c.csum_tx = info->csum_tx;
		c.csum_rx = info->csum_rx;
		c.tso4 = info->tso4;
		c.tso6 = info->tso6;
		c.gro_rx = info->mrg && info->csum_rx;
		c.ack_batch = !c.gro_rx;
		c.rcv_growth_max = (uint64_t)info->rx_frames * info->mtu / 2;
		if (g->via == g->shard->id)
			c.tx = tx_own;
	}
	if (g->trace != NULL)
		trace_hook_stack(g, &c);
	return net_create(&c, clock_now());
}

static const uint8_t *some(const uint8_t ip6[16])
{
	static const uint8_t none[16];

	return memcmp(ip6, none, 16) != 0 ? ip6 : NULL;
}

/* Addresses announce themselves: only now that the stack can send. */
static void start_config(struct glue *g)
{
	const struct net_ip6 settings = net.ip6;
	const char *name = config_get("hostname");

	if (net.mode == NET_STATIC)
		apply_ip4(g);
	if (g->shard->id != 0)
		return;
	if (net.mode == NET_DHCP)
		net_start_dhcp(g->stack, name != NULL ? name : "godwit");
	if (net.mode6 == NET_STATIC)
		net_set_ip6(g->stack, settings.addr[1].addr, settings.addr[1].prefix,
			    some(settings.gateway), some(settings.dns[0]));
	if (net.mode6 == NET_AUTO)
		net_start_ip6(g->stack);
}

/* In each shard's own context. The device's poller comes before ours: what it received this turn,
 * net_poll acknowledges this turn. */
static void start_shard(void *arg)
{
	struct glue *g = arg;

	pbuf_pool_init(&g->pool, clamp(net.packet_bytes / n_shards / PBUF_SIZE, 96, 1u << 20),
		       more_blocks, NULL);
	g->pool.dma = dma_of;
	g->stack = make_stack(g);
	if (g->stack == NULL)
		panic("net: no memory for a stack");
	g->shard->net = g->stack;
	g->shard->pbufs = &g->pool;
	if (net.directory != NULL)
		net_set_directory(g->stack, net.directory);
	if (g->trace != NULL)
		trace_hook_input(g, input);
	if (g->via == g->shard->id) {
		g->queue = netdev_open(net.dev, g->shard->id, &g->pool,
				       g->trace != NULL ? trace_input : input, g);
		if (g->queue == NULL)
			panic("net: queue %u does not open", g->shard->id);
	}
	g->poller = (struct poller){ .poll = glue_poll, .arm = glue_arm };
	if (g->in != NULL)
		g->poller.flush = glue_flush;
	if (g->trace != NULL)
		trace_hook_poller(g);
	shard_add_poller(&g->poller);
	start_config(g);
}

static struct glue *make_glue(uint32_t i, uint32_t pairs)
{
	struct glue *g = mem_zalloc(sizeof(*g));

	if (g == NULL)
		return NULL;
	g->shard = shards[i];
	g->via = pairs != 0 ? i % pairs : GLUE_NO_DEVICE;
	if (trace_every != 0 && !trace_attach(g))
		return NULL;
	return cross_init(g) == 0 ? g : NULL;
}

void net_glue_forget(void)
{
	memset(&net, 0, sizeof(net));
	memset(glues, 0, sizeof(glues));
}

void net_glue_init(void)
{
	uint32_t pairs;

	waitq_init(&net.waiters);
	net.dev = netdev_get();
	net.packet_bytes = packet_memory();
	net.mode = net_settings(net.dev != NULL, &net.ip);
	net.mode6 = net6_settings(net.dev != NULL, &net.ip6);
	net.follow = net.mode == NET_DHCP || net.mode6 != NET_NONE;
	net.ready = net.mode != NET_DHCP;
	trace_configure();
	pairs = net.dev != NULL ? netdev_info(net.dev)->queue_pairs : 0;
	if (n_shards > 1) {
		net.directory = net_directory_create(stack_alloc,
						     clamp(net.packet_bytes / 4096, 256, 16384));
		if (net.directory == NULL)
			panic("net: no memory for the flow directory");
	}
	/* All rings exist before any shard sends into one. */
	for (uint32_t i = 0; i < n_shards; i++) {
		glues[i] = make_glue(i, pairs);
		if (glues[i] == NULL)
			panic("net: no memory");
	}
	for (uint32_t i = 0; i < n_shards; i++)
		shard_call(shards[i], start_shard, glues[i]);
}

const struct net_glue_drops *net_glue_drops(uint32_t shard)
{
	return glues[shard] != NULL ? &glues[shard]->drops : NULL;
}

const struct netdev_drops *net_glue_device_drops(uint32_t shard)
{
	const struct glue *g = glues[shard];

	return g != NULL && g->queue != NULL ? netdev_drops(g->queue) : NULL;
}

bool net_glue_ready(void)
{
	return atomic_load_explicit(&net.ready, memory_order_acquire);
}

int net_glue_wait(uint64_t deadline_ns)
{
	struct waiter w = { .uthread = uthread_self() };
	int rc = 0;

	list_init(&w.link);
	waitq_add(&net.waiters, &w);
	while (!net_glue_ready() && rc != -ETIMEDOUT)
		rc = uthread_park(deadline_ns);
	waitq_del(&net.waiters, &w);
	return net_glue_ready() ? 0 : -ETIMEDOUT;
}

size_t net_config_text(char *to, size_t size)
{
	struct net_ip4 ip;
	struct net_ip6 ip6;

	spin_lock(&net.lock);
	ip = net.ip;
	ip6 = net.ip6;
	spin_unlock(&net.lock);
	return net_dns_text(&ip, &ip6, to, size);
}
