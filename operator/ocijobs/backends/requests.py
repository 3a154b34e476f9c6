"""What is sent to OCI, as data: as much of it as the requests of every backend have.

`cloud/` turns requests into the SDK's models; nothing is decided there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Protocol, TypeVar

from ocijobs.backends.oci_fields import OciField
from ocijobs.backends.records import LogAddress

RequestT = TypeVar("RequestT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """Tags of a resource, our own two included."""

    freeform: Annotated[
        Mapping[str, str],
        OciField(spec="freeformTags", oci="freeformTags"),
    ]
    defined: Annotated[
        Mapping[str, Mapping[str, str]],
        OciField(spec="definedTags", oci="definedTags"),
    ]


class JobChange(Protocol):
    """What a service changes of a job in place."""

    @property
    def display_name(self) -> str:
        """Name of the job in the console."""
        ...

    @property
    def description(self) -> str | None:
        """Text for people; None if there is none."""
        ...

    @property
    def tags(self) -> Tags:
        """All tags of the job."""
        ...


class JobCreation(Protocol):
    """What makes a job. Each backend has a class of its own, which alone says what its runs start."""

    @property
    def compartment_id(self) -> str:
        """Compartment of the job."""
        ...

    @property
    def project_id(self) -> str | None:
        """Project of the job; None where a service has no projects."""
        ...

    @property
    def settings(self) -> JobChange:
        """What is changed in place later."""
        ...


class RunCreation(Protocol):
    """What makes a run of a job."""

    @property
    def compartment_id(self) -> str:
        """Compartment of the run."""
        ...

    @property
    def job_id(self) -> str:
        """OCID of the job."""
        ...

    @property
    def display_name(self) -> str:
        """Name of the run in the console."""
        ...

    @property
    def tags(self) -> Tags:
        """All tags of the run."""
        ...


def expect(request: object, kind: type[RequestT]) -> RequestT:
    """Return a request as what its backend takes.

    Raises:
        TypeError: if it is another backend's, which no caller hands on.
    """
    if not isinstance(request, kind):
        raise TypeError(f"a {type(request).__name__} is not for this backend")
    return request


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """The output of one run: `log` is None while OCI has not told which log it is."""

    run_id: str
    compartment_id: str
    log: LogAddress


class NameKind(StrEnum):
    """What is named."""

    LOG_GROUP = "LogGroup"
    LOG = "Log"
    MOUNT_TARGET = "MountTarget"
    EXPORT = "Export"
    POOL = "Pool"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedName:
    """A name: of a log group, a log or a pool its display name, of a mount target its address, of an export its path.

    Attributes:
        kind: what is named.
        name: the name.
        within: OCID of the log group that holds the log.
        field: path of the field that has the name, for messages.
    """

    kind: NameKind
    name: str
    within: str = ""
    field: str = field(compare=False)
