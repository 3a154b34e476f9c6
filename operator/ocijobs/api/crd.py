"""The CustomResourceDefinitions, made from the models.

`status` has a default, so that an object which no operator has looked at yet reads as being worked on: kstatus
takes an object without conditions for finished, and Flux and Argo CD would report success (Gateway API does the
same: `+kubebuilder:default` on GatewayStatus).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from ocijobs.api import kinds
from ocijobs.api.identity import OCIIdentity
from ocijobs.api.job.spec import OCIJob
from ocijobs.api.run.spec import OCIJobRun
from ocijobs.api.schedule import NAMES_LIMIT, OCIJobSchedule
from ocijobs.api.schema import UnexpressibleError, model_schema
from ocijobs.api.shared.names import CATEGORY, GROUP, VERSION
from ocijobs.api.shared.reasons import Reason
from ocijobs.api.sweep.spec import OCIJobSweep

if TYPE_CHECKING:
    from ocijobs.api.shared.model import Model

NAME_LIMIT = 63
"""Characters of a name: it must fit a label value, as batch/v1 Jobs' names must."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `kubectl get`; `wide` ones show with `-o wide`."""

    name: str
    path: str
    description: str
    type: str = "string"
    wide: bool = False

    def document(self) -> dict[str, object]:
        """Return the additionalPrinterColumns item."""
        return {
            "name": self.name,
            "type": self.type,
            "description": self.description,
            "jsonPath": self.path,
            **({"priority": 1} if self.wide else {}),
        }


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of ours."""

    model: type[Model]
    plural: str
    short: str
    columns: tuple[Column, ...]
    name_limit: int = NAME_LIMIT
    rules: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """The kind, such as OCIJob."""
        return self.model.__name__

    @property
    def singular(self) -> str:
        """The singular resource name."""
        return self.name.lower()


_BACKEND = Column("Backend", ".status.backend", "Service of OCI that runs it.")
_READY = ".status.conditions[?(@.type=='Ready')]"
_REASON = Column("Reason", f"{_READY}.reason", "Why, in one word.", wide=True)
_MESSAGE = Column("Message", f"{_READY}.message", "Why, in words.", wide=True)
_AGE = Column("Age", ".metadata.creationTimestamp", "Time since creation.", type="date")

KINDS: tuple[Kind, ...] = (
    Kind(
        model=OCIJob,
        plural=kinds.PLURALS[kinds.JOB],
        short="ocij",
        columns=(
            Column("Ready", f"{_READY}.status", "Whether OCI has the job as the manifest says."),
            _BACKEND,
            Column("Revision", ".status.revision", "Current revision."),
            Column("Active", ".status.runs.active", "Runs that are active.", type="integer"),
            Column("Last-Run", ".status.lastRun.name", "The run that was launched last."),
            Column("Last-Phase", ".status.lastRun.phase", "Its phase."),
            _AGE,
            _REASON,
            Column("OCID", ".status.jobId", "OCID of the current OCI job.", wide=True),
            _MESSAGE,
        ),
    ),
    Kind(
        model=OCIJobRun,
        plural=kinds.PLURALS[kinds.RUN],
        short="ocijr",
        columns=(
            Column("Job", ".spec.jobRef.name", "The OCIJob that is run."),
            _BACKEND,
            Column("Phase", ".status.phase", "Where the run is."),
            Column("Attempts", ".status.attemptCount", "Job runs in OCI.", "integer", wide=True),
            Column("Exit", ".status.exitCode", "Exit code of the code.", type="integer"),
            Column("Started", ".status.startTime", "When the code started.", type="date"),
            Column("Ended", ".status.completionTime", "When the run ended.", type="date"),
            _AGE,
            _REASON,
            Column("OCID", ".status.jobRunId", "OCID of the job run.", wide=True),
            _MESSAGE,
        ),
    ),
    Kind(
        model=OCIJobSweep,
        plural=kinds.PLURALS[kinds.SWEEP],
        short="ocisw",
        name_limit=52,
        columns=(
            Column("Job", ".spec.jobRef.name", "The OCIJob that is run."),
            Column("Phase", ".status.phase", "Where the sweep is."),
            Column("Total", ".status.total", "Number of combinations.", type="integer"),
            Column("Active", ".status.active", "Runs that have not ended.", type="integer"),
            Column("Succeeded", ".status.succeeded", "Runs that succeeded.", type="integer"),
            Column("Failed", ".status.failed", "Runs that failed.", type="integer"),
            Column("Best", ".status.best.value", "Best value of the objective."),
            _AGE,
            _REASON,
            Column("Best-Run", ".status.best.name", "The best run.", wide=True),
            _MESSAGE,
        ),
    ),
    Kind(
        model=OCIJobSchedule,
        plural=kinds.PLURALS[kinds.SCHEDULE],
        short="ocisched",
        name_limit=NAMES_LIMIT - 1,
        rules=(
            (
                f"self.spec.resources.all(r, size(self.metadata.name) + size(r.name) <= {NAMES_LIMIT})",
                (
                    f"metadata.name and the name of each of spec.resources must have at most {NAMES_LIMIT} "
                    "characters together"
                ),
            ),
        ),
        columns=(
            Column("Schedule", ".spec.schedule", "When it fires."),
            Column("TimeZone", ".spec.timeZone", "In which time zone."),
            Column("Suspend", ".spec.suspend", "Whether it starts nothing.", type="boolean"),
            Column("Active", ".status.active", "Firings that have not ended.", type="integer"),
            Column("Last", ".status.lastScheduleTime", "The last firing.", type="date"),
            Column("Ready", f"{_READY}.status", "Whether it will fire."),
            _AGE,
            _REASON,
            Column("Next", ".status.nextScheduleTime", "The next firing.", wide=True),
            _MESSAGE,
        ),
    ),
    Kind(
        model=OCIIdentity,
        plural=kinds.PLURALS[kinds.IDENTITY],
        short="ociid",
        columns=(
            Column("Type", ".spec.type", "How calls are signed."),
            Column("Region", ".status.region", "Region of the calls."),
            Column("Ready", f"{_READY}.status", "Whether OCI accepts the credentials."),
            _AGE,
            _REASON,
            Column("Tenancy", ".status.tenancyId", "Tenancy of the credentials.", wide=True),
            _MESSAGE,
        ),
    ),
)


class Names(TypedDict):
    """`spec.names` of a definition."""

    kind: str
    listKind: str
    plural: str
    singular: str
    shortNames: list[str]
    categories: list[str]


class DefinitionMetadata(TypedDict):
    """`metadata` of a definition."""

    name: str
    labels: dict[str, str]


class DefinitionSpec(TypedDict):
    """`spec` of a definition."""

    group: str
    scope: str
    names: Names
    versions: list[dict[str, object]]


class Definition(TypedDict):
    """A CustomResourceDefinition."""

    apiVersion: str
    kind: str
    metadata: DefinitionMetadata
    spec: DefinitionSpec


def custom_resource_definitions() -> tuple[Definition, ...]:
    """Return the CustomResourceDefinition documents of all kinds."""
    return tuple(_definition(kind) for kind in KINDS)


def _definition(kind: Kind) -> Definition:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{kind.plural}.{GROUP}",
            "labels": {"app.kubernetes.io/part-of": "oci-jobs-operator"},
        },
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind.name,
                "listKind": f"{kind.name}List",
                "plural": kind.plural,
                "singular": kind.singular,
                "shortNames": [kind.short],
                "categories": [CATEGORY],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [column.document() for column in kind.columns],
                    "schema": {"openAPIV3Schema": _object_schema(kind)},
                }
            ],
        },
    }


def _object_schema(kind: Kind) -> dict[str, object]:
    spec, status = (kind.model.model_fields[name].annotation for name in ("spec", "status"))
    if not (isinstance(spec, type) and isinstance(status, type)):
        raise UnexpressibleError(f"{kind.name}: spec and status must be models")
    return {
        "type": "object",
        "description": " ".join((kind.model.__doc__ or "").split()),
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": model_schema(spec),
            "status": model_schema(status) | {"default": untouched_status()},
        },
        "x-kubernetes-validations": [
            {
                "rule": f"size(self.metadata.name) <= {kind.name_limit}",
                "message": f"metadata.name must have at most {kind.name_limit} characters",
            },
            *({"rule": rule, "message": message} for rule, message in kind.rules),
        ],
    }


def untouched_status() -> dict[str, list[dict[str, str]]]:
    """Return the status of an object that no operator has looked at yet."""
    message = "no operator has looked at this yet: if it stays so, see whether one runs that watches this namespace"
    base = {
        "reason": Reason.PENDING.value,
        "message": message,
        "lastTransitionTime": "1970-01-01T00:00:00Z",
    }
    return {
        "conditions": [
            {"type": "Ready", "status": "Unknown", **base},
            {"type": "Reconciling", "status": "True", **base},
        ]
    }
