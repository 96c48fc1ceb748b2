"""A day of the week of `tests.proof.week`: the markdown evening, and the night of the turn."""

from datetime import timedelta

from tests.proof.week import MONDAY, prove_week


def test_the_shelf_is_the_truth_at_every_full_hour_and_no_till_charges_more() -> None:
    saturday = MONDAY + timedelta(days=5, hours=16)
    found = prove_week(products=10, days=1, seed=2, begins=saturday)
    assert found["wrong"] == 0, found["first_wrong"]
    assert found["overcharged"] == 0, found["first_overcharged"]
    assert found["hours"] == 24
    assert found["timed_shows"] > 0
    assert found["till_checks"] > 1000
