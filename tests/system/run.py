#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py [NAME...] - the system tests: real programs in real machines. NAME selects tests that contain it."""
import importlib, os, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness

for name in sorted(os.listdir(sys.path[0])):
    if name.startswith("test_") and name.endswith(".py"):
        importlib.import_module(name[:-3])  # they register themselves

sys.exit(harness.main(sys.argv[1:]))
