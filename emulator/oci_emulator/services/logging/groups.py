"""Log groups and logs."""

import re
from collections.abc import Mapping
from typing import Any

from oci_emulator.calls.call import Answer, Call, shown
from oci_emulator.calls.errors import conflict, invalid, not_found
from oci_emulator.services.foundation import Foundation, check_tags
from oci_emulator.services.logging.changes import GROUP, LOG, LogChanges
from oci_emulator.state.resources import Resource, Selection
from oci_emulator.time.clock import timestamp

_NAME = re.compile(r"[A-Za-z_][\w.-]{0,255}")
_RETENTION = range(30, 181, 30)


class LogGroups:
    """Log groups and logs; what changes them is carried out by work requests."""

    def __init__(self, foundation: Foundation, changes: LogChanges) -> None:
        self._foundation = foundation
        self._changes = changes

    # Log groups

    def create_group(self, call: Call) -> Answer:
        """CreateLogGroup."""
        details = call.body
        call.require(details["compartmentId"])
        self._check_name(GROUP, details["compartmentId"], "", details["displayName"])
        body = {
            "id": self._foundation.new_ocid("loggroup"),
            **details,
            **self._foundation.tags(call, details),
            "timeCreated": timestamp(call.now),
            "timeLastModified": timestamp(call.now),
            "lifecycleState": "ACTIVE",
        }
        group = Resource(
            id=body["id"],
            kind=GROUP,
            compartment=details["compartmentId"],
            created=call.now,
            body=body,
        )
        return self._changes.request("CREATE_LOG_GROUP", group, call)

    def get_group(self, call: Call) -> Answer:
        """GetLogGroup."""
        return shown(self._group(call))

    def list_groups(self, call: Call) -> Answer:
        """ListLogGroups."""
        compartment = call.query["compartmentId"]
        call.require(compartment)
        if call.query.get("isCompartmentIdInSubtree"):
            within = tuple(self._foundation.compartments.subtree(compartment))
            return self._foundation.page(call, Selection(kind=GROUP, compartments=within))
        selection = Selection(kind=GROUP, equal={"compartment": compartment})
        return self._foundation.page(call, selection)

    def update_group(self, call: Call) -> Answer:
        """UpdateLogGroup."""
        group = self._group(call)
        call.match(group)
        if "displayName" in call.body and call.body["displayName"] != group.name:
            self._check_name(GROUP, group.compartment, "", call.body["displayName"])
        check_tags(call.body, self._foundation.rules)
        return self._changes.request("UPDATE_LOG_GROUP", group, call, changes=call.body)

    def delete_group(self, call: Call) -> Answer:
        """DeleteLogGroup: only without logs."""
        group = self._group(call)
        call.match(group)
        if self._foundation.resources.count(Selection(kind=LOG, equal={"parent": group.id})):
            raise conflict("Conflict", f"Log group {group.id} has logs.")
        return self._changes.request("DELETE_LOG_GROUP", group, call)

    def move_group(self, call: Call) -> Answer:
        """ChangeLogGroupCompartment."""
        group = self._group(call)
        call.match(group)
        target = call.body.get("compartmentId", "")
        call.require(target)
        return self._changes.request(
            "MOVE_LOG_GROUP", group, call, changes={"compartmentId": target}
        )

    # Logs

    def create_log(self, call: Call) -> Answer:
        """CreateLog."""
        group = self._group(call)
        details = call.body
        self._check_name(LOG, group.compartment, group.id, details["displayName"])
        if details["logType"] == "SERVICE" and "configuration" not in details:
            raise invalid("configuration: a SERVICE log names its source in it")
        retention = details.get("retentionDuration", _RETENTION.start)
        if retention not in _RETENTION:
            raise invalid("retentionDuration: must be 30, 60, 90, 120, 150 or 180 days")
        log = self._new_log(
            group,
            details["displayName"],
            call.now,
            {**details, **self._foundation.tags(call, details), "retentionDuration": retention},
        )
        return self._changes.request("CREATE_LOG", log, call)

    def get_log(self, call: Call) -> Answer:
        """GetLog."""
        return shown(self._logger(call))

    def list_logs(self, call: Call) -> Answer:
        """ListLogs."""
        group = self._group(call)
        paths = {
            "logType": "$.logType",
            "sourceService": "$.configuration.source.service",
            "sourceResource": "$.configuration.source.resource",
        }
        fields = {path: call.query[name] for name, path in paths.items() if name in call.query}
        selection = Selection(kind=LOG, equal={"parent": group.id}, fields=fields)
        return self._foundation.page(call, selection)

    def update_log(self, call: Call) -> Answer:
        """UpdateLog."""
        log = self._logger(call)
        call.match(log)
        check_tags(call.body, self._foundation.rules)
        if "displayName" in call.body and call.body["displayName"] != log.name:
            self._check_name(LOG, log.compartment, log.parent, call.body["displayName"])
        changes = dict(call.body)
        if "configuration" in changes:
            changes["configuration"] = _configured(log, changes["configuration"])
        return self._changes.request("UPDATE_LOG", log, call, changes=changes)

    def delete_log(self, call: Call) -> Answer:
        """DeleteLog."""
        log = self._logger(call)
        call.match(log)
        return self._changes.request("DELETE_LOG", log, call)

    def move_log(self, call: Call) -> Answer:
        """ChangeLogLogGroup."""
        log = self._logger(call)
        call.match(log)
        target = self._foundation.find(call, GROUP, call.body.get("targetLogGroupId", ""))
        changes = {"logGroupId": target.id, "compartmentId": target.compartment}
        return self._changes.request("MOVE_LOG", log, call, changes=changes)

    # For other services

    def usable_log(self, group_id: str, log_id: str) -> bool:
        """Whether there is such a log in the group."""
        log = self._foundation.resources.get(LOG, log_id)
        return log is not None and log.parent == group_id

    def usable_group(self, group_id: str) -> bool:
        """Whether there is such a group."""
        return self._foundation.resources.get(GROUP, group_id) is not None

    def auto_create(self, group_id: str, name: str, now: float) -> str | None:
        """A log that a service makes by itself; None if there is no such group."""
        group = self._foundation.resources.get(GROUP, group_id)
        if group is None:
            return None
        details = {
            "logType": "CUSTOM",
            "retentionDuration": _RETENTION.start,
            "freeformTags": {},
            "definedTags": {},
        }
        return self._foundation.add(self._new_log(group, name, now, details)).id

    def _new_log(
        self, group: Resource, name: str, now: float, details: Mapping[str, Any]
    ) -> Resource:
        body = {
            "isEnabled": True,
            **details,
            "id": self._foundation.new_ocid("log"),
            "displayName": name,
            "tenancyId": self._foundation.tenancy.id,
            "logGroupId": group.id,
            "compartmentId": group.compartment,
            "lifecycleState": "ACTIVE",
            "timeCreated": timestamp(now),
            "timeLastModified": timestamp(now),
        }
        return Resource(
            id=body["id"],
            kind=LOG,
            compartment=group.compartment,
            parent=group.id,
            created=now,
            body=body,
        )

    def _group(self, call: Call) -> Resource:
        return self._foundation.find(call, GROUP, call.path["logGroupId"])

    def _logger(self, call: Call) -> Resource:
        group = self._group(call)
        log = self._foundation.resources.get(LOG, call.path["logId"])
        if log is None or log.parent != group.id:
            raise not_found(call.path["logId"][:255])
        return log

    def _check_name(self, kind: str, compartment: str, parent: str, name: str) -> None:
        """Display names are identifiers, and unique among their siblings."""
        if not _NAME.fullmatch(name):
            raise invalid(f"displayName: {name[:255]!r} must be a name without blanks")
        if self._changes.named(kind, compartment, parent, name) is not None:
            raise conflict("Conflict", f"There is a {kind} named {name!r} already.")


def _configured(log: Resource, update: Mapping[str, Any]) -> Mapping[str, Any]:
    """A log's configuration after an update, which names only the parameters of its source.

    Raises:
        ServiceError: 400, the log has no source.
    """
    before = log.body.get("configuration")
    if before is None:
        raise invalid("configuration: the log has no source whose parameters could change")
    return {**before, **update, "source": {**before["source"], **update["source"]}}
