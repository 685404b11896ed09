/* SPDX-License-Identifier: Apache-2.0 */
/* locate.c - the command's own files. See locate.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/base/util.h"
#include "tools/godwit/locate.h"

char *locate_file(const char *name)
{
	const char *lib = getenv("GODWIT_LIB");
	char self[PATH_MAX], *path, *slash;
	ssize_t n;

	if (lib != NULL && lib[0] != '\0') {
		path = xasprintf("%s/%s", lib, name);
		if (access(path, R_OK) == 0)
			return path;
		return fail("GODWIT_LIB is set, but %s cannot be read: %s", path, strerror(errno)),
		       NULL;
	}
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash != NULL)
		*slash = '\0';
	for (int i = 0; i < 2; i++) {
		path = xasprintf(i == 0 ? "%s/%s" : "%s/../lib/godwit/%s", self, name);
		if (access(path, R_OK) == 0)
			return path;
		free(path);
	}
	return fail("%s is neither in %s nor in %s/../lib/godwit: run make, or say where with "
		    "GODWIT_LIB",
		    name, self, self),
	       NULL;
}

uint8_t *read_file(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *bytes;

	if (fd < 0 || fstat(fd, &st) != 0) {
		fail("cannot read %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	*len = (size_t)st.st_size;
	bytes = S_ISREG(st.st_mode) ? xcalloc(1, *len) : NULL;
	if (bytes == NULL || read_all(fd, bytes, *len, 0) != 0) {
		fail("cannot read %s: %s", path,
		     bytes == NULL ? "not a regular file" : strerror(errno));
		free(bytes);
		bytes = NULL;
	}
	close(fd);
	return bytes;
}
