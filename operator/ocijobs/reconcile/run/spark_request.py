"""The request of a run on Data Flow: what it is sent, it is sent whole.

The schema of a run does not see its job, so what a run of Spark can't have is said here.
"""

from __future__ import annotations

from ocijobs.api.run.binding import BoundApplication, JobBinding, RunTemplate
from ocijobs.api.run.settings import RunSettings
from ocijobs.api.shared.environment import EnvVar
from ocijobs.api.shared.names import SCHEDULED_TIME
from ocijobs.backends.data_flow.application import spark_settings
from ocijobs.backends.environment import references
from ocijobs.backends.requests import ApplicationRunRequest
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.reconcile.run.request import Sent, moved_on, reserved_problem, tags_of


def application_run_request(
    o: RunObservation, job: JobBinding, sent: Sent, application: BoundApplication
) -> ApplicationRunRequest | str:
    """Return the request of the run, or what it can't have, in words."""
    meta, settings, template = o.run.metadata, sent.settings, sent.template
    problem = reserved_problem(sent.variables) or _problem(o, template, sent.variables)
    if problem is not None:
        return problem
    told = {SCHEDULED_TIME: o.scheduled_time} if o.scheduled_time is not None else {}
    spark = spark_settings(template, application, settings, sent.values, told=told)
    return ApplicationRunRequest(
        compartment_id=job.compartment_id or "",
        job_id=job.job_id or "",
        display_name=settings.display_name or f"{meta.namespace}/{meta.name}",
        tags=tags_of(o, settings),
        spark=spark if _touches(o, job, sent) else None,
    )


def _touches(o: RunObservation, job: JobBinding, sent: Sent) -> bool:
    """Whether the run is anything else than the application says."""
    settings, template = sent.settings, sent.template
    return bool(
        settings.env
        or settings.args is not None
        or settings.maximum_runtime_in_minutes is not None
        or settings.spark is not None
        or references(sent.variables)
        or (o.scheduled_time is not None and not template.made_elsewhere)
        or moved_on(o, job)
    )


def _rule_of_exit_codes(spec: RunSettings) -> int | None:
    """Return the index of the first rule that goes by exit codes."""
    rules = spec.failure_policy.rules if spec.failure_policy is not None else ()
    return next((i for i, rule in enumerate(rules) if rule.on_exit_codes is not None), None)


def _problem(o: RunObservation, template: RunTemplate, variables: tuple[EnvVar, ...]) -> str | None:
    """Return what the Spark job can't be run with, in words."""
    spec = o.run.spec
    name = o.run.job_name or spec.job_id
    for field in ("infrastructure", "logging", "container"):
        if getattr(spec, field) is not None:
            return f"spec.{field}: OCIJob {name} runs Spark: give spec.spark"
    if (index := _rule_of_exit_codes(spec)) is not None:
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
