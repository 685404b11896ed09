/* SPDX-License-Identifier: Apache-2.0 */
/* ini.h - INI text with line numbers, as systemd writes it: [kind name] sections, key = value
 * lines, comments in lines that begin with # or ;, lines joined by a backslash at the end.
 * (Debian's libinih gives no line numbers, tells no two sections of one name apart and cuts lines
 * at 200 bytes.) The text is not trusted. */
#ifndef GODWIT_TOOLS_INI_H
#define GODWIT_TOOLS_INI_H

#include "tools/base/util.h"

#define INI_BYTES (1u << 20) /* of a file, at most */
#define INI_SECTIONS 256u
#define INI_ENTRIES 512u /* of a section */
#define INI_ERRORS 100u	 /* told, at most */

/* Mistakes, all of them, as "FILE:LINE: text" lines. */
struct diag {
	const char *file;
	struct text out;
	unsigned int errors, warnings;
};
void diag_error(struct diag *d, int line, const char *format, ...) PRINTF(3, 4);
void diag_warning(struct diag *d, int line, const char *format, ...) PRINTF(3, 4);

struct ini_entry {
	char *key, *value; /* without blanks around them; value may be "" */
	int line;	   /* from 1 on */
};
struct ini_section {
	char *kind, *name; /* [kind name]; name "" when there is none */
	int line;
	struct ini_entry *entries;
	size_t n;
};
struct ini {
	struct ini_section *sections;
	size_t n;
};

/* ini_parse - read text[0..n). Mistakes go to d; what could be read is in *ini, which is to be
 * freed either way. */
void ini_parse(struct ini *ini, const char *text, size_t n, struct diag *d);
void ini_free(struct ini *ini);

#endif
