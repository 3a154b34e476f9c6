"""Recorded sweeps and schedules are gone on with: no run is made twice, no firing is repeated, names stay."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.support.namespace import Document
from tests.support.recorded import Record, records
from tests.unit.reconcile.simulation.schedule_world import ScheduleWorld
from tests.unit.reconcile.simulation.sweep_world import Child, SweepWorld

from ocijobs.api.job.spec import OCIJob
from ocijobs.api.run.phase import Phase
from ocijobs.api.schedule import OCIJobSchedule
from ocijobs.api.sweep.spec import OCIJobSweep
from ocijobs.reconcile.known.sweep import ChildView, Outcome
from ocijobs.reconcile.schedule.observation import MadeView
from ocijobs.reconcile.sweep.indices import child_name

SWEEPS = records("OCIJobSweep")
SCHEDULES = records("OCIJobSchedule")
ENDS = {"Succeeded", "Failed", "Cancelled"}


class RecordedSweep(SweepWorld):
    """A recorded sweep with the runs that were there, and a process that has never seen them."""

    def __init__(self, record: Record) -> None:
        super().__init__()
        self.sweep = OCIJobSweep.model_validate(record.document)
        self.now = record.written_at + timedelta(minutes=1)
        self.refuses_from = self.forbids_from = self.sweep.status.total or 0
        job = record.other("OCIJob")
        if job is not None:
            self.job = OCIJob.model_validate(job)
        for run in record.others("OCIJobRun"):
            index = int(run["metadata"]["labels"]["ocijobs.io/sweep-index"])
            self.there[index] = _child(run)
            self.created.append(index)
        self.created += [
            each for each in range(self.sweep.status.created or 0) if each not in self.created
        ]
        self.restart()


def _child(run: Document) -> Child:
    meta, phase = run["metadata"], run.get("status", {}).get("phase")
    view = ChildView(
        name=meta["name"],
        uid=meta["uid"],
        suspend=bool(run["spec"].get("suspend")),
        cancel=bool(run["spec"].get("cancel")),
        deleting="deletionTimestamp" in meta,
    )
    if phase not in ENDS:
        return Child(view)
    results = run["status"].get("results", {})
    return Child(view, Outcome(succeeded=phase == "Succeeded", results=results))


@pytest.mark.parametrize("record", SWEEPS, ids=str)
def test_a_sweep_makes_no_run_twice_and_ends(record: Record) -> None:
    world = RecordedSweep(record)
    ended, before = record.phase in ENDS, world.sweep.status
    created = [*world.created]
    if not ended and record.phase == "Suspended":
        world.edit(suspend=False)
    for _ in range(20):
        world.wait()
        for index in world.running:
            world.end(index, Phase.SUCCEEDED)
    world.wait()
    if ended:
        assert world.sweep.status == before
        assert world.created == created
        return
    if record.reason == "InvalidSpec":
        assert world.created == []
        return
    assert world.sweep.status.phase is not None
    assert world.sweep.status.phase.terminal
    assert world.created == [*range(len(world.created))]


@pytest.mark.parametrize("record", SWEEPS, ids=str)
def test_the_names_of_a_sweeps_runs_are_what_they_were(record: Record) -> None:
    name = record.document["metadata"]["name"]
    for run in record.others("OCIJobRun"):
        index = int(run["metadata"]["labels"]["ocijobs.io/sweep-index"])
        assert child_name(name, index) == run["metadata"]["name"]


class RecordedSchedule(ScheduleWorld):
    """A recorded schedule with what it had made, and a process that has never seen it."""

    def __init__(self, record: Record) -> None:
        super().__init__()
        self.schedule = OCIJobSchedule.model_validate(record.document)
        self.now = record.written_at
        uid = record.document["metadata"]["uid"]
        for made in record.around:
            owners = made["metadata"].get("ownerReferences", ())
            if any(owner["uid"] == uid for owner in owners):
                self.objects[made["metadata"]["name"]] = _made(made)
        self.created = [*self.objects]

    def names_of(self, time: datetime) -> set[str]:
        """Return the names of the objects of a firing."""
        return {one.name for one in self.objects.values() if one.scheduled_time == time}


def _made(made: Document) -> MadeView:
    meta, status = made["metadata"], made.get("status", {})
    completed = status.get("completionTime")
    return MadeView(
        kind=made["kind"],
        name=meta["name"],
        uid=meta["uid"],
        scheduled_time=datetime.fromisoformat(meta["annotations"]["ocijobs.io/scheduled-time"]),
        ended=status.get("phase") in ENDS,
        succeeded=status.get("phase") == "Succeeded",
        completion_time=datetime.fromisoformat(completed) if completed else None,
        deleting="deletionTimestamp" in meta,
    )


@pytest.mark.parametrize("record", SCHEDULES, ids=str)
def test_a_schedule_repeats_no_firing(record: Record) -> None:
    world = RecordedSchedule(record)
    starting, there = world.schedule.status.starting, set(world.created)
    last = world.schedule.status.last_schedule_time
    world.live()
    if starting is None:
        assert set(world.created) == there, "what was made is not made again"
        assert world.schedule.status.last_schedule_time == last
    else:
        wanted = {one.name for one in world.schedule.spec.resources}
        assert len(world.names_of(starting)) == len(wanted), "a firing that was begun is finished"
    world.restart()
    writes = world.writes
    world.live()
    assert world.writes == writes, "a restart with nothing changed writes nothing"
    for name in world.running:
        world.end(name, succeeded=True)
    fires = record.phase not in {"Stalled", "Idle"}
    world.wait(timedelta(minutes=11))
    assert (len(world.created) > len(there)) is fires


@pytest.mark.parametrize("record", SCHEDULES, ids=str)
def test_the_names_of_what_a_schedule_makes_are_what_they_were(record: Record) -> None:
    """Of a firing that was begun anew, the same objects are made."""
    world = RecordedSchedule(record)
    for time in {one.scheduled_time for one in world.objects.values()}:
        names = world.names_of(time)
        anew = RecordedSchedule(record)
        anew.objects, anew.created = {}, []
        status = anew.schedule.status.changed(starting=time, last_schedule_time=time)
        anew.schedule = anew.schedule.model_copy(update={"status": status})
        anew.now = max(anew.now, time)
        anew.live()
        assert names <= set(anew.created)
