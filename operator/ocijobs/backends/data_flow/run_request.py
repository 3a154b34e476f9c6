"""The request of a run on Data Flow: what it is sent, it is sent whole.

The schema of a run does not see its job, so what a run of Spark can't have is said here.
"""

from __future__ import annotations

from collections.abc import Mapping

from ocijobs.api.run.binding import BoundApplication
from ocijobs.api.run.settings import RunSettings
from ocijobs.api.shared.names import SCHEDULED_TIME
from ocijobs.backends.data_flow.application import spark_settings
from ocijobs.backends.data_flow.requests import ApplicationRunRequest
from ocijobs.backends.environment import references, variables_of
from ocijobs.backends.inputs import RunInput


def run_request(run: RunInput) -> ApplicationRunRequest | str:
    """Return CreateRunDetails, or what the run can't have, in words."""
    application = run.template.application
    if application is None:
        return f"OCIJob {run.job_name} is bound without what its application is: create another OCIJobRun"
    problem = _problem(run) or _two_families(run, application) or _foreign_problem(run)
    if problem is not None:
        return problem
    told = {SCHEDULED_TIME: run.scheduled_time} if run.scheduled_time is not None else {}
    spark = spark_settings(run.template, application, run.settings, run.values, told=told)
    return ApplicationRunRequest(
        compartment_id=run.job.compartment_id or "",
        job_id=run.job.job_id or "",
        display_name=run.display_name,
        tags=run.tags,
        spark=spark if _touches(run) else None,
    )


def run_content(request: ApplicationRunRequest, settings: RunSettings) -> Mapping[str, object]:
    """Return what the digest of a request is taken over, beside what all requests have."""
    return {
        "overridden": request.spark is not None,
        "maximumRuntimeInMinutes": settings.maximum_runtime_in_minutes,
        "spark": settings.spark.document() if settings.spark else None,
    }


def _touches(run: RunInput) -> bool:
    """Whether the run is anything else than the application says."""
    settings, template = run.settings, run.template
    return bool(
        settings.env
        or settings.args is not None
        or settings.maximum_runtime_in_minutes is not None
        or settings.spark is not None
        or references(variables_of(template, settings))
        or (run.scheduled_time is not None and not template.made_elsewhere)
        or run.moved_on
    )


def _rule_of_exit_codes(spec: RunSettings) -> int | None:
    """Return the index of the first rule that goes by exit codes."""
    rules = spec.failure_policy.rules if spec.failure_policy is not None else ()
    return next((i for i, rule in enumerate(rules) if rule.on_exit_codes is not None), None)


def _problem(run: RunInput) -> str | None:
    """Return what no Spark job can be run with, in words."""
    settings, name = run.settings, run.job_name
    for field in ("infrastructure", "logging", "container"):
        if getattr(settings, field) is not None:
            return f"spec.{field}: OCIJob {name} runs Spark: give spec.spark"
    if (index := _rule_of_exit_codes(settings)) is not None:
        return (
            f"spec.failurePolicy.rules[{index}].onExitCodes: OCIJob {name} runs Spark, and Data Flow tells no "
            "exit code: give onLifecycleDetails"
        )
    variables = variables_of(run.template, settings)
    from_vault = [variable.name for variable in variables if variable.from_vault]
    if from_vault:
        return (
            f"spec.env: {', '.join(from_vault)}: a Vault secret is read by a driver, and Spark has none of "
            "ours: let the code read the secret"
        )
    return None


def _two_families(run: RunInput, application: BoundApplication) -> str | None:
    """Return that driver and executors would not be of one family, in words."""
    ours = run.settings.spark
    if ours is None:
        return None
    driver = ours.driver_shape or application.driver_shape
    executor = ours.executor_shape or application.executor_shape
    if driver.rpartition(".")[0] == executor.rpartition(".")[0]:
        return None
    return (
        f"spec.spark: driver and executors must have shapes of one family, and {driver} and {executor} have not: "
        "give both"
    )


def _foreign_problem(run: RunInput) -> str | None:
    """Return what a run can't override of an application that was made elsewhere, in words."""
    settings = run.settings
    if not run.template.made_elsewhere:
        return None
    field = None
    if settings.env:
        field = "env"
    elif settings.spark is not None and settings.spark.spark_configuration:
        field = "spark.sparkConfiguration"
    if field is None:
        return None
    return (
        f"spec.{field}: a run by jobId can't have it: Data Flow takes a configuration whole, and that of "
        f"{run.job_name} is not kept here, since it may hold secrets; make the application an OCIJob"
    )
