"""The SDK's model of an application as our request: what would make the same one. Nothing is decided here."""

from __future__ import annotations

from typing import Any

from ocijobs.api.job.machines.data_flow import ApplicationType, SparkLanguage
from ocijobs.backends.data_flow.requests import (
    ApplicationCode,
    ApplicationRequest,
    ApplicationSettings,
    SparkMachine,
    SparkSettings,
)
from ocijobs.backends.records import LogAddress
from ocijobs.cloud.resource_fields import UnknownTypeError, tags_of


def application_request_of(application: Any) -> ApplicationRequest:
    """Return the request that would make the Application: it has all fields, so none that may be empty is None.

    Raises:
        UnknownTypeError: if it was made of a command for spark-submit, which has all the rest in it.
        ValueError: if its type or language came after this operator.
    """
    if application.execute:
        raise UnknownTypeError("an application of a command for spark-submit (execute)")
    return ApplicationRequest(
        compartment_id=application.compartment_id,
        type=ApplicationType(application.type or ApplicationType.BATCH),
        settings=ApplicationSettings(
            display_name=application.display_name or "",
            description=application.description or None,
            tags=tags_of(application),
            code=ApplicationCode(
                language=SparkLanguage(application.language),
                spark_version=application.spark_version,
                file_uri=application.file_uri,
                class_name=application.class_name,
                private_endpoint_id=application.private_endpoint_id,
            ),
            spark=_spark(application),
        ),
    )


def _spark(application: Any) -> SparkSettings:
    return SparkSettings(
        driver=_machine(application.driver_shape, application.driver_shape_config),
        executor=_machine(application.executor_shape, application.executor_shape_config),
        num_executors=application.num_executors,
        configuration=application.configuration or {},
        parameters={each.name: each.value for each in application.parameters or ()},
        arguments=tuple(application.arguments or ()),
        archive_uri=application.archive_uri or None,
        logs_bucket_uri=application.logs_bucket_uri or None,
        warehouse_bucket_uri=application.warehouse_bucket_uri or None,
        metastore_id=application.metastore_id or None,
        pool_id=application.pool_id or None,
        log=log_of(application),
        max_duration_in_minutes=application.max_duration_in_minutes,
        idle_timeout_in_minutes=application.idle_timeout_in_minutes,
    )


def _machine(shape: str, size: Any) -> SparkMachine:
    if size is None:
        return SparkMachine(shape=shape)
    return SparkMachine(shape=shape, ocpus=size.ocpus, memory_in_gbs=size.memory_in_gbs)


def log_of(resource: Any) -> LogAddress | None:
    """Return the log of an application or a run; a summary has none, and half an address is none."""
    log = getattr(resource, "application_log_config", None)
    if log is None or not log.log_group_id or not log.log_id:
        return None
    return LogAddress(log_group_id=log.log_group_id, log_id=log.log_id)
