"""What is sent to Data Flow, as data. `cloud/data_flow_models.py` makes the SDK's models of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ocijobs.api.job.machines.data_flow import ApplicationType, SparkLanguage
from ocijobs.backends.records import LogAddress
from ocijobs.backends.requests import Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkMachine:
    """Shape of a driver or an executor; the size is of a flexible one."""

    shape: str
    ocpus: float | None = None
    memory_in_gbs: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkSettings:
    """What an application says of its runs that a run may be sent instead.

    Data Flow takes each field whole: a configuration replaces a configuration. What is None is left as it is. The
    configuration has the variables in it, which may be secret: it is not in `repr`.
    """

    driver: SparkMachine
    executor: SparkMachine
    num_executors: int
    configuration: Mapping[str, str] | None = field(repr=False)
    parameters: Mapping[str, str] | None
    arguments: tuple[str, ...] | None = field(repr=False)
    archive_uri: str | None = None
    logs_bucket_uri: str | None = None
    warehouse_bucket_uri: str | None = None
    metastore_id: str | None = None
    pool_id: str | None = None
    log: LogAddress | None = None
    max_duration_in_minutes: int | None = None
    idle_timeout_in_minutes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationCode:
    """What an application says of its runs that no run can be sent instead (CreateRunDetails).

    Each is of one revision, so it changes only where others have changed it. `file_uri` is None of a session.
    """

    language: SparkLanguage
    spark_version: str
    file_uri: str | None
    class_name: str | None
    private_endpoint_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationSettings:
    """UpdateApplicationDetails: all that Data Flow changes in place."""

    display_name: str
    description: str | None
    tags: Tags
    code: ApplicationCode
    spark: SparkSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationRequest:
    """CreateApplicationDetails."""

    compartment_id: str
    type: ApplicationType
    settings: ApplicationSettings

    @property
    def project_id(self) -> str | None:
        """None: applications are in no project."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationRunRequest:
    """CreateRunDetails of an application's run; without `spark` all is as the application has it."""

    compartment_id: str
    job_id: str
    display_name: str
    tags: Tags
    spark: SparkSettings | None
