/* SPDX-License-Identifier: Apache-2.0 */
/* identity.c - who a program is and where: numbers of users and processes, names, capabilities,
 * random bytes. */
#include "linux/process/process.h"

char linux_hostname[65] = "godwit", linux_domainname[65] = "(none)";

#define KEEP 0xffffffffu /* -1: leave as it is */
#define PR_SET_PDEATHSIG 1
#define PR_GET_PDEATHSIG 2
#define PR_GET_DUMPABLE 3
#define PR_SET_DUMPABLE 4
#define PR_GET_KEEPCAPS 7
#define PR_SET_KEEPCAPS 8
#define PR_SET_NAME 15
#define PR_GET_NAME 16
#define PR_GET_SECCOMP 21
#define PR_CAPBSET_READ 23
#define PR_CAPBSET_DROP 24
#define PR_GET_SECUREBITS 27
#define PR_SET_SECUREBITS 28
#define PR_SET_TIMERSLACK 29
#define PR_GET_TIMERSLACK 30
#define PR_SET_CHILD_SUBREAPER 36
#define PR_GET_CHILD_SUBREAPER 37
#define PR_SET_NO_NEW_PRIVS 38
#define PR_GET_NO_NEW_PRIVS 39
#define PR_SET_THP_DISABLE 41
#define PR_GET_THP_DISABLE 42
#define PR_SET_VMA 0x53564d41

#define GETTER(name, value)           \
	SYSCALL_FN(name);             \
	SYSCALL_FN(name)              \
	{                             \
		(void)r;              \
		(void)t;              \
		return (long)(value); \
	}

GETTER(getpid, t->process->pid)
GETTER(getuid, t->process->uid)
GETTER(geteuid, t->process->euid)
GETTER(getgid, t->process->gid)
GETTER(getegid, t->process->egid)
GETTER(setfsuid, t->process->euid)
GETTER(setfsgid, t->process->egid)
GETTER(personality, 0)
GETTER(umask, __atomic_exchange_n(&t->process->umask, (uint32_t)r->rdi & 0777u, __ATOMIC_RELAXED))

/* Set real, effective and saved numbers; each must be KEEP or one of the three unless the caller is
 * root. */
static long set_ids(const struct process *p, uint32_t *const id[3], const uint32_t want[3])
{
	bool root = p->euid == 0;

	for (int i = 0; i < 3; i++) {
		if (want[i] != KEEP && !root && want[i] != *id[0] && want[i] != *id[1] &&
		    want[i] != *id[2])
			return -EPERM;
	}
	for (int i = 0; i < 3; i++) {
		if (want[i] != KEEP)
			*id[i] = want[i];
	}
	return 0;
}

static long set_uids(struct process *p, uint64_t a, uint64_t b, uint64_t c)
{
	uint32_t *const id[3] = { &p->uid, &p->euid, &p->suid };
	const uint32_t want[3] = { (uint32_t)a, (uint32_t)b, (uint32_t)c };

	return set_ids(p, id, want);
}

static long set_gids(struct process *p, uint64_t a, uint64_t b, uint64_t c)
{
	uint32_t *const id[3] = { &p->gid, &p->egid, &p->sgid };
	const uint32_t want[3] = { (uint32_t)a, (uint32_t)b, (uint32_t)c };

	return set_ids(p, id, want);
}

SYSCALL_FN(setuid);
SYSCALL_FN(setuid)
{
	struct process *p = t->process;

	if ((uint32_t)r->rdi == KEEP)
		return -EINVAL;
	return p->euid == 0 ? set_uids(p, r->rdi, r->rdi, r->rdi) : set_uids(p, KEEP, r->rdi, KEEP);
}

SYSCALL_FN(setgid);
SYSCALL_FN(setgid)
{
	struct process *p = t->process;

	if ((uint32_t)r->rdi == KEEP)
		return -EINVAL;
	return p->euid == 0 ? set_gids(p, r->rdi, r->rdi, r->rdi) : set_gids(p, KEEP, r->rdi, KEEP);
}

SYSCALL_FN(setreuid);
SYSCALL_FN(setreuid)
{
	bool both = (uint32_t)r->rdi != KEEP ||
		    ((uint32_t)r->rsi != KEEP && (uint32_t)r->rsi != t->process->uid);
	uint64_t saved = (uint32_t)r->rsi != KEEP ? r->rsi : t->process->euid;

	return set_uids(t->process, r->rdi, r->rsi, both ? saved : KEEP);
}

SYSCALL_FN(setregid);
SYSCALL_FN(setregid)
{
	bool both = (uint32_t)r->rdi != KEEP ||
		    ((uint32_t)r->rsi != KEEP && (uint32_t)r->rsi != t->process->gid);
	uint64_t saved = (uint32_t)r->rsi != KEEP ? r->rsi : t->process->egid;

	return set_gids(t->process, r->rdi, r->rsi, both ? saved : KEEP);
}

SYSCALL_FN(setresuid);
SYSCALL_FN(setresuid)
{
	return set_uids(t->process, r->rdi, r->rsi, r->rdx);
}

SYSCALL_FN(setresgid);
SYSCALL_FN(setresgid)
{
	return set_gids(t->process, r->rdi, r->rsi, r->rdx);
}

static long put_three(const struct gw_regs *r, uint32_t a, uint32_t b, uint32_t c)
{
	if (copy_to_program(r->rdi, &a, 4) != 0 || copy_to_program(r->rsi, &b, 4) != 0 ||
	    copy_to_program(r->rdx, &c, 4) != 0)
		return -EFAULT;
	return 0;
}

SYSCALL_FN(getresuid);
SYSCALL_FN(getresuid)
{
	return put_three(r, t->process->uid, t->process->euid, t->process->suid);
}

SYSCALL_FN(getresgid);
SYSCALL_FN(getresgid)
{
	return put_three(r, t->process->gid, t->process->egid, t->process->sgid);
}

/* No supplementary groups; setting them is accepted and has no effect: access is not checked by
 * group here. */
SYSCALL_FN(getgroups);
SYSCALL_FN(getgroups)
{
	(void)t;
	return (int32_t)r->rdi < 0 ? -EINVAL : 0;
}

SYSCALL_FN(setgroups);
SYSCALL_FN(setgroups)
{
	if (t->process->euid != 0)
		return -EPERM;
	return r->rdi > 65536 ? -EINVAL : 0;
}

/* capget, capset: version 1 or 3; root has everything, others nothing. */
static long cap_words(uint64_t header_va, uint32_t *words)
{
	uint32_t header[2];
	const uint32_t newest = 0x20080522;

	if (copy_from_program(header, header_va, sizeof(header)) != 0)
		return -EFAULT;
	if (header[0] == 0x19980330)
		*words = 1;
	else if (header[0] == 0x20071026 || header[0] == newest)
		*words = 2;
	else
		return copy_to_program(header_va, &newest, 4) != 0 ? -EFAULT : -EINVAL;
	return header[1] == 0 || (int)header[1] == process_self()->pid ||
			       thread_self()->tid == (int)header[1]
		       ? 0
		       : -ESRCH;
}

SYSCALL_FN(capget);
SYSCALL_FN(capget)
{
	uint32_t words, data[2][3] = { { 0 } };
	long err = cap_words(r->rdi, &words);

	if (err != 0 || r->rsi == 0)
		return err == -EINVAL && r->rsi == 0 ? 0 : err;
	if (t->process->euid == 0) {
		data[0][0] = data[0][1] = 0xffffffff;
		data[1][0] = data[1][1] = 0x1ff;
	}
	return copy_to_program(r->rsi, data, words * sizeof(data[0]));
}

SYSCALL_FN(capset);
SYSCALL_FN(capset)
{
	uint32_t words;

	(void)t;
	return cap_words(r->rdi,
			 &words); /* giving up capabilities: accepted, nothing here asks for them */
}

SYSCALL_FN(uname);
SYSCALL_FN(uname)
{
	struct {
		char sysname[65], nodename[65], release[65], version[65], machine[65], domain[65];
	} u = { "Linux", "", LINUX_RELEASE, LINUX_VERSION, "x86_64", "" };

	(void)t;
	str_copy(u.nodename, linux_hostname, sizeof(u.nodename));
	str_copy(u.domain, linux_domainname, sizeof(u.domain));
	return copy_to_program(r->rdi, &u, sizeof(u));
}

static long set_name(const struct thread *t, const struct gw_regs *r, char *to)
{
	char name[65] = "";

	if (t->process->euid != 0)
		return -EPERM;
	if (r->rsi > 64)
		return -EINVAL;
	if (copy_from_program(name, r->rdi, r->rsi) != 0)
		return -EFAULT;
	memcpy(to, name, sizeof(name));
	return 0;
}

SYSCALL_FN(sethostname);
SYSCALL_FN(sethostname)
{
	return set_name(t, r, linux_hostname);
}

SYSCALL_FN(setdomainname);
SYSCALL_FN(setdomainname)
{
	return set_name(t, r, linux_domainname);
}

SYSCALL_FN(getrandom);
SYSCALL_FN(getrandom)
{
	uint8_t bytes[256];
	uint64_t done = 0, len = GW_MIN(r->rsi, 0x7ffff000ull);

	(void)t;
	if ((r->rdx & ~7ull) != 0)
		return -EINVAL;
	while (done < len) {
		size_t n = GW_MIN(len - done, sizeof(bytes));

		random_bytes(bytes, n);
		if (copy_to_program(r->rdi + done, bytes, n) != 0)
			return done != 0 ? (long)done : -EFAULT;
		done += n;
	}
	return (long)done;
}

SYSCALL_FN(prctl);
SYSCALL_FN(prctl)
{
	static uint32_t dumpable = 1, keep_caps, no_new_privs, thp_disable;
	uint32_t flag;
	char name[17] = "";

	switch (r->rdi) {
	case PR_SET_NAME:
		if (copy_string_from_program(name, r->rsi, 16) == -EFAULT)
			return -EFAULT;
		memcpy(t->comm, name, 15);
		t->comm[15] = '\0';
		return 0;
	case PR_GET_NAME:
		return copy_to_program(r->rsi, t->comm, sizeof(t->comm));
	case PR_SET_PDEATHSIG:
		if (r->rsi > NSIG)
			return -EINVAL;
		t->process->pdeath_signal = (uint32_t)r->rsi;
		return 0;
	case PR_GET_PDEATHSIG:
		return copy_to_program(r->rsi, &t->process->pdeath_signal, 4);
	case PR_GET_DUMPABLE:
		return dumpable;
	case PR_SET_DUMPABLE:
		if (r->rsi > 1)
			return -EINVAL;
		dumpable = (uint32_t)r->rsi;
		return 0;
	case PR_GET_KEEPCAPS:
		return keep_caps;
	case PR_SET_KEEPCAPS:
		if (r->rsi > 1)
			return -EINVAL;
		keep_caps = (uint32_t)r->rsi;
		return 0;
	case PR_GET_SECCOMP:
	case PR_GET_SECUREBITS:
	case PR_SET_SECUREBITS:
	case PR_SET_TIMERSLACK:
		return 0;
	case PR_GET_TIMERSLACK:
		return 50000;
	case PR_CAPBSET_READ:
		return r->rsi > 40 ? -EINVAL : t->process->euid == 0;
	case PR_CAPBSET_DROP:
		return r->rsi > 40 ? -EINVAL : t->process->euid == 0 ? 0 : -EPERM;
	case PR_SET_CHILD_SUBREAPER:
		t->process->reaper = r->rsi != 0;
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		flag = t->process->reaper;
		return copy_to_program(r->rsi, &flag, sizeof(flag));
	case PR_SET_NO_NEW_PRIVS:
		if (r->rsi != 1)
			return -EINVAL;
		no_new_privs = 1;
		return 0;
	case PR_GET_NO_NEW_PRIVS:
		return no_new_privs;
	case PR_SET_THP_DISABLE:
		thp_disable = r->rsi != 0;
		return 0;
	case PR_GET_THP_DISABLE:
		return thp_disable;
	default: /* PR_SET_VMA too: mappings carry no names */
		return -EINVAL;
	}
}

/* Restartable sequences want the kernel's word on every preemption. The C library asks once a
 * process, and does without. */
SYSCALL_FN(rseq)
{
	(void)t;
	(void)r;
	return -ENOSYS;
}
