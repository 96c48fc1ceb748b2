"""Prices that wait for a second person: by number, by batch, and each its sender's own."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from esl.domain.entry import Entry
from esl.domain.errors import Conflict, UnknownBatch
from esl.domain.guards import Guards, Limits, Reason
from esl.domain.ids import SourceId
from esl.domain.pricing import ChangeResult, Decision, PriceChange
from esl.domain.quarantine import HeldBack, QuarantineState
from esl.domain.source import Source
from esl.services import guarding, quarantine
from esl.services.batches import apply_batch, roll_back
from esl.services.listening import take_entries
from esl.services.pricing import apply_price_changes
from esl.services.quarantine import OfBatch
from esl.services.single_changes import SingleChange, Taken, take_single_changes
from esl.store import batches as batch_rows
from esl.store import intake_tables, products, sources
from esl.store import quarantine as held_rows
from esl.store.database import Database
from tests.builders import NOON, STORE, a_change, build_shelf, revs_of

LIST = Source(source_id=SourceId("list"), name="List", store_id=STORE)
LATER = NOON + timedelta(minutes=1)
MANY = 12


@pytest.fixture
def database(either_database: Database) -> Database:
    """A guarded shelf of either kind, at 1.00 a product."""
    with either_database.writing.begin() as tx:
        build_shelf(tx, labels_count=MANY, price_minor=100)
        guarding.put_guards(tx, STORE, Guards(), NOON, actor="t", reason="")
    return either_database


def shifted(count: int = MANY) -> list[PriceChange]:
    return [a_change(f"sku-{n}", price_minor=1000 + n, source_seq=None) for n in range(count)]


def prices(tx: Connection) -> dict[str, int]:
    found = products.current_prices(tx, STORE, [c.sku for c in shifted()])
    return {sku: price.price_minor for sku, price in found.items()}


def held(tx: Connection) -> list[HeldBack]:
    return held_rows.list_held(tx, STORE, state=None, after=0, limit=100)


def take(tx: Connection, singles: Sequence[PriceChange], actor: str = "till") -> list[ChangeResult]:
    told: list[ChangeResult] = []

    def view(result: ChangeResult) -> str:
        told.append(result)
        return "{}"

    some = [SingleChange(change=c, actor=actor, request_sha256="") for c in singles]
    assert all(isinstance(t, Taken) for t in take_single_changes(tx, some, LATER, view=view))
    return told


@pytest.mark.asvs("2.3.5")
def test_a_batch_is_approved_whole_by_another_than_its_sender(database: Database) -> None:
    with database.writing.begin() as tx:
        _, number = apply_batch(tx, STORE, shifted(), LATER, actor="till")
        _, other = apply_batch(tx, STORE, shifted(2), LATER, actor="till")
        assert number is not None
        assert other is not None
    with pytest.raises(Conflict, match="another person"), database.writing.begin() as tx:
        quarantine.approve(tx, STORE, OfBatch(batch_id=number), LATER, by="till")
    with pytest.raises(UnknownBatch), database.writing.begin() as tx:
        quarantine.approve(tx, STORE, OfBatch(batch_id=999), LATER, by="ana")
    with database.writing.begin() as tx:
        ruling = quarantine.approve(tx, STORE, OfBatch(batch_id=number), LATER, by="ana")
        assert {d.decision for d in ruling.decided} == {Decision.ACCEPTED}
        assert (len(ruling.decided), len(set(ruling.labels)), ruling.left) == (MANY, MANY, 0)
        assert prices(tx) == {c.sku: c.price_minor for c in shifted()}
        revs = revs_of(tx)
        assert all(h.rev == revs[h.sku] for h in held(tx))
        assert {h.decided_by for h in held(tx)} == {"ana"}
    with pytest.raises(Conflict, match="waits for anybody"), database.writing.begin() as tx:
        quarantine.approve(tx, STORE, OfBatch(batch_id=number), LATER, by="ana")


def test_a_batch_is_rejected_whole_and_in_parts_where_it_is_long(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "BATCH_MOST", 8)
    with database.writing.begin() as tx:
        _, number = apply_batch(tx, STORE, shifted(), LATER, actor="till")
        assert number is not None
        first = quarantine.reject(tx, STORE, OfBatch(batch_id=number), LATER, by="ana", note="no")
        rest = quarantine.reject(tx, STORE, OfBatch(batch_id=number), LATER, by="ana", note="no")
        assert (len(first.decided), first.left) == (8, MANY - 8)
        assert (len(rest.decided), rest.left) == (MANY - 8, 0)
        assert {h.state for h in held(tx)} == {QuarantineState.REJECTED}
        assert set(prices(tx).values()) == {100}


@pytest.mark.parametrize("kind", ["changes", "entries"])
def test_what_was_approved_of_a_batch_is_rolled_back_with_it(database: Database, kind: str) -> None:
    sent = [*shifted(3), a_change("sku-3", price_minor=110, source_seq=None)]
    with database.writing.begin() as tx:
        if kind == "changes":
            _, number = apply_batch(tx, STORE, sent, LATER, actor="till")
        else:
            number = batch_rows.begin_batch(
                tx, LATER, store_id=STORE, source=LIST.source_id, actor="till"
            )
            said = [
                Entry(store_id=STORE, sku=c.sku, currency="EUR", price_minor=c.price_minor)
                for c in sent
            ]
            take_entries(tx, LIST, said, LATER, actor="till", batch_id=number)
        assert number is not None
        waiting = [h.quarantine_id for h in held(tx)]
        assert len(waiting) == 3
        quarantine.approve(tx, STORE, waiting[:2], LATER, by="ana")
        now = {**dict.fromkeys(prices(tx), 100), "sku-0": 1000, "sku-1": 1001, "sku-3": 110}
        assert prices(tx) == now
        counts = batch_rows.batch_named(tx, STORE, number).counts
        assert (counts[Decision.ACCEPTED], counts[Decision.QUARANTINED]) == (1, 3)
        rolled = roll_back(tx, STORE, number, LATER, actor="ana", reason="the wrong list")
        assert (rolled.restored, rolled.withdrawn, rolled.kept) == (3, 0, 0)
        assert set(prices(tx).values()) == {100}
        states = [h.state for h in held(tx)]
        approved, over = QuarantineState.APPROVED, QuarantineState.SUPERSEDED
        assert states == [approved, approved, over]


@pytest.mark.asvs("2.3.2")
def test_names_that_nobody_registered_do_not_get_past_the_breaker(database: Database) -> None:
    """Whoever gives each change a source of its own would else be counted for none of them."""
    limits = Limits(bulk_least=3, bulk_permille=100, changes_a_day=None)
    risen = [
        replace(a_change(f"sku-{n}", price_minor=130, source_seq=None), source=SourceId(f"s-{n}"))
        for n in range(MANY)
    ]
    with database.writing.begin() as tx:
        guarding.put_guards(tx, STORE, Guards(limits=limits), NOON, actor="t", reason="")
        applied, _ = apply_batch(tx, STORE, risen[:6], LATER, actor="till")
        decided = [result.decision for result in applied.results]
        assert decided == [Decision.ACCEPTED] * 3 + [Decision.QUARANTINED] * 3
        later = take(tx, risen[6:9])
        assert {result.decision for result in later} == {Decision.QUARANTINED}
        till = replace(LIST, source_id=SourceId("s-9"))
        sources.put_source(tx, till, NOON)
        own = take(tx, risen[9:])
        registered = [Decision.ACCEPTED, Decision.QUARANTINED, Decision.QUARANTINED]
        assert [result.decision for result in own] == registered, "it is counted by itself"


@pytest.mark.asvs("2.3.5")
def test_who_sent_the_same_price_again_does_not_approve_it(database: Database) -> None:
    with database.writing.begin() as tx:
        [first] = apply_price_changes(tx, STORE, shifted(1), LATER, actor="till").results
        then = LATER + timedelta(seconds=1)
        [again] = apply_price_changes(tx, STORE, shifted(1), then, actor="ana").results
        assert again.quarantine_id == first.quarantine_id is not None
    with pytest.raises(Conflict, match="another person"), database.writing.begin() as tx:
        quarantine.approve(tx, STORE, [first.quarantine_id], then, by="ana")
    with database.writing.begin() as tx:
        quarantine.approve(tx, STORE, [first.quarantine_id], then, by="eva")
        assert prices(tx)["sku-0"] == 1000


def test_each_sender_is_told_the_number_of_its_own_price(database: Database) -> None:
    """Of prices that come at the same time, all of one product, each waits by itself."""
    doubted = [a_change("sku-0", price_minor=p, source_seq=None) for p in (1000, 2000, 3000)]
    with database.writing.begin() as tx:
        told = take(tx, doubted)
        rows = {h.quarantine_id: h for h in held(tx)}
        assert [rows[t.quarantine_id or 0].price_minor for t in told] == [1000, 2000, 3000]
        states = [rows[t.quarantine_id or 0].state for t in told]
    assert states == [QuarantineState.SUPERSEDED, QuarantineState.SUPERSEDED, QuarantineState.OPEN]


def test_what_is_replaced_at_once_by_a_price_in_range_has_a_number_all_the_same(
    database: Database,
) -> None:
    said = [a_change("sku-0", price_minor=p, source_seq=None) for p in (1000, 110)]
    with database.writing.begin() as tx:
        doubted, good = take(tx, said)
        [row] = held(tx)
    assert (doubted.decision, good.decision) == (Decision.QUARANTINED, Decision.ACCEPTED)
    assert doubted.quarantine_id == row.quarantine_id
    assert (row.price_minor, row.state) == (1000, QuarantineState.SUPERSEDED)


def test_together_and_one_by_one_the_same_prices_wait(database: Database) -> None:
    said = [
        a_change("sku-0", price_minor=price, source=SourceId(source), source_seq=None)
        for price, source in ((1000, "a"), (1000, "b"), (2000, "a"), (1000, "a"), (1000, "a"))
    ] + [a_change("sku-1", price_minor=1000, source_seq=None), a_change("sku-1", price_minor=101)]

    def written(tx: Connection) -> list[tuple[str, str, int, str]]:
        return sorted((h.sku, h.source, h.price_minor, h.state.value) for h in held(tx))

    with database.writing.connect() as tx:
        trial = tx.begin()
        for one in said:
            take(tx, [one])
        alone = written(tx)
        trial.rollback()
        with tx.begin():
            take(tx, said)
            together = written(tx)
    assert together == alone


def test_what_a_person_approves_is_not_weighed_again(database: Database) -> None:
    dear = replace(shifted(1)[0], price_minor=9_999_999)
    with database.writing.begin() as tx:
        [told] = apply_price_changes(tx, STORE, [dear], LATER, actor="till").results
        assert Reason.RISE in told.reasons
        ruling = quarantine.approve(tx, STORE, [told.quarantine_id or 0], LATER, by="ana")
    assert [d.decision for d in ruling.decided] == [Decision.ACCEPTED]


def test_of_a_batch_what_cannot_hold_any_more_is_rejected_and_the_others_hold(
    database: Database,
) -> None:
    with database.writing.begin() as tx:
        apply_batch(tx, STORE, shifted(3), LATER, actor="till")
        waiting = held(tx)
        foreign = waiting[1].quarantine_id
        tx.execute(  # as if the store had sold in another currency when it was said
            intake_tables.quarantine.update()
            .where(intake_tables.quarantine.c.quarantine_id == foreign)
            .values(currency="USD")
        )
        batch = waiting[0].batch_id
        assert batch is not None
        ruling = quarantine.approve(tx, STORE, OfBatch(batch_id=batch), LATER, by="ana")
        assert [(d.state, d.decision) for d in ruling.decided] == [
            (QuarantineState.APPROVED, Decision.ACCEPTED),
            (QuarantineState.REJECTED, Decision.REJECTED),
            (QuarantineState.APPROVED, Decision.ACCEPTED),
        ]
        assert [d.reasons for d in ruling.decided] == [(), (Reason.CURRENCY,), ()]
        assert ruling.left == 0
        assert [h.state for h in held(tx)] == [d.state for d in ruling.decided]
        assert [prices(tx)[f"sku-{n}"] for n in range(3)] == [1000, 100, 1002]


def test_a_price_whose_end_has_passed_while_it_waited_is_rejected_by_itself(
    database: Database,
) -> None:
    with database.writing.begin() as tx:
        brief, plain = shifted(2)
        brief = replace(brief, valid_from=LATER, valid_to=LATER + timedelta(hours=1))
        apply_batch(tx, STORE, [brief, plain], LATER, actor="till")
        numbers = [h.quarantine_id for h in held(tx)]
        tomorrow = LATER + timedelta(days=1)
        ruling = quarantine.approve(tx, STORE, numbers, tomorrow, by="ana")
        assert {(d.state, d.reasons) for d in ruling.decided} == {
            (QuarantineState.REJECTED, (Reason.OVER,)),
            (QuarantineState.APPROVED, ()),
        }
        assert (prices(tx)["sku-0"], prices(tx)["sku-1"]) == (100, 1001)
