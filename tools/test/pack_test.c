/* SPDX-License-Identifier: Apache-2.0 */
/* pack_test.c - packing: symlinks on the way, folders, scripts, a loader's answers, what is
 * missing. */
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit.h"
#include "tools/godwit/libs.h"
#include "tools/godwit/pack.h"

static char dir[] = "/tmp/godwit-test-XXXXXX";
static struct words env;

static const char *path(const char *name)
{
	static char buf[4][300];
	static int at;

	at = (at + 1) % 4;
	snprintf(buf[at], sizeof(buf[at]), "%s/%s", dir, name);
	return buf[at];
}

static void make(const char *name, const char *text, mode_t mode)
{
	int fd = open(path(name), O_CREAT | O_WRONLY | O_TRUNC, 0600);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
	      fchmod(fd, mode) == 0);
	close(fd);
}

static bool has(struct pack *p, const char *at, mode_t type)
{
	struct node *n = tree_find(&p->tree, at);

	if (n == NULL || (n->mode & S_IFMT) != type)
		printf("%s: %s\n", at, n == NULL ? "not packed" : "another type");
	return n != NULL && (n->mode & S_IFMT) == type;
}

TEST(symlinks)
{
	struct pack p;

	pack_init(&p, &env);
	fail_clear();
	CHECK_EQ(mkdir(path("real"), 0750), 0);
	make("real/file", "x", 0640);
	CHECK_EQ(symlink("real", path("link")), 0);
	CHECK_EQ(symlink("./file", path("real/alias")), 0);
	CHECK_EQ(pack_path(&p, path("link/alias")), 0);
	CHECK(has(&p, path("link"), S_IFLNK));
	CHECK(has(&p, path("real"), S_IFDIR));
	CHECK(has(&p, path("real/alias"), S_IFLNK));
	CHECK(has(&p, path("real/file"), S_IFREG));
	CHECK_EQ(tree_find(&p.tree, path("real"))->mode, S_IFDIR | 0750);
	CHECK_EQ(tree_find(&p.tree, path("link/file"))->mode,
		 S_IFREG | 0640); /* through the link */
	CHECK_EQ(symlink("self", path("self")), 0);
	CHECK_EQ(pack_path(&p, path("self")), -1);
	CHECK(strstr(fail_text(), "too many levels") != NULL);
	fail_clear();
	CHECK_EQ(pack_path(&p, path("nothing")), -1);
	CHECK(strstr(fail_text(), "No such file") != NULL);
	unlink(path("self"));
	pack_free(&p);
}

TEST(extras)
{
	struct pack p;
	char *spec;

	pack_init(&p, &env);
	fail_clear();
	CHECK_EQ(mkdir(path("site"), 0755), 0);
	CHECK_EQ(mkdir(path("site/sub"), 0755), 0);
	make("site/index.html", "hi", 0644);
	make("site/sub/page", "page", 0644);
	make("outside", "o", 0644);
	CHECK_EQ(symlink("../outside", path("site/out")), 0);
	CHECK_EQ(symlink("gone", path("site/dangling")), 0);
	CHECK_EQ(mkfifo(path("site/fifo"), 0644), 0);
	spec = xasprintf("%s:/www", path("site"));
	CHECK_EQ(pack_extra(&p, spec), 0);
	CHECK(has(&p, "/www/index.html", S_IFREG));
	CHECK(has(&p, "/www/sub/page", S_IFREG));
	CHECK(has(&p, "/www/out", S_IFLNK));
	CHECK(has(&p, "/www/dangling", S_IFLNK));
	CHECK(tree_find(&p.tree, "/www/fifo") == NULL);
	CHECK(tree_find(&p.tree, path("outside")) == NULL);
	free(spec);
	CHECK_EQ(pack_extra(&p, path("site")), 0); /* in its own place */
	CHECK(has(&p, path("site/sub/page"), S_IFREG));
	CHECK(has(&p, path("outside"), S_IFREG)); /* for the symlink */
	spec = xasprintf("%s:/a/b/c", path("outside"));
	CHECK_EQ(pack_extra(&p, spec), 0);
	CHECK(has(&p, "/a/b/c", S_IFREG));
	free(spec);
	spec = xasprintf("%s:/", path("site"));
	CHECK_EQ(pack_extra(&p, spec), 0);
	CHECK(has(&p, "/sub/page", S_IFREG));
	free(spec);
	CHECK_EQ(pack_extra(&p, "/nothing/here"), -1);
	CHECK(strstr(fail_text(), "-f /nothing/here: No such file") != NULL);
	fail_clear();
	CHECK_EQ(pack_extra(&p, "/tmp:relative"), -1);
	CHECK(strstr(fail_text(), "starts with /") != NULL);
	fail_clear();
	CHECK_EQ(pack_extra(&p, "/dev/null"), -1);
	CHECK(strstr(fail_text(), "device") != NULL);
	pack_free(&p);
}

static int program(struct pack *p, const char *name, const char *arg)
{
	char *argv[] = { (char *)(uintptr_t)name, (char *)(uintptr_t)arg, NULL };

	fail_clear();
	pack_init(p, &env);
	return pack_program(p, argv);
}

TEST(dynamic_program)
{
	struct pack p;

	CHECK_EQ(program(&p, "sh", "-c"), 0);
	CHECK(p.program != NULL && p.program[0] == '/' &&
	      strcmp(strrchr(p.program, '/'), "/sh") == 0);
	CHECK_STR(p.args.v[0], "sh");
	CHECK_STR(p.args.v[1], "-c");
	CHECK(tree_find(&p.tree, "/lib64/ld-linux-x86-64.so.2") != NULL);
	CHECK(tree_find(&p.tree, "/lib/x86_64-linux-gnu/libc.so.6") != NULL);
	CHECK_EQ(pack_system(&p, &(struct pack_names){ "me",
						       { "10.0.2.15", "2001:db8::2" },
						       { "10.0.2.3", "2001:db8::53" } }),
		 0);
	CHECK(has(&p, "/etc/passwd", S_IFREG));
	CHECK_EQ(tree_find(&p.tree, "/tmp")->mode, S_IFDIR | 01777);
	CHECK_STR(tree_find(&p.tree, "/etc/resolv.conf")->bytes,
		  "nameserver 10.0.2.3\nnameserver 2001:db8::53\n");
	CHECK_STR(tree_find(&p.tree, "/etc/hosts")->bytes,
		  "127.0.0.1\tlocalhost\n::1\tlocalhost\n10.0.2.15\tme\n2001:db8::2\tme\n");
	pack_free(&p);
}

static void refused(const char *name, const char *part)
{
	struct pack p;
	int rc = program(&p, name, NULL);

	if (rc != -1 || strstr(fail_text(), part) == NULL)
		printf("%s: rc %d, message '%s', wanted '%s'\n", name, rc, fail_text(), part);
	CHECK(rc == -1 && strstr(fail_text(), part) != NULL);
	pack_free(&p);
}

TEST(bad_programs)
{
	make("plain", "text", 0755);
	make("script", "#!/no/such/shell\n", 0755);
	make("hollow", "", 0755);
	make("modeless", "#!/bin/sh\n", 0644);
	refused(path("plain"), "neither an ELF program nor a script");
	refused(path("script"), "needs the interpreter /no/such/shell");
	refused(path("hollow"), "is empty");
	refused(path("absent"), "no such program");
	refused(dir, "is a directory");
	refused("/dev/null", "not a regular file");
	refused("no-such-program-anywhere", "no such program in PATH");
	refused("", "empty");
	if (geteuid() != 0 || access(path("modeless"), X_OK) != 0)
		refused(path("modeless"), "not executable");
}

TEST(scripts)
{
	struct pack p;
	char *line;

	make("hello", "#!/bin/sh -e\necho\n", 0755);
	CHECK_EQ(program(&p, path("hello"), "x"), 0);
	CHECK_STR(p.program, "/bin/sh");
	CHECK_EQ(p.args.n, 4);
	CHECK_STR(p.args.v[0], "/bin/sh");
	CHECK_STR(p.args.v[1], "-e");
	CHECK_STR(p.args.v[2], path("hello"));
	CHECK_STR(p.args.v[3], "x");
	CHECK(has(&p, path("hello"), S_IFREG));
	pack_free(&p);
	make("by-env", "#!/usr/bin/env sh\n", 0755);
	CHECK_EQ(program(&p, path("by-env"), NULL), 0);
	CHECK(strcmp(strrchr(p.program, '/'), "/sh") == 0); /* sh itself, not env */
	CHECK_STR(p.args.v[0], "sh");
	CHECK_STR(p.args.v[1], path("by-env"));
	pack_free(&p);
	make("no-env", "#!/usr/bin/env no-such-language\n", 0755);
	refused(path("no-env"), "no-such-language: no such program in PATH");
	line = xasprintf("#!%s\n", path("circle"));
	make("circle", line, 0755);
	refused(path("circle"), "more than 4 deep");
	free(line);
}

TEST(loader_answers)
{
	struct words found = { 0 }, missing = { 0 };

	libs_parse("\tlinux-vdso.so.1 (0x00007ffd)\n\tliba.so.1 => /lib/x/liba.so.1 (0x00007f00)\n"
		   "\tlibgone.so => not found\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f01)\n"
		   "\t/lib64/ld2.so => /lib/ld2.so (0x00007f02)\n\tlibsp.so => /opt/a b/libsp.so "
		   "(0x1)\n",
		   &found, &missing);
	CHECK_EQ(found.n, 5);
	CHECK_STR(found.v[0], "/lib/x/liba.so.1");
	CHECK_STR(found.v[1], "/lib64/ld-linux-x86-64.so.2");
	CHECK_STR(found.v[2], "/lib/ld2.so");
	CHECK_STR(found.v[3], "/lib64/ld2.so");
	CHECK_STR(found.v[4], "/opt/a b/libsp.so");
	CHECK_EQ(missing.n, 1);
	CHECK_STR(missing.v[0], "libgone.so");
	words_free(&found);
	words_free(&missing);
	libs_parse(
		"\t/lib/ld-musl-x86_64.so.1 (0x7f)\n\tlibc.so => /lib/ld-musl-x86_64.so.1 (0x7f)\n"
		"Error loading shared library libx.so.2: No such file or directory (needed by "
		"./p)\n",
		&found, &missing);
	CHECK_EQ(found.n, 2);
	CHECK_EQ(missing.n, 1);
	CHECK_STR(missing.v[0], "libx.so.2");
	words_free(&found);
	words_free(&missing);
	libs_parse("", &found, &missing);
	libs_parse("\n\n => \n\t => not found\n(0x\n\t/x\n", &found, &missing);
	CHECK_EQ(found.n, 0);
	words_free(&found);
	words_free(&missing);
}

TEST(loader_runs)
{
	struct words found = { 0 }, missing = { 0 };

	make("silent", "#!/bin/sh\nexit 1\n", 0755);
	make("babbling", "#!/bin/sh\necho \"cannot: $LD_TEST\"; exit 3\n", 0755);
	words_add(&env, "LD_TEST=seen");
	fail_clear();
	CHECK_EQ(libs_list(path("silent"), "/bin/x", &env, &found, &missing), -1);
	CHECK(strstr(fail_text(), "without a word") != NULL);
	fail_clear();
	CHECK_EQ(libs_list(path("babbling"), "/bin/x", &env, &found, &missing), -1);
	CHECK(strstr(fail_text(), "cannot: seen") != NULL); /* with the guest's environment */
	words_free(&found);
	words_free(&missing);
}

static int remove_one(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(name);
}

TEST(setup)
{
	CHECK(mkdtemp(dir) != NULL);
}

TEST(cleanup)
{
	CHECK_EQ(nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	words_free(&env);
}

UNIT_MAIN(CASE(setup), CASE(symlinks), CASE(extras), CASE(dynamic_program), CASE(bad_programs),
	  CASE(scripts), CASE(loader_answers), CASE(loader_runs), CASE(cleanup))
