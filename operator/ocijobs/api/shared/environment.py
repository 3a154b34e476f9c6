"""Environment variables and arguments of jobs and runs, in the shape of a Pod's `env` and `args`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from ocijobs.api.shared.model import (
    ATOMIC_LIST,
    ConfigKey,
    EnvName,
    Model,
    ObjectName,
    Ocid,
    map_list,
    validations,
)


class KeySelector(Model):
    """One key of a ConfigMap or Secret of this namespace."""

    name: ObjectName = Field(description="Name of the ConfigMap or Secret, in this namespace.")
    key: ConfigKey = Field(description="The key whose value is used.")
    optional: bool = Field(
        default=False,
        description=(
            "Leave the variable out if the object or the key does not exist, instead of waiting "
            "for it."
        ),
    )


class VaultSecretSelector(Model):
    """A secret of OCI Vault."""

    secret_id: Ocid = Field(description="OCID of the secret.")


class EnvVarSource(Model):
    """Where a variable's value comes from."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            (
                (
                    "[has(self.secretKeyRef), has(self.configMapKeyRef), "
                    "has(self.vaultSecretRef)].exists_one(x, x)"
                ),
                "exactly one of secretKeyRef, configMapKeyRef and vaultSecretRef must be given",
            )
        )
    )

    secret_key_ref: KeySelector | None = Field(
        default=None,
        description=(
            "A key of a Secret. The value is read when the run is launched, and sent with the run. "
            "Whoever may read the job run in OCI can read it there, so use a secret of OCI Vault for "
            "what must stay secret."
        ),
    )
    config_map_key_ref: KeySelector | None = Field(
        default=None,
        description=(
            "A key of a ConfigMap. The value is read when the run is launched, and sent with the run."
        ),
    )
    vault_secret_ref: VaultSecretSelector | None = Field(
        default=None,
        description=(
            "A secret of OCI Vault. The run itself reads it, as its resource principal: the value is "
            "neither in the cluster nor in the job run. Not for containers."
        ),
    )


class EnvVar(Model):
    """One environment variable."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            (
                "has(self.value) != has(self.valueFrom)",
                "exactly one of value and valueFrom must be given",
            ),
            (
                "!self.name.startsWith('OCIJOBS_')",
                "names that begin with OCIJOBS_ are reserved for the operator",
            ),
        )
    )

    name: EnvName = Field(description="Name of the variable: letters, digits and underscores.")
    value: Annotated[str, Field(max_length=20000)] | None = Field(
        default=None,
        description=(
            "The value. As in a Pod, `$(VAR)` stands for a variable before it in the list, and `$$` "
            "for `$`, so that `$$(VAR)` is the text `$(VAR)`. OCI limits names and values of all "
            "variables together to 20,000 characters."
        ),
    )
    value_from: EnvVarSource | None = Field(
        default=None, description="A source that is read later, instead of `value`."
    )

    @property
    def from_vault(self) -> bool:
        """Whether the run itself reads the value, from OCI Vault."""
        return self.value_from is not None and self.value_from.vault_secret_ref is not None

    @property
    def read_at_launch(self) -> bool:
        """Whether the operator reads the value in the cluster, when a run is launched."""
        return self.value_from is not None and not self.from_vault

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.value is None) == (self.value_from is None):
            msg = f"variable {self.name}: exactly one of value and valueFrom must be given"
            raise ValueError(msg)
        return self


EnvVars = Annotated[tuple[EnvVar, ...], Field(max_length=200, json_schema_extra=map_list("name"))]

Arguments = Annotated[
    tuple[Annotated[str, Field(max_length=4000)], ...],
    Field(max_length=256, json_schema_extra=ATOMIC_LIST),
]


ParameterValue = Annotated[str, Field(max_length=4096)]


ParameterName = Annotated[str, Field(min_length=1, max_length=256)]


Parameters = Annotated[Mapping[ParameterName, ParameterValue], Field(min_length=1, max_length=16)]


class ReferencedValue(Model):
    """A Secret or ConfigMap that gave values to the run."""

    kind: Annotated[str, Field(max_length=63)] = Field(description="Secret or ConfigMap.")
    name: ObjectName = Field(description="Name of the object.")
    uid: Annotated[str, Field(max_length=128)] = Field(description="Its uid.")
    resource_version: Annotated[str, Field(max_length=128)] = Field(
        description="Its resourceVersion when it was read."
    )
