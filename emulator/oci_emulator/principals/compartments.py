"""The tree of compartments, whose root is the tenancy."""

from oci_emulator.formats import ocid
from oci_emulator.state.resources import Resource, Resources, Selection
from oci_emulator.time.clock import timestamp

KIND = "compartment"


class Compartments:
    """Compartments by OCID, with the names and OCIDs of all that contain them.

    Args:
        tenancy: the OCID of the root.
    """

    def __init__(self, resources: Resources, tenancy: str) -> None:
        self._resources = resources
        self._tenancy = tenancy
        self._chains: dict[str, frozenset[str]] = {}

    def chain(self, compartment: str) -> frozenset[str]:
        """OCIDs and names of the compartment and all above it; empty if there is none."""
        if compartment not in self._chains:
            chain = self._climb(compartment)
            if not chain:
                return chain
            self._chains[compartment] = chain
        return self._chains[compartment]

    def _climb(self, compartment: str) -> frozenset[str]:
        if compartment == self._tenancy:
            return frozenset({compartment})
        found = self.get(compartment)
        if found is None or found.state != "ACTIVE":
            return frozenset()
        return self.chain(found.parent) | {found.id, found.name}

    def subtree(self, compartment: str) -> list[str]:
        """OCIDs of the compartment and all below it."""
        found = [compartment]
        for parent in found:
            children = self._resources.select(Selection(kind=KIND, equal={"parent": parent}))
            found += [child.id for child in children]
        return found

    def get(self, compartment: str) -> Resource | None:
        """A compartment other than the root."""
        return self._resources.get(KIND, compartment)

    def named(self, parent: str, name: str) -> Resource | None:
        """The compartment of a name in its parent; names are unique there."""
        found = self._resources.select(
            Selection(kind=KIND, equal={"parent": parent, "name": name}, limit=1)
        )
        return found[0] if found else None

    def add(
        self, *, name: str, description: str, parent: str, created: float, identifier: str = ""
    ) -> Resource:
        """Make a compartment.

        ``identifier``: its OCID, if it must be a given one.
        """
        identifier = identifier or ocid.new("compartment", "")
        return self._resources.add(
            Resource(
                id=identifier,
                kind=KIND,
                compartment=parent,
                parent=parent,
                created=created,
                body={
                    "id": identifier,
                    "compartmentId": parent,
                    "name": name,
                    "description": description,
                    "timeCreated": timestamp(created),
                    "lifecycleState": "ACTIVE",
                    "isAccessible": True,
                    "freeformTags": {},
                    "definedTags": {},
                },
            )
        )
