"""The contracts about imports bite: imports that point the wrong way break each of them."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGES = ("operator/ocijobs", "emulator/oci_emulator", "cluster/kubecontrolplane")

# Contract -> a module, and the import in it that the contract forbids.
WRONG_WAYS = {
    "Imports point one way": (
        "operator/ocijobs/reconcile/backoff.py",
        "from ocijobs.kube import client",
    ),
    "Backends don't know each other": (
        "operator/ocijobs/backends/data_flow/fields.py",
        "from ocijobs.backends.data_science import compute",
    ),
    "Decisions about one kind know nothing of those about another": (
        "operator/ocijobs/reconcile/run/pod_sets.py",
        "from ocijobs.reconcile.job import place",
    ),
    "What comes from outside is the fetcher's to handle": (
        "operator/ocijobs/controller/sources.py",
        "from ocijobs.artifact import archives",
    ),
    "The emulator's imports point one way": (
        "emulator/oci_emulator/state/content.py",
        "from oci_emulator.conduct import lags",
    ),
    "The emulator's services build on each other one way": (
        "emulator/oci_emulator/services/secrets/store.py",
        "from oci_emulator.services.objectstorage import table",
    ),
    "The operator, the emulator and the control plane don't know each other": (
        "operator/ocijobs/testing/clock.py",
        "import oci_emulator.conduct.rules",
    ),
    "Decisions have no IO, no clock and no logging": (
        "operator/ocijobs/reconcile/run/decide.py",
        "import logging",
    ),
    "Cron knows nothing of the operator": (
        "operator/ocijobs/cron/fields.py",
        "from ocijobs.api import kinds",
    ),
    "kopf only watches": ("operator/ocijobs/controller/worker.py", "import kopf"),
    "OCI's SDK only in cloud": (
        "operator/ocijobs/controller/worker.py",
        "import oci",
    ),
    "Kubernetes' client only in kube": (
        "operator/ocijobs/controller/worker.py",
        "import kubernetes",
    ),
}


def test_every_contract_has_an_import_here_that_breaks_it() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert set(WRONG_WAYS) == {contract["name"] for contract in settings["contracts"]}


def test_imports_that_point_the_wrong_way_break_their_contracts(tmp_path: Path) -> None:
    """Each contract tells of the one line that is against it, and of no other."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    expected = {}
    for contract, (module, line) in WRONG_WAYS.items():
        path = tmp_path / module
        lines = [*path.read_text().splitlines(), line]
        path.write_text("\n".join(lines) + "\n")
        expected[contract] = [(path.stem, len(lines))]
    assert _violations(tmp_path) == expected


def _violations(folder: Path) -> dict[str, list[tuple[str, int]]]:
    """What import-linter tells of each broken contract: the importing module's last name, and the line."""
    folders = os.pathsep.join(str((folder / package).parent) for package in PACKAGES)
    checked = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": folders, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 1, checked.stdout
    _, _, told = checked.stdout.partition("Broken contracts\n----------------\n")
    # Contracts are headings, underlined.
    _, *parts = re.split(r"^(\S.*)\n-+\n", told, flags=re.MULTILINE)
    return {
        contract: [
            (importer, int(line))
            for importer, line in re.findall(r"(\w+) ->\s+\S+\s+\(l\.(\d+)\)", details)
        ]
        for contract, details in zip(parts[::2], parts[1::2], strict=True)
    }
