/* SPDX-License-Identifier: Apache-2.0 */
/* log_test.c - the formatter, the ring of deferred text, and partitions' lines, with a UART that
 * keeps what it was given. The source is included: the test holds its lock. */
#include <pthread.h>
#include <setjmp.h>
#include <unistd.h>

#include "kernel/core/log.c"
#include "tests/unit.h"

uint64_t direct_base;
static char uart[16384];
static size_t n_uart;
static jmp_buf ended;
static uint32_t end_status;
static uint8_t page[PAGE_SIZE];
static struct log_line line;

void arch_console_byte(uint8_t byte)
{
	uart[n_uart++] = (char)byte;
	uart[n_uart] = 0;
}

void arch_shutdown(uint32_t status)
{
	end_status = status;
	longjmp(ended, 1);
}

static void begin(void)
{
	log_direct();
	n_uart = 0;
	uart[0] = 0;
	line.n = 0;
	memset(page, 0, sizeof(page));
}

TEST(formats)
{
	/* In variables: some are not printf's. */
	const char *volatile all = "%s %u %lu %x %lx %% %08x %03lx %q|\n";
	const char *volatile cut = "%u%", *volatile wide = "%030x";

	begin();
	log_text(all, "text", 42u, (uint64_t)1 << 40, 0xabcu, ~(uint64_t)0, 0xffu,
		 (uint64_t)0x12345);
	CHECK_STR(uart, "text 42 1099511627776 abc ffffffffffffffff % 000000ff 12345 q|\r\n");
	begin();
	log_text(cut, 0u);
	CHECK_STR(uart, "0");
	begin();
	log_text(wide, 1u); /* no wider than its digits have room */
	CHECK_EQ(n_uart, 23);
}

TEST(deferred)
{
	begin();
	CHECK(!log_drain(8));
	CHECK_EQ(log_room(), PAGE_SIZE);
	log_deferred(page);
	CHECK(!log_drain(8));
	log_text("0123456789");
	CHECK_EQ(n_uart, 0);
	CHECK_EQ(log_room(), PAGE_SIZE - 10);
	CHECK(log_drain(4));
	CHECK_STR(uart, "0123");
	CHECK(log_drain(100));
	CHECK_STR(uart, "0123456789");
	/* What has no room is dropped, the rest is in order. */
	for (uint32_t i = 0; i < 500; i++)
		log_text("line %03u, ", i);
	CHECK_EQ(log_room(), 0);
	begin();
	CHECK(!log_drain(1));
	log_text("direct");
	CHECK_STR(uart, "direct");
}

TEST(lines)
{
	begin();
	log_console(&line, NULL, (const uint8_t *)"abc\n", 4);
	CHECK_STR(uart, "abc\n");
	begin();
	log_deferred(page);
	log_console(&line, "p1", (const uint8_t *)"half", 4);
	log_text("other\n");
	log_console(&line, "p1", (const uint8_t *)" whole\r\nnext", 12);
	log_direct();
	CHECK_STR(uart, "other\r\np1: half whole\n");
	CHECK_EQ(line.n, 4);
	begin();
	for (uint32_t i = 0; i < sizeof(line.bytes) + 3; i++)
		log_console(&line, "p1", (const uint8_t *)"x", 1);
	CHECK_EQ(n_uart, 4 + sizeof(line.bytes) + 1);
	CHECK_EQ(line.n, 3);
	/* As much as 16 bytes can come to. */
	begin();
	line.n = sizeof(line.bytes) - 1;
	log_console(&line, "a name of thirty-one characters",
		    (const uint8_t *)"\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n", 16);
	CHECK(n_uart <= LOG_CONSOLE_ROOM(16));
}

static void *release(void *arg)
{
	usleep(20000);
	atomic_store(&ring_lock, 0);
	return arg;
}

/* Another core holds the lock: a writer waits for it, an idle core does something else, and the end
 * of the machine waits for a while only. */
TEST(locked)
{
	pthread_t t;

	begin();
	log_deferred(page);
	log_text("first ");
	atomic_store(&ring_lock, 1);
	CHECK(!log_drain(8));
	CHECK_EQ(pthread_create(&t, NULL, release, NULL), 0);
	log_text("second");
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_EQ(n_uart, 0);
	atomic_store(&ring_lock, 1);
	log_direct(); /* nobody gives it back */
	CHECK_EQ(n_uart, 0);
	CHECK(ring == NULL);
	atomic_store(&ring_lock, 0);
	ring_tail = ring_head;
}

TEST(fails)
{
	begin();
	log_deferred(page);
	log_text("before");
	if (setjmp(ended) == 0)
		fail(3, "no %s", "memory");
	CHECK_STR(uart, "before\r\ngodwit: no memory\r\n");
	CHECK_EQ(end_status, 3);
}

UNIT_MAIN(CASE(formats), CASE(deferred), CASE(lines), CASE(locked), CASE(fails))
