/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_test.c - the boot bundle: the partition program flattened, the blob, written and read
 * back. */
#include <elf.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/boot.h"
#include "abi/vcore.h"
#include "tests/unit.h"
#include "tools/bundle/bundle.h"
#include "tools/bundle/config.h"
#include "tools/bundle/crc32c.h"

#define SIZE 0x3000u

static uint8_t file[SIZE];
static Elf64_Ehdr *const e = (Elf64_Ehdr *)(void *)file;
static Elf64_Phdr *const ph = (Elf64_Phdr *)(void *)(file + sizeof(Elf64_Ehdr));

/* Code at the base, data 0x10 into the third page with a dynamic section and one relocation. */
static void make(void)
{
	Elf64_Dyn dyn[] = { { DT_RELA, { GW_RUNTIME_BASE + 0x2100 } },
			    { DT_RELASZ, { 24 } },
			    { DT_NULL, { 0 } } };
	Elf64_Rela rela = { GW_RUNTIME_BASE + 0x2020, ELF64_R_INFO(0, R_X86_64_RELATIVE),
			    0x7000000012345678 };

	memset(file, 0, sizeof(file));
	memcpy(e->e_ident, ELFMAG, SELFMAG);
	e->e_ident[EI_CLASS] = ELFCLASS64;
	e->e_ident[EI_DATA] = ELFDATA2LSB;
	e->e_machine = EM_X86_64;
	e->e_type = ET_DYN;
	e->e_phentsize = sizeof(*ph);
	e->e_phoff = sizeof(*e);
	e->e_phnum = 3;
	e->e_entry = GW_RUNTIME_BASE + 4;
	ph[0] = (Elf64_Phdr){ .p_type = PT_LOAD,
			      .p_flags = PF_R | PF_X,
			      .p_offset = 0x1000,
			      .p_vaddr = GW_RUNTIME_BASE,
			      .p_filesz = 0x800,
			      .p_memsz = 0x800 };
	ph[1] = (Elf64_Phdr){ .p_type = PT_LOAD,
			      .p_flags = PF_R | PF_W,
			      .p_offset = 0x2010,
			      .p_vaddr = GW_RUNTIME_BASE + 0x2010,
			      .p_filesz = 0x200,
			      .p_memsz = 0x5000 };
	ph[2] = (Elf64_Phdr){ .p_type = PT_DYNAMIC,
			      .p_offset = 0x2080,
			      .p_vaddr = GW_RUNTIME_BASE + 0x2080,
			      .p_filesz = sizeof(dyn),
			      .p_memsz = sizeof(dyn) };
	file[0x1000] = 0xab;
	memcpy(file + 0x2080, dyn, sizeof(dyn));
	memcpy(file + 0x2100, &rela, sizeof(rela));
}

static bool refused(const char *part)
{
	struct program p;
	int rc;

	fail_clear();
	rc = program_parse(&p, file, SIZE, "linux.elf");
	if (rc == 0)
		program_free(&p);
	if (rc != -1 || strstr(fail_text(), part) == NULL)
		printf("rc %d, message '%s', wanted '%s'\n", rc, fail_text(), part);
	return rc == -1 && strstr(fail_text(), part) != NULL;
}

TEST(crc)
{
	uint8_t zeros[32] = { 0 };

	CHECK_EQ(crc32c(0, "123456789", 9), 0xe3069283u); /* RFC 3720, B.4 */
	CHECK_EQ(crc32c(0, zeros, 32), 0x8a9136aau);
	CHECK_EQ(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xe3069283u);
}

TEST(flatten)
{
	struct program p;
	uint64_t value;

	make();
	fail_clear();
	CHECK_EQ(program_parse(&p, file, SIZE, "linux.elf"), 0);
	CHECK_EQ(p.n, 2);
	CHECK_EQ(p.entry, GW_RUNTIME_BASE + 4);
	CHECK_EQ(p.segments[0].flags, GW_MAP_X);
	CHECK_EQ(p.segments[0].bytes[0], 0xab);
	CHECK_EQ(p.segments[1].va, GW_RUNTIME_BASE + 0x2000); /* rounded down, zeros in front */
	CHECK_EQ(p.segments[1].file_len, 0x210);
	CHECK_EQ(p.segments[1].mem_len, 0x5010);
	CHECK_EQ(p.segments[1].bytes[0], 0);
	memcpy(&value, p.segments[1].bytes + 0x20, 8);
	CHECK_EQ(value, 0x7000000012345678); /* relocated */
	program_free(&p);
}

TEST(bad_programs)
{
	Elf64_Rela rela = { GW_RUNTIME_BASE + 0x2020, ELF64_R_INFO(0, R_X86_64_64), 0 };

	make();
	memcpy(file + 0x2100, &rela, sizeof(rela));
	CHECK(refused("cannot be applied"));
	rela = (Elf64_Rela){ GW_RUNTIME_BASE + 0x220c, ELF64_R_INFO(0, R_X86_64_RELATIVE), 0 };
	memcpy(file + 0x2100, &rela, sizeof(rela)); /* crosses the end of the file bytes */
	CHECK(refused("cannot be applied"));
	make();
	((Elf64_Dyn *)(void *)(file + 0x2080))[1].d_un.d_val = 0x1000;
	CHECK(refused("relocations lie outside"));
	make();
	((Elf64_Dyn *)(void *)(file + 0x2080))[0].d_tag = DT_NEEDED;
	CHECK(refused("link it statically"));
	make();
	ph[0].p_flags |= PF_W;
	CHECK(refused("writable and executable"));
	make();
	ph[1].p_vaddr = GW_RUNTIME_BASE + 0x10;
	CHECK(refused("overlap"));
	make();
	ph[1].p_vaddr = GW_RUNTIME_BASE + 0x7f0; /* the same page */
	CHECK(refused("overlap"));
	make();
	ph[1].p_vaddr = 0x400000;
	CHECK(refused("outside the runtime"));
	make();
	ph[1].p_memsz = GW_MEM_BASE;
	CHECK(refused("outside the runtime"));
	make();
	ph[0].p_offset = ~0ull;
	CHECK(refused("truncated"));
	make();
	ph[0].p_filesz = 0x900;
	CHECK(refused("truncated"));
	make();
	e->e_entry = GW_RUNTIME_BASE + 0x2010;
	CHECK(refused("no executable segment"));
	make();
	ph[2].p_type = PT_INTERP;
	CHECK(refused("is static"));
	make();
	e->e_machine = EM_386;
	CHECK(refused("not an x86-64"));
	make();
	e->e_phnum = 60000;
	CHECK(refused("truncated"));
}

/* A whole bundle in memory. */
static uint8_t *write_bundle(struct bundle_spec *spec, size_t *len)
{
	static struct program p;
	int fd = memfd_create("bundle", MFD_CLOEXEC);
	uint64_t size = 0;
	uint8_t *bytes;
	struct stat st;

	make();
	fail_clear();
	CHECK_EQ(program_parse(&p, file, SIZE, "linux.elf"), 0);
	for (uint32_t i = 0; i < spec->manifest.n_partitions; i++)
		spec->parts[i].program = &p;
	CHECK_EQ(bundle_write(fd, spec, &size), 0);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, size);
	bytes = malloc((size_t)size);
	CHECK_EQ(read_all(fd, bytes, (size_t)size, 0), 0);
	*len = (size_t)size;
	close(fd);
	program_free(&p);
	return bytes;
}

static struct gw_bundle *header(uint8_t *bytes)
{
	return (struct gw_bundle *)(void *)bytes;
}

static void fix_crc(uint8_t *bytes, size_t len)
{
	header(bytes)->crc = 0;
	header(bytes)->crc = crc32c(0, bytes, len);
}

TEST(read_back)
{
	struct gw_bundle_mmio mmio = { .pa = 0xfeb00000, .stride = 512, .count = 8, .gsi = 16 };
	struct bundle_spec spec = { .manifest.epoch_ns = 99 };
	struct text t = { 0 };
	struct gw_bundle *b;
	uint8_t *bytes;
	size_t len;

	bundle_alone(&spec, 3, mmio);
	spec.parts[0].config = "a=b\0\0";
	spec.parts[0].config_len = 5;
	bytes = write_bundle(&spec, &len);
	b = header(bytes);
	CHECK_EQ(bundle_check(bytes, len), 0);
	CHECK_EQ(b->magic, GW_BUNDLE_MAGIC);
	CHECK_EQ(b->size, len);
	CHECK_EQ(len % 4096, 0);
	CHECK_EQ(b->epoch_ns, 99);
	CHECK_EQ(b->n_partitions, 1);
	CHECK_STR(b->partitions[0].name, "main");
	CHECK_EQ(b->partitions[0].vcores, 3);
	CHECK_EQ(b->partitions[0].memory_bytes, 0);
	CHECK_EQ(b->partitions[0].flags, GW_PARTITION_DMA_TRUSTED | GW_PARTITION_MEM_ZEROED);
	CHECK_EQ(b->partitions[0].config_len, 5);
	CHECK_EQ(memcmp(bytes + b->partitions[0].config_offset, "a=b\0\0", 5), 0);
	CHECK_EQ(b->n_segments, 2);
	CHECK_EQ(bytes[b->segments[0].offset], 0xab);
	CHECK_EQ(b->n_mmio, 1);
	CHECK_EQ(b->mmio[0].gsi, 16);
	CHECK_EQ(b->n_devices, 2);
	CHECK_EQ(b->devices[0].kind, GW_DEVICE_PCI);
	CHECK_EQ(b->devices[0].vendor, 0x1af4);
	bundle_show(bytes, &t);
	CHECK(strstr(t.data, "partition 0 main: 3 vcores") != NULL);
	CHECK(strstr(t.data, "    a=b\n") != NULL);
	text_free(&t);
	free(bytes);
}

/* Two partitions of one program: its bytes are there once, each has its own configuration. */
TEST(several)
{
	struct bundle_spec spec = { 0 };
	struct gw_bundle *b = &spec.manifest;
	struct text t = { 0 };
	uint8_t *bytes;
	size_t len;

	bundle_alone(&spec, 1, (struct gw_bundle_mmio){ 0 });
	b->partitions[1] = b->partitions[0];
	b->partitions[0].memory_bytes = 1 << 20;
	strcpy(b->partitions[1].name, "other");
	b->n_partitions = 2;
	b->cores = 1;
	b->frame_ns = 1000000;
	b->slots[0] = (struct gw_bundle_slot){ .duration_ns = 400000 };
	b->slots[1] = (struct gw_bundle_slot){ .offset_ns = 400000,
					       .duration_ns = 600000,
					       .partition = 1 };
	b->n_slots = 2;
	b->channels[0] =
		(struct gw_bundle_channel){ .message_bytes = 8, .depth = 4, .destinations = 2 };
	b->n_channels = 1;
	spec.parts[0].config = "a=0\0\0";
	spec.parts[1].config = "a=1\0\0";
	spec.parts[0].config_len = spec.parts[1].config_len = 5;
	bytes = write_bundle(&spec, &len);
	b = header(bytes);
	CHECK_EQ(bundle_check(bytes, len), 0);
	CHECK_EQ(b->n_segments, 4);
	CHECK_EQ(b->segments[2].offset, b->segments[0].offset);
	CHECK_EQ(b->segments[2].partition, 1);
	CHECK_EQ(b->partitions[1].entry_va, b->partitions[0].entry_va);
	CHECK_EQ(memcmp(bytes + b->partitions[1].config_offset, "a=1\0\0", 5), 0);
	bundle_show(bytes, &t);
	CHECK(strstr(t.data, "window core 0 at 400000 ns for 600000 ns: partition 1") != NULL);
	CHECK(strstr(t.data, "channel 0: 8 bytes, depth 4") != NULL);
	text_free(&t);
	free(bytes);
}

TEST(refused_manifest)
{
	struct bundle_spec spec = { 0 };
	static uint8_t code[4096];
	struct program p = { .entry = GW_RUNTIME_BASE,
			     .n = 1,
			     .segments = { { .va = GW_RUNTIME_BASE,
					     .file_len = sizeof(code),
					     .mem_len = sizeof(code),
					     .bytes = code,
					     .flags = GW_MAP_X } } };
	uint64_t size;

	bundle_alone(&spec, 65, (struct gw_bundle_mmio){ 0 });
	spec.parts[0].program = &p;
	fail_clear();
	CHECK_EQ(bundle_write(-1, &spec, &size), -1);
	CHECK(strstr(fail_text(), "is not 1..64") != NULL);
	p.n = GW_BUNDLE_SEGMENTS + 1;
	fail_clear();
	CHECK_EQ(bundle_write(-1, &spec, &size), -1);
	CHECK(strstr(fail_text(), "segments in all") != NULL);
}

TEST(bad_bundles)
{
	struct bundle_spec spec = { 0 };
	uint8_t *good, *bad;
	struct gw_bundle *b;
	size_t len;

	bundle_alone(&spec, 1, (struct gw_bundle_mmio){ 0 });
	spec.parts[0].config = "";
	spec.parts[0].config_len = 1;
	good = write_bundle(&spec, &len);
	bad = malloc(len);
	b = header(bad);
#define BAD(change, part)                                 \
	do {                                              \
		memcpy(bad, good, len);                   \
		change;                                   \
		fix_crc(bad, len);                        \
		fail_clear();                             \
		CHECK_EQ(bundle_check(bad, len), -1);     \
		CHECK(strstr(fail_text(), part) != NULL); \
	} while (0)

	BAD(b->magic++, "this is no bundle");
	BAD(b->version = 9, "version");
	BAD(b->size += 4096, "cut short");
	BAD(b->n_partitions = 0, "n_partitions");
	BAD(b->n_segments = 33, "n_segments");
	BAD(b->segments[0].offset = len, "outside the bundle");
	BAD(b->segments[0].offset = 8, "outside the bundle");
	BAD(b->segments[1].va = b->segments[0].va, "overlaps");
	BAD(b->segments[0].va = 0, "runtime's addresses");
	BAD(b->segments[0].flags = 3, "writable and executable");
	BAD(b->segments[0].partition = 1, "does not exist");
	BAD(b->partitions[0].entry_va = 0, "no executable segment");
	BAD(b->partitions[0].vcores = 65, "is not 1..64");
	BAD(b->partitions[0].config_len = ~0ull, "outside the bundle");
	BAD(memset(b->partitions[0].name, 'x', 32), "no NUL");
	memcpy(bad, good, len);
	bad[len - 1] ^= 1;
	fail_clear();
	CHECK_EQ(bundle_check(bad, len), -1);
	CHECK(strstr(fail_text(), "crc (entry 0) does not match") != NULL);
	fail_clear();
	CHECK_EQ(bundle_check(good, 100), -1);
	free(good);
	free(bad);
}

TEST(blob)
{
	struct words args = { 0 }, env = { 0 };
	struct config c = { .program = "/bin/x",
			    .args = &args,
			    .env = &env,
			    .cwd = "/",
			    .hostname = "h",
			    .uid = 1,
			    .gid = 2,
			    .net = "static",
			    .net_addr = "1.2.3.4/24",
			    .net6 = "static",
			    .net6_addr = "2001:db8::2/64",
			    .root = "blk",
			    .tty = true };
	static const char want[] =
		"program=/bin/x\0arg=x\0arg=\0env=A=B=C\0cwd=/\0hostname=h\0uid=1\0gid=2\0"
		"net=static\0net.addr=1.2.3.4/24\0net6=static\0net6.addr=2001:db8::2/"
		"64\0poll_ns=0\0root=blk\0tty=1\0";
	struct text t = { 0 };

	words_add(&args, "x");
	words_add(&args, "");
	words_add(&env, "A=B=C");
	config_write(&t, &c);
	CHECK_EQ(t.len, sizeof(want)); /* the empty string at the end included */
	CHECK_EQ(memcmp(t.data, want, sizeof(want)), 0);
	text_free(&t);
	words_free(&args);
	words_free(&env);
}

UNIT_MAIN(CASE(crc), CASE(flatten), CASE(bad_programs), CASE(read_back), CASE(several),
	  CASE(refused_manifest), CASE(bad_bundles), CASE(blob))
