"""Names by which a spec means something in OCI, whose OCID is to be found."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class NameKind(StrEnum):
    """What is named."""

    LOG_GROUP = "LogGroup"
    LOG = "Log"
    MOUNT_TARGET = "MountTarget"
    EXPORT = "Export"
    POOL = "Pool"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedName:
    """A name: of a log group, a log or a pool its display name, of a mount target its address, of an export its path.

    Attributes:
        kind: what is named.
        name: the name.
        within: OCID of the log group that holds the log.
        field: path of the field that has the name, for messages.
    """

    kind: NameKind
    name: str
    within: str = ""
    field: str = field(compare=False)
