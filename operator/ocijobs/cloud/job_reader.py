"""Reads one OCI job with a configuration file of OCI, for the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ocijobs.api.shared.backend import BackendName
from ocijobs.backends.oci_fields import UnknownTypeError
from ocijobs.backends.registry import UnknownBackendError, backend_of
from ocijobs.backends.requests import JobCreation
from ocijobs.cloud.data_flow_models import application_content
from ocijobs.cloud.data_science_models import job_content
from ocijobs.cloud.refusals import failures, refusal_of
from ocijobs.cloud.sdk import oci


class JobUnreadableError(Exception):
    """The job can't be read; the message says why."""


def read_job(ocid: str, config: Path | None, profile: str, endpoint: str | None) -> JobCreation:
    """Return the request that would make the same OCI job, without its code.

    Args:
        ocid: of the OCI job, or of an application of Data Flow.
        config: configuration file; by default that of the OCI command line.
        profile: of the file.
        endpoint: of the service's API, instead of the region's own.

    Raises:
        JobUnreadableError: if OCI does not return it.
    """
    path = str(config) if config is not None else oci.config.DEFAULT_LOCATION
    try:
        settings = oci.config.from_file(path, profile)
    except (oci.exceptions.ClientError, oci.exceptions.InvalidConfig, ValueError) as error:
        raise JobUnreadableError(f"{path}, profile {profile}: {error}") from error
    options = {"service_endpoint": endpoint} if endpoint is not None else {}
    try:
        read = READERS[backend_of(ocid).name]
        return read(ocid, settings, options)
    except UnknownBackendError as error:
        raise JobUnreadableError(str(error)) from error
    except failures() as error:
        raise JobUnreadableError(refusal_of(error).message) from error
    except UnknownTypeError as error:
        raise JobUnreadableError(f"{error} is not known here") from error


def _job(ocid: str, settings: Any, options: Mapping[str, str]) -> JobCreation:
    client = oci.data_science.DataScienceClient(settings, **options)
    return job_content(client.get_job(ocid).data)


def _application(ocid: str, settings: Any, options: Mapping[str, str]) -> JobCreation:
    client = oci.data_flow.DataFlowClient(settings, **options)
    return application_content(client.get_application(ocid).data)


READERS: Mapping[str, Callable[[str, Any, Mapping[str, str]], JobCreation]] = {
    BackendName.DATA_SCIENCE: _job,
    BackendName.DATA_FLOW: _application,
}
"""Reads a job of each backend."""
