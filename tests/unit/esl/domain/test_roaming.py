from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from esl.domain.roaming import BETTER_DB, NOTED_LATE, Ear, OwnHearing, compare, is_better
from tests.builders import NOON

MINUTE = timedelta(seconds=60)


def beacon(ear: Ear, n: int, rssi_dbm: int | None, own: OwnHearing) -> bool:
    """The n-th minute's beacon through another gateway; say whether it takes the label."""
    before = ear.heard_at
    ear.hear("boot-1", n, rssi_dbm, NOON + n * MINUTE)
    compare(ear, own, before)
    return is_better(ear)


def own_at(n: float, rssi_dbm: int | None = -70, *, late: bool = False) -> OwnHearing:
    return OwnHearing(rssi_dbm=rssi_dbm, heard_at=NOON + n * MINUTE, late=late)


def test_three_beacons_in_a_row_that_are_eight_db_louder_move_a_label() -> None:
    ear = Ear()
    assert [beacon(ear, n, -62, own_at(n)) for n in range(1, 5)] == [False, False, True, True]


def test_one_beacon_that_is_not_begins_the_count_anew() -> None:
    ear = Ear()
    moved = [beacon(ear, n, -63 if n == 3 else -62, own_at(n)) for n in range(1, 7)]
    assert moved == [False, False, False, False, False, True]


def test_seven_db_never_move_a_label() -> None:
    ear = Ear()
    assert not any(beacon(ear, n, -63, own_at(n)) for n in range(100))


def test_a_label_its_own_gateway_is_silent_about_moves_after_two_more_beacons() -> None:
    ear = Ear()
    own = own_at(0)
    assert [beacon(ear, n, -90, own) for n in (1, 2, 3)] == [False, False, True]


def test_one_beacon_missed_by_its_own_gateway_moves_nothing() -> None:
    ear = Ear()
    assert not beacon(ear, 1, -90, own_at(0.9))
    assert not beacon(ear, 2, -90, own_at(0.9))
    assert not beacon(ear, 3, -90, own_at(2.9))
    assert not beacon(ear, 4, -90, own_at(2.9))


def test_what_another_worker_wrote_late_is_given_its_time() -> None:
    ear = Ear()
    for n in range(1, 20):
        assert not beacon(ear, n, -90, own_at(n - 1.5, late=True))
    assert timedelta(seconds=30) < NOTED_LATE


def test_without_a_signal_strength_only_silence_moves_a_label() -> None:
    ear = Ear()
    assert not any(beacon(ear, n, None, own_at(n)) for n in range(1, 50))
    assert not any(beacon(Ear(), n, -20, own_at(n, None)) for n in range(1, 50))


@given(st.lists(st.integers(-100, -40), min_size=1, max_size=60))
def test_a_signal_that_wavers_within_the_hysteresis_never_moves_a_label(
    strengths: list[int],
) -> None:
    ear = Ear()
    for n, rssi_dbm in enumerate(strengths, 1):
        own = own_at(n, rssi_dbm - BETTER_DB + 1)
        assert not beacon(ear, n, rssi_dbm, own)


def test_a_beacon_that_came_twice_is_not_fresh() -> None:
    ear = Ear()
    ear.hear("boot-1", 5, -60, NOON)
    assert not ear.is_fresh("boot-1", 5)
    assert not ear.is_fresh("boot-1", 4)
    assert ear.is_fresh("boot-1", 6)
    assert ear.is_fresh("boot-2", 1)
