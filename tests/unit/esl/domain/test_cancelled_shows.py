"""How long a timed show is cancelled again and again that nobody can say is gone."""

from dataclasses import replace
from datetime import timedelta

from esl.domain.ids import Digest, GatewayId, LabelId, PanelId
from esl.domain.label import SlotState
from esl.domain.staged import CANCELS_FOR, NextStep, Staged, next_step
from tests.builders import NOON

CANCELLED = Staged(
    label_id=LabelId("label-1"),
    slot=1,
    flip_id=1,
    rev=8,
    digest=Digest("ab" * 32),
    show_at=NOON,
    show_rev=9,
    state=SlotState.CANCELLED,
    attempts=1,
    gateway_id=GatewayId("gw-1"),
    panel_id=PanelId("panel"),
    level="full",
    wanted_rev=10,
    settled_rev=7,
    shown_rev=7,
    is_quiet=False,
)


def test_it_is_cancelled_while_it_may_still_come() -> None:
    for now in (NOON - timedelta(minutes=5), NOON + timedelta(minutes=5)):
        assert next_step(CANCELLED, now) is NextStep.CANCEL


def test_it_is_over_once_the_label_shows_it_or_anything_above() -> None:
    for shown_rev in (9, 10):
        over = replace(CANCELLED, shown_rev=shown_rev)
        assert next_step(over, NOON) is NextStep.DROP


def test_it_is_over_an_hour_after_its_moment_though_the_label_says_nothing() -> None:
    late = NOON + CANCELS_FOR + timedelta(seconds=1)
    assert next_step(CANCELLED, late) is NextStep.DROP
