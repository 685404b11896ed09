/* SPDX-License-Identifier: Apache-2.0 */
/* libs.c - asking a program's loader for its libraries. See libs.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/godwit/libs.h"

#define LIST_TIMEOUT_NS 10000000000ull
#define LIST_MAX_BYTES (1u << 20)

/* "\tNAME => PATH (0x..)", "\tPATH (0x..)", "\tNAME => not found",
 * musl: "Error loading shared library NAME: No such file or directory (needed by X)". */
static void parse_line(char *line, struct words *found, struct words *missing)
{
	static const char musl[] = "Error loading shared library ";
	char *arrow = strstr(line, " => "), *path, *end;

	if (strncmp(line, musl, sizeof(musl) - 1) == 0) {
		line += sizeof(musl) - 1;
		line[strcspn(line, ":")] = '\0';
		words_add(missing, line);
		return;
	}
	if (line[0] != '\t' && line[0] != ' ')
		return;
	line += strspn(line, " \t");
	path = arrow != NULL ? arrow + 4 : line;
	if (arrow != NULL && strncmp(path, "not found", 9) == 0) {
		*arrow = '\0';
		words_add(missing, line);
		return;
	}
	end = strstr(path, " (0x");
	if (path[0] == '/' && end != NULL) {
		*end = '\0';
		words_add(found, path);
		/* A loader listed under the path by which it was named: keep both names. */
		if (arrow != NULL && line[0] == '/') {
			*arrow = '\0';
			words_add(found, line);
		}
	}
}

void libs_parse(const char *answer, struct words *found, struct words *missing)
{
	char *copy = xstrdup(answer), *save = NULL;

	for (char *line = strtok_r(copy, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		parse_line(line, found, missing);
	free(copy);
}

/* glibc's loader is asked as ldd does, by a variable: its --list stops at the first missing
 * library. Other loaders would not know the variable and start the program. */
static bool is_glibc(const char *loader)
{
	const char *slash = strrchr(loader, '/');

	return strncmp(slash != NULL ? slash + 1 : loader, "ld-linux", 8) == 0;
}

static pid_t start(const char *loader, const char *program, const struct words *env,
		   const char *more, int *out)
{
	bool glibc = is_glibc(loader);
	char *const argv[] = { (char *)(uintptr_t)loader,
			       (char *)(uintptr_t)(glibc ? program : "--list"),
			       (char *)(uintptr_t)(glibc ? NULL : program), NULL };
	struct words with = { 0 };
	int fds[2], null;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return -1;
	for (size_t i = 0; i < env->n; i++)
		words_add(&with, env->v[i]);
	words_add(&with, glibc ? "LD_TRACE_LOADED_OBJECTS=1" : "LD_BIND_NOW=");
	if (more != NULL)
		words_add(&with, more);
	pid = fork();
	if (pid == 0) {
		null = open("/dev/null", O_RDONLY | O_CLOEXEC);
		dup2(null, 0);
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		execve(loader, argv, with.v);
		_exit(127);
	}
	words_free(&with);
	close(fds[1]);
	*out = fds[0];
	if (pid < 0)
		close(fds[0]);
	return pid;
}

/* Read to the end, the deadline or the limit. Returns whether the end came. */
static bool collect(int fd, struct text *answer)
{
	uint64_t deadline = now_ns() + LIST_TIMEOUT_NS, now;
	char buf[16384];

	while ((now = now_ns()) < deadline && answer->len < LIST_MAX_BYTES) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (poll(&p, 1, (int)((deadline - now) / 1000000) + 1) <= 0)
			continue;
		n = read(fd, buf, sizeof(buf));
		if (n == 0)
			return true;
		if (n > 0)
			text_add(answer, buf, (size_t)n);
	}
	return false;
}

/* The loader's whole answer and its exit status, with `more` in its environment. 0, or -1 (fail).
 */
static int ask(const char *loader, const char *program, const struct words *env, const char *more,
	       struct text *answer, int *status)
{
	int fd;
	pid_t pid = start(loader, program, env, more, &fd);
	bool complete;

	if (pid < 0)
		return fail("cannot run %s: %s", loader, strerror(errno));
	text_add(answer, "", 0);
	complete = collect(fd, answer);
	close(fd);
	if (!complete)
		kill(pid, SIGKILL);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	if (!complete)
		return fail("%s did not list the libraries of %s within 10 seconds", loader,
			    program);
	return 0;
}

/* It crashed: by a library that is cut short, which it maps without looking at the file's size. Ask
 * again, and let it name each file that it tries: the last one it is. */
static int crashed(const char *loader, const char *program, const struct words *env, int sig)
{
	static const char trying[] = "trying file=";
	struct text answer = { 0 };
	char last[512] = "one of them", *at = NULL;
	int status;

	if (is_glibc(loader) && ask(loader, program, env, "LD_DEBUG=libs", &answer, &status) == 0 &&
	    answer.data != NULL)
		at = strstr(answer.data, trying);
	for (; at != NULL; at = strstr(at, trying)) {
		at += sizeof(trying) - 1;
		snprintf(last, sizeof(last), "%.*s", (int)strcspn(at, "\n"), at);
	}
	text_free(&answer);
	return fail(
		"%s was ended by %s while it listed the libraries of %s: %s is damaged, install "
		"its package again",
		loader, strsignal(sig), program, last);
}

int libs_list(const char *loader, const char *program, const struct words *env, struct words *found,
	      struct words *missing)
{
	struct text answer = { 0 };
	int status = 0, result = ask(loader, program, env, NULL, &answer, &status);

	if (result == 0)
		libs_parse(answer.data, found, missing);
	if (result != 0 || missing->n != 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
	    strstr(answer.data, "statically linked") != NULL) {
		text_free(&answer);
		return result;
	}
	answer.data[strcspn(answer.data, "\n")] = '\0';
	if (WIFSIGNALED(status))
		result = crashed(loader, program, env, WTERMSIG(status));
	else
		result = fail("%s cannot list the libraries of %s: %s", loader, program,
			      answer.len != 0 ? answer.data : "it ended without a word");
	text_free(&answer);
	return result;
}
