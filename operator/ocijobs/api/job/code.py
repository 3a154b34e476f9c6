"""Field types of runtimes: how their code is started."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ocijobs.api.shared.model import ATOMIC_LIST, RelativePath

PythonPath = Annotated[
    tuple[RelativePath, ...], Field(max_length=16, json_schema_extra=ATOMIC_LIST)
]
FunctionName = Annotated[
    str, Field(min_length=1, max_length=255, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
]
Words = Annotated[
    tuple[Annotated[str, Field(max_length=2048)], ...],
    Field(min_length=1, max_length=64, json_schema_extra=ATOMIC_LIST),
]
Replicas = Annotated[int, Field(ge=1, le=1000)]
