"""Faults through the control API: injected, shown, waited for, removed."""

from collections.abc import Sequence

from oci_emulator.calls.errors import no_such_path
from oci_emulator.control.call import ControlCall, Route, only
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.server.faults import Faults

_LONGEST_WAIT = 600.0


class FaultControl:
    """Injects faults and removes them."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def routes(self) -> Sequence[Route]:
        """What it answers."""
        return (
            ("GET", "faults", self._list),
            ("POST", "faults", self._add),
            ("DELETE", "faults", self._clear),
            ("DELETE", "faults/{id}", self._remove),
        )

    async def _list(self, call: ControlCall) -> JsonObject:
        only(call.query, "wait")
        await self._faults.wait(min(float(call.query.get("wait", 0)), _LONGEST_WAIT))
        return self._shown()

    def _shown(self) -> JsonObject:
        return {"faults": [fault.as_json() for fault in self._faults.all()]}

    def _add(self, call: ControlCall) -> JsonObject:
        return self._faults.add(call.body).as_json()

    def _clear(self, call: ControlCall) -> JsonObject:  # noqa: ARG002  # a handler like others
        self._faults.clear()
        return self._shown()

    def _remove(self, call: ControlCall) -> JsonObject:
        if not self._faults.remove(int(call.path["id"])):
            raise no_such_path(f"There is no fault {call.path['id']}.")
        return self._shown()
