/* SPDX-License-Identifier: Apache-2.0 */
/* elf_test.c - program files, good ones and broken ones made by hand. */
#include <elf.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit.h"
#include "tools/base/util.h"
#include "tools/godwit/elf.h"

#define SIZE 0x3000u

static uint8_t file[SIZE];
static Elf64_Ehdr *const e = (Elf64_Ehdr *)(void *)file;
static Elf64_Phdr *const ph = (Elf64_Phdr *)(void *)(file + sizeof(Elf64_Ehdr));

/* A static program: a code segment and a data segment. */
static void make(void)
{
	memset(file, 0, sizeof(file));
	memcpy(e->e_ident, ELFMAG, SELFMAG);
	e->e_ident[EI_CLASS] = ELFCLASS64;
	e->e_ident[EI_DATA] = ELFDATA2LSB;
	e->e_ident[EI_VERSION] = EV_CURRENT;
	e->e_version = EV_CURRENT;
	e->e_machine = EM_X86_64;
	e->e_type = ET_EXEC;
	e->e_phentsize = sizeof(*ph);
	e->e_phoff = sizeof(*e);
	e->e_phnum = 2;
	e->e_entry = 0x401000;
	ph[0] = (Elf64_Phdr){ .p_type = PT_LOAD,
			      .p_flags = PF_R | PF_X,
			      .p_offset = 0x1000,
			      .p_vaddr = 0x401000,
			      .p_filesz = 0x1000,
			      .p_memsz = 0x1000,
			      .p_align = 0x1000 };
	ph[1] = (Elf64_Phdr){ .p_type = PT_LOAD,
			      .p_flags = PF_R | PF_W,
			      .p_offset = 0x2000,
			      .p_vaddr = 0x402000,
			      .p_filesz = 0x800,
			      .p_memsz = 0x4000,
			      .p_align = 0x1000 };
}

static int inspect_bytes(const void *bytes, size_t n, struct elf_info *info)
{
	int fd = memfd_create("test", MFD_CLOEXEC), rc;

	fail_clear();
	CHECK(write_all(fd, bytes, n, 0) == 0);
	rc = elf_inspect_fd(fd, "prog", info);
	close(fd);
	return rc;
}

static bool refused(size_t n, const char *part)
{
	struct elf_info info;
	int rc = inspect_bytes(file, n, &info);

	if (rc != -1 || strstr(fail_text(), part) == NULL) {
		printf("rc %d, message '%s', wanted '%s'\n", rc, fail_text(), part);
		return false;
	}
	return true;
}

TEST(good)
{
	struct elf_info info;

	make();
	CHECK_EQ(inspect_bytes(file, SIZE, &info), 0);
	CHECK_EQ(info.kind, ELF_STATIC);
	CHECK(!info.library);
	CHECK_EQ(elf_inspect("/proc/self/exe", &info), 0);
	CHECK_EQ(info.kind, ELF_DYNAMIC);
	CHECK(info.interp[0] == '/');
}

TEST(interpreter)
{
	struct elf_info info;

	make();
	e->e_phnum = 3;
	strcpy((char *)file + 0x1100, "/lib/ld.so");
	ph[2] = (Elf64_Phdr){ .p_type = PT_INTERP, .p_offset = 0x1100, .p_filesz = 11 };
	CHECK_EQ(inspect_bytes(file, SIZE, &info), 0);
	CHECK_EQ(info.kind, ELF_DYNAMIC);
	CHECK_STR(info.interp, "/lib/ld.so");
	ph[2].p_filesz = 10; /* no NUL */
	CHECK(refused(SIZE, "no proper interpreter"));
	ph[2].p_filesz = 1u << 30;
	CHECK(refused(SIZE, "no proper interpreter"));
	ph[2].p_filesz = 11;
	ph[2].p_offset = ~0ull - 4;
	CHECK(refused(SIZE, "no proper interpreter"));
}

TEST(library)
{
	struct elf_info info;

	make();
	e->e_type = ET_DYN;
	e->e_entry = 0;
	CHECK_EQ(inspect_bytes(file, SIZE, &info), 0);
	CHECK(info.library);
}

TEST(wrong_kind)
{
	struct elf_info info;

	make();
	e->e_machine = EM_AARCH64;
	CHECK(refused(SIZE, "64-bit ARM"));
	make();
	e->e_machine = EM_386;
	e->e_ident[EI_CLASS] = ELFCLASS32;
	CHECK(refused(SIZE, "32-bit x86"));
	make();
	e->e_ident[EI_CLASS] = ELFCLASS32; /* x32 */
	CHECK(refused(SIZE, "32-bit program"));
	make();
	e->e_ident[EI_DATA] = ELFDATA2MSB;
	e->e_machine = __builtin_bswap16(EM_S390);
	CHECK(refused(SIZE, "IBM Z"));
	make();
	e->e_ident[EI_OSABI] = ELFOSABI_FREEBSD;
	CHECK(refused(SIZE, "not a Linux program"));
	make();
	e->e_type = ET_REL;
	CHECK(refused(SIZE, "link it first"));
	make();
	e->e_type = ET_CORE;
	CHECK(refused(SIZE, "not a program"));
	CHECK_EQ(inspect_bytes("", 0, &info), -1);
	CHECK(strstr(fail_text(), "is empty") != NULL);
	CHECK_EQ(inspect_bytes("hello", 5, &info), -1);
	CHECK(strstr(fail_text(), "neither an ELF program nor a script") != NULL);
	CHECK_EQ(inspect_bytes("\177EL", 3, &info), -1);
	CHECK(strstr(fail_text(), "neither") != NULL);
	fail_clear();
	CHECK_EQ(elf_inspect("/tmp", &info), -1);
	CHECK(strstr(fail_text(), "not a regular file") != NULL);
}

TEST(truncated)
{
	make();
	CHECK(refused(40, "truncated"));
	CHECK(refused(sizeof(*e) + 60, "program headers lie beyond"));
	CHECK(refused(0x1fff, "truncated: segment 0"));
	CHECK(refused(0x27ff, "truncated: segment 1"));
	e->e_phoff = ~0ull - 8;
	CHECK(refused(SIZE, "truncated"));
	make();
	ph[0].p_offset = ~0ull & ~0xfffull;
	CHECK(refused(SIZE, "truncated: segment 0"));
}

TEST(bad_segments)
{
	make();
	ph[1].p_vaddr = 0x401000;
	CHECK(refused(SIZE, "overlaps"));
	make();
	ph[0].p_filesz = ph[0].p_memsz = 0x800;
	ph[1].p_offset = 0x1800;
	ph[1].p_vaddr = 0x401800; /* another part of the same page */
	CHECK(refused(SIZE, "overlaps"));
	make();
	ph[0].p_memsz = 0x1001;
	CHECK(refused(SIZE, "overlaps"));
	make();
	ph[0].p_vaddr = 0x1000;
	CHECK(refused(SIZE, "outside"));
	make();
	ph[1].p_align = 3;
	CHECK(refused(SIZE, "bad alignment"));
	ph[1].p_align = 1ull << 40;
	CHECK(refused(SIZE, "bad alignment"));
	make();
	e->e_version = 2;
	CHECK(refused(SIZE, "ELF version"));
	make();
	ph[0].p_filesz = 0x1001;
	CHECK(refused(SIZE, "larger in the file"));
	make();
	ph[1].p_vaddr = 0x700000000000;
	CHECK(refused(SIZE, "outside"));
	make();
	ph[1].p_memsz = ~0ull - 0x402000 + 1;
	CHECK(refused(SIZE, "outside"));
	make();
	ph[1].p_offset = 0x1ff0;
	CHECK(refused(SIZE, "not aligned"));
	make();
	e->e_entry = 0x402000; /* data */
	CHECK(refused(SIZE, "no executable segment"));
	make();
	ph[0].p_type = ph[1].p_type = PT_NULL;
	CHECK(refused(SIZE, "0 segments to load"));
	make();
	e->e_phnum = 0;
	CHECK(refused(SIZE, "bad program headers"));
	make();
	e->e_phentsize = 32;
	CHECK(refused(SIZE, "bad program headers"));
}

static int script(const char *line, struct elf_info *info)
{
	return inspect_bytes(line, strlen(line), info);
}

TEST(scripts)
{
	struct elf_info info;
	char line[700];

	CHECK_EQ(script("#!/bin/sh\necho hi\n", &info), 0);
	CHECK_EQ(info.kind, ELF_SCRIPT);
	CHECK_STR(info.interp, "/bin/sh");
	CHECK_STR(info.interp_arg, "");
	CHECK_EQ(script("#! \t/usr/bin/env  -S python3 -u  \r\n", &info), 0);
	CHECK_STR(info.interp, "/usr/bin/env");
	CHECK_STR(info.interp_arg, "-S python3 -u");
	CHECK_EQ(script("#!/bin/sh", &info), 0); /* no newline */
	CHECK_STR(info.interp, "/bin/sh");
	CHECK_EQ(script("#!", &info), -1);
	CHECK_EQ(script("#!\n/bin/sh", &info), -1);
	CHECK_EQ(script("#!sh\n", &info), -1);
	CHECK(strstr(fail_text(), "no interpreter by an absolute path") != NULL);
	memset(line, 'a', sizeof(line));
	memcpy(line, "#!/bin/sh ", 10);
	line[sizeof(line) - 1] = '\0';
	CHECK_EQ(script(line, &info), -1);
	CHECK(strstr(fail_text(), "too long") != NULL);
}

/* Whatever bytes there are, the answer is yes or a message: never a read outside. */
TEST(noise)
{
	uint64_t x = 88172645463325252ull;

	for (int round = 0; round < 3000; round++) {
		struct elf_info info;

		make();
		for (int k = 0; k < 4; k++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			file[4 + x % (sizeof(*e) + 2 * sizeof(*ph) - 4)] = (uint8_t)(x >> 32);
		}
		if (inspect_bytes(file, SIZE, &info) != 0)
			CHECK(fail_text()[0] != '\0');
	}
}

UNIT_MAIN(CASE(good), CASE(interpreter), CASE(library), CASE(wrong_kind), CASE(truncated),
	  CASE(bad_segments), CASE(scripts), CASE(noise))
