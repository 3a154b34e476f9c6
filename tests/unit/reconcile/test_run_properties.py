"""The core's contract for runs, over generated histories."""

from __future__ import annotations

from hypothesis import given
from tests.unit.reconcile.simulation.run_circumstances import Circumstances
from tests.unit.reconcile.simulation.run_history import Command, circumstances, histories
from tests.unit.reconcile.simulation.run_scenario import run_history


@given(circumstances(), histories())
def test_a_run_keeps_every_law_in_every_history(
    given_: Circumstances, history: list[Command]
) -> None:
    run_history(given_, history)


@given(circumstances(spark=True), histories())
def test_a_run_of_spark_keeps_every_law_in_every_history(
    given_: Circumstances, history: list[Command]
) -> None:
    run_history(given_, history)


@given(circumstances(stream=True), histories())
def test_a_stream_keeps_every_law_in_every_history(
    given_: Circumstances, history: list[Command]
) -> None:
    run_history(given_, history)
