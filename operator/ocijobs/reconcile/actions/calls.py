"""Calls whose answers are learnt: as whom they are made, what they are, and when one was or may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from ocijobs.api.shared.metadata import IdentityReference
from ocijobs.backends.records import Refusal


class Operation(StrEnum):
    """Calls whose repetition is paced, one pace each."""

    CREATE = "create"
    SEARCH = "search"
    LOOK_UP = "look-up"
    CANCEL = "cancel"
    DELETE = "delete"
    DELETE_FORMER = "delete-former"
    DELETE_CODE = "delete-code"
    UPDATE = "update"
    UPLOAD = "upload"
    LIST_RUNS = "list-runs"
    READ_SOURCES = "read-sources"
    READ_VALUES = "read-values"
    READ_RESULTS = "read-results"
    SEARCH_LOGS = "search-logs"
    LIST_OUTPUTS = "list-outputs"
    READ_UTILISATION = "read-utilisation"
    READ_CREDENTIALS = "read-credentials"
    VERIFY = "verify"
    COPY_CREDENTIALS = "copy-credentials"
    FIND_NAME = "find-name"
    LIST_SHAPES = "list-shapes"
    QUEUE = "queue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The last of the calls of one operation on one object.

    `tries` counts calls since the last success; `epoch` names the circumstances (generation, credentials), under
    which a refusal stands: in others the call is worth making at once.
    """

    at: datetime
    tries: int
    refusal: Refusal | None
    epoch: str = ""


def refused_again(former: Call | None, refusal: Refusal, *, at: datetime, epoch: str) -> Call:
    """Return a refused call after the former one, if there was one: each makes the next pause longer."""
    tries = former.tries + 1 if former is not None else 1
    return Call(at=at, tries=tries, refusal=refusal, epoch=epoch)


def noted(
    calls: Mapping[Operation, Call],
    operation: Operation,
    *,
    at: datetime,
    refusal: Refusal | None,
    epoch: str,
) -> dict[Operation, Call]:
    """Return `calls` with one more call noted; tries count since the last success or change of epoch."""
    before = calls.get(operation)
    tries = before.tries + 1 if before and before.refusal and before.epoch == epoch else 1
    call = Call(at=at, tries=tries if refusal else 0, refusal=refusal, epoch=epoch)
    return {**calls, operation: call}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """As whom, and where, OCI is called: recorded once per remote object and used for its life."""

    identity: IdentityReference
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Launcher(Caller):
    """As whom something is created in OCI: only while the Secret of the identity is at that version.

    What ends something has a Caller, which outlives the Secret; what creates something can't be asked for with one.
    """

    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OciCall:
    """A call of OCI that is answered in the round that asks for it, when the object's turn to call has come.

    Attributes:
        operation: what its repetition is paced with.
        caller: as whom it is made, and where.
    """

    operation: ClassVar[Operation]
    caller: Caller

    @property
    def ocid(self) -> str | None:
        """The OCI job or the job run that it is about, if it is about one."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """When an object may call OCI, about; and whether OCI's own 429 is why it can't now."""

    at: datetime
    throttled: bool
