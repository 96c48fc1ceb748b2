"""A price that holds until a moment has its base over the upgrade that changed how it is kept."""

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from esl.domain.ids import Sku, StoreId
from esl.domain.layers import Word
from esl.store import migrate as migrate_module
from esl.store import words
from esl.store.columns import instant_text
from esl.store.database import Database
from esl.store.migrate import migrate
from esl.store.schedule import EVER, ScheduleState, live_prices
from tests.builders import NOON

OLD = text(
    "INSERT INTO scheduled_price (store_id, sku, source, said, valid_from, valid_to, before, rev,"
    " state, due_at, actor, received_at) VALUES ('main', '4711', 'till', :said, :now, :now,"
    " :before, 1, 'holding', :now, 't', :now)"
)


@pytest.mark.parametrize(
    ("before", "base"),
    [
        ('[100,129,null,"NOVO",null,null,null,null]', Word(100, 129, None, "NOVO")),
        ("[70,100,140,null,100,null,null,null]", Word(100, None, None, None)),
    ],
)
def test_what_held_before_lies_beneath(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, base: Word
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'esl.db'}")

    def up_to_before(config: Config) -> None:
        command.upgrade(config, "0016")

    with monkeypatch.context() as patch:
        patch.setattr(migrate_module, "_upgrade", up_to_before)
        migrate(database, NOON)
    with database.writing.begin() as tx:
        row = {"said": '{"entry":true,"price":80}', "now": instant_text(NOON), "before": before}
        tx.execute(OLD, [row, row])
    migrate(database, NOON)
    with database.read() as tx:
        rows = live_prices(tx, StoreId("main"), [Sku("4711")])
    database.close()
    assert [row.state for row in rows[:2]] == [ScheduleState.HOLDING] * 2
    [kept] = rows[2:]
    assert (kept.state, kept.since) == (ScheduleState.BASE, EVER)
    assert words.word_from(kept.said) == base
