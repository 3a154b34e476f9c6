"""A status is not the only memory: one that is wiped or edited by hand, a day later too, starts nothing twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from tests.unit.reconcile.simulation.commands import Crash, Live, Sleep, Steps
from tests.unit.reconcile.simulation.run_circumstances import Circumstances
from tests.unit.reconcile.simulation.run_history import Do, Progress, circumstances
from tests.unit.reconcile.simulation.status_edits import (
    Edit,
    EditedCommand,
    edited_histories,
    edited_history,
)

from ocijobs.api.run.phase import Phase
from ocijobs.backends.records import RunState

DAY = Sleep(25 * 3600)
WORK: list[EditedCommand] = [Live(3), Live(3), Live(10), Live(181), Live(400)]


@given(circumstances(), edited_histories())
def test_nothing_is_started_twice_whatever_the_status_says(
    given_: Circumstances, history: list[EditedCommand]
) -> None:
    edited_history(given_, history)


@pytest.mark.parametrize("edit", [Edit.WIPE, Edit.NO_INTENT, Edit.NO_ATTEMPTS])
@pytest.mark.parametrize("crash", [[], [Crash()]])
@pytest.mark.parametrize("later", [[], [DAY]])
@pytest.mark.parametrize("attempt", [0, 1])
def test_the_live_run_is_found_again(
    edit: Edit, crash: list[EditedCommand], later: list[EditedCommand], attempt: int
) -> None:
    failed: list[EditedCommand] = [
        Progress(RunState.IN_PROGRESS),
        Live(3),
        Progress(RunState.FAILED),
        *WORK,
    ]
    history = [*WORK, *(failed if attempt else []), Progress(RunState.IN_PROGRESS), Live(3)]
    scenario = edited_history(
        Circumstances(backoff_limit=3), [*history, *later, edit, *crash, *WORK, *WORK]
    )
    live = [run for run in scenario.world.oci.runs if run.live]
    assert len(scenario.world.oci.runs) == attempt + 1
    assert scenario.world.api.present.status.job_run_id == live[0].id


@pytest.mark.parametrize("end", [Do.CANCEL, Do.DELETE])
@pytest.mark.parametrize("crash", [[], [Crash()]])
@pytest.mark.parametrize("later", [[], [DAY]])
@pytest.mark.parametrize("attempt", [0, 1])
def test_a_run_whose_status_was_wiped_is_ended_in_oci_too(
    end: Do, crash: list[EditedCommand], later: list[EditedCommand], attempt: int
) -> None:
    failed: list[EditedCommand] = [
        Progress(RunState.IN_PROGRESS),
        Live(3),
        Progress(RunState.FAILED),
        *WORK,
    ]
    history = [*WORK, *(failed if attempt else []), Progress(RunState.IN_PROGRESS), Live(3)]
    scenario = edited_history(
        Circumstances(backoff_limit=3),
        [*history, *later, Edit.WIPE, end, *crash, *WORK, Progress(RunState.CANCELED), *WORK],
    )
    oci, api = scenario.world.oci, scenario.world.api
    assert len(oci.runs) == attempt + 1
    assert oci.runs[-1].began(RunState.CANCELING)
    assert not any(run.live for run in oci.runs)
    if end is Do.DELETE:
        assert api.object is None
    else:
        assert api.present.status.phase is Phase.CANCELLED


@pytest.mark.parametrize("steps", range(1, 9))
def test_a_process_that_ends_before_it_has_searched_takes_nothing_for_granted(steps: int) -> None:
    """The next one finds an intent that is young, with a token that OCI may have forgotten."""
    history = [*WORK, Progress(RunState.IN_PROGRESS), Live(3), DAY, Edit.WIPE]
    scenario = edited_history(
        Circumstances(), [*history, Crash(), Steps(steps), Crash(), *WORK, *WORK]
    )
    assert len(scenario.world.oci.runs) == 1
    assert scenario.world.api.present.status.job_run_id == scenario.world.oci.runs[0].id


def test_a_token_that_somebody_has_written_is_not_sent() -> None:
    scenario = edited_history(Circumstances(), [*WORK, Progress(RunState.IN_PROGRESS), Live(3)])
    status = scenario.world.api.present.status
    assert status.submit is not None
    submit = status.submit.model_copy(update={"token": "0" * 60})
    scenario.world.api.edit_status(submit=submit, job_run_id=None)
    scenario.play_edited([Crash(), *WORK])
    assert len(scenario.world.oci.runs) == 1
