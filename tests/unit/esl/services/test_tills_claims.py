"""The law on former prices that tills send: judged as they come in, shown plainly if unlawful."""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, update

from esl.domain.entry import DatedPrice, PastKind
from esl.domain.errors import InvalidInput, SetupError
from esl.domain.face import Face, ReferenceKind, ReferencePrice, Unit
from esl.domain.ids import Sku, SourceId
from esl.domain.law import chosen
from esl.domain.law.profile_file import profile_text
from esl.domain.problem import ProblemKind
from esl.domain.product import NetContent
from esl.intake.place_json import parse_store
from esl.intake.product_json import ProductPut
from esl.services import catalogue, flips, problems, staging
from esl.services.pricing import apply_price_changes
from esl.services.promotions.histories import one_history
from esl.store import flips as flip_rows
from esl.store import future, offers, past_prices, places
from esl.store.due_labels import load_due
from esl.store.tables import products
from tests.builders import NOON, STORE, a_change, a_product, a_store, build_shelf, label_id
from tests.panels import PANELS

SKU = Sku("sku-0")
DAY = timedelta(days=1)


@pytest.fixture
def own_profiles(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    empty = tmp_path / "empty"
    empty.mkdir()
    chosen.read_own_profiles(empty)


def face_of(tx: Connection) -> Face:
    [due] = load_due(tx, [label_id(0)])
    assert due.face is not None
    return due.face


def said(tx: Connection, at: datetime, price: int, was: int | None = None) -> None:
    change = a_change(SKU, price, was_minor=was, badge="AKCIJA" if was else None)
    apply_price_changes(tx, STORE, [change], at, actor="till")


def plain_problems(tx: Connection, now: datetime) -> list[str]:
    found = problems.find_problems(tx, STORE, now, online=frozenset(), silent_after=DAY)
    return [one.reason for one in found if one.kind is ProblemKind.PROMOTION_PLAIN]


def test_a_former_price_that_is_not_the_lowest_of_thirty_days_is_not_struck_through(
    tx: Connection,
) -> None:
    build_shelf(tx, price_minor=100, now=NOON - 60 * DAY)
    said(tx, NOON - 10 * DAY, 150)
    said(tx, NOON, 120, was=150)  # 100 held twenty days ago
    face = face_of(tx)
    assert (face.price_minor, face.was_minor, face.badge) == (120, None, None)
    [(names, why, count, sku)] = offers.troubles_of(tx, STORE)
    assert (names, why, count, sku) == ("", "unlawful_claim", 1, SKU)


def test_a_flip_stages_what_the_law_lets_it_say_at_its_moment(tx: Connection) -> None:
    build_shelf(tx, price_minor=100, now=NOON - 60 * DAY)
    said(tx, NOON - 10 * DAY, 150)
    at, change = NOON + timedelta(hours=1), {"sku": SKU, "price": "1.20", "was": "1.50"}
    planned = flips.plan_flip(
        tx,
        STORE,
        at,
        [a_change(SKU, 120, was_minor=150)],
        json.dumps([change]),
        NOON,
        actor="till",
        panels=PANELS,
    )
    flip = flip_rows.flip_named(tx, planned.flip_id)
    [staged] = future.future_faces(tx, [label_id(0)], staging.holds_then(tx, flip)).values()
    flips.begin_flip(tx, planned.flip_id, at, grace=timedelta())
    assert staged == face_of(tx), "nothing is painted again after the moment"
    assert (staged.price_minor, staged.was_minor) == (120, None)


def test_a_lawful_reduction_is_counted_from_the_lowest_price(tx: Connection) -> None:
    build_shelf(tx, price_minor=100, now=NOON - 60 * DAY)
    said(tx, NOON - 10 * DAY, 150)
    said(tx, NOON, 80, was=150)
    face = face_of(tx)
    assert (face.price_minor, face.was_minor, face.badge) == (80, 100, "AKCIJA")
    assert face.percent_off == 20
    lowest = ReferencePrice(kind=ReferenceKind.LOWEST_30D, minor=100)
    assert face.reference_prices == (lowest,)
    assert offers.troubles_of(tx, STORE) == []


def test_the_verdict_stays_while_the_reduction_runs_and_goes_with_it(tx: Connection) -> None:
    build_shelf(tx, price_minor=100, now=NOON - 60 * DAY)
    said(tx, NOON - 10 * DAY, 150)
    said(tx, NOON, 120, was=150)
    named = ProductPut(product=a_product(name="Kefir"), price=None)
    catalogue.put_products(tx, STORE, [named], NOON + DAY, actor="till")
    assert (face_of(tx).name, face_of(tx).was_minor) == ("Kefir", None), "judged the same again"
    said(tx, NOON + 2 * DAY, 120)
    assert not offers.has_offers(tx, STORE)
    assert face_of(tx).price_minor == 120


def test_without_a_history_the_tills_own_word_stands(tx: Connection) -> None:
    build_shelf(tx, price_minor=None, now=NOON - 2 * DAY)
    said(tx, NOON, 120, was=150)
    assert (face_of(tx).was_minor, face_of(tx).badge) == (150, "AKCIJA")
    assert not offers.has_offers(tx, STORE)


@pytest.mark.parametrize(("low", "was"), [(110, None), (140, 140)])
def test_without_a_history_the_lowest_price_that_a_source_states_decides(
    tx: Connection, low: int, was: int | None
) -> None:
    build_shelf(tx, price_minor=None, now=NOON - 2 * DAY)
    stated = {"lowest_30d_minor": low, "lowest_30d_source": "pos", "lowest_30d_day": NOON.date()}
    tx.execute(update(products).values(stated))
    said(tx, NOON, 120, was=150)
    assert face_of(tx).was_minor == was
    offer = offers.offers_of(tx, STORE, [SKU])[SKU]
    assert (offer.trouble is None) == (was is not None)


def test_a_source_s_word_of_longer_ago_counts_no_more(tx: Connection) -> None:
    build_shelf(tx, price_minor=None, now=NOON - 2 * DAY)
    old = NOON.date() - timedelta(days=31)
    stated = {"lowest_30d_minor": 110, "lowest_30d_source": "pos", "lowest_30d_day": old}
    tx.execute(update(products).values(stated))
    said(tx, NOON, 120, was=150)
    assert face_of(tx).was_minor == 150


def told(tx: Connection, day: date, until: date | None, price: int) -> None:
    dated = DatedPrice(day=day, until=until, price_minor=price, kind=PastKind.REGULAR)
    past_prices.put_past_prices(tx, STORE, [(SKU, dated)], source=SourceId("old"), batch_id=None)


def test_a_shop_that_moved_here_is_judged_by_the_history_it_brought(tx: Connection) -> None:
    build_shelf(tx, price_minor=None, now=NOON - 2 * DAY)
    told(tx, NOON.date() - timedelta(days=60), NOON.date() - timedelta(days=5), 100)
    told(tx, NOON.date() - timedelta(days=5), None, 150)
    said(tx, NOON - DAY, 150)
    store = places.store_named(tx, STORE)
    assert [step.price_minor for step in one_history(tx, store, SKU, NOON).steps] == [100, 150, 150]
    said(tx, NOON, 120, was=150)
    assert face_of(tx).was_minor is None
    said(tx, NOON + DAY, 90, was=150)
    assert face_of(tx).was_minor == 100


def test_the_shop_may_answer_for_its_claims_itself(tx: Connection) -> None:
    build_shelf(tx, price_minor=100, now=NOON - 60 * DAY)
    said(tx, NOON - 10 * DAY, 150)
    said(tx, NOON, 120, was=150)
    catalogue.put_store(tx, a_store(law="none"), NOON + DAY)
    assert (face_of(tx).was_minor, face_of(tx).badge) == (150, "AKCIJA")
    catalogue.put_store(tx, a_store(), NOON + 2 * DAY)
    assert face_of(tx).was_minor is None, "the law holds again"


def test_a_manager_is_told_which_products_are_shown_plainly(tx: Connection) -> None:
    build_shelf(tx, price_minor=100, now=NOON - 60 * DAY)
    said(tx, NOON - 10 * DAY, 150)
    said(tx, NOON, 120, was=150)
    [reason] = plain_problems(tx, NOON)
    assert "1 products whose tills state a former price" in reason
    assert str(SKU) in reason


# -- which law ------------------------------------------------------------------------------------


def test_a_store_s_law_decides_what_its_labels_count(tx: Connection) -> None:
    build_shelf(tx, price_minor=25, now=NOON)
    soap = a_product(net_content=NetContent(milli=1000, unit=Unit.KILOGRAM))
    catalogue.put_products(tx, STORE, [ProductPut(product=soap, price=None)], NOON, actor="till")
    assert face_of(tx).unit_price_minor is None, "it would repeat the price"
    catalogue.put_store(tx, a_store(law="us"), NOON)
    face = face_of(tx)
    assert (face.unit_price_minor, face.unit_price_tenths, face.unit_label) == (11, 113, "lb")


def test_the_price_of_the_day_that_the_law_names_is_shown_where_the_law_wants_it(
    tx: Connection,
) -> None:
    build_shelf(tx, price_minor=129, now=NOON)
    tx.execute(update(products).values(anchor_minor=119))
    words = "cijena na dan 2. 5. 2025.:"
    anchor = ReferencePrice(kind=ReferenceKind.ANCHOR, minor=119, wording=words)
    assert face_of(tx).reference_prices == (anchor,)
    catalogue.put_store(tx, a_store(law="de"), NOON)
    assert face_of(tx).reference_prices == ()


def test_a_profile_of_the_shop_s_own_may_be_named_once_it_is_read(own_profiles: Path) -> None:
    body = {"name": "A", "currency": "EUR", "locale": "de_AT", "timezone": "Europe/Vienna"}
    with pytest.raises(InvalidInput, match="no law profile of this name"):
        parse_store(body | {"law": "at"}, store_id=STORE)
    text = profile_text("eu").replace('title = "European Union"', 'title = "Österreich"')
    (own_profiles / "at.toml").write_text(text, encoding="utf-8")
    assert chosen.read_own_profiles(own_profiles) == ("at",)
    store = parse_store(body | {"law": "at"}, store_id=STORE)
    assert chosen.law_for(store.law, store.locale).title == "Österreich"
    assert chosen.law_for("gone", "de_DE").name == "de", "its country decides meanwhile"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("de", profile_text("de"), "comes with the project"),
        ("at", "title = 5", "is no law profile"),
        ("Not a name", profile_text("de"), "is no law profile"),
    ],
)
def test_a_bad_file_among_the_profiles_is_named(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SetupError, match=words):
        chosen.read_own_profiles(tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no folder of law profiles"):
        chosen.read_own_profiles(tmp_path / "laws")
