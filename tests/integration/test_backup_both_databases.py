"""A backup of either database, put back into either: what stays, what jumps, what is due again."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, insert, inspect, select, text, update

from api.backup.archive import check_backup, open_backup, write_backup
from api.backup.restore import Restored, restore
from api.backup.sealed_keys import read_keys, seal_keys
from api.private_files import make_data_folder, signing_key
from esl.domain.errors import SetupError
from esl.domain.ids import Digest, LabelId
from esl.domain.label import SlotState
from esl.domain.place import NewLabel
from esl.domain.published import PublishedPayload, shown_leaf
from esl.settings import Settings
from esl.store import neutral_orders
from esl.store.backup_rows import ROWS_AT_ONCE, last_revision
from esl.store.backup_tables import KEPT, LEFT_OUT
from esl.store.database import Database
from esl.store.gateway_labels import add_unregistered
from esl.store.labels import label_named, register_labels
from esl.store.migrate import migrate, newest_schema, schema_of, upgrade_to
from esl.store.neutral_orders import NeutralOrder
from esl.store.published import put_payloads
from esl.store.restored import (
    COUNTERS_JUMP,
    COUNTERS_MOST,
    EPOCHS_JUMP,
    REVISIONS_JUMP,
    REVISIONS_MOST,
    settle_anew,
)
from esl.store.revisions import take_revision
from esl.store.tables import (
    answered_requests,
    audit_entries,
    frames,
    gateways,
    import_jobs,
    labels,
    metadata,
    person_sessions,
    prices,
    products,
    source_positions,
    staged,
    till_prices,
)
from gateway.link import COMMANDS_MOST, command_id
from gateway.wire.fields import MAX_INT
from tests.builders import GATEWAY, NOON, PANEL, STORE, build_shelf
from tests.services import Postgres

PASSPHRASE = "three sparrows on a wire"
PIXELS = bytes(range(256)) * 3


@pytest.fixture(params=["sqlite", "postgresql"])
def blank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Settings]]:
    """Makes settings of a blank machine with a database of either kind."""
    made: list[str] = []
    count = 0

    def make() -> Settings:
        nonlocal count
        count += 1
        folder = tmp_path / f"blank-{count}"
        if request.param == "sqlite":
            return Settings(data_dir=folder)
        server: Postgres = request.getfixturevalue("postgres")
        made.append(server.create_database())
        return Settings(data_dir=folder, database_url=server.url(made[-1]))

    yield make
    for name in made:
        request.getfixturevalue("postgres").drop_database(name)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """The folder of the installation that is backed up, with its keys."""
    folder = tmp_path / "data"
    make_data_folder(folder)
    signing_key(folder)
    return folder


@pytest.fixture
def filled(either_database: Database) -> Database:
    """A shop in the middle of its day."""
    with either_database.writing.begin() as tx:
        build_shelf(tx, labels_count=3)
        neutral_orders.put_order(tx, STORE, NeutralOrder(since=NOON, actor="boss", reason="drill"))
        for _ in range(7):
            take_revision(tx)
        tx.execute(
            update(labels).values(
                wanted_rev=5,
                sent_rev=5,
                settled_rev=5,
                shown_rev=5,
                shown_digest="a" * 64,
                due_at=None,
                epoch=2,
            )
        )
        tx.execute(
            insert(frames),
            {"digest": "a" * 64, "panel_id": "p", "zlib_pixels": PIXELS, "kept_on": NOON.date()},
        )
        tx.execute(
            insert(source_positions).values(
                store_id=STORE, sku="sku-0", source="till", last_seq=41, last_time=NOON
            )
        )
        tx.execute(
            insert(answered_requests).values(
                principal="till",
                idempotency_key="k",
                request_sha256="0" * 64,
                status=200,
                answer="{}",
                answered_at=NOON,
            )
        )
        tx.execute(
            insert(person_sessions).values(
                secret_sha256="0" * 64, person="x", created_at=NOON, expires_at=NOON
            )
        )
        for state, slot in ((SlotState.ARMED, 1), (SlotState.CANCELLED, 2)):
            tx.execute(
                insert(staged).values(
                    label_id=tx.execute(select(labels.c.label_id).limit(1)).scalar_one(),
                    slot=slot,
                    rev=4,
                    show_rev=6,
                    digest="a" * 64,
                    show_at=NOON,
                    state=int(state),
                )
            )
        tx.execute(
            insert(import_jobs).values(
                job_id="job",
                source="till",
                state="running",
                mode="full",
                sha256="0" * 64,
                actor="x",
                created_at=NOON,
            )
        )
        tx.execute(update(gateways).values(session="s", online=True, counter=9))
        leaf = shown_leaf(LabelId("label-0"), 5, Digest("a" * 64))
        signed = PublishedPayload(
            gateway_id=GATEWAY,
            session="s",
            counter=9,
            key_id="abcdef01",
            sha256="b" * 64,
            root=leaf.hex(),
            commands=1,
            signature="c" * 128,
            sent_at=NOON,
            leaves=leaf,
        )
        put_payloads(tx, [signed], NOON)
    return either_database


def back_up(database: Database, data_dir: Path, target: Path) -> Path:
    keys = seal_keys(read_keys(data_dir), PASSPHRASE)
    write_backup(database, target, NOON, sealed_keys=keys)
    return target


def put_back(path: Path, settings: Settings) -> Restored:
    return restore(path, settings, NOON, passphrase=PASSPHRASE)


def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    with database.read() as tx:
        return {
            table.name: sorted((tuple(row) for row in tx.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
            if table.name not in LEFT_OUT
        }


CHANGED = {
    *("label", "gateway", "staged", "revision_counter", "audit_entry", "import_job", "till_price"),
}


def test_every_table_is_decided_about(either_database: Database) -> None:
    with either_database.read() as tx:
        there = set(inspect(tx).get_table_names())
    assert there - KEPT - LEFT_OUT.keys() == set(), (
        "is it to be in a backup? Say so in esl.store.backup_tables"
    )
    assert (KEPT | LEFT_OUT.keys()) - there == set()
    assert KEPT & LEFT_OUT.keys() == set()


class BrokenOffError(Exception):
    """What whoever watches a backup may raise: the person pressed Ctrl-C, or the task is over."""


def test_a_backup_that_is_broken_off_leaves_no_cursor_open_and_no_file(
    filled: Database, tmp_path: Path
) -> None:
    def break_off(table: str, rows: int) -> None:
        if table == "audit_entry":
            raise BrokenOffError(f"{table} {rows}")

    with filled.writing.begin() as tx:
        some = {"at": NOON, "actor": "x", "action": "freeze", "subject": STORE}
        tx.execute(insert(audit_entries), [some] * (ROWS_AT_ONCE + 1))
    left: list[str] = []
    if not filled.is_sqlite:
        # Whatever the transaction has left open stands there until it is rolled back.
        event.listen(
            filled.reading,
            "rollback",
            lambda tx: left.extend(
                row[0] for row in tx.connection.execute("SELECT statement FROM pg_cursors")
            ),
        )
    with pytest.raises(BrokenOffError):
        write_backup(filled, tmp_path / "x", NOON, sealed_keys=None, progress=break_off)
    assert left == []
    assert list(tmp_path.glob("x*")) == []


def test_what_is_put_back_is_what_was_there_and_jumps_above_what_was_given_out_since(
    filled: Database, data_dir: Path, blank: Callable[[], Settings], tmp_path: Path
) -> None:
    before = everything(filled)
    with filled.read() as tx:
        given_out = last_revision(tx)
    path = back_up(filled, data_dir, tmp_path / "esl.zip")
    assert path.stat().st_mode & 0o777 == 0o600
    settings = blank()
    done = put_back(path, settings)
    assert (done.is_new_key, done.lost, done.gateways) == (False, (), (GATEWAY,))
    assert read_keys(settings.data_dir) == read_keys(data_dir)

    database = Database(settings.database_address)
    after = everything(database)
    assert {name: rows for name, rows in after.items() if name not in CHANGED} == {
        name: rows for name, rows in before.items() if name not in CHANGED
    }
    assert before["source_position"]
    assert before["answered_request"]
    assert before["published_payload"], "signatures are kept, bytes and all"
    assert before["neutral_order"], "labels that are told again show no price then"
    with database.read() as tx:
        assert tx.execute(select(func.count()).select_from(person_sessions)).scalar_one() == 0
        assert bytes(tx.execute(select(frames.c.zlib_pixels)).scalar_one()) == PIXELS
        for label in tx.execute(select(labels)):
            assert label.wanted_rev == given_out + REVISIONS_JUMP
            assert label.settled_rev < label.wanted_rev
            assert (label.shown_rev, label.shown_digest, label.due_at) == (0, "", NOON)
            assert label.epoch == 2 + EPOCHS_JUMP
        [gateway] = tx.execute(select(gateways)).all()
        assert (gateway.session, gateway.online, gateway.counter) == ("", False, 9 + COUNTERS_JUMP)
        [slot] = tx.execute(select(staged)).all()
        assert (slot.state, slot.rev, slot.show_rev) == (int(SlotState.PLANNED), 0, None)
        [job] = tx.execute(select(import_jobs)).all()
        assert (job.state, job.ended_at) == ("failed", NOON)
        assert "restore" in tx.execute(select(audit_entries.c.action)).scalars().all()
    with database.writing.begin() as tx:
        assert take_revision(tx) > given_out + REVISIONS_JUMP
        tx.execute(insert(audit_entries).values(at=NOON, actor="x", action="x", subject="x"))
    database.close()
    with pytest.raises(SetupError, match="not empty"):
        put_back(path, settings)


def test_an_older_backup_comes_up_to_date_and_a_newer_one_is_refused(
    blank: Callable[[], Settings], data_dir: Path, tmp_path: Path
) -> None:
    old = Database(blank().database_url or f"sqlite:///{tmp_path}/old.db")
    with old.writing.begin() as tx:
        upgrade_to(tx, "0016")
        tx.execute(
            text("INSERT INTO installation (only_row, created_at, acted_until) VALUES (1, :n, :n)"),
            {"n": NOON if not old.is_sqlite else NOON.isoformat(" ")[:19] + ".000000"},
        )
        tx.execute(text("INSERT INTO revision_counter VALUES (1, 77)"))
        tx.execute(
            text(
                "INSERT INTO store (store_id, name, currency, locale, timezone) "
                "VALUES ('s', 'S', 'EUR', 'hr_HR', 'Europe/Zagreb')"
            )
        )
        tx.execute(text("INSERT INTO product (store_id, sku, name, rev) VALUES ('s', '1', 'x', 3)"))
    path = back_up(old, data_dir, tmp_path / "old.zip")
    old.close()
    assert check_backup(path).schema == "0016"
    settings = blank()
    put_back(path, settings)
    database = Database(settings.database_address)
    with database.read() as tx:
        assert schema_of(tx) == newest_schema()
        assert tx.execute(select(products.c.name)).scalar_one() == "x"
    database.close()

    newer = Database(f"sqlite:///{tmp_path}/newer.db")
    migrate(newer, NOON)
    with newer.writing.begin() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    path = back_up(newer, data_dir, tmp_path / "newer.zip")
    newer.close()
    with pytest.raises(SetupError, match="newer version"):
        put_back(path, blank())


def test_a_backup_reads_one_moment_and_never_many_rows_at_once(
    filled: Database, tmp_path: Path
) -> None:
    count = 12_000
    with filled.writing.begin() as tx:
        tx.execute(
            insert(products),
            [{"store_id": STORE, "sku": f"m-{n:06}", "name": "x", "rev": n} for n in range(count)],
        )
    heard: list[int] = []

    def progress(table: str, rows: int) -> None:
        if table == "product":
            heard.append(rows)
            if len(heard) == 1:  # a change in the middle of it is none of this backup's
                with filled.writing.begin() as tx:
                    tx.execute(update(prices).values(price_minor=1))

    with filled.read() as tx:
        held = sorted(tx.execute(select(prices.c.price_minor)).scalars())
    target = tmp_path / "esl.zip"
    write_backup(filled, target, NOON, sealed_keys=None, progress=progress)
    assert max(b - a for a, b in zip([0, *heard], heard, strict=False)) <= 2000
    with open_backup(target) as opened:
        part = next(part for part in opened.manifest.parts if part.table == "price")
        rows = [
            dict(zip(columns, row, strict=True))
            for columns, some in opened.rows(part)
            for row in some
        ]
    assert sorted(row["price_minor"] for row in rows) == held


def test_a_restore_that_fails_leaves_the_database_as_empty_as_it_was(
    filled: Database, data_dir: Path, blank: Callable[[], Settings], tmp_path: Path
) -> None:
    path = back_up(filled, data_dir, tmp_path / "esl.zip")
    settings = blank()

    def fail(table: str, rows: int) -> None:
        if table == "price" and rows:
            raise SetupError("the power went")

    with pytest.raises(SetupError, match="power"):
        restore(path, settings, NOON, passphrase=PASSPHRASE, progress=fail)
    shutil.rmtree(settings.data_dir / "keys")
    put_back(path, settings)


def test_labels_in_every_state_are_asked_for_what_they_can_do(either_database: Database) -> None:
    with either_database.writing.begin() as tx:
        build_shelf(tx, labels_count=6)
        ids = tx.execute(select(labels.c.label_id).order_by(labels.c.label_id)).scalars().all()
        states: list[dict[str, Any]] = [
            {"wanted_rev": 0, "due_at": None},
            {"wanted_rev": 3, "problem": "foreign_revision"},
            {"wanted_rev": 3, "problem": "duplicate_id", "quarantine": 1},
            {"wanted_rev": 3, "problem": "insufficient_battery"},
            {"wanted_rev": 3, "retired_at": NOON, "gateway_id": None},
            {"wanted_rev": 3, "refused_rev": 3, "refused_code": "x"},
        ]
        for label_id, state in zip(ids, states, strict=True):
            tx.execute(update(labels).where(labels.c.label_id == label_id).values(**state))
        for sku in ("sku-0", "sku-1"):
            tx.execute(insert(till_prices).values(store_id=STORE, sku=sku, **a_till_price()))
        rev = settle_anew(tx, NOON, last_rev=7)
        rows = tx.execute(select(labels).order_by(labels.c.label_id)).all()
        assert [row.due_at for row in rows] == [None, NOON, None, None, None, NOON]
        assert [row.wanted_rev for row in rows] == [0, *[rev] * 5]
        assert [row.problem for row in rows] == [
            *(None, None, "duplicate_id", "insufficient_battery", None, None)
        ]
        assert {row.refused_rev for row in rows} == {None}
        told = [
            tuple(row) for row in tx.execute(select(till_prices.c.rev, till_prices.c.granted_rev))
        ]
        assert sorted(told) == [(rev + 1, rev + 1), (rev + 2, rev + 2)]
        assert take_revision(tx) == rev + 3
        # A label that is new to these books may have been bound to the shop before.
        new = NewLabel(label_id=LabelId("new"), store_id=STORE, panel_id=PANEL)
        register_labels(tx, STORE, [new])
        assert label_named(tx, LabelId("new")).epoch > EPOCHS_JUMP
        heard = NewLabel(label_id=LabelId("heard"), store_id=STORE, panel_id=PANEL)
        assert add_unregistered(tx, [heard]) == [LabelId("heard")]
        assert label_named(tx, LabelId("heard")).epoch > EPOCHS_JUMP


def test_a_label_of_a_shop_that_was_never_restored_begins_with_the_first_epoch(
    either_database: Database,
) -> None:
    with either_database.writing.begin() as tx:
        build_shelf(tx, labels_count=2)
        tx.execute(update(labels).values(epoch=9))
        new = NewLabel(label_id=LabelId("new"), store_id=STORE, panel_id=PANEL)
        register_labels(tx, STORE, [new])
        assert label_named(tx, LabelId("new")).epoch == 1


def a_till_price() -> dict[str, Any]:
    return {
        "rev": 3,
        "shelf": "[]",
        "shelf_rev": 3,
        "granted": "[]",
        "granted_rev": 3,
        "truth": "[]",
        "since": NOON,
    }


@pytest.mark.parametrize("what", ["revisions", "counters", "epochs"])
def test_numbers_that_the_wire_could_not_carry_are_refused_in_words(
    what: str, either_database: Database
) -> None:
    with either_database.writing.begin() as tx:
        build_shelf(tx, labels_count=1)
        tx.execute(update(gateways).values(counter=2**42 if what == "counters" else 1))
        tx.execute(update(labels).values(epoch=2**30 if what == "epochs" else 1))
        with pytest.raises(SetupError, match=what):
            settle_anew(tx, NOON, last_rev=2**52 if what == "revisions" else 1)
    # The limits are those of the wire.
    assert REVISIONS_MOST == MAX_INT
    assert command_id(COUNTERS_MOST, COMMANDS_MOST - 1) == MAX_INT
