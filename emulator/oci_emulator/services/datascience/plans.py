"""Simulated runs: how long they take and how they end, given beforehand.

A plan is JSON, the same in the control API, for the whole server or for runs that match, and in a
run's own free-form tag ``emulator.plan``::

    {"match": {"displayName": "sweep-*"}, "mode": "simulated",
     "accepted": 0.5, "inProgress": [1, 3], "outcome": "FAILED", "exitCode": 3,
     "output": ["point $index of $displayName", "alpha is $ALPHA"], "seed": 7}
"""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from string import Template
from typing import Any, Literal

from oci_emulator.services.datascience import lifecycle
from oci_emulator.services.datascience.lifecycle import Outcome

TAG = "emulator.plan"

Mode = Literal["process", "simulated"]
MODES = ("process", "simulated")
OUTCOMES = ("SUCCEEDED", "FAILED", "NEEDS_ATTENTION", "CANCELED", "STOPPED")
_FIELDS = (
    "match",
    "mode",
    "accepted",
    "inProgress",
    "outcome",
    "exitCode",
    "lifecycleDetails",
    "output",
    "dataReadInBytes",
    "dataWrittenInBytes",
    "seed",
)


class PlanError(ValueError):
    """A plan that can't be read; the message names the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What becomes of a run.

    Attributes:
        display_name: a pattern; the plan is for runs whose name it matches.
        tags: free-form tags that those runs must have.
        mode: executed for real, or simulated as said here; None leaves it to the server's mode.
        accepted: seconds from ACCEPTED to IN_PROGRESS, or a range; None takes the profile's.
        in_progress: seconds from there to the end, or a range.
        output: lines of output; ``$NAME`` stands for a variable of the run, and for ``id``,
            ``displayName``, ``jobId`` and ``index``, which counts all simulated runs.
        data_read: bytes that a run of Data Flow shows as read, and data_written as written.
    """

    display_name: str = "*"
    tags: Mapping[str, str] = field(default_factory=dict)
    mode: Mode | None = None
    accepted: tuple[float, float] | None = None
    in_progress: tuple[float, float] = (0.01, 0.01)
    outcome: str = "SUCCEEDED"
    exit_code: int = 1
    details: str = ""
    output: tuple[str, ...] = ()
    data_read: int = 0
    data_written: int = 0
    seed: int = 0

    def matches(self, name: str, tags: Mapping[str, str]) -> bool:
        """Whether the plan is for a run of this name with these tags."""
        return fnmatchcase(name, self.display_name) and self.tags.items() <= tags.items()

    def durations(self, index: int) -> tuple[float | None, float]:
        """How long this run is accepted and in progress; the same for the same index and seed."""
        dice = random.Random(f"{self.seed}:{index}")  # noqa: S311  # repeatable, not secret
        accepted = None if self.accepted is None else dice.uniform(*self.accepted)
        return accepted, dice.uniform(*self.in_progress)

    def end(self) -> Outcome:
        """How the run ends."""
        texts = {
            "SUCCEEDED": lifecycle.SUCCEEDED,
            "FAILED": lifecycle.failed(self.exit_code),
            "CANCELED": lifecycle.CANCELED,
            "NEEDS_ATTENTION": "The run needs attention.",
        }
        return Outcome(state=self.outcome, details=self.details or texts[self.outcome])

    def lines(self, values: Mapping[str, str]) -> list[str]:
        """The output with the values of a run."""
        return [Template(line).safe_substitute(values) for line in self.output]

    def as_json(self) -> dict[str, Any]:
        """As the control API shows it."""
        return {
            "match": {"displayName": self.display_name, "freeformTags": dict(self.tags)},
            "mode": self.mode,
            "accepted": None if self.accepted is None else list(self.accepted),
            "inProgress": list(self.in_progress),
            "outcome": self.outcome,
            "exitCode": self.exit_code,
            "lifecycleDetails": self.details,
            "output": list(self.output),
            "dataReadInBytes": self.data_read,
            "dataWrittenInBytes": self.data_written,
            "seed": self.seed,
        }


def from_json(document: Any) -> Plan:
    """Read a plan.

    Raises:
        PlanError: it is none.
    """
    if not isinstance(document, dict):
        raise PlanError("a plan is a JSON object")
    if unknown := document.keys() - set(_FIELDS):
        raise PlanError(f"a plan has no field {min(unknown)!r}; it has {', '.join(_FIELDS)}")
    match = document.get("match") or {}
    mode, outcome = document.get("mode"), document.get("outcome", "SUCCEEDED")
    if not isinstance(match, dict) or match.keys() - {"displayName", "freeformTags"}:
        raise PlanError("match: has displayName, a pattern, and freeformTags")
    if mode is not None and mode not in MODES:
        raise PlanError(f"mode: must be one of {', '.join(MODES)}, not {mode!r}")
    if outcome not in OUTCOMES:
        raise PlanError(f"outcome: must be one of {', '.join(OUTCOMES)}, not {outcome!r}")
    output = document.get("output") or []
    if not isinstance(output, list) or not all(isinstance(line, str) for line in output):
        raise PlanError("output: must be a list of strings")
    return Plan(
        display_name=str(match.get("displayName", "*")),
        tags=match.get("freeformTags", {}),
        mode=mode,
        accepted=_range("accepted", document.get("accepted")),
        in_progress=_range("inProgress", document.get("inProgress")) or (0.01, 0.01),
        outcome=outcome,
        exit_code=_code(document.get("exitCode", 1)),
        details=str(document.get("lifecycleDetails", "")),
        output=tuple(output),
        data_read=_bytes("dataReadInBytes", document),
        data_written=_bytes("dataWrittenInBytes", document),
        seed=int(document.get("seed", 0)),
    )


def from_tag(text: str) -> Plan:
    """Read the plan in a free-form tag.

    Raises:
        PlanError: it is none.
    """
    try:
        return from_json(json.loads(text))
    except json.JSONDecodeError as error:
        raise PlanError(f"the tag {TAG} is no JSON: {error}") from None


def _range(name: str, value: Any) -> tuple[float, float] | None:
    match value:
        case None:
            return None
        case int() | float() if value >= 0:
            return float(value), float(value)
        case [int() | float() as low, int() | float() as high] if 0 <= low <= high:
            return float(low), float(high)
    raise PlanError(f"{name}: must be seconds, or a list of the least and the most, not {value!r}")


def _bytes(name: str, document: Mapping[str, Any]) -> int:
    value = document.get(name, 0)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise PlanError(f"{name}: must be a number of bytes, not {value!r}")


def _code(value: Any) -> int:
    if isinstance(value, int) and 1 <= value <= 255:  # noqa: PLR2004  # what a process can return
        return value
    raise PlanError(f"exitCode: must be 1 to 255, not {value!r}")


class Plans:
    """The server's mode and its plans; the first that matches a run is the run's."""

    def __init__(self, mode: str, default: Plan | None = None) -> None:
        self.mode = mode
        self.plans: list[Plan] = []
        self.default = default or Plan()

    def of(self, name: str, tags: Mapping[str, str]) -> tuple[str, Plan]:
        """The mode and the plan of a new run.

        Raises:
            PlanError: the run's own tag has none that can be read.
        """
        if TAG in tags:
            plan = from_tag(tags[TAG])
            return plan.mode or "simulated", plan
        for plan in self.plans:
            if plan.matches(name, tags):
                return plan.mode or self.mode, plan
        return self.mode, self.default

    def as_json(self) -> dict[str, Any]:
        """As the control API shows it."""
        return {
            "mode": self.mode,
            "plans": [plan.as_json() for plan in self.plans],
            "default": self.default.as_json(),
        }

    def set(self, document: Mapping[str, Any]) -> None:
        """Take what a document has of ``mode``, ``plans`` and ``default``.

        Raises:
            PlanError: some of it can't be read; then nothing is taken.
        """
        mode = document.get("mode", self.mode)
        if mode not in MODES:
            raise PlanError(f"mode: must be one of {', '.join(MODES)}, not {mode!r}")
        plans = [from_json(plan) for plan in document["plans"]] if "plans" in document else None
        default = from_json(document["default"]) if "default" in document else None
        self.mode = mode
        self.plans = self.plans if plans is None else plans
        self.default = default or self.default
