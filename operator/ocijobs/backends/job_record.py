"""A job as OCI tells it."""

from __future__ import annotations

from dataclasses import dataclass

from ocijobs.backends.records import JobState
from ocijobs.backends.requests import JobCreation


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """A job as OCI tells it.

    Attributes:
        content: what would make the same job, its code excepted; only in the answer to get, as a list's summary
            lacks it.
        unreadable: what of it this operator does not know, such as a type of infrastructure of later days.
    """

    id: str
    compartment_id: str
    state: JobState
    details: str = ""
    owner: str | None = None
    content: JobCreation | None = None
    unreadable: str | None = None
