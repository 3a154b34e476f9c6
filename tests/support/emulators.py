"""A pytest plugin: local OCIs that tests have one after the other, each as if fresh."""

from collections.abc import Iterator

import pytest
from tests.support.container_engine import stand_in_engine

from oci_emulator.testing import EmulatorPool


@pytest.fixture(scope="session")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorPool]:
    """Local OCIs with a stand-in for a container engine."""
    folder = tmp_path_factory.mktemp("emulators")
    engine = str(stand_in_engine(folder / "engine"))
    with EmulatorPool(folder, engine=engine) as pool:
        yield pool
