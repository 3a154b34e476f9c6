"""Outputs and results that the driver saves, in a real Object Storage protocol."""

import json
import sys
from pathlib import Path

import pytest
from tests.unit.artifact.conftest import Bucket
from tests.unit.artifact.driver_process import DriverFolder, Ended

PYTHON = (sys.executable, "-I")
"""A Python that has the package oci, as a conda environment has."""

_SAVE = """
from pathlib import Path
for name in ('a.txt', 'deep/b.txt', 'empty'):
    path = Path('outputs', name)
    path.parent.mkdir(exist_ok=True)
    path.write_text('' if name == 'empty' else name)
"""
_RESULTS = (
    "import json\nprint(json.dumps({'ocijobs.io/results': {'auc': 0.93, 'note': 'größe'}}))\n"
)


def _run(bucket: Bucket, folder: Path, code: str, prefix: str = "x/$(JOB_RUN_OCID)") -> Ended:
    driver = DriverFolder(folder / "job", {"main.py": code}, outputs={"uri": bucket.uri(prefix)})
    return driver.run(python=PYTHON, environment=bucket.environment)


def test_files_and_results_are_saved_under_the_prefix(bucket: Bucket, tmp_path: Path) -> None:
    ended = _run(bucket, tmp_path, _SAVE + _RESULTS)
    assert ended.code == 0
    names = ["a.txt", "deep/b.txt", "empty", "results.json"]
    assert bucket.names() == [f"x/ocid1.run.1/{name}" for name in names]
    assert bucket.content("x/ocid1.run.1/deep/b.txt") == b"deep/b.txt"
    assert bucket.content("x/ocid1.run.1/empty") == b""
    assert json.loads(bucket.content("x/ocid1.run.1/results.json")) == {
        "jobRunId": "ocid1.run.1",
        "results": {"auc": "0.93", "note": "größe"},
    }
    assert f"ocijobs: saved {bucket.uri('x/ocid1.run.1/a.txt')}" in ended.errors.splitlines()


def test_later_lines_replace_earlier_values_of_the_same_name(
    bucket: Bucket, tmp_path: Path
) -> None:
    code = "\n".join(
        f"print('{{\"ocijobs.io/results\": {values}}}')"
        for values in ('{"auc": 0.5, "steps": 1}', '{"auc": 0.930}', '["not valid"]')
    )
    _run(bucket, tmp_path, code)
    document = json.loads(bucket.content("x/ocid1.run.1/results.json"))
    assert document["results"] == {"auc": "0.930", "steps": "1"}


def test_nothing_is_saved_where_there_is_nothing(bucket: Bucket, tmp_path: Path) -> None:
    assert _run(bucket, tmp_path, "print('done')").code == 0
    assert bucket.names() == []


@pytest.mark.parametrize(
    ("end", "code"), [("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 9)", 137)]
)
def test_outputs_are_saved_after_a_failure_too(
    bucket: Bucket, tmp_path: Path, end: str, code: int
) -> None:
    assert _run(bucket, tmp_path, f"{_SAVE}{_RESULTS}{end}", prefix="").code == code
    assert bucket.names() == ["a.txt", "deep/b.txt", "empty", "results.json"]


@pytest.mark.parametrize(("end", "code"), [("", 74), ("raise SystemExit(3)", 3)])
def test_one_file_that_is_not_saved_hinders_no_other_and_fails_the_run(
    bucket: Bucket, tmp_path: Path, end: str, code: int
) -> None:
    bucket.emulator.add_fault("PutObject", status=400, code="InvalidParameter", count=1)
    ended = _run(bucket, tmp_path, _SAVE + _RESULTS + end, prefix="")
    assert ended.code == code
    assert bucket.names() == ["deep/b.txt", "empty", "results.json"]
    assert f"ocijobs: not saved {bucket.uri('a.txt')}: " in ended.errors


def test_results_that_are_not_saved_fail_the_run(bucket: Bucket, tmp_path: Path) -> None:
    bucket.emulator.add_fault("PutObject", status=400, code="InvalidParameter")
    ended = _run(bucket, tmp_path, _RESULTS)
    assert ended.code == 74
    assert "ocijobs: results not saved: " in ended.errors


def test_a_file_with_the_name_of_the_results_is_not_lost_silently(
    bucket: Bucket, tmp_path: Path
) -> None:
    ended = _run(
        bucket, tmp_path, "open('outputs/results.json', 'w').write('mine')\n" + _RESULTS, prefix=""
    )
    assert ended.code == 74
    assert "rename it: the results that were printed are saved under this name" in ended.errors
    assert json.loads(bucket.content("results.json"))["results"]["auc"] == "0.93"


def test_such_a_file_is_an_output_like_others_where_no_results_are_printed(
    bucket: Bucket, tmp_path: Path
) -> None:
    ended = _run(bucket, tmp_path, "open('outputs/results.json', 'w').write('mine')", prefix="")
    assert ended.code == 0
    assert bucket.content("results.json") == b"mine"


def test_variables_in_the_address_are_replaced_as_in_a_pod(bucket: Bucket, tmp_path: Path) -> None:
    code = "open('outputs/a', 'w').write('')"
    assert _run(bucket, tmp_path, code, prefix="$(JOB_RUN_OCID)/$(NOT_THERE)/$$(HOME)").code == 0
    assert bucket.names() == ["ocid1.run.1/$(NOT_THERE)/$(HOME)/a"]


def test_an_address_has_no_query_and_no_fragment(bucket: Bucket, tmp_path: Path) -> None:
    code = "open('outputs/a', 'w').write('')"
    assert _run(bucket, tmp_path, code, prefix="why?/issue#7/").code == 0
    assert bucket.names() == ["why?/issue#7/a"]


def test_outputs_are_relative_to_the_working_directory(bucket: Bucket, tmp_path: Path) -> None:
    driver = DriverFolder(
        tmp_path / "job",
        {"work/main.py": "open('out/a', 'w').write('')"},
        python={"working_dir": "work"},
        outputs={"path": "out", "uri": bucket.uri("")},
    )
    ended = driver.run(python=PYTHON, environment=bucket.environment)
    assert ended.code == 0
    assert bucket.names() == ["a"]


def test_no_access_to_object_storage_is_said_before_the_code_starts(tmp_path: Path) -> None:
    driver = DriverFolder(
        tmp_path / "job", {"main.py": "print('started')"}, outputs={"uri": "oci://models@team/x"}
    )
    ended = driver.run(python=PYTHON, environment={"HOME": str(tmp_path)})
    assert ended.code == 78
    assert ended.output == ""
    assert "ocijobs: spec.outputs: no access to OCI: ConfigFileNotFound: " in ended.errors


def test_a_package_oci_that_can_not_be_imported_is_said_before_the_code_starts(
    tmp_path: Path,
) -> None:
    (tmp_path / "oci.py").write_text("raise AttributeError('broken build')")
    driver = DriverFolder(
        tmp_path / "job", {"main.py": "print('started')"}, outputs={"uri": "oci://models@team/x"}
    )
    ended = driver.run(python=(sys.executable,), environment={"PYTHONPATH": str(tmp_path)})
    assert ended.code == 78
    assert ended.output == ""
    assert "ocijobs: spec.outputs: no access to OCI: AttributeError: broken build" in ended.errors
