"""What an application is made of, and what a run takes over from it."""

from collections.abc import Mapping
from typing import Any

from oci_emulator.calls.errors import invalid
from oci_emulator.conduct.rules import Rules
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.dataflow import shapes
from oci_emulator.services.dataflow.checks import check_settings
from oci_emulator.services.dataflow.execute import DERIVED, derive

FIELDS = (
    "applicationLogConfig",
    "archiveUri",
    "arguments",
    "className",
    "configuration",
    "driverShape",
    "driverShapeConfig",
    "execute",
    "executorShape",
    "executorShapeConfig",
    "fileUri",
    "idleTimeoutInMinutes",
    "language",
    "logsBucketUri",
    "maxDurationInMinutes",
    "metastoreId",
    "numExecutors",
    "parameters",
    "poolId",
    "privateEndpointId",
    "sparkVersion",
    "type",
    "warehouseBucketUri",
)
"""All that says what runs, and how."""
_IDLE_MINUTES = 2880
_DRIVER_ENVIRONMENT = "spark.driverEnv."


def settled(body: Mapping[str, Any], rules: Rules) -> JsonObject:
    """The document with what ``execute`` says and what is not said filled in, if it is right.

    Raises:
        ServiceError: 400, it breaks a rule.
    """
    whole = {"type": "BATCH", **body}
    if not whole.get("execute"):
        whole.pop("execute", None)
    else:
        derived = derive(whole["execute"], whole.get("language"))
        whole = {name: value for name, value in whole.items() if name not in DERIVED} | derived
    check_settings(whole, rules)
    if whole["type"] == "SESSION":
        whole.setdefault("idleTimeoutInMinutes", _IDLE_MINUTES)
    return shapes.complete(whole)


def overridden(
    application: Mapping[str, Any], details: Mapping[str, Any], rules: Rules
) -> JsonObject:
    """The settings of a run of an application: its own where it has some, else the application's.

    Raises:
        ServiceError: 400, it overrides what it can't.
    """
    if "sparkVersion" in details:
        raise invalid("sparkVersion: is the application's, and can't be given with applicationId")
    base = {name: application[name] for name in FIELDS if name in application}
    own = {name: details[name] for name in FIELDS if name in details}
    kind = own.get("type", base["type"])
    if kind != base["type"] and rules.run_type == "refuse":
        raise invalid(f"type: is the application's, {base['type']}, and can't be {kind}")
    if rules.run_parameters == "merge" and "parameters" in own:
        own["parameters"] = _merged(base.get("parameters", []), own["parameters"])
    if rules.run_configuration == "merge" and "configuration" in own:
        own["configuration"] = {**base.get("configuration", {}), **own["configuration"]}
    return changed(base, own)


def driver_variables(settings: Mapping[str, Any]) -> dict[str, str]:
    """The environment variables that the configuration has for the driver."""
    return {
        name.removeprefix(_DRIVER_ENVIRONMENT): value
        for name, value in settings.get("configuration", {}).items()
        if name.startswith(_DRIVER_ENVIRONMENT)
    }


def changed(base: JsonObject, own: JsonObject) -> JsonObject:
    """Settings with others in their place; with another shape goes the configuration of the old."""
    gone = {
        f"{name}Config"
        for name in ("driverShape", "executorShape")
        if name in own and own[name] != base.get(name)
    }
    return {name: value for name, value in base.items() if name not in gone} | own


def _merged(base: list[JsonObject], own: list[JsonObject]) -> list[JsonObject]:
    names = {parameter["name"] for parameter in own}
    return [parameter for parameter in base if parameter["name"] not in names] + own
