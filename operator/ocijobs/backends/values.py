"""What Secrets and ConfigMaps give to variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ocijobs.api.shared.environment import ReferencedValue


@dataclass(frozen=True, slots=True, order=True)
class ValueKey:
    """A key of a Secret or ConfigMap."""

    kind: str
    name: str
    key: str

    def __str__(self) -> str:
        return f"key {self.key!r} of {self.kind} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What the references of environment variables gave when they were read.

    `missing` names what does not exist though it must; `secrets` are the values to mask in what is shown.
    """

    values: Mapping[ValueKey, str] = field(repr=False)
    objects: tuple[ReferencedValue, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that came from Secrets."""
        return tuple(value for key, value in self.values.items() if key.kind == "Secret")


NO_VALUES = Values(values={})
