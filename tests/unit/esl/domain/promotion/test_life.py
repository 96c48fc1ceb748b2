"""The life of a promotion: every step there is, and words for every one there is not."""

from itertools import product

import pytest

from esl.domain.errors import Conflict
from esl.domain.promotion.life import LIVE, MOVES, OVER, Action, State, actions_of, move


def walk(*actions: Action) -> State:
    state = State.DRAFT
    for action in actions:
        state = move(state, action)
    return state


def test_a_promotion_runs_its_course() -> None:
    assert walk(Action.SCHEDULE, Action.STAGE, Action.BEGIN, Action.END) is State.ENDED
    assert walk(Action.SCHEDULE, Action.BEGIN, Action.END) is State.ENDED


def test_what_slept_through_its_window_ends_unseen() -> None:
    assert walk(Action.SCHEDULE, Action.END) is State.ENDED
    assert walk(Action.SCHEDULE, Action.STAGE, Action.END) is State.ENDED


def test_to_cancel_is_possible_until_the_end_whatever_has_begun_meanwhile() -> None:
    assert walk(Action.CANCEL) is State.CANCELLED
    assert walk(Action.SCHEDULE, Action.CANCEL) is State.CANCELLED
    assert walk(Action.SCHEDULE, Action.STAGE, Action.CANCEL) is State.CANCELLED
    assert walk(Action.SCHEDULE, Action.STAGE, Action.BEGIN, Action.CANCEL) is State.ROLLED_BACK


def test_to_revise_makes_a_draft_again_as_long_as_nothing_began() -> None:
    assert walk(Action.SCHEDULE, Action.STAGE, Action.REVISE) is State.DRAFT
    with pytest.raises(Conflict, match="as a copy"):
        walk(Action.SCHEDULE, Action.BEGIN, Action.REVISE)


@pytest.mark.parametrize("state", sorted(OVER))
@pytest.mark.parametrize("action", list(Action))
def test_what_is_over_stays_over(state: State, action: Action) -> None:
    with pytest.raises(Conflict, match="copy it"):
        move(state, action)


@pytest.mark.parametrize(("state", "action"), sorted(set(product(State, Action)) - MOVES.keys()))
def test_every_refusal_has_words(state: State, action: Action) -> None:
    with pytest.raises(Conflict) as refused:
        move(state, action)
    assert len(str(refused.value)) > 15
    assert action not in actions_of(state)


def test_every_state_is_reached_and_every_live_one_can_be_left() -> None:
    assert {State.DRAFT, *MOVES.values()} == set(State)
    for state in LIVE | {State.DRAFT}:
        assert Action.CANCEL in actions_of(state)
    assert LIVE.isdisjoint(OVER)
