"""What coverage leaves out is listed, and nothing else is left out."""

from __future__ import annotations

from pathlib import Path

from coverage_gate import EXCLUSIONS, ROOT, exclusions, strangers

LISTED = "operator/ocijobs/a.py: raise AssertionError  # the model has one"


def test_the_list_is_what_the_code_excludes() -> None:
    lines = (ROOT / EXCLUSIONS).read_text(encoding="utf-8").splitlines()
    listed = [line for line in lines if not line.startswith("#")]
    assert strangers(exclusions(ROOT), listed) == ()
    assert not [line for line in listed if line.endswith("# NO REASON")]


def test_an_exclusion_that_comes_or_goes_is_noticed(tmp_path: Path) -> None:
    module = tmp_path / "operator/ocijobs/a.py"
    module.parent.mkdir(parents=True)
    statement = "    raise AssertionError  # pragma: no cover"
    module.write_text(f"{statement} - the model has one\n", encoding="utf-8")
    assert exclusions(tmp_path) == (LISTED,)
    assert strangers(exclusions(tmp_path), [LISTED]) == ()
    assert strangers(exclusions(tmp_path), []) == (f"not listed: {LISTED}",)
    assert strangers([], [LISTED]) == (f"listed, and not in the code: {LISTED}",)
    assert strangers([LISTED, LISTED], [LISTED]) == ("2 in the code, 1 listed",)
    module.write_text(f"{statement}\n", encoding="utf-8")
    assert exclusions(tmp_path) == ("operator/ocijobs/a.py: raise AssertionError  # NO REASON",)
