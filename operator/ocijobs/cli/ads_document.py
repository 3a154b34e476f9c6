"""A job of oracle-ads as a document: its two parts, and what it has no keys for."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.api.shared.environment import EnvVar
from ocijobs.cli.ads_keys import INFRASTRUCTURES, RUNTIMES, to_keys, unsaid
from ocijobs.cli.document_keys import Spec, cleaned
from ocijobs.cli.manifests import Document


@dataclass(frozen=True, slots=True)
class Part:
    """Infrastructure or runtime: its type, and its keys."""

    type: str
    spec: Spec

    def document(self, kind: str) -> Document:
        """Return the part as ADS has it."""
        return {"kind": kind, "type": self.type, "spec": cleaned(self.spec)}


def job_document(name: str, infrastructure: Part, runtime: Part) -> Document:
    """Return the job."""
    return {
        "kind": "job",
        "spec": {
            "name": name,
            "infrastructure": infrastructure.document("infrastructure"),
            "runtime": runtime.document("runtime"),
        },
    }


def tags_of(spec: OCIJobSpec) -> Spec:
    """Return the tags, which ADS has in the infrastructure or in the runtime."""
    return {
        "freeformTags": dict(spec.freeform_tags or {}),
        "definedTags": {name: dict(tags) for name, tags in (spec.defined_tags or {}).items()},
    }


def with_values(variables: Iterable[EnvVar], remarks: list[str]) -> tuple[EnvVar, ...]:
    """Return the variables that have a value of their own: ADS has no others."""
    kept = []
    for variable in variables:
        if variable.value is None:
            remarks.append(
                f"spec.env[{variable.name}].valueFrom: ADS has no references; set a value"
            )
        else:
            kept.append(variable)
    return tuple(kept)


_SAID_OTHERWISE = frozenset({"displayName", "runtime.git.codeDir"})
"""Fields that have no keys of their own: the name of the job, and where other paths begin."""


def parts_of_job(
    spec: OCIJobSpec,
    infrastructure: Part,
    runtime: Part,
    remarks: list[str],
    *,
    said_otherwise: Collection[str] = (),
) -> tuple[Part, Part]:
    """Return the two parts with all keys: those that need a conversion are given, and the others are copied.

    Args:
        spec: of the OCIJob.
        infrastructure: its type, and keys.
        runtime: likewise.
        remarks: fields that are given and that ADS has no keys for are told there.
        said_otherwise: paths of fields of which that is not so.
    """
    keys = INFRASTRUCTURES[infrastructure.type], RUNTIMES[runtime.type]
    silent = _SAID_OTHERWISE | set(said_otherwise)
    remarks.extend(
        f"spec.{path}: ADS can't say this; left out"
        for path in unsaid(spec, *keys)
        if path not in silent
    )
    document = spec.document()
    return (
        Part(infrastructure.type, to_keys(keys[0], document, infrastructure.spec | tags_of(spec))),
        Part(runtime.type, to_keys(keys[1], document, runtime.spec)),
    )
