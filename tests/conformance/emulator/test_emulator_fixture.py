"""The fixture factory that other projects' tests use."""

from oci_emulator.testing import Emulator, emulator_fixture

simulator = emulator_fixture(scope="module", mode="simulated", rules={"default_page_size": 5})


def test_the_fixture_is_a_running_emulator(simulator: Emulator) -> None:
    assert simulator.rules()["default_page_size"] == 5
    assert simulator.control("GET", "mode")["mode"] == "simulated"


def test_it_is_the_same_one_in_its_scope(simulator: Emulator) -> None:
    assert simulator.control("GET", "health")["pid"] == simulator.pid
