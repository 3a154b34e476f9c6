"""The operator's settings: one frozen object, parsed and validated in one place.

Each may come from the environment (`OCIJOBS_LAUNCH_SETTLE_SECONDS=5`) or from a YAML file named by
`OCIJOBS_SETTINGS_FILE` (`launchSettleSeconds: 5`); the environment wins. `docs/reference/settings.md` and the
chart's values schema are generated from here.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

SETTINGS_FILE_VARIABLE = "OCIJOBS_SETTINGS_FILE"

Seconds = Annotated[float, Field(gt=0)]


class SettingsError(ValueError):
    """A setting is wrong; the message names each, with what is allowed."""


class Settings(BaseSettings):
    """Every threshold and address that an installation may change."""

    model_config = SettingsConfigDict(
        frozen=True,
        env_prefix="OCIJOBS_",
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
    )

    # Where the operator works.
    watch_namespaces: tuple[str, ...] = Field(
        default=(), description="Namespaces to serve; none means all of the cluster."
    )
    operator_namespace: str = Field(
        default="default",
        description="Namespace of the operator itself, which has its lease and its own Events.",
    )
    cluster_id: str | None = Field(
        default=None,
        max_length=64,
        description=(
            "What tells this cluster's resources in OCI from another's; by default the uid of the namespace "
            "kube-system. Set it where a restored cluster must go on with the resources of the former one."
        ),
    )
    http_port: int = Field(
        default=8080,
        ge=0,
        le=65535,
        description="Port of /metrics, /healthz and /readyz; 0 takes a free one.",
    )
    http_host: str = Field(default="0.0.0.0", description="Address that the port is opened on.")
    log_level: str = Field(
        default="INFO",
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        description="Least severity that is logged.",
    )

    # Leader election.
    lease_name: str = Field(default="ocijobs-operator", description="Name of the leader's Lease.")
    lease_duration_seconds: Seconds = Field(
        default=15, description="For how long a leader that is not heard of keeps its lease."
    )
    lease_renew_seconds: Seconds = Field(
        default=5, description="Pause between renewals of the lease."
    )

    # Kubernetes.
    workers: int = Field(
        default=16, ge=1, le=256, description="Objects that are reconciled at the same time."
    )
    resync_seconds: Seconds = Field(
        default=600, description="Interval of the full list that catches what a watch missed."
    )
    identity_reread_seconds: Seconds = Field(
        default=60, description="Interval at which the Secret of an identity is read again."
    )
    source_interval_seconds: Seconds = Field(
        default=600,
        description="Interval at which the sources of a job are read again when nothing is launched.",
    )
    aggregate_interval_seconds: Seconds = Field(
        default=10, description="Least time between two writes of a job's counts."
    )

    # Launching.
    launch_settle_seconds: float = Field(
        default=2,
        ge=0,
        description="Least age of a run at its launch, so that the rest of the same apply arrives before it.",
    )
    search_confirm_seconds: Seconds = Field(
        default=180,
        description="Least time between the two empty searches that prove that nothing was created or all is gone.",
    )
    token_lifetime_seconds: Seconds = Field(
        default=23 * 3600,
        description="For how long a creation is repeated with its retry token (OCI keeps it 24 h).",
    )
    artifact_limit_bytes: int = Field(
        default=4 * 1024**3,
        ge=1,
        description="Largest artifact that is uploaded; OCI's own limit is 4 GB.",
    )
    environment_limit_characters: int = Field(
        default=20_000,
        ge=1,
        description="Characters of all variables' names and values (OCI's limit).",
    )
    arguments_limit_characters: int = Field(
        default=4_000, ge=1, description="Characters of the command line (OCI's limit)."
    )

    # Refusals.
    refusal_retry_min_seconds: Seconds = Field(
        default=60,
        description="Shortest pause after a refusal that only others can mend (permission, quota).",
    )
    refusal_retry_max_seconds: Seconds = Field(
        default=300, description="Longest pause after such a refusal."
    )
    refusal_stalled_seconds: Seconds = Field(
        default=900, description="After how long a refused permission makes the object Stalled."
    )
    credentials_gone_seconds: Seconds = Field(
        default=600, description="After how long without credentials a deleted object is let go."
    )

    # Following runs.
    poll_min_seconds: Seconds = Field(
        default=3, description="Shortest interval of the shared poll."
    )
    poll_max_seconds: Seconds = Field(
        default=15, description="Longest interval of the shared poll."
    )
    details_interval_seconds: Seconds = Field(
        default=60, description="Least time between two writes for lifecycleDetails alone."
    )
    cancel_repeat_seconds: Seconds = Field(
        default=120,
        description="After how long an accepted cancellation without effect is repeated.",
    )
    results_wait_seconds: Seconds = Field(
        default=120, description="How long declared results are awaited after the end of a run."
    )
    log_settle_seconds: Seconds = Field(
        default=60, description="After how long the last lines of an ended run are read once more."
    )
    log_batch_seconds: float = Field(
        default=1, ge=0, description="How long log searches of several runs are gathered into one."
    )

    # OCI.
    oci_endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://[A-Za-z0-9.:-]+$",
        description="One endpoint for all of OCI's services instead of each region's own, such as a local OCI.",
    )
    oci_ca_file: Path | None = Field(
        default=None, description="PEM file of authorities that OCI's endpoints are trusted by."
    )
    oci_connect_timeout_seconds: Seconds = Field(
        default=4, description="Time-out of a connection to OCI."
    )
    oci_read_timeout_seconds: Seconds = Field(
        default=8, description="Time-out of an answer from OCI; shorter than the lease."
    )
    oci_threads: int = Field(default=16, ge=1, le=256, description="Calls to OCI at the same time.")
    oci_rate_max: Seconds = Field(
        default=20,
        description="Most calls a second for each principal and service; fewer while OCI throttles.",
    )
    oci_call_attempts: int = Field(
        default=3,
        ge=1,
        le=10,
        description="How often a read is tried before the object is put back.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let arguments win over the environment, and the environment over the file."""
        del dotenv_settings, file_secret_settings
        file = os.environ.get(SETTINGS_FILE_VARIABLE)
        sources: tuple[PydanticBaseSettingsSource, ...] = (init_settings, env_settings)
        return (
            (*sources, YamlConfigSettingsSource(settings_cls, yaml_file=file)) if file else sources
        )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.worst_call_seconds >= self.lease_duration_seconds:
            msg = (
                "ociConnectTimeoutSeconds and ociReadTimeoutSeconds together must be shorter than "
                "leaseDurationSeconds: a former leader's call must have ended before another leads"
            )
            raise ValueError(msg)
        if self.lease_renew_seconds * 2 > self.lease_duration_seconds:
            msg = "leaseRenewSeconds must be at most half of leaseDurationSeconds"
            raise ValueError(msg)
        return self

    @property
    def worst_call_seconds(self) -> float:
        """The longest that one call to OCI can take, connecting included."""
        return self.oci_connect_timeout_seconds + self.oci_read_timeout_seconds


def load() -> Settings:
    """Read the settings from the environment and the file that it names.

    Raises:
        SettingsError: naming every setting that is wrong.
    """
    file = os.environ.get(SETTINGS_FILE_VARIABLE)
    if file and not Path(file).is_file():
        raise SettingsError(f"{SETTINGS_FILE_VARIABLE}: there is no file {file}")
    known = {f"OCIJOBS_{name.upper()}" for name in Settings.model_fields} | {SETTINGS_FILE_VARIABLE}
    if strange := sorted(
        name for name in os.environ if name.startswith("OCIJOBS_") and name not in known
    ):
        raise SettingsError(f"unknown settings in the environment: {', '.join(strange)}")
    try:
        return Settings()
    except ValidationError as error:
        lines = [
            f"{'.'.join(str(part) for part in item['loc']) or 'settings'}: {item['msg']}"
            + (f" (found {item['input']!r})" if item["loc"] else "")
            for item in error.errors()
        ]
        raise SettingsError("wrong settings:\n  " + "\n  ".join(lines)) from error
