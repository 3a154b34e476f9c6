"""The options of a reset: what the new cloud is started with."""

from dataclasses import replace
from typing import Any

from oci_emulator.conduct.lags import Profile
from oci_emulator.conduct.rules import Rules
from oci_emulator.control.call import only
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.datascience.plans import Plans
from oci_emulator.serving.settings import Settings
from oci_emulator.serving.statedir import check_namespace

_TYPES: dict[str, type] = {
    "mode": str,
    "profile": str,
    "rules": dict,
    "places": int,
    "namespace": str,
    "journalBodies": bool,
}


def settings_of(start: Settings, body: JsonObject) -> Settings:
    """The settings that the emulator was started with, and those of a reset on them.

    Raises:
        ValueError: an option is unknown or can't be used.
    """
    only(body, *_TYPES)
    for name, value in body.items():
        if type(value) is not _TYPES[name]:
            raise ValueError(f"{name}: must be {_TYPES[name].__name__}, not {value!r}")
    options: dict[str, Any] = dict(body)
    if "journalBodies" in options:
        options["journal_bodies"] = options.pop("journalBodies")
    options["rules"] = {**start.rules, **options.get("rules", {})}
    settings = replace(start, **options)
    _check(settings)
    return settings


def _check(settings: Settings) -> None:
    """Raise a ValueError if the settings can't be used."""
    Rules().with_values(settings.rules)
    if settings.profile is not None:
        Profile("fast").select(settings.profile)
    if settings.mode is not None:
        Plans("process").set({"mode": settings.mode})
    if settings.namespace is not None:
        check_namespace(settings.namespace)
    if settings.places is not None and settings.places < 1:
        raise ValueError(f"places: must be 1 or more, not {settings.places}")
