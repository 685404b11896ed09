/* SPDX-License-Identifier: Apache-2.0 */
/* image.h - the two files a machine boots from, made for one run: the boot bundle and the root
 * image. For a run they have no name (memory, or an unlinked file): nothing is left behind however
 * it ends. */
#ifndef GODWIT_TOOLS_IMAGE_H
#define GODWIT_TOOLS_IMAGE_H

#include "tools/bundle/program.h"
#include "tools/godwit/options.h"
#include "tools/godwit/pack.h"
#include "tools/godwit/report.h"

#define IMAGE_MARKS 4

struct image {
	int bundle_fd, root_fd; /* -1: none */
	char *bundle, *root;	/* paths that QEMU can open */
	uint64_t bundle_size, root_size;
	struct mark marks[IMAGE_MARKS];
	size_t n_marks;
};

/* image_make - pack the program and write both files. folder: where to put them under their names
 * (bundle.img, root.img); NULL: nameless. Returns 0 or -1 (fail). */
int image_make(struct image *m, const struct options *o, const struct program *runtime,
	       const char *folder);
void image_free(struct image *m);

/* image_attach_files - the folder o->files_dir, if any, as a root image behind the configuration in
 * blob, from the next page on. Returns 0 or -1 (fail). */
int image_attach_files(struct text *blob, const struct options *o);

#endif
