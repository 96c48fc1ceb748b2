"""A tile says what the label said, and claims no more."""

from datetime import UTC, datetime
from typing import Any

import pytest

from api.console.board import Tile, fingerprint, tile_of
from api.console.words import State
from esl.domain.ids import Digest, PanelId, Sku
from esl.domain.label import NOTHING_SHOWN
from esl.store import wall
from tests.builders import GATEWAY, a_store
from tests.panels import PANELS
from tests.unit.esl.domain.label_states import a_label

SHOWN = Digest("ab" * 32)
ONLINE = frozenset({GATEWAY})


def a_row(**changes: Any) -> wall.Tile:
    product = {"sku": Sku("1"), "name": "Banane", "price_minor": 149, "currency": "EUR"}
    given = {name: changes.pop(name, value) for name, value in product.items()}
    label = a_label(**({"shown_digest": SHOWN} | changes))
    return wall.Tile(label=label, badge=None, **given)


def a_tile(locale: str = "hr_HR", **changes: Any) -> Tile:
    return tile_of(a_row(**changes), a_store(locale=locale), ONLINE, PANELS)


def test_the_picture_is_the_one_the_label_reported() -> None:
    tile = a_tile(wanted_rev=9, due_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert tile.picture == f"/api/v1/labels/label-0000/frames/{SHOWN}.png"
    assert tile.state is State.ON_ITS_WAY


def test_a_label_that_reported_nothing_has_no_picture() -> None:
    assert a_tile(shown_digest=NOTHING_SHOWN).picture is None


def test_a_label_whose_model_is_gone_has_a_place_and_says_so() -> None:
    tile = a_tile(panel_id=PanelId("bwry-1x1"))
    assert (tile.width_px, tile.height_px, tile.size) == (296, 128, "?")
    assert tile.advice is not None
    assert "bwry-1x1 is not known any more" in tile.advice.what


def test_only_a_label_that_is_right_is_described_by_its_product() -> None:
    assert a_tile().alt == "Banane: picture as label label-0000 reported it"
    waiting = a_tile(wanted_rev=9, due_at=datetime(2026, 1, 1, tzinfo=UTC))
    failed = a_tile(problem="no_price")
    unpaired = a_tile(paired=False, sku=None, name=None, price_minor=None, currency=None)
    for tile in (waiting, failed, unpaired):
        assert "Banane" not in tile.alt
        assert "1.49" not in tile.alt


@pytest.mark.parametrize(
    ("locale", "currency", "minor", "text"),
    [
        ("hr_HR", "EUR", 149, "1,49\xa0€"),
        ("en_US", "USD", 149, "$1.49"),
        ("ja_JP", "JPY", 149, "￥149"),
        ("xx_XX", "EUR", 149, "€1.49"),
    ],
)
def test_a_price_is_written_as_the_store_writes_it(
    locale: str, currency: str, minor: int, text: str
) -> None:
    assert a_tile(locale, price_minor=minor, currency=currency).price == text


def test_a_label_is_seen_at_the_stores_own_time() -> None:
    seen_at = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
    tile = a_tile(seen_at=seen_at)
    assert tile.seen_at == seen_at
    assert tile.seen_at.strftime("%H:%M") == "12:00"  # Zagreb, in summer


@pytest.mark.parametrize(
    "change",
    [{"shown_digest": "cd" * 32}, {"problem": "no_price"}, {"price_minor": 150}, {"name": "Kivi"}],
)
def test_a_fingerprint_changes_with_what_people_see(change: dict[str, Any]) -> None:
    assert fingerprint([a_row(**change)], ONLINE) != fingerprint([a_row()], ONLINE)


def test_a_fingerprint_changes_when_a_gateway_goes_away_and_not_with_time() -> None:
    waiting = a_row(wanted_rev=9, due_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert fingerprint([waiting], ONLINE) != fingerprint([waiting], frozenset())
    seen = a_row(seen_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert fingerprint([seen], ONLINE) == fingerprint([a_row()], ONLINE)
