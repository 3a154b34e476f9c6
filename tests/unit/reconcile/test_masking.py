"""What a run printed, as it is shown: no secret is in it, whatever stands in it or around it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocijobs.api.reasons import Reason
from ocijobs.reconcile.environment import ValueKey, Values
from ocijobs.reconcile.masking import SHORTEST_SECRET, masked, printable
from ocijobs.reconcile.remote import RunState
from ocijobs.reconcile.run.known import RunKnown
from ocijobs.reconcile.run.output import TAIL_LIMIT_BYTES, TAIL_LINES, tail
from ocijobs.reconcile.run.status import reflect, write_blocked
from ocijobs.reconcile.run.verdict import Ended, judge
from ocijobs.testing import SETTLED, make_run, make_run_observation, make_run_record

# Few letters, so that secrets overlap, contain and repeat each other. None of them is in the mask.
_PLAIN = st.text("ab", min_size=SHORTEST_SECRET, max_size=9)
_UNSEEN = st.sampled_from(
    ["\x07", "\x00", "\x7f", "\x9f", "\x1b", "\x1b[31m", "\x1b[0m", "\x1b[1;31m\x1b[K"]
)
_ROUND = st.sampled_from(["", "\n", "\r\n", " ", "\t"])


@st.composite
def _decorated(draw: st.DrawFn, text: str) -> str:
    """Return the text with what a terminal does not show at up to three places in it."""
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        if "\x1b" not in text[max(0, at - 8) : at]:  # a sequence within another is none
            text = text[:at] + draw(_UNSEEN) + text[at:]
    return text


@st.composite
def _printed(draw: st.DrawFn) -> tuple[list[str], list[str], list[str]]:
    """Return lines of secrets, the secrets that have these lines, and lines of output in which they stand."""
    plain = draw(st.lists(_PLAIN, min_size=1, max_size=5))
    cut = draw(st.integers(0, len(plain)))
    several = draw(_ROUND) + "\n".join(plain[:cut]) + draw(_ROUND)
    secrets = [several, *(draw(_decorated(line)) + draw(_ROUND) for line in plain[cut:])]
    words = st.lists(st.sampled_from(["=", "a", " ", "é", *plain]), max_size=6).map("".join)
    output = [draw(_decorated(draw(words))) for _ in range(draw(st.integers(1, 4)))]
    return plain, draw(st.permutations(secrets)), output


@given(_printed())
def test_no_secret_is_in_any_shown_line(drawn: tuple[list[str], list[str], list[str]]) -> None:
    plain, secrets, output = drawn
    for line in tail(output, secrets):
        assert not [secret for secret in plain if secret in line]
        assert printable(line) == line


@given(_printed())
def test_all_that_no_secret_covers_is_shown(
    drawn: tuple[list[str], list[str], list[str]],
) -> None:
    """What is kept of a line, with the gaps closed by what was masked, is the line."""
    plain, secrets, output = drawn
    for line, shown in zip(output, tail(output, secrets), strict=True):
        assert set(shown) <= set(printable(line)) | {"*"}
        if not any(secret in printable(line) for secret in plain):
            assert shown == printable(line)


@pytest.mark.parametrize(
    ("secrets", "line", "shown"),
    [
        (("hunter2", "hunter2-admin"), "pw hunter2-admin.", "pw ***."),
        (("abcdef", "defghi"), "abcdefghi", "***"),
        (("correct-horse",), "cor\x07rect-horse", "***"),
        (("correct-horse",), "\x1b[1mcor\x1b[31mrect\x1b[0m-horse", "***"),
        (("from-a-file\n",), "pw=from-a-file", "pw=***"),
        (("-----KEY-----\nMIIEow\n",), "MIIEow", "***"),
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
    verdict = judge(o, record)
    assert isinstance(verdict, Ended)
    assert verdict.message == "exit code 3: ***"
    refused, _ = write_blocked(o, SETTLED, Reason.INVALID_SPEC, "400: correct-horse\x07")
    assert {one.message for one in refused.conditions} == {"400: ***"}


@given(st.lists(st.text(), max_size=40), st.lists(st.text(), max_size=3))
def test_a_tail_fits_into_a_status(lines: list[str], secrets: list[str]) -> None:
    shown = tail(lines, secrets)
    assert len(shown) <= TAIL_LINES
    assert sum(len(line.encode()) for line in shown) <= TAIL_LIMIT_BYTES
