#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# cost.sh - build test/cost.c as the guest is built, count instructions per round by function (callgrind).
set -e
out=${BUILD:-build}/cost
mkdir -p "$out"
gcc -std=gnu11 -O2 -g -mgeneral-regs-only -fPIE -fvisibility=hidden -fno-omit-frame-pointer -fno-strict-aliasing \
	-ffunction-sections -D_GNU_SOURCE -I. -c runtime/mem/pbuf.c runtime/net/*.c runtime/net/tcp/*.c
mv -- *.o "$out"
gcc -std=gnu11 -O2 -g -D_GNU_SOURCE -I. -o "$out/cost" runtime/net/test/{cost,sim,support}.c "$out"/*.o
for args in "" "slirp" "slirp offload"; do
	echo "== ${args:-timestamps, software checksums}"
	# shellcheck disable=SC2086
	valgrind --tool=callgrind --callgrind-out-file="$out/cg" --toggle-collect='step_*' "$out/cost" $args 2>&1 | grep -E "Collected|ERROR"
	callgrind_annotate --inclusive=yes "$out/cg" | grep -E 'step_|:[a-z_]+' | head -${LINES_SHOWN:-30} | sed 's/\[.*//'
done
