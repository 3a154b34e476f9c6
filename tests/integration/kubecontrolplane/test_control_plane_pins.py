"""The checked-in pins are what `kubecontrolplane repin` writes, and an installed copy has them."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from kubecontrolplane.binaries import CONTROL_PLANE, SETS, BinarySet
from kubecontrolplane.build import Pins
from kubecontrolplane.repin import repin

pytestmark = pytest.mark.breadth

ROOT = Path(__file__).parents[3]


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


def test_a_wheel_brings_its_pins(tmp_path: Path) -> None:
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"),
            *("--no-build-isolation", "--wheel-dir", str(tmp_path), str(ROOT / "cluster")),
        ],
        check=True,
    )
    [wheel] = tmp_path.glob("kubecontrolplane-*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    program = (
        "from kubecontrolplane.binaries import *; from kubecontrolplane.build import Pins\n"
        "print(*(Pins.of(each).version(each.binaries[-1].module) for each in SETS.values()))\n"
        "print(Pins.of(CONTROL_PLANE).directory, Pins.is_source_tree())\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program],
        cwd=installed,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    versions, where = said.splitlines()
    assert versions.split() == [
        Pins.of(each).version(each.binaries[-1].module) for each in SETS.values()
    ]
    assert where == f"{installed / 'kubecontrolplane' / 'gomodules'} False"
