"""The three distributions: each is complete by itself, and all have one version and one licence."""

import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

import pytest
import yaml

from kubecontrolplane.binaries import SETS
from kubecontrolplane.build import Pins
from ocijobs import __version__

ROOT = Path(__file__).parents[3]
PROJECTS = {"oci-jobs-operator": ".", "oci-emulator": "emulator", "kubecontrolplane": "cluster"}


@dataclass(frozen=True, slots=True)
class Distribution:
    """What was built of one project: a wheel and a source distribution."""

    name: str
    folder: Path

    @property
    def wheel(self) -> Path:
        """The wheel."""
        [path] = self.folder.glob("*.whl")
        return path

    @property
    def sources(self) -> Path:
        """The source distribution."""
        [path] = self.folder.glob("*.tar.gz")
        return path

    def installed(self, name: str) -> bytes:
        """A file of the wheel, by the end of its path."""
        with zipfile.ZipFile(self.wheel) as archive:
            [path] = [each for each in archive.namelist() if each.endswith(name)]
            return archive.read(path)

    def source(self, name: str) -> bytes:
        """A file of the source distribution, by its path in it."""
        with tarfile.open(self.sources) as archive:
            file = archive.extractfile(f"{self.sources.name.removesuffix('.tar.gz')}/{name}")
            assert file is not None
            return file.read()

    def metadata(self) -> Message:
        """What the wheel says of itself."""
        return BytesParser().parsebytes(self.installed(".dist-info/METADATA"))


def _build(project: Path, into: Path, *options: str) -> None:
    subprocess.run(
        [Path(sys.executable).with_name("hatchling"), "build", "--directory", into, *options],
        cwd=project,
        check=True,
        capture_output=True,
    )


@pytest.fixture(scope="module", params=PROJECTS)
def distribution(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Distribution:
    """What is built of a project in this tree."""
    folder = tmp_path_factory.mktemp(request.param)
    _build(ROOT / PROJECTS[request.param], folder)
    return Distribution(request.param, folder)


def test_the_licence_is_in_what_is_given_to_others(distribution: Distribution) -> None:
    """The Apache License wants it (section 4). The copies in the folders of the projects are the same, too."""
    licence = (ROOT / "LICENSE").read_bytes()
    assert distribution.installed(".dist-info/licenses/LICENSE") == licence
    assert distribution.source("LICENSE") == licence
    assert distribution.metadata()["License-Expression"] == "Apache-2.0"


def test_all_have_the_version_that_the_operator_says(distribution: Distribution) -> None:
    assert distribution.metadata()["Version"] == __version__


def test_the_chart_has_the_version_that_the_operator_says() -> None:
    """By appVersion the chart chooses the image."""
    chart = yaml.safe_load((ROOT / "helm" / "oci-jobs-operator" / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)


def test_it_says_what_it_is_and_where_it_runs(distribution: Distribution) -> None:
    metadata = distribution.metadata()
    assert metadata["Author"] == "The OCI Jobs Operator authors"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Keywords"]
    assert metadata.get_all("Project-URL")
    classifiers = metadata.get_all("Classifier", [])
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13)} <= set(
        classifiers
    )
    assert "Typing :: Typed" in classifiers
    assert distribution.installed("/py.typed") == b""


def test_a_wheel_can_be_built_of_the_sources_alone(
    distribution: Distribution, tmp_path: Path
) -> None:
    """Without the rest of the repository, where the version is written."""
    with tarfile.open(distribution.sources) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    [project] = (tmp_path / "unpacked").iterdir()
    _build(project, tmp_path / "again", "--target", "wheel")
    again = Distribution(distribution.name, tmp_path / "again")
    with zipfile.ZipFile(distribution.wheel) as first, zipfile.ZipFile(again.wheel) as second:
        assert sorted(second.namelist()) == sorted(first.namelist())
    assert again.metadata()["Version"] == __version__


@pytest.mark.parametrize("distribution", ["kubecontrolplane"], indirect=True)
def test_an_installed_control_plane_brings_its_pins(
    distribution: Distribution, tmp_path: Path
) -> None:
    with zipfile.ZipFile(distribution.wheel) as archive:
        archive.extractall(tmp_path)  # noqa: S202 - what was built just now
    program = (
        "from kubecontrolplane.binaries import *; from kubecontrolplane.build import Pins\n"
        "print(*(Pins.of(each).version(each.binaries[-1].module) for each in SETS.values()))\n"
        "print(Pins.of(CONTROL_PLANE).directory, Pins.is_source_tree())\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    versions, where = said.splitlines()
    assert versions.split() == [
        Pins.of(each).version(each.binaries[-1].module) for each in SETS.values()
    ]
    assert where == f"{tmp_path / 'kubecontrolplane' / 'gomodules'} False"
