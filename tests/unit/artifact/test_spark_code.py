"""What the files of a Spark source become: the file that is run, modules, and jars."""

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.artifact.build import BuiltArtifact, build_artifact
from ocijobs.artifact.files import Files, SourceError

FLEX = {"driver_shape": "VM.Standard2.1", "spark_version": "3.5.0"}


def _spec(language: str = "PYTHON", **runtime: object) -> OCIJobSpec:
    spark = {"source": {"inline": {"main.py": "x"}}, **runtime}
    return OCIJobSpec.model_validate(
        {
            "infrastructure": {"data_flow": {**FLEX, "language": language}},
            "runtime": {"spark": spark},
        }
    )


def _built(folder: Path, files: Files, spec: OCIJobSpec | None = None) -> BuiltArtifact:
    built = build_artifact("job", spec or _spec(), files, folder / "artifact.zip")
    assert built is not None
    return built


def _objects(built: BuiltArtifact) -> dict[str, bytes]:
    with zipfile.ZipFile(built.path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_single_file_is_one_object(tmp_path: Path) -> None:
    built = _built(tmp_path, {"main.py": b"print(1)"})
    assert (built.name, built.libraries) == ("main.py", ())
    assert _objects(built) == {"main.py": b"print(1)"}


def test_modules_of_python_are_an_archive_that_python_imports_from(tmp_path: Path) -> None:
    files = {"jobs/main.py": b"import words", "words/__init__.py": b"", "words/count.py": b"N = 1"}
    built = _built(tmp_path, files, _spec(entrypoint="jobs/main.py"))
    assert (built.name, built.libraries) == ("jobs/main.py", ("modules.zip",))
    with zipfile.ZipFile(io.BytesIO(_objects(built)["modules.zip"])) as modules:
        assert modules.namelist() == ["words/__init__.py", "words/count.py"]


def test_jars_go_along_as_they_are(tmp_path: Path) -> None:
    files = {"app.jar": b"PK1", "lib/connector.jar": b"PK2", "README.md": b"read me"}
    spec = _spec("SCALA", class_name="org.example.Main", entrypoint="app.jar")
    built = _built(tmp_path, files, spec)
    assert (built.name, built.libraries) == ("app.jar", ("lib/connector.jar",))
    assert _objects(built) == {"app.jar": b"PK1", "lib/connector.jar": b"PK2"}


def test_a_session_has_no_code(tmp_path: Path) -> None:
    spec = OCIJobSpec.model_validate(
        {"infrastructure": {"data_flow": {**FLEX, "type": "SESSION"}}, "runtime": {"spark": {}}}
    )
    assert build_artifact("job", spec, {}, tmp_path / "artifact.zip") is None


@pytest.mark.parametrize(
    ("files", "spec", "message"),
    [
        ({}, _spec(), "spec.runtime.spark.source: has no files"),
        (
            {"a.py": b"", "b.py": b""},
            _spec(),
            "spec.runtime.spark.entrypoint: name the file that is run, one of a.py, b.py",
        ),
        (
            {"main.py": b""},
            _spec(entrypoint="other.py"),
            "spec.runtime.spark.entrypoint: the source has no file other.py; it has main.py",
        ),
        (
            {"main.py": b""},
            _spec("SQL"),
            "spec.runtime.spark.entrypoint: main.py must end with .sql",
        ),
        (
            {f"{number}.jar": b"" for number in range(65)},
            _spec("JAVA", class_name="Main", entrypoint="0.jar"),
            "spec.runtime.spark.source: has 64 jars beside the code, and 63 are allowed: put them into one",
        ),
    ],
)
def test_what_can_not_be_run_is_refused(
    tmp_path: Path, files: Files, spec: OCIJobSpec, message: str
) -> None:
    with pytest.raises(SourceError) as refused:
        build_artifact("job", spec, files, tmp_path / "artifact.zip")
    assert message in str(refused.value)


@settings(max_examples=20)
@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,4}\.(py|jar|txt)", fullmatch=True), st.binary(max_size=20)
    )
)
def test_the_same_files_are_the_same_artifact(
    tmp_path_factory: pytest.TempPathFactory, others: dict[str, bytes]
) -> None:
    files = {**others, "main.py": b"print(1)"}
    spec = _spec(entrypoint="main.py")
    first = _built(tmp_path_factory.mktemp("first"), files, spec)
    again = _built(tmp_path_factory.mktemp("again"), dict(reversed(files.items())), spec)
    assert (first.sha256, first.libraries) == (again.sha256, again.libraries)
    changed = _built(tmp_path_factory.mktemp("changed"), {**files, "main.py": b"print(2)"}, spec)
    assert changed.sha256 != first.sha256
