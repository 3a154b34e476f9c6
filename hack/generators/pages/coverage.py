"""coverage.md: the field of a manifest for every key of oracle-ads YAML and every field that the APIs create from."""

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
from ocijobs.api.coverage_data_flow import (
    ADS_DATA_FLOW,
    ADS_DATA_FLOW_RUNTIME,
    CREATE_APPLICATION_DETAILS,
    CREATE_RUN_DETAILS,
)

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
    sections = [
        _INTRODUCTION,
        "## YAML of oracle-ads",
        "### `infrastructure.spec`, of type `dataScienceJob`",
        _table("Key", ADS_INFRASTRUCTURE),
        "### `infrastructure.spec`, of type `dataFlow`",
        _table("Key", ADS_DATA_FLOW),
    ]
    for name, keys in {**ADS_RUNTIMES, "dataFlow": ADS_DATA_FLOW_RUNTIME}.items():
        sections += [f"### `runtime.spec`, of type `{name}`", _table("Key", keys)]
    sections += [
        "## `CreateJobDetails` of the Data Science API",
        _table("Field", CREATE_JOB_DETAILS),
        "## `CreateApplicationDetails` of the Data Flow API",
        _table("Field", CREATE_APPLICATION_DETAILS),
        "## `CreateRunDetails` of the Data Flow API",
        _table("Field", CREATE_RUN_DETAILS, kind="OCIJobRun"),
    ]
    source = "operator/ocijobs/api/coverage.py and coverage_data_flow.py"
    body = page("From oracle-ads and the API", source, *sections)
    return (File(path=REFERENCE / "coverage.md", text=body),)


def _table(head: str, covered: Covered, *, kind: str = "OCIJob") -> str:
    rows = [
        (code(name), text(value.reason) if isinstance(value, Unset) else code(f"spec.{value}"))
        for name, value in covered.items()
    ]
    return table((head, f"In an {kind}"), rows)
