"""What every kind of test may ask for."""

import pytest
from tests.support.patience import patience

# The fixtures `cluster` (a real control plane, started when the first test wants it), `namespace` and `definitions`;
# `kueue` is another one, with Kueue.
pytest_plugins = [
    "kubecontrolplane.testing",
    "tests.support.costs",
    "tests.support.emulators",
    "tests.support.fetching",
    "tests.support.launching",
    "tests.support.profiles",
    "tests.support.scheduling",
    "tests.support.stages",
    "tests.support.kueue",
]


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Stretch the timeout of a test as the waits in it are."""
    if config.option.timeout is None:
        config.option.timeout = patience(float(config.getini("timeout")))
