"""Fields that the SDK's models of jobs and runs have in common, in all services."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from ocijobs.api.shared.names import TAG_COMMIT, TAG_OWNER
from ocijobs.backends.oci_fields import UnknownTypeError
from ocijobs.cloud.refusals import MalformedAnswerError

T = TypeVar("T")
StateT = TypeVar("StateT", bound=StrEnum)

_SHOWN = 256
"""How many characters are shown of why a resource can't be read."""


def check(resource: Any) -> None:
    """Refuse an answer without a field that every resource has.

    Raises:
        MalformedAnswerError: if a field is missing.
    """
    if not (resource.id and resource.compartment_id and resource.lifecycle_state):
        raise MalformedAnswerError(type(resource).__name__)


def content_of(read: Callable[[Any], T], resource: Any) -> tuple[T | None, str | None]:
    """Return the definition of a resource; or why not, e.g. because its type is newer than this operator."""
    try:
        return read(resource), None
    except (UnknownTypeError, ValueError, AttributeError, TypeError) as error:
        return None, str(error)[:_SHOWN]


def state_of(states: type[StateT], resource: Any) -> StateT:
    """Return the state of a resource; UNKNOWN if the state is newer than this operator."""
    try:
        return states(resource.lifecycle_state)
    except ValueError:
        return states["UNKNOWN"]


def owner_of(resource: Any) -> str | None:
    """Return the owner tag."""
    owner: str | None = (resource.freeform_tags or {}).get(TAG_OWNER)
    return owner


def commit_of(resource: Any) -> str | None:
    """Return the tag that names the commit of the code."""
    commit: str | None = (resource.freeform_tags or {}).get(TAG_COMMIT)
    return commit


def whole_seconds(moment: datetime | None) -> datetime | None:
    """Return the time in UTC and whole seconds, as Kubernetes writes times."""
    return moment.astimezone(UTC).replace(microsecond=0) if moment is not None else None
