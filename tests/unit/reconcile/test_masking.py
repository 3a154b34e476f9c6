"""What a run printed, as it is shown: no secret is in it, whatever stands in it or around it."""

from __future__ import annotations

import json
import re
import unicodedata
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.records import RunState
from ocijobs.backends.values import ValueKey, Values
from ocijobs.reconcile.known.run import RunKnown
from ocijobs.reconcile.legible import legible
from ocijobs.reconcile.masking import SHORTEST_PART, SHORTEST_SECRET, masked
from ocijobs.reconcile.output import LINE_LIMIT_BYTES, TAIL_LIMIT_BYTES, TAIL_LINES, tail
from ocijobs.reconcile.run.failure_policy import Terminal, evaluate
from ocijobs.reconcile.run.status import reflect, write_blocked
from ocijobs.reconcile.text import shown
from ocijobs.testing import SETTLED, make_run, make_run_observation, make_run_record

# Secrets of few letters, so that they overlap, contain and repeat each other; what stands around has none of them.
_LINE = st.text("ab", min_size=SHORTEST_PART, max_size=24)
_SHORT = st.text("ab", min_size=SHORTEST_SECRET, max_size=SHORTEST_PART)
_AROUND = st.text("é .=~", max_size=12)
_UNSEEN = st.sampled_from(
    [
        "\x07",
        "\x00",
        "\x7f",
        "\x9f",
        "\x1b",
        "\x1b[31m",
        "\x1b[0m",
        "\x1b[1;31m\x1b[K",
        "\x1b(B",
        "\x85",
        "\x1b]0;title\x07",
        "\x1b]8;;http://x\x1b\\",
        "\x9b1m",
        "\u202e",
        "\u2066",
        "\u2028",
        "\ufeff",
        "\ufffe",
    ]
)
_ROUND = st.sampled_from(["", "\n", "\r\n", " ", "\t"])


@st.composite
def _decorated(draw: st.DrawFn, text: str) -> str:
    """Return the text with what a terminal does not show at up to three places in it."""
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        if not {"\x1b", "\x9b", "\x9f"} & set(
            text[max(0, at - 16) : at + 1]
        ):  # none within another
            text = text[:at] + draw(_UNSEEN) + text[at:]
    return text


_AS_PRINTED: dict[str, Callable[[str], str]] = {
    "as it is": lambda value: value,
    "stripped": str.strip,
    "base64": lambda value: b64encode(value.encode()).decode(),
    "base64 for URLs": lambda value: urlsafe_b64encode(value.encode()).decode(),
    "in a URL": lambda value: quote(value, safe=""),
    "in JSON": lambda value: json.dumps(value)[1:-1],
}


@st.composite
def _secret(draw: st.DrawFn) -> str:
    lines = draw(st.lists(_LINE, min_size=2, max_size=4) | st.tuples(_SHORT | _LINE))
    return draw(_ROUND) + "\n".join(lines) + draw(_ROUND)


@given(st.data())
def test_nothing_of_a_secret_is_left_however_the_output_is_cut(data: st.DataObject) -> None:
    """The law: of what stood in the output, no 8 characters in a row; of a short one, not all of them."""
    secrets = data.draw(st.lists(_secret(), min_size=1, max_size=3))
    form = _AS_PRINTED[data.draw(st.sampled_from(sorted(_AS_PRINTED)))]
    printed = form(data.draw(st.sampled_from(secrets)))
    before, after = data.draw(_AROUND), data.draw(_AROUND)
    output = before + printed + after
    cuts = data.draw(st.lists(st.integers(0, len(output)), max_size=4).map(sorted))
    pieces = [output[a:b] for a, b in zip([0, *cuts], [*cuts, len(output)], strict=True)]
    for piece in pieces:
        for line in piece.split("\n"):
            left = masked(data.draw(_decorated(line)), secrets)
            kept = [run for run in re.split(r"[^\x21-\x7e]+|[.=~*]+", left) if run in printed]
            assert all(len(run) < SHORTEST_PART for run in kept)
    if not cuts and len(printed) >= SHORTEST_PART:
        assert printed.strip() not in masked(output, secrets)


@given(
    secret=st.text(min_size=6, max_size=40),
    before=st.binary(max_size=7),
    after=st.binary(max_size=7),
)
def test_base64_of_something_with_a_secret_in_it_has_none_of_it(
    secret: str, before: bytes, after: bytes
) -> None:
    """Wherever the secret begins: but for the characters at its ends, which have bits of its neighbours."""
    value = secret.encode(errors="replace")
    text = b64encode(before + value + after).decode()
    first, last = -(-len(before) * 4 // 3), (len(before) + len(value)) * 4 // 3
    if last - first >= SHORTEST_PART and len(legible(secret).strip()) >= SHORTEST_SECRET:
        assert text[first:last] not in masked(f"Basic {text}", [secret])


@st.composite
def _printed(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    """Return secrets, and lines of output in which some of them stand."""
    secrets = draw(st.lists(_SHORT | _LINE, min_size=1, max_size=5))
    words = st.lists(st.sampled_from(["=", "a", " ", "é", *secrets]), max_size=6).map("".join)
    output = [draw(_decorated(draw(words))) for _ in range(draw(st.integers(1, 4)))]
    return [draw(_decorated(one)) + draw(_ROUND) for one in secrets], output


@given(_printed())
def test_all_that_no_secret_covers_is_shown(drawn: tuple[list[str], list[str]]) -> None:
    """What is kept of a line, with the gaps closed by what was masked, is the line."""
    secrets, output = drawn
    plain = [legible(secret).strip() for secret in secrets]
    for line, shown_line in zip(output, tail(output, secrets), strict=True):
        assert not [secret for secret in plain if secret in shown_line]
        assert set(shown_line) <= set(legible(line)) | {"*"}
        if not set(line) & set("ab"):
            assert shown_line == legible(line)


def test_what_nobody_sees_is_what_unicode_says() -> None:
    """All control and format characters, separators of lines, surrogates and noncharacters; nothing else."""
    needed = {"\t", "\n", "\u200c", "\u200d"}
    visible = set(
        "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
    )
    for code in range(0x110000):
        char = chr(code)
        none = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
        if unicodedata.category(char) == "Cn" and not none:
            continue  # Another version of Unicode than this Python's may have it.
        hidden = unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} or none
        wanted = "" if hidden and char not in needed | visible else char
        assert legible(char) == wanted, hex(code)


@given(st.text(), st.lists(st.text(max_size=12), max_size=3), st.integers(64, 2000))
def test_what_is_shown_is_yaml_and_json_and_within_its_bound(
    text: str, secrets: list[str], most: int
) -> None:
    result = shown(text, secrets, most_bytes=most)
    assert len(result.encode()) <= most
    assert yaml.safe_load(yaml.safe_dump(result, allow_unicode=True)) == result
    assert json.loads(json.dumps(result)) == result
    assert yaml.reader.Reader.NON_PRINTABLE.search(result) is None


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;https://example.org\x1b\\here\x1b]8;;\x1b\\", "here"),
        ("\x1bP1$r0m\x1b\\text", "text"),
        ("\x9b31mred\x9b0m", "red"),
        ("\x1b(B\x1b[mplain", "plain"),
        ("\x1b]0;never ends", "]0;never ends"),
        ("evil\u202etxt.exe", "eviltxt.exe"),
        ("10%\r20%", "10%20%"),
        ("\ud83d alone", " alone"),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"),
        ("é" * 600, "é" * 507 + "… (cut)"),
    ],
)
def test_a_text_is_shown_as_it_reads(text: str, result: str) -> None:
    assert shown(text, most_bytes=1024) == result


@pytest.mark.parametrize(
    ("secrets", "line", "shown"),
    [
        (("hunter2", "hunter2-admin"), "pw hunter2-admin.", "pw ***."),
        (("abcdef", "defghi"), "abcdefghi", "***"),
        (("correct-horse",), "cor\x07rect-horse", "***"),
        (("correct-horse",), "\x1b[1mcor\x1b[31mrect\x1b[0m-horse", "***"),
        (("from-a-file\n",), "pw=from-a-file", "pw=***"),
        (("-----KEY-----\nMIIEowIB\n",), "key: MIIEowIB", "key: ***"),
        (("correct-horse",), "\x1b[31correct-horse", "***"),
        (("p+ss/w?rd\n",), "?k=p%2Bss%2Fw%3Frd", "?k=***"),
        (("p+ss/w?rd\n",), "?k=p%2bss%2fw%3frd", "?k=***"),
        (('say "so" twice',), '{"a": "say \\"so\\" twice"}', '{"a": "***"}'),
        (("correct-horse",), "Basic dXNlcjpjb3JyZWN0LWhvcnNl", "Basic dXNlcjp***"),
        (("correct-horse",), "token=correct-", "token=***"),
        (("correct-horse",), "ect-horse!", "***!"),
        (("abc",), "abc", "abc"),
    ],
)
def test_a_secret_is_masked_whole(secrets: tuple[str, ...], line: str, shown: str) -> None:
    assert masked(line, secrets) == shown


def test_what_oci_says_of_a_run_is_masked() -> None:
    """OCI may quote what it was sent: in the details of a run, and so in its conditions and attempts."""
    key = ValueKey("Secret", "secret", "token")
    known = RunKnown(values=Values(values={key: "correct-horse"}))
    o = make_run_observation(run=make_run(), known=known)
    record = make_run_record(RunState.FAILED, details="exit code 3: cor\x1b[1mrect-horse\x07")
    reflected = reflect(o, record)
    assert reflected["lifecycle_details"] == "exit code 3: ***"
    assert reflected["exit_code"] == 3
    verdict = evaluate(o, record)
    assert isinstance(verdict, Terminal)
    assert verdict.message == "exit code 3: ***"
    refused, _ = write_blocked(o, SETTLED, Reason.INVALID_SPEC, "400: correct-horse\x07")
    assert {one.message for one in refused.conditions} == {"400: ***"}


def test_a_huge_line_leaves_the_others_of_a_tail() -> None:
    lines = [*(f"line {number}" for number in range(18)), "A" * 200_000, "the end"]
    *before, huge, end = tail(lines, ())
    assert (before, end) == ([f"line {number}" for number in range(18)], "the end")
    assert huge == "A" * (LINE_LIMIT_BYTES - 9) + "… (cut)"


@given(st.lists(st.text(), max_size=40), st.lists(st.text(), max_size=3))
def test_a_tail_fits_into_a_status(lines: list[str], secrets: list[str]) -> None:
    shown = tail(lines, secrets)
    assert len(shown) <= TAIL_LINES
    assert sum(len(line.encode()) for line in shown) <= TAIL_LIMIT_BYTES
