/* SPDX-License-Identifier: Apache-2.0 */
/* hello - the smallest useful program. */
#include <stdio.h>

int main(void)
{
	puts("hello, world");
	return 0;
}
