"""Who fails too often waits; everybody else does not."""

import pytest

from api.guesses import FAILURES_OF_ALL, FAILURES_OF_ONE, WITHIN_S, Guesses
from esl.domain.errors import TooOften


def test_one_address_waits_until_its_oldest_failure_is_a_minute_old() -> None:
    guesses = Guesses()
    for second in range(FAILURES_OF_ONE):
        guesses.check("a", float(second))
        guesses.note_failure("a", float(second))
    with pytest.raises(TooOften) as refused:
        guesses.check("a", 20.0)
    assert refused.value.again_after_s == WITHIN_S - 20 + 1
    guesses.check("b", 20.0)
    guesses.check("a", WITHIN_S)


def test_a_flood_from_many_addresses_is_slowed_down_as_a_whole() -> None:
    guesses = Guesses()
    for number in range(FAILURES_OF_ALL):
        guesses.check(f"a{number}", 0.0)
        guesses.note_failure(f"a{number}", 0.0)
    with pytest.raises(TooOften):
        guesses.check("somebody else", 1.0)
    guesses.check("somebody else", WITHIN_S)


def test_what_is_remembered_is_bounded() -> None:
    guesses = Guesses()
    for number in range(12_000):
        guesses.note_failure(f"a{number}", 100.0 * number)
        guesses.check("b", 100.0 * number + 99)
    assert len(guesses._of_one) <= 10_000
    assert len(guesses._of_all) <= 2
