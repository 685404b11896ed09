/* SPDX-License-Identifier: Apache-2.0 */
/* call.h - the kernel calls of a partition.
 *
 * `syscall` with bit 63 of rax set is a kernel call: rax = GW_CALL(number), arguments in rdi, rsi,
 * rdx, r10; the result returns in rax (0 or a positive value, or a negative errno); rcx and r11
 * are clobbered, every other register is kept. A `syscall` with bit 63 clear is reflected to the
 * partition's own syscall entry (upcall.h). The kernel never follows a pointer of a partition:
 * what does not fit in registers lies in the caller's vcore area (vcore.h), which the kernel
 * reaches through its own mapping, reads once and checks before it changes anything. */
#ifndef GODWIT_ABI_CALL_H
#define GODWIT_ABI_CALL_H

#define GW_CALL_BIT (1ULL << 63)
#define GW_CALL(n) (GW_CALL_BIT | (n))

enum gw_call {
	/* wait(deadline_ns): tick_set(deadline_ns), unless it is ~0, then sleep until an event is
	 * pending on this vcore. Returns 0, at once when an event is pending already. The tick
	 * stays set when another event ended the wait. */
	GW_CALL_WAIT = 0,
	/* yield(): give the core to whoever else may run on it. Returns 0. */
	GW_CALL_YIELD = 1,
	/* notify(vcore): set GW_EVENT_NOTIFY on another vcore of the partition and wake it.
	 * -EINVAL: no such vcore. */
	GW_CALL_NOTIFY = 2,
	/* vcore_start(vcore, entry_va, arg): start a stopped vcore of the partition at entry_va
	 * with rdi = arg, rsp = 0, upcalls masked, GS base = its vcore area. -EINVAL, -EBUSY
	 * (runs). */
	GW_CALL_VCORE_START = 3,
	/* upcall_set(syscall_entry_va, upcall_entry_va): where this vcore's reflected syscalls and
	 * its faults and events enter (vcore.h). -EINVAL: outside the partition's addresses. */
	GW_CALL_UPCALL_SET = 4,
	/* tick_set(deadline_ns): set GW_EVENT_TICK on this vcore at deadline_ns; ~0 cancels. */
	GW_CALL_TICK_SET = 5,
	/* space_map(n): apply the first n (1..GW_BATCH_MAPS) struct gw_map of the batch area.
	 * space_protect(n): change the protection of what is mapped in them (pa is ignored; holes
	 * are skipped). Both replace what was mapped. All entries are checked first (alignment,
	 * addresses, ownership of the frames, W^X): -EINVAL, -EPERM change nothing. -ENOMEM: the
	 * partition's page-table pool is empty; entries before `done` in the batch are applied. */
	GW_CALL_SPACE_MAP = 6,
	GW_CALL_SPACE_PROTECT = 7,
	/* space_unmap(va, len_bytes): remove what is mapped in [va, va+len) and report it, in
	 * address order, in batch.unmapped[] (at most GW_BATCH_UNMAPS). Returns how many entries it
	 * reported, and in batch.next_va where it stopped (va+len when done; it may stop early,
	 * when another's time begins): call again from there. space_query(va, len_bytes): report
	 * the same way, change nothing but clear the accessed flags reported. A part of a large
	 * page splits it. */
	GW_CALL_SPACE_UNMAP = 8,
	GW_CALL_SPACE_QUERY = 9,
	/* irq_bind(device, vector, vcore, event): device's (index in gw_boot_info) interrupt vector
	 * (0.. vectors-1) sets bit `event` (GW_EVENT_IRQ0..63) on vcore. Binding unmasks it. */
	GW_CALL_IRQ_BIND = 10,
	/* context_resume(): continue the context in the vcore area's `frame` with `frame_masked` as
	 * its upcall mask: how a fault or event upcall returns. If the frame is unmasked and an
	 * event is pending, the kernel makes the event upcall at once, with that frame. */
	GW_CALL_CONTEXT_RESUME = 11,
	/* console_write(len): the first len bytes (<= GW_BATCH_BYTES) of batch.bytes go to the
	 * debug UART. Returns len. */
	GW_CALL_CONSOLE_WRITE = 12,
	/* health_raise(code, arg): report an error of this partition with the caller's registers.
	 * Its class is GW_HEALTH_APPLICATION, or the one in GW_HEALTH_CODE(class, code); what
	 * follows says the partition's table (bundle.h). Returns (0) when that is to ignore it.
	 * -EINVAL: no such class. */
	GW_CALL_HEALTH_RAISE = 13,
	/* shutdown(status): end the machine with exit status 0..255. Does not return. */
	GW_CALL_SHUTDOWN = 14,
	/* Address spaces: a partition has GW_MAX_SPACES of them, number 0 from the start. They
	 * share everything but the program's addresses [GW_PROGRAM_BASE, GW_PROGRAM_END).
	 * space_create(): a new one, nothing mapped. Returns its number, -ENOSPC, -ENOMEM (pool).
	 * space_switch(space): this vcore runs in it from now on; the space calls act on the
	 * caller's current space. -EINVAL: no such space. space_destroy(space): give its tables
	 * back to the pool, a bounded number a call: -EAGAIN = call again. What is still mapped is
	 * forgotten, not reported. -EBUSY: a vcore runs in it, or it is number 0. */
	GW_CALL_SPACE_CREATE = 15,
	GW_CALL_SPACE_SWITCH = 16,
	GW_CALL_SPACE_DESTROY = 17,
	/* Ports (bundle.h: a channel's number is its port's). The message is in batch.bytes.
	 * port_write(port, len): as the source. A sampling port holds the last message, a queuing
	 * one takes it in order: -EAGAIN when it is full (GW_EVENT_PORT comes when there is room).
	 * port_read(port): as a destination. Returns the length. Sampling: the last message,
	 * next_va its time, done 1 while it is not older than the refresh period, else 0. Queuing:
	 * the oldest, which is taken out, next_va its time, done how many are left. -EAGAIN: none.
	 * port_status(port): as either. Returns how many messages there are, next_va the time of
	 * the last write, done whether it is valid (sampling). All: -EINVAL: no such port, or a
	 * length out of range; -EPERM: the other end's. A write sets GW_EVENT_PORT on the vcore of
	 * each destination that last used the port (else 0). */
	GW_CALL_PORT_WRITE = 18,
	GW_CALL_PORT_READ = 19,
	GW_CALL_PORT_STATUS = 20,
	/* partition_restart(warm): this partition starts again, as by GW_HEALTH_COLD_RESTART (0) or
	 * GW_HEALTH_WARM_RESTART (1), with GW_START_PARTITION. -EINVAL: something else. -EPERM: it
	 * has its cores for itself, without a scheduler (one partition, no windows, and no restart
	 * in its health table). Does not return else. */
	GW_CALL_PARTITION_RESTART = 21,
	GW_CALL_COUNT = 22,
};

/* The code of health_raise for an error of class (enum gw_health_class, bundle.h); code: 56 bits.
 */
#define GW_HEALTH_CODE(class, code) (((class) + 1ULL) << 56 | (code))

#define GW_MAX_SPACES 64u

#endif
