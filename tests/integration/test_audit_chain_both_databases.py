"""The audit chain: what is sealed, in which order, and that no change of it goes unseen."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select, text, update
from sqlalchemy.exc import DatabaseError

from esl.domain.chain import (
    Checkpoint,
    RecordKind,
    block_hash,
    leaf_hash,
    read_block,
    root_by_path,
)
from esl.domain.clock import EffectiveClock
from esl.domain.ids import SourceId
from esl.services import sealing as sealing_module
from esl.services.pricing import apply_price_changes
from esl.services.retention import HISTORY_KEPT, Forgetting
from esl.services.sealing import Sealing
from esl.services.shown import Certainty, sealed_record, shown_then
from esl.services.verifying import Verdict, verify_chain
from esl.store import audit, chain
from esl.store.database import Database
from esl.store.tables import (
    audit_blocks,
    audit_checkpoints,
    audit_entries,
    audit_gaps,
    audit_parts,
    display_log,
    issued,
    price_events,
    published_payloads,
)
from esl.store.writer import Writer
from gateway.wire.errors import BadSignature
from gateway.wire.signing import PublicKeys, SigningKey
from tests.builders import (
    NOON,
    STORE,
    SimulatedClock,
    a_change,
    build_shelf,
    label_id,
    running_writer,
)
from tests.history import allow_changes

KEY = SigningKey.generate()
STRANGER = SigningKey.generate()
DAY = timedelta(days=1)


def is_trusted(checkpoint: Checkpoint) -> bool:
    """Believe what the installation's key signed, and nothing else."""
    if checkpoint.public_key != KEY.public_key.hex():
        return False
    try:
        signature = bytes.fromhex(checkpoint.signature)
        PublicKeys.of(KEY).verify(KEY.key_id, signature=signature, signed=checkpoint.signed())
    except (BadSignature, ValueError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class Books:
    """A database with a chain, and what seals it."""

    database: Database
    writer: Writer
    clock: SimulatedClock
    sealing: Sealing

    def write(self, work: Callable[[Connection], Any]) -> None:
        self.writer.write(lambda tx: work(tx) and None)

    def fill(self, rounds: int, start: int = 0) -> None:
        """Let prices change, a person decide and labels report, some records a round."""
        for n in range(start, start + rounds):
            self.clock.pass_s(61)
            now = self.clock.wall()

            def work(tx: Connection, n: int = n, now: datetime = now) -> None:
                changes = [a_change(f"sku-{k}", 100 + n + k, source=TILL) for k in range(3)]
                apply_price_changes(tx, STORE, changes, now, actor="token:7")
                audit.note(tx, now, actor="person:1", action="guards", subject=f"s{n}")
                for k in range(2):
                    tx.execute(insert(display_log).values(**a_display(k, n, now)))
                tx.execute(insert(published_payloads).values(**a_payload(n, now)))

            self.write(work)
            self.sealing.seal_all()

    def checkpoint(self) -> Checkpoint | None:
        return self.sealing.checkpoint(KEY.sign, KEY.public_key)

    def verify(self, *outside: Checkpoint, now: datetime | None = None) -> Verdict:
        return verify_chain(
            self.database, is_trusted=is_trusted, now=now or self.clock.wall(), outside=outside
        )


TILL = SourceId("till")


def a_display(number: int, rev: int, at: datetime) -> dict[str, Any]:
    return {
        "label_id": label_id(number),
        "rev": rev,
        "digest": f"{rev:064x}",
        "incarnation": 1,
        "gateway_id": "gw-1",
        "session": "s",
        "painted_at": at - timedelta(seconds=2),
        "recorded_at": at,
    }


def a_payload(counter: int, at: datetime) -> dict[str, Any]:
    return {
        "gateway_id": "gw-1",
        "session": "s",
        "counter": counter,
        "key_id": "abcdef01",
        "sha256": f"{counter:064x}",
        "root": f"{counter + 1:064x}",  # of one leaf it is that leaf
        "commands": 1,
        "signature": "cd" * 64,
        "sent_at": at - timedelta(seconds=3),
        "written_at": at,
        "leaves": (counter + 1).to_bytes(32, "big"),
    }


@pytest.fixture
def books(either_database: Database) -> Iterator[Books]:
    clock = SimulatedClock()
    with either_database.writing.begin() as tx:
        build_shelf(tx, labels_count=3, price_minor=100)
    with running_writer(either_database) as writer:
        sealing = Sealing(database=either_database, writer=writer, clock=EffectiveClock(clock))
        yield Books(either_database, writer, clock, sealing)


def test_what_was_committed_is_sealed_in_order_and_verifies(books: Books) -> None:
    books.fill(5)
    assert books.checkpoint() is not None
    verdict = books.verify()
    assert verdict.wrong is None
    assert (verdict.blocks, verdict.unsealed, verdict.checked_to) == (5, 0, 5)
    with books.database.read() as tx:
        rows = sum(len(tx.execute(select(t)).all()) for t in SEALED)
    assert verdict.records == rows
    assert books.sealing.step() is False, "there is nothing new"
    assert books.checkpoint() is None, "one checkpoint of a block is enough"


SEALED = (audit_entries, price_events, display_log, published_payloads)


def test_a_block_waits_for_more_but_not_for_ever(books: Books) -> None:
    books.write(lambda tx: audit.note(tx, books.clock.wall(), actor="a", action="b", subject="c"))
    assert books.sealing.step() is False
    assert books.verify().blocks == 0
    books.clock.pass_s(sealing_module.WAITS_MOST_S + 1)
    assert books.sealing.step() is True
    assert books.verify().blocks == 1


def test_checkpoints_come_no_oftener_than_every_five_minutes(books: Books) -> None:
    made = []
    for n in range(12):  # each takes 61 seconds
        books.fill(1, start=n)
        made.append(books.checkpoint() is not None)
    assert made == [True, False, False, False, False] * 2 + [True, False]


def test_a_big_backlog_makes_several_blocks(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing_module, "BLOCK_MOST", 100)
    monkeypatch.setattr(sealing_module, "ROWS_A_READ", 30)
    rows = [a_display(1, n, books.clock.wall()) for n in range(450)]
    books.write(lambda tx: tx.execute(insert(display_log), rows))
    books.sealing.seal_all()
    assert books.checkpoint() is not None
    verdict = books.verify()
    assert verdict.wrong is None
    assert verdict.blocks >= 4
    assert verdict.unsealed == 0


def test_two_that_seal_at_once_make_one_chain(books: Books) -> None:
    other = Sealing(database=books.database, writer=books.writer, clock=EffectiveClock(books.clock))
    for n in range(4):
        books.write(lambda tx, n=n: audit.note(tx, NOON, actor="a", action="b", subject=f"{n}"))
        books.sealing.step()
        other.step()  # both have gathered the same
        books.clock.pass_s(61)
        assert books.sealing.step()
        assert other.step()
    assert books.checkpoint() is not None
    verdict = books.verify()
    assert (verdict.wrong, verdict.blocks) == (None, 4)


on_postgresql = pytest.mark.parametrize("either_database", ["postgresql"], indirect=True)
"""SQLite has one writer: ids are committed in order, and one that was undone is given again."""


@on_postgresql
def test_a_row_that_commits_late_is_sealed_later(books: Books) -> None:
    """On PostgreSQL an id is taken before its transaction commits."""
    books.fill(1)
    with books.database.writing.connect() as slow, slow.begin():
        audit.note(slow, books.clock.wall(), actor="slow", action="b", subject="c")
        books.fill(2, start=1)
        assert books.verify().wrong == (
            "no checkpoint vouches for the chain: the whole of it may be another"
        )
        slow.commit()
    assert books.checkpoint() is not None
    assert (books.verify().wrong, books.verify().unsealed) == (None, 1)
    books.sealing.seal_all()
    verdict = books.verify()
    assert (verdict.wrong, verdict.unsealed) == (None, 0)
    with books.database.read() as tx:
        assert tx.execute(select(audit_gaps)).all() == []


@on_postgresql
def test_ids_that_nobody_took_are_forgotten_after_an_hour(books: Books) -> None:
    books.fill(1)
    with books.database.writing.connect() as undone, undone.begin() as doing:
        audit.note(undone, books.clock.wall(), actor="a", action="b", subject="c")
        doing.rollback()
    books.fill(1, start=1)
    with books.database.read() as tx:
        assert len(tx.execute(select(audit_gaps)).all()) == 1
    books.clock.pass_s(3700)
    books.fill(1, start=2)
    with books.database.read() as tx:
        assert tx.execute(select(audit_gaps)).all() == []


def test_the_chain_verifies_after_the_old_display_log_was_pruned(books: Books) -> None:
    books.fill(6)
    first = books.checkpoint()
    assert first is not None
    before = books.verify()
    books.clock.pass_s((HISTORY_KEPT + 2 * DAY).total_seconds())
    books.fill(1, start=6)
    forgetting = Forgetting(database=books.database, writer=books.writer)
    while forgetting.step(books.clock.wall(), books.clock.wall()):
        pass
    assert forgetting.removed > 0
    verdict = books.verify(first)
    assert verdict.wrong is None
    assert verdict.pruned == 10 + 6, "what both labels showed when history begins stays"
    assert verdict.records < before.records
    books.sealing.forget_leaves(books.clock.wall())
    again = books.verify(first)
    assert (again.wrong, again.pruned) == (None, verdict.pruned)
    for kind in (RecordKind.DISPLAY, RecordKind.PUBLISHED):
        with books.database.read() as tx:
            kept = tx.execute(select(audit_parts.c.leaves).where(audit_parts.c.kind == kind)).all()
        gone = 5 if kind is RecordKind.DISPLAY else 6
        assert [row.leaves is None for row in kept] == [True] * gone + [False] * (7 - gone)


def test_every_record_has_its_way_to_a_checkpoint(books: Books) -> None:
    books.fill(3)
    books.clock.pass_s(301)
    books.checkpoint()
    books.fill(7, start=3)
    last = books.checkpoint()
    assert last is not None
    books.write(lambda tx: audit.note(tx, NOON, actor="a", action="not sealed", subject="c"))
    seen = 0
    with books.database.read() as tx:
        for kind, (table, _) in COLUMNS.items():
            for row in tx.execute(select(table)):
                found = sealed_record(tx, kind, row[0])
                if getattr(row, "action", "") == "not sealed":
                    assert found is None
                    continue
                assert found is not None
                assert found.checkpoint is not None
                seen += 1
                block = read_block(found.contents[0])
                root = next(part.root for part in block.parts if part.kind is kind)
                climbed = root_by_path(leaf_hash(found.record.encode()), found.path)
                assert (block.number, climbed.hex()) == (found.block, root)
                before = bytes.fromhex(found.before)
                for content in found.contents:
                    before = block_hash(before, content)
                assert before.hex() == found.checkpoint.hash
                assert json.loads(found.record)[:3] == [kind, 1, row[0]]
    assert seen == books.verify().records


def test_a_label_is_asked_of_on_both_databases(books: Books) -> None:
    books.fill(3)
    told = {"digest": f"{2:064x}", "gateway_id": "gw-1", "template": "own@3"}

    def send(tx: Connection) -> None:
        at = books.clock.wall()
        for rev, ago_s in ((2, 10), (3, -5)):
            row = told | {"label_id": label_id(0), "rev": rev}
            tx.execute(insert(issued).values(**row, issued_at=at - timedelta(seconds=ago_s)))

    books.write(send)
    now = books.clock.wall()
    with books.database.read() as tx:
        found = shown_then(tx, label_id(0), now, now)
        assert (found.certainty, found.maybe) == (Certainty.REPORTED, ())
        assert found.reported is not None
        assert found.told is not None
        assert (found.reported.rev, found.told.template) == (2, "own@3")
        assert found.told.sent_at < found.reported.reported_at == now
        [price] = found.prices
        assert price.sku == "sku-0"
        earlier = shown_then(tx, label_id(0), now - timedelta(seconds=61), now)
        assert earlier.following == found.reported
        later = shown_then(tx, label_id(0), now + timedelta(seconds=9), now)
        assert later.certainty is Certainty.BETWEEN
        assert [one.rev for one in later.maybe] == [3]
        nothing = shown_then(tx, label_id(2), now, now)
        assert (nothing.certainty, nothing.reported) == (Certainty.UNKNOWN, None)


def test_what_is_young_may_not_be_gone(books: Books) -> None:
    books.fill(3)
    books.checkpoint()
    books.write(lambda tx: tx.execute(delete(display_log).where(display_log.c.entry_id == 3)))
    assert books.verify().wrong == "display_log 3: it is missing"


@pytest.mark.parametrize("table", ["audit_entry", "price_event", "display_log", "audit_block"])
def test_the_database_itself_refuses_to_change_what_is_sealed(books: Books, table: str) -> None:
    books.fill(1)
    column = {"price_event": "price_minor", "display_log": "rev", "audit_block": "number"}
    name = column.get(table, "entry_id")
    changes = [f"UPDATE {table} SET {name} = {name} + 1000"]  # noqa: S608
    if table != "display_log":  # is pruned
        changes.append(f"DELETE FROM {table}")  # noqa: S608
    for change in changes:
        with (
            pytest.raises(DatabaseError, match="append only"),
            books.database.writing.begin() as tx,
        ):
            tx.execute(text(change))


# ── Whoever changes the database by hand ───────────────────────────────────────────────────


COLUMNS = {
    RecordKind.AUDIT: (audit_entries, ("at", "actor", "action", "subject", "reason", "detail")),
    RecordKind.PRICE: (
        price_events,
        ("sku", "source", "price_minor", "currency", "decision", "rev", "actor", "received_at"),
    ),
    RecordKind.DISPLAY: (
        display_log,
        ("label_id", "rev", "digest", "incarnation", "gateway_id", "painted_at", "recorded_at"),
    ),
    RecordKind.PUBLISHED: (
        published_payloads,
        ("gateway_id", "counter", "key_id", "sha256", "root", "signature", "sent_at", "leaves"),
    ),
}


def another(value: Any, random: Random) -> Any:
    """Return the same with one byte, digit or second another."""
    match value:
        case None:
            return "x"
        case str() if value:
            place = random.randrange(len(value))
            new = random.choice([c for c in "abc019-" if c != value[place]])
            return value[:place] + new + value[place + 1 :]
        case bytes():
            place = random.randrange(len(value))
            return value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]
        case int():
            return value + random.choice([-1, 1])
        case datetime():
            return value + random.choice([-1, 1]) * timedelta(microseconds=1)
    return "y"


class Attacker:
    """Somebody with every right in the database, but without the key and the data folder."""

    def __init__(self, tx: Connection, random: Random) -> None:
        self.tx, self.random = tx, random

    def _record(self) -> tuple[Any, Any, Any]:
        table, columns = COLUMNS[self.random.choice(list(RecordKind))]
        rows = self.tx.execute(select(table)).all()
        return table, columns, self.random.choice(rows)

    def edit_a_record(self) -> None:
        table, columns, row = self._record()
        column = self.random.choice(columns)
        key = table.primary_key.columns[0]
        value = another(getattr(row, column), self.random)
        self.tx.execute(update(table).where(key == row[0]).values({column: value}))

    def delete_a_record(self) -> None:
        table, _, row = self._record()
        self.tx.execute(delete(table).where(table.primary_key.columns[0] == row[0]))

    def swap_two_records(self) -> None:
        table, _, one = self._record()
        key = table.primary_key.columns[0]
        rows = self.tx.execute(select(table)).all()
        other = self.random.choice([row for row in rows if row[1:] != one[1:]])
        for target, source in ((one, other), (other, one)):
            values = {c.name: getattr(source, c.name) for c in table.columns if c is not key}
            self.tx.execute(update(table).where(key == target[0]).values(values))

    def insert_a_record(self) -> None:
        table, _, row = self._record()
        values = dict(row._mapping)
        ids = [r[0] for r in self.tx.execute(select(table)).all()]
        place = self.random.choice(["below", "behind"])
        values[table.primary_key.columns[0].name] = 0 if place == "below" else max(ids) + 1000
        if place == "behind":  # and says it is of long ago: else it is a new record like any
            moment = {
                "audit_entry": "at",
                "price_event": "received_at",
                "published_payload": "written_at",
            }
            values[moment.get(table.name, "recorded_at")] = NOON - DAY
        self.tx.execute(insert(table).values(**values))

    def truncate_records(self) -> None:
        table, _, row = self._record()
        self.tx.execute(delete(table).where(table.primary_key.columns[0] >= row[0]))

    def edit_a_block(self) -> None:
        [*rows] = self.tx.execute(select(audit_blocks)).all()
        row = self.random.choice(rows)
        column = self.random.choice(["content", "hash"])
        where = audit_blocks.c.number == row.number
        value = another(getattr(row, column), self.random)
        self.tx.execute(update(audit_blocks).where(where).values({column: value}))

    def delete_a_block(self) -> None:
        number = self.random.choice(self.tx.scalars(select(audit_blocks.c.number)).all())
        self.tx.execute(delete(audit_blocks).where(audit_blocks.c.number == number))

    def truncate_the_chain(self) -> None:
        number = self.random.choice(self.tx.scalars(select(audit_blocks.c.number)).all())
        for table in (audit_blocks, audit_parts, audit_checkpoints):
            self.tx.execute(delete(table).where(table.c.number >= number))
        for table, _ in COLUMNS.values():
            sealed = self.tx.execute(select(table)).all()
            keep = len(sealed) // 2
            ids = [row[0] for row in sealed][keep:]
            self.tx.execute(delete(table).where(table.primary_key.columns[0].in_(ids)))

    def edit_what_is_noted_beside(self) -> None:
        row = self.random.choice(self.tx.execute(select(audit_parts)).all())
        where = (audit_parts.c.number == row.number, audit_parts.c.kind == row.kind)
        if self.random.random() < 0.3:
            self.tx.execute(delete(audit_parts).where(*where))
            return
        leaves = bytearray(row.leaves)
        leaves[self.random.randrange(len(leaves))] ^= 1 << self.random.randrange(8)
        self.tx.execute(update(audit_parts).where(*where).values(leaves=bytes(leaves)))

    def edit_a_checkpoint(self) -> None:
        row = self.random.choice(self.tx.execute(select(audit_checkpoints)).all())
        where = audit_checkpoints.c.number == row.number
        column = self.random.choice(["hash", "at", "public_key", "signature", None])
        if column is None:
            self.tx.execute(delete(audit_checkpoints).where(where))
            return
        value = another(getattr(row, column), self.random)
        self.tx.execute(update(audit_checkpoints).where(where).values({column: value}))

    def hash_everything_anew(self) -> None:
        """Edit a record, then seal all again as the controller does, but with another key."""
        self.random.choice([self.edit_a_record, self.delete_a_record])()
        rows = self.tx.execute(select(audit_checkpoints)).all()
        for table in (audit_blocks, audit_parts, audit_checkpoints, audit_gaps):
            self.tx.execute(delete(table))
        self.anew = [row.number for row in rows]


ATTACKS = [name for name in vars(Attacker) if not name.startswith("_")]


def attack(books: Books, random: Random, outside: list[Checkpoint]) -> tuple[str, str | None]:
    """Do one thing to the database, look, and undo it."""
    name = random.choice(ATTACKS)
    with books.database.writing.connect() as connection, connection.begin() as doing:
        attacker = Attacker(connection, random)
        getattr(attacker, name)()
        if name == "hash_everything_anew":
            _seal_as(connection, books, STRANGER)
        seen = verify_chain(
            _Within(connection), is_trusted=is_trusted, now=books.clock.wall(), outside=outside
        )
        doing.rollback()
    return name, seen.wrong


class _Within(Database):
    """A database seen from within a transaction that is not committed."""

    def __init__(self, tx: Connection) -> None:
        self._tx = tx
        self.is_sqlite = tx.dialect.name == "sqlite"

    def read(self) -> Any:
        return _Given(self._tx)


class _Given:
    def __init__(self, tx: Connection) -> None:
        self._tx = tx

    def __enter__(self) -> Connection:
        return self._tx

    def __exit__(self, *_: object) -> None:
        pass


class _Inline:
    def __init__(self, tx: Connection) -> None:
        self._tx = tx

    def write(self, work: Callable[[Connection], Any], **_: Any) -> Any:
        return work(self._tx)


def _seal_as(tx: Connection, books: Books, key: SigningKey) -> None:
    sealing = Sealing(
        database=_Within(tx),
        writer=_Inline(tx),  # type: ignore[arg-type]
        clock=EffectiveClock(books.clock),
    )
    sealing.seal_all()
    sealing.checkpoint(key.sign, key.public_key)


@pytest.mark.parametrize("seed", range(10))
def test_a_thousand_edits_of_audit_data_are_all_found(books: Books, seed: int) -> None:
    """A hundred a seed on SQLite; of PostgreSQL, whose every look takes longer, some."""
    outside: list[Checkpoint] = []
    for n in range(6):
        books.fill(2, start=2 * n)
        books.clock.pass_s(301)
        made = books.checkpoint()
        assert made is not None
        outside.append(made)
    assert books.verify(*outside).wrong is None
    books.write(
        lambda tx: [
            allow_changes(tx, table)
            for table in (
                *("audit_entry", "price_event", "display_log", "published_payload"),
                *("audit_block", "audit_checkpoint"),
            )
        ]
    )
    random = Random(seed)
    edits = 100 if books.database.is_sqlite else 10
    missed = [found for _ in range(edits) if (found := attack(books, random, outside))[1] is None]
    assert missed == []
    assert books.verify(*outside).wrong is None, "every attack was undone"


def test_who_hashes_all_anew_is_found_by_a_checkpoint_kept_elsewhere(books: Books) -> None:
    books.fill(3)
    kept = books.checkpoint()
    assert kept is not None
    books.write(lambda tx: [allow_changes(tx, t) for t in ("audit_entry", "audit_block")])
    books.write(lambda tx: allow_changes(tx, "audit_checkpoint"))

    def rewrite(tx: Connection) -> None:
        tx.execute(update(audit_entries).values(actor="somebody else"))
        for table in (audit_blocks, audit_parts, audit_checkpoints):
            tx.execute(delete(table))

    books.write(rewrite)
    books.sealing.seal_all()
    assert books.verify().wrong is not None, "no checkpoint vouches for it"
    assert books.verify(kept).wrong is not None
    forged = replace(kept, hash="0" * 64)
    assert "not signed" in str(books.verify(forged).wrong)


def test_the_first_bad_record_is_named(books: Books) -> None:
    books.fill(3)
    books.checkpoint()
    books.write(lambda tx: allow_changes(tx, "price_event"))
    for event_id in (9, 5):
        books.write(
            lambda tx, n=event_id: tx.execute(
                update(price_events).where(price_events.c.event_id == n).values(price_minor=1)
            )
        )
    assert books.verify().wrong == "price_event 5: it is not what block 1 sealed"


def test_a_block_can_be_hashed_by_whoever_reads_the_description(books: Books) -> None:
    books.fill(2)
    with books.database.read() as tx:
        first, second = chain.blocks_after(tx, 0, most=9)
        head = chain.head_of(tx)
    assert block_hash(bytes(32), first.content).hex() == first.hash
    assert block_hash(bytes.fromhex(first.hash), second.content) == head.hash
    assert read_block(second.content).number == 2
