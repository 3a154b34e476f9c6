"""What a Spark job's application says, by the fields of the manifest: for telling where two are not alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ocijobs.backends.data_flow.application import DRIVER_VARIABLE, EXECUTOR_VARIABLE
from ocijobs.backends.data_flow.requests import ApplicationCode, SparkMachine, SparkSettings

_WHERE = "infrastructure.dataFlow"
_NOTHING = "-"


def spark_fields(spark: SparkSettings) -> Iterator[tuple[str, Any]]:
    """Yield the fields that Data Flow changes in place, with their values; what is None stays as it is there."""
    yield from _machine("driverShape", spark.driver)
    yield from _machine("executorShape", spark.executor)
    yield f"{_WHERE}.numExecutors", spark.num_executors
    for name, value in (spark.configuration or {}).items():
        yield _property(name), value
    for name, value in (spark.parameters or {}).items():
        yield f"runtime.spark.parameters[{name}]", value
    yield "args", None if spark.arguments is None else spark.arguments or _NOTHING
    yield "runtime.spark.archiveUri", spark.archive_uri
    yield f"{_WHERE}.logsBucketUri", spark.logs_bucket_uri
    yield f"{_WHERE}.warehouseBucketUri", spark.warehouse_bucket_uri
    yield f"{_WHERE}.metastoreId", spark.metastore_id
    yield f"{_WHERE}.poolId", spark.pool_id
    log = spark.log
    yield f"{_WHERE}.applicationLogConfig", (log.log_group_id, log.log_id) if log else None
    yield "maximumRuntimeInMinutes", spark.max_duration_in_minutes
    yield f"{_WHERE}.idleTimeoutInMinutes", spark.idle_timeout_in_minutes


def code_fields(code: ApplicationCode) -> Iterator[tuple[str, Any]]:
    """Yield the fields that are the revision's, with their values: others may change them all the same."""
    yield f"{_WHERE}.language", code.language.value
    yield f"{_WHERE}.sparkVersion", code.spark_version
    yield f"{_WHERE}.privateEndpointId", code.private_endpoint_id
    yield "runtime.spark.className", code.class_name
    yield "runtime.spark.source", code.file_uri


def _machine(field: str, machine: SparkMachine) -> Iterator[tuple[str, Any]]:
    yield f"{_WHERE}.{field}", machine.shape
    if machine.ocpus is not None:
        yield f"{_WHERE}.{field}Config.ocpus", machine.ocpus
        yield f"{_WHERE}.{field}Config.memoryInGBs", machine.memory_in_gbs


def _property(name: str) -> str:
    """Return the field of a property: those of variables are the job's variables, whose values are not shown."""
    for prefix in (DRIVER_VARIABLE, EXECUTOR_VARIABLE):
        if name.startswith(prefix):
            return f"env[{name.removeprefix(prefix)}]"
    return f"{_WHERE}.sparkConfiguration[{name}]"
