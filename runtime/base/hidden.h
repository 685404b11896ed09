/* SPDX-License-Identifier: Apache-2.0 */
/* hidden.h - included before every guest source by the build: what is declared extern lies in the
 * same image, so its address is taken relative to rip, without a table of addresses. */
#pragma GCC visibility push(hidden)
