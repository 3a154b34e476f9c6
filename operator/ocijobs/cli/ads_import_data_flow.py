"""A job of oracle-ads on Data Flow, as a manifest has it.

ADS writes out some defaults, which OCIJobs don't have, and leaves others to Data Flow. Of the two configurations it
sends the runtime's; of the variables, those that are properties of Spark.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ocijobs.backends.oci_fields import Unset
from ocijobs.cli.ads_document import Part
from ocijobs.cli.ads_keys import INFRASTRUCTURES, Keys, to_fields
from ocijobs.cli.ads_keys import RUNTIMES as KEYS
from ocijobs.cli.ads_source import source_of
from ocijobs.cli.document_keys import Spec, chosen, cleaned, mapping, words
from ocijobs.cli.environment import literal, text_of, variables_from_ads
from ocijobs.cli.spark_properties import (
    AUTH,
    DEFAULT_AUTH,
    take_dynamic_allocation,
    take_variables,
)

RUNTIMES = ("dataFlow",)
"""Types of runtimes that ADS has for Data Flow."""

_SPARK_VERSION = "3.2.1"
_SHAPE = "VM.Standard.E3.Flex"
_SIZE = {"ocpus": 1, "memoryInGBs": 16}
_IN_INFRASTRUCTURE = "spec.infrastructure.spec"
_IN_RUNTIME = "spec.runtime.spec"


def on_data_flow(infrastructure: Spec, runtime: Part, folder: Path, remarks: list[str]) -> Spec:
    """Return what the spec of an OCIJob says of infrastructure and runtime."""
    given = runtime.spec
    _remark_on_rest(_IN_INFRASTRUCTURE, infrastructure, INFRASTRUCTURES["dataFlow"], remarks)
    _remark_on_rest(_IN_RUNTIME, given, KEYS["dataFlow"], remarks)
    properties = _properties(infrastructure, given, remarks)
    variables = take_variables(properties, remarks)
    named = [v for v in variables_from_ads(given.get("env")) if v["name"] not in variables]
    described: Spec = {
        "infrastructure": {
            "dataFlow": cleaned(
                {
                    **_machines(infrastructure, remarks),
                    "dynamicAllocation": take_dynamic_allocation(properties),
                    "sparkConfiguration": properties,
                    "artifactBucketUri": _bucket(given, remarks),
                }
            )
        },
        "runtime": {"spark": _spark(given, infrastructure.get("language"), folder, remarks)},
        # Those of ADS may refer to the others, which refer to nothing.
        "env": [*({"name": n, "value": literal(v)} for n, v in variables.items()), *named],
        "args": [literal(item) for item in words(given.get("args"))],
    }
    # One of the service can't be had.
    copied = given if _is_published(given, remarks) else given | {"conda": None}
    to_fields(INFRASTRUCTURES["dataFlow"], infrastructure, described)
    to_fields(KEYS["dataFlow"], copied, described)
    return described


def _remark_on_rest(place: str, given: Spec, keys: Keys, remarks: list[str]) -> None:
    """Tell of keys that no field of a manifest says."""
    for key in given:
        said = keys.get(key, Unset("oracle-ads has no such key."))
        if isinstance(said, Unset):
            remarks.append(f"{place}.{key}: left out: {said.reason}")


def _machines(given: Spec, remarks: list[str]) -> Spec:
    """Return Spark and its machines, with what ADS takes where it is told nothing."""

    def told(key: str, default: str) -> str:
        if given.get(key):
            return str(given[key])
        remarks.append(f"{_IN_INFRASTRUCTURE}.{key}: is missing: {default}, as oracle-ads takes it")
        return default

    machines: Spec = {"sparkVersion": told("sparkVersion", _SPARK_VERSION)}
    for machine in ("driver", "executor"):
        shape, size = f"{machine}Shape", f"{machine}ShapeConfig"
        machines[shape] = told(shape, _SHAPE)
        machines[size] = chosen(mapping(given, size), "ocpus", "memoryInGBs")
        if machines[shape].endswith(".Flex") and None in machines[size].values():
            machines[size] = {**_SIZE, **cleaned(machines[size])}
            remarks.append(
                f"{_IN_INFRASTRUCTURE}.{size}: oracle-ads leaves the size to Data Flow, an OCIJob says "
                f"it: ocpus {machines[size]['ocpus']}, memoryInGBs {machines[size]['memoryInGBs']}"
            )
        machines[size] = cleaned(machines[size])
    if _alike(machines):
        del machines["executorShape"], machines["executorShapeConfig"]
    return machines


def _alike(machines: Mapping[str, object]) -> bool:
    """Whether executors are as the driver, which is a manifest's default."""
    return (
        machines["driverShape"] == machines["executorShape"]
        and machines["driverShapeConfig"] == machines["executorShapeConfig"]
    )


def _properties(infrastructure: Spec, runtime: Spec, remarks: list[str]) -> dict[str, str]:
    """Return all properties; `dataflow.auth` only where it is not what an OCIJob has by default."""
    place = f"{_IN_INFRASTRUCTURE}.configuration"
    configurations = [mapping(part, "configuration") for part in (infrastructure, runtime)]
    remarks.extend(
        f"{place}: {key}: oracle-ads sends the runtime's configuration alone; it counts here"
        for key in configurations[0]
        if key not in configurations[1]
    )
    properties = {k: text_of(v) for given in configurations for k, v in given.items()}
    if runtime.get("conda"):
        properties.setdefault(AUTH, str(runtime.get("condaAuthType") or DEFAULT_AUTH))
    if AUTH not in properties:
        remarks.append(
            f"{_IN_RUNTIME}.configuration: has no {AUTH}: runs of an OCIJob have the rights of a "
            f"resource principal, unless infrastructure.dataFlow.sparkConfiguration says otherwise"
        )
    elif properties[AUTH] == DEFAULT_AUTH:
        del properties[AUTH]
    return properties


def _bucket(runtime: Spec, remarks: list[str]) -> str | None:
    bucket = str(runtime.get("scriptBucket") or "")
    if bucket and not bucket.startswith("oci://"):
        remarks.append(
            f"{_IN_RUNTIME}.scriptBucket: {bucket} has no namespace: set "
            f"infrastructure.dataFlow.artifactBucketUri to oci://{bucket}@NAMESPACE"
        )
        return None
    return bucket or None


def _spark(runtime: Spec, language: object, folder: Path, remarks: list[str]) -> Spec:
    if language in {"SCALA", "JAVA"}:
        remarks.append(
            "spec.runtime.spec: oracle-ads has no key for the main class: set "
            "runtime.spark.className"
        )
    archive = str(runtime.get("archiveUri") or "")
    if archive and not archive.startswith("oci://"):
        remarks.append(
            f"{_IN_RUNTIME}.archiveUri: {archive} is a file of yours: put it into Object Storage, "
            "and set runtime.spark.archiveUri to its oci:// URI"
        )
        archive = ""
    return cleaned({**source_of(runtime, folder, remarks), "archiveUri": archive or None})


def _is_published(runtime: Spec, remarks: list[str]) -> bool:
    """Whether the conda environment is one that Data Flow can have."""
    conda = mapping(runtime, "conda")
    if conda and conda.get("type") != "published":
        remarks.append(
            f"{_IN_RUNTIME}.conda: Data Flow has no environments of the service: publish it, and "
            "set runtime.spark.conda"
        )
        return False
    return True
