from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pacing import Backoff


def backoff(seed: int = 1) -> Backoff:
    return Backoff(random=Random(seed), base_s=60, longest_s=600)


@pytest.mark.parametrize(
    ("attempts", "least_s", "most_s"),
    [
        (0, 60, 75),
        (1, 60, 75),
        (2, 60, 120),
        (3, 120, 240),
        (4, 240, 480),
        (5, 300, 600),
        (99, 300, 600),
    ],
)
def test_pauses_double_up_to_the_longest_and_are_spread(
    attempts: int, least_s: float, most_s: float
) -> None:
    pauses = [backoff(seed).pause(attempts).total_seconds() for seed in range(200)]
    assert all(least_s <= pause <= most_s for pause in pauses)
    assert max(pauses) - min(pauses) > 0.8 * (most_s - least_s), "they do not come back together"


@given(
    st.integers(-5, 10**9),
    st.integers(0, 1000),
    st.floats(0.1, 1000),
    st.floats(0.1, 1000),
)
def test_no_pause_is_longer_than_the_longest_nor_much_shorter_than_patience(
    attempts: int, seed: int, base_s: float, longest_s: float
) -> None:
    made = Backoff(random=Random(seed), base_s=base_s, longest_s=longest_s)
    cap_s = max(base_s, longest_s)
    pause_s = made.pause(attempts).total_seconds()
    assert min(base_s, 0.8 * cap_s) - 1e-3 <= pause_s <= cap_s + 1e-3
    assert made.patience == timedelta(seconds=base_s)


def test_the_same_seed_gives_the_same_pauses() -> None:
    one, two = backoff(7), backoff(7)
    assert [one.pause(n) for n in range(9)] == [two.pause(n) for n in range(9)]
