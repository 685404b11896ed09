/* SPDX-License-Identifier: Apache-2.0 */
/* str_ours.c - str.c as the guest has it, its functions renamed, for str_test.c. */
#include <stddef.h>
#include <stdint.h>
#define memcpy our_memcpy
#define memmove our_memmove
#define memset our_memset
#define memcmp our_memcmp
#define memchr our_memchr
#define strlen our_strlen
#define strnlen our_strnlen
#define strcmp our_strcmp
#define strncmp our_strncmp
#define strchr our_strchr
#define strrchr our_strrchr
#include "runtime/base/str.c"
