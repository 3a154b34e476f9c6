"""File systems, made through the control API: the File Storage service is not here, but searches find what it has."""

from collections.abc import Sequence

from oci_emulator.control.call import ControlCall, Route
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.foundation import Foundation
from oci_emulator.state.resources import Resource
from oci_emulator.time.clock import timestamp


class FileSystemControl:
    """Makes mount targets with an address and an export."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation

    def routes(self) -> Sequence[Route]:
        """What it answers."""
        return (("PUT", "file-systems/{address}", self._put),)

    def _put(self, call: ControlCall) -> JsonObject:
        """A mount target at an IP address, and an export with the ``path``.

        As in the service, an address is that of a private IP, which the mount target names.

        Raises:
            ValueError: there is no path.
        """
        path = call.body.get("path")
        if not isinstance(path, str) or not path.startswith("/"):
            raise ValueError("path: of the export, from the root")
        address = self._add("privateip", call.path["address"], {})
        target = self._add("mounttarget", "mount target", {"privateIpIds": [address.id]})
        export = self._add("export", path, {"path": path})
        return {"mountTargetId": target.id, "exportId": export.id}

    def _add(self, kind: str, name: str, details: JsonObject) -> Resource:
        foundation = self._foundation
        now = foundation.clock.now()
        identifier = foundation.new_ocid(kind)
        return foundation.add(
            Resource(
                id=identifier,
                kind=kind,
                compartment=foundation.tenancy.id,
                created=now,
                body={
                    "id": identifier,
                    "displayName": name,
                    "timeCreated": timestamp(now),
                    "lifecycleState": "ACTIVE",
                    "additionalDetails": details,
                },
            )
        )
