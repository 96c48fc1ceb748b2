from dataclasses import replace
from datetime import timedelta

import pytest

from esl.domain.label import Phase, may_skip_sending, phase_of
from tests.builders import NOON
from tests.unit.esl.domain.label_states import a_label

LATER = NOON + timedelta(minutes=1)


@pytest.mark.parametrize("online", [True, False])
@pytest.mark.parametrize(
    ("changes", "phase", "phase_offline"),
    [
        ({"paired": False}, Phase.UNPAIRED, Phase.UNPAIRED),
        ({"paired": False, "problem": "no_price"}, Phase.UNPAIRED, Phase.UNPAIRED),
        ({"problem": "no_price", "due_at": None}, Phase.FAILED, Phase.FAILED),
        ({"problem": "x", "settled_rev": 5, "due_at": None}, Phase.FAILED, Phase.FAILED),
        ({"settled_rev": 5, "due_at": None}, Phase.SETTLED, Phase.SETTLED),
        ({"settled_rev": 5, "due_at": None, "refusal": "x"}, Phase.FAILED, Phase.FAILED),
        ({"paired": False, "refusal": "x"}, Phase.UNPAIRED, Phase.UNPAIRED),
        # Settled by number but due: a beacon said that the glass is wrong.
        ({"settled_rev": 5, "sent_rev": 5, "attempts": 1}, Phase.SENT, Phase.UNREACHABLE),
        ({"sent_rev": 4}, Phase.WAITING, Phase.UNREACHABLE),
        ({"sent_rev": 4, "attempts": 3}, Phase.WAITING, Phase.UNREACHABLE),
        ({"sent_rev": 5, "attempts": 0}, Phase.SENT, Phase.UNREACHABLE),
        ({"sent_rev": 5, "attempts": 1}, Phase.SENT, Phase.UNREACHABLE),
        ({"sent_rev": 5, "attempts": 2}, Phase.STRUGGLING, Phase.UNREACHABLE),
        ({"sent_rev": 5, "attempts": 99}, Phase.STRUGGLING, Phase.UNREACHABLE),
    ],
)
def test_the_phase_follows_from_the_numbers(
    changes: dict[str, object], phase: Phase, phase_offline: Phase, *, online: bool
) -> None:
    label = replace(a_label(wanted_rev=5, due_at=LATER), **changes)  # type: ignore[arg-type]
    assert phase_of(label, gateway_online=online) is (phase if online else phase_offline)


@pytest.mark.parametrize(
    ("digest", "shown", "sent_rev", "shown_rev", "skip"),
    [
        ("a", "a", 5, 5, True),
        ("a", "a", 4, 5, True),
        ("a", "a", 6, 5, False),  # a picture in between may still be painted
        ("a", "b", 5, 5, False),
        ("a", "", 0, 0, False),
    ],
)
def test_sending_is_skipped_only_if_it_changes_nothing_and_nothing_is_unanswered(
    digest: str, shown: str, sent_rev: int, shown_rev: int, *, skip: bool
) -> None:
    may = may_skip_sending(
        digest=digest,  # type: ignore[arg-type]
        shown_digest=shown,  # type: ignore[arg-type]
        sent_rev=sent_rev,
        shown_rev=shown_rev,
    )
    assert may is skip
