"""Firings of a schedule: what each makes, and which are over and go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from ocijobs.api import kinds
from ocijobs.api.run.spec import OCIJobRunSpec
from ocijobs.api.schedule import FiringState, OCIJobSchedule, ScheduledResource
from ocijobs.api.shared.dependency import DependencyKind, DependsOn, RunEnvVar
from ocijobs.api.shared.model import Model
from ocijobs.api.shared.names import ANNOTATION_SCHEDULED_TIME, LABEL_SCHEDULE
from ocijobs.api.sweep.spec import OCIJobSweepSpec
from ocijobs.reconcile.actions.objects import CreateObject, DeleteOwned
from ocijobs.reconcile.ownership import (
    allow_start_of_made,
    creation_epoch,
    owned_object,
    queue_labels,
)
from ocijobs.reconcile.schedule.observation import MadeView, ScheduleObservation

_MINUTE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class FiringView:
    """The objects of one start, as far as they are there.

    `former` is how it had ended when that was written: objects may have gone since.
    """

    scheduled_time: datetime
    made: tuple[MadeView, ...]
    former: FiringState = FiringState.ACTIVE

    @property
    def state(self) -> FiringState:
        """Active until all have ended; then whether all have succeeded."""
        if self.former is not FiringState.ACTIVE:
            return self.former
        if not all(one.ended for one in self.made):
            return FiringState.ACTIVE
        succeeded = all(one.succeeded for one in self.made)
        return FiringState.SUCCEEDED if succeeded else FiringState.FAILED

    @property
    def completion_time(self) -> datetime | None:
        """When the last object ended."""
        return max((one.completion_time for one in self.made if one.completion_time), default=None)

    def delete(self) -> tuple[DeleteOwned, ...]:
        """Return the deletion of what is left of it."""
        return tuple(
            DeleteOwned(kind=one.kind, name=one.name, uid=one.uid)
            for one in self.made
            if not one.deleting
        )


def firings(o: ScheduleObservation) -> tuple[FiringView, ...]:
    """Return the firings of which objects are there, the oldest first."""
    by_time: dict[datetime, list[MadeView]] = defaultdict(list)
    for one in o.made:
        by_time[one.scheduled_time].append(one)
    former = {one.scheduled_time: one.state for one in o.schedule.status.firings}
    return tuple(
        FiringView(
            scheduled_time=time,
            made=tuple(made),
            former=former.get(time, FiringState.ACTIVE),
        )
        for time, made in sorted(by_time.items())
    )


def excess_firings(o: ScheduleObservation) -> tuple[DeleteOwned, ...]:
    """Return the deletion of firings that are over, beyond what the history limits keep."""
    spec = o.schedule.spec
    limits = {
        FiringState.SUCCEEDED: spec.successful_jobs_history_limit,
        FiringState.FAILED: spec.failed_jobs_history_limit,
    }
    deletions: list[DeleteOwned] = []
    for state, limit in limits.items():
        over = [
            firing
            for firing in firings(o)
            if firing.state is state and firing.scheduled_time != o.schedule.status.starting
        ]
        for firing in over[: max(0, len(over) - limit)]:
            deletions.extend(firing.delete())
    return tuple(deletions)


def object_name(schedule: OCIJobSchedule, at: datetime, resource: str) -> str:
    """Return the name of what a firing makes: the minute is counted from 1970, as in a CronJob's jobs."""
    return f"{schedule.metadata.name}-{int(at.timestamp()) // _MINUTE}-{resource}"


def creations(o: ScheduleObservation, at: datetime) -> tuple[CreateObject, ...]:
    """Return what is still to be made of a firing."""
    there = o.known.made | {one.name for one in o.made}
    named = ((object_name(o.schedule, at, one.name), one) for one in o.schedule.spec.resources)
    return tuple(
        CreateObject(
            document=_document(o, at, resource, name),
            name=name,
            epoch=creation_epoch(o.schedule.metadata),
        )
        for name, resource in named
        if name not in there
    )


def _document(
    o: ScheduleObservation, at: datetime, resource: ScheduledResource, name: str
) -> dict[str, object]:
    schedule = o.schedule
    kind, spec = _spec(schedule, at, resource)
    time = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return owned_object(
        schedule.metadata,
        kinds.SCHEDULE,
        kind=kind,
        name=name,
        spec=spec,
        labels={**queue_labels(schedule.metadata), LABEL_SCHEDULE: schedule.metadata.name},
        annotations={ANNOTATION_SCHEDULED_TIME: time, **allow_start_of_made(o.settings)},
    )


def _spec(schedule: OCIJobSchedule, at: datetime, resource: ScheduledResource) -> tuple[str, Model]:
    """Return the kind and the spec of what is made: names of siblings become those of this firing."""
    siblings = {
        (one.kind, one.name): object_name(schedule, at, one.name) for one in schedule.spec.resources
    }
    if resource.run is not None:
        given = {name: getattr(resource.run, name) for name in resource.run.model_fields_set}
        given["depends_on"] = _renamed(resource.run.depends_on, siblings)
        given["env"] = _with_siblings(resource.run.env, siblings)
        return DependencyKind.RUN, OCIJobRunSpec(**given)
    sweep = resource.sweep
    if sweep is None:
        raise AssertionError  # pragma: no cover - the definition wants exactly one
    given = {name: getattr(sweep, name) for name in sweep.model_fields_set}
    given["depends_on"] = _renamed(sweep.depends_on, siblings)
    settings = sweep.run_template.spec
    own = settings.model_copy(update={"env": _with_siblings(settings.env, siblings)})
    given["run_template"] = sweep.run_template.model_copy(update={"spec": own})
    return DependencyKind.SWEEP, OCIJobSweepSpec(**given)


_Siblings = dict[tuple[DependencyKind, str], str]


def _renamed(items: Iterable[DependsOn], siblings: _Siblings) -> tuple[DependsOn, ...]:
    return tuple(
        item.model_copy(update={"name": siblings.get((item.kind, item.name), item.name)})
        for item in items
    )


def _with_siblings(env: Iterable[RunEnvVar], siblings: _Siblings) -> tuple[RunEnvVar, ...]:
    def renamed(variable: RunEnvVar) -> RunEnvVar:
        reference = variable.result_ref
        if reference is None or variable.value_from is None:
            return variable
        name = siblings.get((reference.kind, reference.name), reference.name)
        source = variable.value_from.model_copy(
            update={"result_ref": reference.model_copy(update={"name": name})}
        )
        return variable.model_copy(update={"value_from": source})

    return tuple(renamed(variable) for variable in env)
