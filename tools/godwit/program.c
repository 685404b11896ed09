/* SPDX-License-Identifier: Apache-2.0 */
/* program.c - packing the program itself: looked up as a shell would, `#!` resolved as Linux would,
 * its loader and libraries added. See pack.h. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/godwit/pack_internal.h"

#define MAX_SCRIPTS 4
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

int pack_check_file(const char *path)
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

static int check_interpreter(const char *script, const char *interp)
{
	if (access(interp, F_OK) != 0)
		return fail("the script %s needs the interpreter %s, which this machine lacks: "
			    "install it",
			    script, interp);
	return pack_check_file(interp) == 0 ? 0
					    : fail_within("the script %s cannot be run", script);
}

/* One script: its interpreter takes its place in argv. Returns the interpreter's path, or NULL
 * (fail). */
static char *follow_script(struct pack *p, const char *script, const struct elf_info *info)
{
	char *target, *path;

	if (pack_path(p, script) != 0)
		return NULL;
	target = env_target(info);
	if (fail_text()[0] != '\0')
		return fail_within("the script %s cannot be run", script), NULL;
	path = target != NULL ? target : xstrdup(info->interp);
	script_args(p, target != NULL ? info->interp_arg : info->interp,
		    target != NULL ? "" : info->interp_arg, script);
	if (check_interpreter(script, path) == 0)
		return path;
	free(path);
	return NULL;
}

int pack_program(struct pack *p, char *const *argv)
{
	struct elf_info info;
	char *path = find_program(argv[0]);

	if (path == NULL || pack_check_file(path) != 0)
		goto bad;
	for (size_t i = 0; argv[i] != NULL; i++)
		words_add(&p->args, argv[i]);
	for (int depth = 0;; depth++) {
		char *script = path;

		if (elf_inspect(path, &info) != 0)
			goto bad;
		if (info.kind != ELF_SCRIPT)
			break;
		if (depth == MAX_SCRIPTS) {
			fail("%s: scripts whose interpreters are scripts, more than %d deep",
			     argv[0], MAX_SCRIPTS);
			goto bad;
		}
		path = follow_script(p, script, &info);
		free(script);
		if (path == NULL)
			return -1;
	}
	if (pack_elf(p, path, &info) != 0)
		goto bad;
	p->program = path;
	return 0;
bad:
	free(path);
	return -1;
}
