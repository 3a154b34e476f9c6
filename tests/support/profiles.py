"""A pytest plugin: how long hypothesis searches, `HYPOTHESIS_PROFILE=thorough` for more.

`quick`, the default, draws the same examples each time. `dice` searches elsewhere each time. `brief` is for runs in
which each example costs several times as much: those that measure coverage, and mutants.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

VARIABLE = "HYPOTHESIS_PROFILE"
DEFAULT = "quick"

# Histories are long, and machines are slow at times: neither is an error.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

settings.register_profile("quick", _PATIENT, max_examples=150, derandomize=True)
settings.register_profile("brief", _PATIENT, max_examples=40, derandomize=True)
settings.register_profile("dice", _PATIENT, max_examples=1000, print_blob=True)
settings.register_profile("thorough", _PATIENT, max_examples=20_000, print_blob=True)
settings.load_profile(os.environ.get(VARIABLE, DEFAULT))
