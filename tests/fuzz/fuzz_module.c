/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_module.c - the input is a module's description. Whatever it is, reading and checking it
 * ends; what was found good becomes a manifest that the kernel's own check accepts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/vcore.h"
#include "tools/bundle/bundle.h"
#include "tools/module/module.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t code[4096];

/* A bundle of the manifest, with the smallest of programs, is written: the writer checks it. */
static void compile(const struct module *m)
{
	static struct bundle_spec spec;
	static const struct program program = { .entry = GW_RUNTIME_BASE,
						.n = 1,
						.segments = { { .va = GW_RUNTIME_BASE,
								.file_len = sizeof(code),
								.mem_len = sizeof(code),
								.bytes = code,
								.flags = GW_MAP_X } } };
	static int fd = -1;
	struct text t = { 0 };
	uint64_t len;

	if (fd < 0)
		fd = fileno(tmpfile());
	memset(&spec, 0, sizeof(spec));
	module_manifest(m, &spec.manifest);
	for (uint32_t i = 0; i < spec.manifest.n_partitions; i++) {
		struct words ports = { 0 };

		spec.parts[i].program = &program;
		module_ports(m, i, &ports);
		words_free(&ports);
	}
	if (bundle_write(fd, &spec, &len) != 0) {
		fprintf(stderr, "%s\n", fail_text());
		abort();
	}
	module_show(m, &t);
	module_svg(m, &t);
	text_free(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct module m;
	struct diag d = { .file = "x" };

	fail_clear();
	module_read(&m, (const char *)data, size, &d);
	module_check(&m, &d);
	if (d.errors == 0)
		compile(&m);
	module_free(&m);
	text_free(&d.out);
	return 0;
}
