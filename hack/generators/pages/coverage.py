"""coverage.md: the field of a manifest for every key of oracle-ads YAML and every field that the APIs create from."""

from __future__ import annotations

from generators.files import REFERENCE, File
from generators.markdown import code, page, table, text
from generators.oci_coverage import (
    CREATE_APPLICATION_DETAILS,
    CREATE_JOB_DETAILS,
    CREATE_RUN_DETAILS,
    Covered,
)
from ocijobs.backends.oci_fields import Unset
from ocijobs.cli.ads_keys import INFRASTRUCTURES, RUNTIMES, Converted, Keys

_INTRODUCTION = """\
Where what you know from oracle-ads, or from the APIs of Data Science and Data Flow, is in an OCIJob: the field of its
`spec`. What no field sets has its reason. `kubectl ocijobs import` does the translation of a YAML file of ADS, and
`export` the way back.

ADS counts some paths from the working directory, and puts a folder's own name before the files in it; an OCIJob counts
all paths from the root of the code.

On Data Flow, variables are properties of Spark: `spec.env` sets `spark.driverEnv` and `spark.executorEnv`, which ADS
has in `configuration`. The property `dataflow.auth`, which is `condaAuthType` too, is `resource_principal` unless
`sparkConfiguration` has another."""


def files() -> tuple[File, ...]:
    """Return the page."""
    sections = [_INTRODUCTION, "## YAML of oracle-ads"]
    for part, types in (("infrastructure", INFRASTRUCTURES), ("runtime", RUNTIMES)):
        for name, keys in types.items():
            sections += [f"### `{part}.spec`, of type `{name}`", _table("Key", _paths(keys))]
    sections += [
        "## `CreateJobDetails` of the Data Science API",
        _table("Field", CREATE_JOB_DETAILS),
        "## `CreateApplicationDetails` of the Data Flow API",
        _table("Field", CREATE_APPLICATION_DETAILS),
        "## `CreateRunDetails` of the Data Flow API",
        _table("Field", CREATE_RUN_DETAILS, kind="OCIJobRun"),
    ]
    source = "the requests in operator/ocijobs/backends and from operator/ocijobs/cli/ads_keys.py"
    body = page("From oracle-ads and the API", source, *sections)
    return (File(path=REFERENCE / "coverage.md", text=body),)


def _paths(keys: Keys) -> Covered:
    return {
        key: value.spec if isinstance(value, Converted) else value for key, value in keys.items()
    }


def _table(head: str, covered: Covered, *, kind: str = "OCIJob") -> str:
    rows = [
        (code(name), text(value.reason) if isinstance(value, Unset) else code(f"spec.{value}"))
        for name, value in covered.items()
    ]
    return table((head, f"In an {kind}"), rows)
