"""What an inspection is judged by: prices that could be read, and nothing else."""

import pytest

from esl.domain.inspection import Seen, count_seen


@pytest.mark.parametrize(
    ("right", "wrong", "unread", "hundredths", "passes"),
    [
        (0, 0, 3, None, None),
        (49, 1, 0, 9800, True),
        (48, 1, 1, 9795, False),
        (97, 2, 1, 9797, False),
        (2, 0, 48, 10_000, True),
    ],
)
def test_only_prices_that_were_read_count(
    right: int, wrong: int, unread: int, hundredths: int | None, *, passes: bool | None
) -> None:
    kinds = [Seen.DAMAGED, Seen.MISPLACED, Seen.MISSING]
    others = [kinds[number % 3] for number in range(unread)]
    counted = count_seen([Seen.RIGHT] * right + [Seen.WRONG] * wrong + others + [None] * 5)
    assert counted.items == right + wrong + unread + 5
    assert counted.done == right + wrong + unread
    assert (counted.right_hundredths, counted.passes) == (hundredths, passes)
