/* SPDX-License-Identifier: Apache-2.0 */
/* program.c - packing the program itself: looked up as a shell would, `#!` resolved as Linux would,
 * its loader and libraries added. See pack.h. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/godwit/elf.h"
#include "tools/godwit/libs.h"
#include "tools/godwit/pack.h"

#define MAX_SCRIPTS 4
#define LIBRARY_FOLDERS \
	"/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:/lib64:/usr/lib64:/lib:/usr/lib"

/* Absolute path of `name` (not resolved), or NULL (fail). */
static char *find_program(const char *name)
{
	const char *path = getenv("PATH");
	bool seen = false;
	char *cwd, *full;

	if (name[0] == '\0')
		return fail("the program's name is empty"), NULL;
	if (strchr(name, '/') != NULL) {
		if (name[0] == '/')
			return xstrdup(name);
		cwd = getcwd(NULL, 0);
		full = xasprintf("%s/%s", cwd != NULL ? cwd : "",
				 strncmp(name, "./", 2) ? name : name + 2);
		free(cwd);
		return full;
	}
	if (path == NULL || *path == '\0')
		path = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";
	for (const char *p = path;;) {
		size_t n = strcspn(p, ":");
		struct stat st;

		full = xasprintf("%.*s/%s", (int)n, p, name);
		if (n != 0 && stat(full, &st) == 0 && S_ISREG(st.st_mode)) {
			if (access(full, X_OK) == 0)
				return full;
			seen = true;
		}
		free(full);
		if (p[n] == '\0')
			break;
		p += n + 1;
	}
	if (seen)
		return fail("%s is in PATH, but not executable (chmod +x makes it so)", name), NULL;
	return fail("%s: no such program in PATH; install its package, or give its path", name),
	       NULL;
}

static int check_file(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return fail("%s: %s", path,
			    errno == ENOENT ? "no such program; check the path" : strerror(errno));
	if (S_ISDIR(st.st_mode))
		return fail("%s is a directory, not a program", path);
	if (!S_ISREG(st.st_mode))
		return fail("%s is not a regular file", path);
	if (access(path, X_OK) != 0)
		return fail("%s is not executable (chmod +x makes it so)", path);
	return 0;
}

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
	char *plain;
	int result = 0;

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

static int add_elf(struct pack *p, const char *path, const struct elf_info *info)
{
	if (info->library)
		return fail("%s is a shared library, not a program", path);
	if (pack_path(p, path) != 0)
		return -1;
	if (info->kind != ELF_DYNAMIC)
		return 0;
	if (access(info->interp, X_OK) != 0)
		return fail("%s needs the loader %s, which this machine lacks: install its C "
			    "library's package "
			    "(musl: apt install musl), or link the program statically",
			    path, info->interp);
	if (pack_path(p, info->interp) != 0)
		return -1;
	return add_libraries(p, info->interp, path);
}

/* `#!/usr/bin/env NAME` only says where to look: NAME is looked up here and started itself. */
static char *env_target(const struct elf_info *info)
{
	const char *slash = strrchr(info->interp, '/');

	if (strcmp(slash + 1, "env") != 0 || info->interp_arg[0] == '\0' ||
	    info->interp_arg[0] == '-' || strpbrk(info->interp_arg, " \t=") != NULL)
		return NULL;
	return find_program(info->interp_arg);
}

/* Replace argv by the interpreter's: INTERPRETER [ARGUMENT] SCRIPT ARG... */
static void script_args(struct pack *p, const char *interp, const char *arg, const char *script)
{
	struct words args = { 0 };

	words_add(&args, interp);
	if (arg[0] != '\0')
		words_add(&args, arg);
	words_add(&args, script);
	for (size_t i = 1; i < p->args.n; i++)
		words_add(&args, p->args.v[i]);
	words_free(&p->args);
	p->args = args;
}

int pack_program(struct pack *p, char *const *argv)
{
	struct elf_info info;
	char *path = find_program(argv[0]);

	if (path == NULL || check_file(path) != 0)
		goto bad;
	for (size_t i = 0; argv[i] != NULL; i++)
		words_add(&p->args, argv[i]);
	for (int depth = 0;; depth++) {
		char *script = path, *target;

		if (elf_inspect(path, &info) != 0)
			goto bad;
		if (info.kind != ELF_SCRIPT)
			break;
		if (depth == MAX_SCRIPTS) {
			fail("%s: scripts whose interpreters are scripts, more than %d deep",
			     argv[0], MAX_SCRIPTS);
			goto bad;
		}
		if (pack_path(p, script) != 0)
			goto bad;
		target = env_target(&info);
		if (fail_text()[0] != '\0')
			goto bad;
		path = target != NULL ? target : xstrdup(info.interp);
		script_args(p, target != NULL ? info.interp_arg : info.interp,
			    target != NULL ? "" : info.interp_arg, script);
		if (access(path, X_OK) != 0) {
			fail("the script %s needs the interpreter %s, which this machine lacks: "
			     "install it",
			     script, path);
			free(script);
			goto bad;
		}
		free(script);
	}
	if (add_elf(p, path, &info) != 0)
		goto bad;
	p->program = path;
	return 0;
bad:
	free(path);
	return -1;
}
