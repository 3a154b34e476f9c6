"""How Data Flow shows its work requests."""

from typing_extensions import override

from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.work_requests import Form
from oci_emulator.state.resources import Resource


class DataFlowForm(Form):
    """INPROGRESS in one word, ``operation`` for the operation, and numbers for all that is listed."""

    operation = "operation"
    running = "INPROGRESS"
    collections = True

    @override
    def resource(self, target: Resource, work_request: str) -> JsonObject:
        return {
            "id": 1,
            "actionType": self.running,
            "resourceType": target.kind,
            "resourceId": target.id,
            "workRequestid": work_request,
        }

    @override
    def note(self, message: JsonObject, number: int, work_request: str) -> JsonObject:
        return {**message, "id": number, "workRequestid": work_request}
