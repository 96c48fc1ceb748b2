"""Single changes taken together mean what they mean one by one, on SQLite and PostgreSQL."""

import hashlib
import random
from concurrent.futures import Future
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from esl.domain.errors import EslError, IdempotencyConflict, InvalidInput, UnknownStore
from esl.domain.guards import Guards, Limits
from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.pricing import ChangeResult
from esl.domain.source import Source, SourceKind
from esl.services import guarding, schedule, sources
from esl.services.single_changes import SingleChange, Taken, take_single_changes
from esl.store import labels, price_intake, products
from esl.store.database import Database
from esl.store.gathering import TOGETHER_MOST, Gathering
from tests.builders import NOON, STORE, SimulatedClock, a_change, build_shelf, label_id, revs_of
from tests.chaos.inline_writer import InlineWriter

PRODUCTS = 12
LATER = NOON + timedelta(minutes=1)


@pytest.fixture
def database(either_database: Database) -> Database:
    """A guarded shelf at 1.00 a product."""
    with either_database.writing.begin() as tx:
        build_shelf(tx, labels_count=PRODUCTS, price_minor=100)
        guarding.put_guards(tx, STORE, Guards(), NOON, actor="t", reason="")
    return either_database


def view(result: ChangeResult) -> str:
    return f"{result.sku} {result.decision.value} {result.labels} {' '.join(result.reasons)}"


def single(number: int, actor: str = "a", key: str | None = None, **said: Any) -> SingleChange:
    change = a_change(f"sku-{number}", **said)
    digest = hashlib.sha256(repr(change).encode()).hexdigest()
    return SingleChange(change=change, actor=actor, request_sha256=digest, key=key)


def outcome(taken: Taken | Exception) -> str:
    return (
        f"{type(taken).__name__} {taken}" if isinstance(taken, Exception) else taken.answer.answer
    )


def invent(chance: random.Random, count: int) -> list[SingleChange]:
    """Changes as bad as senders make them; each of two senders has products of its own."""
    made: list[SingleChange] = []
    for turn in range(count):
        number = chance.randrange(PRODUCTS + 2)  # two that the store does not have
        kind = chance.randrange(6)
        said: dict[str, Any] = {"price_minor": 100 + chance.randrange(8)}
        if kind == 0:
            said["price_minor"] = chance.choice([1000, 10_000, 99_999_999])  # doubted, or refused
        if kind == 1:
            said |= {"source": SourceId("till"), "source_seq": chance.randrange(3)}
        if kind == 2:
            said["currency"] = "USD"
        key = f"key-{chance.randrange(6)}" if kind == 3 else None
        made.append(single(number, "ab"[number % 2], key, **said))
        if kind == 4:
            made.append(made[chance.randrange(turn + 1)])  # sent again
    return made


def books_of(tx: Connection) -> Any:
    """What holds, but for the numbers of revisions: single changes take as many either way."""
    skus = sorted({f"sku-{n}" for n in range(PRODUCTS)})
    held = price_intake.held_prices(tx, STORE, skus)  # type: ignore[arg-type]
    return held, revs_of(tx)


@pytest.mark.parametrize("seed", range(6))
def test_together_they_mean_what_they_mean_alone(database: Database, seed: int) -> None:
    said = invent(random.Random(seed), 40)
    with database.writing.connect() as tx:
        trial = tx.begin()
        alone = [outcome(take_single_changes(tx, [s], LATER, view=view)[0]) for s in said]
        held_alone, _ = books_of(tx)
        trial.rollback()
        with tx.begin():
            together = [outcome(t) for t in take_single_changes(tx, said, LATER, view=view)]
            held, revs = books_of(tx)
    assert together == alone
    assert held == held_alone
    assert {o.split()[0] for o in alone if o[:3] != "sku"} >= {"InvalidInput", "Conflict"}
    assert len(set(revs.values())) > 3


def test_each_has_a_revision_of_its_own_and_its_label_wants_the_last(database: Database) -> None:
    said = [single(0, price_minor=101), single(1, price_minor=101), single(0, price_minor=102)]
    revs: list[int] = []

    def keep(result: ChangeResult) -> str:
        revs.append(result.rev or 0)
        return "{}"

    with database.writing.begin() as tx:
        take_single_changes(tx, said, LATER, view=keep)
    with database.read() as tx:
        assert sorted(set(revs)) == revs
        wanted = labels.labels_by_id(tx, [label_id(0), label_id(1)])
        assert wanted[label_id(0)].wanted_rev == revs[2]
        assert wanted[label_id(1)].wanted_rev == revs[1]
        assert [price_intake.store_of_rev(tx, rev) for rev in revs] == [STORE] * 3
        price = products.current_prices(tx, STORE, [said[0].change.sku])[said[0].change.sku]
        assert (price.price_minor, price.rev) == (102, revs[2])


def test_a_breaker_that_one_trips_holds_nobody_else_back(database: Database) -> None:
    limits = Limits(bulk_permille=0, bulk_least=1)
    said = [single(n, price_minor=130) for n in range(3)] + [single(3, price_minor=101)]
    with database.writing.begin() as tx:
        guarding.put_guards(tx, STORE, Guards(limits=limits), NOON, actor="t", reason="")
        told = [
            outcome(taken).split()[1] for taken in take_single_changes(tx, said, LATER, view=view)
        ]
    assert told == ["accepted", "quarantined", "quarantined", "accepted"]


def test_who_said_the_price_beneath_is_known_within_a_round(database: Database) -> None:
    """Else a source of low priority would own what a higher one said a moment before."""
    erp, till = SourceId("erp"), SourceId("till")
    end = LATER + timedelta(hours=1)
    with database.writing.begin() as tx:
        for source, priority in ((erp, 90), (till, 10)):
            kind = next(iter(SourceKind))
            row = Source(source_id=source, name="x", kind=kind, priority=priority)
            sources.put_source(tx, row, NOON, actor="t")
        said = [
            single(0, price_minor=120, source=erp),
            single(0, price_minor=110, source=erp, valid_to=end),
            single(0, price_minor=105, source=till),
        ]
        told = [
            outcome(taken).split()[1] for taken in take_single_changes(tx, said, LATER, view=view)
        ]
        assert told == ["accepted", "accepted", "superseded"]
        schedule.apply_due(tx, end)
        assert products.current_prices(tx, STORE, [Sku("sku-0")])[Sku("sku-0")].price_minor == 120


def test_a_price_for_later_names_no_labels(database: Database) -> None:
    later = single(0, price_minor=110, valid_from=LATER + timedelta(hours=1))
    with database.writing.begin() as tx:
        both = take_single_changes(tx, [single(0, price_minor=105), later], LATER, view=view)
    assert [outcome(taken).strip() for taken in both] == ["sku-0 accepted 1", "sku-0 accepted 0"]


def test_a_key_that_comes_twice_at_once_is_answered_once(database: Database) -> None:
    said = [single(0, key="k", price_minor=101)] * 3 + [single(0, key="k", price_minor=102)]
    with database.writing.begin() as tx:
        first, *again, other = take_single_changes(tx, said, LATER, view=view)
        [later] = take_single_changes(tx, said[:1], LATER, view=view)
    assert isinstance(first, Taken)
    assert not first.is_replayed
    for one in (*again, later):
        assert isinstance(one, Taken)
        assert one.is_replayed
        assert one.answer == first.answer
    assert isinstance(other, IdempotencyConflict)


def test_a_key_refused_and_used_again_is_taken_before_what_came_after(database: Database) -> None:
    said = [
        single(PRODUCTS + 1, key="k", price_minor=101),  # no such product: its key stays free
        single(PRODUCTS + 1, key="k", price_minor=101),
        single(0, key="k", price_minor=102),
        single(0, price_minor=103),
    ]
    with database.writing.begin() as tx:
        refused, again, *taken = take_single_changes(tx, said, LATER, view=view)
        held, _ = books_of(tx)
    assert isinstance(refused, InvalidInput)
    assert isinstance(again, InvalidInput)
    assert [outcome(t).split()[1] for t in taken] == ["accepted", "accepted"]
    assert held[said[3].change.sku].says.price_minor == 103


def test_the_labels_of_all_are_told_though_the_first_is_refused(database: Database) -> None:
    said = [single(PRODUCTS + 1), single(0, price_minor=101), single(1, price_minor=101)]
    with database.writing.begin() as tx:
        taken = take_single_changes(tx, said, LATER, view=view)
    touched = [label for one in taken if isinstance(one, Taken) for label in one.labels]
    assert sorted(touched) == [label_id(0), label_id(1)]


def test_one_of_a_list_is_answered_as_one_of_many_also_where_it_is_refused(
    database: Database,
) -> None:
    said = replace(single(PRODUCTS + 1, key="k"), is_listed=True)
    with database.writing.begin() as tx:
        [first] = take_single_changes(tx, [said], LATER, view=view)
        [again] = take_single_changes(tx, [said], LATER, view=view)
    assert outcome(first).split()[1:] == ["rejected", "0", "unknown_sku"]
    assert isinstance(again, Taken)
    assert (again.is_replayed, outcome(again)) == (True, outcome(first))


def test_who_names_a_store_that_is_not_there_harms_nobody(database: Database) -> None:
    lost = single(0, store_id=StoreId("nowhere"))
    with database.writing.begin() as tx:
        taken = take_single_changes(tx, [lost, single(1, price_minor=101)], LATER, view=view)
    assert isinstance(taken[0], UnknownStore)
    assert outcome(taken[1]) == "sku-1 accepted 1 "


def test_a_key_that_another_process_has_just_used_fails_alone(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other's answer is there when ours is stored, and was not when we looked."""
    said = [single(n, key=f"k{n}", price_minor=101) for n in range(3)]
    with database.writing.begin() as tx:
        take_single_changes(tx, said[1:2], LATER, view=view)
    monkeypatch.setattr("esl.store.answers.stored_answers", lambda _tx, _names: {})
    with database.writing.begin() as tx:
        first, second, third = take_single_changes(tx, said, LATER, view=view)
    assert [isinstance(t, Taken) for t in (first, third)] == [True, True]
    assert isinstance(second, EslError)
    assert "nothing was stored" in str(second)


class Shop:
    """A gathering over an inline writer, and what was answered."""

    def __init__(self, database: Database) -> None:
        self.writer = InlineWriter(database, SimulatedClock().monotonic_s)
        self.sizes: list[int] = []
        self.gathering: Gathering[SingleChange, Taken] = Gathering(
            self.writer, self._take, self._answer
        )

    def ask(self, one: SingleChange) -> "Future[Taken]":
        promise: Future[Taken] = Future()
        self.gathering.add(one, promise)
        self.gathering.ask()
        return promise

    def _take(self, tx: Connection, singles: Any) -> Any:
        self.sizes.append(len(singles))
        return take_single_changes(tx, singles, LATER, view=view)

    def _answer(self, answers: Any) -> None:
        for promise, told in answers:
            if isinstance(told, Exception):
                promise.set_exception(told)
            else:
                promise.set_result(told)


def test_what_waits_is_taken_in_one_piece_and_answered_after_its_commit(
    database: Database,
) -> None:
    shop = Shop(database)
    asked = [shop.ask(single(n % PRODUCTS, price_minor=101)) for n in range(TOGETHER_MOST + 9)]
    gone = shop.ask(single(0, price_minor=104))
    gone.cancel()
    lost = shop.ask(single(99))
    assert not any(one.done() for one in asked)
    shop.writer.run()
    assert shop.sizes == [TOGETHER_MOST, 10]
    assert sum("accepted" in one.result(0).answer.answer for one in asked) == PRODUCTS
    with pytest.raises(InvalidInput):
        lost.result(0)
    shop.ask(single(0, price_minor=102))
    shop.writer.run()
    assert shop.sizes[2:] == [1]


def test_a_writer_that_stops_tells_everyone(database: Database) -> None:
    shop = Shop(database)
    shop.writer.close()
    with pytest.raises(EslError, match="stopping; nothing was stored"):
        shop.ask(single(0)).result(0)
    assert shop.sizes == []


def test_who_dies_before_the_commit_has_answered_nobody(database: Database) -> None:
    class PowerCut(BaseException):
        pass

    def cut(tx: Connection, singles: Any) -> Any:
        take_single_changes(tx, singles, LATER, view=view)
        raise PowerCut

    shop = Shop(database)
    shop.gathering = Gathering(shop.writer, cut, shop._answer)
    asked = [shop.ask(single(n, price_minor=101)) for n in range(3)]
    with pytest.raises(PowerCut):
        shop.writer.run()
    assert not any(one.done() for one in asked)
    with database.read() as tx:
        held, _ = books_of(tx)
    assert {price.says.price_minor for price in held.values()} == {100}


def test_a_fault_of_the_database_is_told_to_all_it_hit(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    shop = Shop(database)
    monkeypatch.setattr("esl.services.single_changes.apply_price_changes", break_down)
    asked = [shop.ask(single(n, price_minor=101)) for n in range(3)]
    shop.writer.run()
    for one in asked:
        with pytest.raises(RuntimeError, match="broken"):
            one.result(0)
    monkeypatch.undo()
    again = shop.ask(single(0, price_minor=101))
    shop.writer.run()
    assert again.result(0).answer.answer == "sku-0 accepted 1 "
