"""What every service stands on: the tenancy, its state, time and rules."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from oci_emulator.calls.call import Answer, Call, shown
from oci_emulator.calls.errors import invalid, not_found
from oci_emulator.calls.paging import page_of
from oci_emulator.conduct.lags import Lags, Profile
from oci_emulator.conduct.rules import RuleBook, Rules
from oci_emulator.formats import ocid
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.principals.compartments import Compartments
from oci_emulator.state.content import ContentStore
from oci_emulator.state.database import Database
from oci_emulator.state.resources import Resource, Resources, Selection
from oci_emulator.time.clock import Clock, timestamp
from oci_emulator.time.timers import Timers

_TAGS = ("freeformTags", "definedTags")
_FORMER = "formerTags"
"""What lists and searches show of tags, and until when, in a resource's inner part."""
_SORTS: Mapping[str, str] = MappingProxyType({"displayname": "name", "name": "name"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenancy:
    """The tenancy and its home region.

    Attributes:
        namespace: of Object Storage.
    """

    id: str
    name: str
    region: str
    region_key: str
    namespace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Foundation:
    """The parts that the services share."""

    tenancy: Tenancy
    database: Database
    resources: Resources
    clock: Clock
    timers: Timers
    book: RuleBook
    profile: Profile
    compartments: Compartments
    content: ContentStore

    @property
    def rules(self) -> Rules:
        """The rules in force."""
        return self.book.rules

    @property
    def lags(self) -> Lags:
        """The lags in force."""
        return self.profile.lags

    def new_ocid(self, resource_type: str) -> str:
        """A fresh OCID in the region."""
        return ocid.new(resource_type, self.tenancy.region_key)

    def add(self, resource: Resource) -> Resource:
        """Keep a new resource and note when it is due; its tags are not indexed yet."""
        self._index_later(resource, {}, resource.created)
        self.resources.add(resource)
        self.timers.schedule(resource)
        return resource

    def save(self, resource: Resource, *, visible: bool = True) -> Resource:
        """Keep a changed resource and note when it is due."""
        self.resources.save(resource, visible=visible)
        self.timers.schedule(resource)
        return resource

    def page(
        self, call: Call, selection: Selection, *, sorts: Mapping[str, str] = _SORTS
    ) -> Answer:
        """A page of a list, ordered and filtered as the query says.

        ``displayName``, ``id``, ``lifecycleState`` and ``createdBy`` filter where an operation
        has them; a list shows creations and deletions after the lag of the profile.

        ``sorts``: value of ``sortBy``, in lower case -> what is sorted by, if not by the creation.
        """
        query = call.query
        columns = {
            "displayName": "name",
            "id": "id",
            "lifecycleState": "state",
            "createdBy": "creator",
            "ownerPrincipalId": "creator",
        }
        given = {columns[name]: query[name] for name in columns if name in query}
        sort = sorts.get(query.get("sortBy", "").lower(), "created")
        descending = query.get("sortOrder", "ASC" if sort == "name" else "DESC") == "DESC"
        hides_deleted = not self.rules.deleted_in_lists and "state" not in given
        selection = replace(
            selection,
            equal={**selection.equal, **given},
            sort=sort,
            descending=descending,
            created_until=call.now - self.lags.list if self.lags.list else None,
            without_state="DELETED" if hides_deleted else None,
        )
        return page_of(
            self.resources,
            selection,
            call,
            default_limit=self.rules.default_page_size,
            show=lambda resource: self.indexed(resource, call.now),
        )

    def indexed(self, resource: Resource, now: float) -> JsonObject:
        """A resource as lists and searches show it: new tags come to them after a lag."""
        former = resource.inner.get(_FORMER)
        if former is None or now >= former["until"]:
            return resource.body
        tags = {name: former["tags"].get(name, {}) for name in _TAGS if name in resource.body}
        return resource.body | tags

    def _index_later(self, resource: Resource, former: JsonObject, now: float) -> None:
        if self.lags.tag:
            resource.inner[_FORMER] = {"until": now + self.lags.tag, "tags": former}

    def find(self, call: Call, kind: str, identifier: str) -> Resource:
        """The resource that a call is about, if its principal may do that with it.

        Raises:
            ServiceError: 404, there is none, or it may not.
        """
        resource = self.resources.get(kind, identifier)
        if resource is None:
            raise not_found(identifier[:255])
        call.require(resource.compartment)
        return resource

    def move(self, call: Call, resource: Resource) -> Answer:
        """Move a resource to the compartment that a request names.

        Raises:
            ServiceError: 404, there is none, or the principal may not do that there.
        """
        target = call.body["compartmentId"]
        call.require(target)
        resource.compartment = resource.body["compartmentId"] = target
        self.save(resource)
        return Answer(status=204, headers={"etag": resource.etag}, resource=resource.id)

    def again(self, kind: str, identifier: str) -> Answer:
        """The answer to a replayed creation: the resource as it is now.

        Raises:
            ServiceError: 404, it is no more.
        """
        resource = self.resources.get(kind, identifier)
        if resource is None:
            raise not_found(identifier)
        return shown(resource)

    def tags(self, call: Call, details: Mapping[str, JsonObject]) -> dict[str, JsonObject]:
        """The tags of a new resource: those of the request, and the tenancy's defaults.

        Raises:
            ServiceError: 400, there are too many.
        """
        check_tags(details, self.rules)
        defined = dict(details.get("definedTags", {}))
        if self.rules.oracle_tags:
            defaults = {"CreatedBy": call.principal.id, "CreatedOn": timestamp(call.now)}
            defined["Oracle-Tags"] = {**defaults, **defined.get("Oracle-Tags", {})}
        return {"freeformTags": details.get("freeformTags", {}), "definedTags": defined}

    def retag(self, resource: Resource, details: Mapping[str, JsonObject]) -> None:
        """Replace a resource's tags by those of an update, if it has some.

        Raises:
            ServiceError: 400, there are too many.
        """
        check_tags(details, self.rules)
        given = {name: details[name] for name in _TAGS if name in details}
        if given:
            now = self.clock.now()
            before = self.indexed(resource, now)
            self._index_later(resource, {name: before.get(name, {}) for name in _TAGS}, now)
            resource.body |= given


_LONGEST_KEY = 100
_LONGEST_VALUE = 256
_LONGEST_NAME = 255
_LONGEST_DESCRIPTION = 400


def check_tags(details: Mapping[str, JsonObject], rules: Rules) -> None:
    """Check number and size of tags.

    Raises:
        ServiceError: 400, there are too many, or one is too long.
    """
    freeform = details.get("freeformTags", {})
    if len(freeform) > rules.freeform_tags_maximum:
        raise invalid(
            f"freeformTags: a resource has at most {rules.freeform_tags_maximum} free-form tags,"
            f" not {len(freeform)}"
        )
    for key, value in freeform.items():
        if not 1 <= len(key) <= _LONGEST_KEY or len(value) > _LONGEST_VALUE:
            raise invalid(
                f"freeformTags.{key[:_LONGEST_KEY]}: a key has 1 to {_LONGEST_KEY} characters, a"
                f" value at most {_LONGEST_VALUE}"
            )


def check_names(details: Mapping[str, str]) -> None:
    """Check the lengths of display name and description.

    Raises:
        ServiceError: 400, one is too long or empty.
    """
    if "displayName" in details and not 1 <= len(details["displayName"]) <= _LONGEST_NAME:
        raise invalid(f"displayName: must have 1 to {_LONGEST_NAME} characters")
    if len(details.get("description", "")) > _LONGEST_DESCRIPTION:
        raise invalid(f"description: must have at most {_LONGEST_DESCRIPTION} characters")
