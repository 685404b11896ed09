/* SPDX-License-Identifier: Apache-2.0 */
/* moves: a QEMU 7.2 TCG plugin (API v1) that writes which blocks run, in order, on every virtual
 * processor (-plugin moves.so,out=FILE): records of u64 address, u32 processor, u32 instructions.
 * What one processor runs in user mode without a break is one record, of address 0. For -icount,
 * where the processors run in turn. moves.py reads it. Build: gcc -O2 -shared -fPIC -o moves.so
 * moves.c */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
typedef struct qemu_info_t qemu_info_t;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t,
					   void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, void (*)(unsigned int, void *),
					  enum qemu_plugin_cb_flags, void *);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, void *), void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);

struct record {
	uint64_t pc;
	uint32_t cpu, n;
};

EXPORT int qemu_plugin_version = 1;
static FILE *out;
static struct record user; /* not written yet; n 0: none */

static void flush(void)
{
	if (user.n != 0)
		fwrite(&user, sizeof(user), 1, out);
	user.n = 0;
}

static void executed(unsigned int cpu, void *block)
{
	struct record r = *(const struct record *)block;

	if (r.pc >> 63 != 0 || user.cpu != cpu)
		flush();
	r.cpu = cpu;
	if (r.pc >> 63 != 0)
		fwrite(&r, sizeof(r), 1, out);
	else
		user = (struct record){ 0, cpu, user.n + r.n };
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	struct record *r = malloc(sizeof(*r)); /* as long as the block may run: for good */

	(void)id;
	if (r == NULL)
		return;
	*r = (struct record){ qemu_plugin_tb_vaddr(tb), 0, (uint32_t)qemu_plugin_tb_n_insns(tb) };
	qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, QEMU_PLUGIN_CB_NO_REGS, r);
}

static void ended(qemu_plugin_id_t id, void *data)
{
	(void)id, (void)data;
	flush();
	fclose(out);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4) != 0)
		return 1;
	out = fopen(argv[0] + 4, "wb");
	if (out == NULL)
		return 1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, ended, NULL);
	return 0;
}
