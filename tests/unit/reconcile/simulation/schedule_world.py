"""A schedule and what it has made in a simulated API server, and one process that looks after them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ocijobs.api.schedule import FiringState, OCIJobSchedule, OCIJobScheduleSpec
from ocijobs.api.shared.names import ANNOTATION_SCHEDULED_TIME
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.reconcile.actions.objects import CreateObject, DeleteOwned
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.known.schedule import ScheduleKnown
from ocijobs.reconcile.schedule.decide import decide_schedule
from ocijobs.reconcile.schedule.firings import firings
from ocijobs.reconcile.schedule.observation import MadeView, ScheduleObservation
from ocijobs.testing import DEFAULT_SETTINGS, START, make_metadata

RUN = {"job_ref": {"name": "job"}}


class Crash(Exception):  # noqa: N818 - it is no error of anybody's
    """The process ends here."""


class ScheduleWorld:
    """Time passes only when the test says so; the schedule is then looked at whenever it asked to be."""

    def __init__(self, *resources: str, **spec: Any) -> None:
        given = {
            "schedule": "*/10 * * * *",
            "resources": [{"name": name, "run": RUN} for name in resources or ("train",)],
        }
        self.schedule = OCIJobSchedule(
            metadata=make_metadata("nightly"),
            spec=OCIJobScheduleSpec.model_validate(given | spec),
        )
        self.objects: dict[str, MadeView] = {}
        self.created: list[str] = []
        self.annotations: dict[str, dict[str, str]] = {}
        self.known = ScheduleKnown()
        self.now = START
        self.writes = 0
        self.refuses: str | None = None
        self.forbids: str | None = None
        self.strangers: set[str] = set()
        self.settings = DEFAULT_SETTINGS

    def edit(self, **changes: Any) -> None:
        """Change the spec."""
        meta = self.schedule.metadata
        spec = OCIJobScheduleSpec.model_validate(
            {**self.schedule.spec.model_dump(exclude_unset=True), **changes}
        )
        generation = meta.generation + (spec != self.schedule.spec)
        self.schedule = self.schedule.model_copy(
            update={"spec": spec, "metadata": meta.model_copy(update={"generation": generation})}
        )

    def restart(self) -> None:
        """Have another process look after the schedule."""
        self.known = ScheduleKnown()

    def observe(self) -> ScheduleObservation:
        """Return what the shell would observe."""
        if self.schedule.status.starting is None:
            self.known = ScheduleKnown()
        return ScheduleObservation(
            schedule=self.schedule,
            made=tuple(self.objects.values()),
            known=self.known,
            settings=self.settings,
            taken=frozenset(self.strangers),
        )

    def decide(self) -> Decision[Any]:
        """Observe and decide."""
        return decide_schedule(self.observe(), self.now)

    def live(self, crash_after: int | None = None) -> Decision[Any]:
        """Decide and carry out until nothing is asked for; crash after that many changes, if given.

        Raises:
            Crash: as it was asked for.
        """
        left = crash_after
        for _ in range(30):
            decision = self.decide()
            steps: list[Any] = list(decision.actions)
            changed = bool(steps)
            if decision.status != self.schedule.status:
                steps.append(decision.status)
                changed = True
            for step in steps:
                if left == 0:
                    raise Crash
                self._carry_out(step)
                left = left - 1 if left is not None else None
            if not changed:
                return decision
        raise AssertionError("a schedule reaches a fixed point")

    def wait(self, time: timedelta) -> None:
        """Let time pass, and look at the schedule whenever it asked for that."""
        until = self.now + time
        for _ in range(1000):
            wake_at = self.live().wake_at
            if wake_at is None or wake_at > until:
                break
            self.now = max(self.now, wake_at)
        else:
            raise AssertionError("a schedule does not ask to be looked at again and again")
        self.now = max(self.now, until)

    def _carry_out(self, step: Any) -> None:
        match step:
            case CreateObject():
                self._create(step)
            case DeleteOwned(name=name):
                self.objects.pop(name, None)
            case status:
                former = self.schedule.status.last_schedule_time
                assert former is None or status.last_schedule_time >= former, "time never goes back"
                self.writes += 1
                self.schedule = self.schedule.model_copy(update={"status": status})

    def _learn(self, action: CreateObject, refusal: Refusal | None) -> None:
        self.known = self.known.answered((action, refusal), at=self.now)

    def _create(self, action: CreateObject) -> None:
        document: dict[str, Any] = dict(action.document)
        name, meta = document["metadata"]["name"], document["metadata"]
        if self.refuses is not None and name.endswith(self.refuses):
            self._learn(action, Refusal(kind=RefusalKind.INVALID, message="no such field"))
            return
        if self.forbids is not None and name.endswith(self.forbids):
            refusal = Refusal(kind=RefusalKind.CONFLICT, message="the quota is used up")
            self._learn(action, refusal)
            return
        assert name not in self.created, "nothing is made twice for one time"
        assert name not in self.strangers, "the name is taken"
        self.created.append(name)
        self.annotations[name] = meta["annotations"]
        self._learn(action, None)
        self.objects[name] = MadeView(
            kind=document["kind"],
            name=name,
            uid=f"uid-of-{name}",
            scheduled_time=datetime.fromisoformat(meta["annotations"][ANNOTATION_SCHEDULED_TIME]),
            ended=False,
            succeeded=False,
            completion_time=None,
            deleting=False,
        )

    def end(self, name: str, *, succeeded: bool) -> None:
        """Let an object end."""
        self.objects[name] = replace(
            self.objects[name], ended=True, succeeded=succeeded, completion_time=self.now
        )

    @property
    def running(self) -> list[str]:
        """Names of what has not ended, the oldest first."""
        return [one.name for one in self.objects.values() if not one.ended]

    def times(self, state: FiringState) -> list[datetime]:
        """Return the scheduled times of the firings in a state."""
        return [one.scheduled_time for one in firings(self.observe()) if one.state is state]

    @property
    def reason(self) -> str:
        """Reason of Ready."""
        return self.schedule.status.conditions[0].reason

    @property
    def message(self) -> str:
        """Message of Ready."""
        return self.schedule.status.conditions[0].message
