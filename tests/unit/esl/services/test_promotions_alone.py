"""Lists that leave the regular price empty while a promotion runs, as those of Croatia do."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from esl.domain.entry import Entry, PromotionKind, StatedPromotion
from esl.domain.face import Face, ReferenceKind
from esl.domain.ids import Sku, SourceId
from esl.domain.pricing import KEEP
from esl.domain.source import unregistered
from esl.services import catalogue
from esl.services.listening import take_entries
from esl.store import offers
from esl.store.due_labels import load_due
from tests.builders import NOON, STORE, a_store, build_shelf, label_id

SKU = Sku("sku-0")
DAY = timedelta(days=1)


def listed(
    tx: Connection, day: int, *, price: int | None, special: int | None, low: int | None
) -> None:
    """Take a day's list: prices in cents, None where a column is empty."""
    entry = Entry(
        store_id=STORE,
        sku=SKU,
        currency="EUR",
        price_minor=price if price is not None else KEEP,
        lowest_30d_minor=low,
        promotion=(
            StatedPromotion(kind=PromotionKind.PRICE, price_minor=special)
            if special is not None
            else None
        ),
    )
    source = unregistered(SourceId("pos"), STORE)
    take_entries(tx, source, [entry], NOON + day * DAY, actor="pos", batch_id=None, full=True)


def face_of(tx: Connection) -> Face:
    [due] = load_due(tx, [label_id(0)])
    assert due.face is not None
    return due.face


@pytest.mark.parametrize("law", ["hr", "none"])
def test_the_lowest_price_that_the_list_states_is_the_former_price(
    tx: Connection, law: str
) -> None:
    build_shelf(tx, price_minor=None)
    catalogue.put_store(tx, replace(a_store(), law=law), NOON)
    listed(tx, 0, price=None, special=254, low=339)
    face = face_of(tx)
    assert (face.price_minor, face.was_minor, face.percent_off) == (254, 339, 25)
    lowest = [one.minor for one in face.reference_prices if one.kind is ReferenceKind.LOWEST_30D]
    assert lowest == ([339] if law == "hr" else [])


@pytest.mark.parametrize("low", [189, 169, None])
def test_a_lowest_price_that_is_not_above_announces_nothing(
    tx: Connection, low: int | None
) -> None:
    build_shelf(tx, price_minor=None)
    listed(tx, 0, price=None, special=189, low=low)
    assert (face_of(tx).price_minor, face_of(tx).was_minor) == (189, None)
    assert offers.troubles_of(tx, STORE) == [], "nothing was claimed"


@pytest.mark.parametrize("low", [189, 169])
def test_a_reduction_to_what_it_cost_before_is_shown_plainly_and_told(
    tx: Connection, low: int
) -> None:
    build_shelf(tx, price_minor=None)
    listed(tx, 0, price=259, special=None, low=None)
    listed(tx, 1, price=None, special=189, low=low)
    assert (face_of(tx).price_minor, face_of(tx).was_minor) == (189, None)
    [(_, why, count, _)] = offers.troubles_of(tx, STORE)
    assert (why, count) == ("unlawful_claim", 1)


def test_the_former_price_ends_with_the_promotion(tx: Connection) -> None:
    build_shelf(tx, price_minor=None)
    listed(tx, 0, price=None, special=254, low=339)
    listed(tx, 1, price=None, special=249, low=329)
    assert face_of(tx).was_minor == 329
    listed(tx, 2, price=299, special=None, low=None)
    assert (face_of(tx).price_minor, face_of(tx).was_minor) == (299, None)
    listed(tx, 3, price=199, special=None, low=None)
    assert face_of(tx).was_minor is None, "a price that is lower is no announced reduction"
