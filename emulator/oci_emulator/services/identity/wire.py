"""The operations of Identity."""

from collections.abc import Mapping

from oci_emulator.calls.call import Answer, Call, Endpoint, shown
from oci_emulator.calls.errors import conflict, invalid, not_found
from oci_emulator.principals.compartments import KIND as COMPARTMENT
from oci_emulator.principals.directory import KIND as USER
from oci_emulator.schema import catalogue
from oci_emulator.services.foundation import Foundation
from oci_emulator.state.resources import Resource, Selection

_AVAILABILITY_DOMAINS = 3
_LONGEST_NAME = 100


class Identity:
    """Compartments, the tenancy, users and regions."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation

    def endpoints(self) -> Mapping[str, Endpoint]:
        """The operations."""
        return {
            "CreateCompartment": Endpoint(
                handle=self.create_compartment,
                verb="manage",
                family="compartments",
                again=self.again,
            ),
            "GetCompartment": Endpoint(
                handle=self.get_compartment, verb="inspect", family="compartments"
            ),
            "ListCompartments": Endpoint(
                handle=self.list_compartments, verb="inspect", family="compartments"
            ),
            "GetTenancy": Endpoint(handle=self.get_tenancy, verb="inspect", family="tenancies"),
            "GetUser": Endpoint(handle=self.get_user, verb="inspect", family="users"),
            "ListAvailabilityDomains": Endpoint(
                handle=self.list_availability_domains, verb="inspect", family="compartments"
            ),
            "ListRegions": Endpoint(handle=self.list_regions, verb="inspect", family="tenancies"),
            "ListRegionSubscriptions": Endpoint(
                handle=self.list_region_subscriptions, verb="inspect", family="tenancies"
            ),
        }

    def create_compartment(self, call: Call) -> Answer:
        """CreateCompartment."""
        details = call.body
        parent = details["compartmentId"]
        call.require(parent)
        name = details["name"]
        if not 1 <= len(name) <= _LONGEST_NAME:
            raise invalid(f"name: must have 1 to {_LONGEST_NAME} characters")
        if self._foundation.compartments.named(parent, name) is not None:
            raise conflict(
                "CompartmentAlreadyExists", f"There is a compartment {name!r} in {parent}."
            )
        compartment = self._foundation.compartments.add(
            name=name, description=details["description"], parent=parent, created=call.now
        )
        compartment.body |= self._foundation.tags(call, details)
        return shown(self._foundation.save(compartment))

    def again(self, identifier: str) -> Answer:
        """The answer to a replayed creation."""
        return self._foundation.again(COMPARTMENT, identifier)

    def get_compartment(self, call: Call) -> Answer:
        """GetCompartment; the tenancy is one."""
        identifier = call.path["compartmentId"]
        call.require(identifier)
        if identifier == self._foundation.tenancy.id:
            return Answer(body=self._root())
        return shown(self._foundation.find(call, COMPARTMENT, identifier))

    def _root(self) -> dict[str, object]:
        tenancy = self._foundation.tenancy
        return {
            "id": tenancy.id,
            "name": tenancy.name,
            "description": "The root compartment of the tenancy",
            "timeCreated": "2020-01-01T00:00:00.000Z",
            "lifecycleState": "ACTIVE",
            "freeformTags": {},
            "definedTags": {},
        }

    def list_compartments(self, call: Call) -> Answer:
        """ListCompartments: the children, or all that is below the tenancy."""
        parent = call.query["compartmentId"]
        call.require(parent)
        selection = Selection(kind=COMPARTMENT, equal={"parent": parent})
        if call.query.get("compartmentIdInSubtree"):
            if parent != self._foundation.tenancy.id:
                raise invalid("compartmentIdInSubtree: is only for the tenancy")
            selection = Selection(kind=COMPARTMENT)
        if "name" in call.query:
            name = {"name": call.query["name"]}
            selection = Selection(kind=COMPARTMENT, equal={**selection.equal, **name})
        return self._foundation.page(call, selection)

    def get_tenancy(self, call: Call) -> Answer:
        """GetTenancy."""
        tenancy = self._foundation.tenancy
        if call.path["tenancyId"] != tenancy.id:
            raise not_found(f"tenancy {call.path['tenancyId'][:255]}")
        call.require(tenancy.id)
        return Answer(
            body={
                "id": tenancy.id,
                "name": tenancy.name,
                "description": tenancy.name,
                "homeRegionKey": tenancy.region_key.upper(),
                "freeformTags": {},
                "definedTags": {},
            }
        )

    def get_user(self, call: Call) -> Answer:
        """GetUser; everyone may see themselves."""
        identifier = call.path["userId"]
        if identifier != call.principal.id:
            return shown(self._foundation.find(call, USER, identifier))
        call.authorized = True
        user: Resource | None = self._foundation.resources.get(USER, identifier)
        if user is None:
            raise not_found(identifier)
        return shown(user)

    def list_availability_domains(self, call: Call) -> Answer:
        """ListAvailabilityDomains: three of them, with a prefix of the tenancy's own."""
        call.require(call.query["compartmentId"])
        tenancy = self._foundation.tenancy
        prefix = tenancy.namespace[:4]
        return Answer(
            body=[
                {
                    "name": f"{prefix}:{tenancy.region.upper()}-AD-{number}",
                    "id": f"ocid1.availabilitydomain.oc1..{prefix}{number}",
                    "compartmentId": tenancy.id,
                }
                for number in range(1, _AVAILABILITY_DOMAINS + 1)
            ]
        )

    def list_regions(self, call: Call) -> Answer:
        """ListRegions: of the commercial realm, for everyone."""
        call.authorized = True
        return Answer(
            body=[{"key": key.upper(), "name": name} for name, key in catalogue.regions().items()]
        )

    def list_region_subscriptions(self, call: Call) -> Answer:
        """ListRegionSubscriptions: the home region alone."""
        tenancy = self._foundation.tenancy
        if call.path["tenancyId"] != tenancy.id:
            raise not_found(f"tenancy {call.path['tenancyId'][:255]}")
        call.require(tenancy.id)
        return Answer(
            body=[
                {
                    "regionKey": tenancy.region_key.upper(),
                    "regionName": tenancy.region,
                    "status": "READY",
                    "isHomeRegion": True,
                }
            ]
        )
