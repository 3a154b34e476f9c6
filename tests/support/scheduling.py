"""A pytest plugin: which tests one worker of pytest-xdist runs, one after the other.

Each test goes to whoever is free, but for those that share what is dear to start: a control plane of their own. The
groups of pytest-xdist itself (`--dist loadgroup`) are without effect in pytest 9.2, whose tests can't be renamed.
"""

from __future__ import annotations

from typing import Any

import pytest

TOGETHER = {
    "tests/integration/test_permissions.py": "Kueue",
    "tests/integration/test_queues.py": "Kueue",
    "tests/component/third_backend/test_third_service.py": "a third service",
}
"""Files whose tests share a control plane with definitions that no other test has, and what it has."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give tests to workers by these groups."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - runs without workers lack it

    class ByGroup(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    return ByGroup(config, log)


def group(test: str) -> str:
    """Return what a test shares with all others of its group; its own name if there are none."""
    file = test.partition("::")[0]
    return TOGETHER.get(file, test)
