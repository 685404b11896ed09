/* SPDX-License-Identifier: Apache-2.0 */
/* reflector.h - a server that does nothing but answer, to measure the generator against. */
#ifndef GODWIT_LOAD_REFLECTOR_H
#define GODWIT_LOAD_REFLECTOR_H

#include "tools/load/load.h"
#include "tools/load/resp.h"

enum reflect_kind { REFLECT_TCP, REFLECT_UDP, REFLECT_REDIS, REFLECT_HTTP };
enum reflect_fault { FAULT_NONE, FAULT_CLOSE, FAULT_GARBAGE, FAULT_HALF, FAULT_SILENT };

struct reflect_options {
	uint32_t size;
	uint64_t stall, every; /* ns; every 0: never */
	uint64_t delay;	       /* ns from a request's arrival to its answer, polled by the clock */
	uint64_t service;      /* ns for each request: 1/service a second is the most it answers */
	enum reflect_fault fault;
};

struct peer {
	int fd;
	enum reflect_kind kind;
	bool listening;
	bool waits_to_write, gone;
	struct text out;
	size_t out_sent;
	struct resp_parser resp;
	char name[16];	/* of a redis command */
	uint32_t match; /* bytes of \r\n\r\n */
	struct peer *next_gone;
};

struct reflector {
	struct reflect_options options;
	int epoll;
	struct text value; /* of --size */
	struct text http;  /* a whole answer */
	uint64_t free_at;  /* when the requests so far are done */
	struct peer *gone; /* freed after the events at hand */
	_Atomic bool stop;
};

int reflector_init(struct reflector *r, const struct reflect_options *o); /* 0 or -1 (fail) */
/* reflector_listen - at the URL; fills in the port it got. 0 or -1 (fail). */
int reflector_listen(struct reflector *r, struct url *u);
void reflector_serve(struct reflector *r); /* until stop or an interrupt */
void reflector_free(struct reflector *r);

/* reflect.c: reflect - answers to bytes that came, into p->out. Returns how many requests that
 * were, or -1 for no protocol. */
int reflect(struct reflector *r, struct peer *p, const uint8_t *in, size_t n);

#endif
