/* SPDX-License-Identifier: Apache-2.0 */
/* kvmprobe.c - timing ring 0 under KVM. See kvmprobe.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "tools/base/util.h"
#include "tools/godwit/kvmprobe.h"

#define LOOP 2000u	 /* iterations of two instructions */
#define LIMIT_NS 400000u /* native: some 10 us; interpreted: 2 to 4 ms */
#define GUEST_MEMORY 4096u
#define CODE 0x100u

/* mov ecx, LOOP; 1: dec ecx; jnz 1b; out 0x10, al; jmp 1b's start (run again) */
static const uint8_t code[] = { 0xb9, LOOP & 0xff, LOOP >> 8, 0,    0,	  0x49,
				0x75, 0xfd,	   0xe6,      0x10, 0xeb, 0xf4 };

struct probe {
	int kvm, vm, cpu;
	uint8_t *memory;
	struct kvm_run *run;
	size_t run_len;
};

static void on_alarm(int signal_number)
{
	(void)signal_number; /* only to interrupt KVM_RUN */
}

static bool set_registers(const struct probe *p)
{
	struct kvm_regs regs = { .rip = CODE, .rflags = 2 };
	struct kvm_sregs s;

	if (ioctl(p->cpu, KVM_GET_SREGS, &s) != 0)
		return false;
	/* Flat 32-bit protected mode, ring 0, no paging. */
	s.cr0 |= 1;
	s.cs = (struct kvm_segment){
		.limit = ~0u, .selector = 8, .type = 11, .present = 1, .db = 1, .s = 1, .g = 1
	};
	s.ds = s.cs;
	s.ds.selector = 16;
	s.ds.type = 3;
	s.es = s.fs = s.gs = s.ss = s.ds;
	return ioctl(p->cpu, KVM_SET_SREGS, &s) == 0 && ioctl(p->cpu, KVM_SET_REGS, &regs) == 0;
}

/* NULL when the machine stands, else what could not be done. */
static const char *make_machine(struct probe *p)
{
	struct kvm_userspace_memory_region region = { .memory_size = GUEST_MEMORY };
	int n;

	p->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (p->kvm < 0)
		return errno == ENOENT ? "/dev/kvm is not there"
		       : errno == EACCES
			       ? "/dev/kvm may not be opened (is the user in the group kvm?)"
			       : "/dev/kvm cannot be opened";
	if (ioctl(p->kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		return "/dev/kvm speaks another version";
	p->vm = ioctl(p->kvm, KVM_CREATE_VM, 0);
	p->memory = mmap(NULL, GUEST_MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	if (p->vm < 0 || p->memory == MAP_FAILED)
		return "KVM cannot make a virtual machine";
	memcpy(p->memory + CODE, code, sizeof(code));
	region.userspace_addr = (uintptr_t)p->memory;
	n = ioctl(p->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (ioctl(p->vm, KVM_SET_USER_MEMORY_REGION, &region) != 0 || n <= 0)
		return "KVM cannot give a virtual machine memory";
	p->cpu = ioctl(p->vm, KVM_CREATE_VCPU, 0);
	if (p->cpu < 0)
		return "KVM cannot make a processor";
	p->run_len = (size_t)n;
	p->run = mmap(NULL, p->run_len, PROT_READ | PROT_WRITE, MAP_SHARED, p->cpu, 0);
	if (p->run == MAP_FAILED || !set_registers(p))
		return "KVM cannot set a processor up";
	return NULL;
}

static void drop_machine(struct probe *p)
{
	if (p->run != MAP_FAILED && p->run != NULL)
		munmap(p->run, p->run_len);
	if (p->memory != MAP_FAILED && p->memory != NULL)
		munmap(p->memory, GUEST_MEMORY);
	if (p->cpu >= 0)
		close(p->cpu);
	if (p->vm >= 0)
		close(p->vm);
	if (p->kvm >= 0)
		close(p->kvm);
}

/* The best of three rounds in ns, the first of which also pays for page faults; 0: it did not run.
 */
static uint64_t time_loop(const struct probe *p)
{
	uint64_t best = 0;

	for (int i = 0; i < 3; i++) {
		uint64_t start = now_ns(), ns;

		errno = 0;
		if (ioctl(p->cpu, KVM_RUN, 0) != 0 || p->run->exit_reason != KVM_EXIT_IO)
			return errno == EINTR && best == 0 ? now_ns() - start : best;
		ns = now_ns() - start;
		if (best == 0 || ns < best)
			best = ns;
		if (i > 0 && best > 4 * (uint64_t)LIMIT_NS)
			break; /* beyond doubt, and not because this process had to wait */
	}
	return best;
}

bool kvm_usable(char *why, size_t room)
{
	struct probe p = {
		.kvm = -1, .vm = -1, .cpu = -1, .memory = MAP_FAILED, .run = MAP_FAILED
	};
	struct sigaction action = { .sa_handler = on_alarm }, old;
	struct itimerval limit = { .it_value = { .tv_usec = 50000 } }, off = { 0 };
	const char *problem = make_machine(&p);
	uint64_t ns = 0;

	if (problem == NULL) {
		sigaction(SIGALRM, &action, &old);
		setitimer(ITIMER_REAL, &limit, NULL);
		ns = time_loop(&p);
		setitimer(ITIMER_REAL, &off, NULL);
		sigaction(SIGALRM, &old, NULL);
		snprintf(why, room, "%u ring-0 instructions took %u us under KVM%s", 2 * LOOP,
			 (unsigned int)(ns / 1000),
			 ns > LIMIT_NS ? ": they are interpreted on this host" : "");
		if (ns == 0)
			snprintf(why, room, "KVM's processor does not run");
	} else {
		snprintf(why, room, "%s", problem);
	}
	drop_machine(&p);
	return problem == NULL && ns != 0 && ns <= LIMIT_NS;
}
