"""YAML of oracle-ads as manifests.

The keys are those that `ads.jobs.Job.from_yaml` takes (oracle-ads 2.16); docs/reference/coverage.md has the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ocijobs.api import kinds
from ocijobs.cli.ads_document import Part
from ocijobs.cli.ads_import_data_flow import RUNTIMES as DATA_FLOW_RUNTIMES
from ocijobs.cli.ads_import_data_flow import on_data_flow
from ocijobs.cli.ads_import_data_science import RUNTIMES as DATA_SCIENCE_RUNTIMES
from ocijobs.cli.ads_import_data_science import on_data_science
from ocijobs.cli.document_keys import Spec, in_order, mapping
from ocijobs.cli.environment import references_from_ads
from ocijobs.cli.manifests import Document, InputError, manifest, object_name

_INFRASTRUCTURES: Mapping[
    str, tuple[tuple[str, ...], Callable[[Spec, Part, Path, list[str]], Spec]]
] = {
    "dataScienceJob": (tuple(DATA_SCIENCE_RUNTIMES), on_data_science),
    "dataFlow": (DATA_FLOW_RUNTIMES, on_data_flow),
}
"""By the infrastructure's type: the types of its runtimes, and what makes a spec of the two."""


def imported(document: Document, folder: Path, remarks: list[str]) -> Document:
    """Return the OCIJob of a job of ADS.

    Args:
        document: the job.
        folder: what relative paths of code are relative to.
        remarks: what people should know, such as keys that have no meaning here.

    Raises:
        InputError: if it is no job, or of a type that there is not.
    """
    if document.get("kind") != "job":
        raise InputError(f"kind: is {document.get('kind')!r}, and `job` is wanted")
    spec = document.get("spec") or {}
    infrastructure = _part(spec, "infrastructure", tuple(_INFRASTRUCTURES))
    runtimes, described = _INFRASTRUCTURES[infrastructure.type]
    runtime = _part(spec, "runtime", runtimes)
    parts = (infrastructure.spec, runtime.spec)
    name = spec.get("name") or "job"
    job: Spec = {
        "displayName": references_from_ads(str(name)) if object_name(name) != name else None,
        "freeformTags": _both(parts, "freeformTags"),
        "definedTags": _both(parts, "definedTags"),
        **described(infrastructure.spec, runtime, folder, remarks),
    }
    ocid = spec.get("id") or infrastructure.spec.get("id")
    if ocid:
        remarks.append(f"spec.id: {ocid}: set spec.adopt.ocid to keep that OCI job")
    return manifest(kinds.JOB, object_name(name), in_order(job))


def _both(parts: tuple[Spec, Spec], name: str) -> Spec:
    """Return what both parts have under a name; what the second has wins."""
    first, second = (mapping(part, name) for part in parts)
    return {**first, **second}


def _part(spec: Mapping[str, Any], name: str, types: tuple[str, ...]) -> Part:
    part = spec.get(name)
    if not isinstance(part, Mapping):
        raise InputError(f"spec.{name}: is missing")
    kind = part.get("type")
    if kind not in types:
        raise InputError(f"spec.{name}.type: {kind!r} is not one of {', '.join(types)}")
    return Part(str(kind), mapping(part, "spec"))
