/* SPDX-License-Identifier: Apache-2.0 */
/* inet.h - IP addresses and their texts. Texts come from outside: every step is bounded by the NUL.
 * Bytes are in network order. */
#ifndef GODWIT_RUNTIME_INET_H
#define GODWIT_RUNTIME_INET_H

#include "runtime/base/base.h"

/* The address at the front of s: where its text ends, or NULL (*ip is then undefined). IPv4: four
 * decimal numbers of at most three digits. IPv6: any of the forms of RFC 4291 2.2, without a zone.
 */
const char *inet_parse4(const char *s, uint8_t ip[4]);
const char *inet_parse6(const char *s, uint8_t ip[16]);

#define INET_TEXT 46u /* the longest IPv6 text and its NUL */
/* The text of an address: dotted, or for IPv6 as RFC 5952 wants it (4, and 5 for IPv4-mapped ones).
 * Returns its length. */
size_t inet_print4(char to[INET_TEXT], const uint8_t ip[4]);
size_t inet_print6(char to[INET_TEXT], const uint8_t ip[16]);

#endif
