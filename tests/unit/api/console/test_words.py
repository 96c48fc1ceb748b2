"""Whatever happens to a label, the wall has words for it, and says what to do."""

import pytest

from api.console.words import PROBLEMS, STATE_OF, STATE_WORDS, State, advice_on
from esl.domain.errors import RenderRefused
from esl.domain.label import LabelState, Phase
from gateway.wire.failures import FailureCode
from tests.panels import PANELS
from tests.unit.esl.domain.label_states import a_label

PANEL = PANELS[a_label().panel_id]

REFUSALS = [RenderRefused, *RenderRefused.__subclasses__()]
NAMED_BY_THE_DISPATCHER = ["no_price", "refused", "render_error"]


def advised(label: LabelState, phase: Phase) -> str:
    advice = advice_on(label, phase, PANEL)
    return f"{advice.what} {advice.todo}" if advice is not None else ""


@pytest.mark.parametrize(
    "code", [*FailureCode, *(kind.code for kind in REFUSALS), *NAMED_BY_THE_DISPATCHER]
)
def test_every_code_a_label_can_fail_with_says_what_to_do(code: str) -> None:
    advice = PROBLEMS[code]
    assert advice.what.endswith(".")
    assert advice.todo.endswith(".")
    assert code not in f"{advice.what} {advice.todo}" or "_" not in code, "words, not codes"


def test_a_code_of_a_newer_gateway_is_named() -> None:
    assert "“too_humid”" in advised(a_label(problem="too_humid"), Phase.FAILED)


def test_a_label_with_a_neutral_face_says_why_it_has_no_price() -> None:
    refused = a_label(refusal="missing_glyph", refusal_detail="U+1265")
    assert "a character the label's font cannot draw" in advised(refused, Phase.FAILED)
    given_up = a_label(refusal="missing_glyph", problem="refresh_failed")
    assert "did not finish painting" in advised(given_up, Phase.FAILED)


def test_every_phase_has_a_state_and_every_state_its_own_word() -> None:
    assert set(STATE_OF) == set(Phase)
    assert set(STATE_OF.values()) == set(State) == set(STATE_WORDS)
    assert len(set(STATE_WORDS.values())) == len(State)


@pytest.mark.parametrize("phase", [p for p in Phase if p is not Phase.SETTLED])
def test_every_label_that_is_not_right_is_explained(phase: Phase) -> None:
    assert advised(a_label(problem="no_price"), phase)


def test_a_label_that_is_right_needs_no_words() -> None:
    assert advised(a_label(), Phase.SETTLED) == ""


def test_an_unreachable_label_names_its_gateway_or_says_that_it_has_none() -> None:
    assert "gw-7" in advised(a_label(gateway_id="gw-7"), Phase.UNREACHABLE)
    assert "No gateway has heard it" in advised(a_label(gateway_id=None), Phase.UNREACHABLE)
