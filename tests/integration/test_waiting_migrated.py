"""Labels that waited for a roll-out before the upgrade wait on, and old notes are still read."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from esl.domain.ids import LabelId, Sku
from esl.store import waiting
from esl.store.database import Database
from esl.store.migrate import migrate
from esl.store.truth import HELD, OFFER_BEGINS, OFFER_COLUMNS, as_shown
from tests.builders import NOON
from tests.unit.esl.store.test_migrate import version_up_to

BEFORE = """
INSERT INTO store (store_id, name, currency, locale, timezone)
 VALUES ('zagreb-1', 'Trgovina', 'EUR', 'hr_HR', 'Europe/Zagreb');
INSERT INTO product (store_id, sku, name, rev) VALUES ('zagreb-1', 'a', 'A', 1);
INSERT INTO product (store_id, sku, name, rev) VALUES ('zagreb-1', 'b', 'B', 1);
INSERT INTO label (label_id, store_id, panel_id) VALUES ('l-1', 'zagreb-1', 'bwry-296x128');
INSERT INTO pairing (label_id, store_id, sku, position, paired_at)
 SELECT 'l-1', 'zagreb-1', 'a', 0, acted_until FROM installation;
INSERT INTO pairing (label_id, store_id, sku, position, paired_at)
 SELECT 'l-1', 'zagreb-1', 'b', 1, acted_until FROM installation;
INSERT INTO waiting_label (label_id, promotion_id) VALUES ('l-1', 'weekend');
INSERT INTO waiting_label (label_id, promotion_id) VALUES ('l-gone', 'weekend')
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_label_that_waited_waits_with_each_of_its_products(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path / 'esl.db'}"
    database = Database(url if kind == "sqlite" else request.getfixturevalue("fresh_postgres_url"))
    with version_up_to(23, tmp_path, monkeypatch):
        migrate(database, NOON)
    with database.writing.begin() as tx:
        for statement in BEFORE.split(";"):
            tx.execute(text(statement))
    migrate(database, NOON)
    label = LabelId("l-1")
    with database.read() as tx:
        found = waiting.waiting_of(tx, [label, LabelId("l-gone")])
    assert found == {(label, Sku(sku)): waiting.Waits("weekend", None) for sku in ("a", "b")}, (
        "what hangs nowhere waits for nothing"
    )
    database.close()


def test_what_was_kept_for_a_till_before_it_named_conditions_is_still_read() -> None:
    kept = [99, None, None, "AKCIJA", 7, 129, 89, 3, 250, 95, "2026-01-31", "promotion"]
    values = [f"v{n}" for n in range(HELD)] + [json.dumps(kept), None] + [None] * OFFER_COLUMNS
    shown = as_shown(values)
    assert list(shown[OFFER_BEGINS:]) == [*kept[:9], None, None, *kept[9:]]
    assert (list(shown[:HELD]), shown[HELD], shown[HELD + 1]) == (values[:HELD], None, None)
