/* SPDX-License-Identifier: Apache-2.0 */
/* echo.c - sends back what it receives, over TCP and UDP. `echo [tasks|callbacks] [ADDRESS]`: the
 * style, and where to listen (*:7). */
#include <string.h>
#include "apps/echo/echo.h"

static int usage(const char *what)
{
	gw_log("echo: %s; write: echo [tasks|callbacks] [ADDRESS] (*:7)", what);
	return 2;
}

int app_main(int argc, char **argv)
{
	int (*start)(const struct gw_addr *) = echo_with_callbacks;
	const char *where = "*:7";
	char text[GW_ADDR_TEXT];
	struct gw_addr at;
	int err;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "tasks") == 0)
			start = echo_with_tasks;
		else if (strcmp(argv[i], "callbacks") == 0)
			start = echo_with_callbacks;
		else
			where = argv[i];
	}
	if (gw_addr_parse(where, &at) != 0)
		return usage(where);
	err = start(&at);
	if (err != 0)
		return gw_fail(err, "echo: cannot listen on %s", gw_addr_text(&at, text));
	gw_log("echo: %s on %s, %u shards", start == echo_with_tasks ? "tasks" : "callbacks",
	       gw_addr_text(&at, text), gw_shards());
	return gw_wait_stop();
}
