"""An application of Data Flow as the manifest of a job that is like it.

It is not adopted: Data Flow lets anybody change the code of an application, so the operator makes one of its own, of a
copy of the code as it is now.
"""

from __future__ import annotations

from ocijobs.api import kinds
from ocijobs.backends.data_flow.requests import ApplicationRequest, SparkMachine
from ocijobs.backends.requests import Tags
from ocijobs.cli.document_keys import Spec, cleaned
from ocijobs.cli.environment import literal
from ocijobs.cli.manifests import Document, manifest, object_name
from ocijobs.cli.spark_properties import (
    AUTH,
    DEFAULT_AUTH,
    take_dynamic_allocation,
    take_variables,
)

_TAGS = frozenset({"ocijobs_owner", "ocijobs_name"})
_OF_ORACLE = "Oracle-Tags"
"""Defined tags that OCI sets by itself."""


def _tags(tags: Tags) -> Document:
    """Return the tags that people gave: neither ours nor those of Oracle."""
    defined = tags.defined.items()
    return {
        "freeformTags": {k: v for k, v in tags.freeform.items() if k not in _TAGS},
        "definedTags": {name: dict(given) for name, given in defined if name != _OF_ORACLE},
    }


def application_manifest(request: ApplicationRequest, remarks: list[str]) -> Document:
    """Return the OCIJob that makes what the application is."""
    settings, spark = request.settings, request.settings.spark
    properties = dict(spark.configuration or {})
    variables = take_variables(properties, remarks)
    if AUTH not in properties:
        remarks.append(
            f"configuration: has no {AUTH}: runs of an OCIJob have the rights of a resource principal, "
            "unless infrastructure.dataFlow.sparkConfiguration says otherwise"
        )
    elif properties[AUTH] == DEFAULT_AUTH:
        del properties[AUTH]
    remarks.append(
        "the application stays as it is: this job makes another, with a copy of its code"
    )
    return manifest(
        kinds.JOB,
        object_name(settings.display_name),
        {
            "compartmentId": request.compartment_id,
            "displayName": settings.display_name,
            "description": settings.description,
            **_tags(settings.tags),
            "infrastructure": {"dataFlow": _machines(request, properties)},
            "runtime": {"spark": _code(request)},
            "env": [{"name": name, "value": literal(value)} for name, value in variables.items()],
            "args": [literal(argument) for argument in spark.arguments or ()],
            "maximumRuntimeInMinutes": spark.max_duration_in_minutes,
        },
    )


def _machines(request: ApplicationRequest, properties: dict[str, str]) -> Spec:
    code, spark = request.settings.code, request.settings.spark
    log = spark.log
    executor = spark.executor if spark.executor != spark.driver else None
    return cleaned(
        {
            "sparkVersion": code.spark_version,
            "type": request.type.value,
            "language": code.language.value,
            "driverShape": spark.driver.shape,
            "driverShapeConfig": _size(spark.driver),
            "executorShape": executor.shape if executor is not None else None,
            "executorShapeConfig": _size(executor) if executor is not None else None,
            "numExecutors": spark.num_executors,
            "dynamicAllocation": take_dynamic_allocation(properties),
            "sparkConfiguration": properties,
            "poolId": spark.pool_id,
            "privateEndpointId": code.private_endpoint_id,
            "metastoreId": spark.metastore_id,
            "warehouseBucketUri": spark.warehouse_bucket_uri,
            "logsBucketUri": spark.logs_bucket_uri,
            "applicationLogConfig": {"logGroupId": log.log_group_id, "logId": log.log_id}
            if log is not None
            else None,
            "idleTimeoutInMinutes": spark.idle_timeout_in_minutes,
        }
    )


def _code(request: ApplicationRequest) -> Spec:
    code, spark = request.settings.code, request.settings.spark
    source = {"objectStorage": {"uri": code.file_uri}} if code.file_uri else None
    parameters = (spark.parameters or {}).items()
    return cleaned(
        {
            "source": source,
            "className": code.class_name,
            "archiveUri": spark.archive_uri,
            "parameters": [{"name": name, "value": value} for name, value in parameters],
        }
    )


def _size(machine: SparkMachine) -> Spec | None:
    if machine.ocpus is None:
        return None
    return {"ocpus": machine.ocpus, "memoryInGBs": machine.memory_in_gbs}
