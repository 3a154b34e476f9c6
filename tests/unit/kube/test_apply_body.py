"""What is sent as YAML is read again as it was, whatever characters are in it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from ocijobs.kube.apply_body import apply_body

# Those that JSON and YAML differ about, beside whatever hypothesis thinks of.
_ODD = "\x00\t\n\r\x1b\x7f\x85\xa0\ud7ff\u2028\u2029\ufeff\ufffd\ufffe\uffff\U0001f680\U0001fffe\U0010ffff\"\\/'#:{}?-"
_TEXT = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(_ODD)))
_SCALAR = st.one_of(_TEXT, st.none(), st.booleans(), st.integers(-(2**53), 2**53))
_NESTED = st.recursive(
    _SCALAR,
    lambda each: st.lists(each, max_size=3) | st.dictionaries(_TEXT, each, max_size=3),
    max_leaves=5,
)
_DOCUMENT = st.dictionaries(_TEXT, _NESTED, max_size=3)

# What Go's reader takes raw (sigs.k8s.io/yaml, readerc.go), and what its scanner takes as an escape.
_TAKEN_RAW = re.compile("[\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))")


def _read(body: bytes) -> Any:
    return yaml.load(body, Loader=yaml.SafeLoader)


@given(_DOCUMENT)
@example({"tail": ["done \U0001f680"]})
@example({"tail": ["\x85", "\u2028", "\ufffe"], "emoji": r"\ud83d\ude80"})
@example({"é" * 256: 1, "a" * 1023: {"b" * 5000: [2]}})
def test_every_text_survives(document: dict[str, Any]) -> None:
    assert _read(apply_body(document)) == document


@given(st.text(st.one_of(st.characters(), st.sampled_from("\\ud8\ud83d\ude80"))))
def test_gos_parser_takes_it(text: str) -> None:
    """Also with surrogates that are alone, of which there is nothing to keep."""
    body = apply_body({"text": text}).decode()
    assert _TAKEN_RAW.fullmatch(body)
    assert "\n" not in body
    for code, short in _ESCAPE.findall(body):
        assert short in '"\\nrtbf' if short else not 0xD800 <= int(code, 16) <= 0xDFFF
    paired = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert _read(body.encode()) == json.loads(body) == {"text": paired}


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_neither_has_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        apply_body({"percent": number})
