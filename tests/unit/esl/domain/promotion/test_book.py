"""Which promotions a product finds: by what it is, in its store, while they run."""

from datetime import time

from hypothesis import given, settings
from hypothesis import strategies as st

from esl.domain.ids import Sku, StoreId
from esl.domain.product import Product
from esl.domain.promotion.book import Book, Moment
from esl.domain.promotion.promotion import Channel, PercentOff, Promotion, Selection, Where
from esl.domain.promotion.window import Hours, Window
from tests.offers import BERLIN, NOW, STORE, local, product, promotion, utc

TENTH = PercentOff(permille=100)


def named(moment: Moment, sold: Product) -> list[str]:
    return [one.promotion.promotion_id for one in moment.running(sold)]


def book(*promotions: Promotion, channel: Channel = Channel.SHELF) -> Book:
    return Book(promotions, store_id=STORE, zone=BERLIN, channel=channel)


def test_fields_narrow_each_other_and_values_of_a_field_add_up() -> None:
    dairy = promotion(
        "dairy",
        TENTH,
        selection=Selection(
            categories=frozenset({"Dairy", "CHEESE"}),
            brands=frozenset({"Dukat"}),
            except_skus=frozenset({Sku("9")}),
        ),
    )
    now = book(dairy).at(NOW)
    assert named(now, product("1", category="dairy", brand="DUKAT")) == ["dairy"]
    assert named(now, product("1", category="Cheese ", brand="Dukat")) == ["dairy"]
    assert named(now, product("1", category="dairy", brand="Vindija")) == []
    assert named(now, product("1", category="dairy")) == []
    assert named(now, product("9", category="dairy", brand="Dukat")) == []


def test_a_list_of_skus_is_found_by_its_skus() -> None:
    listed = promotion("listed", TENTH, selection=Selection(skus=frozenset({Sku("1"), Sku("2")})))
    tagged = promotion(
        "tagged",
        TENTH,
        priority=1,
        selection=Selection(skus=frozenset({Sku("1")}), tags=frozenset({"Bio"})),
    )
    now = book(listed, tagged).at(NOW)
    assert named(now, product("1", tags=frozenset({"bio"}))) == ["tagged", "listed"]
    assert named(now, product("1")) == ["listed"]
    assert named(now, product("3")) == []


def test_rank_is_priority_then_the_later_beginning_then_the_name() -> None:
    june = Window(begins=local("2026-06-01 00:00"))
    may = Window(begins=local("2026-05-01 00:00"))
    found = book(
        promotion("c", TENTH, window=may),
        promotion("b", TENTH, window=june),
        promotion("a", TENTH, window=may),
        promotion("open", TENTH),
        promotion("top", TENTH, priority=1, window=may),
    ).at(NOW)
    assert named(found, product()) == ["top", "b", "a", "c", "open"]


def test_another_store_group_or_channel_has_its_own() -> None:
    here = promotion("here", TENTH, where=Where(stores=frozenset({STORE})))
    there = promotion("there", TENTH, where=Where(stores=frozenset({StoreId("other")})))
    north = promotion("north", TENTH, where=Where(groups=frozenset({"north"})))
    online = promotion("online", TENTH, channels=frozenset({Channel.ONLINE}))
    all_of_them = [here, there, north, online]
    assert named(book(*all_of_them).at(NOW), product()) == ["here"]
    in_north = Book(all_of_them, store_id=STORE, zone=BERLIN, groups=frozenset({"north"}))
    assert named(in_north.at(NOW), product()) == ["here", "north"]
    assert "online" in named(book(*all_of_them, channel=Channel.ONLINE).at(NOW), product())


def test_a_book_is_asked_about_one_moment_after_another_in_any_order() -> None:
    early = promotion("early", TENTH, window=Window(hours=(Hours(time(6), time(9)),)))
    found = book(early)
    for at, runs in (("05:00", True), ("07:00", False), ("06:59", True), ("03:59", False)):
        assert bool(found.at(utc(f"2026-06-01 {at}")).running(product())) is runs
    ((_, following),) = found.not_running(product(), utc("2026-06-01 07:00"))
    assert following == utc("2026-06-02 04:00")
    assert found.not_running(product(), utc("2026-06-01 06:00")) == []


def test_an_empty_selection_takes_nothing() -> None:
    nobody = promotion("nobody", TENTH, selection=Selection(except_skus=frozenset({Sku("9")})))
    assert named(book(nobody).at(NOW), product()) == []
    assert not nobody.selection.takes(product())


WORDS = st.sampled_from(["Dairy", "DAIRY", "Tea", "tea "])
SKUS = st.sampled_from([Sku("a"), Sku("b")])
SELECTIONS = st.builds(
    Selection,
    skus=st.frozensets(SKUS),
    categories=st.frozensets(WORDS, max_size=2),
    brands=st.frozensets(WORDS, max_size=2),
    tags=st.frozensets(WORDS, max_size=2),
    everything=st.booleans(),
    except_skus=st.frozensets(SKUS, max_size=1),
)
PRODUCTS = st.builds(
    lambda sku, category, brand, tags: product(sku, category=category, brand=brand, tags=tags),
    SKUS,
    st.none() | WORDS,
    st.none() | WORDS,
    st.frozensets(WORDS, max_size=2),
)


@settings(deadline=None)
@given(st.lists(SELECTIONS, max_size=6), st.lists(PRODUCTS, min_size=1, max_size=6))
def test_the_index_finds_what_asking_each_would(
    selections: list[Selection], products: list[Product]
) -> None:
    promotions = [promotion(f"p{n}", TENTH, selection=one) for n, one in enumerate(selections)]
    now = book(*promotions).at(NOW)
    for sold in products:
        expected = [p.promotion_id for p in promotions if p.selection.takes(sold)]
        assert sorted(named(now, sold)) == expected
