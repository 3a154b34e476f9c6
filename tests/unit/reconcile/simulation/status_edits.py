"""Histories in which somebody wipes or edits the status of a run, and the one law that holds in all of them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TypeAlias

from hypothesis import strategies as st
from tests.unit.reconcile.simulation.commands import Crash, Live, Sleep, Steps, Strike
from tests.unit.reconcile.simulation.run_circumstances import Circumstances
from tests.unit.reconcile.simulation.run_history import Do, Progress
from tests.unit.reconcile.simulation.run_laws import RunLaws
from tests.unit.reconcile.simulation.run_scenario import RunScenario
from tests.unit.reconcile.simulation.weather import Mishap

from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.backends.records import RunState
from ocijobs.reconcile.actions.calls import Operation


class Edit(Enum):
    """What somebody makes of a status."""

    WIPE = "nothing is left"
    NO_INTENT = "the intent goes, and attempts stay as they are listed"
    NO_ATTEMPTS = "attempts go, and the intent"
    NOT_ENDED = "what says that it has ended goes"
    RESTORE = "it is what it was when it was last kept"
    KEEP = "nothing, but it is kept as a manifest"

    def __repr__(self) -> str:
        """Show as it is written in a history."""
        return f"Edit.{self.name}"


EditedCommand: TypeAlias = Live | Sleep | Steps | Crash | Strike | Progress | Do | Edit


class OnceLaws(RunLaws):
    """Watches that nothing is started twice; of what else holds, little does in a status that others write."""

    def __getattribute__(self, name: str) -> object:
        found = super().__getattribute__(name)
        if name in _OTHER_LAWS:
            return lambda *_, **__: None
        return found


_OTHER_LAWS = frozenset(
    {"on_decision", "on_launch", "on_write", "on_call", "on_release", "on_given_back"}
)


class EditedScenario(RunScenario):
    """One run, whose status others write, too."""

    def __init__(self, circumstances: Circumstances) -> None:
        super().__init__(circumstances)
        self._kept = OCIJobRunStatus()

    def play_edited(self, history: Sequence[EditedCommand]) -> None:
        """Carry out a history."""
        for command in history:
            if isinstance(command, Edit):
                self._edit(command)
            else:
                self.play([command])

    def _edit(self, edit: Edit) -> None:
        api = self.world.api
        if api.object is None:
            return
        match edit:
            case Edit.WIPE:
                api.edit_status()
            case Edit.NO_INTENT:
                api.edit_status(submit=None, job_run_id=None)
            case Edit.NO_ATTEMPTS:
                api.edit_status(submit=None, job_run_id=None, attempts=())
            case Edit.NOT_ENDED:
                api.edit_status(phase=None, completion_time=None, conditions=())
            case Edit.RESTORE:
                api.edit_status(
                    **{name: getattr(self._kept, name) for name in type(self._kept).model_fields}
                )
            case Edit.KEEP:
                self._kept = api.object.status


def edited_history(
    circumstances: Circumstances, history: Sequence[EditedCommand]
) -> EditedScenario:
    """Play a history, with the laws watched that hold whoever writes the status."""
    scenario = EditedScenario(circumstances)
    laws = OnceLaws(scenario.world)
    scenario.laws = scenario.shell.laws = laws
    scenario.play_edited(history)
    return scenario


_COMMANDS: st.SearchStrategy[EditedCommand] = st.one_of(
    st.sampled_from([3.0, 10.0, 60.0, 181.0, 400.0]).map(Live),
    st.sampled_from(Edit),
    st.sampled_from([60.0, 1000.0, 23.5 * 3600, 25.0 * 3600]).map(Sleep),
    st.integers(1, 8).map(Steps),
    st.just(Crash()),
    st.sampled_from([RunState.IN_PROGRESS, RunState.SUCCEEDED, RunState.FAILED]).map(Progress),
    st.builds(
        Strike, st.sampled_from([Operation.CREATE, Operation.SEARCH]), st.sampled_from(Mishap)
    ),
    st.sampled_from([Do.POLL, Do.CLEAR, Do.LOSE_WRITE_ANSWER, Do.SUSPEND, Do.UNSUSPEND]),
)


def edited_histories() -> st.SearchStrategy[list[EditedCommand]]:
    """Return histories of up to some twenty commands."""
    return st.lists(_COMMANDS, min_size=4, max_size=20)
