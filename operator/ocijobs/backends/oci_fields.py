"""The fields of OCI that requests have: each is declared once, beside the attribute that holds it.

A request is made of blocks: each is a dataclass here, and an object in OCI's JSON or a part of one. An attribute of a
block is annotated with an `OciField`, which says where the same is in a manifest, in OCI's JSON and in YAML of
oracle-ads. What is sent and how an answer is read (`documents`), what a manifest asks for (`manifest_fields`), what
differs (`differences`), import, export and docs/reference/coverage.md (`coverage`) follow from it. How blocks make a
request is in the modules of each backend, which name a field only where it takes more than a copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Annotated, get_args, get_origin, get_type_hints

from pydantic.alias_generators import to_camel

from ocijobs.api.shared.model import Model

Placed = Callable[[str], str]
"""Where a path is of a block that several places have."""


class UnknownTypeError(Exception):
    """What OCI has is of a type that came after this operator; the message names it."""


@dataclass(frozen=True, slots=True)
class Unset:
    """No field of the manifest sets it: why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OciField:
    """Where the value of an attribute is elsewhere. Paths are names with dots between them.

    Attributes:
        spec: path in the spec of an OCIJob, of an OCIJobRun for what only runs have; or why there is none.
        oci: path in OCI's JSON, from the block; by default the attribute's name in camel case. Empty for a value
            whose members are members of the block.
        ads: key of oracle-ads with the same value, after `infrastructure.` or `runtime.`, whose key it is. None if ADS
            can't say it, or has it in another form: `cli/ads_keys.py` has those.
        kind: name and value by which OCI tells types of the value apart, of which there is one.
        members: where members of the value are in OCI's JSON, from `oci`, if not under the same name.
        by_member: the value's members are compared one by one, not as a whole; these are values that OCI has where
            nothing is said.
        absence_counts: what the manifest leaves out is to be absent in OCI; else OCI may have anything then.
        secret: what OCI has may be a secret of whoever set it, and is not shown.
    """

    spec: str | Unset
    oci: str | None = None
    ads: str | None = None
    kind: tuple[str, str] | None = None
    members: Mapping[str, str] | None = None
    by_member: Mapping[str, object] | None = None
    absence_counts: bool = False
    secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """An attribute of a block, with what is declared of it.

    Attributes:
        name: of the attribute.
        field: what is declared.
        holds: class of its values.
        optional: whether it may be None.
        default: what it is where nothing is said; `dataclasses.MISSING` if something must be.
    """

    name: str
    field: OciField
    holds: type
    optional: bool
    default: object

    @property
    def oci(self) -> str:
        """Path in OCI's JSON, from the block."""
        return camel(self.name) if self.field.oci is None else self.field.oci

    @property
    def spec(self) -> str | None:
        """Path in the manifest; None if no field says it."""
        return None if isinstance(self.field.spec, Unset) else self.field.spec

    def member(self, name: str) -> str:
        """Path in OCI's JSON, from the value, of what the manifest calls so."""
        return (self.field.members or {}).get(name, name)


def camel(name: str) -> str:
    """Return a name as OCI's JSON has it, which writes GBs with three capitals."""
    return to_camel(name).replace("Gbs", "GBs")


def attributes(block: object) -> tuple[Attribute, ...]:
    """Return the attributes of a class of blocks of which a field is declared, in their order."""
    return _attributes(block) if isinstance(block, type) else ()


@cache
def _attributes(block: type) -> tuple[Attribute, ...]:
    return tuple(_declared(block))


def _declared(block: type) -> Iterator[Attribute]:
    hints = get_type_hints(block, include_extras=True)
    for each in fields(block):
        hint = hints[each.name]
        if get_origin(hint) is not Annotated:
            continue
        type_, *extras = get_args(hint)
        for field in extras:
            if isinstance(field, OciField):
                options = get_args(type_) if type(None) in get_args(type_) else (type_,)
                [single] = [option for option in options if option is not type(None)]
                yield Attribute(
                    name=each.name,
                    field=field,
                    holds=get_origin(single) or single,
                    optional=type(None) in options,
                    default=each.default,
                )


def names_of(model: type[Model]) -> Mapping[str, str]:
    """Return the attributes of a model by their names in documents, in their order."""
    return {info.alias or name: name for name, info in model.model_fields.items()}


def same(path: str) -> str:
    """Return a path as it is declared."""
    return path
