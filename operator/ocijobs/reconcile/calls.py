"""The calls that were made for an object, one entry an operation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ocijobs.reconcile.remote import Call, Operation, Refusal


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
