"""Where an OCI job is not as the manifest says, field by field.

Only what the manifest says counts: what OCI fills in by itself, and what others added, is no difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ocijobs.api.job.status import Difference
from ocijobs.api.shared.names import TAG_NAME, TAG_OWNER
from ocijobs.backends.backend import Backend
from ocijobs.backends.compared import Hidden
from ocijobs.backends.requests import JobChange, JobCreation, Tags

_LISTED = 32
_SHOWN = 256
_NOTHING = "-"
_ANOTHER = "another value"
"""Stands for a value that OCI has and that is not shown."""


def setting_differences(
    backend: Backend, wanted: JobChange, found: JobChange
) -> tuple[Difference, ...]:
    """Return the differences of what OCI changes in place."""
    ours, theirs = (dict(_settings(backend, settings)) for settings in (wanted, found))
    return _compare(ours, theirs, exact=False)


def all_differences(
    backend: Backend, wanted: JobCreation, found: JobCreation
) -> tuple[Difference, ...]:
    """Return the differences of everything but the code; of variables also those that only OCI has."""
    settings = setting_differences(backend, wanted.settings, found.settings)
    ours, theirs = (dict(backend.fixed_fields(request)) for request in (wanted, found))
    return (*settings, *_compare(ours, theirs, exact=True))[:_LISTED]


def _compare(
    wanted: Mapping[str, object], found: Mapping[str, object], *, exact: bool
) -> tuple[Difference, ...]:
    names = [*wanted, *(name for name in found if exact and name not in wanted)]
    return tuple(
        Difference(
            field=name[:253],
            wanted=_text(wanted.get(name)),
            found=_found(found.get(name)),
        )
        for name in names
        if _normal(wanted.get(name)) != _normal(found.get(name))
        and (exact or wanted.get(name) is not None)
    )[:_LISTED]


def _normal(value: object) -> object:
    bare = value.value if isinstance(value, Hidden) else value
    return None if bare in ("", (), {}) else bare


def _text(value: object) -> str:
    return _NOTHING if _normal(value) is None else str(_normal(value))[:_SHOWN]


def _found(value: object) -> str:
    return _ANOTHER if isinstance(value, Hidden) else _text(value)


def _tags(tags: Tags) -> Iterator[tuple[str, object]]:
    for key, value in tags.freeform.items():
        if key not in {TAG_OWNER, TAG_NAME}:
            yield f"freeformTags[{key}]", value
    for namespace, given in tags.defined.items():
        for key, tag in given.items():
            yield f"definedTags[{namespace}][{key}]", str(tag)


def _settings(backend: Backend, settings: JobChange) -> Iterator[tuple[str, object]]:
    yield "displayName", settings.display_name
    yield "description", settings.description or ""
    yield from _tags(settings.tags)
    yield from backend.setting_fields(settings)
