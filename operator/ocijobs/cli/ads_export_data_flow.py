"""An OCIJob on Data Flow, as oracle-ads has it.

ADS sends the runtime's configuration alone, and no variables: these are properties in it. It fills no references in,
and has no parameters: their values are written out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from ocijobs.api.job.machines.data_flow import DataFlowInfrastructure
from ocijobs.api.job.runtimes.spark import SparkRuntime
from ocijobs.api.job.source import Source
from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.backends.environment import expand, resolve
from ocijobs.backends.values import NO_VALUES
from ocijobs.cli.ads_document import Part, parts_of_job, with_values
from ocijobs.cli.ads_source import located
from ocijobs.cli.document_keys import Spec
from ocijobs.cli.spark_properties import AUTH, DEFAULT_AUTH, of_dynamic_allocation, of_variables

_PLACE = "spec.infrastructure.dataFlow"
_CODE = (".py", ".jar", ".sql")
_AS_PROPERTIES_AND_ARGUMENTS = (
    "infrastructure.dataFlow.dynamicAllocation",
    "runtime.spark.entrypoint",
    "runtime.spark.parameters",
)


def to_data_flow(
    spec: OCIJobSpec,
    machines: DataFlowInfrastructure,
    runtime: SparkRuntime,
    code: Path,
    remarks: list[str],
) -> tuple[Part, Part]:
    """Return infrastructure and runtime of ADS; inline files are written to the folder `code`."""
    variables = resolve(with_values(spec.env, remarks), NO_VALUES)
    parameters = {each.name: each.value for each in runtime.parameters}
    keys = {
        "scriptPathURI": _script(runtime, code, remarks),
        "scriptBucket": machines.artifact_bucket_uri,
        "archiveUri": runtime.archive_uri,
        "configuration": _configuration(runtime, machines, variables),
        "args": [_filled(expand(arg, variables), parameters) for arg in spec.args],
    }
    if runtime.conda is not None:
        keys["condaAuthType"] = machines.spark_configuration.get(AUTH, DEFAULT_AUTH)
    parts = parts_of_job(
        spec,
        Part("dataFlow", _machines(machines)),
        Part("dataFlow", keys),
        remarks,
        said_otherwise=_AS_PROPERTIES_AND_ARGUMENTS,
    )
    _remark(machines, runtime, keys, remarks)
    return parts


def _machines(machines: DataFlowInfrastructure) -> Spec:
    given = machines.document()
    driver = (machines.driver_shape, given.get("driverShapeConfig"))
    executor = (machines.executor_shape, given.get("executorShapeConfig"))
    # ADS has a shape of its own for executors that are told none.
    shape, size = executor if machines.executor_shape is not None else driver
    return {
        "sparkVersion": machines.spark_version,
        "driverShape": driver[0],
        "driverShapeConfig": driver[1],
        "executorShape": shape,
        "executorShapeConfig": size,
    }


def _script(runtime: SparkRuntime, code: Path, remarks: list[str]) -> str | None:
    """Return the file that is run: ADS has no others."""
    source = runtime.source
    if source is None:
        return None
    uri = str(located(source, code, remarks)[0]["scriptPathURI"])
    if source.inline is not None:
        files = sorted(source.inline)
        entrypoint = runtime.entrypoint or files[0]
        if len(files) > 1:
            _remark_on_others(f"{len(files) - 1} other files of {code}", remarks)
        return str(code / entrypoint)
    if _is_one_file(source):
        return uri
    _remark_on_others(f"what else is in {uri}", remarks)
    return f"{uri.rstrip('/')}/{runtime.entrypoint}" if runtime.entrypoint else uri


def _is_one_file(source: Source) -> bool:
    if source.object_storage is not None:
        return source.object_storage.uri.endswith(_CODE)
    return source.http is not None and source.http.url.endswith(_CODE)


def _remark_on_others(files: str, remarks: list[str]) -> None:
    remarks.append(
        f"spec.runtime.spark.source: ADS takes the one file that is run: put {files} into an "
        "archive for archiveUri"
    )


def _configuration(
    runtime: SparkRuntime, machines: DataFlowInfrastructure, variables: Mapping[str, str]
) -> dict[str, str]:
    properties = {AUTH: DEFAULT_AUTH, **machines.spark_configuration}
    if runtime.conda is not None:
        # It is condaAuthType.
        del properties[AUTH]
    if machines.dynamic_allocation is not None:
        properties |= of_dynamic_allocation(machines.dynamic_allocation)
    return {**properties, **of_variables(variables)}


def _filled(argument: str, parameters: Mapping[str, str]) -> str:
    """Return an argument with the values of parameters, as Data Flow would fill them in."""
    return re.sub(
        r"\$\{([A-Za-z0-9_]+)\}", lambda m: parameters.get(m.group(1), m.group(0)), argument
    )


def _remark(
    machines: DataFlowInfrastructure, runtime: SparkRuntime, keys: Spec, remarks: list[str]
) -> None:
    if runtime.parameters:
        remarks.append(
            "spec.runtime.spark.parameters: ADS has none: their values are in the arguments"
        )
    script = keys["scriptPathURI"]
    if script is None:
        remarks.append("spec.runtime.spark.source: is missing, and ADS needs one")
    elif not script.startswith("oci://") and not machines.artifact_bucket_uri:
        remarks.append(
            f"{_PLACE}.artifactBucketUri: is missing: ADS needs scriptBucket for code that is not "
            "in Object Storage"
        )
