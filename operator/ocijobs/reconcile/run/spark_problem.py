"""What a run of a Spark job can't have, though the schema can't tell: the schema of a run does not see its job."""

from __future__ import annotations

from ocijobs.api.environment import EnvVar
from ocijobs.api.run_binding import RunTemplate
from ocijobs.reconcile.run.observation import RunObservation


def spark_problem(
    o: RunObservation, template: RunTemplate, variables: tuple[EnvVar, ...]
) -> str | None:
    """Return what the Spark job can't be run with, in words."""
    spec = o.run.spec
    name = o.run.job_name or spec.job_id
    for field in ("infrastructure", "logging", "container"):
        if getattr(spec, field) is not None:
            return f"spec.{field}: OCIJob {name} runs Spark: give spec.spark"
    rules = spec.failure_policy.rules if spec.failure_policy is not None else ()
    for index, rule in enumerate(rules):
        if rule.on_exit_codes is not None:
            return (
                f"spec.failurePolicy.rules[{index}].onExitCodes: OCIJob {name} runs Spark, and Data Flow tells no "
                "exit code: give onLifecycleDetails"
            )
    from_vault = [variable.name for variable in variables if variable.from_vault]
    if from_vault:
        return (
            f"spec.env: {', '.join(from_vault)}: a Vault secret is read by a driver, and Spark has none of "
            "ours: let the code read the secret"
        )
    return _two_families(o, template) or _foreign_problem(o, template)


def _two_families(o: RunObservation, template: RunTemplate) -> str | None:
    """Return that driver and executors would not be of one family, in words."""
    ours, application = o.run.spec.spark, template.application
    if ours is None or application is None:
        return None
    driver = ours.driver_shape or application.driver_shape
    executor = ours.executor_shape or application.executor_shape
    if driver.rpartition(".")[0] == executor.rpartition(".")[0]:
        return None
    return (
        f"spec.spark: driver and executors must have shapes of one family, and {driver} and {executor} have not: "
        "give both"
    )


def _foreign_problem(o: RunObservation, template: RunTemplate) -> str | None:
    """Return what a run can't override of an application that was made elsewhere, in words."""
    spec = o.run.spec
    if not template.made_elsewhere:
        return None
    field = None
    if spec.env:
        field = "env"
    elif spec.spark is not None and spec.spark.spark_configuration:
        field = "spark.sparkConfiguration"
    if field is None:
        return None
    return (
        f"spec.{field}: a run by jobId can't have it: Data Flow takes a configuration whole, and that of {spec.job_id} "
        "is not kept here, since it may hold secrets; make the application an OCIJob"
    )
