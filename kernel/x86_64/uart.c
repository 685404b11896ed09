/* SPDX-License-Identifier: Apache-2.0 */
/* uart.c - the debug UART at COM1: output only, polled, with a bounded wait. Also the ways to end
 * the machine. */
#include "kernel/x86_64/arch_internal.h"

#define COM1 0x3f8

static bool uart_absent;

void arch_console_byte(uint8_t byte)
{
	if (uart_absent)
		return;
	for (uint32_t i = 0; i < 100000; i++) {
		uint8_t status = inb(COM1 + 5);

		if (status == 0xff) {
			uart_absent = true;
			return;
		}
		if (status & 0x20)
			break;
	}
	outb(COM1, byte);
}

/* QEMU's isa-debug-exit (the machine exits with 2 * status + 1), then ACPI power-off as q35 and
 * i440fx have it, then a triple fault, which is a reset. */
void arch_shutdown(uint32_t status)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) no_idt = { 0, 0 };

	__asm__ volatile("cli");
	outl(0xf4, status);
	outw(0x604, 0x2000);
	__asm__ volatile("lidt %0\n\tud2" : : "m"(no_idt));
	for (;;)
		__asm__ volatile("hlt");
}
