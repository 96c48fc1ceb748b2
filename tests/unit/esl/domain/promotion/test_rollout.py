"""Steps of a roll-out: an aisle, some of a hundred labels, then all; nobody leaves again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.ids import LabelId
from esl.domain.promotion.rollout import RolloutStep, is_reached, place_in_line

STEPS = (
    RolloutStep(areas=frozenset({"aisle-3"})),
    RolloutStep(percent=10),
    RolloutStep(percent=50, areas=frozenset({"aisle-4"})),
)
LABELS = [LabelId(f"label-{n}") for n in range(2000)]


def reached(step: int, *, area: str | None = None) -> set[LabelId]:
    return {
        label for label in LABELS if is_reached("spring", STEPS, step, label_id=label, area=area)
    }


def test_the_first_aisle_goes_first_and_alone() -> None:
    assert reached(0) == set()
    assert reached(0, area="aisle-3") == set(LABELS)
    assert reached(0, area="aisle-4") == set()


def test_then_a_share_of_the_labels_and_then_all() -> None:
    tenth, half = reached(1), reached(2)
    assert 150 < len(tenth) < 250
    assert 900 < len(half) < 1100
    assert tenth < half
    assert reached(3) == set(LABELS)


def test_without_steps_every_label_is_in() -> None:
    assert is_reached("spring", (), 0, label_id=LABELS[0], area=None)


def test_a_labels_place_is_the_same_for_ever_and_another_for_each_promotion() -> None:
    """Fixed figures: a new version must not shuffle the labels of a roll-out under way."""
    assert place_in_line("spring", LabelId("label-1")) == 2929
    assert place_in_line("summer", LabelId("label-1")) == 1202


@given(
    st.lists(
        st.builds(
            RolloutStep,
            areas=st.frozensets(st.sampled_from(["a", "b"])),
            percent=st.integers(0, 100),
        ),
        max_size=4,
    ),
    st.integers(0, 4),
    st.sampled_from(LABELS[:50]),
    st.sampled_from(["a", "b", "c", None]),
)
def test_who_is_in_stays_in(
    steps: list[RolloutStep], step: int, label: LabelId, area: str | None
) -> None:
    if is_reached("p", steps, step, label_id=label, area=area):
        assert is_reached("p", steps, step + 1, label_id=label, area=area)


@pytest.mark.parametrize(("percent", "all_in"), [(0, False), (100, True)])
def test_nobody_and_everybody(percent: int, all_in: bool) -> None:  # noqa: FBT001
    steps = (RolloutStep(percent=percent), RolloutStep(percent=100))
    assert all(
        is_reached("p", steps, 0, label_id=label, area=None) is all_in for label in LABELS[:200]
    )
