"""The last lines of a text, however it comes, and however it is compressed."""

import gzip
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocijobs.cloud.log_lines import LineKeeper, plain
from ocijobs.reconcile.output import LogLines

RESULT = '{"ocijobs.io/results": {"auc": 0.930}}'

_TEXT = st.text(st.sampled_from("aß \n"), max_size=200)


def chunks_of(content: bytes, size: int) -> list[bytes]:
    return [content[at : at + size] for at in range(0, len(content), size)]


def kept(*pieces: bytes, results: bool = False) -> LogLines:
    keeper = LineKeeper(results=results)
    for piece in pieces:
        keeper.add(piece)
    return keeper.lines()


@given(_TEXT, st.integers(1, 50))
def test_lines_are_the_same_in_whatever_pieces_they_come(text: str, size: int) -> None:
    lines = text.removesuffix("\n").split("\n") if text else []
    assert kept(*chunks_of(text.encode(), size)).tail == tuple(lines[-20:])


def test_of_a_stack_of_java_the_cause_is_kept_and_not_all_the_frames() -> None:
    frames = "".join(f"\tat com.oracle.bmc.Client.call{n}(Client.java:{n})\n" for n in range(40))
    error = f"Error: failed\n{frames}Caused by: NotFound: no such bucket\n{frames}\t... 12 more\nthe end\n"
    shown = kept(error.encode()).tail
    assert shown[0] == "Error: failed"
    assert "Caused by: NotFound: no such bucket" in shown
    assert shown[-2:] == ("\tat com.oracle.bmc.Client.call2(Client.java:2)", "the end")
    assert len(shown) == 9


@given(_TEXT, st.integers(1, 50), st.integers(0, 200))
def test_compressed_text_is_text_in_one_archive_or_two(text: str, size: int, cut: int) -> None:
    content = text.encode()
    compressed = gzip.compress(content[:cut]) + gzip.compress(content[cut:])
    assert b"".join(plain(chunks_of(compressed, size))) == content
    assert b"".join(plain(chunks_of(content, size))) == content


@pytest.mark.parametrize("text", ["", "\n", " \n\t\n", "  "])
def test_blank_lines_are_no_text(text: str) -> None:
    keeper = LineKeeper(results=False)
    keeper.add(text.encode())
    assert not keeper.has_text


@pytest.mark.parametrize("text", ["x", "x\n", "\n\nx\n" + "\n" * 30])
def test_what_is_written_anywhere_is_text(text: str) -> None:
    keeper = LineKeeper(results=False)
    keeper.add(text.encode())
    assert keeper.has_text


def test_a_line_of_any_length_takes_little_memory_and_is_kept_from_its_beginning() -> None:
    keeper = LineKeeper(results=False)
    keeper.add(b"before\nbeginning")
    for _ in range(1000):
        keeper.add(b"x" * 100_000)
    keeper.add(b"\nafter\r\n")
    before, long, after = keeper.lines().tail
    assert (before, after) == ("before", "after")
    assert long.startswith("beginningxxx")
    assert len(long) == 32768


def test_a_small_archive_of_a_huge_text_comes_in_small_pieces() -> None:
    compressed = gzip.compress(b"0" * 50_000_000)
    assert len(compressed) < 100_000
    pieces = [len(piece) for piece in plain([compressed])]
    assert sum(pieces) == 50_000_000
    assert max(pieces) <= 1 << 16


@pytest.mark.parametrize("end", [b"", b"this is no gzip"])
def test_what_is_broken_ends_the_text(end: bytes) -> None:
    compressed = gzip.compress(b"one\ntwo\n")
    assert kept(*plain([compressed + end])).tail == ("one", "two")
    cut = compressed[:-10] + end
    assert b"one\ntwo\n".startswith(b"".join(plain([cut])))


def lines(*texts: str) -> bytes:
    return "".join(f"{text}\n" for text in texts).encode()


def test_result_lines_are_kept_beside_the_last_lines_if_they_are_wanted() -> None:
    text = lines(RESULT, "no result: ocijobs.io/results", *["x"] * 30)
    assert kept(text, results=True).results == (RESULT,)
    assert kept(text).results == ()
    assert kept(text).tail == ("x",) * 20


def test_the_last_result_lines_are_kept() -> None:
    reported: Sequence[str] = [
        f'{{"ocijobs.io/results": {{"n": {number}}}}}' for number in range(120)
    ]
    assert kept(lines(*reported), results=True).results == tuple(reported[20:])


def test_bytes_that_are_no_text_hide_no_others() -> None:
    assert kept(b"\xff\xfe\nafter\n").tail == ("\ufffd\ufffd", "after")
