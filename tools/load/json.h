/* SPDX-License-Identifier: Apache-2.0 */
/* json.h - a small reader of JSON: what report_json writes, and anything else that is JSON and not
 * too deep. */
#ifndef GODWIT_LOAD_JSON_H
#define GODWIT_LOAD_JSON_H

#include <stddef.h>

enum json_kind {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

/* All values of a text in one array, in order; children follow their parent. */
struct json_value {
	enum json_kind kind;
	double number;
	char *string; /* of strings */
	char *key;    /* in an object */
	size_t children;
	size_t after; /* index behind this value and all below it */
};

struct json {
	struct json_value *v;
	size_t n, room;
};

/* json_parse - 0, or -1 (fail) with what and at which byte. json_free in both cases. */
int json_parse(struct json *j, const char *text);
void json_free(struct json *j);

/* json_member - of the object v, or NULL. json_child - the first of an array or object; json_next -
 * the sibling. */
const struct json_value *json_member(const struct json *j, const struct json_value *v,
				     const char *key);
const struct json_value *json_child(const struct json_value *v);
const struct json_value *json_next(const struct json *j, const struct json_value *v);
double json_number(const struct json_value *v, double otherwise);

#endif
