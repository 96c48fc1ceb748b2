"""What a person looks at is in the address, and a search finds what people mean."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from api.console.look import TILES_AT_ONCE, Look, look_of
from api.console.words import STATE_OF, State
from esl.domain.label import Phase

LOOKS = [
    Look(store="vrsar"),
    Look(store="vrsar", state=State.NEEDS_YOU),
    Look(store="vrsar", wants_attention=True),
    Look(store="vrsar", search="čaj & voda?"),
    Look(store="vrsar", state=State.RIGHT, search="a b", most=1500),
]


@pytest.mark.parametrize("look", LOOKS)
def test_an_address_brings_back_the_same_look(look: Look) -> None:
    query: dict[str, Any] = dict(parse_qsl(urlsplit(look.at("/")).query))
    if "most" in query:
        query["most"] = int(query["most"])
    if query.get("show") in set(State):
        query["show"] = State(query["show"])
    assert look_of(**query) == look


def test_choosing_a_state_keeps_the_search_and_begins_anew() -> None:
    chosen = Look(store="a", search="čaj", most=1500).showing(State.AWAY)
    assert chosen == Look(store="a", search="čaj", state=State.AWAY)
    assert chosen.further().most == 2 * TILES_AT_ONCE


def test_the_states_share_all_phases_among_them() -> None:
    shown = [phase for state in State for phase in Look(state=state).phases or ()]
    assert sorted(shown) == sorted(Phase)
    assert Look().phases is None
    assert all(STATE_OF[p] is State.ON_ITS_WAY for p in Look(state=State.ON_ITS_WAY).phases or ())


def test_attention_is_three_states_at_once() -> None:
    look = look_of(show="attention")
    assert look.is_filtered
    assert look.phases == {Phase.FAILED, Phase.STRUGGLING, Phase.UNREACHABLE}
    assert "show=attention" in look.at("/wall")
    assert look.showing(State.AWAY).phases == {Phase.UNREACHABLE}
