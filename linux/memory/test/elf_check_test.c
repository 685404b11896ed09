/* SPDX-License-Identifier: Apache-2.0 */
/* elf_check_test.c - a good program header set, and each way to damage it. */
#include <elf.h>
#include <errno.h>

#include "linux/memory/elf_check.h"
#include "tests/unit.h"

#define END 0x700000000000ull
#define SIZE 0x5000u

static Elf64_Ehdr eh;
static Elf64_Phdr ph[5];
static const char *why;

static void good(void)
{
	memset(&eh, 0, sizeof(eh));
	memcpy(eh.e_ident, ELFMAG, 4);
	eh.e_ident[EI_CLASS] = ELFCLASS64;
	eh.e_ident[EI_DATA] = ELFDATA2LSB;
	eh.e_ident[EI_VERSION] = 1;
	eh.e_type = ET_EXEC;
	eh.e_machine = EM_X86_64;
	eh.e_version = 1;
	eh.e_entry = 0x401010;
	eh.e_phoff = 64;
	eh.e_phentsize = 56;
	eh.e_phnum = 4;
	memset(ph, 0, sizeof(ph));
	ph[0] = (Elf64_Phdr){ PT_LOAD, PF_R, 0, 0x400000, 0, 0x500, 0x500, 0x1000 };
	ph[1] = (Elf64_Phdr){ PT_LOAD, PF_R | PF_X, 0x1000, 0x401000, 0, 0x800, 0x800, 0x1000 };
	ph[2] = (Elf64_Phdr){ PT_LOAD, PF_R | PF_W, 0x2e00, 0x403e00, 0, 0x400, 0x3000, 0x1000 };
	ph[3] = (Elf64_Phdr){ PT_INTERP, PF_R, 0x200, 0x400200, 0, 20, 20, 1 };
}

static int check(struct elf_plan *p)
{
	int r = elf_check_header(p, &eh, sizeof(eh), SIZE, &why);

	return r != 0 ? r : elf_check_segments(p, ph, SIZE, END, &why);
}

static bool refused(const char *part)
{
	struct elf_plan p;
	int r;

	why = "";
	r = check(&p);
	if (r != -ENOEXEC || strstr(why, part) == NULL)
		printf("  got %d, \"%s\" instead of \"%s\"\n", r, why, part);
	return r == -ENOEXEC && strstr(why, part) != NULL;
}

TEST(accepts)
{
	struct elf_plan p;

	good();
	CHECK_EQ(check(&p), 0);
	CHECK_EQ(p.n, 3);
	CHECK_EQ(p.lo, 0x400000);
	CHECK_EQ(p.hi, 0x407000);
	CHECK_EQ(p.phdr_va, 0x400040);
	CHECK_EQ(p.interp_offset, 0x200);
	CHECK_EQ(p.interp_len, 20);
	CHECK_EQ(p.segment[2].prot, 3);
	CHECK(!p.pie);
}

TEST(header)
{
	struct elf_plan p;

	good();
	CHECK_EQ(elf_check_header(&p, "#!/bin/sh", 9, 9, &why), -ENOEXEC);
	CHECK_EQ(elf_check_header(&p, &eh, 30, 30, &why), -ENOEXEC);
	CHECK(strstr(why, "truncated") != NULL);
	eh.e_ident[EI_CLASS] = ELFCLASS32;
	CHECK(refused("32-bit"));
	good();
	eh.e_machine = EM_AARCH64;
	CHECK(refused("another processor"));
	good();
	eh.e_type = ET_REL;
	CHECK(refused("object file"));
	good();
	eh.e_phnum = 0;
	CHECK(refused("program headers"));
	good();
	eh.e_phentsize = 32;
	CHECK(refused("program headers"));
	good();
	eh.e_phoff = SIZE - 8;
	CHECK(refused("truncated"));
	eh.e_phoff = ~0ull - 8;
	CHECK(refused("truncated"));
	good();
	eh.e_entry = 0x403f00;
	CHECK(refused("entry point"));
	eh.e_entry = 0;
	CHECK(refused("library"));
}

TEST(segments)
{
	good();
	ph[2].p_offset = SIZE - 0x200;
	CHECK(refused("truncated"));
	ph[2].p_offset = ~0ull - 0x1ff;
	CHECK(refused("truncated"));
	good();
	ph[2].p_filesz = 0x4000;
	CHECK(refused("larger in the file"));
	good();
	ph[2].p_vaddr++;
	CHECK(refused("misaligned"));
	good();
	ph[1].p_align = 0x1800;
	CHECK(refused("alignment"));
	good();
	ph[2].p_vaddr = 0x401e00;
	ph[2].p_offset = 0x1e00;
	CHECK(refused("overlap"));
	good();
	ph[2].p_vaddr = 0x300e00;
	CHECK(refused("ascending"));
	good();
	ph[2].p_memsz = ~0ull - 0x1000;
	CHECK(refused("out of the address range"));
	good();
	ph[0].p_vaddr = 0;
	CHECK(refused("out of the address range"));
	good();
	ph[2].p_vaddr = END - 0x1000 + 0xe00;
	CHECK(refused("out of the address range"));
	good();
	eh.e_phnum = 0 + 4;
	ph[0].p_type = ph[1].p_type = ph[2].p_type = PT_NULL;
	CHECK(refused("no segments"));
	good();
	ph[3].p_filesz = 1;
	CHECK(refused("interpreter"));
	good();
	ph[3].p_offset = SIZE - 10;
	CHECK(refused("truncated"));
	good();
	eh.e_phnum = 5;
	ph[4] = ph[3];
	CHECK(refused("two interpreters"));
}

UNIT_MAIN(CASE(accepts), CASE(header), CASE(segments))
