/* SPDX-License-Identifier: Apache-2.0 */
/* rootimg.h - writing and checking root images (abi/root.h). */
#ifndef GODWIT_TOOLS_ROOTIMG_H
#define GODWIT_TOOLS_ROOTIMG_H

#include "tools/bundle/tree.h"

/* rootimg_write - write the tree to fd (empty, seekable) from offset 0; holes stay holes. Each
 * source is opened and read once. *size: bytes of the image. Returns 0, or -1 (fail): a source that
 * cannot be read or changed its size since it was added, no space left. */
int rootimg_write(int fd, struct tree *t, uint64_t *size);

/* rootimg_check - check an image in memory. Returns 0, or -1 (fail). rootimg_show lists a checked
 * one. */
int rootimg_check(const void *bytes, size_t len);
void rootimg_show(const void *bytes, struct text *out);

#endif
