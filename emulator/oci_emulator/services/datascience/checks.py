"""Rules of jobs that go beyond the models: limits, and what fits with what.

Each check takes a block of a request and the path at which it stands there, and raises a
ServiceError with status 400 that names field and rule.
"""

import re
from collections.abc import Mapping
from typing import Any

from oci_emulator.calls.errors import invalid, missing
from oci_emulator.conduct.rules import Rules
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.datascience.shapes import BY_NAME

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
"""What the service sets in every run."""
_RESERVED_PREFIX = "OCI_RESOURCE_PRINCIPAL_"

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_IMAGE = re.compile(
    r"[a-z0-9-]+\.ocir\.io/[a-z0-9]+/[a-z0-9._/-]+(:[\w.-]+)?(@sha256:[0-9a-f]{64})?"
)
_GROUP_NAME_LENGTH = 255


def is_reserved(name: str) -> bool:
    """Whether the service sets this variable by itself."""
    return name in SERVICE_VARIABLES or name.startswith(_RESERVED_PREFIX)


def configuration(block: JsonObject, path: str, rules: Rules) -> None:
    """Check job configuration: variables, arguments and the maximum run time."""
    environment(block.get("environmentVariables", {}), f"{path}.environmentVariables", rules)
    arguments = block.get("commandLineArguments", "")
    if len(arguments) > rules.arguments_maximum_characters:
        raise invalid(
            f"{path}.commandLineArguments: has {len(arguments)} characters,"
            f" {rules.arguments_maximum_characters} are allowed"
        )
    maximum_runtime(block, path, rules)


def environment(variables: Mapping[str, str], path: str, rules: Rules) -> None:
    """Check variables: their names, and all keys and values together."""
    for name in variables:
        if not _VARIABLE.fullmatch(name):
            raise invalid(f"{path}.{name[:100]}: is no name of an environment variable")
        if rules.reserved_environment == "refuse" and is_reserved(name):
            raise invalid(f"{path}.{name}: is reserved, the service sets it")
    total = sum(len(name) + len(value) for name, value in variables.items())
    if total > rules.environment_maximum_characters:
        raise invalid(
            f"{path}: keys and values have {total} characters together,"
            f" {rules.environment_maximum_characters} are allowed"
        )


def maximum_runtime(block: JsonObject, path: str, rules: Rules) -> None:
    """Check ``maximumRuntimeInMinutes``."""
    minutes = block.get("maximumRuntimeInMinutes")
    if minutes is not None and not 1 <= minutes <= rules.maximum_runtime_minutes:
        raise invalid(
            f"{path}.maximumRuntimeInMinutes: must be 1 to {rules.maximum_runtime_minutes},"
            f" not {minutes}"
        )


def infrastructure(block: JsonObject, path: str, rules: Rules, *, node_group: bool = False) -> None:
    """Check shape, shape configuration and block storage.

    ``node_group``: the block belongs to a node group, which has infrastructure of its own kind.
    """
    kind = block["jobInfrastructureType"]
    allowed = (
        {"MULTI_NODE"} if node_group else {"STANDALONE", "ME_STANDALONE", "MANAGED_COMPUTE_CLUSTER"}
    )
    if kind not in allowed:
        raise invalid(
            f"{path}.jobInfrastructureType: must be one of {', '.join(sorted(allowed))} here,"
            f" not {kind!r}"
        )
    if kind == "MANAGED_COMPUTE_CLUSTER":
        return
    shape = block["shapeName"]
    if shape not in BY_NAME and rules.unknown_shape == "refuse":
        raise invalid(f"{path}.shapeName: {shape[:100]!r} is none of the shapes of ListJobShapes")
    if "jobShapeConfigDetails" in block and not shape.endswith(".Flex"):
        raise invalid(f"{path}.jobShapeConfigDetails: is only for flexible shapes, not for {shape}")
    size = block["blockStorageSizeInGBs"]
    if not rules.block_storage_minimum_gb <= size <= rules.block_storage_maximum_gb:
        raise invalid(
            f"{path}.blockStorageSizeInGBs: must be {rules.block_storage_minimum_gb} to"
            f" {rules.block_storage_maximum_gb}, not {size}"
        )


def logging(block: JsonObject, path: str) -> None:
    """Check that log group and log are named where they are needed."""
    if not block.get("enableLogging"):
        return
    if "logGroupId" not in block:
        raise missing(f"{path}.logGroupId: is required if enableLogging is true")
    automatic = block.get("enableAutoLogCreation", False)
    if not automatic and "logId" not in block:
        raise missing(f"{path}.logId: is required unless enableAutoLogCreation is true")
    if automatic and "logId" in block:
        raise invalid(f"{path}.logId: can't be given if enableAutoLogCreation is true")


def container(block: JsonObject, path: str, rules: Rules) -> None:
    """Check image, entry point and command of a container."""
    if not _IMAGE.fullmatch(block["image"]):
        raise invalid(
            f"{path}.image: must be <region>.ocir.io/<namespace>/<image>:<tag>, not"
            f" {block['image'][:200]!r}"
        )
    parts = [*block.get("entrypoint", ()), *block.get("cmd", ())]
    total = sum(len(part.encode()) for part in parts)
    if total >= rules.container_command_maximum_bytes:
        raise invalid(
            f"{path}: entrypoint and cmd have {total} bytes together, they must have fewer than"
            f" {rules.container_command_maximum_bytes}"
        )


def storage_mounts(blocks: list[JsonObject], path: str, rules: Rules) -> None:
    """Check number and places of storage mounts."""
    if len(blocks) > rules.storage_mounts_maximum:
        raise invalid(f"{path}: a job has at most {rules.storage_mounts_maximum} storage mounts")
    places = set()
    for index, block in enumerate(blocks):
        directory = block.get("destinationPath", "/mnt")
        if not directory.startswith("/"):
            raise invalid(f"{path}[{index}].destinationPath: must start with '/'")
        place = (directory, block["destinationDirectoryName"])
        if place in places:
            raise invalid(f"{path}[{index}]: another mount has the same destination")
        places.add(place)


def nodes(block: JsonObject, path: str, rules: Rules) -> None:
    """Check node groups of a multi-node job."""
    maximum_runtime(block, path, rules)
    groups = block.get("jobNodeGroupConfigurationDetailsList", [])
    if not groups:
        raise missing(f"{path}.jobNodeGroupConfigurationDetailsList: needs a node group")
    names = set()
    for index, group in enumerate(groups):
        where = f"{path}.jobNodeGroupConfigurationDetailsList[{index}]"
        if group["name"] in names or not 1 <= len(group["name"]) <= _GROUP_NAME_LENGTH:
            raise invalid(f"{where}.name: node groups need names of their own")
        names.add(group["name"])
        _node_group(group, where, rules)


def known_groups(block: JsonObject, job: JsonObject, path: str) -> None:
    """Check that a run overrides only node groups that its job has."""
    groups = "jobNodeGroupConfigurationDetailsList"
    known = {group["name"] for group in job.get(groups, [])}
    for index, group in enumerate(block.get(groups, [])):
        if group["name"] not in known:
            raise invalid(
                f"{path}.{groups}[{index}].name: the job has no node group"
                f" {group['name'][:100]!r}, it has {', '.join(sorted(known)) or 'none'}"
            )


def _node_group(group: JsonObject, path: str, rules: Rules) -> None:
    replicas: int = group.get("replicas", 1)
    enough: int = group.get("minimumSuccessReplicas", replicas)
    if replicas < 1 or not 0 <= enough <= replicas:
        raise invalid(
            f"{path}: replicas must be 1 or more, and minimumSuccessReplicas at most as many"
        )
    if "jobInfrastructureConfigurationDetails" in group:
        where = f"{path}.jobInfrastructureConfigurationDetails"
        infrastructure(
            group["jobInfrastructureConfigurationDetails"], where, rules, node_group=True
        )
    blocks(group, path, rules, "{}Details")


def blocks(details: JsonObject, path: str, rules: Rules, names: str) -> None:
    """Check configuration and environment, which jobs, runs and node groups have alike.

    ``names``: how the blocks are named: ``{}Details`` in a job, ``{}OverrideDetails`` in a run.
    """
    prefix = f"{path}." if path else ""
    for block, check in (
        ("jobConfiguration", configuration),
        ("jobEnvironmentConfiguration", container),
    ):
        name = names.format(block)
        if name in details:
            check(details[name], f"{prefix}{name}", rules)


def only_one_of(details: Mapping[str, Any], names: str) -> None:
    """Check that a multi-node job has nothing beside its node configuration."""
    node = names.format("jobNodeConfiguration")
    beside = [
        names.format(block)
        for block in (
            "jobConfiguration",
            "jobInfrastructureConfiguration",
            "jobEnvironmentConfiguration",
        )
    ]
    if node not in details:
        return
    for name in beside:
        block = details.get(name)
        if block is not None and "EMPTY" not in block.values():
            raise invalid(f"{name}: a multi-node job has it in {node}, not at the top")
