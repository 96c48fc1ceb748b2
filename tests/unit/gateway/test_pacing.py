from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pacing import Backoff


def backoff(seed: int = 1) -> Backoff:
    return Backoff(random=Random(seed), base_s=60, longest_s=600)


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(0, 60), (1, 60), (2, 120), (3, 240), (4, 480), (5, 600), (99, 600)]
)
def test_pauses_double_up_to_the_longest_and_are_stretched_by_up_to_a_half(
    attempts: int, seconds: float
) -> None:
    pauses = [backoff(seed).pause(attempts).total_seconds() for seed in range(50)]
    assert all(seconds <= pause <= seconds * 1.5 for pause in pauses)
    assert len(set(pauses)) > 40, "labels that failed together do not come back together"


@given(st.integers(-5, 10**9), st.integers(0, 1000))
def test_no_number_of_attempts_makes_a_pause_endless_or_none(attempts: int, seed: int) -> None:
    pause = backoff(seed).pause(attempts)
    assert timedelta(seconds=60) <= pause <= timedelta(seconds=900)


def test_the_same_seed_gives_the_same_pauses() -> None:
    one, two = backoff(7), backoff(7)
    assert [one.pause(n) for n in range(9)] == [two.pause(n) for n in range(9)]
