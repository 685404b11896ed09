/* SPDX-License-Identifier: Apache-2.0 */
/* image.h - the files a machine boots from, made for one run: a root image for each partition, and
 * the boot bundle. For a run they have no name (memory, or an unlinked file): nothing is left
 * behind however it ends. */
#ifndef GODWIT_TOOLS_IMAGE_H
#define GODWIT_TOOLS_IMAGE_H

#include "tools/bundle/bundle.h"
#include "tools/godwit/options.h"
#include "tools/godwit/pack.h"
#include "tools/godwit/report.h"

/* What one Linux partition brings. */
struct image {
	int root_fd; /* -1: none */
	char *root;  /* path that QEMU can open */
	uint64_t root_size;
	struct text config; /* the partition's blob */
};

/* image_make - pack the program, write the root image and the configuration. folder: where to put
 * the root image under its name (root.img, or NAME.root.img unless name is NULL); NULL: nameless.
 * ports: channel names, "NAME=NUMBER:..." as abi/channel.h has them. found_ns, written_ns: what the
 * two steps took is added. Returns 0 or -1 (fail). */
int image_make(struct image *m, const struct options *o, const struct words *ports,
	       const char *folder, const char *name, uint64_t *found_ns, uint64_t *written_ns);
void image_free(struct image *m);

/* image_check - whether the program and its files are there to be packed. 0 or -1 (fail). */
int image_check(const struct options *o);

/* The boot bundle's file. */
struct bundle_file {
	int fd; /* -1: none */
	char *path;
	uint64_t size;
};

/* bundle_file_make - write it; the date is now, or fixed if o is deterministic. 0 or -1 (fail). */
int bundle_file_make(struct bundle_file *f, struct bundle_spec *spec, const struct options *o,
		     const char *folder);
void bundle_file_free(struct bundle_file *f);

/* image_attach_files - the folder o->files_dir, if any, as a root image behind the configuration in
 * blob, from the next page on. Returns 0 or -1 (fail). */
int image_attach_files(struct text *blob, const struct options *o);

#endif
