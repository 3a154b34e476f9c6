"""Turns at reading remote sources: a few at a time, in the order of asking, and no namespace has them all."""

from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.controller.turns import Turns
from ocijobs.reconcile.job.observation import Turn


class Room:
    """Turns, and whose have come."""

    def __init__(self, at_a_time: int) -> None:
        self.granted: list[str] = []
        self.turns = Turns(at_a_time, lambda key: self.granted.append(key.name))

    def want(self, name: str, namespace: str = "a", *, wanted: bool = True) -> Turn:
        self.turns.want(ObjectKey("OCIJob", namespace, name), f"uid-{name}", wanted=wanted)
        return self.turns.of(f"uid-{name}")


def test_so_many_read_and_the_others_come_in_their_order() -> None:
    room = Room(at_a_time=4)
    held = [room.want(str(n), namespace=f"ns-{n}") for n in range(6)]
    assert held == [Turn.GRANTED] * 4 + [Turn.WAITING] * 2
    # Asking again changes nothing.
    assert room.want("5", "ns-5") is Turn.WAITING
    room.want("2", "ns-2", wanted=False)
    room.want("0", "ns-0", wanted=False)
    assert room.granted == ["0", "1", "2", "3", "4", "5"]
    assert room.turns.of("uid-2") is Turn.NONE


def test_a_namespace_has_half_of_them_at_most() -> None:
    room = Room(at_a_time=4)
    assert [room.want(str(n)) for n in range(3)] == [Turn.GRANTED, Turn.GRANTED, Turn.WAITING]
    assert room.want("other", "b") is Turn.GRANTED
    room.want("0", wanted=False)
    assert room.granted == ["0", "1", "other", "2"]
    alone = Room(at_a_time=1)
    assert alone.want("one") is Turn.GRANTED


def test_whoever_wants_no_more_waits_no_more() -> None:
    room = Room(at_a_time=1)
    room.want("0")
    room.want("1")
    assert room.want("1", wanted=False) is Turn.NONE
    room.want("0", wanted=False)
    assert room.granted == ["0"]
