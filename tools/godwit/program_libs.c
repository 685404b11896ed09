/* SPDX-License-Identifier: Apache-2.0 */
/* program_libs.c - packing an ELF program with its loader and the libraries that the loader names.
 * The files are the host's, and may be damaged: each is looked at before it is packed. See pack.h.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/godwit/libs.h"
#include "tools/godwit/pack_internal.h"

#define LIBRARY_FOLDERS \
	"/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:/lib64:/usr/lib64:/lib:/usr/lib"

/* Is the library in the tree already, where the loader will find it (added with -f)? */
static bool in_tree(struct pack *p, const char *name)
{
	char *dirs = xstrdup(LIBRARY_FOLDERS), *save = NULL;
	bool found = false;

	for (size_t i = 0; i < p->env->n; i++) {
		if (strncmp(p->env->v[i], "LD_LIBRARY_PATH=", 16) == 0) {
			free(dirs);
			dirs = xasprintf("%s:%s", p->env->v[i] + 16, LIBRARY_FOLDERS);
		}
	}
	for (char *d = strtok_r(dirs, ":", &save); d != NULL && !found;
	     d = strtok_r(NULL, ":", &save)) {
		char *path = xasprintf("%s/%s", d, name);

		found = tree_find(&p->tree, path) != NULL;
		free(path);
	}
	free(dirs);
	return found;
}

static bool standard_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - path);

	for (const char *d = LIBRARY_FOLDERS; n != 0 && *d != '\0';) {
		size_t len = strcspn(d, ":");

		if (len == n && strncmp(d, path, n) == 0)
			return true;
		d += len + (d[len] == ':');
	}
	return false;
}

static int add_library(struct pack *p, const char *path, bool *cache)
{
	const char *caps = strstr(path, "/glibc-hwcaps/");
	struct elf_info info;
	char *plain;
	int result = 0;

	/* The loader maps what a damaged library says, and does not look whether it is there. */
	if (elf_inspect(path, &info) != 0)
		return -1;

	if (!standard_folder(path))
		*cache = true;
	/* This host's processor chose a variant; the guest's may not have its instructions. */
	if (caps != NULL) {
		plain = xasprintf("%.*s/%s", (int)(caps - path), path, strrchr(path, '/') + 1);
		if (access(plain, R_OK) == 0)
			result = pack_path(p, plain);
		free(plain);
	}
	return result != 0 ? -1 : pack_path(p, path);
}

static int lacks_library(const char *file, const char *name)
{
	return fail("%s needs the library %s, which was not found: install the package that has it "
		    "('apt-file search %s' names it), or say where it is with -e "
		    "LD_LIBRARY_PATH=FOLDER, or "
		    "add it with -f FILE:/usr/lib/x86_64-linux-gnu/%s",
		    file, name, name, name);
}

/* What glibc opens by itself, when it is there: for pthread_cancel, pthread_exit and backtrace, and
 * for names where they are not built in. */
static int add_opened(struct pack *p, const struct words *found)
{
	static const char *const names[] = { "libgcc_s.so.1", "libnss_files.so.2",
					     "libnss_dns.so.2" };
	int result = 0;

	for (size_t i = 0; i < found->n; i++) {
		const char *slash = strrchr(found->v[i], '/');

		if (slash == NULL || strcmp(slash + 1, "libc.so.6") != 0)
			continue;
		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]) && result == 0; k++) {
			char *path = xasprintf("%.*s/%s", (int)(slash - found->v[i]), found->v[i],
					       names[k]);

			if (access(path, R_OK) == 0)
				result = pack_path(p, path);
			free(path);
		}
	}
	return result;
}

/* Add what the loader lists for `file`. */
static int add_libraries(struct pack *p, const char *loader, const char *file)
{
	struct words found = { 0 }, missing = { 0 };
	int result = libs_list(loader, file, p->env, &found, &missing);
	bool cache = false;

	for (size_t i = 0; result == 0 && i < missing.n; i++)
		if (!in_tree(p, missing.v[i]))
			result = lacks_library(file, missing.v[i]);
	for (size_t i = 0; result == 0 && i < found.n; i++)
		result = add_library(p, found.v[i], &cache);
	if (result == 0)
		result = add_opened(p, &found);
	/* Outside the standard folders, the loader finds libraries by this cache only. */
	if (result == 0 && cache && access("/etc/ld.so.cache", R_OK) == 0)
		result = pack_path(p, "/etc/ld.so.cache");
	words_free(&found);
	words_free(&missing);
	return result;
}

/* Is the loader that `path` names there, and a file that can be one? */
static int check_loader(const char *path, const char *loader)
{
	struct elf_info info;

	if (access(loader, F_OK) != 0)
		return fail("%s needs the loader %s, which this machine lacks: install its C "
			    "library's package "
			    "(musl: apt install musl), or link the program statically",
			    path, loader);
	if (pack_check_file(loader) == 0 && elf_inspect(loader, &info) == 0)
		return 0;
	return fail_within("%s cannot be loaded", path);
}

int pack_elf(struct pack *p, const char *path, const struct elf_info *info)
{
	if (info->library)
		return fail("%s is a shared library, not a program", path);
	if (pack_path(p, path) != 0)
		return -1;
	if (info->kind != ELF_DYNAMIC)
		return 0;
	if (check_loader(path, info->interp) != 0 || pack_path(p, info->interp) != 0)
		return -1;
	return add_libraries(p, info->interp, path);
}
