/* SPDX-License-Identifier: Apache-2.0 */
/* iprof: a QEMU 7.2 TCG plugin (API v1) that counts executed guest instructions by translation
 * block into a shared file
 * (-plugin iprof.so,shm=FILE): u64[0] = blocks in use, u64[1] = all instructions executed, then {address,
 * instructions executed} pairs.
 * iprof.py reads it while the guest runs and says which functions they belong to. -smp 1. Build:
 * gcc -O2 -shared -fPIC -o iprof.so iprof.c */
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define SLOTS (1u << 20)
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
typedef struct qemu_info_t qemu_info_t;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t,
					   void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, enum qemu_plugin_op, void *,
					      uint64_t);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);

EXPORT int qemu_plugin_version = 1;
static volatile uint64_t *shared;

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	uint64_t slot = shared[0];

	(void)id;
	if (slot >= SLOTS)
		return;
	shared[0] = slot + 1;
	shared[2 + 2 * slot] = qemu_plugin_tb_vaddr(tb);
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64,
						 (void *)&shared[3 + 2 * slot],
						 qemu_plugin_tb_n_insns(tb));
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, (void *)&shared[1],
						 qemu_plugin_tb_n_insns(tb));
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	const char *file = "iprof.shm";
	size_t size = (2 + 2 * (size_t)SLOTS) * 8;
	int fd;

	(void)info;
	for (int i = 0; i < argc; i++)
		if (strncmp(argv[i], "shm=", 4) == 0)
			file = argv[i] + 4;
	fd = open(file, O_RDWR | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || ftruncate(fd, (off_t)size) != 0)
		return 1;
	shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED)
		return 1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
