"""Types of fields that jobs and runs have in common."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from ocijobs.api.shared.model import SET_LIST, DefinedTags, FreeformTags

DisplayName = Annotated[str, Field(min_length=1, max_length=255)]
JobFreeformTags = Annotated[FreeformTags, Field(max_length=7)]
JobDefinedTags = Annotated[DefinedTags, Field(max_length=20)]
Minutes = Annotated[int, Field(ge=1, le=43200)]
ResultName = Annotated[
    str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$")
]
ResultNames = Annotated[
    tuple[ResultName, ...], Field(min_length=1, max_length=32, json_schema_extra=SET_LIST)
]
RevisionName = Annotated[str, Field(min_length=1, max_length=63)]
Digest = Annotated[str, Field(max_length=128)]
Url = Annotated[str, Field(max_length=2048)]


class DeletionPolicy(StrEnum):
    """What happens in OCI when the object is deleted."""

    DELETE = "Delete"
    RETAIN = "Retain"
