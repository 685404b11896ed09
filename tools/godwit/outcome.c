/* SPDX-License-Identifier: Apache-2.0 */
/* outcome.c - how a run ended. See outcome.h. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/channel.h"
#include "tools/godwit/outcome.h"
#include "tools/godwit/report.h"

#define LOG_LINES 40u

static void print_log(const struct session *s)
{
	struct text t = { 0 };

	if (verbose || s->uart_bytes == 0) /* seen already, or there is none */
		return;
	text_printf(&t, "godwit: the end of the kernel's log:\n");
	session_uart_tail(s, LOG_LINES, &t);
	fputs(t.data, stderr);
	text_free(&t);
}

/* The machine ended without the program's exit status. What is known of why? */
static int abnormal(const struct session *s)
{
	int w = s->wait_status, code = WIFEXITED(w) ? WEXITSTATUS(w) : -1;
	bool silent = s->uart_bytes == 0 && s->guests[0].records.boot.n == 0;

	if (silent && code > 0 && s->qemu_messages.len != 0) {
		warn("run: QEMU could not start the machine:");
		fputs(s->qemu_messages.data, stderr);
		if (code == 127)
			warn("run: install QEMU (Debian: apt install qemu-system-x86)");
		if (strstr(s->qemu_messages.data, "guest memory") != NULL)
			warn("run: this computer has not that much memory for it: take less with "
			     "-m");
		return STATUS_USAGE;
	}
	if (WIFSIGNALED(w))
		warn("QEMU was ended by signal %d (%s)", WTERMSIG(w), strsignal(WTERMSIG(w)));
	else if (code == (int)(GW_EXIT_BAD_BUNDLE << 1 | 1))
		warn("the kernel refused the boot bundle (do kernel.elf and linux.elf come from "
		     "one build?)");
	else if (code == (int)(GW_EXIT_FAULT << 1 | 1))
		warn("the kernel or the runtime failed; this is an error of Godwit, not of the "
		     "program");
	else if (code >= 0 && code & 1)
		warn("the machine ended with status %d before the program did", code >> 1);
	else
		warn("the machine reset or switched itself off before the program ended (QEMU's "
		     "status %d)",
		     code);
	if (!verbose && s->qemu_messages.len != 0)
		fprintf(stderr, "godwit: QEMU said:\n%s", s->qemu_messages.data);
	print_log(s);
	return STATUS_MACHINE;
}

static int status_of(const struct session *s, const struct session_guest *g, const char *program)
{
	const struct records *r = &g->records;

	/* The runtime says more about a fault than this line would. */
	if (r->signal != 0 && s->by_signal == 0 && r->error[0] == '\0')
		warn("%s was ended by signal %u%s%s", program, r->signal,
		     r->signal_name[0] != '\0' ? ", " : "", r->signal_name);
	if (s->by_signal == SIGPIPE)
		return 128 +
		       SIGPIPE; /* as the program's would be, had it written to the pipe itself */
	if (r->signal != 0)
		return 128 + (int)r->signal;
	if (r->exited)
		return r->status;
	if (s->by_signal != 0) {
		if (s->killed)
			warn("the machine did not stop by itself and was ended");
		return 128 + s->by_signal;
	}
	return -1;
}

static void summary(const struct session_guest *g, const char *program)
{
	struct text t = { 0 };

	if (g->records.stats.n == 0)
		return;
	report_summary(&t, program, &g->records);
	fputs(t.data, stderr);
	text_free(&t);
}

int outcome(const struct session *s, const struct options *o)
{
	const struct session_guest *g = &s->guests[0];
	int status = status_of(s, g, o->argv[0]);

	if (status < 0)
		status = abnormal(s);
	if (g->records.exited && s->killed && s->by_signal == 0)
		note("the machine had to be ended after the program did");
	if (o->summary || isatty(STDOUT_FILENO))
		summary(g, o->argv[0]);
	return status;
}

/* How one of several ended, in a few words. */
static void end_line(const struct session *s, const struct session_guest *g, int status)
{
	char restarts[48] = "";

	if (g->starts > 1)
		snprintf(restarts, sizeof(restarts), ", started %u times", g->starts);
	if (g->absent)
		return;
	if (g->records.exited || g->records.signal != 0)
		warn("%s: ended with status %d%s", g->name, status, restarts);
	else if (g->starts == 0)
		warn("%s: did not start", g->name);
	else if (s->by_signal != 0)
		warn("%s: was ended with the machine%s", g->name, restarts);
	else
		warn("%s: stopped without a status; the kernel's log says why (-v)%s", g->name,
		     restarts);
}

int outcome_module(const struct session *s, bool summaries, bool quiet)
{
	int code = WIFEXITED(s->wait_status) ? WEXITSTATUS(s->wait_status) : -1, first = -1;

	for (size_t i = 0; i < s->n_guests; i++) {
		const struct session_guest *g = &s->guests[i];
		int status = status_of(s, g, g->name);

		if (i == 0)
			first = status;
		if (!quiet)
			end_line(s, g, status);
		if (summaries)
			summary(g, g->name);
	}
	if (first >= 0)
		return first;
	/* The kernel ends the machine with the first partition's status. */
	if (code >= 0 && code & 1 && code >> 1 != (int)GW_EXIT_BAD_BUNDLE && s->uart_bytes != 0)
		return code >> 1;
	return abnormal(s);
}
