"""Where an OCI job is not as the manifest says, field by field.

Only what the manifest says counts: what OCI fills in by itself, and what others added, is no difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ocijobs.api.job.status import Difference
from ocijobs.api.shared.names import TAG_NAME, TAG_OWNER
from ocijobs.backends.compared import Hidden, Said, entries, fields_said
from ocijobs.backends.data_flow import fields as application_fields
from ocijobs.backends.data_flow.requests import ApplicationRequest, ApplicationSettings
from ocijobs.backends.data_science import fields as job_fields
from ocijobs.backends.data_science.requests import JobRequest, JobSettings
from ocijobs.backends.requests import JobChange, JobCreation, Tags

_LISTED = 32
_SHOWN = 256
_NOTHING = "-"
_ANOTHER = "another value"
"""Stands for a value that OCI has and that is not shown."""


def setting_differences(wanted: JobChange, found: JobChange) -> tuple[Difference, ...]:
    """Return the differences of what OCI changes in place."""
    return _compare(dict(_settings(wanted)), dict(_settings(found)), exact=False)


def all_differences(wanted: JobCreation, found: JobCreation) -> tuple[Difference, ...]:
    """Return the differences of everything but the code; of variables also those that only OCI has."""
    settings = setting_differences(wanted.settings, found.settings)
    workload = _compare(dict(_workload(wanted)), dict(_workload(found)), exact=True)
    return (*settings, *workload)[:_LISTED]


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


def _tags(tags: Tags) -> Iterator[Said]:
    ours = (f"freeformTags[{name}]" for name in (TAG_OWNER, TAG_NAME))
    own = set(ours)
    yield from (each for each in entries("freeformTags", tags.freeform) if each[0] not in own)
    for namespace, given in tags.defined.items():
        for path, value in entries(f"definedTags[{namespace}]", given):
            yield path, str(value)


def _settings(settings: JobChange) -> Iterator[Said]:
    yield from fields_said(settings)
    yield from _tags(settings.tags)
    if isinstance(settings, ApplicationSettings):
        yield from application_fields.setting_fields(settings)
    elif isinstance(settings, JobSettings):
        yield from job_fields.setting_fields(settings)


def _workload(request: JobCreation) -> Iterator[Said]:
    if isinstance(request, ApplicationRequest):
        yield from application_fields.fixed_fields(request)
    elif isinstance(request, JobRequest):
        yield from job_fields.fixed_fields(request)
