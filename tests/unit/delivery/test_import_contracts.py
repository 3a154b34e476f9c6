"""The contracts about imports bite: an import that points the wrong way is named."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("operator/ocijobs", "emulator/oci_emulator", "cluster/kubecontrolplane")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the packages and of the contracts."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    return tmp_path


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        (
            "operator/ocijobs/reconcile/pacing.py",
            "from ocijobs.kube import client",
            "Imports point one way",
        ),
        (
            "operator/ocijobs/testing/clock.py",
            "import oci_emulator.rules",
            "don't know each other",
        ),
        (
            "operator/ocijobs/reconcile/run/decide.py",
            "import logging",
            "Decisions have no IO",
        ),
        ("operator/ocijobs/controller/worker.py", "import kopf", "kopf only watches"),
        ("operator/ocijobs/controller/worker.py", "import oci", "OCI's SDK only in cloud"),
        (
            "operator/ocijobs/controller/worker.py",
            "import kubernetes",
            "Kubernetes' client only in kube",
        ),
    ],
)
def test_an_import_that_points_the_wrong_way_breaks_its_contract(
    copy: Path, module: str, line: str, contract: str
) -> None:
    path = copy / module
    path.write_text(f"{path.read_text()}\n{line}\n")
    folders = os.pathsep.join(str((copy / package).parent) for package in PACKAGES)
    checked = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": folders},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 1, checked.stdout
    broken = [row for row in checked.stdout.splitlines() if " BROKEN" in row]
    assert [contract in row for row in broken] == [True], checked.stdout
