/* SPDX-License-Identifier: Apache-2.0 */
/* threads.h - the platform whose cores are threads. */
#ifndef GODWIT_ARINC653_THREADS_H
#define GODWIT_ARINC653_THREADS_H

#include <stdint.h>

/* threads_run - a partition of n cores with this main process, until it is IDLE. Once. */
void threads_run(uint32_t n, void (*main_process)(void));

#endif
