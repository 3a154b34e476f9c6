"""What a line of the log is about: set where work on an object begins, and there for whoever logs below it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_FIELDS: ContextVar[Mapping[str, object]] = ContextVar("log_fields", default=MappingProxyType({}))

OBJECT_NAME = "object_name"
"""Attribute of log records that has an object's name: `name` is that of the logger."""


@contextmanager
def about(**fields: object) -> Iterator[None]:
    """Have log lines be about something, for as long as the context lasts; what is None says nothing."""
    known = {name: value for name, value in fields.items() if value is not None}
    token = _FIELDS.set({**_FIELDS.get(), **known})
    try:
        yield
    finally:
        _FIELDS.reset(token)


def log_fields(**more: object) -> dict[str, object]:
    """Return the `extra` of a log line: what it is about, and what else it says."""
    fields = {**_FIELDS.get(), **{name: one for name, one in more.items() if one is not None}}
    return {OBJECT_NAME if name == "name" else name: one for name, one in fields.items()}
