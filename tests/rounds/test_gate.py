"""The gate: alone is alone, together is together, and who waits to be alone goes first."""

import threading
from datetime import timedelta

import pytest

from tasks.gate import Gate

SOON = timedelta(seconds=20).total_seconds()


class Visitor(threading.Thread):
    """Goes in, says so, and stays until told to leave."""

    def __init__(self, gate: Gate, *, alone: bool) -> None:
        super().__init__(daemon=True)
        self.way = gate.alone if alone else gate.together
        self.inside, self.leave = threading.Event(), threading.Event()
        self.start()

    def run(self) -> None:
        with self.way():
            self.inside.set()
            self.leave.wait(SOON)

    def goes_in(self) -> bool:
        return self.inside.wait(SOON)

    def goes_out(self) -> None:
        self.leave.set()
        self.join(SOON)


def waits(visitor: Visitor) -> bool:
    """It is not inside, and was given a while to get there."""
    return not visitor.inside.wait(0.1)


def test_many_are_inside_together() -> None:
    gate = Gate()
    visitors = [Visitor(gate, alone=False) for _ in range(4)]
    assert all(visitor.goes_in() for visitor in visitors)
    for visitor in visitors:
        visitor.goes_out()


def test_one_is_alone_only_after_everybody_left() -> None:
    gate = Gate()
    first, second = Visitor(gate, alone=False), Visitor(gate, alone=False)
    assert first.goes_in()
    assert second.goes_in()
    loner = Visitor(gate, alone=True)
    assert waits(loner)
    first.goes_out()
    assert waits(loner)
    second.goes_out()
    assert loner.goes_in()
    loner.goes_out()


@pytest.mark.parametrize("alone", [True, False])
def test_nobody_goes_in_while_one_is_alone(alone: bool) -> None:
    gate = Gate()
    loner = Visitor(gate, alone=True)
    assert loner.goes_in()
    other = Visitor(gate, alone=alone)
    assert waits(other)
    loner.goes_out()
    assert other.goes_in()
    other.goes_out()


def test_who_waits_to_be_alone_is_not_starved_by_those_who_come_later() -> None:
    gate = Gate()
    first = Visitor(gate, alone=False)
    assert first.goes_in()
    loner = Visitor(gate, alone=True)
    assert waits(loner)
    later = Visitor(gate, alone=False)
    assert waits(later)  # though the first is inside together
    first.goes_out()
    assert loner.goes_in()
    assert waits(later)
    loner.goes_out()
    assert later.goes_in()
    later.goes_out()


def test_an_error_inside_opens_the_gate_again() -> None:
    gate = Gate()
    for way in (gate.alone, gate.together, gate.alone):
        with pytest.raises(ValueError, match="inside"), way():
            raise ValueError("inside")
