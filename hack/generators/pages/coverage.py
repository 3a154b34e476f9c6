"""coverage.md: the field of an OCIJob for every key of oracle-ads YAML and every field of CreateJobDetails."""

from __future__ import annotations

from generators.files import REFERENCE, File
from generators.markdown import code, page, table, text
from ocijobs.api.coverage import (
    ADS_INFRASTRUCTURE,
    ADS_RUNTIMES,
    CREATE_JOB_DETAILS,
    Covered,
    Unset,
)

_INTRODUCTION = """\
Where what you know from oracle-ads, or from the Data Science API, is in an OCIJob: the field of its `spec`. What no
field sets has its reason. `kubectl ocijobs import` does the translation of a YAML file of ADS, and `export` the way
back.

ADS counts some paths from the working directory, and puts a folder's own name before the files in it; an OCIJob counts
all paths from the root of the code."""


def files() -> tuple[File, ...]:
    """Return the page."""
    sections = [
        _INTRODUCTION,
        "## YAML of oracle-ads",
        "### `infrastructure.spec`, of type `dataScienceJob`",
        _table("Key", ADS_INFRASTRUCTURE),
    ]
    for name, keys in ADS_RUNTIMES.items():
        sections += [f"### `runtime.spec`, of type `{name}`", _table("Key", keys)]
    sections += ["## `CreateJobDetails` of the API", _table("Field", CREATE_JOB_DETAILS)]
    body = page("From oracle-ads and the API", "operator/ocijobs/api/coverage.py", *sections)
    return (File(path=REFERENCE / "coverage.md", text=body),)


def _table(head: str, covered: Covered) -> str:
    rows = [
        (code(name), text(value.reason) if isinstance(value, Unset) else code(f"spec.{value}"))
        for name, value in covered.items()
    ]
    return table((head, "In an OCIJob"), rows)
