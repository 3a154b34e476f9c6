"""The operations of Logging, of its search and of its ingestion."""

from collections.abc import Mapping

from oci_emulator.calls.call import Endpoint
from oci_emulator.services.logging.groups import LogGroups
from oci_emulator.services.logging.ingestion import Ingestion
from oci_emulator.services.logging.search import LogSearch
from oci_emulator.services.work_requests import WorkRequests

GROUPS = "log-groups"
CONTENT = "log-content"


def management(groups: LogGroups, work: WorkRequests) -> Mapping[str, Endpoint]:
    """Log groups, logs and work requests."""
    return {
        "CreateLogGroup": Endpoint(handle=groups.create_group, verb="manage", family=GROUPS),
        "GetLogGroup": Endpoint(handle=groups.get_group, verb="read", family=GROUPS),
        "ListLogGroups": Endpoint(handle=groups.list_groups, verb="inspect", family=GROUPS),
        "UpdateLogGroup": Endpoint(handle=groups.update_group, verb="use", family=GROUPS),
        "DeleteLogGroup": Endpoint(handle=groups.delete_group, verb="manage", family=GROUPS),
        "ChangeLogGroupCompartment": Endpoint(
            handle=groups.move_group, verb="manage", family=GROUPS
        ),
        "CreateLog": Endpoint(handle=groups.create_log, verb="use", family=GROUPS),
        "GetLog": Endpoint(handle=groups.get_log, verb="read", family=GROUPS),
        "ListLogs": Endpoint(handle=groups.list_logs, verb="inspect", family=GROUPS),
        "UpdateLog": Endpoint(handle=groups.update_log, verb="use", family=GROUPS),
        "DeleteLog": Endpoint(handle=groups.delete_log, verb="use", family=GROUPS),
        "ChangeLogLogGroup": Endpoint(handle=groups.move_log, verb="use", family=GROUPS),
        "GetWorkRequest": Endpoint(handle=work.get, verb="read", family=GROUPS),
        "ListWorkRequests": Endpoint(handle=work.list_all, verb="inspect", family=GROUPS),
        "ListWorkRequestLogs": Endpoint(handle=work.logs, verb="read", family=GROUPS),
        "ListWorkRequestErrors": Endpoint(handle=work.errors, verb="read", family=GROUPS),
    }


def search(log_search: LogSearch) -> Mapping[str, Endpoint]:
    """The search."""
    return {"SearchLogs": Endpoint(handle=log_search.search, verb="read", family=CONTENT)}


def ingestion(entries: Ingestion) -> Mapping[str, Endpoint]:
    """The ingestion."""
    return {"PutLogs": Endpoint(handle=entries.put, verb="use", family=CONTENT)}
