"""`kubectl ocijobs import` and `export`: what oracle-ads writes becomes a manifest, and YAML that it reads the same."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from tests.conformance.clients.conftest import ENVIRONMENT
from tests.support.patience import patience

from oci_emulator.testing import Emulator
from ocijobs.api.job.spec import OCIJob
from ocijobs.cli.__main__ import main
from ocijobs.cli.ads_keys import INFRASTRUCTURES
from ocijobs.cli.ads_keys import RUNTIMES as KEYS

pytestmark = [pytest.mark.breadth, pytest.mark.timeout(700)]

PROGRAM = Path(__file__).parent / "programs" / "ads_yaml.py"
RUNTIMES = (
    "script",
    "single",
    "python",
    "notebook",
    "gitPython",
    "container",
    "pyTorchDistributed",
    "dataFlow",
    "stored",
)


def ads(*arguments: str, home: Path) -> str:
    ended = subprocess.run(
        [str(ENVIRONMENT / "bin" / "python"), str(PROGRAM), *arguments],
        env={"PATH": os.defpath, "HOME": str(home), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=patience(300),
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def home(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a configuration: ADS makes a client of Data Flow to read its YAML, and calls nothing."""
    folder = tmp_path_factory.mktemp("home")
    (folder / ".oci").mkdir()
    (folder / ".oci" / "config").symlink_to(emulator.config)
    return folder


@pytest.fixture(scope="module")
def written(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the YAML of a job of every runtime, as oracle-ads writes it, and with the jobs' code."""
    folder = tmp_path_factory.mktemp("ads")
    files = {
        "project/run.sh": "echo $1\n",
        "project/src/main.py": "def train(): pass\n",
        "project/lib/tools.py": "X = 1\n",
        "train.py": "print(1)\n",
        "explore.ipynb": '{"cells": []}',
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    ads("write", str(folder), home=home)
    return folder


def said(*arguments: str) -> Any:
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return yaml.safe_load(result.stdout)


def understood(path: Path, home: Path) -> Any:
    """Return what oracle-ads makes of a file."""
    return json.loads(ads("read", str(path), home=home).splitlines()[-1])


@pytest.mark.parametrize("kind", RUNTIMES)
def test_a_job_of_ads_comes_back_as_it_was(
    written: Path, home: Path, tmp_path: Path, kind: str
) -> None:
    document = said("import", str(written / f"{kind}.yaml"))
    meta = {**document["metadata"], "creationTimestamp": "2026-01-01T00:00:00Z"}
    OCIJob.model_validate({**document, "metadata": meta})
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(yaml.safe_dump(document))
    exported = said("export", str(manifest), "--code", str(tmp_path / "code"))
    path = tmp_path / "exported.yaml"
    path.write_text(yaml.safe_dump(exported))
    before, after = understood(written / f"{kind}.yaml", home), understood(path, home)
    assert _comparable(after) == _comparable(before)
    again = said("import", str(path))
    assert _without_code(again) == _without_code(document)


def _comparable(job: dict[str, Any]) -> dict[str, Any]:
    """Return what a job says, apart from where its code lies and from what ADS fills in."""
    runtime = dict(job["runtime"]["spec"])
    infrastructure = dict(job["infrastructure"]["spec"])
    tops = {"project", "train-python", "train-script"}
    for key in ("scriptPathURI", "notebookPathURI"):
        if key in runtime:
            runtime[key] = "somewhere"
    for key in ("entrypoint", "workingDir"):
        value = runtime.get(key)
        if isinstance(value, str):
            parts = value.split("/")
            runtime[key] = "/".join(["top", *parts[1:]] if parts[0] in tops else parts)
    infrastructure.pop("jobInfrastructureType", None)
    infrastructure.pop("jobType", None)
    # Tags are the job's, whichever of the two places they are given in.
    for place in (runtime, infrastructure):
        place.pop("freeformTags", None), place.pop("definedTags", None)
    runtime["env"] = sorted(runtime.get("env", ()), key=lambda v: v["name"])
    return {"runtime": runtime, "infrastructure": infrastructure, "name": job["name"]}


def _without_code(document: dict[str, Any]) -> dict[str, Any]:
    (runtime,) = document["spec"]["runtime"].values()
    kept = {
        key: value
        for key, value in runtime.items()
        if key not in {"source", "entrypoint", "workingDir", "pythonPath"}
    }
    return document | {"spec": document["spec"] | {"runtime": kept}}


def test_every_key_of_ads_has_a_field_of_the_manifest_or_a_reason(tmp_path: Path) -> None:
    keys = json.loads(ads("keys", home=tmp_path).splitlines()[-1])
    assert set(keys.pop("dataScienceJob")) - INFRASTRUCTURES["dataScienceJob"].keys() == set()
    assert set(keys.pop("infrastructure of Data Flow")) == INFRASTRUCTURES["dataFlow"].keys()
    assert set(keys.pop("dataFlow")) == KEYS["dataFlow"].keys()
    assert {name: set(found) - KEYS[name].keys() for name, found in keys.items()} == {
        name: set() for name in KEYS if name != "dataFlow"
    }
