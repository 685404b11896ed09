/* SPDX-License-Identifier: Apache-2.0 */
/* console_test.c - virtio-console against a fake host: handshake, output with flow control, input,
 * and control messages that make no sense. */
#include "abi/channel.h"
#include "runtime/base/errno.h"
#include "runtime/virtio/console_internal.h"
#include "runtime/virtio/test/fake.h"
#include "tests/unit.h"

#define BASIC (VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX)
enum {
	DEVICE_READY,
	PORT_ADD,
	PORT_REMOVE,
	PORT_READY,
	CONSOLE_PORT,
	RESIZE,
	PORT_OPEN,
	PORT_NAME
};

static char out[3][16384];
static size_t out_len[3];
static bool stuck; /* the host takes no output */
static unsigned ready, readied[3], opened[3], refused;
static unsigned announce; /* ports that the host announces */

static void host_sends(uint32_t id, uint16_t event, uint16_t value)
{
	struct ctrl_msg m = { id + GW_CHANNEL_CONSOLE, event, value };
	struct fake_chain c;

	if (fake_pop(2, &c)) {
		fake_write_in(&c, &m, sizeof(m));
		fake_push(2, c.id, sizeof(m));
	}
}

static void on_control(void)
{
	struct fake_chain c;

	while (fake_pop(3, &c)) {
		struct ctrl_msg m;

		CHECK_EQ(fake_read_out(&c, &m, sizeof(m)), 8);
		fake_push(3, c.id, 0);
		m.id -= GW_CHANNEL_CONSOLE;
		if (m.event == DEVICE_READY) {
			ready++;
			for (uint32_t i = 0; i < announce; i++)
				host_sends(i, PORT_ADD, 0);
		} else if (m.event == PORT_READY && m.id < 3) {
			refused += m.value == 0;
			readied[m.id]++;
			host_sends(m.id, CONSOLE_PORT, 1);
			host_sends(m.id, PORT_NAME, 1);
			host_sends(m.id, PORT_OPEN, 1);
		} else if (m.event == PORT_OPEN && m.id < 3) {
			opened[m.id]++;
		}
	}
}

static void serve(struct fake_device *d, unsigned i)
{
	struct fake_chain c;
	unsigned port = i == 1 ? 0 : (i - 5) / 2; /* port numbers of the device start at 1 */

	(void)d;
	if (i == 3) {
		on_control();
	} else if (i % 2 == 1 && port < 3) {
		while (!stuck && fake_pop(i, &c)) {
			CHECK(out_len[port] + c.out_len <= sizeof(out[0]));
			out_len[port] += fake_read_out(&c, out[port] + out_len[port], c.out_len);
			fake_push(i, c.id, 0);
		}
	}
}

static void setup(bool multiport, unsigned ports)
{
	struct vdev v;

	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_CONSOLE, BASIC | (multiport ? CON_F_MULTIPORT : 0), 64);
	fake.config[4] = GW_CHANNEL_PORTS;
	fake.on_kick = serve;
	memset(out, 0, sizeof(out));
	memset(out_len, 0, sizeof(out_len));
	memset(readied, 0, sizeof(readied));
	memset(opened, 0, sizeof(opened));
	ready = refused = 0;
	stuck = false;
	announce = ports;
	console_forget();
	misc_init();
	CHECK_EQ(vdev_probe(&v, &fake.dev, 0, true), 0);
	CHECK_EQ(console_probe(&v), 0);
}

static void turns(void)
{
	for (int i = 0; i < 4; i++) {
		fake_now_ns += NS_PER_MS;
		fake_turn();
	}
}

static void host_types(unsigned queue, const char *text)
{
	struct fake_chain c;

	CHECK(fake_pop(queue, &c));
	fake_push(queue, c.id, fake_write_in(&c, text, (uint32_t)strlen(text)));
}

TEST(handshake)
{
	setup(true, 3);
	turns();
	CHECK_EQ(ready, 1);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(readied[i], 1);
		CHECK_EQ(opened[i], 1);
		CHECK(con.ports[i].exists);
		CHECK(!console_closed((unsigned)i));
	}
	CHECK_EQ(refused, 0);
}

TEST(output)
{
	setup(true, 3);
	CHECK_EQ(console_write(0, "early ", 6), 6); /* before any turn: waits for the greeting */
	CHECK_EQ(console_write(1, "error", 5), 5);
	control_line("status %d", 7);
	CHECK_EQ(console_write(0, "late", 4), 4);
	console_drain();
	CHECK_STR(out[0], "early late");
	CHECK_STR(out[1], "error");
	CHECK_STR(out[2], "status 7\n");
	CHECK_STR(fake_uart, "");
}

TEST(one_port)
{
	setup(false, 0);
	console_write(0, "a", 1);
	console_write(1, "b", 1);
	console_write(2, "c", 1);
	CHECK_STR(out[0], "ab"); /* one stream; control lines go nowhere */
	CHECK_EQ(con.ports[1].exists, false);
}

TEST(no_console)
{
	console_forget();
	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_CONSOLE, BASIC, 64);
	console_write(0, "to the ", 7);
	console_write(1, "uart", 4);
	console_write(2, "x", 1);
	CHECK_STR(fake_uart, "to the uart");
	CHECK(console_closed(0));
	CHECK_EQ(console_read(0, out[0], 10), 0);
	console_drain();
	CHECK(console_waitq(0) != NULL);
}

static bool unstick(void)
{
	static unsigned n;

	fake_now_ns += NS_PER_MS;
	fake_turn();
	if (++n % 3 == 0) {
		stuck = false;
		serve(&fake, 5);
		stuck = true;
	}
	return true;
}

TEST(flow_control)
{
	static char big[10000];

	setup(true, 3);
	turns();
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)('a' + i % 23);
	stuck = true;
	fake_on_park = unstick;
	CHECK_EQ(console_write(0, big, sizeof(big)), sizeof(big));
	stuck = false;
	serve(&fake, 5);
	CHECK_EQ(out_len[0], sizeof(big));
	CHECK(memcmp(out[0], big, sizeof(big)) == 0);
}

TEST(full_in_the_loop_drops)
{
	static char big[10000];

	setup(true, 3);
	turns();
	stuck = true;
	fake_shard.nofault = 1;
	CHECK_EQ(console_write(0, big, sizeof(big)), sizeof(big));
	fake_shard.nofault = 0;
	stuck = false;
	serve(&fake, 5);
	CHECK_EQ(out_len[0], CON_TX_BUFS * CON_TX_LEN);
}

static unsigned notified;
static void on_input(struct waiter *w, uint32_t events)
{
	(void)w;
	(void)events;
	notified++;
}

TEST(input)
{
	struct waiter w = { .notify = on_input };
	char buf[600];

	setup(true, 3);
	turns();
	list_init(&w.link);
	waitq_add(console_waitq(0), &w);
	notified = 0;
	CHECK_EQ(console_read(0, buf, 10), 0);
	host_types(4, "hello ");
	host_types(4, "world");
	turns();
	CHECK(notified != 0);
	CHECK_EQ(console_read(0, buf, 3), 3);
	CHECK_EQ(console_read(0, buf + 3, 500), 8);
	CHECK(memcmp(buf, "hello world", 11) == 0);
	CHECK_EQ(console_read(0, buf, 10), 0);
	/* Flow control: four buffers, then the host has none until somebody reads. */
	for (int round = 0; round < 3; round++) {
		struct fake_chain c;

		for (unsigned i = 0; i < CON_RX_BUFS; i++)
			host_types(4, "abc");
		CHECK(!fake_pop(4, &c));
		turns();
		CHECK(!fake_pop(4, &c));
		CHECK_EQ(console_read(0, buf, 600), 3 * CON_RX_BUFS);
	}
	notified = 0;
	host_sends(0, PORT_OPEN, 0);
	host_types(4, "last");
	turns();
	CHECK(notified != 0);
	CHECK(console_closed(0));
	CHECK_EQ(console_read(0, buf, 600), 4);
	host_sends(0, PORT_OPEN, 1);
	turns();
	CHECK(!console_closed(0));
	/* Port 2 has input too, port 1 none. */
	host_types(8, "ctl");
	turns();
	CHECK_EQ(console_read(2, buf, 600), 3);
	CHECK_EQ(console_read(1, buf, 600), 0);
	CHECK_EQ(console_read(9, buf, 600), 0);
}

TEST(hostile_control)
{
	uint64_t x = 88172645463325252ull;

	setup(true, 3);
	turns();
	for (unsigned i = 0; i < 5000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		host_sends((uint32_t)(x >> 60 == 0 ? x : x % 5), (uint16_t)(x >> 32 & 15),
			   (uint16_t)(x >> 40 & 3));
		if (i % 5 == 0)
			turns();
	}
	/* Each port was answered once a lifetime: removal and coming back are answered again,
	 * floods not. */
	CHECK_EQ(fake_warnings, 0);
	host_sends(0, PORT_ADD, 0);
	host_sends(0, PORT_OPEN, 1);
	turns();
	console_write(0, "still here", 10);
	CHECK_STR(out[0], "still here");
}

TEST(control_flood_is_answered_once)
{
	setup(true, 3);
	turns();
	for (unsigned i = 0; i < 100; i++) {
		host_sends(0, PORT_ADD, 0);
		turns();
	}
	CHECK_EQ(readied[0], 1);
	CHECK_EQ(opened[0], 1);
}

TEST(short_control_messages)
{
	struct fake_chain c;

	setup(true, 0);
	turns();
	for (uint32_t len = 0; len < 8; len++) {
		CHECK(fake_pop(2, &c));
		fake_push(2, c.id, len);
		turns();
	}
	CHECK(!con.greeted);
	CHECK_EQ(fake_warnings, 0);
	/* It never greets: output goes to the UART after a moment. */
	console_write(0, "hi", 2);
	CHECK_STR(fake_uart, "hi");
}

TEST(lies)
{
	static const unsigned queues[] = { 2, 3, 4, 5 };

	for (size_t i = 0; i < ARRAY_SIZE(queues); i++) {
		setup(true, 3);
		turns();
		fake_push(queues[i], 99, 0);
		turns();
		console_write(0, "fallback", 8); /* to the UART */
		turns();
		CHECK_EQ(fake_warnings, 1);
		CHECK_EQ(fake.status, 0);
		console_write(0, "!", 1);
		CHECK(strchr(fake_uart, '!') != NULL);
		CHECK(console_closed(0));
	}
}

UNIT_MAIN(CASE(handshake), CASE(output), CASE(one_port), CASE(no_console), CASE(flow_control),
	  CASE(full_in_the_loop_drops), CASE(input), CASE(hostile_control),
	  CASE(control_flood_is_answered_once), CASE(short_control_messages), CASE(lies))
