"""The descriptions that are checked in are those of the SDK that is installed."""

import json

import pytest

from oci_emulator.schema import generate


@pytest.mark.parametrize("source", generate.SOURCES, ids=lambda source: source.name)
def test_descriptions_are_up_to_date(source: generate.Source) -> None:
    kept = json.loads((generate.DATA / f"{source.name}.json").read_text())
    assert generate.describe(source) == kept


def test_regions_are_up_to_date() -> None:
    kept = json.loads((generate.DATA / "regions.json").read_text())
    assert generate.regions() == kept
    assert kept["us-ashburn-1"] == "iad"
