/* SPDX-License-Identifier: Apache-2.0 */
/* elf.c - the checks of a program file. Nothing in the file is trusted. See elf.h. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/vcore.h"
#include "tools/base/util.h"
#include "tools/godwit/elf.h"

/* What the loader in the machine takes (linux/memory/elf_check.h); it checks all this again. */
#define MAX_PHDRS 64u
#define MAX_SEGMENTS 16u
#define LOWEST_VA 0x10000u
#define MAX_ALIGN (1ull << 30)
#define SCRIPT_LINE 512u

struct elf_file {
	int fd;
	const char *name;
	uint64_t size;
	Elf64_Ehdr e;
	Elf64_Phdr *ph;
};

static const char *machine_name(unsigned int machine)
{
	static const struct {
		unsigned int number;
		const char *name;
	} names[] = { { EM_386, "32-bit x86" }, { EM_AARCH64, "64-bit ARM" },
		      { EM_ARM, "32-bit ARM" }, { EM_RISCV, "RISC-V" },
		      { EM_PPC64, "PowerPC" },	{ EM_S390, "IBM Z" },
		      { EM_MIPS, "MIPS" },	{ EM_LOONGARCH, "LoongArch" } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].number == machine)
			return names[i].name;
	return "another processor";
}

/* The file says something that cannot be: what, as the end of "FILE ...". */
static __attribute__((format(printf, 2, 3))) int damaged(const struct elf_file *f, const char *fmt,
							 ...)
{
	char what[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	return fail("%s %s; the file is damaged: install or build it again", f->name, what);
}

static int check_header(const struct elf_file *f)
{
	const Elf64_Ehdr *e = &f->e;

	if (e->e_ident[EI_DATA] != ELFDATA2LSB || e->e_machine != EM_X86_64)
		return fail("%s is a program for %s: Godwit runs x86-64 programs", f->name,
			    machine_name(e->e_ident[EI_DATA] == ELFDATA2LSB
						 ? e->e_machine
						 : (unsigned int)__builtin_bswap16(e->e_machine)));
	if (e->e_ident[EI_CLASS] != ELFCLASS64)
		return fail("%s is a 32-bit program: Godwit runs 64-bit x86-64 programs", f->name);
	if (e->e_ident[EI_OSABI] != ELFOSABI_SYSV && e->e_ident[EI_OSABI] != ELFOSABI_GNU)
		return fail("%s is not a Linux program (ELF OS ABI %u)", f->name,
			    e->e_ident[EI_OSABI]);
	if (e->e_type == ET_REL)
		return fail("%s is an object file: link it first", f->name);
	if (e->e_type != ET_EXEC && e->e_type != ET_DYN)
		return fail("%s is not a program (ELF type %u)", f->name, e->e_type);
	if (e->e_ident[EI_VERSION] != EV_CURRENT || e->e_version != EV_CURRENT)
		return damaged(f, "has an unknown ELF version (%u)", e->e_version);
	if (e->e_phentsize != sizeof(Elf64_Phdr) || e->e_phnum == 0 || e->e_phnum > MAX_PHDRS)
		return damaged(f, "has bad program headers (%u of %u bytes)", e->e_phnum,
			       e->e_phentsize);
	if (e->e_phoff > f->size || (f->size - e->e_phoff) / sizeof(Elf64_Phdr) < e->e_phnum)
		return damaged(f,
			       "is truncated: its program headers lie beyond its %" PRIu64 " bytes",
			       f->size);
	return 0;
}

/* Segment i; *end: of the pages of those before it. */
static int check_load(const struct elf_file *f, unsigned int i, uint64_t *end)
{
	const Elf64_Phdr *p = &f->ph[i];

	if (p->p_filesz > p->p_memsz)
		return damaged(f, "has a segment (%u) that is larger in the file than in memory",
			       i);
	if (p->p_offset > f->size || p->p_filesz > f->size - p->p_offset)
		return damaged(f, "is truncated: segment %u ends beyond its %" PRIu64 " bytes", i,
			       f->size);
	if (p->p_vaddr >= GW_PROGRAM_END || p->p_memsz > GW_PROGRAM_END - p->p_vaddr ||
	    (f->e.e_type == ET_EXEC && p->p_vaddr < LOWEST_VA))
		return damaged(f,
			       "has a segment (%u, at 0x%" PRIx64 ") outside a program's addresses",
			       i, p->p_vaddr);
	if ((p->p_vaddr - p->p_offset) % GW_PAGE != 0)
		return damaged(f, "has a segment (%u) that is not aligned to pages", i);
	if ((p->p_align & (p->p_align - 1)) != 0 || p->p_align > MAX_ALIGN)
		return damaged(f, "has a segment (%u) with a bad alignment", i);
	if (p->p_vaddr / GW_PAGE * GW_PAGE < *end)
		return damaged(f,
			       "has a segment (%u, at 0x%" PRIx64
			       ") that overlaps the one before it, or is out of order",
			       i, p->p_vaddr);
	*end = (p->p_vaddr + p->p_memsz + GW_PAGE - 1) / GW_PAGE * GW_PAGE;
	return 0;
}

static int read_interp(const struct elf_file *f, const Elf64_Phdr *p, struct elf_info *info)
{
	if (p->p_filesz < 2 || p->p_filesz > sizeof(info->interp) || p->p_offset > f->size ||
	    p->p_filesz > f->size - p->p_offset ||
	    read_all(f->fd, info->interp, p->p_filesz, p->p_offset) != 0 ||
	    info->interp[p->p_filesz - 1] != '\0' || info->interp[0] != '/')
		return damaged(f, "names no proper interpreter (PT_INTERP)");
	info->kind = ELF_DYNAMIC;
	return 0;
}

/* A shared object without an interpreter is a static PIE if it says so (DF_1_PIE), else a library.
 */
static bool is_pie(const struct elf_file *f, const Elf64_Phdr *dynamic)
{
	Elf64_Dyn d;

	for (uint64_t at = 0; at + sizeof(d) <= dynamic->p_filesz && at < 65536; at += sizeof(d)) {
		if (read_all(f->fd, &d, sizeof(d), dynamic->p_offset + at) != 0 ||
		    d.d_tag == DT_NULL)
			break;
		if (d.d_tag == DT_FLAGS_1)
			return (d.d_un.d_val & DF_1_PIE) != 0;
	}
	return false;
}

static int check_segments(const struct elf_file *f, struct elf_info *info)
{
	const Elf64_Phdr *dynamic = NULL;
	unsigned int loads = 0;
	bool entry_ok = false;
	uint64_t end = 0;

	for (unsigned int i = 0; i < f->e.e_phnum; i++) {
		const Elf64_Phdr *p = &f->ph[i];

		if (p->p_type == PT_LOAD && p->p_memsz != 0) {
			if (check_load(f, i, &end) != 0)
				return -1;
			loads++;
			if (p->p_flags & PF_X && f->e.e_entry >= p->p_vaddr &&
			    f->e.e_entry - p->p_vaddr < p->p_filesz)
				entry_ok = true;
		}
		if (p->p_type == PT_INTERP && read_interp(f, p, info) != 0)
			return -1;
		if (p->p_type == PT_DYNAMIC)
			dynamic = p;
	}
	if (loads == 0 || loads > MAX_SEGMENTS)
		return damaged(f, "has %u segments to load (of 1 to %u)", loads, MAX_SEGMENTS);
	info->needs = dynamic != NULL;
	info->library = f->e.e_type == ET_DYN && info->kind != ELF_DYNAMIC &&
			(dynamic == NULL || !is_pie(f, dynamic));
	if (!info->library && !entry_ok)
		return damaged(f, "has an entry (0x%" PRIx64 ") in no executable segment",
			       (uint64_t)f->e.e_entry);
	return 0;
}

/* `#!INTERPRETER [ARGUMENT]`: one argument, the rest of the line, as Linux takes it. */
static int read_script(const struct elf_file *f, struct elf_info *info)
{
	char line[SCRIPT_LINE + 1];
	size_t n = f->size < SCRIPT_LINE ? (size_t)f->size : SCRIPT_LINE, word;
	char *p, *end;

	if (read_all(f->fd, line, n, 0) != 0)
		return fail("cannot read %s: %s", f->name, strerror(errno));
	line[n] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	p = line + 2 + strspn(line + 2, " \t");
	word = strcspn(p, " \t");
	if (word == 0 || p[0] != '/')
		return fail("%s: its first line '%s' names no interpreter by an absolute path",
			    f->name, line);
	memcpy(info->interp, p, word);
	info->interp[word] = '\0';
	p += word + strspn(p + word, " \t");
	for (end = p + strlen(p); end > p && (end[-1] == ' ' || end[-1] == '\t'); end--)
		end[-1] = '\0';
	if (strlen(p) >= sizeof(info->interp_arg))
		return fail("%s: the argument in its first line is too long", f->name);
	strcpy(info->interp_arg, p);
	info->kind = ELF_SCRIPT;
	return 0;
}

int elf_inspect_fd(int fd, const char *name, struct elf_info *info)
{
	struct elf_file f = { .fd = fd, .name = name };
	uint8_t magic[4] = { 0 };
	struct stat st;
	int result;

	*info = (struct elf_info){ .kind = ELF_STATIC };
	if (fstat(fd, &st) != 0)
		return fail("cannot read %s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fail("%s is not a regular file", name);
	f.size = (uint64_t)st.st_size;
	if (f.size == 0)
		return fail("%s is empty", name);
	if (read_all(fd, magic, f.size < 4 ? (size_t)f.size : 4, 0) != 0)
		return fail("cannot read %s: %s", name, strerror(errno));
	if (magic[0] == '#' && magic[1] == '!')
		return read_script(&f, info);
	if (memcmp(magic, ELFMAG, SELFMAG) != 0)
		return fail("%s is neither an ELF program nor a script (whose first line would be "
			    "like #!/bin/sh)",
			    name);
	if (f.size < sizeof(f.e) || read_all(fd, &f.e, sizeof(f.e), 0) != 0)
		return damaged(&f, "is truncated: %" PRIu64 " bytes do not hold an ELF header",
			       f.size);
	if (check_header(&f) != 0)
		return -1;
	f.ph = xcalloc(f.e.e_phnum, sizeof(*f.ph));
	if (read_all(fd, f.ph, f.e.e_phnum * sizeof(*f.ph), f.e.e_phoff) != 0)
		result = fail("cannot read %s: %s", name, strerror(errno));
	else
		result = check_segments(&f, info);
	free(f.ph);
	return result;
}

int elf_inspect(const char *path, struct elf_info *info)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), result;

	if (fd < 0)
		return fail("cannot read %s: %s", path, strerror(errno));
	result = elf_inspect_fd(fd, path, info);
	close(fd);
	return result;
}
