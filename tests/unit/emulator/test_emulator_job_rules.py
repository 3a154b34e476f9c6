"""Rules of jobs and runs beyond their models, at every value of those that are open."""

from typing import Any

import pytest

from oci_emulator.calls.errors import ServiceError
from oci_emulator.conduct.rules import Rules
from oci_emulator.services.datascience.configuration import check_job, check_run, effective

RULES = Rules()


def job(**blocks: Any) -> dict[str, Any]:
    return {
        "jobConfigurationDetails": {"jobType": "DEFAULT"},
        "jobInfrastructureConfigurationDetails": {
            "jobInfrastructureType": "ME_STANDALONE",
            "shapeName": "VM.Standard2.1",
            "blockStorageSizeInGBs": 50,
        },
        **blocks,
    }


def configuration(**fields: Any) -> dict[str, Any]:
    return job(jobConfigurationDetails={"jobType": "DEFAULT", **fields})


def infrastructure(**fields: Any) -> dict[str, Any]:
    block = {**job()["jobInfrastructureConfigurationDetails"], **fields}
    return job(jobInfrastructureConfigurationDetails=block)


def nodes(**fields: Any) -> dict[str, Any]:
    group = {"name": "workers", "replicas": 2, **fields}
    return {
        "jobNodeConfigurationDetails": {
            "jobNodeType": "MULTI_NODE",
            "jobNodeGroupConfigurationDetailsList": [group],
        }
    }


CONTAINER = {"jobEnvironmentType": "OCIR_CONTAINER", "image": "iad.ocir.io/ns/image:1"}


@pytest.mark.parametrize(
    "details",
    [
        job(),
        configuration(environmentVariables={"A": "x" * 19999}, commandLineArguments="x" * 4000),
        configuration(maximumRuntimeInMinutes=43200),
        infrastructure(shapeName="VM.Standard.E4.Flex", jobShapeConfigDetails={"ocpus": 2}),
        infrastructure(blockStorageSizeInGBs=10240),
        job(jobLogConfigurationDetails={"enableLogging": False}),
        job(
            jobLogConfigurationDetails={
                "enableLogging": True,
                "enableAutoLogCreation": True,
                "logGroupId": "g",
            }
        ),
        job(jobEnvironmentConfigurationDetails=CONTAINER),
        nodes(minimumSuccessReplicas=1),
        job(
            jobInfrastructureConfigurationDetails={
                "jobInfrastructureType": "MANAGED_COMPUTE_CLUSTER",
                "computeTargetId": "t",
                "resourceConfiguration": {},
            }
        ),
    ],
)
def test_these_jobs_are_accepted(details: dict[str, Any]) -> None:
    check_job(details, RULES)


@pytest.mark.parametrize(
    ("details", "message"),
    [
        ({}, "jobConfigurationDetails: is required unless"),
        (
            configuration(environmentVariables={"A": "x" * 20000}),
            (
                "jobConfigurationDetails.environmentVariables: keys and values have 20001 characters"
                " together, 20000 are allowed"
            ),
        ),
        (
            configuration(commandLineArguments="x" * 4001),
            "jobConfigurationDetails.commandLineArguments: has 4001 characters, 4000 are allowed",
        ),
        (
            configuration(environmentVariables={"1A": ""}),
            "jobConfigurationDetails.environmentVariables.1A: is no name",
        ),
        (
            configuration(environmentVariables={"JOB_RUN_OCID": "x"}),
            "jobConfigurationDetails.environmentVariables.JOB_RUN_OCID: is reserved",
        ),
        (
            configuration(environmentVariables={"OCI_RESOURCE_PRINCIPAL_RPST": "x"}),
            "OCI_RESOURCE_PRINCIPAL_RPST: is reserved",
        ),
        (
            configuration(maximumRuntimeInMinutes=0),
            "jobConfigurationDetails.maximumRuntimeInMinutes: must be 1 to 43200, not 0",
        ),
        (
            infrastructure(blockStorageSizeInGBs=49),
            "jobInfrastructureConfigurationDetails.blockStorageSizeInGBs: must be 50 to 10240",
        ),
        (
            infrastructure(shapeName="VM.Standard.X9"),
            "jobInfrastructureConfigurationDetails.shapeName: 'VM.Standard.X9' is none",
        ),
        (
            infrastructure(jobShapeConfigDetails={"ocpus": 2}),
            "jobShapeConfigDetails: is only for flexible shapes, not for VM.Standard2.1",
        ),
        (
            infrastructure(jobInfrastructureType="MULTI_NODE"),
            (
                "jobInfrastructureType: must be one of MANAGED_COMPUTE_CLUSTER, ME_STANDALONE,"
                " STANDALONE here"
            ),
        ),
        (
            job(jobLogConfigurationDetails={"enableLogging": True}),
            "jobLogConfigurationDetails.logGroupId: is required",
        ),
        (
            job(jobLogConfigurationDetails={"enableLogging": True, "logGroupId": "g"}),
            "jobLogConfigurationDetails.logId: is required unless",
        ),
        (
            job(
                jobLogConfigurationDetails={
                    "enableLogging": True,
                    "enableAutoLogCreation": True,
                    "logGroupId": "g",
                    "logId": "l",
                }
            ),
            "jobLogConfigurationDetails.logId: can't be given",
        ),
        (
            job(jobEnvironmentConfigurationDetails={**CONTAINER, "image": "docker.io/library/x"}),
            "jobEnvironmentConfigurationDetails.image: must be <region>.ocir.io",
        ),
        (
            job(jobEnvironmentConfigurationDetails={**CONTAINER, "cmd": ["x" * 2048]}),
            "jobEnvironmentConfigurationDetails: entrypoint and cmd have 2048 bytes together",
        ),
        (
            job(
                jobStorageMountConfigurationDetailsList=[
                    {"destinationDirectoryName": "a", "destinationPath": "mnt"}
                ]
            ),
            "jobStorageMountConfigurationDetailsList[0].destinationPath: must start with '/'",
        ),
        (
            job(jobStorageMountConfigurationDetailsList=[{"destinationDirectoryName": "a"}] * 2),
            "jobStorageMountConfigurationDetailsList[1]: another mount has the same destination",
        ),
        (
            job(
                jobStorageMountConfigurationDetailsList=[
                    {"destinationDirectoryName": str(number)} for number in range(6)
                ]
            ),
            "a job has at most 5 storage mounts",
        ),
        ({**job(), **nodes()}, "jobConfigurationDetails: a multi-node job has it in"),
        (nodes(replicas=0), "replicas must be 1 or more"),
        (nodes(minimumSuccessReplicas=3), "minimumSuccessReplicas at most as many"),
        (
            nodes(
                jobInfrastructureConfigurationDetails=job()["jobInfrastructureConfigurationDetails"]
            ),
            (
                "jobNodeGroupConfigurationDetailsList[0].jobInfrastructureConfigurationDetails"
                ".jobInfrastructureType: must be one of MULTI_NODE here"
            ),
        ),
        (
            {
                "jobNodeConfigurationDetails": {
                    "jobNodeType": "MULTI_NODE",
                    "jobNodeGroupConfigurationDetailsList": [{"name": "a"}, {"name": "a"}],
                }
            },
            "jobNodeGroupConfigurationDetailsList[1].name: node groups need names of their own",
        ),
        (
            {"jobNodeConfigurationDetails": {"jobNodeType": "MULTI_NODE"}},
            "needs a node group",
        ),
    ],
)
def test_these_jobs_are_refused(details: dict[str, Any], message: str) -> None:
    with pytest.raises(ServiceError) as caught:
        check_job(details, RULES)
    assert caught.value.status == 400
    assert message in caught.value.message


def test_open_rules_of_jobs_have_their_other_value() -> None:
    check_job(infrastructure(shapeName="VM.Standard.X9"), Rules(unknown_shape="accept"))
    check_job(
        configuration(environmentVariables={"JOB_OCID": "x"}), Rules(reserved_environment="ignore")
    )


JOB = configuration(
    environmentVariables={"A": "job", "B": "job"},
    commandLineArguments="--from job",
    maximumRuntimeInMinutes=10,
) | {
    "jobLogConfigurationDetails": {
        "enableLogging": True,
        "enableAutoLogCreation": True,
        "logGroupId": "g",
    }
}


def override(**fields: Any) -> dict[str, Any]:
    return {"jobConfigurationOverrideDetails": {"jobType": "DEFAULT", **fields}}


@pytest.mark.parametrize("run", [{}, override()])
def test_a_run_without_overrides_gets_what_the_job_has(run: dict[str, Any]) -> None:
    settings = effective(JOB, run, RULES)
    assert settings.environment == {"A": "job", "B": "job"}
    assert settings.arguments == "--from job"
    assert settings.maximum_minutes == 10


def test_variables_are_merged_and_the_rest_is_replaced() -> None:
    run = override(environmentVariables={"B": "run", "C": "run"}, commandLineArguments="--own")
    settings = effective(JOB, run, RULES)
    assert settings.environment == {"A": "job", "B": "run", "C": "run"}
    assert settings.arguments == "--own"
    assert settings.maximum_minutes == 43200


def test_what_an_override_leaves_out_may_come_from_the_job() -> None:
    run = override(environmentVariables={"B": "run"})
    whole = effective(JOB, run, RULES)
    assert (whole.arguments, whole.maximum_minutes) == ("", 43200)
    by_field = effective(JOB, run, Rules(configuration_override="by-field"))
    assert (by_field.arguments, by_field.maximum_minutes) == ("--from job", 10)


def test_variables_may_replace_instead() -> None:
    run = override(environmentVariables={"B": "run"})
    settings = effective(JOB, run, Rules(environment_merge="replace"))
    assert settings.environment == {"B": "run"}


@pytest.mark.parametrize(
    ("rule", "environment"), [("keep", {"A": "", "B": "job"}), ("unset", {"B": "job"})]
)
def test_an_empty_value_sets_or_unsets(rule: Any, environment: dict[str, str]) -> None:
    run = override(environmentVariables={"A": ""})
    assert effective(JOB, run, Rules(empty_environment_value=rule)).environment == environment


def test_without_a_limit_the_greatest_holds() -> None:
    assert effective(job(), {}, RULES).maximum_minutes == 43200


def test_limits_hold_after_merging() -> None:
    template = configuration(environmentVariables={"A": "x" * 10000})
    check_run(template, override(environmentVariables={"B": "x" * 9998}), RULES)
    with pytest.raises(ServiceError, match=r"merged onto the job's.*20001 characters"):
        check_run(template, override(environmentVariables={"B": "x" * 9999}), RULES)


def test_overrides_of_blocks_are_checked_like_the_blocks() -> None:
    run = {"jobInfrastructureConfigurationOverrideDetails": {
        "jobInfrastructureType": "ME_STANDALONE", "shapeName": "VM.Standard2.1",
        "blockStorageSizeInGBs": 1,
    }}  # fmt: skip
    with pytest.raises(ServiceError, match=r"OverrideDetails\.blockStorageSizeInGBs: must be 50"):
        check_run(JOB, run, RULES)


def test_only_a_multi_node_job_has_empty_infrastructure() -> None:
    empty = {"jobInfrastructureType": "EMPTY"}
    with pytest.raises(ServiceError, match=r"Details\.jobInfrastructureType: must be one of"):
        check_job(job(jobInfrastructureConfigurationDetails=empty), RULES)
    run = {"jobInfrastructureConfigurationOverrideDetails": empty}
    with pytest.raises(ServiceError, match=r"OverrideDetails\.jobInfrastructureType: must be"):
        check_run(JOB, run, RULES)
    assert check_run(nodes(), run, RULES).infrastructure == empty


def test_a_partial_block_is_refused_or_completed_from_the_job() -> None:
    run = {"jobLogConfigurationOverrideDetails": {"enableLogging": True}}
    with pytest.raises(ServiceError, match=r"OverrideDetails\.logGroupId: is required"):
        check_run(JOB, run, RULES)
    settings = check_run(JOB, run, Rules(partial_override_block="merge"))
    assert settings.log == JOB["jobLogConfigurationDetails"]


def test_an_override_block_is_taken_whole() -> None:
    run = {"jobLogConfigurationOverrideDetails": {"enableLogging": False}}
    assert check_run(JOB, run, RULES).log == {"enableLogging": False}
