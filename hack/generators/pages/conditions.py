"""conditions.md: every condition of every kind and phase, and how tools read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TypeVar

from generators.files import REFERENCE, File
from generators.markdown import code, page, table
from ocijobs.api.crd import untouched_status
from ocijobs.api.shared.conditions import ConditionType
from ocijobs.reconcile.standing import (
    JOB_STANDINGS,
    RUN_STANDINGS,
    SCHEDULE_STANDINGS,
    SWEEP_STANDINGS,
    TABLE,
    Row,
    Standing,
)

_Phase = TypeVar("_Phase", bound=StrEnum)

Statuses = Mapping[str, str]
"""Condition type -> True, False or Unknown."""

_SHOWN = (
    ConditionType.READY,
    ConditionType.RECONCILING,
    ConditionType.STALLED,
    ConditionType.COMPLETE,
    ConditionType.FAILED,
    ConditionType.SUSPENDED,
)

_INTRODUCTION = """\
Every object has `Ready`, whose [reason](reasons.md) and message say where the object stands. It also has `Reconciling`
and `Stalled`, which tell tools whether to go on waiting. A run or a sweep that has ended also has `Complete` or
`Failed`. All conditions have `observedGeneration`; if it differs from `metadata.generation`, the status is older than
the spec. `—` means that the condition is absent."""

_UNTOUCHED = """\
An object has these conditions from its creation on, by the definition's defaults. So no tool takes it for finished
before the operator has looked at it."""

_MORE = """\
## Beside the table

`ResultsReady` is on runs whose job declares `results`, once the run has ended. It is True with the values in
`status.results`, or False with the reason `ResultMissing`. It says nothing about how the run itself ended.

`StatusRefused` is on an object whose whole status the API server refuses, for as long as it does: what people only
read is left out of it then.

A run that waits is `Stalled` only where it was refused permissions or credentials for the setting
[`refusalStalledSeconds`](settings.md); what is missing in the cluster, such as a job that was not applied yet, is
`Reconciling` for as long as it takes. A job is `Stalled` then too; so are a job and a schedule with an
invalid spec."""

_TOOLS = """\
## Tools

**kubectl** waits for any condition, so `--for=condition=Complete` returns when a run has succeeded, and
`--for=condition=Failed` when it has failed. Until either:

```sh
kubectl wait ocijobrun/NAME --for=jsonpath='{.status.completionTime}' --timeout=1h
```

**kstatus** ([rules](https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md)), which Flux's
`wait: true`, `kpt` and `helm --wait` use, needs no configuration: `Reconciling` means InProgress, `Stalled` means
Failed, and otherwise `Ready` decides between Current and InProgress.

**Argo CD** does not know the health of custom resources: without a health check it takes them for healthy at
once. With this one in the ConfigMap `argocd-cm` it reads them as the tables say:

```yaml
data:
  resource.customizations: |
    ocijobs.io/*:
      health.lua: |
{lua}
```"""

HEALTH_LUA = """\
local health = {status = "Progressing", message = "waiting for the operator"}
if obj.status == nil or obj.status.conditions == nil then
  return health
end
if obj.status.observedGeneration ~= obj.metadata.generation then
  return health
end
local is = {}
for _, condition in ipairs(obj.status.conditions) do
  is[condition.type] = condition.status == "True"
  if condition.type == "Ready" then
    health.message = condition.reason .. ": " .. condition.message
  end
end
if is["Stalled"] then
  health.status = "Degraded"
elseif is["Ready"] and not is["Reconciling"] then
  health.status = "Healthy"
end
return health
"""
"""Argo CD's health check: https://argo-cd.readthedocs.io/en/stable/operator-manual/health/."""

_ARGO = {"InProgress": "Progressing", "Failed": "Degraded", "Current": "Healthy"}


def files() -> tuple[File, ...]:
    """Return the page."""
    body = page(
        "Conditions",
        "operator/ocijobs/reconcile/standing.py",
        _INTRODUCTION,
        "## Before the operator has looked",
        _UNTOUCHED,
        _table("", [("", untouched())]),
        "## OCIJobRun",
        _table("Phase", _phase_rows(RUN_STANDINGS)),
        "## OCIJobSweep",
        _table("Phase", _phase_rows(SWEEP_STANDINGS)),
        "## OCIJobSchedule",
        _table("State", _state_rows(SCHEDULE_STANDINGS)),
        "## OCIJob and OCIIdentity",
        _table("State", _state_rows(JOB_STANDINGS)),
        _MORE,
        _TOOLS.replace("{lua}", "\n".join(f"        {line}" for line in HEALTH_LUA.splitlines())),
    )
    return (File(path=REFERENCE / "conditions.md", text=body),)


def untouched() -> Statuses:
    """Return the conditions that the definitions give every new object."""
    return {each["type"]: each["status"] for each in untouched_status()["conditions"]}


def statuses(row: Row) -> Statuses:
    """Return a row's conditions as they stand in a status."""
    return {kind.value: str(status) for kind, status in row.statuses().items()}


def kstatus(conditions: Statuses) -> str:
    """Return how kstatus reads conditions of the current generation."""
    if conditions.get(ConditionType.RECONCILING) == "True":
        return "InProgress"
    if conditions.get(ConditionType.STALLED) == "True":
        return "Failed"
    return "Current" if conditions.get(ConditionType.READY, "True") == "True" else "InProgress"


def argo(conditions: Statuses) -> str:
    """Return how Argo CD reads them, with the page's health check."""
    return _ARGO[kstatus(conditions)]


def _phase_rows(
    phases: Mapping[_Phase, tuple[Standing, ...]],
) -> Iterable[tuple[str, Statuses]]:
    for phase, standings in phases.items():
        for number, standing in enumerate(standings):
            note = _FURTHER[standing] if number else ""
            yield f"{code(phase.value)}{note}", statuses(TABLE[standing])


_FURTHER = {
    Standing.STALLED: ", refused for long",
    Standing.READY: ", a stream or a session of Spark",
}
"""What a phase is that stands otherwise than it does first of all."""


_STATES = {
    Standing.PROGRESSING: "being worked on, or waiting",
    Standing.STALLED: "somebody must act",
    Standing.READY: "in order",
    Standing.IDLE: "suspended",
}


def _state_rows(standings: Iterable[Standing]) -> Iterable[tuple[str, Statuses]]:
    return ((_STATES[standing], statuses(TABLE[standing])) for standing in standings)


def _table(label: str, rows: Iterable[tuple[str, Statuses]]) -> str:
    header = (
        label,
        *(kind.value for kind in _SHOWN),
        "kstatus",
        "Argo CD",
        "`kubectl wait` returns for",
    )
    return table(
        header,
        (
            (
                name,
                *(_status(conditions.get(kind)) for kind in _SHOWN),
                kstatus(conditions),
                argo(conditions),
                ", ".join(kind for kind, status in conditions.items() if status == "True"),
            )
            for name, conditions in rows
        ),
    )


def _status(status: str | None) -> str:
    return "—" if status is None else f"**{status}**" if status == "True" else status
