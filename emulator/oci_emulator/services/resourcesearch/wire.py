"""The operations of Resource Search."""

from collections.abc import Mapping
from dataclasses import dataclass

from oci_emulator.calls.call import Answer, Call, Endpoint
from oci_emulator.calls.errors import invalid, not_found
from oci_emulator.calls.paging import collection, items_page
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.foundation import Foundation
from oci_emulator.services.resourcesearch import language
from oci_emulator.services.resourcesearch.language import Query, QueryError
from oci_emulator.state.resources import Resource, Selection

_MAXIMUM = 1000
_DEFAULT = 500
_FIELDS = {
    "displayName": "STRING",
    "compartmentId": "IDENTIFIER",
    "identifier": "IDENTIFIER",
    "lifecycleState": "STRING",
    "timeCreated": "DATETIME",
    "freeformTags": "OBJECT",
    "definedTags": "OBJECT",
}


@dataclass(frozen=True, slots=True)
class _Type:
    """How a kind of resource is found: its type's name, and what one needs to inspect it."""

    name: str
    family: str


_TYPES: Mapping[str, _Type] = {
    "project": _Type("DataScienceProject", "data-science-projects"),
    "job": _Type("DataScienceJob", "data-science-jobs"),
    "jobrun": _Type("DataScienceJobRun", "data-science-job-runs"),
    "schedule": _Type("DataScienceSchedule", "data-science-schedules"),
    "dataflowapplication": _Type("DataFlowApplication", "dataflow-application"),
    "dataflowrun": _Type("DataFlowRun", "dataflow-run"),
    "loggroup": _Type("LogGroup", "log-groups"),
    "log": _Type("Log", "log-groups"),
    "bucket": _Type("Bucket", "buckets"),
    "compartment": _Type("Compartment", "compartments"),
    "user": _Type("User", "users"),
    "secret": _Type("VaultSecret", "secrets"),
    "privateip": _Type("PrivateIp", "private-ips"),
    "mounttarget": _Type("MountTarget", "mount-targets"),
    "export": _Type("Export", "export-sets"),
}
_BY_NAME = {resource_type.name.lower(): kind for kind, resource_type in _TYPES.items()}


class ResourceSearch:
    """Finds resources, as far as the caller may inspect them."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation

    def endpoints(self) -> Mapping[str, Endpoint]:
        """The operations."""
        return {
            "SearchResources": Endpoint(handle=self.search, verb="inspect", family=""),
            "ListResourceTypes": Endpoint(handle=self.list_types, verb="inspect", family=""),
            "GetResourceType": Endpoint(handle=self.get_type, verb="inspect", family=""),
        }

    def search(self, call: Call) -> Answer:
        """SearchResources: by a query, or by a text that some attribute contains."""
        try:
            query = _query(call.body)
            found = [shown for shown in self._visible(call, query) if _fits(shown, query)]
        except QueryError as error:
            raise invalid(f"query: {error}") from None
        field, descending = query.sort
        found.sort(key=lambda shown: str(shown.get(field, "")), reverse=descending)
        return collection(items_page(found, call, default_limit=_DEFAULT, maximum=_MAXIMUM))

    def _visible(self, call: Call, query: Query) -> list[JsonObject]:
        if strangers := query.types - _BY_NAME.keys():
            raise QueryError(
                f"{min(strangers)!r} is no resource type here; there are"
                f" {', '.join(sorted(_BY_NAME))}"
            )
        kinds = [_BY_NAME[name] for name in sorted(query.types)] or list(_TYPES)
        until = call.now - self._foundation.lags.search
        # Whoever calls is somebody; what they see is decided for each resource.
        call.authorized = True
        return [
            _summary(resource, self._foundation.indexed(resource, call.now))
            for kind in kinds
            for resource in self._foundation.resources.select(
                Selection(kind=kind, created_until=until)
            )
            if call.permits(resource.compartment, family=_TYPES[kind].family)
        ]

    def list_types(self, call: Call) -> Answer:
        """ListResourceTypes: the same for everyone."""
        call.authorized = True
        return items_page([_described(kind) for kind in _TYPES], call, default_limit=_DEFAULT)

    def get_type(self, call: Call) -> Answer:
        """GetResourceType."""
        call.authorized = True
        kind = _BY_NAME.get(call.path["name"].lower())
        if kind is None:
            raise not_found(f"resource type {call.path['name'][:255]}")
        return Answer(body=_described(kind))


def _query(details: JsonObject) -> Query:
    if details["type"] == "Structured":
        return language.parse(details["query"])
    return language.Query(types=frozenset(), condition=lambda _: True, text=details["text"].lower())


def _fits(shown: JsonObject, query: Query) -> bool:
    if not query.condition(shown):
        return False
    return not query.text or any(query.text in value for value in _texts(shown))


def _texts(value: object) -> list[str]:
    """All texts in a document, in lower case: the keys of tags, and every value."""
    if isinstance(value, dict):
        return [
            text
            for name, part in value.items()
            for text in (*([] if name in _SUMMARY else [str(name).lower()]), *_texts(part))
        ]
    return [str(value).lower()]


_SUMMARY = frozenset({*_FIELDS, "resourceType"})


def _summary(resource: Resource, indexed: JsonObject) -> JsonObject:
    shown: JsonObject = {
        "resourceType": _TYPES[resource.kind].name,
        "identifier": resource.id,
        "compartmentId": resource.compartment,
        "timeCreated": resource.body.get("timeCreated") or resource.body.get("timeAccepted"),
        "displayName": resource.name,
        "freeformTags": indexed.get("freeformTags", {}),
        "definedTags": indexed.get("definedTags", {}),
    }
    if details := resource.body.get("additionalDetails"):
        shown["additionalDetails"] = details
    if resource.state:
        shown["lifecycleState"] = resource.state
    return shown


def _described(kind: str) -> JsonObject:
    fields = [{"fieldName": name, "fieldType": each} for name, each in _FIELDS.items()]
    return {"name": _TYPES[kind].name, "fields": fields}
