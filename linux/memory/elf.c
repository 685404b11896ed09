/* SPDX-License-Identifier: Apache-2.0 */
/* elf.c - loading a program and its interpreter (ld.so): segments by mm_map, the rest by page
 * faults. The stack is made by stack.c. A script's #! line is followed, as the kernel of Linux
 * does. */
#include "linux/memory/elf_check.h"
#include "linux/memory/elf.h"
#include "linux/memory/mm_internal.h"

#define S_IFMT 0170000u
#define S_IFREG 0100000u
#define SCRIPT_DEPTH 4
#define HEAD_BYTES 256u

static int say(char *why, size_t size, const char *path, const char *text, int r)
{
	fmt_print(why, size, "%s: %s", path, text);
	return r;
}

static int open_program(const char *path, struct inode **out, char *why, size_t size)
{
	int r = vfs_lookup(NULL, path, 0, out);

	if (r == -ENOENT || r == -ENOTDIR)
		return say(why, size, path, "no such file in the root (add it with -f)", r);
	if (r != 0)
		return say(why, size, path, "cannot be looked up", r);
	if ((inode_mode(*out) & S_IFMT) != S_IFREG)
		r = say(why, size, path, "not a regular file", -EACCES);
	else if ((inode_mode(*out) & 0111) == 0)
		r = say(why, size, path, "not executable (chmod +x it)", -EACCES);
	if (r != 0)
		inode_put(*out);
	return r;
}

static int read_plan(struct inode *i, const char *path, struct elf_plan *plan, char *why,
		     size_t size)
{
	uint8_t head[ELF_EHDR_BYTES], *phdrs;
	uint64_t file_size = inode_size(i);
	const char *text = "cannot be read";
	size_t n;
	long got = inode_read(i, 0, head, sizeof(head));
	int r;

	if (got < 0)
		return say(why, size, path, text, (int)got);
	r = elf_check_header(plan, head, (size_t)got, file_size, &text);
	if (r != 0)
		return say(why, size, path, text, r);
	n = plan->phnum * ELF_PHDR_BYTES;
	phdrs = mem_alloc(n);
	if (phdrs == NULL)
		return say(why, size, path, "memory is out; give the machine more with -m",
			   -ENOMEM);
	if (inode_read(i, plan->phoff, phdrs, n) != (long)n)
		r = -EIO;
	else
		r = elf_check_segments(plan, phdrs, file_size, GW_PROGRAM_END, &text);
	mem_free(phdrs, n);
	return r != 0 ? say(why, size, path, text, r) : 0;
}

/* Map the segments at bias. bss: the tail of the last file page is cleared, whole pages are
 * anonymous. */
static int map_segments(struct mm *mm, struct inode *i, const struct elf_plan *plan, uint64_t bias)
{
	for (uint32_t k = 0; k < plan->n; k++) {
		const struct elf_segment *s = &plan->segment[k];
		uint64_t lo = ROUND_DOWN(s->va, GW_PAGE_SIZE) + bias,
			 file_end = s->va + s->file_len + bias;
		uint64_t end = ROUND_UP(s->va + s->mem_len + bias, GW_PAGE_SIZE), file_hi = lo;
		int64_t at = 0;

		if (s->file_len != 0) {
			file_hi = ROUND_UP(file_end, GW_PAGE_SIZE);
			at = mm_map(mm, lo, file_hi - lo, s->prot | MM_FIXED, i,
				    ROUND_DOWN(s->offset, GW_PAGE_SIZE));
		}
		if (at >= 0 && end > file_hi)
			at = mm_map(mm, file_hi, end - file_hi, s->prot | MM_FIXED, NULL, 0);
		if (at < 0)
			return (int)at;
		if (s->mem_len > s->file_len && s->file_len != 0 && file_end % GW_PAGE_SIZE != 0 &&
		    (s->prot & MM_WRITE) != 0 && zero_program(file_end, file_hi - file_end) != 0)
			return -EIO;
	}
	return 0;
}

static uint64_t choose_bias(struct mm *mm, const struct elf_plan *plan, bool interp)
{
	uint64_t r, align = GW_MAX(plan->align, GW_PAGE_SIZE);

	if (!plan->pie)
		return 0;
	if (interp)
		return areas_gap(&mm->areas, plan->hi - plan->lo, align, 0, MMAP_LOW,
				 mm->mmap_top) -
		       plan->lo;
	random_bytes(&r, sizeof(r));
	return ROUND_DOWN(0x550000000000ull + ((r & 0xfffffff) << 12), align) - plan->lo;
}

static int load_one(struct mm *mm, struct inode *i, const char *path, struct elf_plan *plan,
		    bool interp, uint64_t *bias, char *why, size_t size)
{
	int r = read_plan(i, path, plan, why, size);

	if (r != 0)
		return r;
	if (plan->hi - plan->lo > (mem_total_pages() * GW_PAGE_SIZE) * 64)
		return say(why, size, path,
			   "its segments are larger than the machine; give it more with -m",
			   -ENOMEM);
	*bias = choose_bias(mm, plan, interp);
	r = map_segments(mm, i, plan, *bias);
	return r != 0 ? say(why, size, path,
			    "cannot be mapped: memory is out (-m) or the disk failed", r)
		      : 0;
}

static int load_interp(struct mm *mm, struct inode *exe, const char *path,
		       const struct elf_plan *plan, uint64_t *base, uint64_t *entry, char *why,
		       size_t size)
{
	char name[257] = "";
	struct elf_plan *ip;
	struct inode *i;
	int r;

	if (inode_read(exe, plan->interp_offset, name, plan->interp_len) !=
		    (long)plan->interp_len ||
	    strnlen(name, plan->interp_len) != plan->interp_len - 1)
		return say(why, size, path, "the name of its interpreter is damaged", -ENOEXEC);
	r = open_program(name, &i, why, size);
	if (r != 0) {
		if (r == -ENOENT)
			fmt_print(why, size,
				  "%s: its interpreter %s is not in the root (add it with -f)",
				  path, name);
		return r;
	}
	ip = mem_alloc(sizeof(*ip));
	if (ip == NULL) {
		r = -ENOMEM;
	} else {
		r = load_one(mm, i, name, ip, true, base, why, size);
		if (r == 0 && ip->interp_len != 0)
			r = say(why, size, name, "an interpreter that wants an interpreter itself",
				-ENOEXEC);
		*entry = ip->entry + *base;
		*base += ip->lo;
		mem_free(ip, sizeof(*ip));
	}
	inode_put(i);
	return r;
}

/* The line behind #! : interpreter and at most one argument, in place. */
static int parse_script(char *line, size_t n, char **interp, char **arg)
{
	char *end = memchr(line, '\n', n), *p = line + 2;

	if (end == NULL)
		return -ENOEXEC;
	while (end > p && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		end--;
	*end = '\0';
	while (*p == ' ' || *p == '\t')
		p++;
	*interp = p;
	while (*p != '\0' && *p != ' ' && *p != '\t')
		p++;
	*arg = NULL;
	if (*p != '\0') {
		*p++ = '\0';
		while (*p == ' ' || *p == '\t')
			p++;
		*arg = *p != '\0' ? p : NULL;
	}
	return **interp != '\0' ? 0 : -ENOEXEC;
}

struct script {
	char line[SCRIPT_DEPTH][HEAD_BYTES];
	const char *argv[2 * SCRIPT_DEPTH + 1]; /* in front of the program's own arguments */
	uint32_t n;
};

/* Follow #! lines from path. On success *exe is the ELF file to load and *name its path. */
static int resolve_script(struct script *s, const char *path, const char **name, struct inode **exe,
			  char *why, size_t size)
{
	for (int depth = 0;; depth++) {
		char *interp, *arg, *line = s->line[depth % SCRIPT_DEPTH];
		int r = open_program(path, exe, why, size);
		long n;

		if (r != 0) {
			if (depth > 0)
				fmt_print(why, size,
					  "%s: its interpreter %s is not in the root (add it with "
					  "-f)",
					  *name, path);
			return r;
		}
		n = inode_read(*exe, 0, line, HEAD_BYTES - 1);
		if (n < 2 || line[0] != '#' || line[1] != '!') {
			*name = path;
			return 0;
		}
		inode_put(*exe);
		if (depth == SCRIPT_DEPTH || parse_script(line, (size_t)n, &interp, &arg) != 0)
			return say(why, size, path, "a script whose #! line names no interpreter",
				   -ENOEXEC);
		/* interp [arg] script-path, in front of what is there without the old argv[0] */
		memmove(&s->argv[arg != NULL ? 2 : 1], &s->argv[0], s->n * sizeof(s->argv[0]));
		s->argv[arg != NULL ? 2 : 1] = path;
		s->argv[0] = interp;
		if (arg != NULL)
			s->argv[1] = arg;
		s->n = (s->n == 0 ? 1 : s->n) + (arg != NULL ? 2 : 1);
		*name = path;
		path = interp;
	}
}

int elf_load(const char *path, const char *const *argv, const char *const *envp,
	     struct gw_regs *regs, char *why, size_t why_size)
{
	struct mm *mm = mm_current();
	struct elf_plan *plan = mem_zalloc(sizeof(*plan));
	struct script *script = mem_zalloc(sizeof(*script));
	struct elf_stack st = { .argv = argv, .envp = envp, .execfn = path };
	struct process *p = process_self();
	struct inode *exe = NULL, *old;
	uint64_t bias, entry, r64;
	const char *name = path;
	int r;

	if (plan == NULL || script == NULL)
		return say(why, why_size, path, "memory is out; give the machine more with -m",
			   -ENOMEM);
	r = resolve_script(script, path, &name, &exe, why, why_size);
	if (r != 0) {
		exe = NULL; /* no reference is left */
		goto out;
	}
	if (script->n != 0) {
		st.prefix = script->argv;
		st.n_prefix = script->n;
	}
	r = load_one(mm, exe, name, plan, false, &bias, why, why_size);
	if (r != 0)
		goto out;
	entry = plan->entry + bias;
	st.entry = entry;
	st.phdr = plan->phdr_va != 0 ? plan->phdr_va + bias : 0;
	st.phnum = plan->phnum;
	if (plan->interp_len != 0)
		r = load_interp(mm, exe, name, plan, &st.base, &entry, why, why_size);
	if (r != 0)
		goto out;
	/* The heap starts up to 32 MiB behind the program. */
	random_bytes(&r64, sizeof(r64));
	mm->brk_start = mm->brk_end = plan->hi + bias + ((r64 & 0x1fff) << 12);
	st.vdso = vdso_map(mm);
	if (!elf_stack_make(mm, &st)) {
		r = say(why, why_size, path,
			"arguments and environment do not fit on the stack, or memory is out",
			-E2BIG);
		goto out;
	}
	*regs = (struct gw_regs){ .rip = entry, .rsp = st.sp, .rflags = 0x202 };
	old = p->exe;
	p->exe = inode_get(exe);
	inode_path(exe, p->exe_path, sizeof(p->exe_path));
	if (old != NULL)
		inode_put(old);
out:
	if (exe != NULL)
		inode_put(exe);
	mem_free(plan, sizeof(*plan));
	mem_free(script, sizeof(*script));
	return r;
}
