"""Environment variables and arguments: merged, expanded as in a Pod, and measured against OCI's limits."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence

from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.api.run.binding import RunTemplate
from ocijobs.api.run.settings import RunSettings
from ocijobs.api.shared.environment import EnvVar
from ocijobs.api.shared.names import RESERVED_ENV_PREFIX
from ocijobs.backends.values import ValueKey, Values

_REFERENCE = re.compile(r"\$(?:(\$)|\(([^)]*)\))")

SERVICE_VARIABLES = frozenset(
    {
        "TENANCY_OCID",
        "PROJECT_OCID",
        "PROJECT_COMPARTMENT_OCID",
        "JOB_OCID",
        "JOB_COMPARTMENT_OCID",
        "JOB_ARTIFACT_FILE_NAME",
        "JOB_RUN_OCID",
        "JOB_RUN_COMPARTMENT_OCID",
        "FQDN",
    }
)
"""Variables that OCI itself sets in every run (Data Science, "Job environment variables")."""

OPERATOR_VARIABLES = frozenset(
    {
        "JOB_RUN_ENTRYPOINT",
        "CONDA_ENV_TYPE",
        "CONDA_ENV_SLUG",
        "CONDA_ENV_REGION",
        "CONDA_ENV_OBJECT_NAME",
        "CONDA_ENV_NAMESPACE",
        "CONDA_ENV_BUCKET",
    }
)
"""Variables that tell OCI how to start a run; `spec.runtime` sets them."""


VAULT_PREFIX = f"{RESERVED_ENV_PREFIX}VAULT_"
"""What stands before the name of a variable that the driver reads from OCI Vault; its value is the secret's OCID."""


def merge(template: Iterable[EnvVar], override: Iterable[EnvVar]) -> tuple[EnvVar, ...]:
    """Return the template's variables, each replaced by the override of its name, then the override's others."""
    merged = {variable.name: variable for variable in template}
    merged |= {variable.name: variable for variable in override}
    return tuple(merged.values())


def references(variables: Iterable[EnvVar]) -> tuple[tuple[ValueKey, bool], ...]:
    """Return the keys that the variables refer to, with whether each is optional, in a fixed order."""
    found: dict[ValueKey, bool] = {}
    for variable in variables:
        source = variable.value_from
        if source is None:
            continue
        for kind, selector in (
            ("Secret", source.secret_key_ref),
            ("ConfigMap", source.config_map_key_ref),
        ):
            if selector is not None:
                key = ValueKey(kind, selector.name, selector.key)
                found[key] = found.get(key, True) and selector.optional
    return tuple(sorted(found.items()))


def resolve(variables: Iterable[EnvVar], values: Values) -> dict[str, str]:
    """Return names and values, references filled in and `$(VAR)` expanded.

    As in a Pod, `$(VAR)` stands for a variable that comes before, `$$` for `$`, so that `$$(VAR)` is the text
    `$(VAR)`, and a reference to what is not defined stays as it is. A variable whose optional reference gave nothing
    is left out; one of a Vault secret becomes the variable by which the driver knows it.
    """
    resolved: dict[str, str] = {}
    for variable in variables:
        if variable.value is not None:
            resolved[variable.name] = expand(variable.value, resolved)
            continue
        source = variable.value_from
        if source is not None and source.vault_secret_ref is not None:
            resolved[f"{VAULT_PREFIX}{variable.name}"] = source.vault_secret_ref.secret_id
            continue
        for key, _ in references((variable,)):
            if key in values.values:
                resolved[variable.name] = values.values[key]
    return resolved


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Return `text` with every `$(VAR)` of a defined variable replaced, and every `$$` by `$`.

    Source: https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
    """

    def value(match: re.Match[str]) -> str:
        if match.group(1):
            return "$"
        return variables.get(match.group(2), match.group(0))

    return _REFERENCE.sub(value, text)


def names_in(text: str) -> tuple[str, ...]:
    """Return the names of the variables that `text` refers to."""
    return tuple(match.group(2) for match in _REFERENCE.finditer(text) if not match.group(1))


def command_line(args: Sequence[str], variables: Mapping[str, str]) -> str | None:
    """Return commandLineArguments: the arguments, expanded and quoted as a shell would need them."""
    return shlex.join(expand(arg, variables) for arg in args) if args else None


def reserved_names(variables: Iterable[EnvVar]) -> tuple[str, ...]:
    """Return the names that belong to OCI or to the operator."""
    return tuple(
        variable.name
        for variable in variables
        if variable.name in SERVICE_VARIABLES | OPERATOR_VARIABLES
        or variable.name.startswith(RESERVED_ENV_PREFIX)
    )


def characters(variables: Mapping[str, str]) -> int:
    """Return the length that OCI limits: of all names and values together."""
    return sum(len(name) + len(value) for name, value in variables.items())


def variables_of(template: RunTemplate, run: RunSettings | None) -> tuple[EnvVar, ...]:
    """Return the variables of a run as they were written: the job's, and the run's over them."""
    return merge(template.env, run.env if run is not None else ())


def reserved_problem(variables: Iterable[EnvVar]) -> str | None:
    """Return which names can't be used, in words for people."""
    if reserved := reserved_names(variables):
        return (
            f"spec.env: {', '.join(reserved)}: reserved for OCI and the operator, use other names"
        )
    return None


def has_settings_of_runs(spec: OCIJobSpec) -> bool:
    """Whether the spec says anything that an adopted OCI job does not have and its runs are to have."""
    return bool(spec.env or spec.args or spec.maximum_runtime_in_minutes)
