"""`ocijobs/api/status_changes.py`: what may be changed of each status, so that the type checker sees a misspelt one."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from pathlib import PurePosixPath

from generators.files import File, notice
from ocijobs.api.identity import OCIIdentityStatus
from ocijobs.api.job.status import OCIJobStatus
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.schedule import OCIJobScheduleStatus
from ocijobs.api.shared.model import Model
from ocijobs.api.sweep.status import OCIJobSweepStatus

STATUSES: tuple[type[Model], ...] = (
    OCIJobRunStatus,
    OCIJobStatus,
    OCIJobSweepStatus,
    OCIJobScheduleStatus,
    OCIIdentityStatus,
)

HEADLINE = frozenset({"observed_generation", "phase", "conditions", "blocked_since"})
"""What each status gets by the function that writes it: those who call it give the rest."""

_LINE = 100

_INTRODUCTION = '''\
"""What may be changed of each status: keyword arguments for the type checker, which can't read a model's fields.

`...Changes` is what whoever decides gives; `...Fields` has what says how the object stands, too.
"""
'''


def files() -> tuple[File, ...]:
    """Return the module."""
    imports = _Imports()
    classes = "\n\n\n".join(part for status in STATUSES for part in _of(status, imports))
    text = (
        f"# {notice('the models of operator/ocijobs/api')}\n{_INTRODUCTION}\n"
        f"from __future__ import annotations\n\n{imports.text()}\n\n\n{classes}\n"
    )
    return (File(path=PurePosixPath("operator/ocijobs/api/status_changes.py"), text=text),)


class _Imports:
    """Collects what annotations name."""

    def __init__(self) -> None:
        self._names: dict[str, set[str]] = {}

    def name(self, cls: type) -> str:
        if cls.__module__ != "builtins":
            self._names.setdefault(cls.__module__, set()).add(cls.__name__)
        return cls.__name__

    def text(self) -> str:
        ours = {module for module in self._names if module.startswith("ocijobs.")}
        blocks = (sorted(set(self._names) - ours), sorted(ours))
        lines = "\n\n".join("\n".join(map(self._line, block)) for block in blocks if block)
        # Nobody evaluates the annotations, so whoever imports this module loads no models.
        return f"from typing import TYPE_CHECKING, TypedDict\n\nif TYPE_CHECKING:\n{lines}"

    def _line(self, module: str) -> str:
        names = sorted(self._names[module])
        line = f"    from {module} import {', '.join(names)}"
        if len(line) <= _LINE:
            return line
        return f"    from {module} import (\n        {_lines(names)}\n    )"


def _lines(names: list[str]) -> str:
    return "\n        ".join(f"{name}," for name in names)


def _of(status: type[Model], imports: _Imports) -> Iterator[str]:
    name = status.__name__.removeprefix("OCI")
    hints = typing.get_type_hints(status)
    fields = {field: _annotation(hints[field], imports) for field in status.model_fields}
    given = [f"    {f}: {a}" for f, a in fields.items() if f not in HEADLINE]
    stated = [f"    {f}: {a}" for f, a in fields.items() if f in HEADLINE]
    yield "\n".join(
        [
            f"class {name}Changes(TypedDict, total=False):",
            f'    """Fields of {status.__name__} that a decision gives."""',
            "",
            *given,
        ]
    )
    yield "\n".join(
        [
            f"class {name}Fields({name}Changes, total=False):",
            f'    """All fields of {status.__name__}."""',
            "",
            *stated,
        ]
    )


def _annotation(hint: object, imports: _Imports) -> str:
    """Return a type as it is written."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _annotation(arguments[0], imports)
    if origin in {types.UnionType, typing.Union}:
        return " | ".join(_annotation(each, imports) for each in arguments)
    if origin is not None:
        inner = ", ".join(
            "..." if each is ... else _annotation(each, imports) for each in arguments
        )
        return f"{imports.name(origin)}[{inner}]"
    if hint is type(None):
        return "None"
    if isinstance(hint, type):
        return imports.name(hint)
    raise TypeError(f"no way to write {hint!r}")
