"""What a person looks at is in the address, and a search finds what people mean."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from api.console.look import TILES_AT_ONCE, Look, fold, look_of
from api.console.words import STATE_OF, State
from esl.domain.ids import LabelId, Sku
from esl.domain.label import Phase
from esl.store.wall_counts import WallEntry

LOOKS = [
    Look(store="vrsar"),
    Look(store="vrsar", state=State.NEEDS_YOU),
    Look(store="vrsar", search="čaj & voda?"),
    Look(store="vrsar", state=State.RIGHT, search="a b", most=1500),
]


@pytest.mark.parametrize("look", LOOKS)
def test_an_address_brings_back_the_same_look(look: Look) -> None:
    query: dict[str, Any] = dict(parse_qsl(urlsplit(look.at("/")).query))
    if "most" in query:
        query["most"] = int(query["most"])
    if "show" in query:
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


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", True),
        ("čokolada", True),
        ("COKOLADA", True),
        ("kuhanje cokolada", True),
        ("shelf-0002", True),
        ("1008", True),
        ("šokolada", False),
        ("čokolada zobena", False),
    ],
)
def test_a_search_is_for_words_in_name_sku_or_label(search: str, *, found: bool) -> None:
    entry = WallEntry(
        label_id=LabelId("shelf-0002"), sku=Sku("1008"), name="Čokolada za kuhanje 40 %"
    )
    assert Look(search=search).finds(entry) is found


def test_a_label_without_a_product_is_found_by_its_id() -> None:
    entry = WallEntry(label_id=LabelId("shelf-0002"), sku=None, name=None)
    assert Look(search="shelf").finds(entry)
    assert not Look(search="none").finds(entry)


@pytest.mark.parametrize(
    ("one", "other"), [("Straße", "STRASSE"), ("Ελιές", "ελιεσ"), ("Ёлка", "елка"), ("ﬁn", "FIN")]
)
def test_scripts_fold_as_their_readers_do(one: str, other: str) -> None:
    assert fold(one) == fold(other)
