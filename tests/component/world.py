"""The operator and the local OCI on one clock, which stands still until a test lets time pass.

Time passes from one moment at which the operator has something to do to the next: at each of them OCI is as it is
then, and the operator does all that it has to do before time goes on. So an hour takes as long as its requests take,
and the same test takes the same steps each time, however slow the machine is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import oci
import yaml
from kubernetes.client import ApiException
from tests.component.inside import Inside
from tests.support.namespace import Document, condition, is_synced, phase
from tests.support.patience import patience
from tests.support.stage import Stage

from oci_emulator.testing import JournalEntry
from ocijobs.api.crd import KINDS
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.testing import ManualClock

SETTINGS = {
    # Real time is no matter here: OCI's own limits are met by rules and faults.
    "oci_rate_max": 10_000,
    # What is done every few seconds whatever happens would be most of what an hour takes.
    "lease_duration_seconds": 7200,
    "lease_renew_seconds": 600,
    "identity_reread_seconds": 600,
}
"""All else is as an operator has it by default."""

_LEAST_STEP_SECONDS = 0.001
"""Rounding must not make steps that no clock notices."""

T = TypeVar("T")

_ENDED = frozenset({"Succeeded", "Failed", "Cancelled"})


class World:
    """A cluster, OCI, and an operator that works in them, at a time that the test moves.

    Attributes:
        stage: the namespace and what is asked of it without waiting.
        operator: the operator; killed and started again, it is another process with the same clock.
        clock: the operator's; the emulator's shows the same.
    """

    def __init__(self, stage: Stage, **settings: object) -> None:
        stage.emulator.set_rate(0)
        self.stage, self._settings, self._starts = stage, settings, 0
        self.clock = ManualClock(datetime.fromtimestamp(stage.emulator.now(), UTC))
        self.operator = Inside(stage, self.clock)

    async def start(self, **changes: object) -> None:
        """Start the operator, and return when it leads and has nothing to do.

        Each has a lease of its own: how one succeeds another is tested where two clocks are.
        """
        self._starts += 1
        self._settings |= changes
        lease = f"ocijobs-operator-{self._starts}"
        await self.operator.start(**{**SETTINGS, "lease_name": lease, **self._settings})
        await self.operator.until_leading()
        await self.settle()

    async def restart(self, **changes: object) -> None:
        """Kill the operator where it stands, and start another one, with other settings if given."""
        await self.operator.kill()
        await self.start(**changes)

    # Time

    async def settle(self) -> None:
        """Return when all is done that needs no time: the operator has seen what there is, and waits."""
        while self.operator.running:
            await self.operator.until_at_rest()
            if not self._unseen():
                return
            # The watch brings it, from another thread.
            await asyncio.sleep(0.002)

    async def pass_time(self, **duration: float) -> None:
        """Let time pass, as much as a timedelta of those arguments; what is due meanwhile happens at its time."""
        left = timedelta(**duration).total_seconds()
        await self.settle()
        while left > 0:
            left -= await self._step(left)

    async def until_so(self, is_so: Callable[[], T | None], *, within: timedelta, what: str) -> T:
        """Let time pass until something is so, and return it.

        Args:
            is_so: returns what is so, or None; asked at each moment at which the operator did something.
            within: how much time may pass.
            what: for the message, if it never is.
        """
        left = within.total_seconds()
        await self.settle()
        while (found := is_so()) is None:
            if left <= 0:
                raise AssertionError(f"{what}: not so within {within}")
            left -= await self._step(left)
        return found

    async def _step(self, left: float) -> float:
        """Let time pass until the operator has something to do, and have it done; return how much time it was.

        Args:
            left: how much time may pass, in seconds.
        """
        wake = self.clock.next_wake if self.operator.running else None
        seconds = left if wake is None else min(left, max(wake, _LEAST_STEP_SECONDS))
        # OCI goes first: what happens there until that moment is what the operator finds.
        self.stage.emulator.advance(seconds)
        self.clock.advance(seconds)
        if self.operator.running:
            before = self.operator.writes_to_be_seen
            await self.operator.until_at_rest()
            if self.operator.writes_to_be_seen != before:
                await self.settle()
        return seconds

    # What OCI takes time to make

    async def log_group(self, name: str = "runs") -> str:
        """Make a log group, which takes some seconds, and return its OCID."""
        client = self.stage.oci_client(oci.logging.LoggingManagementClient)
        details = oci.logging.models.CreateLogGroupDetails(
            compartment_id=self.stage.emulator.tenancy, display_name=name
        )
        request = client.create_log_group(details).headers["opc-work-request-id"]
        await self.pass_time(minutes=1)
        made = client.get_work_request(request).data.resources
        return str(made[0].identifier)

    # Objects

    def create(self, *documents: Document) -> None:
        """Create objects of ours."""
        for document in documents:
            self.stage.create(document)

    def find(self, kind: str, name: str) -> Document | None:
        """Return an object of ours, or None if there is none."""
        try:
            return self.stage.get(kind, name)
        except ApiException as error:
            if error.status == 404:
                return None
            raise

    async def until(
        self,
        kind: str,
        name: str,
        is_so: Callable[[Document], bool],
        *,
        within: timedelta = timedelta(hours=1),
    ) -> Document:
        """Let time pass until an object is so, and return it."""
        seen: dict[int, Document | None] = {}

        def look() -> Document | None:
            writes = self.operator.writes
            if writes in seen:
                return None
            seen.clear()
            found = seen[writes] = self.find(kind, name)
            return found if found is not None and is_so(found) else None

        try:
            return await self.until_so(look, within=within, what=f"{kind} {name}")
        except AssertionError as error:
            raise AssertionError(f"{error}; it is:\n{yaml.safe_dump([*seen.values()])}") from None

    async def until_ended(self, name: str, *, within: timedelta = timedelta(hours=1)) -> Document:
        """Let time pass until a run has ended, and return it."""
        return await self.until("OCIJobRun", name, lambda o: phase(o) in _ENDED, within=within)

    async def until_phase(
        self, name: str, wanted: str, *, within: timedelta = timedelta(hours=1)
    ) -> Document:
        """Let time pass until a run has a phase, and return it."""
        return await self.until("OCIJobRun", name, lambda o: phase(o) == wanted, within=within)

    async def until_reason(
        self, kind: str, name: str, reason: str, *, within: timedelta = timedelta(hours=1)
    ) -> Document:
        """Let time pass until `Ready` has the reason, and return the object."""
        return await self.until(
            kind, name, lambda o: condition(o, "Ready")["reason"] == reason, within=within
        )

    async def until_synced(self, name: str, *, within: timedelta = timedelta(hours=1)) -> Document:
        """Let time pass until an OCIJob is in OCI as its newest manifest says, and return it."""
        return await self.until("OCIJob", name, is_synced, within=within)

    async def until_gone(
        self, kind: str, name: str, *, within: timedelta = timedelta(hours=1)
    ) -> None:
        """Let time pass until there is no such object."""
        await self.until_so(
            lambda: None if self.find(kind, name) else True,
            within=within,
            what=f"{kind} {name} is gone",
        )

    async def until_marked(self, kind: str, name: str) -> None:
        """Return when the control plane's own controllers, whose time is real, have marked an object for deletion."""
        async with asyncio.timeout(patience(60)):
            while True:
                found = self.find(kind, name)
                if found is None or "deletionTimestamp" in found["metadata"]:
                    return
                await asyncio.sleep(0.01)

    async def until_called(
        self, operation: str, *, count: int = 1, within: timedelta = timedelta(hours=1), **of: Any
    ) -> list[JournalEntry]:
        """Let time pass until OCI was called so often, and return the calls."""

        def calls() -> list[JournalEntry] | None:
            found = self.stage.emulator.journal(operation, **of)
            return found if len(found) >= count else None

        return await self.until_so(calls, within=within, what=operation)

    def _unseen(self) -> list[ObjectKey]:
        """Return the objects that the operator has not seen as they are, gone ones too."""
        there = {
            ObjectKey(kind.name, self.stage.namespace, document["metadata"]["name"]): document[
                "metadata"
            ]["resourceVersion"]
            for kind in KINDS
            for document in self.stage.all(kind.name)
        }
        seen = self.operator.seen()
        return [key for key in there.keys() | seen.keys() if there.get(key) != seen.get(key)]
