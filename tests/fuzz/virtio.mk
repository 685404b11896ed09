# SPDX-License-Identifier: Apache-2.0
FUZZERS += tests/fuzz/fuzz_virtq
tests/fuzz/fuzz_virtq_SRCS := runtime/virtio/test/fake.c $(addprefix runtime/virtio/,queue.c transport.c pci.c mmio.c \
	net.c net_queue.c net_tx.c misc.c console.c console_port.c console_ctrl.c blk.c rng.c) runtime/mem/pbuf.c
