from datetime import timedelta

import pytest

from esl.domain.throttle import (
    BUCKET_FILLS,
    FREE_FAILURES,
    emptied_by_now,
    network_of,
    pause_after,
)
from tests.builders import NOON


def test_the_pause_grows_from_the_fifth_failure_to_a_quarter_of_an_hour() -> None:
    pauses = [pause_after(failures).total_seconds() for failures in range(16)]
    assert pauses[: FREE_FAILURES + 1] == [0] * 5
    assert pauses[5:9] == [5, 10, 20, 40]
    assert pauses == sorted(pauses)
    assert max(pauses) == 15 * 60
    assert pause_after(10**9) == timedelta(minutes=15)


def test_a_bucket_forgets_one_try_after_the_other() -> None:
    assert emptied_by_now(10, NOON, NOON) == 10
    assert emptied_by_now(10, NOON, NOON + BUCKET_FILLS * 3) == 7
    assert emptied_by_now(10, NOON, NOON + timedelta(days=1)) == 0
    assert emptied_by_now(10, NOON, NOON - timedelta(days=1)) == 10, "a clock set back gives none"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("not an address", "unknown"),
    ],
)
def test_neighbours_share_a_bucket(address: str, network: str) -> None:
    assert network_of(address) == network
