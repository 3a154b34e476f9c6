"""The runs of a sweep: created in order, as many at a time as may be; suspended and cancelled with it."""

from __future__ import annotations

from ocijobs.api import kinds
from ocijobs.api.run.spec import OCIJobRunSpec
from ocijobs.api.shared.metadata import JobReference
from ocijobs.api.shared.names import ANNOTATION_SCHEDULED_TIME, LABEL_SWEEP, LABEL_SWEEP_INDEX
from ocijobs.reconcile.actions.objects import CreateObject, EditObject
from ocijobs.reconcile.dependencies import filled_in
from ocijobs.reconcile.known.sweep import ChildView
from ocijobs.reconcile.ownership import (
    allow_start_of_made,
    creation_epoch,
    owned_object,
    queue_labels,
)
from ocijobs.reconcile.sweep.indices import child_name
from ocijobs.reconcile.sweep.observation import SweepObservation
from ocijobs.reconcile.sweep.tally import Tally
from ocijobs.reconcile.sweep_points import point, settings_of

BATCH = 25
"""Children that one decision creates or changes: the next decision sees what became of them."""


def create_children(o: SweepObservation, tally: Tally) -> tuple[CreateObject, ...]:
    """Return the children that come next."""
    room = min(o.sweep.spec.parallelism - len(tally.active), tally.total - tally.created, BATCH)
    indices = range(tally.created, tally.created + max(0, room))
    free = []
    for index in indices:
        if index in o.strangers:
            break
        free.append(index)
    return tuple(_create(o, index) for index in free)


def _create(o: SweepObservation, index: int) -> CreateObject:
    spec, meta = o.sweep.spec, o.sweep.metadata
    template = spec.run_template.spec
    template = template.model_copy(
        update={"env": filled_in(template.env, o.sweep.status.dependencies)}
    )
    settings = settings_of(template, point(spec, index))
    labels = {LABEL_SWEEP: meta.name, LABEL_SWEEP_INDEX: str(index)}
    scheduled = meta.annotations.get(ANNOTATION_SCHEDULED_TIME)
    own = {ANNOTATION_SCHEDULED_TIME: scheduled} if scheduled is not None else {}
    run = OCIJobRunSpec(
        job_ref=JobReference(name=spec.job_ref.name),
        **{name: getattr(settings, name) for name in settings.model_fields_set | {"env"}},
    )
    name = child_name(meta.name, index)
    return CreateObject(
        name=name,
        index=index,
        epoch=creation_epoch(meta),
        document=owned_object(
            meta,
            kinds.SWEEP,
            kind=kinds.RUN,
            name=name,
            spec=run,
            labels={**queue_labels(meta), **spec.run_template.metadata.labels, **labels},
            annotations={
                **spec.run_template.metadata.annotations,
                **own,
                **allow_start_of_made(o.settings),
            },
        ),
    )


def suspend_children(o: SweepObservation, tally: Tally, *, suspend: bool) -> tuple[EditObject, ...]:
    """Return the changes of children that are not as the sweep is."""
    others = [child for child in _active(o, tally) if child.suspend is not suspend]
    return tuple(_edit(child, "suspend", value=suspend) for child in others[:BATCH])


def cancel_children(o: SweepObservation, tally: Tally) -> tuple[EditObject, ...]:
    """Return the cancellations of children that have not ended."""
    others = [child for child in _active(o, tally) if not child.cancel]
    return tuple(_edit(child, "cancel", value=True) for child in others[:BATCH])


def _active(o: SweepObservation, tally: Tally) -> list[ChildView]:
    live = o.children.live
    return [live[index] for index in sorted(tally.active) if not live[index].deleting]


def _edit(child: ChildView, field: str, *, value: bool) -> EditObject:
    return EditObject(kind=kinds.RUN, name=child.name, uid=child.uid, spec={field: value})
