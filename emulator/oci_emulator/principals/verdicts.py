"""Who may do what: the policies in force, and the verdict on a call."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oci_emulator.calls.errors import not_found
from oci_emulator.calls.principal import Principal
from oci_emulator.formats.jsontypes import compact
from oci_emulator.principals.compartments import Compartments
from oci_emulator.principals.policy import Condition, Statement, Subject, parse, parse_rule
from oci_emulator.state.database import Database
from oci_emulator.time.clock import Clock

DEFAULT_STATEMENTS = (
    "Allow group Administrators to manage all-resources in tenancy",
    # What Oracle's documents tell an administrator to allow those who run jobs.
    "Allow group data-scientists to manage data-science-jobs in tenancy",
    "Allow group data-scientists to manage data-science-job-runs in tenancy",
    "Allow group data-scientists to use data-science-projects in tenancy",
    "Allow group data-scientists to read data-science-work-requests in tenancy",
    "Allow group data-scientists to use virtual-network-family in tenancy",
    "Allow group data-scientists to manage log-groups in tenancy",
    "Allow group data-scientists to use logging-family in tenancy",
    "Allow group data-scientists to read metrics in tenancy",
    # And those who use Data Flow.
    "Allow group dataflow-admin to read buckets in tenancy",
    "Allow group dataflow-admin to manage dataflow-family in tenancy",
    "Allow group dataflow-users to read buckets in tenancy",
    "Allow group dataflow-users to use dataflow-family in tenancy",
    (
        "Allow group dataflow-users to manage dataflow-family in tenancy where any"
        " {request.user.id = target.user.id, request.permission = 'DATAFLOW_APPLICATION_CREATE',"
        " request.permission = 'DATAFLOW_RUN_CREATE'}"
    ),
    # And the runs themselves, of which each is a principal.
    "Allow dynamic-group job-runs to read repos in tenancy",
    "Allow dynamic-group job-runs to use data-science-family in tenancy",
    "Allow dynamic-group job-runs to use virtual-network-family in tenancy",
    "Allow dynamic-group job-runs to use log-groups in tenancy",
    "Allow dynamic-group job-runs to use logging-family in tenancy",
    "Allow dynamic-group job-runs to manage objects in tenancy",
    "Allow dynamic-group job-runs to use buckets in tenancy",
    # Schedules, which are principals too.
    "Allow dynamic-group schedules to manage data-science-job-runs in tenancy",
    "Allow dynamic-group schedules to read data-science-jobs in tenancy",
)
DEFAULT_DYNAMIC_GROUPS = {
    "job-runs": "all {resource.type = 'datasciencejobrun'}",
    "schedules": "all {resource.type = 'datascienceschedule'}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """A set of policies.

    Attributes:
        dynamic_groups: name -> matching rule.
    """

    statements: tuple[str, ...]
    dynamic_groups: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """As the control API shows it."""
        return {"statements": list(self.statements), "dynamicGroups": dict(self.dynamic_groups)}


DEFAULT = Policies(statements=DEFAULT_STATEMENTS, dynamic_groups=DEFAULT_DYNAMIC_GROUPS)


class _Compiled:
    """Policies, ready to decide."""

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self.statements: Sequence[Statement] = [parse(text) for text in policies.statements]
        self.dynamic_groups: Mapping[str, Condition] = {
            name: parse_rule(rule) for name, rule in policies.dynamic_groups.items()
        }


class Verdicts:
    """Decides by the policies in force.

    Changed policies come into force after the lag of the profile, as in the real service.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        compartments: Compartments,
        lag: Callable[[], float],
    ) -> None:
        self._database = database
        self._clock = clock
        self._compartments = compartments
        self._lag = lag
        remembered = database.fact("policies")
        policies = _from_json(json.loads(remembered)) if remembered else DEFAULT
        self._current = _Compiled(policies)
        self._coming: list[tuple[float, _Compiled]] = []

    @property
    def policies(self) -> Policies:
        """What was set last, in force or not yet."""
        return self._coming[-1][1].policies if self._coming else self._current.policies

    def set_policies(self, document: Mapping[str, Any]) -> None:
        """Set other policies.

        Args:
            document: ``statements``, and ``dynamicGroups`` if those are to change too.

        Raises:
            PolicyError: a statement or a rule can't be read.
        """
        groups = document.get("dynamicGroups", self.policies.dynamic_groups)
        policies = Policies(statements=tuple(document["statements"]), dynamic_groups=groups)
        self._coming.append((self._clock.now() + self._lag(), _Compiled(policies)))
        self._database.set_fact("policies", compact(policies.as_json()))

    def require(
        self,
        principal: Principal,
        *,
        verb: str,
        family: str,
        compartment: str,
        variables: Mapping[str, str],
    ) -> None:
        """Return if the principal may do it.

        Raises:
            ServiceError: 404, it may not, or there is no such compartment.
        """
        place = self._compartments.chain(compartment)
        if not place:
            raise not_found(f"compartment {compartment}")
        in_force = self._in_force()
        known = {**_variables(principal), "target.compartment.id": compartment, **variables}
        allowed = False
        for statement in in_force.statements:
            if family not in statement.families or not statement.covers(verb):
                continue
            if not self._is_about(in_force, statement.subject, principal):
                continue
            if statement.compartment and statement.compartment not in place:
                continue
            if statement.condition(known):
                if statement.denies:
                    allowed = False
                    break
                allowed = True
        if not allowed:
            raise not_found(f"{verb} {family} in compartment {compartment}")

    def _in_force(self) -> _Compiled:
        now = self._clock.now()
        while self._coming and self._coming[0][0] <= now:
            self._current = self._coming.pop(0)[1]
        return self._current

    @staticmethod
    def _is_about(policies: _Compiled, subject: Subject, principal: Principal) -> bool:
        if subject.kind == "any-user":
            return True
        if subject.kind == "group":
            return not principal.groups.isdisjoint(subject.names)
        if subject.kind == "dynamic-group" and principal.kind == "resource":
            facts = {
                "resource.type": principal.resource_type,
                "resource.id": principal.id,
                "resource.compartment.id": principal.compartment,
            }
            if principal.resource_type == "instance":
                facts |= {
                    "instance.id": principal.id,
                    "instance.compartment.id": principal.compartment,
                }
            rules = [policies.dynamic_groups.get(name) for name in subject.names]
            return any(rule(facts) for rule in rules if rule is not None)
        return False


def _variables(principal: Principal) -> dict[str, str]:
    """What conditions can ask about the principal."""
    if principal.kind == "user":
        return {"request.user.id": principal.id, "request.principal.type": "user"}
    return {
        "request.principal.id": principal.id,
        "request.principal.type": principal.resource_type,
        "request.principal.compartment.id": principal.compartment,
        **{f"request.principal.{name}": value for name, value in principal.facts.items()},
    }


def _from_json(document: Mapping[str, Any]) -> Policies:
    return Policies(
        statements=tuple(document["statements"]), dynamic_groups=document["dynamicGroups"]
    )
