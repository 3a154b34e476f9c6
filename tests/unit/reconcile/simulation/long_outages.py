"""An outage that is longer than OCI remembers a retry token, and a creation in it that nobody was told of."""

from __future__ import annotations

from typing import TypeAlias

from hypothesis import strategies as st
from tests.unit.reconcile.simulation.commands import Crash, Live, Outage, Sleep
from tests.unit.reconcile.simulation.weather import Mishap

from ocijobs.reconcile.actions.calls import Operation

OutageCommand: TypeAlias = Live | Sleep | Crash | Outage

_UNANSWERED = st.sampled_from([Mishap.DROPPED, Mishap.LATE, Mishap.LOST])
_LIVING = st.sampled_from([3.0, 10.0, 60.0]).map(Live)
_DAYS = st.sampled_from([25.0 * 3600, 50.0 * 3600]).map(Sleep)
_RESTARTS: st.SearchStrategy[list[OutageCommand]] = st.sampled_from([[], [Crash()]])


@st.composite
def unanswered_for_days(draw: st.DrawFn) -> list[OutageCommand]:
    """Return commands by which an intent gets older than its token, whose call may have been carried out."""
    outage = Outage(Operation.CREATE, draw(_UNANSWERED))
    living = draw(st.lists(_LIVING, min_size=2, max_size=3))
    return [outage, *living, *draw(_RESTARTS), draw(_DAYS)]
