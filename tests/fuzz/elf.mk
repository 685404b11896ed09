# SPDX-License-Identifier: Apache-2.0
FUZZERS += tests/fuzz/fuzz_elf
tests/fuzz/fuzz_elf_SRCS := linux/memory/elf_check.c
