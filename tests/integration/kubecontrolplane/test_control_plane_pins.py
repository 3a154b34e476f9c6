"""The checked-in pins are what `kubecontrolplane repin` writes. These tests ask the proxy of Go modules."""

import shutil
import subprocess
from pathlib import Path

import pytest

from kubecontrolplane.binaries import CONTROL_PLANE, SETS, BinarySet
from kubecontrolplane.build import Pins
from kubecontrolplane.repin import repin

pytestmark = pytest.mark.breadth


def copy_of(binary_set: BinarySet, directory: Path) -> Pins:
    """The pins of a set, where a test may change them."""
    pins = Pins.of(binary_set)
    for path in (pins.go_mod, pins.go_sum):
        shutil.copy(path, directory)
    return Pins(directory=directory)


def test_pinning_the_same_release_again_changes_nothing(tmp_path: Path) -> None:
    pins, copied = Pins.of(CONTROL_PLANE), copy_of(CONTROL_PLANE, tmp_path)
    # Whatever was chosen by hand is chosen anew.
    copied.go_sum.write_text("")
    repin(copied, pins.version("k8s.io/kubernetes"))
    assert copied.go_mod.read_text() == pins.go_mod.read_text()
    assert copied.go_sum.read_text() == pins.go_sum.read_text()


@pytest.mark.parametrize("name", sorted(SETS))
def test_the_pins_are_tidy(name: str) -> None:
    done = subprocess.run(
        ["go", "mod", "tidy", "-diff"],
        cwd=Pins.of(SETS[name]).directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
