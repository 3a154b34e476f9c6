"""What an artifact is: the same bytes for the same inputs, and a clear word where no code can be run."""

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.artifact.build import build_artifact
from ocijobs.artifact.files import Files, SourceError, sources_digest
from ocijobs.testing import make_job

SOURCE = {"inline": {"main.py": ""}}
CONDA = {"type": "service", "slug": "generalml_p311_cpu_x86_64_v1"}


def script(**fields: Any) -> OCIJobSpec:
    outputs = fields.pop("outputs", None)
    return make_job(runtime={"script": {"source": SOURCE, **fields}}, outputs=outputs).spec


def python(**fields: Any) -> OCIJobSpec:
    return make_job(runtime={"python": {"source": SOURCE, "conda": CONDA, **fields}}).spec


def built(folder: Path, spec: OCIJobSpec, files: Files) -> Path:
    path = folder / "artifact.zip"
    assert build_artifact("train", spec, files, path) is not None
    return path


def entries(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


FILES = {"main.py": b"print(1)", "lib/tools.py": b"\x00\xff", "data.csv": b"1,2\r\n"}


def test_it_holds_the_driver_its_instructions_and_the_code(tmp_path: Path) -> None:
    path = tmp_path / "built"
    artifact = build_artifact("train", script(entrypoint="main.py"), FILES, path)
    assert artifact is not None
    content = entries(path)
    driver = content.pop("ocijobs_driver.py").decode()
    assert "def main() -> int:" in driver
    for name in [name for name in content if name.startswith("ocijobs_") and name.endswith(".py")]:
        del content[name]
    assert json.loads(content.pop("ocijobs_job.json")) == {"entrypoint": "main.py"}
    assert content == {f"code/{name}": data for name, data in FILES.items()}
    assert artifact.name == "train.zip"
    assert artifact.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert artifact.size == path.stat().st_size


def test_the_driver_is_told_all_that_the_runtime_says(tmp_path: Path) -> None:
    spec = make_job(
        runtime={
            "python": {
                "source": SOURCE,
                "conda": CONDA,
                "entrypoint": "main.py",
                "entry_function": "train",
                "working_dir": "lib",
                "python_path": ["lib"],
            }
        },
        outputs={"path": "models", "uri": "oci://models@team/$(JOB_RUN_OCID)"},
    ).spec
    content = entries(built(tmp_path, spec, FILES))
    assert json.loads(content["ocijobs_job.json"]) == {
        "entrypoint": "main.py",
        "python": True,
        "entryFunction": "train",
        "workingDir": "lib",
        "pythonPath": ["lib"],
        "outputs": {"path": "models", "uri": "oci://models@team/$(JOB_RUN_OCID)"},
    }


_BUILD = """
import os, sys, tempfile
from pathlib import Path
os.umask(int(sys.argv[1], 8))
from ocijobs.artifact.build import build_artifact
from ocijobs.artifact.files import sources_digest
from ocijobs.testing import make_job
files = {name: name.encode() * 99 for name in sys.argv[2:]}
spec = make_job(runtime={"script": {"source": {"inline": {"a.py": ""}}, "entrypoint": "a.py"}}).spec
with tempfile.TemporaryDirectory() as folder:
    artifact = build_artifact("job", spec, files, Path(folder) / "built")
print(artifact.sha256, sources_digest(files))
"""


def _built_elsewhere(umask: str, zone: str, seed: str, names: list[str]) -> str:
    environment = {**os.environ, "TZ": zone, "PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": seed}
    command = [sys.executable, "-c", _BUILD, umask, *names]
    return subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True, timeout=60
    ).stdout


def test_it_is_the_same_to_the_byte_wherever_and_whenever_it_is_built() -> None:
    names = ["a.py", "b/c.py", "Z.txt"]
    here = _built_elsewhere("0077", "Pacific/Auckland", "1", names)
    there = _built_elsewhere("0000", "America/New_York", "2", names[::-1])
    assert here == there
    assert len(here.split()) == 2


def test_modes_times_and_compression_are_those_of_no_machine(tmp_path: Path) -> None:
    with zipfile.ZipFile(built(tmp_path, script(entrypoint="main.py"), FILES)) as archive:
        assert archive.namelist() == sorted(archive.namelist())
        for info in archive.infolist():
            assert info.external_attr >> 16 == 0o100644
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert info.compress_type == zipfile.ZIP_STORED
            assert info.create_system == 3


_TREES = st.dictionaries(st.text(max_size=3), st.binary(max_size=3), max_size=4)


@given(_TREES, _TREES)
def test_other_sources_have_another_digest(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    assert (sources_digest(one) == sources_digest(other)) == (one == other)


@given(_TREES, st.randoms())
def test_the_digest_does_not_depend_on_the_order(files: dict[str, bytes], dice: Any) -> None:
    names = list(files)
    dice.shuffle(names)
    assert sources_digest({name: files[name] for name in names}) == sources_digest(files)


@pytest.mark.parametrize(
    ("spec", "files", "message"),
    [
        (script(), {}, "spec.runtime.script.source: has no files"),
        (
            script(),
            {"b.py": b"", "a.py": b""},
            "spec.runtime.script.entrypoint: name the file that is run, one of a.py, b.py",
        ),
        (
            python(entrypoint="train.py"),
            {"b.py": b"", "a.py": b""},
            "spec.runtime.python.entrypoint: the source has no file train.py; it has a.py, b.py",
        ),
        (
            script(),
            {"train.txt": b""},
            "spec.runtime.script.entrypoint: train.txt must end with .py or .sh",
        ),
        (
            python(),
            {"train.sh": b""},
            "spec.runtime.python.entrypoint: train.sh must end with .py",
        ),
        (
            python(working_dir="wor", entrypoint="main.py"),
            {"main.py": b"", "work/a": b""},
            "spec.runtime.python.workingDir: the source has no folder wor",
        ),
        (
            python(python_path=["work", "main.py"], entrypoint="main.py"),
            {"main.py": b"", "work/a": b""},
            "spec.runtime.python.pythonPath: the source has no folder main.py",
        ),
        (
            script(entrypoint="main.py"),
            {"main.py": b"", "lib": b"", "lib/deep/a": b""},
            "spec.runtime.script.source: lib is a file, and a folder of lib/deep/a too",
        ),
        (
            script(outputs={"path": "main.py/out", "uri": "oci://b@n/x"}),
            {"main.py": b""},
            "spec.outputs.path: main.py/out can't be a folder: main.py is a file of the source",
        ),
        (
            script(outputs={"path": "main.py", "uri": "oci://b@n/x"}),
            {"main.py": b""},
            "spec.outputs.path: main.py can't be a folder: main.py is a file of the source",
        ),
    ],
)
def test_a_source_that_can_not_be_run_is_told_with_its_field(
    spec: OCIJobSpec, files: Mapping[str, bytes], message: str, tmp_path: Path
) -> None:
    with pytest.raises(SourceError) as caught:
        build_artifact("train", spec, files, tmp_path / "built")
    assert str(caught.value) == message


def test_of_many_files_only_some_are_listed(tmp_path: Path) -> None:
    files = {f"f{number:03}.py": b"" for number in range(500)}
    with pytest.raises(SourceError) as caught:
        build_artifact("train", script(), files, tmp_path / "built")
    assert "f009.py" in str(caught.value)
    assert "f010.py" not in str(caught.value)


def test_outputs_may_be_put_beside_files_of_the_source(tmp_path: Path) -> None:
    spec = script(outputs={"path": "lib", "uri": "oci://b@n/x"}, entrypoint="main.py")
    assert "ocijobs_job.json" in entries(built(tmp_path, spec, FILES))
