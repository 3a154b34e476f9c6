"""What a Spark job is on Data Flow: an application, with the code at an address that tells its content.

Data Flow would let anything but compartment and type change in an application. What a run can't be sent otherwise
(code, class, language, version of Spark, private endpoint) makes another revision all the same: later attempts of a
run are to be like its first one. The rest is changed in place, and a run whose job has moved on is sent what it was
bound to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ocijobs.api.job.machines.data_flow import DataFlowInfrastructure, ShapeConfig
from ocijobs.api.job.runtimes.spark import ApplicationParameter, SparkRuntime
from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.api.job.status import Artifact
from ocijobs.api.run.binding import BoundApplication, RunTemplate
from ocijobs.api.run.settings import RunSettings, RunSpark
from ocijobs.backends.data_flow.requests import (
    FLOW,
    SPARK,
    ApplicationRequest,
    SparkMachine,
    SparkSettings,
)
from ocijobs.backends.environment import expand, resolve, variables_of
from ocijobs.backends.manifest_fields import asked_for, shared
from ocijobs.backends.records import LogAddress
from ocijobs.backends.values import Values

AUTH, RESOURCE_PRINCIPAL = "dataflow.auth", "resource_principal"
"""Runs have rights of their own, instead of a token of whoever created them that ends after 24 hours."""

DRIVER_VARIABLE, EXECUTOR_VARIABLE = "spark.driverEnv.", "spark.executorEnv."

_ARCHIVES, _PY_FILES, _JARS = "spark.archives", "spark.submit.pyFiles", "spark.jars"
_LISTS = frozenset({_ARCHIVES, _PY_FILES, _JARS, "spark.files"})
"""Properties that are lists: what a job, its run and the operator say is added up."""

_CONDA_FOLDER = "conda"
"""Where Data Flow unpacks a conda environment, as ADS has it."""


def bound_application(
    spec: OCIJobSpec, artifact: Artifact | None, pool_id: str | None
) -> BoundApplication | None:
    """Return what runs of a Spark job are sent where they are sent anything; None of other jobs.

    Args:
        spec: of the OCIJob.
        artifact: the code, with its folder; None while that is not known.
        pool_id: OCID of the pool that is given by name.
    """
    given = spec.infrastructure.data_flow
    if given is None:
        return None
    variant = spec.runtime.variant if spec.runtime is not None else None
    runtime = variant if isinstance(variant, SparkRuntime) else SparkRuntime()
    otherwise: dict[str, object] = {
        "configuration": _configuration(given, runtime, artifact),
        "pool_id": given.pool_id or pool_id,
    }
    if given.executor_shape is None:
        otherwise["executor_shape"] = given.driver_shape
        otherwise["executor_shape_config"] = given.driver_shape_config
    return BoundApplication.model_validate(shared(BoundApplication, given, runtime) | otherwise)


def _configuration(
    given: DataFlowInfrastructure, runtime: SparkRuntime, artifact: Artifact | None
) -> dict[str, str]:
    ours: dict[str, str] = {}
    if (executors := given.dynamic_allocation) is not None:
        # Without shuffle tracking Spark would need a shuffle service, which Data Flow has not.
        ours = {
            "spark.dynamicAllocation.enabled": "true",
            "spark.dynamicAllocation.shuffleTracking.enabled": "true",
            "spark.dynamicAllocation.minExecutors": str(executors.min_executors),
            "spark.dynamicAllocation.maxExecutors": str(executors.max_executors),
        }
    if runtime.conda is not None:
        ours[_ARCHIVES] = f"{runtime.conda.uri}#{_CONDA_FOLDER}"
    if artifact is not None and artifact.uri is not None:
        ours |= _libraries([f"{artifact.uri}/{name}" for name in artifact.libraries])
    return added({AUTH: RESOURCE_PRINCIPAL, **ours}, given.spark_configuration)


def _libraries(files: list[str]) -> dict[str, str]:
    """Return the properties by which Spark finds libraries: jars, and archives of Python modules."""
    jars = ",".join(uri for uri in files if uri.endswith(".jar"))
    modules = ",".join(uri for uri in files if not uri.endswith(".jar"))
    return {name: uris for name, uris in ((_JARS, jars), (_PY_FILES, modules)) if uris}


def added(former: Mapping[str, str], further: Mapping[str, str]) -> dict[str, str]:
    """Return a configuration with further properties in it: lists grow, others are replaced."""
    lists = {
        name: f"{former[name]},{value}"
        for name, value in further.items()
        if name in _LISTS and former.get(name)
    }
    return {**former, **further, **lists}


def spark_settings(
    template: RunTemplate,
    application: BoundApplication,
    run: RunSettings | None,
    values: Values,
    *,
    told: Mapping[str, str],
) -> SparkSettings:
    """Return the settings of an application, or of a run with its overrides: references filled in.

    Variables that refer to Secrets and ConfigMaps are no part of the application: they are sent with each run.

    Args:
        template: what the job's runs start.
        application: the job's.
        run: the run's own; None for the application itself.
        values: what the references gave.
        told: variables beyond those of the manifests.
    """
    written = variables_of(template, run)
    if run is None:
        written = tuple(variable for variable in written if not variable.read_at_launch)
    variables = {**resolve(written, values), **told}
    spark = (run.spark if run is not None else None) or RunSpark()
    args = run.args if run is not None and run.args is not None else template.args
    minutes = run.maximum_runtime_in_minutes if run is not None else None
    sent = added(application.configuration, spark.spark_configuration)
    parameters = _values(application.parameters) | _values(spark.parameters)
    log = application.application_log_config
    # Of an application that was made elsewhere, what is not said here stays as it is there.
    foreign = bool(template.made_elsewhere)
    return asked_for(
        SparkSettings,
        spark,
        application,
        below=(f"{FLOW}.", f"{SPARK}."),
        driver=_machine(spark.driver_shape, spark.driver_shape_config)
        or _sized(application.driver_shape, application.driver_shape_config),
        executor=_machine(spark.executor_shape, spark.executor_shape_config)
        or _sized(application.executor_shape, application.executor_shape_config),
        configuration=None if foreign else {**sent, **_environment(variables)},
        parameters=None if foreign and not spark.parameters else parameters,
        arguments=None if foreign and not args else tuple(expand(arg, variables) for arg in args),
        log=LogAddress(log_group_id=log.log_group_id, log_id=log.log_id) if log else None,
        max_duration_in_minutes=minutes or template.maximum_runtime_in_minutes,
    )


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    return {
        f"{prefix}{name}": value
        for name, value in variables.items()
        for prefix in (DRIVER_VARIABLE, EXECUTOR_VARIABLE)
    }


def _values(parameters: Iterable[ApplicationParameter]) -> dict[str, str]:
    return {parameter.name: parameter.value for parameter in parameters}


def _machine(shape: str | None, size: ShapeConfig | None) -> SparkMachine | None:
    return _sized(shape, size) if shape is not None else None


def _sized(shape: str, size: ShapeConfig | None) -> SparkMachine:
    return asked_for(SparkMachine, size, below=(f"{FLOW}.driverShapeConfig.",), shape=shape)


def application_of(content: ApplicationRequest) -> BoundApplication:
    """Return an application that was made elsewhere, as far as status may have it: properties may be secret."""
    spark = content.settings.spark
    return BoundApplication(
        type=content.type,
        driver_shape=spark.driver.shape,
        driver_shape_config=_size_of(spark.driver),
        executor_shape=spark.executor.shape,
        executor_shape_config=_size_of(spark.executor),
        num_executors=spark.num_executors,
        parameters=tuple(
            ApplicationParameter(name=name, value=value)
            for name, value in (spark.parameters or {}).items()
        ),
    )


def _size_of(machine: SparkMachine) -> ShapeConfig | None:
    if machine.ocpus is None or machine.memory_in_gbs is None:
        return None
    return ShapeConfig.model_validate(
        {name: getattr(machine, name) for name in ShapeConfig.model_fields}
    )
