# SPDX-License-Identifier: Apache-2.0
FUZZERS += tests/fuzz/fuzz_bundle tests/fuzz/fuzz_acpi tests/fuzz/fuzz_space
tests/fuzz/fuzz_bundle_SRCS := kernel/core/manifest.c kernel/core/crc32c.c
tests/fuzz/fuzz_acpi_SRCS := kernel/core/acpi.c
tests/fuzz/fuzz_space_SRCS := kernel/core/space.c
