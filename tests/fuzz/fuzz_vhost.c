/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_vhost.c - a hosted program's vhost-user back end: rings, descriptors and buffers are what
 * the input says, and change between frames. The memory is exactly as large as it says, so that the
 * sanitizer sees every byte outside. */
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "runtime/platform/linux/vhost_ring.h"

#define BYTES 2048u
#define GUEST 0x10000u
#define FRAME 256u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *memory = calloc(1, BYTES), *frame = malloc(FRAME), header[VHOST_NET_HEADER];
	struct vhost_memory m = { .n = 1, .r[0] = { GUEST, 0, BYTES, memory, NULL, 0 } };
	struct vhost_ring ring[2] = { { .kick = -1, .call = -1 }, { .kick = -1, .call = -1 } };
	struct iovec out[2] = { { header, sizeof(header) }, { frame, 100 } };
	size_t at = GW_MIN(size, (size_t)BYTES);

	memset(header, 1, sizeof(header));
	memset(frame, 2, FRAME);
	memcpy(memory, data, at);
	for (unsigned i = 0; i < 2 && size >= 8; i++) { /* each ring in its half, more or less */
		const uint8_t *say = data + size - 4 * (i + 1);

		ring[i].num = 1u << (say[0] % 6);
		(void)!vhost_ring_set(&ring[i], &m, i * 1024u + (say[1] & 3) * 16u,
				      i * 1024u + 600u + (say[2] & 0x1e),
				      i * 1024u + 800u + (say[3] & 0xfc));
	}
	for (unsigned turn = 0; turn < 64; turn++) {
		uint32_t n = vhost_ring_take(&ring[1], &m, header, frame, FRAME);

		if (n == 0 && ring[1].broken && ring[0].broken)
			break;
		(void)!vhost_ring_put(&ring[0], &m, out, 2);
		vhost_ring_tell(&ring[0]);
		vhost_ring_want(&ring[1], turn & 1);
		if (at + 3 <= size) { /* the front end writes */
			memory[((unsigned)data[at] << 8 | data[at + 1]) % BYTES] = data[at + 2];
			at += 3;
		}
	}
	free(memory);
	free(frame);
	return 0;
}
