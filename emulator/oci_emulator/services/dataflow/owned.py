"""What resources of Data Flow have alike: an owner, kinds and OCIDs, and how they are found and listed."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from oci_emulator.calls.call import Answer, Call
from oci_emulator.calls.errors import conflict, invalid, not_found
from oci_emulator.calls.principal import Principal
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.foundation import Foundation
from oci_emulator.state.resources import Resource, Selection
from oci_emulator.time.clock import timestamp

APPLICATION = "dataflowapplication"
RUN = "dataflowrun"
POOL = "dataflowpool"
PRIVATE_ENDPOINT = "dataflowprivateendpoint"
"""The kinds, which are the types in OCIDs too."""

_VARIABLES = {APPLICATION: "target.application.id", RUN: "target.run.id", POOL: "target.pool.id"}
_PAGING = {"limit", "page"}
_SORTING = {"sortBy", "sortOrder"}
_SORTS: Mapping[str, str] = {
    "displayname": "name",
    **{
        field.lower(): f"$.{field}"
        for field in (
            "language",
            "lifecycleState",
            "runDurationInMilliseconds",
            "totalOCpu",
            "dataReadInBytes",
            "dataWrittenInBytes",
        )
    },
}


def new(
    foundation: Foundation, call: Call, kind: str, body: JsonObject, *, parent: str = ""
) -> Resource:
    """A resource of Data Flow, which the principal of a call owns from now on."""
    stamp = timestamp(call.now)
    own = {
        **body,
        **foundation.tags(call, body),
        "id": foundation.new_ocid(kind),
        "ownerPrincipalId": call.principal.id,
        "timeCreated": stamp,
        "timeUpdated": stamp,
    }
    user = foundation.resources.get("user", call.principal.id)
    if user is not None:
        own["ownerUserName"] = user.name
    return Resource(
        id=own["id"],
        kind=kind,
        compartment=body["compartmentId"],
        parent=parent,
        created=call.now,
        body=own,
        inner={"owner": {**asdict(call.principal), "groups": sorted(call.principal.groups)}},
    )


def owner_of(resource: Resource) -> Principal:
    """Who created it; a run acts with the rights of its owner."""
    owner = resource.inner["owner"]
    return Principal(**{**owner, "groups": frozenset(owner["groups"])})


def require_creation(call: Call, permission: str) -> None:
    """Require that a principal may create something in the compartment that a request names.

    ``permission``: its name, as conditions of policies know it.

    Raises:
        ServiceError: 404, it may not.
    """
    call.require(call.body["compartmentId"], variables={"request.permission": permission})


def find(foundation: Foundation, call: Call, kind: str, identifier: str) -> Resource:
    """The resource that a call is about, if its principal may do that with it.

    Raises:
        ServiceError: 404, there is none, or it may not.
    """
    resource = foundation.resources.get(kind, identifier)
    if resource is None:
        raise not_found(identifier[:255])
    call.require(resource.compartment, variables=variables_of(resource))
    return resource


def variables_of(resource: Resource) -> Mapping[str, str]:
    """What conditions of policies can ask about a resource."""
    named = {_VARIABLES[resource.kind]: resource.id} if resource.kind in _VARIABLES else {}
    return {"target.user.id": resource.creator, **named}


def steady(
    foundation: Foundation, call: Call, kind: str, identifier: str, states: tuple[str, ...]
) -> Resource:
    """Likewise, if it has the etag of the request and is in one of these states.

    Raises:
        ServiceError: 404; 412, it has another etag; 409, it is in another state.
    """
    resource = find(foundation, call, kind, identifier)
    call.match(resource)
    if resource.state not in states:
        raise conflict(
            "IncorrectState",
            f"{resource.id} is {resource.state}, it must be {' or '.join(states)} for this.",
        )
    return resource


def page(foundation: Foundation, call: Call, selection: Selection) -> Answer:
    """A page of a list in a compartment, with the filters that lists of Data Flow have.

    Raises:
        ServiceError: 404, the principal may not list; 400, there are more filters than one.
    """
    query = call.query
    call.require(query["compartmentId"])
    _check_filters(query, foundation.rules.dataflow_list_filters)
    equal = {"compartment": query["compartmentId"]}
    if "applicationId" in query:
        equal["parent"] = query["applicationId"]
    fields = {f"$.{name}": query[name] for name in ("sparkVersion", "poolId") if name in query}
    created_after = None
    if "timeCreatedGreaterThan" in query:
        created_after = _seconds("timeCreatedGreaterThan", query["timeCreatedGreaterThan"])
    selection = replace(
        selection,
        equal=equal,
        fields=fields,
        name_prefix=query.get("displayNameStartsWith", ""),
        created_after=created_after,
    )
    return foundation.page(call, selection, sorts=_SORTS)


def _seconds(name: str, text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise invalid(f"{name}: must be an RFC 3339 time, not {text[:100]!r}") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _check_filters(query: Mapping[str, Any], allowed: str) -> None:
    """Check that a list is asked for with one parameter besides the compartment."""
    if allowed == "any":
        return
    free = {"compartmentId"} | _PAGING | (_SORTING if allowed == "one-filter" else set())
    given = [name for name in query if name not in free]
    if len(given) > 1:
        raise invalid(
            f"{given[1]}: only one parameter may be given besides compartmentId, and there is"
            f" {given[0]} already"
        )
