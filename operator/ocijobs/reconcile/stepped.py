"""What a process remembers, when its wall clock is set.

Times in memory say how long ago something was, by the same clock that decisions read. When that clock is set they move
with it, so that what was minutes ago still is. Times that OCI told are others' and stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.records import RunRecord

T = TypeVar("T")

_TOLD_BY_OTHERS = (RunRecord, JobRecord)


def stepped(known: T, by: timedelta) -> T:
    """Return what is remembered, as it is after the clock was set forward by so much."""
    moved: Any = _moved(known, by)
    return moved  # type: ignore[no-any-return]


def _moved(value: Any, by: timedelta) -> Any:
    if isinstance(value, datetime):
        return value + by
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_moved(each, by) for each in value))
    if isinstance(value, tuple):
        return tuple(_moved(each, by) for each in value)
    if isinstance(value, Mapping):
        return {name: _moved(each, by) for name, each in value.items()}
    if is_dataclass(value) and not isinstance(value, (type, *_TOLD_BY_OTHERS)):
        return replace(value, **{f.name: _moved(getattr(value, f.name), by) for f in fields(value)})
    return value
