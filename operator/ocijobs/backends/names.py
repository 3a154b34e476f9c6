"""OCIDs of what specs give by name or address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ocijobs.api.job.status import OCIJobStatus
from ocijobs.backends.requests import WantedName


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownNames:
    """OCIDs as far as they are known.

    Attributes:
        recorded: those of a status, by kind and name.
        answered: those that OCI told this process; they go before.
    """

    recorded: Mapping[tuple[str, str], str] = field(default_factory=dict)
    answered: Mapping[WantedName, str] = field(default_factory=dict)

    def id_of(self, name: WantedName) -> str | None:
        """Return the OCID, or None while it is not known."""
        return self.answered.get(name) or self.recorded.get((name.kind.value, name.name))


NO_NAMES = KnownNames()


def recorded_names(status: OCIJobStatus) -> KnownNames:
    """Return what a job's status tells."""
    return KnownNames(recorded={(name.kind, name.name): name.id for name in status.resolved_names})
