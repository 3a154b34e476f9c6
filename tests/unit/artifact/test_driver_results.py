"""Result lines: what the driver takes from the output, and that the operator takes the same from the log."""

import json
import runpy
from collections.abc import Callable
from importlib import resources
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ocijobs.api.shared.names import RESULTS_KEY
from ocijobs.reconcile.output import RESULTS_LIMIT_BYTES, results_of_line

Reported = Callable[[bytes], dict[str, str]]


def _driver() -> dict[str, Any]:
    folder = resources.files("ocijobs.artifact").joinpath("drivers")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        return runpy.run_path(str(folder.joinpath("ocijobs_results.py")))


DRIVER = _driver()
reported: Reported = DRIVER["reported"]


def line_of(values: str) -> str:
    return f'{{"{RESULTS_KEY}": {values}}}'


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ('{"auc": 0.930}', {"auc": "0.930"}),
        (
            '{"loss": 1E-05, "steps": 100000000000000000000000}',
            {"loss": "1E-05", "steps": "100000000000000000000000"},
        ),
        ('{"best": true, "note": "größe", "none": null}', {"best": "true", "note": "größe"}),
        (
            '{"per_class": [0.50, 1.0], "by": {"é": 0.10}}',
            {"per_class": "[0.50,1.0]", "by": '{"é":0.10}'},
        ),
        ('{"auc": NaN}', {"auc": "NaN"}),
        ("{}", {}),
        ('{"steps": 00012}', {}),
        (r'{"auc": "\ud800"}', {}),
    ],
)
def test_values_are_kept_as_they_were_printed(values: str, expected: dict[str, str]) -> None:
    assert reported(line_of(values).encode()) == expected


def test_a_line_may_have_the_longest_size_and_no_more(capfd: pytest.CaptureFixture[str]) -> None:
    frame = len(line_of('{"a": ""}'))
    longest = line_of(f'{{"a": "{"x" * (RESULTS_LIMIT_BYTES - frame)}"}}')
    assert len(reported(longest.encode())["a"]) == RESULTS_LIMIT_BYTES - frame
    assert capfd.readouterr().err == ""
    assert reported(longest.replace("x", "xx", 1).encode()) == {}
    assert "longer than 4096 bytes" in capfd.readouterr().err


@pytest.mark.parametrize("values", ["[0.93]", '{"auc": 0.93', "[" * 4000])
def test_a_line_that_only_looks_like_results_is_named(
    values: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert reported(line_of(values).encode()) == {}
    assert "looks like results is ignored" in capfd.readouterr().err


@pytest.mark.parametrize("line", ["auc 0.93", "", "{}", f'# "{RESULTS_KEY}"', '{"auc": 0.93}'])
def test_other_lines_are_none_of_its_business(line: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert reported(line.encode()) == {}
    assert capfd.readouterr().err == ""


_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=8)
_ANY_TEXT = st.text(st.characters(), max_size=4)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT | _ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)
_DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={RESULTS_KEY: st.dictionaries(_TEXT, _VALUES, max_size=4) | _VALUES, "other": _VALUES},
)
_SPACE = st.text(st.sampled_from(" \t\r\x0b\x0c\x1c\x85\xa0\u2003"), max_size=2)


@st.composite
def _lines(draw: st.DrawFn) -> str:
    """Draw a line that is, nearly is, or is no result line."""
    text = json.dumps(draw(_DOCUMENTS), ensure_ascii=True)
    if draw(st.booleans()):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(_TEXT) + text[at + draw(st.integers(0, 2)) :]
    return draw(_SPACE) + text + draw(_SPACE)


def _deep(levels: int) -> str:
    return line_of(f'{{"a": {"[" * levels}{"]" * levels}}}')


@given(_lines())
@example(line_of('{"a": [1.50, {"é": 2}]}'))
@example(line_of(r'{"a": "\ud800"}'))
@example(line_of(r'{"\ud800": 1}'))
@example(line_of('{"a": "' + "é" * 2030 + '"}'))
@example(line_of('{"a": "' + "é" * 2040 + '"}'))
@example(_deep(20))
@example(_deep(21))
@example(_deep(300))
@example(_deep(2000))
def test_the_operator_takes_from_the_log_what_the_driver_takes_from_the_output(line: str) -> None:
    assert (results_of_line(line) or {}) == reported(line.encode())


@given(_lines())
def test_whatever_is_taken_can_be_written_to_kubernetes(line: str) -> None:
    for name, value in (results_of_line(line) or {}).items():
        assert f"{name}={value}".encode()


def test_a_log_line_that_is_no_unicode_is_no_result_line() -> None:
    assert results_of_line(line_of('{"a": "\ud800"}')) is None
