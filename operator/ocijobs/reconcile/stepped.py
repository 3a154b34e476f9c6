"""What a process remembers, when its wall clock is set.

Times in memory say how long ago something was, by the same clock that decisions read. When that clock is set they move
with it, so that what was minutes ago still is. Times that OCI told are others' and stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.records import RunRecord

T = TypeVar("T")

_TOLD_BY_OTHERS = (RunRecord, JobRecord)


def stepped(known: T, by: timedelta) -> T:
    """Return what is remembered, as it is after the clock was set forward by so much."""
    moved = _moved(known, by)
    if isinstance(moved, type(known)):
        return moved
    raise TypeError(type(moved))  # pragma: no cover - times move, and nothing becomes anything else


def _moved(value: object, by: timedelta) -> object:
    if isinstance(value, datetime):
        return value + by
    if isinstance(value, tuple):
        # Of the same class, which may be a NamedTuple.
        return tuple.__new__(type(value), (_moved(each, by) for each in value))
    if isinstance(value, Mapping):
        return {name: _moved(each, by) for name, each in value.items()}
    if is_dataclass(value) and not isinstance(value, (type, *_TOLD_BY_OTHERS)):
        return replace(value, **{f.name: _moved(getattr(value, f.name), by) for f in fields(value)})
    return value
