/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_dhcp.c - libFuzzer: bytes into the DHCP parser; what it accepts must be usable. */
#include <stdlib.h>
#include "runtime/net/dhcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size); /* exact, so that a byte too far is seen */
	struct dhcp_msg m;

	if (size != 0)
		memcpy(copy, data, size);
	if (dhcp_parse(copy, size, &m) && m.type != DHCP_NAK) {
		uint32_t holes = ~be32(m.mask);

		if (m.yiaddr == 0 || m.lease == 0 || (holes & (holes + 1)) != 0)
			abort();
	}
	free(copy);
	return 0;
}
