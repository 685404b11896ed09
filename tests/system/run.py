#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py [NAME...] - the system tests: real programs in real machines. NAME selects tests that contain it."""
import os, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness
import test_machines, test_programs, test_errors, test_elf, test_kernel, test_redis, test_servers, test_tap, test_hostile, test_dhcp, test_metrics, test_trace, test_tour, test_module, test_native, test_http  # noqa: F401 (they register themselves)

sys.exit(harness.main(sys.argv[1:]))
