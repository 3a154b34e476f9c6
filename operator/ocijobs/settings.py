"""The operator's settings: one frozen object, parsed and validated in one place.

Each may come from the environment (`OCIJOBS_LAUNCH_SETTLE_SECONDS=5`) or from a YAML file named by
`OCIJOBS_SETTINGS_FILE` (`launchSettleSeconds: 5`); the environment wins. `docs/reference/settings.md` and the
chart's values schema are generated from here.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel, to_snake

_PREFIX = "OCIJOBS_"
SETTINGS_FILE_VARIABLE = f"{_PREFIX}SETTINGS_FILE"

Seconds = Annotated[float, Field(gt=0)]

_NAMESPACE = re.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


class SettingsError(ValueError):
    """A setting is wrong; the message names each, with what is allowed."""


class Settings(BaseModel):
    """Every threshold and address that an installation may change."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        allow_inf_nan=False,
    )

    # Where the operator works.
    watch_namespaces: tuple[str, ...] = Field(
        default=(), description="Namespaces to serve; an empty list means the whole cluster."
    )
    operator_namespace: str = Field(
        default="default",
        description="Namespace of the operator itself, where its Lease and its own Events are.",
    )
    cluster_id: str | None = Field(
        default=None,
        max_length=64,
        description=(
            "Identifies this cluster in the tags of its resources in OCI; by default the uid of the "
            "namespace kube-system. Set it if a restored cluster has to go on with the resources of "
            "the former one."
        ),
    )
    http_port: int = Field(
        default=8080,
        ge=0,
        le=65535,
        description="Port of /metrics, /healthz and /readyz; 0 takes a free one.",
    )
    http_host: str = Field(default="0.0.0.0", description="Address at which the port is opened.")
    log_level: str = Field(
        default="INFO",
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        description="Lowest severity that is logged.",
    )

    hold_new: bool = Field(
        default=False,
        description=(
            "Create nothing in OCI for an object whose status names nothing there, until it is allowed to start "
            "or adopts what it has. For a restored cluster, which must not run everything again."
        ),
    )

    # Leader election.
    lease_name: str = Field(default="ocijobs-operator", description="Name of the leader's Lease.")
    lease_duration_seconds: Seconds = Field(
        default=15, description="How long a leader that does not renew its lease keeps it."
    )
    lease_renew_seconds: Seconds = Field(
        default=5, description="Pause between renewals of the lease."
    )

    # Kubernetes.
    workers: int = Field(
        default=16, ge=1, le=256, description="How many objects are reconciled at the same time."
    )
    resync_seconds: Seconds = Field(
        default=600, description="Interval of the complete list, which finds what a watch missed."
    )
    identity_reread_seconds: Seconds = Field(
        default=60, description="Interval at which the Secret of an identity is read again."
    )
    identity_verify_seconds: Seconds = Field(
        default=600,
        description=(
            "Interval at which OCI is asked again whether it accepts the credentials of an identity. "
            "It is asked at once when it has refused them in any call."
        ),
    )
    source_interval_seconds: Seconds = Field(
        default=600,
        description="Interval at which the sources of a job are read again if nothing is launched.",
    )
    source_timeout_seconds: Seconds = Field(
        default=300,
        description=(
            "Longest time for fetching one source; for Object Storage five minutes at most, since OCI "
            "accepts no older signature."
        ),
    )
    source_cpu_seconds: int = Field(
        default=120,
        ge=1,
        description="Processor time of each process that reads a source: fetching, unpacking and building together.",
    )
    source_memory_bytes: int = Field(
        default=1024**3,
        ge=256 * 1024**2,
        description="Memory (address space) of each process that reads a source.",
    )
    source_files_limit: int = Field(
        default=10_000,
        ge=1,
        description="Highest number of files in a source, and of members of an archive, folders included.",
    )
    source_workers: int = Field(
        default=2,
        ge=1,
        le=64,
        description=(
            "How many remote sources are read at the same time; at most half of them for one "
            "namespace."
        ),
    )
    source_quarantine_seconds: Seconds = Field(
        default=3600,
        description="Pause between attempts at a source whose reading process has ended twice.",
    )
    fetcher_url: str | None = Field(
        default=None,
        pattern=r"^(https?://[^/?#\s]+|unix:/\S+)$",
        description=(
            "Address of the fetcher, which reads sources: http://HOST:PORT, or unix:/PATH. By default "
            "the operator starts a fetcher of its own."
        ),
    )
    fetcher_token_file: Path | None = Field(
        default=None, description="File with the token that the operator sends to the fetcher."
    )
    staging_folder: Path | None = Field(
        default=None,
        description=(
            "Folder for artifacts that wait for their upload; by default one of the user in the "
            "folder for temporary files. What dead processes left there is removed at the start."
        ),
    )
    staging_limit_bytes: int = Field(
        default=8 * 1024**3,
        ge=1,
        description="How much disk all artifacts that wait for their upload may take.",
    )
    staging_namespace_limit_bytes: int = Field(
        default=4 * 1024**3,
        ge=1,
        description="How much of it the artifacts of one namespace may take.",
    )
    source_denied_networks: tuple[str, ...] = Field(
        default=("127.0.0.0/8", "::1/128", "169.254.0.0/16", "fe80::/10"),
        description=(
            "Networks from which no source is fetched, by Git or the web: the machine itself, and the "
            "metadata service, which has its credentials."
        ),
    )
    default_compartment_id: str | None = Field(
        default=None,
        pattern=r"^ocid1\.[a-z0-9]+\.",
        description="Compartment of jobs if neither their spec nor their identity names one.",
    )
    default_project_id: str | None = Field(
        default=None,
        pattern=r"^ocid1\.[a-z0-9]+\.",
        description="Project of jobs if neither their spec nor their identity names one.",
    )
    default_log_group_id: str | None = Field(
        default=None,
        pattern=r"^ocid1\.[a-z0-9]+\.",
        description="Log group of jobs if neither their spec nor their identity names one.",
    )
    default_artifact_bucket_uri: str | None = Field(
        default=None,
        pattern=r"^oci://[^@/]+@[^@/]+(/.*)?$",
        description=(
            "Where the code of Spark jobs is put if neither their spec nor their identity names a "
            "bucket."
        ),
    )
    drift_interval_seconds: Seconds = Field(
        default=900,
        description="Interval, with jitter, at which a job is compared with OCI to find changes by others.",
    )
    aggregate_interval_seconds: Seconds = Field(
        default=10, description="Shortest time between two writes of a job's counts."
    )

    # Launching.
    launch_settle_seconds: float = Field(
        default=2,
        ge=0,
        description="Least age of a run at its launch, so that the rest of the same apply has arrived.",
    )
    search_confirm_seconds: Seconds = Field(
        default=180,
        description=(
            "Shortest time between the two empty searches that prove that nothing was created, or "
            "that all is gone."
        ),
    )
    token_lifetime_seconds: Seconds = Field(
        default=23 * 3600,
        description="How long a creation is repeated with its retry token (OCI keeps the token for 24 h).",
    )
    retry_pause_min_seconds: Seconds = Field(
        default=10,
        description="Pause after the first failed attempt of a run; each further one is twice as long.",
    )
    retry_pause_max_seconds: Seconds = Field(
        default=360, description="Longest pause between two attempts of a run."
    )
    artifact_limit_bytes: int = Field(
        default=4 * 1024**3,
        ge=1,
        description="Largest artifact that is uploaded; OCI's own limit is 4 GB.",
    )
    environment_limit_characters: int = Field(
        default=20_000,
        ge=1,
        description="Highest number of characters of all variables' names and values (OCI's limit).",
    )
    arguments_limit_characters: int = Field(
        default=4_000,
        ge=1,
        description="Highest number of characters of the command line (OCI's limit).",
    )

    # Refusals.
    refusal_retry_min_seconds: Seconds = Field(
        default=60,
        description="Shortest pause after a refusal that only others can resolve (permission, quota).",
    )
    refusal_retry_max_seconds: Seconds = Field(
        default=300, description="Longest pause after such a refusal."
    )
    refusal_stalled_seconds: Seconds = Field(
        default=900,
        description="How long a permission may be refused before the object is Stalled.",
    )
    credentials_gone_seconds: Seconds = Field(
        default=600,
        description="How long a deleted object without working credentials is kept before it is let go.",
    )

    # Following runs.
    poll_min_seconds: Seconds = Field(
        default=3, description="Shortest interval of the shared poll."
    )
    poll_max_seconds: Seconds = Field(
        default=15, description="Longest interval of the shared poll."
    )
    details_interval_seconds: Seconds = Field(
        default=60,
        description="Shortest time between two writes that only change lifecycleDetails.",
    )
    cancel_repeat_seconds: Seconds = Field(
        default=120,
        description="After how long a cancellation that OCI accepted, but that had no effect, is repeated.",
    )
    results_wait_seconds: Seconds = Field(
        default=120,
        description="How long the operator waits for declared results after the end of a run.",
    )
    log_settle_seconds: Seconds = Field(
        default=60, description="After how long the last lines of an ended run are read once more."
    )
    log_batch_seconds: float = Field(
        default=1,
        ge=0,
        description="How long log searches for several runs are collected into one.",
    )
    stream_healthy_seconds: Seconds = Field(
        default=600,
        description=(
            "How long a stream or a session must have run for its earlier failures to be forgotten."
        ),
    )
    utilisation_settle_seconds: Seconds = Field(
        default=300,
        description=(
            "After how long the utilisation of an ended run is read: metrics arrive some minutes "
            "late."
        ),
    )
    utilisation_batch_seconds: float = Field(
        default=10,
        ge=0,
        description="How long queries for the utilisation of several runs are collected into one.",
    )

    # OCI.
    oci_endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://[A-Za-z0-9.:-]+$",
        description=(
            "One endpoint for all of OCI's services, such as a local OCI, instead of each region's "
            "own."
        ),
    )
    oci_ca_file: Path | None = Field(
        default=None,
        description="PEM file of the certificate authorities to trust for OCI's endpoints.",
    )
    oci_connect_timeout_seconds: Seconds = Field(
        default=4, description="Time-out of a connection to OCI."
    )
    oci_read_timeout_seconds: Seconds = Field(
        default=8, description="Time-out of an answer from OCI. It must be shorter than the lease."
    )
    oci_threads: int = Field(
        default=16,
        ge=1,
        le=256,
        description=(
            "How many calls to OCI may be under way at the same time; the shared poll has as many of "
            "its own."
        ),
    )
    oci_calls_per_identity: int = Field(
        default=8,
        ge=1,
        le=256,
        description=(
            "How many calls to OCI may be under way for one identity, and never more than are left "
            "for others, however slowly OCI answers."
        ),
    )
    oci_rate_max: Seconds = Field(
        default=20,
        description="Most calls a second for each principal and service; fewer while OCI throttles.",
    )
    oci_call_attempts: int = Field(
        default=3,
        ge=1,
        le=10,
        description="How often a read is tried before the object is put back into the queue.",
    )

    @field_validator("watch_namespaces", "source_denied_networks", mode="before")
    @classmethod
    def _list(cls, value: Any) -> Any:
        """Read a list from the environment: with commas, or in JSON."""
        if not isinstance(value, str):
            return value
        if value.startswith("["):
            try:
                return json.loads(value)
            except ValueError as error:
                raise ValueError(f"no list in JSON: {value}") from error
        return tuple(part for name in value.split(",") if (part := name.strip()))

    @field_validator("watch_namespaces")
    @classmethod
    def _names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if strange := [name for name in value if not _NAMESPACE.fullmatch(name)]:
            raise ValueError(f"no name of a namespace: {', '.join(strange)}")
        return value

    @field_validator("source_denied_networks")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ip_network(network)
        return value

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
        if not (
            self.artifact_limit_bytes
            <= self.staging_namespace_limit_bytes
            <= self.staging_limit_bytes
        ):
            msg = (
                "artifactLimitBytes must be at most stagingNamespaceLimitBytes, and that at most stagingLimitBytes: "
                "an artifact needs room while it waits for its upload"
            )
            raise ValueError(msg)
        if self.poll_min_seconds > self.poll_max_seconds:
            msg = "pollMinSeconds must be at most pollMaxSeconds"
            raise ValueError(msg)
        if self.refusal_retry_min_seconds > self.refusal_retry_max_seconds:
            msg = "refusalRetryMinSeconds must be at most refusalRetryMaxSeconds"
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
    variables = {n: v for n, v in os.environ.items() if n.startswith(_PREFIX)}
    file = variables.pop(SETTINGS_FILE_VARIABLE, "")
    try:
        return Settings.model_validate((_of_file(Path(file)) if file else {}) | _of(variables))
    except ValidationError as error:
        lines = [_told(e["loc"], e["type"], e["msg"], e["input"]) for e in error.errors()]
        raise SettingsError("\n  ".join(("wrong settings:", *lines))) from error


def _of_file(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise SettingsError(f"{SETTINGS_FILE_VARIABLE}: there is no file {path}")
    try:
        document = yaml.safe_load(path.read_bytes())
    except yaml.YAMLError as error:
        raise SettingsError(f"{path}: no YAML: {error}") from error
    if document is None:
        return {}
    if not isinstance(document, dict) or not all(isinstance(name, str) for name in document):
        raise SettingsError(f"{path}: settings are a map of names to values, such as `workers: 16`")
    return {
        to_camel(name) if name in Settings.model_fields else name: document[name]
        for name in document
    }


def _of(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that variables are; an empty one is none."""
    names = {f"{_PREFIX}{name.upper()}": to_camel(name) for name in Settings.model_fields}
    strange = variables.keys() - names.keys() - _service_links(variables)
    if strange:
        raise SettingsError(f"unknown settings in the environment: {', '.join(sorted(strange))}")
    return {names[name]: value for name, value in variables.items() if value and name in names}


def _service_links(names: Iterable[str]) -> set[str]:
    """Return the variables by which Kubernetes tells a pod of Services, whose names may begin as ours do."""
    host = "_SERVICE_HOST"
    services = [name.removesuffix(host) for name in names if name.endswith(host)]
    return {
        name
        for name in names
        if any(name.startswith((f"{s}_SERVICE_", f"{s}_PORT")) for s in services)
    }


def _told(where: tuple[int | str, ...], what: str, message: str, found: object) -> str:
    if not where:
        return message
    name = str(where[0])
    if what == "extra_forbidden":
        return f"{name}: no such setting (found {found!r})"
    return f"{name} ({_PREFIX}{to_snake(name).upper()}): {message} (found {found!r})"
