"""What holds of the whole repository."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
REQUIREMENTS = ROOT / "requirements"


def test_the_source_root_hides_no_module_of_python() -> None:
    """operator/ holds the package alone: with an __init__.py it would shadow the standard library's module."""
    assert {path.name for path in (ROOT / "operator").iterdir()} - {"__pycache__"} == {"ocijobs"}
    code = "import operator; print(operator.itemgetter(1)('ab'))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "b\n"


@pytest.mark.parametrize("path", sorted(REQUIREMENTS.glob("*.txt")), ids=lambda path: path.name)
def test_every_requirement_is_pinned_by_hash_and_names_no_host(path: Path) -> None:
    text = path.read_text()
    assert "://" not in text
    assert "index-url" not in text
    pinned = re.findall(r"^[A-Za-z0-9].*$", text, re.MULTILINE)
    assert pinned
    for line in pinned:
        assert re.match(r"[A-Za-z0-9_.\[\]-]+==\S+ (; .+ )?\\$", line), line
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)


def _versions(name: str) -> dict[str, str]:
    text = (REQUIREMENTS / name).read_text()
    return dict(re.findall(r"^([A-Za-z0-9_.-]+)(?:\[.*?\])?==(\S+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", ["operator.txt", "build.txt"])
def test_the_image_has_the_versions_that_are_tested(name: str) -> None:
    tested = _versions("dev.txt")
    assert {package: tested.get(package) for package in _versions(name)} == _versions(name)


def _instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split()[0], line.partition(" ")[2]) for line in lines]


def test_the_image_is_built_from_one_base_and_runs_as_a_number() -> None:
    bases = [rest.split()[0] for name, rest in _instructions() if name == "FROM"]
    assert set(bases) == {"${BASE_IMAGE}"}
    [user] = [rest for name, rest in _instructions() if name == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)


def test_the_image_installs_nothing_that_is_not_pinned_by_hash() -> None:
    installs = [
        command
        for name, rest in _instructions()
        if name == "RUN"
        for command in rest.split("&&")
        if "pip install" in command or "pip wheel" in command
    ]
    assert installs
    for command in installs:
        assert "--require-hashes" in command or "--no-deps" in command, command


def test_the_builder_is_sent_what_the_image_copies() -> None:
    allowed = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    copied = {
        source
        for name, rest in _instructions()
        if name == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    }
    assert copied == allowed
    assert all((ROOT / path).exists() for path in copied)
