"""What every object has: its name in messages."""

from ocijobs.api.shared.metadata import ObjectKey


def test_an_object_is_told_by_its_kind_and_its_place() -> None:
    assert str(ObjectKey("OCIJob", "team-a", "training")) == "OCIJob team-a/training"
