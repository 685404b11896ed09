/* SPDX-License-Identifier: Apache-2.0 */
/* steps.h - what the first uthread runs, in order; each image links its own table. */
#ifndef GODWIT_RUNTIME_STEPS_H
#define GODWIT_RUNTIME_STEPS_H

struct boot_step {
	const char *name;
	void (*run)(void); /* NULL ends the table */
};
extern const struct boot_step boot_steps[];

#endif
