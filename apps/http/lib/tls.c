/* SPDX-License-Identifier: Apache-2.0 */
/* tls.c - TLS 1.2 by BearSSL, which needs no C library, no allocation and no files, and so works in
 * a partition as it does in a process. Its engine is fed from and into the connection's queues;
 * certificates and the key come from --files. Offered are ECDHE with AES-GCM or ChaCha20 only. */
#include <bearssl.h>
#include "apps/http/lib/http_internal.h"

#define CHAIN_MAX 8u
#define SESSIONS_BYTES 65536u /* of a shard: about 650 */

struct tls_identity {
	br_x509_certificate chain[CHAIN_MAX];
	size_t n_chain;
	br_skey_decoder_context key; /* the key's numbers lie in it */
	unsigned issuer;	     /* of an EC certificate: BR_KEYTYPE_* that signed it */
};

struct tls_shard {
	br_ssl_session_cache_lru cache;
	unsigned char sessions[SESSIONS_BYTES];
};

struct tls {
	br_ssl_server_context server;
	bool ready, wrote;
	unsigned char in[BR_SSL_BUFSIZE_INPUT], out[BR_SSL_BUFSIZE_OUTPUT];
};

/* BearSSL asks for the system's randomness; this is it. */
static int seed(const br_prng_class **rng)
{
	unsigned char bytes[32];

	gw_random(bytes, sizeof(bytes));
	(*rng)->update(rng, bytes, sizeof(bytes));
	return 1;
}

br_prng_seeder br_prng_seeder_system(const char **name)
{
	if (name != NULL)
		*name = "godwit";
	return seed;
}

/* ---- certificates and the key ---- */

struct bytes {
	unsigned char *at;
	size_t len, cap;
};

static void collect(void *arg, const void *src, size_t n)
{
	struct bytes *b = arg;

	if (b->len + n <= b->cap) /* cap: the file's length */
		memcpy(b->at + b->len, src, n);
	b->len += n;
}

/* Call fn for each PEM object of a file. 0, -ENOENT, -EINVAL, ... */
static int each_object(const char *path,
		       int (*fn)(struct tls_identity *id, const char *name, struct bytes *b),
		       struct tls_identity *id)
{
	br_pem_decoder_context pem;
	struct gw_file f;
	struct bytes b = { NULL, 0, 0 };
	int err = gw_file(path, &f);
	size_t at = 0;
	bool inside = false;

	if (err != 0)
		return err;
	br_pem_decoder_init(&pem);
	while (err == 0 && at < f.len) {
		at += br_pem_decoder_push(&pem, (const char *)f.data + at, f.len - at);
		switch (br_pem_decoder_event(&pem)) {
		case BR_PEM_BEGIN_OBJ:
			b = (struct bytes){ gw_alloc(f.len), 0, f.len };
			err = b.at != NULL ? 0 : -ENOMEM;
			inside = true;
			br_pem_decoder_setdest(&pem, collect, &b);
			break;
		case BR_PEM_END_OBJ:
			inside = false;
			err = fn(id, br_pem_decoder_name(&pem), &b);
			break;
		case BR_PEM_ERROR:
			err = -EINVAL;
			break;
		default:
			break;
		}
	}
	return err == 0 && inside ? -EINVAL : err;
}

static int take_cert(struct tls_identity *id, const char *name, struct bytes *b)
{
	if (strcmp(name, "CERTIFICATE") != 0 && strcmp(name, "X509 CERTIFICATE") != 0)
		return 0;
	if (id->n_chain == CHAIN_MAX)
		return -EINVAL;
	id->chain[id->n_chain++] = (br_x509_certificate){ b->at, b->len };
	return 0;
}

static int take_key(struct tls_identity *id, const char *name, struct bytes *b)
{
	size_t n = strlen(name);

	if (n < 11 || strcmp(name + n - 11, "PRIVATE KEY") != 0)
		return 0; /* parameters, a certificate */
	br_skey_decoder_init(&id->key);
	br_skey_decoder_push(&id->key, b->at, b->len);
	return br_skey_decoder_last_error(&id->key) == 0 ? 0 : -EINVAL;
}

static void nowhere(void *arg, const void *src, size_t n)
{
	(void)arg;
	(void)src;
	(void)n;
}

int tls_load(const char *cert, const char *key, struct tls_identity **out)
{
	struct tls_identity *id = gw_zalloc(sizeof(*id));
	br_x509_decoder_context x509;
	int err;

	if (id == NULL)
		return -ENOMEM;
	tls_platform_init();
	err = each_object(cert, take_cert, id);
	if (err == 0 && id->n_chain == 0)
		err = -EINVAL;
	if (err != 0) {
		(void)gw_fail(err, "http: certificates in %s (of --files)", cert);
		return err;
	}
	err = each_object(key, take_key, id);
	if (err == 0 && br_skey_decoder_key_type(&id->key) == 0)
		err = -EINVAL;
	if (err != 0) {
		(void)gw_fail(err, "http: no usable key in %s (of --files)", key);
		return err;
	}
	br_x509_decoder_init(&x509, nowhere, NULL);
	br_x509_decoder_push(&x509, id->chain[0].data, id->chain[0].data_len);
	id->issuer = (unsigned)br_x509_decoder_get_signer_key_type(&x509);
	*out = id;
	return 0;
}

/* ---- shards and connections ---- */

int tls_shard_init(struct http_shard *s)
{
	s->tls = gw_zalloc(sizeof(*s->tls));
	if (s->tls == NULL)
		return -ENOMEM;
	br_ssl_session_cache_lru_init(&s->tls->cache, s->tls->sessions, SESSIONS_BYTES);
	tls_platform_init();
	return 0;
}

struct tls *tls_new(struct http_shard *s, const struct tls_identity *id)
{
	static const uint16_t suites[] = {
		BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	};
	static const char *protocols[] = { "http/1.1" };
	struct tls *t = gw_alloc(sizeof(*t));
	br_ssl_engine_context *e;
	unsigned char entropy[32];

	if (t == NULL)
		return NULL;
	t->ready = t->wrote = false;
	if (br_skey_decoder_key_type(&id->key) == BR_KEYTYPE_RSA)
		br_ssl_server_init_full_rsa(&t->server, id->chain, id->n_chain,
					    br_skey_decoder_get_rsa(&id->key));
	else
		br_ssl_server_init_full_ec(&t->server, id->chain, id->n_chain, id->issuer,
					   br_skey_decoder_get_ec(&id->key));
	e = &t->server.eng;
	br_ssl_engine_set_versions(e, BR_TLS12, BR_TLS12);
	br_ssl_engine_set_suites(e, suites, sizeof(suites) / sizeof(suites[0]));
	br_ssl_engine_set_protocol_names(e, protocols, 1);
	br_ssl_engine_add_flags(e, BR_OPT_NO_RENEGOTIATION | BR_OPT_ENFORCE_SERVER_PREFERENCES);
	br_ssl_server_set_cache(&t->server, &s->tls->cache.vtable);
	br_ssl_engine_set_buffers_bidi(e, t->in, sizeof(t->in), t->out, sizeof(t->out));
	gw_random(entropy, sizeof(entropy));
	br_ssl_engine_inject_entropy(e, entropy, sizeof(entropy));
	if (br_ssl_server_reset(&t->server) == 1)
		return t;
	gw_free(t, sizeof(*t));
	return NULL;
}

void tls_free(struct tls *t)
{
	volatile unsigned char *p = (volatile unsigned char *)&t->server;

	for (size_t i = 0; i < sizeof(t->server); i++) /* keys */
		p[i] = 0;
	gw_free(t, sizeof(*t));
}

bool tls_ready(const struct tls *t)
{
	return t->ready;
}

/* Move records between the engine and the connection as far as possible. */
static bool move_records(struct http_conn *c)
{
	br_ssl_engine_context *e = &c->tls->server.eng;
	const uint8_t *from;
	unsigned char *buf;
	size_t n, k;

	for (;;) {
		unsigned state = br_ssl_engine_current_state(e);
		bool moved = false;

		if (state == BR_SSL_CLOSED)
			return false;
		if (state & BR_SSL_SENDREC) {
			buf = br_ssl_engine_sendrec_buf(e, &n);
			k = gw_tcp_write(c->tcp, buf, n);
			if (k != 0) {
				br_ssl_engine_sendrec_ack(e, k);
				c->tls->wrote = moved = true;
			}
		}
		if (state & BR_SSL_RECVREC && (k = gw_tcp_peek(c->tcp, &from)) != 0) {
			buf = br_ssl_engine_recvrec_buf(e, &n);
			k = MIN(k, n);
			memcpy(buf, from, k);
			gw_tcp_consume(c->tcp, k);
			br_ssl_engine_recvrec_ack(e, k);
			moved = true;
		}
		if (!moved)
			break;
	}
	if (!c->tls->ready && br_ssl_engine_current_state(e) & BR_SSL_SENDAPP) {
		c->tls->ready = true;
		c->shard->count.handshakes++;
	}
	return true;
}

bool tls_pump(struct http_conn *c)
{
	bool good = move_records(c);

	if (c->tls->wrote) { /* an alert, too */
		c->tls->wrote = false;
		gw_tcp_push(c->tcp);
	}
	/* an end after everything was answered is no failure */
	if (!good && br_ssl_engine_last_error(&c->tls->server.eng) == 0) {
		conn_kill(c, DROPS, false);
		return true;
	}
	return good;
}

size_t tls_peek(struct http_conn *c, const uint8_t **data)
{
	size_t n = 0;

	*data = br_ssl_engine_recvapp_buf(&c->tls->server.eng, &n);
	if (*data == NULL && move_records(c))
		*data = br_ssl_engine_recvapp_buf(&c->tls->server.eng, &n);
	return *data != NULL ? n : 0;
}

void tls_consume(struct http_conn *c, size_t n)
{
	if (n != 0)
		br_ssl_engine_recvapp_ack(&c->tls->server.eng, n);
}

size_t tls_room(struct http_conn *c, uint8_t **to)
{
	size_t n = 0;

	*to = br_ssl_engine_sendapp_buf(&c->tls->server.eng, &n);
	if (*to == NULL && move_records(c))
		*to = br_ssl_engine_sendapp_buf(&c->tls->server.eng, &n);
	return *to != NULL ? n : 0;
}

void tls_commit(struct http_conn *c, size_t n)
{
	if (n != 0)
		br_ssl_engine_sendapp_ack(&c->tls->server.eng, n);
}

void tls_push(struct http_conn *c)
{
	br_ssl_engine_flush(&c->tls->server.eng, 0);
	(void)move_records(c);
	if (c->tls->wrote) {
		c->tls->wrote = false;
		gw_tcp_push(c->tcp);
	}
}

void tls_end(struct http_conn *c)
{
	if (!c->tls->ready) /* there is nobody to say goodbye to */
		return;
	br_ssl_engine_close(&c->tls->server.eng);
	tls_push(c);
}
