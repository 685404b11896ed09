/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.c - `godwit bundle`: write a boot bundle without booting it, or look into one. See run.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/root.h"
#include "tools/bundle/bundle.h"
#include "tools/bundle/rootimg.h"
#include "tools/godwit/help.h"
#include "tools/godwit/locate.h"
#include "tools/godwit/machine.h"
#include "tools/godwit/run.h"

static int show(const char *path)
{
	struct text t = { 0 };
	uint64_t magic = 0;
	size_t len;
	uint8_t *bytes = read_file(path, &len);
	int result = bytes == NULL ? -1 : 0;

	if (bytes != NULL)
		memcpy(&magic, bytes, len < sizeof(magic) ? len : sizeof(magic));
	if (result == 0 && magic == GW_ROOT_MAGIC) {
		result = rootimg_check(bytes, len);
		if (result == 0)
			rootimg_show(bytes, &t);
	} else if (result == 0) {
		result = bundle_check(bytes, len);
		if (result == 0)
			bundle_show(bytes, &t);
	}
	if (result == 0)
		fputs(t.data, stdout);
	text_free(&t);
	free(bytes);
	return result;
}

/* Give the nameless file `from` of `size` bytes the name `path`. */
static int save(int from, uint64_t size, const char *path)
{
	char *bytes = xcalloc(1, (size_t)size);
	FILE *f = fopen(path, "we");
	int result = 0;

	if (read_all(from, bytes, (size_t)size, 0) != 0 || f == NULL ||
	    fwrite(bytes, 1, (size_t)size, f) != size)
		result = fail("cannot write %s: %s", path, strerror(errno));
	if (f != NULL && fclose(f) != 0 && result == 0)
		result = fail("cannot write %s: %s", path, strerror(errno));
	free(bytes);
	return result;
}

static int write_files(const char *path, int argc, char *const *argv)
{
	char *root = xasprintf("%s.root", path);
	struct program runtime = { 0 };
	struct machine m;
	struct options o;
	int result = options_parse(&o, argc, argv);

	machine_init(&m, &o);
	if (result == 0)
		result = machine_program(&runtime, "linux.elf");
	if (result == 0) {
		machine_alone(&m, &o, &runtime);
		result = machine_files(&m, NULL);
	}
	if (result == 0)
		result = save(m.bundle.fd, m.bundle.size, path);
	if (result == 0 && m.guests[0].image.root_fd >= 0 && strcmp(o.root, "blk") == 0)
		result = save(m.guests[0].image.root_fd, m.guests[0].image.root_size, root);
	machine_free(&m);
	program_free(&runtime);
	options_free(&o);
	free(root);
	return result;
}

int command_bundle(int argc, char *const *argv)
{
	int result;

	if (argc == 1 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)) {
		help_bundle();
		return 0;
	}
	if (argc == 2 && strcmp(argv[0], "--show") == 0)
		result = show(argv[1]);
	else if (argc > 2 && strcmp(argv[0], "-o") == 0)
		result = write_files(argv[1], argc - 2, argv + 2);
	else
		result = fail("write --show FILE, or -o FILE [options] -- PROGRAM [ARG...]");
	if (result == 0)
		return 0;
	warn("bundle: %s", fail_text());
	return STATUS_USAGE;
}
