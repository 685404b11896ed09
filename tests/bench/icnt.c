/* SPDX-License-Identifier: Apache-2.0 */
/* icnt: a QEMU 7.2 TCG plugin (API v1) that counts executed guest instructions into a shared file
 * (-plugin icnt.so,shm=FILE), so that another process can read the count while the guest runs.
 * u64[0] = instructions, [1] = idle entries, [2] = resumes, [3] = ring index, [16..] = count at
 * each idle entry. A whole translation block is added at its entry, so the count is slightly high.
 * -smp 1 only. Build: gcc -O2 -shared -fPIC -o icnt.so icnt.c */
#include <stdint.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>
#include <sys/mman.h>
#define EXP __attribute__((visibility("default")))
typedef uint64_t qemu_plugin_id_t;
typedef struct qemu_info_t qemu_info_t;
struct qemu_plugin_tb;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
typedef void (*cb1)(qemu_plugin_id_t, unsigned int);
typedef void (*cbtb)(qemu_plugin_id_t, struct qemu_plugin_tb *);
void qemu_plugin_register_vcpu_idle_cb(qemu_plugin_id_t, cb1);
void qemu_plugin_register_vcpu_resume_cb(qemu_plugin_id_t, cb1);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, cbtb);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, enum qemu_plugin_op, void *,
					      uint64_t);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
EXP int qemu_plugin_version = 1;
static volatile uint64_t *s;
static void idle(qemu_plugin_id_t id, unsigned v)
{
	s[1]++;
	uint64_t i = s[3]++;
	s[16 + (i & 65535)] = s[0];
}
static void resume(qemu_plugin_id_t id, unsigned v)
{
	s[2]++;
}
static void trans(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, (void *)&s[0],
						 qemu_plugin_tb_n_insns(tb));
}
EXP int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	const char *f = "icnt.shm";
	for (int i = 0; i < argc; i++)
		if (!strncmp(argv[i], "shm=", 4))
			f = argv[i] + 4;
	int fd = open(f, O_RDWR | O_CREAT | O_TRUNC, 0644);
	if (fd < 0)
		return 1;
	if (ftruncate(fd, (16 + 65536) * 8))
		return 1;
	s = mmap(0, (16 + 65536) * 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (s == MAP_FAILED)
		return 1;
	qemu_plugin_register_vcpu_idle_cb(id, idle);
	qemu_plugin_register_vcpu_resume_cb(id, resume);
	qemu_plugin_register_vcpu_tb_trans_cb(id, trans);
	return 0;
}
