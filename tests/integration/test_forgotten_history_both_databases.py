"""Prices and the audit, forgotten as the shop likes; blocks are cut, and the chain holds on."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.exc import DatabaseError

from api.audit.files import AuditFolder, is_signed_by
from api.audit.keeper import AuditKeeper
from api.backup.archive import write_backup
from api.backup.restore import restore
from api.books import Books
from api.private_files import make_data_folder, write_private
from api.stage_clock import StageClock
from esl.domain.chain import Checkpoint, Cut, RecordKind, block_hash, leaf_hash, root_by_path
from esl.domain.clock import EffectiveClock
from esl.domain.errors import SetupError
from esl.domain.ids import SourceId
from esl.domain.keeping import PRICES_LEAST, Keeping
from esl.services.cutting import Cutting
from esl.services.pricing import apply_price_changes
from esl.services.retention import Forgetting
from esl.services.sealing import Sealing
from esl.services.shown import sealed_record
from esl.services.verifying import Verdict, verify_chain
from esl.settings import Settings, read_settings
from esl.store import audit, chain, cuts, forgotten
from esl.store.database import Database
from esl.store.shown_at import prices_then
from esl.store.tables import (
    audit_blocks,
    audit_cuts,
    audit_entries,
    audit_parts,
    forgotten_history,
    price_events,
    prices,
)
from esl.store.writer import Writer
from gateway.wire.signing import SigningKey
from tests.builders import (
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
KEEPING = Keeping(prices=timedelta(days=400), audit=timedelta(days=1100))
TILL = SourceId("till")


def is_trusted(signed: Checkpoint | Cut) -> bool:
    return is_signed_by(signed, frozenset({KEY.public_key.hex()}))


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop of three products whose history is sealed, forgotten and cut."""

    database: Database
    writer: Writer
    clock: SimulatedClock
    sealing: Sealing
    cutting: Cutting

    def live(self, rounds: int, *, decides: bool = False, of: int = 3) -> None:
        """Let prices change every five minutes and more, each in a block with a checkpoint."""
        for n in range(rounds):
            self.clock.pass_s(301)
            now = self.clock.wall()

            def work(tx: Connection, n: int = n, now: datetime = now) -> None:
                changes = [a_change(f"sku-{k}", 200 + n % 90 + k, source=TILL) for k in range(of)]
                apply_price_changes(tx, STORE, changes, now, actor="token:7")
                if decides:
                    audit.note(tx, now, actor="person:1", action="guards", subject=f"s{n}")

            self.writer.write(work)
            self.sealing.seal_all()
            self.sealing.checkpoint(KEY.sign, KEY.public_key)

    def grow_old(self, days: int) -> None:
        self.clock.pass_s(days * DAY.total_seconds())

    def forget(self, keeping: Keeping = KEEPING) -> int:
        forgetting = Forgetting(database=self.database, writer=self.writer, keeping=keeping)
        while forgetting.step(self.clock.wall(), self.clock.wall()):
            pass
        self.sealing.keep_whole_hashes()
        self.sealing.forget_leaves(self.clock.wall())
        self.sealing.seal_all()
        return forgetting.removed

    def cut(self) -> int:
        return self.cutting.cut(KEY.sign, KEY.public_key, self.clock.wall())

    def verify(self, *outside: Checkpoint) -> Verdict:
        return verify_chain(
            self.database, is_trusted=is_trusted, now=self.clock.wall(), outside=outside
        )

    def count(self, table: Any, *where: Any) -> int:
        with self.database.read() as tx:
            return int(
                tx.execute(select(func.count()).select_from(table).where(*where)).scalar_one()
            )

    def rows(self, table: Any) -> list[Any]:
        with self.database.read() as tx:
            return list(tx.execute(select(table)))

    def checkpoints(self) -> list[Checkpoint]:
        with self.database.read() as tx:
            return chain.checkpoints_from(tx, 0)

    def by_force(self, table: str, statement: Any) -> None:
        """Do what only the database's owner can."""

        def work(tx: Connection) -> None:
            allow_changes(tx, table)
            tx.execute(statement)

        self.writer.write(work)


@pytest.fixture
def shop(either_database: Database) -> Iterator[Shop]:
    with either_database.writing.begin() as tx:
        build_shelf(tx, labels_count=3, price_minor=None)
    clock = SimulatedClock()
    time = EffectiveClock(clock)
    with running_writer(either_database, clock) as writer:
        yield Shop(
            either_database,
            writer,
            clock,
            Sealing(database=either_database, writer=writer, clock=time),
            Cutting(database=either_database, writer=writer, clock=time, is_trusted=is_trusted),
        )


def held_prices(shop: Shop) -> list[tuple[str, int, int]]:
    with shop.database.read() as tx:
        query = select(prices.c.sku, prices.c.price_minor, prices.c.rev).order_by(prices.c.sku)
        return [tuple(row) for row in tx.execute(query)]


def test_old_prices_go_and_what_held_since_stays(shop: Shop) -> None:
    shop.live(5)
    shop.live(3, of=2)  # the third product's last word stays the old one
    shop.grow_old(300)
    shop.live(2, of=1)
    held = held_prices(shop)
    shop.forget()
    assert shop.count(price_events) == 5 * 3 + 3 * 2 + 2, "not yet"
    shop.grow_old(140)
    shop.forget()
    with shop.database.read() as tx:
        left = tx.execute(select(price_events).order_by(price_events.c.event_id)).all()
    assert [row.sku for row in left].count("sku-0") == 1 + 2
    assert [row.sku for row in left].count("sku-1") == 1
    assert [row.sku for row in left].count("sku-2") == 1
    assert held_prices(shop) == held
    verdict = shop.verify()
    assert verdict.wrong is None
    assert verdict.pruned == 15 + 6 - 3


def test_words_of_two_sources_are_not_each_others_followers(shop: Shop) -> None:
    shop.live(2)
    now = shop.clock.wall()
    other = a_change("sku-0", 333, source=SourceId("office"))
    shop.writer.write(lambda tx: apply_price_changes(tx, STORE, [other], now, actor="o"))
    shop.sealing.seal_all()
    shop.sealing.checkpoint(KEY.sign, KEY.public_key)
    shop.grow_old(440)
    shop.forget()
    of_it = price_events.c.sku == "sku-0"
    assert shop.count(price_events, of_it) == 2, "the newest of each"
    assert shop.verify().wrong is None


def test_how_far_is_noted_in_the_audit_once_a_month_and_nothing_younger_can_be_deleted(
    shop: Shop,
) -> None:
    shop.live(3)
    shop.forget()
    assert shop.count(forgotten_history) == 0, "a young shop's audit says nothing of it"
    shop.grow_old(440)
    shop.live(3)
    for _ in range(3):
        shop.forget()
    with shop.database.read() as tx:
        [entry] = tx.execute(select(audit_entries).where(_IS_NOTE)).all()
        noted = forgotten.forgotten_to(tx)
    assert entry.subject == "price_event"
    assert noted[RecordKind.PRICE].isoformat(" ", "microseconds")[:10] in entry.detail
    assert noted[RecordKind.PRICE] <= shop.clock.wall() - PRICES_LEAST
    for table in (price_events, audit_entries, audit_blocks):
        with (
            pytest.raises(DatabaseError, match="append only"),
            shop.database.writing.begin() as tx,
        ):
            tx.execute(delete(table))
    assert shop.verify().wrong is None


_IS_NOTE = audit_entries.c.action == forgotten.FORGOTTEN


def test_the_audit_goes_by_its_own_time_and_its_newest_stays(shop: Shop) -> None:
    shop.live(4, decides=True)
    shop.grow_old(1000)
    before = shop.count(audit_entries)
    shop.forget()
    assert shop.count(audit_entries) == before + 1, "it tells of prices"
    shop.grow_old(200)
    shop.forget()
    with shop.database.read() as tx:
        said = [row.subject for row in tx.execute(select(audit_entries).where(~_IS_NOTE))]
        notes = {row.subject for row in tx.execute(select(audit_entries).where(_IS_NOTE))}
    assert said == []
    assert notes == {"price_event", "audit_entry"}
    assert shop.verify().wrong is None


@pytest.mark.parametrize("days", [390, 500])
def test_a_price_that_is_gone_unnoted_is_missing(shop: Shop, days: int) -> None:
    shop.live(3)
    shop.grow_old(days)
    shop.by_force("price_event", delete(price_events).where(price_events.c.event_id == 1))
    assert shop.verify().wrong == "price_event 1: it is missing"


def test_a_note_excuses_nothing_that_is_younger_than_the_least(shop: Shop) -> None:
    shop.live(3)
    shop.grow_old(390)
    now, soon = shop.clock.wall(), shop.clock.wall() + 9 * DAY

    def lie(tx: Connection) -> None:
        forgotten.note_forgotten(tx, RecordKind.PRICE, soon)
        said = {"before": f"{soon:%Y-%m-%d %H:%M:%S}.000000"}
        audit.note(
            tx,
            now,
            actor="x",
            action=forgotten.FORGOTTEN,
            subject="price_event",
            detail=said,
        )
        tx.execute(delete(price_events).where(price_events.c.event_id == 1))

    shop.writer.write(lie)
    assert shop.verify().wrong == "price_event 1: it is missing"


def test_whoever_keeps_prices_longer_later_loses_no_more_and_raises_no_alarm(shop: Shop) -> None:
    shop.live(4)
    shop.grow_old(440)
    shop.forget()
    left = shop.count(price_events)
    shop.live(4)
    shop.grow_old(500)
    assert shop.forget(Keeping(prices=timedelta(days=3660))) == 0
    assert shop.count(price_events) == left + 12
    assert shop.verify().wrong is None


def test_a_price_that_is_forgotten_is_unknown_and_none_is_told_in_its_place(shop: Shop) -> None:
    """The list said one price, the till another, which a label shows; then the till spoke again."""
    office = a_change("sku-0", 111, source=SourceId("office"))
    shop.writer.write(
        lambda tx: apply_price_changes(tx, STORE, [office], shop.clock.wall(), actor="o")
    )
    shop.live(1, of=1)
    with shop.database.read() as tx:
        [shown] = tx.execute(select(prices.c.rev).where(prices.c.sku == "sku-0")).scalars()
        [then] = prices_then(tx, label_id(0), shown)
    assert (then.price_minor, then.is_forgotten) == (200, False)
    shop.live(2, of=1)
    shop.grow_old(300)
    shop.live(1, of=1)
    with shop.database.read() as tx:
        [newest] = tx.execute(select(prices.c.rev).where(prices.c.sku == "sku-0")).scalars()
    shop.grow_old(140)
    shop.forget()
    with shop.database.read() as tx:
        [then] = prices_then(tx, label_id(0), shown)
        [now] = prices_then(tx, label_id(0), newest)
        [before] = prices_then(tx, label_id(0), newest - 1)
    assert (before.price_minor, before.is_forgotten) == (201, False), "it held as history began"
    assert (then.event_id, then.is_forgotten) == (None, True)
    assert (now.price_minor, now.is_forgotten) == (200, False)


# -- cuts ------------------------------------------------------------------------------------


def an_old_shop(shop: Shop, *, rounds: int = 12) -> list[Checkpoint]:
    """Blocks of which little is left, with a decision in the midst; return the checkpoints."""
    shop.live(rounds)
    shop.live(1, decides=True)
    shop.live(rounds)
    shop.grow_old(440)
    shop.live(3)
    said = shop.checkpoints()
    shop.forget()
    return said


def test_blocks_of_which_nothing_is_left_are_cut_and_the_chain_verifies(shop: Shop) -> None:
    said = an_old_shop(shop)
    before = shop.verify()
    blocks, parts = shop.count(audit_blocks), shop.count(audit_parts)
    gone = shop.cut()
    assert gone > 20
    assert shop.count(audit_blocks) == blocks - gone
    assert shop.count(audit_parts) < parts - gone + 1
    after = shop.verify(*said)
    assert after.wrong is None
    assert (after.blocks, after.cut, after.records) == (before.blocks, gone, before.records)
    assert shop.cut() == 0, "what is cut stays cut"
    assert shop.verify(*said).wrong is None


def test_a_record_beside_a_cut_has_its_whole_way_to_a_checkpoint(shop: Shop) -> None:
    an_old_shop(shop)
    assert shop.cut() > 20
    with shop.database.read() as tx:
        numbers = [row.event_id for row in tx.execute(select(price_events))]
        entries = [row.entry_id for row in tx.execute(select(audit_entries))]
        sealed = [sealed_record(tx, RecordKind.PRICE, number) for number in numbers]
        sealed += [sealed_record(tx, RecordKind.AUDIT, number) for number in entries]
    for one in sealed[:-1]:  # the note of today may have no checkpoint yet
        assert one is not None
        assert one.checkpoint is not None
        hashed = bytes.fromhex(one.before)
        for content in one.contents:
            hashed = block_hash(hashed, content)
        assert hashed.hex() == one.checkpoint.hash
        assert root_by_path(leaf_hash(one.record.encode()), one.path).hex() in one.contents[0]


def test_cuts_that_touch_become_one(shop: Shop) -> None:
    shop.live(6)
    shop.grow_old(200)
    shop.live(6)
    shop.grow_old(240)
    shop.live(1)
    shop.forget()
    first = shop.cut()
    assert first > 0
    assert shop.count(audit_cuts) == 1
    shop.grow_old(240)
    shop.live(1)
    shop.forget()
    more = shop.cut()
    assert more > 0
    with shop.database.read() as tx:
        [one] = cuts.cuts_of(tx)
    assert one.last - one.first + 1 == first + more
    assert shop.verify().wrong is None


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"hash": "0" * 64}, "not signed here"),
        ({"hash_before": "1" * 64}, "not signed here"),
        ({"last_number": audit_cuts.c.last_number - 1}, "not signed here"),
        ({"public_key": STRANGER.public_key.hex()}, "not signed here"),
    ],
)
def test_a_changed_cut_is_found(shop: Shop, values: dict[str, Any], wrong: str) -> None:
    an_old_shop(shop)
    shop.cut()
    shop.by_force("audit_cut", update(audit_cuts).values(**values))
    assert wrong in (shop.verify().wrong or "")


def test_a_cut_that_is_gone_or_stands_elsewhere_is_found(shop: Shop) -> None:
    an_old_shop(shop)
    shop.cut()
    with shop.database.read() as tx:
        first, *_ = cuts.cuts_of(tx)
    shop.by_force("audit_cut", delete(audit_cuts).where(audit_cuts.c.first_number == first.first))
    assert shop.verify().wrong == f"block {first.first} is missing"


def test_a_strangers_cut_is_no_excuse(shop: Shop) -> None:
    an_old_shop(shop)
    forged = shop.cutting.cut(STRANGER.sign, STRANGER.public_key, shop.clock.wall())
    assert forged > 0
    assert "not signed here" in (shop.verify().wrong or "")


def test_no_cut_stands_for_what_somebody_took_out_with_its_hashes(shop: Shop) -> None:
    shop.live(8, decides=True)
    shop.grow_old(500)  # entries of the audit are kept for 1,100
    shop.live(2)
    shop.forget()
    some = [one for one in shop.rows(audit_parts) if one.kind == RecordKind.AUDIT][2:5]
    few = audit_entries.c.entry_id.between(some[0].first_id, some[-1].last_id)
    shop.by_force("audit_entry", delete(audit_entries).where(few))
    of_them = audit_parts.c.number.between(some[0].number, some[-1].number)
    shop.by_force("audit_part", update(audit_parts).where(of_them).values(leaves=None))
    shop.cut()
    with shop.database.read() as tx:
        made = cuts.cuts_of(tx)
    assert not [cut for cut in made if any(cut.first <= one.number <= cut.last for one in some)]
    assert "are missing" in (shop.verify().wrong or "")


def test_no_cut_stands_for_a_block_that_was_changed(shop: Shop) -> None:
    an_old_shop(shop)
    changed = update(audit_blocks).where(audit_blocks.c.number == 3)
    shop.by_force("audit_block", changed.values(hash="ab" * 32))
    shop.cut()
    with shop.database.read() as tx:
        assert not [cut for cut in cuts.cuts_of(tx) if cut.first <= 3 <= cut.last]
    assert "block 3" in (shop.verify().wrong or "")


def test_a_checkpoint_kept_elsewhere_of_a_cuts_end_must_agree(shop: Shop) -> None:
    said = an_old_shop(shop)
    shop.cut()
    with shop.database.read() as tx:
        [first, *_] = cuts.cuts_of(tx)
    end = next(one for one in said if one.number == first.last)
    assert shop.verify(end).wrong is None
    text = replace(end, hash="0" * 64)
    forged = replace(text, signature=KEY.sign(text.signed()).hex())
    assert "another hash" in (shop.verify(forged).wrong or "")


def test_hashes_of_before_are_made_whole_and_until_then_nothing_of_them_goes(shop: Shop) -> None:
    shop.live(5)

    def narrow(tx: Connection) -> None:
        for row in tx.execute(select(audit_parts).where(audit_parts.c.kind <= 2)).all():
            some = b"".join(
                bytes(row.leaves)[n : n + 8] for n in range(0, len(bytes(row.leaves)), 32)
            )
            tx.execute(
                update(audit_parts)
                .where(audit_parts.c.number == row.number, audit_parts.c.kind == row.kind)
                .values(leaves=some, leaf_bytes=8)
            )

    shop.writer.write(narrow)
    assert shop.verify().wrong is None
    shop.grow_old(440)
    events = shop.count(price_events)
    forgetting = Forgetting(database=shop.database, writer=shop.writer, keeping=KEEPING)
    while forgetting.step(shop.clock.wall(), shop.clock.wall()):
        pass
    assert shop.count(price_events) == events
    shop.forget()  # makes them whole at its end
    assert shop.count(audit_parts, audit_parts.c.leaf_bytes == 8) == 0
    assert shop.verify().wrong is None
    shop.forget()
    assert shop.count(price_events) < events
    assert shop.verify().wrong is None


def test_the_keeper_of_the_chain_forgets_and_cuts_with_the_key_of_the_folder(
    shop: Shop, tmp_path: Path
) -> None:
    an_old_shop(shop)
    settings = Settings(data_dir=tmp_path)
    (tmp_path / "keys").mkdir()
    write_private(tmp_path / "keys" / "signing.pem", KEY.to_pem().decode())
    books = Books(
        database=shop.database,
        writer=shop.writer,
        clock=EffectiveClock(shop.clock),
        stages=StageClock(),
    )
    keeper = AuditKeeper(settings, books, KEY, None)
    keeper.checkpoint()
    with shop.database.read() as tx:
        began = forgotten.aged_until(tx)
    assert began < shop.clock.wall() - 400 * DAY
    keeper.forget()
    assert shop.verify().cut == 0, "by its clock all is old, but nobody has lived so long"
    shop.writer.write(lambda tx: forgotten.note_aged(tx, shop.clock.wall()))
    keeper.forget()
    assert shop.verify(*AuditFolder(tmp_path).checkpoints()).cut > 20


@pytest.mark.parametrize("made", ["before the cut", "after the cut"])
def test_a_shop_that_is_put_back_from_before_or_after_a_cut_verifies_and_is_cut_as_it_was(
    shop: Shop, tmp_path: Path, made: str
) -> None:
    an_old_shop(shop)
    is_cut_before = made == "after the cut"
    gone = shop.cut() if is_cut_before else 0
    shop.writer.write(lambda tx: forgotten.note_aged(tx, shop.clock.wall() - 30 * DAY))
    backup = tmp_path / "shop.zip"
    write_backup(shop.database, backup, shop.clock.wall(), sealed_keys=None)
    gone = gone or shop.cut()
    settings = Settings(data_dir=tmp_path / "data")
    make_data_folder(settings.data_dir)
    write_private(settings.data_dir / "keys" / "signing.pem", KEY.to_pem().decode())
    restore(backup, settings, shop.clock.wall(), passphrase=None, keeps_keys=True)
    database = Database(settings.database_address)
    time = EffectiveClock(shop.clock)
    with contextlib.closing(database), running_writer(database, shop.clock) as writer:
        back = Shop(
            database,
            writer,
            shop.clock,
            Sealing(database=database, writer=writer, clock=time),
            Cutting(database=database, writer=writer, clock=time, is_trusted=is_trusted),
        )
        verdict = back.verify()
        assert (verdict.wrong, verdict.cut) == (None, gone if is_cut_before else 0)
        assert (back.cut() == 0) is is_cut_before
        assert (back.verify().wrong, back.verify().cut) == (None, gone)
        with database.read() as tx:
            assert forgotten.aged_until(tx) == shop.clock.wall() - 30 * DAY


@pytest.mark.parametrize(
    ("name", "days"),
    [("prices_kept_days", 399), ("audit_kept_days", 1099), ("prices_kept_days", 36_601)],
)
def test_a_time_that_the_law_or_a_proof_needs_cannot_be_shortened(name: str, days: int) -> None:
    with pytest.raises(SetupError, match=name):
        read_settings(**{name: days})
    assert read_settings(prices_kept_days=400).keeping.prices == PRICES_LEAST
