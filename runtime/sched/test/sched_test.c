/* SPDX-License-Identifier: Apache-2.0 */
/* sched_test.c - the scheduler on the host: real stacks and switches, a made-up clock, and a kernel
 * whose wait moves the clock to the deadline or lets the test's other shard act. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "abi/call.h"
#include "runtime/mem/mem.h"
#include "runtime/platform/platform.h"
#include "runtime/sched/sched_internal.h"
#include "runtime/sched/upcall.h"
#include "tests/unit.h"

#define ARENA (32ul << 20)

/* ---- the world below ---- */
static uint64_t clock_ns, n_waits, n_notifies, last_notified, n_ticks_set;
static void (*on_wait)(void);
static struct shard *self;
static struct shard other; /* a second shard, acted by the test */

struct shard *shard_self_host(void)
{
	return self;
}

uint64_t clock_now(void)
{
	return self->now_ns = clock_ns;
}

void clock_init(const struct gw_clock *c)
{
	(void)c;
}

static uint32_t n_space_switches;

uint32_t space_enter(uint32_t space)
{
	uint32_t before = self->space;

	n_space_switches += space != before;
	self->space = space;
	return before;
}

long gw_call(unsigned nr, uint64_t a, uint64_t b, uint64_t c)
{
	(void)b, (void)c;
	if (nr == GW_CALL_WAIT) {
		n_waits++;
		if (n_waits > 1000000) {
			printf("waits forever\n");
			exit(1);
		}
		if (on_wait)
			on_wait();
		else if (a > clock_ns)
			clock_ns = a;
	} else if (nr == GW_CALL_NOTIFY) {
		n_notifies++;
		last_notified = a;
	} else if (nr == GW_CALL_TICK_SET) {
		n_ticks_set++;
	}
	return 0;
}

size_t fpu_state_size(void)
{
	return 1024;
}
void fpu_init_area(void *area)
{
	memset(area, 0, 1024);
}
static struct uthread *taken;
void fpu_take(struct shard *s, struct uthread *u)
{
	s->fpu_owner = taken = u;
}
void fpu_give_up(struct shard *s, struct uthread *u, bool save)
{
	(void)save;
	if (s->fpu_owner == u)
		s->fpu_owner = NULL;
}
void upcall_syscall_entry(void)
{
}
void upcall_entry(void)
{
}
void shard_entry(void)
{
}
_Noreturn void panic(const char *fmt, ...)
{
	printf("panic: %s\n", fmt);
	exit(1);
}

static void map_at(uint64_t va, size_t len)
{
	if (mmap((void *)va, len, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1,
		 0) != (void *)va) {
		printf("0 passed, 1 failed, 0 skipped\n");
		exit(1);
	}
}

static void world(void)
{
	static _Alignas(16) uint8_t boot_stack[UTHREAD_STACK]; /* only its words are used: the test
								  is the boot uthread */
	static struct uthread other_boot;
	static uint8_t other_stack[UTHREAD_STACK];
	static struct shard first;
	static struct gw_boot_info boot = { .flags = GW_BOOT_MEM_ZEROED, .n_extents = 1 };

	if (self)
		return;
	map_at(GW_MEM_BASE, ARENA);
	map_at(GW_VCORE_VA(0), 2 * GW_VCORE_AREA);
	boot.extents[0] = (struct gw_extent){ 0x100000, ARENA - 0x100000 };
	self = &first; /* sched_boot reads the clock of its own shard through shard_self */
	clock_ns = 1000;
	sched_boot(&boot, boot_stack);
	self = shards[0];
	self->mem = first.mem;
	uthread_setup(&other_boot, &other, other_stack, UTHREAD_STACK, "other");
	shard_setup(&other, 1, &other_boot);
	atomic_store(&other.vcore->masked, 1);
	atomic_store(&self->vcore->masked, 1);
}

static void on_other(void (*fn)(void *), void *arg)
{
	struct shard *s = self;

	self = &other;
	fn(arg);
	self = s;
}

/* ---- polling ---- */
static struct uthread *polling;
static unsigned n_polls;
static bool tenth_poll_wakes(struct poller *p)
{
	(void)p;
	clock_ns += 100;
	if (++n_polls == 10)
		uthread_wake(polling);
	return false;
}

TEST(polls_before_it_waits)
{
	static struct poller p = { .poll = tenth_poll_wakes };
	uint64_t waits;

	world();
	polling = self->current;
	shard_add_poller(&p);
	for (int on = 1; on >= 0; on--) {
		sched_poll_ns = on ? 10000 : 0;
		n_polls = 0;
		waits = n_waits;
		CHECK_EQ(uthread_park(clock_ns + 100 * NS_PER_SEC), 0);
		CHECK_EQ(n_polls, 10);
		CHECK_EQ(n_waits - waits, on ? 0 : 10);
	}
	sched_poll_ns = 500; /* then it waits */
	n_polls = 0;
	waits = n_waits;
	CHECK_EQ(uthread_park(clock_ns + 100 * NS_PER_SEC), 0);
	CHECK(n_waits > waits);
	CHECK(n_waits - waits < 10);
	sched_poll_ns = 0;
	list_del(&p.link);
}

/* ---- a program that computes ---- */
static unsigned n_arms;
static bool count_arm(struct poller *p, uint64_t *deadline_ns)
{
	(void)p, (void)deadline_ns;
	n_arms++;
	return false;
}

/* A tick some ms after its last look at the devices lets them interrupt it; a flood of interrupts
 * does so no more often than each 100 us. */
TEST(computes_under_interrupts)
{
	static struct poller p = { .arm = count_arm };

	world();
	shard_add_poller(&p);
	n_arms = 0;
	self->turned_ns = clock_ns; /* a call of the program's */
	clock_ns += NS_PER_MS;
	self->armed_ns = GW_NEVER;
	sched_preempt();
	CHECK_EQ(n_arms, 0);
	CHECK_EQ(self->armed_ns, clock_ns + 3 * NS_PER_MS);
	clock_ns += 3 * NS_PER_MS;
	sched_preempt();
	CHECK_EQ(n_arms, 1);
	CHECK_EQ(self->armed_ns, clock_ns + TICK_MAX_NS);
	clock_ns += 10 * NS_PER_US;
	sched_preempt();
	CHECK_EQ(n_arms, 1);
	CHECK_EQ(self->armed_ns, clock_ns + 90 * NS_PER_US); /* then it looks itself */
	clock_ns += 90 * NS_PER_US;
	sched_preempt();
	CHECK_EQ(n_arms, 2);
	self->armed_ns = GW_NEVER;
	list_del(&p.link);
}

/* ---- timers ---- */
static struct timer timers[300];
static uint64_t fired[300], n_fired, last_deadline;

static void fire(struct timer *t)
{
	fired[t - timers]++;
	n_fired++;
	CHECK(t->deadline_ns >= last_deadline);
	last_deadline = t->deadline_ns;
}

TEST(timers)
{
	unsigned long long x = 1;
	uint64_t armed = 0;

	world();
	for (int i = 0; i < 300; i++)
		timer_init(&timers[i], fire);
	for (int round = 0; round < 3000; round++) {
		struct timer *t;

		x = x * 6364136223846793005ull + 1442695040888963407ull;
		t = &timers[(x >> 33) % 300];
		if (x >> 62 & 1)
			CHECK_EQ(timer_arm(t, clock_ns + 1 + (x >> 40) % 100000), 0);
		else
			timer_cancel(t);
		for (uint32_t i = 1; i < self->heap_len; i++)
			CHECK(self->heap[(i - 1) / 2]->deadline_ns <= self->heap[i]->deadline_ns);
		for (uint32_t i = 0; i < self->heap_len; i++)
			CHECK_EQ(self->heap[i]->slot, i);
	}
	armed = self->heap_len;
	last_deadline = n_fired = 0;
	clock_ns += 50000;
	shard_turn();
	CHECK(n_fired > 0 && n_fired < armed && n_fired + self->heap_len == armed);
	clock_ns += 100000;
	shard_turn();
	CHECK_EQ(n_fired, armed);
	CHECK_EQ(self->heap_len, 0);
	timer_cancel(&timers[0]);
}

static void rearm(struct timer *t)
{
	n_fired++;
	CHECK_EQ(timer_arm(t, 1), 0); /* in the past */
}

TEST(timer_in_the_past)
{
	struct timer t;

	world();
	timer_init(&t, rearm);
	n_fired = 0;
	CHECK_EQ(timer_arm(&t, 1), 0);
	shard_turn();
	CHECK_EQ(n_fired, 1); /* once a turn, not for ever */
	timer_cancel(&t);
	shard_turn();
	CHECK_EQ(n_fired, 1);
}

/* ---- parking ---- */
static char trail[64];
static size_t trail_len;

static void mark(char c)
{
	if (trail_len < sizeof(trail) - 1)
		trail[trail_len++] = c;
	trail[trail_len] = '\0';
}

static void lettered(void *arg)
{
	for (int i = 0; i < 3; i++) {
		mark(*(char *)arg);
		uthread_yield();
		clock_ns += 2 * SLICE_NS;
	}
}

TEST(yield_and_end)
{
	uint64_t free_before;

	world();
	free_before = mem_free_pages();
	trail_len = 0;
	clock_ns += NS_PER_SEC;
	CHECK_EQ(uthread_create(NULL, NULL, lettered, "a", "a", false, NULL), 0);
	CHECK_EQ(uthread_create(NULL, NULL, lettered, "b", "b", false, NULL), 0);
	CHECK_EQ(self->n_uthreads, 3);
	CHECK_EQ(uthread_park(clock_ns + NS_PER_SEC), -ETIMEDOUT);
	CHECK_STR(trail, "ababab");
	CHECK_EQ(self->n_uthreads, 1);
	shard_turn();
	CHECK(list_empty(&self->dead));
	CHECK(mem_free_pages() + 2 >= free_before);
}

TEST(deadlines_and_tokens)
{
	uint64_t start;

	world();
	start = clock_ns;
	CHECK_EQ(uthread_park(start + 5 * NS_PER_MS), -ETIMEDOUT);
	CHECK(clock_ns >= start + 5 * NS_PER_MS && clock_ns < start + 6 * NS_PER_MS);
	CHECK_EQ(uthread_park(1), -ETIMEDOUT);
	uthread_wake(uthread_self());
	uthread_wake(uthread_self());
	CHECK_EQ(uthread_park(GW_NEVER), 0);
	CHECK_EQ(uthread_park(clock_ns + 1), -ETIMEDOUT);
	start = clock_ns;
	uthread_sleep_until(start + 10 * NS_PER_SEC);
	CHECK(clock_ns >= start + 10 * NS_PER_SEC);
	CHECK_EQ(self->heap_len, 0);
}

static void wake_main(struct timer *t)
{
	(void)t;
	uthread_wake(self->current);
}

/* The timer of a park that a wake ended stays armed: it ends no later park before its time, is not
 * armed twice, and comes along to no other shard. */
TEST(deadlines_left_over)
{
	struct timer wake;
	struct uthread *u;
	uint64_t start;

	world();
	timer_init(&wake, wake_main);
	start = clock_ns;
	CHECK_EQ(timer_arm(&wake, start + NS_PER_MS), 0);
	CHECK_EQ(uthread_park(start + 10 * NS_PER_MS), 0);
	CHECK(clock_ns < start + 2 * NS_PER_MS);
	CHECK_EQ(uthread_park(start + 50 * NS_PER_MS), -ETIMEDOUT); /* later than what is armed */
	CHECK(clock_ns >= start + 50 * NS_PER_MS && clock_ns < start + 51 * NS_PER_MS);
	CHECK_EQ(self->heap_len, 0);
	start = clock_ns;
	CHECK_EQ(timer_arm(&wake, start + NS_PER_MS), 0);
	CHECK_EQ(uthread_park(start + 50 * NS_PER_MS), 0);
	CHECK_EQ(self->heap_len, 1);
	CHECK_EQ(uthread_park(start + 5 * NS_PER_MS), -ETIMEDOUT); /* earlier than what is armed */
	CHECK(clock_ns < start + 6 * NS_PER_MS);
	CHECK_EQ(timer_arm(&wake, clock_ns + NS_PER_MS), 0);
	CHECK_EQ(uthread_park(clock_ns + 10 * NS_PER_MS), 0);
	CHECK_EQ(timer_arm(&wake, clock_ns + 100 * NS_PER_MS), 0);
	start = clock_ns;
	CHECK_EQ(uthread_park(GW_NEVER), 0); /* what is armed ends no park without a deadline */
	CHECK(clock_ns >= start + 100 * NS_PER_MS);
	CHECK_EQ(self->heap_len, 0);
	u = self->current;
	CHECK_EQ(timer_arm(&wake, clock_ns + NS_PER_MS), 0);
	CHECK_EQ(uthread_park(clock_ns + NS_PER_SEC), 0);
	CHECK_EQ(self->heap_len, 1);
	timer_cancel(&u->park_timer); /* as balance.c does when it gives one away */
	CHECK_EQ(self->heap_len, 0);
}

/* An idle shard's waits get longer, up to a second. */
TEST(idle_backs_off)
{
	uint64_t before;

	world();
	before = n_waits;
	uthread_sleep_until(clock_ns + 100 * NS_PER_SEC);
	CHECK(n_waits - before < 120);
	CHECK(n_waits - before > 90);
}

static void sleeper(void *arg)
{
	(void)arg;
	CHECK_EQ(uthread_park(GW_NEVER), 0);
	mark('w');
}

TEST(program_uthreads_take_the_fpu)
{
	struct uthread *u;

	world();
	taken = NULL;
	CHECK_EQ(uthread_create(&u, NULL, sleeper, NULL, "p", true, NULL), 0);
	CHECK(u->movable);
	(void)uthread_park(clock_ns + 1);
	(void)uthread_park(clock_ns + NS_PER_MS);
	CHECK(taken == u && self->fpu_owner == u && !u->movable);
	CHECK((uintptr_t)u->fpu % 64 == 0);
	CHECK(n_ticks_set > 0); /* a program may not enter the kernel for long */
	uthread_wake(u);
	(void)uthread_park(clock_ns + 1);
	(void)uthread_park(clock_ns + NS_PER_MS);
	CHECK(self->fpu_owner == NULL);
}

/* ---- network times ---- */

static struct uthread *receiver;

/* A packet found at the turn's start wakes the program 300 ns later. */
static bool packet_wakes(struct poller *p)
{
	(void)p;
	if (receiver != NULL) {
		self->rx_ns = self->now_ns;
		clock_ns += 300;
		uthread_wake(receiver);
		self->rx_ns = 0;
		receiver = NULL;
	}
	return false;
}

static void answerer(void *arg)
{
	(void)arg;
	(void)uthread_park(GW_NEVER);
	clock_ns += 50;
	shard_note_write(clock_now()); /* the first of two writes counts */
	clock_ns += 700;
	shard_note_write(clock_now());
	(void)uthread_park(GW_NEVER);
}

static uint64_t only_value(enum latency_kind kind)
{
	struct histogram *h = &self->latency[kind].h;

	CHECK_EQ(histogram_count(h), 1);
	return histogram_max(h);
}

TEST(network_times)
{
	static struct poller p = { .poll = packet_wakes };
	struct uthread *u;

	world();
	for (uint32_t k = 0; k < LATENCY_KINDS; k++)
		latency_init(&self->latency[k]);
	CHECK_EQ(uthread_create(&u, NULL, answerer, NULL, "p", true, NULL), 0);
	(void)uthread_park(clock_ns + 1);
	(void)uthread_park(clock_ns + NS_PER_MS);
	CHECK_EQ(histogram_count(&self->latency[LATENCY_NET_RECV].h), 0); /* not by a packet */
	for (uint32_t k = 0; k < LATENCY_KINDS; k++)
		latency_init(&self->latency[k]);
	shard_add_poller(&p);
	receiver = u;
	(void)uthread_park(clock_ns + NS_PER_MS);
	(void)uthread_park(clock_ns + NS_PER_MS);
	list_del(&p.link);
	CHECK_EQ(only_value(LATENCY_NET_RECV), 300);
	CHECK_EQ(only_value(LATENCY_QUEUE), 0); /* ready after the packet's way, not before */
	CHECK_EQ(only_value(LATENCY_RUN), 750);
	CHECK_EQ(only_value(LATENCY_NET_SEND), 700);
	CHECK_EQ(self->tx_ns, 0);
	uthread_wake(u);
	(void)uthread_park(clock_ns + 1);
	(void)uthread_park(clock_ns + NS_PER_MS);
	CHECK_EQ(histogram_count(&self->latency[LATENCY_NET_RECV].h), 1);
	CHECK_EQ(histogram_count(&self->latency[LATENCY_NET_SEND].h), 1);
}

static void in_space(void *arg)
{
	uthread_self()->space = (uint32_t)(uintptr_t)arg;
	(void)space_enter((uint32_t)(uintptr_t)arg);
	for (int i = 0; i < 3; i++) {
		(void)uthread_park(GW_NEVER);
		CHECK_EQ(self->space, (uint32_t)(uintptr_t)arg);
	}
}

TEST(programs_keep_their_space)
{
	struct uthread *a, *b, *c;

	world();
	CHECK_EQ(uthread_create(&a, NULL, in_space, (void *)1, "a", true, NULL), 0);
	CHECK_EQ(uthread_create(&b, NULL, in_space, (void *)2, "b", true, NULL), 0);
	CHECK_EQ(uthread_create(&c, NULL, in_space, (void *)2, "c", true, NULL), 0);
	(void)uthread_park(clock_ns + NS_PER_MS);
	for (int i = 0; i < 3; i++) {
		uint32_t before = n_space_switches;

		uthread_wake(a);
		uthread_wake(b); /* b and c share one: nothing to switch between them */
		uthread_wake(c);
		(void)uthread_park(clock_ns + NS_PER_MS);
		CHECK_EQ(n_space_switches - before, 2);
	}
}

/* ---- other shards ---- */
static struct uthread *target;

static void wake_target(void *arg)
{
	(void)arg;
	uthread_wake(target);
	uthread_wake(target); /* it is in the inbox already */
}

static void wake_from_other(void)
{
	on_wait = NULL;
	CHECK_EQ(atomic_load(&self->sleeping), 1);
	on_other(wake_target, NULL);
}

TEST(remote_wakes)
{
	uint64_t before;

	world();
	target = uthread_self();
	before = n_notifies;
	on_wait = wake_from_other;
	CHECK_EQ(uthread_park(GW_NEVER), 0);
	CHECK_EQ(n_notifies, before + 1);
	CHECK_EQ(last_notified, 0);
	atomic_store(&self->vcore->pending, 0);
	CHECK_EQ(atomic_load(&target->token), 0);
	/* while it runs: the event bit is set without a kernel call, and its next park returns at
	 * once */
	before = n_notifies;
	on_other(wake_target, NULL);
	CHECK_EQ(n_notifies, before);
	CHECK(atomic_load(&self->vcore->pending) & 1u << GW_EVENT_NOTIFY);
	CHECK_EQ(uthread_park(GW_NEVER), 0);
	shard_turn();
	CHECK_EQ(atomic_load(&target->token) & TOKEN_QUEUED, 0);
	CHECK_EQ(atomic_load(&self->vcore->pending), 0);
	/* left in the inbox, woken again, drained: no wake is lost, none is there twice */
	on_other(wake_target, NULL);
	shard_turn();
	CHECK_EQ(uthread_park(GW_NEVER), 0);
	CHECK_EQ(uthread_park(clock_ns + 1), -ETIMEDOUT);
}

static int messages_run;
static char message_order[8];

static void message(void *arg)
{
	message_order[messages_run++] = *(char *)arg;
	CHECK(!sched_may_park());
}

static void post_three(void *arg)
{
	static struct message m[3];

	for (int i = 0; i < 3; i++) {
		m[i] = (struct message){ .run = message, .arg = &"123"[i] };
		shard_post(arg, &m[i]);
	}
}

TEST(messages)
{
	world();
	on_other(post_three, self);
	shard_turn();
	CHECK_STR(message_order, "123");
	CHECK(sched_may_park());
	shard_call(self, message, "4");
	CHECK_STR(message_order, "1234");
}

/* ---- a uthread given away, and woken by someone who did not know ---- */
TEST(given_to_another_shard)
{
	struct uthread *u;

	world();
	n_shards = 2;
	shards[1] = &other;
	other.mem = self->mem;
	CHECK_EQ(uthread_create(&u, self, sleeper, NULL, "moves", true, NULL), 0);
	CHECK_EQ(self->n_ready, 1);
	atomic_store(&other.sleeping, 1);
	balance_share(self);
	CHECK(u->shard == &other && self->n_ready == 0);
	CHECK(atomic_load(&other.wake_inbox) == u);
	/* a stale waker pushes it nowhere twice; one that still goes by the old shard is passed on
	 */
	atomic_store(&other.wake_inbox, NULL);
	u->wake_next = NULL;
	atomic_store(&self->wake_inbox, u);
	shard_turn();
	CHECK(atomic_load(&self->wake_inbox) == NULL && atomic_load(&other.wake_inbox) == u);
	CHECK(atomic_load(&u->token) & TOKEN_QUEUED);
	atomic_store(&other.wake_inbox, NULL);
	atomic_store(&other.sleeping, 0);
	n_shards = 1;
}

/* ---- a packet that came while a program computes: an idle shard asks, and who waits for it runs
 * ---- */
static struct uthread *receiver;
static bool received;

static void receive(void *arg)
{
	(void)arg;
	(void)uthread_park(GW_NEVER);
	received = true;
}

static bool deliver(struct poller *p)
{
	(void)p;
	if (*(const uint16_t *)self->vcore->packets_come == *(uint16_t *)self->vcore->packets_seen)
		return false;
	++*(uint16_t *)self->vcore->packets_seen;
	uthread_wake(receiver);
	return true;
}

static void ask(void *arg)
{
	(void)arg;
	self->now_ns = clock_ns;
	self->steal_ns = 0;
	balance_steal(self);
}

TEST(packets_are_looked_for)
{
	static struct poller p = { .poll = deliver };
	static uint16_t come, seen;

	world();
	n_shards = 2;
	shards[1] = &other;
	shard_add_poller(&p);
	self->vcore->packets_come = (uint64_t)&come;
	self->vcore->packets_seen = (uint64_t)&seen;
	CHECK_EQ(uthread_create(&receiver, self, receive, NULL, "receiver", true, NULL), 0);
	receiver->movable = false;
	(void)uthread_park(clock_ns + 1);
	on_other(ask, NULL);
	CHECK_EQ(atomic_load(&other.stealing), 0); /* nothing waits here */
	come = 1;
	self->current->slice_end_ns = clock_ns + SLICE_NS;
	shard_turn(); /* it is seen, but the program goes on */
	CHECK_EQ(seen, 1);
	CHECK(!received);
	sched_preempt();
	CHECK(!received);
	(void)uthread_park(clock_ns + 1);
	CHECK(received);
	/* the same, when somebody asks for work: it makes room at once */
	received = false;
	CHECK_EQ(uthread_create(&receiver, self, receive, NULL, "receiver", true, NULL), 0);
	(void)uthread_park(clock_ns + 1);
	come = 2;
	atomic_store(&self->vcore->masked, 0); /* the program runs */
	on_other(ask, NULL);
	atomic_store(&self->vcore->masked, 1);
	CHECK_EQ(atomic_load(&other.stealing), 1);
	CHECK_EQ(last_notified, self->id);
	self->current->slice_end_ns = clock_ns + SLICE_NS;
	sched_preempt();
	CHECK_EQ(seen, 2);
	CHECK(received);
	CHECK_EQ(atomic_load(&other.stealing), 0);
	self->vcore->packets_come = self->vcore->packets_seen = 0;
	list_del(&p.link);
	n_shards = 1;
}

/* ---- waiting ---- */
static struct waitq wq;
static struct mutex mx;
static uint32_t noticed;

static void notice(struct waiter *w, uint32_t events)
{
	(void)w;
	noticed |= events;
}

static void wq_waiter(void *arg)
{
	struct waiter w = { .uthread = uthread_self(), .exclusive = true };

	waitq_add(&wq, &w);
	(void)uthread_park(GW_NEVER);
	waitq_del(&wq, &w);
	mark(*(char *)arg);
}

TEST(waitq)
{
	struct waiter all = { .notify = notice }, some = { .notify = notice, .events = 2 };

	world();
	waitq_init(&wq);
	waitq_notify(&wq, 1);
	waitq_add(&wq, &some);
	waitq_notify(&wq, 1);
	CHECK_EQ(noticed, 0);
	waitq_notify(&wq, 6);
	CHECK_EQ(noticed, 6);
	waitq_add(&wq, &all);
	waitq_notify(&wq, 1);
	CHECK_EQ(noticed, 7);
	waitq_del(&wq, &all);
	waitq_del(&wq, &some);
	trail_len = 0;
	CHECK_EQ(uthread_create(NULL, NULL, wq_waiter, "x", "x", false, NULL), 0);
	CHECK_EQ(uthread_create(NULL, NULL, wq_waiter, "y", "y", false, NULL), 0);
	(void)uthread_park(clock_ns + 1);
	(void)uthread_park(clock_ns + NS_PER_MS);
	waitq_notify(&wq, 1); /* exclusive: one of them */
	(void)uthread_park(clock_ns + NS_PER_MS);
	CHECK_STR(trail, "x");
	waitq_notify(&wq, 1);
	(void)uthread_park(clock_ns + NS_PER_MS);
	CHECK_STR(trail, "xy");
	CHECK(list_empty(&wq.waiters));
}

static void locker(void *arg)
{
	mutex_lock(&mx);
	mark(*(char *)arg);
	(void)uthread_park(clock_ns + NS_PER_MS); /* parks while holding it */
	mark(*(char *)arg);
	mutex_unlock(&mx);
}

TEST(mutex)
{
	world();
	mutex_init(&mx);
	trail_len = 0;
	mutex_lock(&mx);
	CHECK(!mutex_trylock(&mx));
	for (int i = 0; i < 3; i++)
		CHECK_EQ(uthread_create(NULL, NULL, locker, &"pqr"[i], "l", false, NULL), 0);
	(void)uthread_park(clock_ns + 20 * NS_PER_MS);
	CHECK_EQ(trail_len, 0);
	mutex_unlock(&mx);
	CHECK(!mutex_trylock(&mx)); /* handed over, not up for grabs */
	uthread_sleep_until(clock_ns + 20 * NS_PER_MS);
	CHECK_STR(trail, "ppqqrr");
	CHECK(mutex_trylock(&mx));
	mutex_unlock(&mx);
}

UNIT_MAIN(CASE(timers), CASE(timer_in_the_past), CASE(yield_and_end), CASE(deadlines_and_tokens),
	  CASE(deadlines_left_over), CASE(idle_backs_off), CASE(program_uthreads_take_the_fpu),
	  CASE(network_times), CASE(programs_keep_their_space), CASE(remote_wakes), CASE(messages),
	  CASE(given_to_another_shard), CASE(packets_are_looked_for), CASE(waitq), CASE(mutex),
	  CASE(polls_before_it_waits), CASE(computes_under_interrupts))
