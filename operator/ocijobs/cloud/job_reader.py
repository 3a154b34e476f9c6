"""One OCI job, read with a configuration file of OCI: for the command line."""

from __future__ import annotations

from pathlib import Path

import oci

from ocijobs.cloud.data_science_readings import job_request_of
from ocijobs.cloud.refusals import FAILURES, refusal_of
from ocijobs.cloud.resource_fields import UnknownTypeError
from ocijobs.reconcile.requests import JobRequest


class JobUnreadableError(Exception):
    """The job can't be read; the message says why."""


def read_job(ocid: str, config: Path | None, profile: str, endpoint: str | None) -> JobRequest:
    """Return what would make the same OCI job, its code excepted.

    Args:
        ocid: of the OCI job.
        config: configuration file; by default that of the OCI command line.
        profile: of the file.
        endpoint: of the Data Science API, instead of the region's own.

    Raises:
        JobUnreadableError: if OCI does not tell of it.
    """
    path = str(config) if config is not None else oci.config.DEFAULT_LOCATION
    try:
        settings = oci.config.from_file(path, profile)
    except (oci.exceptions.ClientError, oci.exceptions.InvalidConfig, ValueError) as error:
        raise JobUnreadableError(f"{path}, profile {profile}: {error}") from error
    options = {"service_endpoint": endpoint} if endpoint is not None else {}
    client = oci.data_science.DataScienceClient(settings, **options)
    try:
        return job_request_of(client.get_job(ocid).data)
    except FAILURES as error:
        raise JobUnreadableError(refusal_of(error).message) from error
    except UnknownTypeError as error:
        raise JobUnreadableError(f"{error} is not known here") from error
