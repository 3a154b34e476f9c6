"""Rules of applications and runs that go beyond the models.

They hold for what comes of a request: an application with its update, a run with what it has of its
application. Each raises a ServiceError with status 400 that names field and rule.
"""

from collections.abc import Mapping
from typing import Any

from oci_emulator.calls.errors import invalid, missing
from oci_emulator.conduct.rules import Rules
from oci_emulator.services.dataflow import parameters, shapes, uris

_SPARK_VERSIONS = ("2.4.4", "3.0.2", "3.2.1", "3.5.0")
_OF_THE_SERVICE = ("spark.master", "spark.submit.deployMode", "spark.kubernetes.")
"""Properties, or beginnings of them, that the service sets by itself."""


def check_settings(settings: Mapping[str, Any], rules: Rules) -> None:
    """Check all settings of an application or a run."""
    _check_code(settings, rules)
    _check_machines(settings, rules)
    _check_version(settings["sparkVersion"], rules)
    _check_configuration(settings.get("configuration", {}), rules)
    check_durations(settings, rules)
    for name in ("logsBucketUri", "warehouseBucketUri"):
        if name in settings:
            uris.check_bucket(settings[name], name)
    filled_arguments(settings)


def filled_arguments(settings: Mapping[str, Any]) -> list[str]:
    """The arguments with their parameters; those of ``execute`` have none.

    Raises:
        ServiceError: 400, a placeholder has no parameter.
    """
    arguments: list[str] = settings.get("arguments", [])
    if "execute" in settings:
        return arguments
    return parameters.fill(arguments, parameters.values_of(settings.get("parameters", [])))


def archives_of(settings: Mapping[str, Any]) -> list[str]:
    """The URIs of the archives."""
    return [uri.strip() for uri in settings.get("archiveUri", "").split(",") if uri.strip()]


def _check_code(settings: Mapping[str, Any], rules: Rules) -> None:
    language = settings["language"]
    if "fileUri" in settings:
        uris.check_object(settings["fileUri"], "fileUri")
    elif settings.get("type") != "SESSION":
        raise missing("fileUri: is required, unless there is execute or the type is SESSION")
    if (
        language in {"JAVA", "SCALA"}
        and "className" not in settings
        and rules.class_name == "required"
    ):
        raise missing(f"className: is required for {language}")
    for uri in archives_of(settings):
        uris.check_object(uri, "archiveUri")


def _check_machines(settings: Mapping[str, Any], rules: Rules) -> None:
    for name in ("driverShape", "executorShape"):
        shapes.check_shape(settings[name], settings.get(f"{name}Config"), name, rules)
    driver, executor = settings["driverShape"], settings["executorShape"]
    if shapes.family_of(driver) != shapes.family_of(executor):
        raise invalid(
            f"executorShape: must be of the family of driverShape; {executor[:100]} and"
            f" {driver[:100]} are of two"
        )
    number = settings["numExecutors"]
    if not 1 <= number <= rules.executors_maximum:
        raise invalid(f"numExecutors: must be 1 to {rules.executors_maximum}, not {number}")


def _check_version(version: str, rules: Rules) -> None:
    if version not in _SPARK_VERSIONS and rules.unknown_spark_version == "refuse":
        raise invalid(
            f"sparkVersion: must be one of {', '.join(_SPARK_VERSIONS)}, not {version[:100]!r}"
        )


def _check_configuration(configuration: Mapping[str, str], rules: Rules) -> None:
    if rules.reserved_spark_property == "accept":
        return
    for name in configuration:
        if name in _OF_THE_SERVICE or name.startswith(_OF_THE_SERVICE[-1]):
            raise invalid(f"configuration.{name[:100]}: can't be set, the service sets it")


def check_durations(settings: Mapping[str, Any], rules: Rules) -> None:
    """Check the durations; ``type`` says which there can be."""
    for name in ("maxDurationInMinutes", "idleTimeoutInMinutes"):
        if settings.get(name, 1) < 1:
            raise invalid(f"{name}: must be 1 or more, not {settings[name]}")
    is_session = settings.get("type") == "SESSION"
    if "idleTimeoutInMinutes" in settings and not is_session and rules.idle_timeout == "refuse":
        raise invalid("idleTimeoutInMinutes: is only for the type SESSION")
