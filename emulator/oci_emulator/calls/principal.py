"""Who calls."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A user, or a resource, such as a job run, with its resource principal.

    Attributes:
        id: the OCID.
        groups: names of the groups of a user.
        compartment: the compartment of a resource.
        resource_type: the type of a resource principal, as dynamic groups name it.
        facts: what else conditions can ask of it, as ``request.principal.<name>``.
    """

    kind: Literal["user", "resource"]
    id: str
    tenancy: str
    groups: frozenset[str] = field(default_factory=frozenset)
    compartment: str = ""
    resource_type: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
