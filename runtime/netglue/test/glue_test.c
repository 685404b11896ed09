/* SPDX-License-Identifier: Apache-2.0 */
/* glue_test.c - configuration, packet rings between shards, and who owns a packet; stacks and
 * device are stand-ins that write down what they get. */
#include "runtime/base/errno.h"
#include "runtime/netglue/glue_internal.h"
#include "runtime/virtio/test/fake.h"
#include "tests/unit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>

/* ---- stand-ins ---- */

struct net_stack {
	bool looped; /* loopback packets wait */
	struct net_config c;
	struct net_ip4 ip;
	struct pbuf *got[2000];
	unsigned n_got, polls;
	bool dhcp, slaac;
	struct net_ip6 ip6;
	unsigned adopted;
};
static struct net_stack stacks[3];

struct netdev {
	struct netdev_info info;
};
static struct netdev the_dev;
static bool have_dev;
struct netdev_queue {
	struct pbuf_pool *pool;
	struct pbuf *sent[2000];
	unsigned n_sent;
	void (*input)(void *ctx, struct pbuf *frame);
	void *ctx;
};
static struct netdev_queue queues[3];
static const char *config[8];

struct net_stack *net_create(const struct net_config *c, uint64_t now_ns)
{
	struct net_stack *s = &stacks[c->shard];

	(void)now_ns;
	*s = (struct net_stack){ .c = *c };
	return s;
}

void net_set_now(struct net_stack *s, uint64_t now_ns)
{
	(void)s;
	(void)now_ns;
}

void net_set_ip4(struct net_stack *s, uint32_t addr, unsigned prefix, uint32_t gateway,
		 uint32_t dns)
{
	s->ip = (struct net_ip4){ .addr = addr,
				  .mask = htonl(prefix == 0 ? 0 : ~0u << (32 - prefix)),
				  .gateway = gateway,
				  .dns = { dns },
				  .up = addr != 0 };
	if (s->c.configured != NULL)
		s->c.configured(s->c.ctx);
}

const struct net_ip4 *net_get_ip4(const struct net_stack *s)
{
	return &s->ip;
}

void net_start_dhcp(struct net_stack *s, const char *hostname)
{
	CHECK_STR(hostname, "box");
	s->dhcp = true;
}

void net_set_ip6(struct net_stack *s, const uint8_t addr[16], unsigned prefix,
		 const uint8_t gateway[16], const uint8_t dns[16])
{
	memcpy(s->ip6.addr[1].addr, addr, 16);
	s->ip6.addr[1].prefix = (uint8_t)prefix;
	s->ip6.addr[1].state = NET_IP6_PREFERRED;
	if (gateway != NULL)
		memcpy(s->ip6.gateway, gateway, 16);
	if (dns != NULL)
		memcpy(s->ip6.dns[0], dns, 16);
	s->ip6.up = true;
	s->c.configured(s->c.ctx);
}

const struct net_ip6 *net_get_ip6(const struct net_stack *s)
{
	return &s->ip6;
}

void net_start_ip6(struct net_stack *s)
{
	s->slaac = true;
}

void net_adopt_ip6(struct net_stack *s, const struct net_ip6 *from)
{
	s->ip6 = *from;
	s->adopted++;
}

static void (*on_input)(void); /* what the stack's owner does about a packet */

void net_input(struct net_stack *s, struct pbuf *frame)
{
	s->got[s->n_got++] = frame;
	if (on_input != NULL)
		on_input();
}

uint64_t net_poll(struct net_stack *s)
{
	s->polls++;
	return 12345;
}
bool net_loop_pending(const struct net_stack *s)
{
	return s->looped;
}

struct net_directory *net_directory_create(void *(*alloc)(size_t), uint32_t buckets)
{
	CHECK(buckets >= 256);
	return alloc(16);
}

void net_set_directory(struct net_stack *s, struct net_directory *d)
{
	(void)s;
	CHECK(d != NULL);
}

struct netdev *netdev_get(void)
{
	return have_dev ? &the_dev : NULL;
}

const struct netdev_info *netdev_info(const struct netdev *d)
{
	return &d->info;
}

struct netdev_queue *netdev_open(struct netdev *d, uint32_t q, struct pbuf_pool *pool,
				 void (*input)(void *ctx, struct pbuf *frame), void *ctx)
{
	CHECK(q < d->info.queue_pairs);
	queues[q] = (struct netdev_queue){ .pool = pool, .input = input, .ctx = ctx };
	return &queues[q];
}

static struct netdev_drops device_drops;
static bool device_full;

const struct netdev_drops *netdev_drops(const struct netdev_queue *q)
{
	(void)q;
	return &device_drops;
}

int netdev_tx(struct netdev_queue *q, struct pbuf *frame)
{
	if (device_full) {
		pbuf_free(q->pool, frame);
		return -ENOBUFS;
	}
	q->sent[q->n_sent++] = frame;
	return 0;
}

const char *config_next(const char *key, size_t *cursor)
{
	for (; *cursor < ARRAY_SIZE(config) && config[*cursor] != NULL; (*cursor)++) {
		const char *c = config[*cursor];

		if (strncmp(c, key, strlen(key)) == 0 && c[strlen(key)] == '=') {
			(*cursor)++;
			return c + strlen(key) + 1;
		}
	}
	return NULL;
}

const char *config_get(const char *key)
{
	size_t cursor = 0;

	return config_next(key, &cursor);
}

int str_to_u64(const char *s, uint64_t max, uint64_t *out)
{
	char *end;

	*out = strtoull(s, &end, 10);
	return end == s || *end != '\0' ? -EINVAL : *out > max ? -ERANGE : 0;
}

int fmt_print(char *to, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(to, size, fmt, ap);
	va_end(ap);
	return n;
}

void shard_call(struct shard *on, void (*fn)(void *), void *arg)
{
	struct shard *was = fake_current;

	fake_current = on;
	fn(arg);
	fake_current = was;
}

/* ---- set-up ---- */

static struct shard others[2];

static void setup(uint32_t n, uint32_t pairs)
{
	fake_reset(GW_DEVICE_PCI, 1, 0, 16);
	n_shards = n;
	for (uint32_t i = 1; i < n; i++) {
		others[i - 1] = (struct shard){ .id = i, .vcore = fake_shard.vcore };
		list_init(&others[i - 1].pollers);
		shards[i] = &others[i - 1];
	}
	have_dev = pairs != 0;
	the_dev.info = (struct netdev_info){ .mtu = 1500, .queue_pairs = pairs, .csum_tx = true };
	fake_notified = 0;
	net_glue_forget();
	net_glue_init();
}

static void set_config(const char *a, const char *b, const char *c, const char *d, const char *e)
{
	const char *all[] = { a, b, c, d, e };

	memset(config, 0, sizeof(config));
	for (size_t i = 0; i < ARRAY_SIZE(all) && all[i] != NULL; i++)
		config[i] = all[i];
}

static struct poller *poller(uint32_t i)
{
	return list_entry(shards[i]->pollers.next, struct poller, link);
}

static uint64_t armed_deadline;
static bool arm(uint32_t i)
{
	armed_deadline = GW_NEVER;
	return poller(i)->arm(poller(i), &armed_deadline);
}

static void turn(uint32_t i)
{
	poller(i)->poll(poller(i));
	poller(i)->flush(poller(i));
}

static struct pbuf *packet(uint32_t shard, uint8_t c, uint32_t n)
{
	struct pbuf *p = pbuf_alloc(&glues[shard]->pool, 64);

	memset(p->data, c, n);
	p->len = p->total = n;
	return p;
}

/* ---- tests ---- */

TEST(static_configuration)
{
	char text[100];

	set_config("net=static", "net.addr=192.168.7.9/20", "net.gw=192.168.0.1", "net.dns=1.2.3.4",
		   "net.dns=5.6.7.8");
	setup(2, 1);
	CHECK(net_glue_ready());
	CHECK_EQ(net_glue_wait(0), 0);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(stacks[i].ip.addr, inet_addr("192.168.7.9"));
		CHECK_EQ(stacks[i].ip.mask, inet_addr("255.255.240.0"));
		CHECK_EQ(stacks[i].ip.gateway, inet_addr("192.168.0.1"));
		CHECK(!stacks[i].dhcp);
	}
	CHECK_EQ(net_config_text(text, sizeof(text)), 38);
	CHECK_STR(text, "nameserver 1.2.3.4\nnameserver 5.6.7.8\n");
	CHECK_EQ(net_config_text(text, 30), 19); /* whole lines only */
	CHECK_EQ(strlen(text), 19);
	CHECK_EQ(net_config_text(text, 10), 0);
	CHECK_EQ(strlen(text), 0);
	CHECK_EQ(net_config_text(text, 1), 0);
}

TEST(bad_configuration)
{
	static const char *const bad[] = {
		"net.addr=",	       "net.addr=1.2.3",      "net.addr=1.2.3.256",
		"net.addr=1.2.3.4/33", "net.addr=1.2.3.4/",   "net.addr=1.2.3.4x",
		"net.addr=1..3.4",     "net.addr=1.2.3.4567", "other=1"
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		set_config("net=static", bad[i], NULL, NULL, NULL);
		setup(1, 1);
		CHECK_EQ(fake_warnings, 1);
		CHECK(net_glue_ready()); /* as without a network */
		CHECK(!stacks[0].ip.up);
	}
	set_config("net=static", "net.addr=1.2.3.4", "net.gw=bad", "net.dns=", NULL);
	setup(1, 1);
	CHECK_EQ(fake_warnings, 2);
	CHECK(stacks[0].ip.up);
	CHECK_EQ(stacks[0].ip.mask, inet_addr("255.255.255.0"));
}

TEST(ip6_static)
{
	static const uint8_t want[16] = { 0x20, 1, 0xd, 0xb8, [15] = 2 },
			     gw[16] = { 0xfe, 0x80, [15] = 1 };
	char text[100];

	set_config("net6=static", "net6.addr=2001:db8::2/56", "net6.gw=fe80::1",
		   "net6.dns=2001:db8::53", "net=none");
	setup(3, 1);
	CHECK_EQ(fake_warnings, 0);
	CHECK(net_glue_ready());
	CHECK(!stacks[0].slaac && !stacks[0].dhcp && !stacks[0].ip.up);
	CHECK_EQ(stacks[0].ip6.addr[1].prefix, 56);
	for (uint32_t i = 0; i < 3; i++) { /* the others have it from the first */
		turn(i);
		CHECK_EQ(stacks[i].adopted, i != 0);
		CHECK_EQ(memcmp(stacks[i].ip6.addr[1].addr, want, 16), 0);
		CHECK_EQ(memcmp(stacks[i].ip6.gateway, gw, 16), 0);
		CHECK(!stacks[i].ip.up);
	}
	CHECK(net_config_text(text, sizeof(text)) > 0);
	CHECK_STR(text, "nameserver 2001:db8::53\n");
	set_config("net6=static", "net6.addr=::1%0", "hostname=box", NULL, NULL);
	setup(1, 1);
	CHECK_EQ(fake_warnings, 1);
	CHECK(!stacks[0].slaac && !stacks[0].ip6.up);
	set_config("net6=static", "net6.addr=2001:db8::2/129", "hostname=box", NULL, NULL);
	setup(1, 1);
	CHECK_EQ(fake_warnings, 1);
	set_config("net6=static", "net6.addr=2001:db8::2", "net6.gw=1.2.3.4", "hostname=box", NULL);
	setup(1, 1);
	CHECK_EQ(fake_warnings, 1);
	CHECK_EQ(stacks[0].ip6.addr[1].prefix, 64);
	CHECK_EQ(stacks[0].ip6.gateway[0], 0);
}

TEST(ip6_from_the_link)
{
	static const uint8_t router[16] = { 0xfe, 0x80, [15] = 1 };
	char text[100];

	set_config("net=static", "net.addr=10.0.0.2", "net.dns=10.0.0.3", NULL, NULL);
	setup(2, 1);
	CHECK(stacks[0].slaac && !stacks[1].slaac);
	CHECK(net_glue_ready());
	turn(1);
	memcpy(stacks[0].ip6.dns[1], router, 16);
	stacks[0].ip6.up = true;
	stacks[0].c.configured(stacks[0].c.ctx); /* an advertisement */
	CHECK(!stacks[1].ip6.up);
	CHECK(arm(1));
	turn(1);
	CHECK(stacks[1].ip6.up);
	CHECK_EQ(stacks[1].ip.addr, inet_addr("10.0.0.2"));
	CHECK(net_config_text(text, sizeof(text)) > 0);
	CHECK_STR(text, "nameserver 10.0.0.3\nnameserver fe80::1%eth0\n");
	set_config("net=static", "net.addr=10.0.0.2", "net6=none", NULL, NULL);
	setup(2, 1);
	CHECK(!stacks[0].slaac);
}

TEST(no_device)
{
	set_config("net=dhcp", NULL, NULL, NULL, NULL);
	setup(2, 0);
	CHECK(net_glue_ready());
	CHECK(!stacks[0].dhcp);
	/* What is sent goes nowhere, and nothing is lost. */
	CHECK_EQ(stacks[0].c.tx(stacks[0].c.ctx, packet(0, 1, 60)), -ENOBUFS);
	CHECK_EQ(glues[0]->pool.n_free, glues[0]->pool.n_total);
}

TEST(dhcp_reaches_every_shard)
{
	set_config("hostname=box", NULL, NULL, NULL, NULL);
	setup(3, 1);
	CHECK(stacks[0].dhcp);
	CHECK(!stacks[1].dhcp);
	CHECK(!net_glue_ready());
	CHECK_EQ(net_glue_wait(fake_now_ns + 1), -ETIMEDOUT);
	turn(1);
	CHECK(!stacks[1].ip.up);
	atomic_store(&others[1].sleeping, 1);
	net_set_ip4(&stacks[0], inet_addr("10.0.2.15"), 24, inet_addr("10.0.2.2"),
		    inet_addr("10.0.2.3"));
	CHECK(net_glue_ready());
	turn(0);
	CHECK_EQ(fake_notified, 4); /* the sleeping one */
	CHECK(arm(2));
	turn(1);
	turn(2);
	CHECK(!arm(2));
	for (int i = 1; i < 3; i++) {
		CHECK_EQ(stacks[i].ip.addr, inet_addr("10.0.2.15"));
		CHECK_EQ(stacks[i].ip.mask, inet_addr("255.255.255.0"));
	}
}

TEST(send_through_another_shard)
{
	struct pbuf *p, *slice;
	uint8_t bytes[100];

	set_config("net=none", NULL, NULL, NULL, NULL);
	setup(3, 1);
	atomic_store(&fake_shard.sleeping, 1);
	p = packet(2, 7, 60);
	CHECK_EQ(stacks[2].c.tx(stacks[2].c.ctx, p), 0);
	CHECK(arm(0));
	CHECK_EQ(fake_notified, 0);
	poller(2)->flush(poller(2));
	CHECK_EQ(fake_notified, 1);
	turn(0);
	CHECK_EQ(queues[0].n_sent, 1);
	CHECK(queues[0].sent[0] == p); /* not copied */
	/* A packet that shares a block with its sender is. */
	p = packet(2, 8, 60);
	slice = pbuf_slice(&glues[2]->pool, p, 10, 20);
	slice->next = packet(2, 9, 10);
	slice->total = 30;
	slice->flags = PBUF_CSUM_PARTIAL;
	slice->csum_start = 14;
	CHECK_EQ(stacks[2].c.tx(stacks[2].c.ctx, slice), 0);
	CHECK_EQ(p->refs, 1);
	turn(0);
	CHECK_EQ(queues[0].n_sent, 2);
	CHECK(queues[0].sent[1]->slice_of == NULL && queues[0].sent[1]->refs == 1);
	CHECK_EQ(queues[0].sent[1]->total, 30);
	CHECK_EQ(queues[0].sent[1]->flags, PBUF_CSUM_PARTIAL);
	CHECK_EQ(queues[0].sent[1]->csum_start, 14);
	CHECK(pbuf_copy_out(queues[0].sent[1], 0, bytes, 30) && bytes[19] == 8 && bytes[20] == 9);
	pbuf_free(&glues[2]->pool, p);
}

TEST(ring_full)
{
	unsigned n = 0;

	setup(2, 1);
	while (stacks[1].c.tx(stacks[1].c.ctx, packet(1, 1, 60)) == 0)
		n++;
	CHECK_EQ(n, 256);
	for (int i = 0; i < 4; i++)
		turn(0);
	CHECK_EQ(queues[0].n_sent, 256);
	CHECK(!arm(0));
	CHECK_EQ(glues[1]->pool.n_total, glues[1]->pool.n_free + 256);
}

/* A reply that crossed and finds the device's ring full is counted where that is. */
TEST(device_full_for_another)
{
	set_config("net=none", NULL, NULL, NULL, NULL);
	setup(2, 1);
	CHECK(net_glue_device_drops(0) == &device_drops);
	CHECK(net_glue_device_drops(1) == NULL);
	device_full = true;
	CHECK_EQ(stacks[1].c.tx(stacks[1].c.ctx, packet(1, 1, 60)), 0);
	turn(0);
	device_full = false;
	CHECK_EQ(net_glue_drops(0)->ring_full, 1);
	CHECK_EQ(net_glue_drops(1)->ring_full, 0);
}

TEST(own_queues)
{
	set_config("net=none", NULL, NULL, NULL, NULL);
	setup(3, 2);
	stacks[0].c.tx(stacks[0].c.ctx, packet(0, 1, 60));
	stacks[1].c.tx(stacks[1].c.ctx, packet(1, 1, 60));
	stacks[2].c.tx(stacks[2].c.ctx, packet(2, 1, 60)); /* has none: through shard 0 */
	CHECK_EQ(queues[1].n_sent, 1);
	CHECK_EQ(queues[0].n_sent, 1);
	turn(0);
	CHECK_EQ(queues[0].n_sent, 2);
	/* Received: to the stack of the queue's shard. */
	queues[1].input(queues[1].ctx, packet(1, 1, 60));
	CHECK_EQ(stacks[1].n_got, 1);
}

TEST(forwarded)
{
	struct pbuf *p;

	setup(2, 1);
	p = packet(0, 1, 60);
	stacks[0].c.forward(stacks[0].c.ctx, 1, p);
	CHECK_EQ(stacks[1].n_got, 0);
	turn(1);
	CHECK_EQ(stacks[1].n_got, 1);
	CHECK(stacks[1].got[0] == p);
	stacks[0].c.forward(stacks[0].c.ctx, 77, packet(0, 1, 60)); /* no such shard: dropped */
	stacks[0].c.forward(stacks[0].c.ctx, 0, packet(0, 1, 60));  /* to itself is a mistake */
	CHECK_EQ(net_glue_drops(0)->shard_full, 2);
	(void)arm(1);
	CHECK_EQ(armed_deadline, 12345);
}

/* A program sent to itself and waits: the shard must deliver that before it sleeps. */
TEST(loopback_keeps_awake)
{
	setup(1, 1);
	CHECK(!arm(0));
	stacks[0].looped = true;
	CHECK(arm(0));
	stacks[0].looped = false;
}

/* All packets are received on shard 0 and freed on shard 1: the blocks come back. */
TEST(blocks_come_back)
{
	setup(2, 1);
	for (unsigned i = 0; i < 20000; i++) {
		struct pbuf *p = pbuf_alloc(&glues[0]->pool, 64);

		if (p == NULL) {
			CHECK(false);
			return;
		}
		p->len = p->total = 60;
		stacks[0].c.forward(stacks[0].c.ctx, 1, p);
		turn(1);
		pbuf_free(&glues[1]->pool, stacks[1].got[--stacks[1].n_got]);
		turn(0);
	}
	CHECK(glues[0]->pool.n_total < 256);
	CHECK_EQ(net_glue_drops(0)->shard_full + net_glue_drops(1)->shard_full, 0);
}

static struct ring ring;
static void *slots[8];
#define PASSES 100000ul

static void *produce(void *arg)
{
	(void)arg;
	for (uintptr_t i = 1; i <= PASSES; i++) {
		while (!ring_push(&ring, (void *)i))
			sched_yield();
	}
	return NULL;
}

TEST(ring_between_threads)
{
	pthread_t t;

	ring_init(&ring, slots, 8);
	CHECK(ring_empty(&ring));
	CHECK(ring_pop(&ring) == NULL);
	CHECK_EQ(pthread_create(&t, NULL, produce, NULL), 0);
	for (uintptr_t i = 1; i <= PASSES; i++) {
		void *p;

		while ((p = ring_pop(&ring)) == NULL)
			sched_yield();
		if (p != (void *)i) {
			CHECK(false);
			break;
		}
	}
	pthread_join(t, NULL);
	CHECK(ring_empty(&ring));
}

/* ---- tracing ---- */

static struct trace_sample *followed, one_sample;
static unsigned n_due, n_done;
static struct trace_sample done[600];
static uint32_t done_shard;
static bool follow_six; /* a client of IPv6 */

static void follow(void)
{
	static const struct net_endpoint
		remotes[2] = { { .family = 4, .port = 4000, .ip4 = 0x0200000a },
			       { .family = 6, .port = 4000, .ip6 = { 0xfd, [15] = 2 } } },
		local = { .family = 4, .port = 80, .ip4 = 0 };

	if (!trace_due())
		return;
	n_due++;
	if (followed != NULL && !followed->active)
		trace_begin(followed, &remotes[follow_six], &local);
}

static void take_done(const struct trace_sample *s)
{
	done_shard = s->shard;
	done[n_done++] = *s;
}

static void start_trace(uint32_t n, uint32_t pairs, const char *every)
{
	set_config("net=none", every, NULL, NULL, NULL);
	setup(n, pairs);
	on_input = follow;
	one_sample = (struct trace_sample){ .tid = 0 };
	list_init(&one_sample.link);
	followed = &one_sample;
	n_due = n_done = 0;
}

static void end_trace(void)
{
	on_input = NULL;
	trace_every = 0;
}

/* A TCP frame of ours: from port 80 to 10.0.0.2:port, bytes from seq on. */
static struct pbuf *segment(uint32_t shard, uint16_t port, uint32_t seq, uint32_t bytes)
{
	struct pbuf *p = packet(shard, 0, 54 + bytes);
	uint8_t *ip = p->data + 14;

	p->data[12] = 8;
	ip[0] = 0x45;
	ip[9] = 6;
	memcpy(ip + 16, "\x0a\0\0\x02", 4);
	ip[21] = 80;
	ip[22] = (uint8_t)(port >> 8);
	ip[23] = (uint8_t)port;
	seq = htonl(seq);
	memcpy(ip + 24, &seq, 4);
	ip[32] = 0x50;
	return p;
}

/* The same of IPv6, to fd00::2 port 4000. */
static struct pbuf *segment6(uint32_t seq, uint32_t bytes)
{
	struct pbuf *p = segment(0, 4000, seq, bytes + 20);
	uint8_t *ip = p->data + 14;

	memmove(ip + 40, ip + 20, 20);
	memcpy(p->data + 12, "\x86\xdd\x60", 3);
	ip[6] = 6;
	memset(ip + 24, 0, 16);
	ip[24] = 0xfd;
	ip[39] = 2;
	return p;
}

static void receive(void)
{
	struct pbuf *p = packet(0, 1, 60);

	p->time_ns = fake_now_ns;
	fake_now_ns += 10;
	queues[0].input(queues[0].ctx, p);
}

static void send_segment(uint16_t port, uint32_t seq, uint32_t bytes)
{
	fake_now_ns += 10;
	CHECK_EQ(stacks[0].c.tx(stacks[0].c.ctx, segment(0, port, seq, bytes)), 0);
}

/* From the ring to the doorbell, and only the reply's own frame counts. */
TEST(trace_a_request)
{
	uint64_t unanswered, start;

	start_trace(1, 1, "trace=1");
	CHECK_EQ(trace_every, 1);
	start = fake_now_ns;
	receive();
	CHECK_EQ(n_due, 1);
	CHECK(one_sample.active);
	CHECK_EQ(one_sample.at[GW_TRACE_RING], start);
	CHECK(one_sample.at[GW_TRACE_INPUT] >= start + 10);
	trace_reply(&one_sample, 0xfffffff0u);
	send_segment(4000, 0xffffffe0u, 16); /* ends where the reply begins */
	send_segment(4000, 0xfffffff0u, 0);  /* an acknowledgement */
	send_segment(4001, 0xfffffff0u, 99); /* another connection */
	CHECK_EQ(stacks[0].c.tx(stacks[0].c.ctx, packet(0, 0xff, 60)), 0);
	CHECK_EQ(one_sample.at[GW_TRACE_SENT], 0);
	send_segment(4000, 0xffffffe0u, 17 + 16);
	CHECK(one_sample.at[GW_TRACE_SENT] > start);
	CHECK(one_sample.active);
	fake_now_ns += 10;
	turn(0);
	CHECK(!one_sample.active);
	CHECK_EQ(trace_drain(take_done, &unanswered), 0);
	CHECK_EQ(unanswered, 0);
	CHECK_EQ(n_done, 1);
	CHECK(done[0].at[GW_TRACE_BELL] > done[0].at[GW_TRACE_SENT]);
	CHECK_EQ(done[0].remote.port, 4000);
	CHECK_EQ(trace_drain(take_done, &unanswered), 0);
	CHECK_EQ(n_done, 1);
	CHECK_EQ(queues[0].n_sent, 5); /* all frames went out */
	end_trace();
}

TEST(trace_ip6)
{
	start_trace(1, 1, "trace=1");
	follow_six = true;
	receive();
	follow_six = false;
	trace_reply(&one_sample, 100);
	send_segment(4000, 100, 1); /* the same ports, another family */
	CHECK_EQ(one_sample.at[GW_TRACE_SENT], 0);
	CHECK_EQ(stacks[0].c.tx(stacks[0].c.ctx, segment6(99, 1)), 0); /* before the reply */
	CHECK_EQ(one_sample.at[GW_TRACE_SENT], 0);
	fake_now_ns += 10;
	CHECK_EQ(stacks[0].c.tx(stacks[0].c.ctx, segment6(100, 1)), 0);
	CHECK(one_sample.at[GW_TRACE_SENT] != 0);
	turn(0);
	CHECK(!one_sample.active);
	end_trace();
}

/* The doorbell before a sleep counts as well. */
TEST(trace_before_a_sleep)
{
	uint64_t unanswered;

	start_trace(1, 1, "trace=1");
	turn(0);
	receive();
	trace_reply(&one_sample, 5);
	send_segment(4000, 5, 1);
	(void)arm(0);
	CHECK_EQ(armed_deadline, 12345); /* the glue's own arm ran too */
	CHECK_EQ(trace_drain(take_done, &unanswered), 0);
	CHECK_EQ(n_done, 1);
	end_trace();
}

TEST(trace_every_third)
{
	start_trace(1, 1, "trace=3");
	for (unsigned i = 0; i < 30; i++)
		receive();
	CHECK_EQ(n_due, 10);
	follow(); /* nothing from the device is in the stack's hands */
	CHECK_EQ(n_due, 10);
	end_trace();
	start_trace(1, 1, "trace=many");
	on_input = NULL;
	CHECK_EQ(trace_every, 0);
	CHECK_EQ(fake_warnings, 1);
	CHECK(glues[0]->trace == NULL);
	receive();
	CHECK_EQ(stacks[0].n_got, 1);
}

/* The ring of finished ones has room for 256, and what does not fit is counted once. */
TEST(trace_ring_full)
{
	uint64_t unanswered;

	start_trace(1, 1, "trace=1");
	for (unsigned i = 0; i < 300; i++) {
		receive();
		trace_reply(&one_sample, 5);
		send_segment(4000, 5, 1);
		turn(0);
	}
	CHECK_EQ(trace_drain(take_done, &unanswered), 44);
	CHECK_EQ(n_done, 256);
	CHECK_EQ(trace_drain(take_done, &unanswered), 0);
	receive();
	trace_reply(&one_sample, 5);
	trace_end(&one_sample); /* the connection is closed before the reply leaves */
	CHECK(!one_sample.active);
	send_segment(4000, 5, 1);
	turn(0);
	CHECK_EQ(trace_drain(take_done, &unanswered), 0);
	CHECK_EQ(unanswered, 1);
	CHECK_EQ(n_done, 256);
	end_trace();
}

/* The packet crosses to shard 1, whose reply crosses back. */
TEST(trace_across_shards)
{
	uint64_t unanswered, start;

	start_trace(2, 1, "trace=1");
	start = fake_now_ns;
	stacks[0].c.forward(stacks[0].c.ctx, 1, packet(0, 1, 60));
	fake_current = shards[1];
	turn(1);
	CHECK(one_sample.active);
	CHECK_EQ(one_sample.shard, 1);
	trace_reply(&one_sample, 5);
	CHECK_EQ(stacks[1].c.tx(stacks[1].c.ctx, segment(1, 4000, 5, 1)), 0);
	CHECK(!one_sample.active); /* the connection may be closed: a copy goes along */
	fake_now_ns += 10;
	turn(1);
	fake_current = shards[0];
	CHECK_EQ(trace_drain(take_done, &unanswered), 0);
	CHECK_EQ(n_done, 0); /* not in the device's ring */
	turn(0);
	CHECK_EQ(trace_drain(take_done, &unanswered), 0);
	CHECK_EQ(n_done, 1);
	CHECK_EQ(done_shard, 1);
	CHECK(done[0].at[GW_TRACE_SENT] >= start + 10);
	CHECK(done[0].at[GW_TRACE_BELL] >= done[0].at[GW_TRACE_SENT]);
	/* the device has no room for it */
	fake_current = shards[1];
	stacks[0].c.forward(stacks[0].c.ctx, 1, packet(0, 1, 60));
	turn(1);
	trace_reply(&one_sample, 5);
	device_full = true;
	CHECK_EQ(stacks[1].c.tx(stacks[1].c.ctx, segment(1, 4000, 5, 1)), 0);
	fake_current = shards[0];
	turn(0);
	device_full = false;
	CHECK_EQ(trace_drain(take_done, &unanswered), 0);
	CHECK_EQ(n_done, 1);
	CHECK_EQ(unanswered, 1);
	CHECK_EQ(net_glue_drops(0)->ring_full, 1);
	end_trace();
}

UNIT_MAIN(CASE(device_full_for_another), CASE(trace_a_request), CASE(trace_ip6),
	  CASE(trace_before_a_sleep), CASE(trace_every_third), CASE(trace_ring_full),
	  CASE(trace_across_shards), CASE(static_configuration), CASE(bad_configuration),
	  CASE(ip6_static), CASE(ip6_from_the_link), CASE(no_device),
	  CASE(dhcp_reaches_every_shard), CASE(send_through_another_shard), CASE(ring_full),
	  CASE(own_queues), CASE(forwarded), CASE(loopback_keeps_awake), CASE(blocks_come_back),
	  CASE(ring_between_threads))
