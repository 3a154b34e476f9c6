"""Each dependency is declared by what imports it, and has a line in docs/dependencies.md that says why."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = {
    "pyproject.toml": "operator/ocijobs",
    "emulator/pyproject.toml": "emulator/oci_emulator",
    "cluster/pyproject.toml": "cluster/kubecontrolplane",
}
OWN = {"ocijobs", "oci_emulator", "kubecontrolplane"}
# They run in a job's own environment, or at development time, and say so themselves.
APART = ("operator/ocijobs/artifact/drivers", "emulator/oci_emulator/schema/generate")


def _names(lines: list[str]) -> set[str]:
    found = (re.match(r"[A-Za-z0-9_.-]+", line) for line in lines)
    return {name[0] for name in found if name is not None}


def _required(project_file: str) -> set[str]:
    project = tomllib.loads((ROOT / project_file).read_text())["project"]
    extras = project.get("optional-dependencies", {}).values()
    return _names(project["dependencies"] + [line for extra in extras for line in extra])


def _declared() -> set[str]:
    tools = [
        line
        for name in ("uv.in", "dev.in")
        for line in (ROOT / "requirements" / name).read_text().splitlines()
    ]
    return _names(tools).union(*(_required(path) for path in PACKAGES))


def _explained() -> set[str]:
    text = (ROOT / "docs" / "dependencies.md").read_text()
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", text, re.MULTILINE)
    return {name.strip() for row in rows for name in row.split(",")} - {"package", "---"}


def _imported(package: str) -> set[str]:
    found = set()
    for path in (ROOT / package).rglob("*.py"):
        if path.relative_to(ROOT).as_posix().startswith(APART):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Import(names=names):
                    found |= {name.name.split(".")[0] for name in names}
                case ast.ImportFrom(module=str(module), level=0):
                    found.add(module.split(".")[0])
                case _:
                    pass
    return found - sys.stdlib_module_names - OWN


def _plain(name: str) -> str:
    """Return a distribution's name as package indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("name", sorted(_declared()))
def test_a_dependency_is_explained(name: str) -> None:
    assert name in _explained()


def test_no_line_is_left_of_a_dependency_that_has_gone() -> None:
    assert _explained() - _declared() == set()


@pytest.mark.parametrize(("project_file", "package"), PACKAGES.items())
def test_what_is_imported_is_declared(project_file: str, package: str) -> None:
    distributions = packages_distributions()
    required = {_plain(name) for name in _required(project_file)}
    missing = {
        name
        for name in _imported(package)
        if not required & {_plain(each) for each in distributions.get(name, [name])}
    }
    assert missing == set()
