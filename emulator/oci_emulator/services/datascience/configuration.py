"""What a run really gets: the job's settings with the run's overrides."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oci_emulator.calls.errors import missing
from oci_emulator.conduct.rules import Rules
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.running.probe import Probe
from oci_emulator.services.datascience import checks

_JOB = "{}Details"
_RUN = "{}OverrideDetails"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """The settings of one run.

    Attributes:
        environment: the variables that the user set, not those of the service.
        log: the log configuration, empty if there is none.
        container: the container environment, empty if there is none.
        nodes: the node configuration, empty for a job on a single node.
        probe: tells when the artifact is up, if that isn't at once.
    """

    environment: Mapping[str, str]
    arguments: str
    maximum_minutes: int
    infrastructure: JsonObject
    log: JsonObject
    container: JsonObject
    nodes: JsonObject
    probe: Probe | None = None


def effective(job: JsonObject, run: JsonObject, rules: Rules) -> Effective:
    """Merge a run's overrides onto its job.

    Blocks are taken whole, but for ``environmentVariables``, which are merged; both are rules.

    ``job``: the job as the API shows it.
    ``run``: the request for a run, or the run as the API shows it.
    """
    own: JsonObject = run.get("jobConfigurationOverrideDetails", {})
    base: JsonObject = job.get("jobConfigurationDetails", {})
    # A run that overrides nothing shows a block with nothing but its type.
    whole = own.keys() > {"jobType"} and rules.configuration_override == "whole"
    rest = own if whole else {**base, **own}
    nodes = node_configuration(job, run, rules)
    minutes = (
        own.get("maximumRuntimeInMinutes")
        or nodes.get("maximumRuntimeInMinutes")
        or rest.get("maximumRuntimeInMinutes")
        or rules.maximum_runtime_minutes
    )
    return Effective(
        environment=_environment(
            base.get("environmentVariables", {}), own.get("environmentVariables"), rules
        ),
        arguments=rest.get("commandLineArguments", ""),
        maximum_minutes=minutes,
        infrastructure=_block(job, run, "jobInfrastructureConfiguration"),
        log=log_configuration(job, run, rules),
        container=_block(job, run, "jobEnvironmentConfiguration"),
        nodes=nodes,
        probe=Probe.of(rest),
    )


def node_configuration(job: JsonObject, run: JsonObject, rules: Rules) -> JsonObject:
    """The node configuration of a run: its override merged onto the job's, group by group."""
    base: JsonObject = job.get("jobNodeConfigurationDetails", {})
    own: JsonObject = run.get("jobNodeConfigurationOverrideDetails", {})
    if not own:
        return base
    groups = "jobNodeGroupConfigurationDetailsList"
    named = {group["name"]: group for group in own.get(groups, [])}
    merged = [
        _node_group(group, named.get(group["name"], {}), rules) for group in base.get(groups, [])
    ]
    return {**base, **own, groups: merged}


def _node_group(base: JsonObject, own: JsonObject, rules: Rules) -> JsonObject:
    configuration = "jobConfigurationDetails"
    merged = {**base, **own}
    if configuration in own:
        merged[configuration] = {
            **({} if rules.configuration_override == "whole" else base.get(configuration, {})),
            **own[configuration],
            "environmentVariables": _environment(
                base.get(configuration, {}).get("environmentVariables", {}),
                own[configuration].get("environmentVariables"),
                rules,
            ),
        }
    return merged


def log_configuration(job: JsonObject, run: JsonObject, rules: Rules) -> JsonObject:
    """The log configuration of a run."""
    own: JsonObject = run.get("jobLogConfigurationOverrideDetails", {})
    base: JsonObject = job.get("jobLogConfigurationDetails", {})
    if not own:
        return base
    return {**base, **own} if rules.partial_override_block == "merge" else own


def _environment(
    base: Mapping[str, str], own: Mapping[str, str] | None, rules: Rules
) -> dict[str, str]:
    if own is None:
        return dict(base)
    merged = dict(own) if rules.environment_merge == "replace" else {**base, **own}
    if rules.empty_environment_value == "unset":
        merged = {name: value for name, value in merged.items() if value or name not in own}
    return merged


def _block(job: JsonObject, run: JsonObject, name: str) -> JsonObject:
    own = run.get(_RUN.format(name))
    block: JsonObject = job.get(_JOB.format(name), {}) if own is None else own
    return block


def check_job(details: Mapping[str, Any], rules: Rules) -> None:
    """Check the settings of a new job.

    Raises:
        ServiceError: 400, they break a rule.
    """
    details = dict(details)
    checks.only_one_of(details, _JOB)
    if "jobNodeConfigurationDetails" in details:
        checks.nodes(details["jobNodeConfigurationDetails"], "jobNodeConfigurationDetails", rules)
        return _check_shared(details, rules)
    for name in ("jobConfigurationDetails", "jobInfrastructureConfigurationDetails"):
        if name not in details:
            raise missing(f"{name}: is required unless the job has jobNodeConfigurationDetails")
    checks.blocks(details, "", rules, _JOB)
    check_infrastructure(details, rules)
    return _check_shared(details, rules)


def check_infrastructure(details: Mapping[str, Any], rules: Rules) -> None:
    """Check what can be updated in a job: infrastructure and storage mounts.

    Raises:
        ServiceError: 400, it breaks a rule.
    """
    name = "jobInfrastructureConfigurationDetails"
    if name in details:
        checks.infrastructure(details[name], name, rules)
    mounts = "jobStorageMountConfigurationDetailsList"
    checks.storage_mounts(details.get(mounts, []), mounts, rules)


def _check_shared(details: Mapping[str, Any], rules: Rules) -> None:
    if "jobLogConfigurationDetails" in details:
        checks.logging(details["jobLogConfigurationDetails"], "jobLogConfigurationDetails")
    mounts = "jobStorageMountConfigurationDetailsList"
    checks.storage_mounts(details.get(mounts, []), mounts, rules)


def _stays_empty(job: JsonObject, infrastructure: JsonObject) -> bool:
    """Whether a run leaves empty what is empty in its job, as it is in multi-node jobs alone."""
    empty: bool = infrastructure["jobInfrastructureType"] == "EMPTY"
    return empty and "jobNodeConfigurationDetails" in job


def check_run(job: JsonObject, details: JsonObject, rules: Rules) -> Effective:
    """Check the overrides of a new run, and what comes of them; the limits hold after merging.

    Raises:
        ServiceError: 400, they break a rule.
    """
    checks.only_one_of(details, _RUN)
    checks.blocks(details, "", rules, _RUN)
    if "jobNodeConfigurationOverrideDetails" in details:
        name = "jobNodeConfigurationOverrideDetails"
        checks.nodes(details[name], name, rules)
        checks.known_groups(details[name], job.get("jobNodeConfigurationDetails", {}), name)
    name = "jobInfrastructureConfigurationOverrideDetails"
    if name in details and not _stays_empty(job, details[name]):
        checks.infrastructure(details[name], name, rules)
    name = "jobStorageMountConfigurationOverrideDetailsList"
    checks.storage_mounts(details.get(name, []), name, rules)
    if "jobLogConfigurationOverrideDetails" in details:
        checks.logging(log_configuration(job, details, rules), "jobLogConfigurationOverrideDetails")
    merged = effective(job, details, rules)
    if details.get("jobConfigurationOverrideDetails"):
        path = "jobConfigurationOverrideDetails.environmentVariables (merged onto the job's)"
        checks.environment(merged.environment, path, rules)
    return merged
