/* SPDX-License-Identifier: Apache-2.0 */
/* upcall.h - how programs enter the runtime and how they are continued: reflected syscalls, faults,
 * events.
 *
 * A program uthread's registers at a syscall are saved at the top of its runtime stack in struct
 * syscall_frame. Returning restores them, clears `masked`, and jumps, without a kernel call. When
 * an event is pending at that point, or the frame was marked `full`, the return goes through the
 * slow path (upcall_return_work, then context_resume). The runtime (-mgeneral-regs-only) never
 * touches extended registers, so they are saved only when another program uthread runs on the shard
 * (shard->fpu_owner). */
#ifndef GODWIT_RUNTIME_UPCALL_H
#define GODWIT_RUNTIME_UPCALL_H

#include "runtime/sched/sched.h"

/* The program's registers while it is in the runtime. rax holds the syscall number on entry and the
 * result on return. Written by upcall.S in this order. With full = 0 a return takes rax, rdx, rsi,
 * rdi, r8-r10, rsp, rip and rflags from here; whoever changes another register (a signal's return,
 * execve) sets full = 1. */
struct program_frame {
	struct gw_regs regs;
	uint64_t full; /* 1: every register must be restored (rcx, r11 too): signal return, event,
			  fault */
	uint64_t orig_rax; /* syscall number, ~0 for events and faults */
};

/* What the personality provides (link time). */
/* A reflected syscall of the current uthread: sets f->regs.rax. May park. */
void personality_syscall(struct program_frame *f);
/* A fault of the program (vector, error, address as in gw_vcore). Resolves it (maps a page: then f
 * continues) or makes it a signal. May park. from_runtime: the runtime itself touched program
 * memory (uaccess): return true if resolved; false: the uaccess fixup is taken. When shard->nofault
 * > 0 it must not park: return false instead. */
bool personality_fault(struct program_frame *f, uint64_t vector, uint64_t error, uint64_t va,
		       bool from_runtime);
/* Called before every return to the program when work is pending for this thread (need_work flag,
 * events): signals, exit requests. */
void personality_return(struct program_frame *f);
/* Set on a uthread to force its next return through personality_return (any shard; then interrupt
 * it if it runs). */
void upcall_kick(struct uthread *u);

/* Start running program code with these registers on the calling uthread: does not return. */
_Noreturn void upcall_enter_program(const struct gw_regs *regs);
/* The calling program uthread's frame (top of its runtime stack). */
struct program_frame *upcall_frame(struct uthread *u);

/* ---- program memory access: every address is checked to be a program address; faults are resolved
 * on the way. All return 0 or -EFAULT, and may park (page in), so no spinlock may be held. ---- */
int copy_to_program(uint64_t va, const void *from, size_t n) MUST_CHECK;
int copy_from_program(void *to, uint64_t va, size_t n) MUST_CHECK;
int zero_program(uint64_t va, size_t n) MUST_CHECK;
/* Copies a NUL-terminated string; returns its length, -EFAULT, or -ENAMETOOLONG (no NUL within
 * size). */
long copy_string_from_program(char *to, uint64_t va, size_t size) MUST_CHECK;
/* Never park: return how many bytes were copied before the first that would need it. Then
 * fault_in_program(va, write) and try again. For copies inside net and under locks. */
size_t copy_to_program_nofault(uint64_t va, const void *from, size_t n);
size_t copy_from_program_nofault(void *to, uint64_t va, size_t n);
int fault_in_program(uint64_t va, size_t n, bool write) MUST_CHECK;
/* 32-bit atomics on program memory (futex): 0 or -EFAULT. */
int program_load_u32(uint64_t va, uint32_t *out) MUST_CHECK;
int program_cmpxchg_u32(uint64_t va, uint32_t expect, uint32_t desired, uint32_t *seen) MUST_CHECK;

static inline bool program_range(uint64_t va, uint64_t n)
{
	return va + n >= va && va + n <= GW_PROGRAM_END;
}

/* ---- extended state ---- */
/* The calling program uthread's FS base: arch_prctl, set_thread_area. Set also before
 * upcall_enter_program. */
uint64_t upcall_fs_base(void);
void upcall_set_fs_base(uint64_t va);
size_t fpu_state_size(void); /* XSAVE bytes, 64-byte aligned */
/* Bring the current uthread's live state into its u->fpu area / mark the area as what must be
 * loaded. */
void fpu_save_current(void);
void fpu_load_current(void);
/* A fresh area: x87 and SSE control words as the ABI has them. */
void fpu_init_area(void *area);
#endif
