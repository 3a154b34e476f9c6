"""Which service a job or a run is of, and what that service is like."""

from __future__ import annotations

from ocijobs.api.job.infrastructure import Infrastructure
from ocijobs.backends.backend import Backend
from ocijobs.backends.data_flow.backend import DATA_FLOW
from ocijobs.backends.data_science.backend import DATA_SCIENCE

BACKENDS: tuple[Backend, ...] = (DATA_SCIENCE, DATA_FLOW)
"""Every service that runs jobs. What is added here is known to all decisions."""


class UnknownBackendError(ValueError):
    """An OCID is of no job and no run of a service that is known here; the message says so to people."""

    def __init__(self, ocid: str) -> None:
        known = ", ".join(f"{b.job_type} or {b.run_type} ({b.title})" for b in BACKENDS)
        super().__init__(
            f"OCIDs of type {_type_of(ocid)} are of no jobs or runs; those have the type {known}"
        )


def find_backend(ocid: str) -> Backend | None:
    """Return the service of a job or a run, or None if its type is unknown: an OCID begins with it.

    Source: https://docs.oracle.com/iaas/Content/General/Concepts/identifiers.htm
    """
    kind = _type_of(ocid)
    return next((b for b in BACKENDS if kind in (b.job_type, b.run_type)), None)


def backend_of(ocid: str) -> Backend:
    """Return the service of a job or a run that OCI told of.

    Raises:
        UnknownBackendError: if no service that is known here has resources of that type.
    """
    found = find_backend(ocid)
    if found is None:
        raise UnknownBackendError(ocid)
    return found


def backend_for(infrastructure: Infrastructure) -> Backend:
    """Return the service that a spec's infrastructure is of: the schema takes none that is of no service."""
    return next(backend for backend in BACKENDS if backend.is_meant_by(infrastructure))


def unknown_type(ocid: str) -> str | None:
    """Return, in words, that no service has jobs or runs of the type of an OCID that somebody wrote."""
    return str(UnknownBackendError(ocid)) if find_backend(ocid) is None else None


def _type_of(ocid: str) -> str:
    return ocid.removeprefix("ocid1.").partition(".")[0]
