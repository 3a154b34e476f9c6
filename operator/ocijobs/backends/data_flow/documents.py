"""Requests to Data Flow as the JSON of its API, and an Application's JSON as the request that would make the same one.

What needs more than a copy; the fields are declared in `requests`. Source: the Data Flow API 20200129,
CreateApplicationDetails and CreateRunDetails.
"""

from __future__ import annotations

from ocijobs.api.job.machines.data_flow import ApplicationType
from ocijobs.backends.data_flow.requests import (
    ApplicationCode,
    ApplicationRequest,
    ApplicationRunRequest,
    ApplicationSettings,
    SparkMachine,
    SparkSettings,
)
from ocijobs.backends.documents import Document, at, decoded, encoded
from ocijobs.backends.oci_fields import UnknownTypeError
from ocijobs.backends.records import LogAddress
from ocijobs.backends.requests import Tags


def application_document(request: ApplicationRequest) -> Document:
    """Return CreateApplicationDetails."""
    return {**encoded(request), **_settings(request.settings)}


def application_update_document(settings: ApplicationSettings) -> Document:
    """Return UpdateApplicationDetails, with an empty description for none, so that what was removed goes."""
    return {**_settings(settings), "description": settings.description or ""}


def application_run_document(request: ApplicationRunRequest) -> Document:
    """Return CreateRunDetails of an application's run."""
    spark = _spark(request.spark) if request.spark is not None else {}
    return {**encoded(request), **encoded(request.tags), **spark}


def _settings(settings: ApplicationSettings) -> Document:
    return {
        **encoded(settings),
        **encoded(settings.tags),
        **encoded(settings.code),
        **_spark(settings.spark),
    }


def _spark(spark: SparkSettings) -> Document:
    """Return the fields that applications, their updates and runs have alike; what is None is not sent."""
    document = {
        **encoded(spark.driver),
        **encoded(spark.executor, placed=of_executor),
        **encoded(spark),
    }
    if spark.parameters is not None:
        pairs = spark.parameters.items()
        document["parameters"] = [{"name": name, "value": value} for name, value in pairs]
    return document


def of_executor(path: str) -> str:
    """Return where executors have what is declared of the driver."""
    return path.replace("driver", "executor")


def application_request_of(application: object) -> ApplicationRequest:
    """Return the request that would make an Application: it has all fields, so no map or list in it is None.

    Raises:
        UnknownTypeError: if it was made of a command for spark-submit, which has all the rest in it.
        ValueError: if its type or language came after this operator; the message names it.
    """
    if at(application, "execute"):
        raise UnknownTypeError("an application of a command for spark-submit (execute)")
    settings = decoded(
        ApplicationSettings,
        application,
        tags=decoded(Tags, application),
        code=decoded(ApplicationCode, application),
        spark=_spark_of(application),
    )
    kind = ApplicationType(str(at(application, "type") or ApplicationType.BATCH))
    return decoded(ApplicationRequest, application, type=kind, settings=settings)


def _spark_of(application: object) -> SparkSettings:
    parameters = at(application, "parameters")
    return decoded(
        SparkSettings,
        application,
        driver=decoded(SparkMachine, application),
        executor=decoded(SparkMachine, application, placed=of_executor),
        parameters={
            str(at(each, "name")): at(each, "value")
            for each in (parameters if isinstance(parameters, list) else ())
        },
        log=log_of(application),
    )


def log_of(resource: object) -> LogAddress | None:
    """Return the log of an application or a run; a summary has none, and half an address is none."""
    group, log = (at(resource, f"applicationLogConfig.{name}") for name in ("logGroupId", "logId"))
    if not isinstance(group, str) or not isinstance(log, str) or not group or not log:
        return None
    return LogAddress(log_group_id=group, log_id=log)
