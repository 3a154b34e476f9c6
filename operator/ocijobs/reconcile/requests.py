"""What is sent to OCI, as data: the fields of CreateJobDetails and CreateJobRunDetails that we use.

`cloud/` turns these into the SDK's models; nothing is decided there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ocijobs.api.infrastructure import DataScienceJobInfrastructure
from ocijobs.reconcile.remote import LogAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class JobConfiguration:
    """DefaultJobConfigurationDetails: what the code is started with.

    OCI takes the block whole, so it is always sent complete. Values may be secret: they are not in `repr`.
    """

    environment_variables: Mapping[str, str] = field(repr=False)
    command_line_arguments: str | None = field(repr=False)
    maximum_runtime_in_minutes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfiguration:
    """JobLogConfigurationDetails of a job whose output is kept: a given log, or one made for each run."""

    log_group_id: str
    log_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """Tags of a resource, our own two included."""

    freeform: Mapping[str, str]
    defined: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettings:
    """What UpdateJobDetails can change in place."""

    display_name: str
    description: str | None
    infrastructure: DataScienceJobInfrastructure
    tags: Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """CreateJobDetails."""

    compartment_id: str
    project_id: str
    settings: JobSettings
    configuration: JobConfiguration
    log: LogConfiguration | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """CreateJobRunDetails. No configuration means that the run takes the job's as it is."""

    compartment_id: str
    project_id: str
    job_id: str
    display_name: str
    tags: Tags
    configuration: JobConfiguration | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """The output of one run: `log` is None while OCI has not told which log it is."""

    run_id: str
    compartment_id: str
    log: LogAddress
