"""Every door against its own description; ``python -m tests.proof.doors`` asks far more often."""

from tests.proof.doors import REACHED_LEAST, prove_doors

CASES = 420


def test_every_door_answers_as_it_is_described_and_without_a_fault() -> None:
    found = prove_doors(CASES, draw=1)
    assert found["doors"] >= 190
    assert found["cases"] >= CASES
    assert (found["faults"], found["first"]) == (0, {})
    assert found["reached"] >= REACHED_LEAST, found["least_reached"]
    assert found["statuses"]["200"] > found["cases"] / 5, "the shop behind is there"
