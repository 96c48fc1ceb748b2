"""The journal: every price and promotion of a period once, in order, with who, why and when."""

import itertools
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, insert, select

from esl.domain.ids import Sku, SourceId
from esl.services.journal import Kind, Line, Place, read_all, read_page
from esl.services.pricing import apply_price_changes
from esl.store import audit, journal
from esl.store.database import Database
from esl.store.proposals import list_proposals
from esl.store.tables import display_log, price_events, proposals, quarantine
from tests.builders import NOON, STORE, a_change, build_shelf, label_id
from tests.history import rewrite_price_events

TILL = SourceId("till")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def database(either_database: Database) -> Database:
    """A shelf of three products at 1.00 since noon, with changes each hour after it."""
    with either_database.writing.begin() as tx:
        build_shelf(tx, labels_count=3, price_minor=100)
        for hour in range(1, 25):
            change = a_change(f"sku-{hour % 3}", price_minor=100 + hour, source=TILL)
            apply_price_changes(tx, STORE, [change], NOON + hour * HOUR, actor="token:7")
        audit.note(
            tx,
            NOON + 2 * HOUR + timedelta(minutes=30),
            actor="ana",
            action="promotion_cancel",
            subject="spring",
            store_id=STORE,
            reason="wrong price",
        )
    return either_database


def lines(database: Database, begins: datetime, ends: datetime) -> list[Line]:
    return list(itertools.chain.from_iterable(read_all(database, STORE, begins, ends)))


def test_a_period_holds_each_change_once_with_the_price_before(database: Database) -> None:
    found = lines(database, NOON + HOUR, NOON + 5 * HOUR)
    assert [(one.kind, one.sku, one.old_minor, one.new_minor) for one in found] == [
        (Kind.PRICE, "sku-1", 100, 101),
        (Kind.PRICE, "sku-2", 100, 102),
        (Kind.PROMOTION, None, None, None),
        (Kind.PRICE, "sku-0", 100, 103),
        (Kind.PRICE, "sku-1", 101, 104),
    ]
    assert (found[0].source, found[0].actor) == ("till", "token:7")
    cancelled = found[2]
    assert (cancelled.action, cancelled.promotions, cancelled.actor, cancelled.reason) == (
        "cancel",
        ("spring",),
        "ana",
        "wrong price",
    )
    first = lines(database, NOON - DAY, NOON + HOUR)
    assert {(one.old_minor, one.new_minor) for one in first} == {(None, 100)}


@pytest.mark.parametrize("most", [1, 2, 7])
def test_pages_hold_together_what_the_whole_does(database: Database, most: int) -> None:
    whole = lines(database, NOON, NOON + DAY)
    paged: list[Line] = []
    place: Place | None = Place()
    with database.read() as tx:
        while place is not None:
            page, place = read_page(tx, STORE, NOON, NOON + DAY, place, most=most)
            assert len(page) <= most
            paged += page
    assert paged == whole
    assert len(whole) == 3 + 23 + 1


def test_it_says_how_many_labels_showed_a_price_and_when(database: Database) -> None:
    at = NOON + 4 * HOUR
    with database.writing.begin() as tx:
        [line] = [o for o in lines(database, at, at + HOUR) if o.sku == "sku-1"]
        [rev] = [
            one.rev
            for one in journal.price_lines(
                tx, STORE, journal.span_of(tx, at, at + HOUR), after=0, most=9
            )
        ]
        shown = {"gateway_id": "gw-1", "session": "s", "digest": "d", "incarnation": 1}
        own = {"label_id": label_id(1)}
        for more in (
            {"rev": rev - 1, "recorded_at": at - HOUR},
            {"rev": rev, "recorded_at": at + timedelta(seconds=40)},
            {"rev": rev, "recorded_at": at + timedelta(minutes=40)},  # shown again: a beacon
        ):
            tx.execute(insert(display_log).values(shown | own | more))
    assert (line.labels, line.shown) == (1, 0)
    [line] = [o for o in lines(database, at, at + HOUR) if o.sku == "sku-1"]
    assert (line.shown, line.first_shown, line.last_shown) == (
        1,
        at + timedelta(seconds=40),
        at + timedelta(seconds=40),
    )
    [later] = [o for o in lines(database, at + 3 * HOUR, at + 4 * HOUR) if o.sku == "sku-1"]
    assert later.shown == 0, "what is shown of an older price counts for the older one"


def test_the_numbers_of_a_period_are_found_by_halving(database: Database) -> None:
    with database.writing.begin() as tx:
        rewrite_price_events(tx, price_events.c.sku == Sku("sku-2"), store_id="elsewhere")
        span = journal.span_of(tx, NOON + 10 * HOUR, NOON + 12 * HOUR)
        found = journal.price_lines(tx, STORE, span, after=0, most=100)
        assert [one.price_minor for one in found] == [110], "111 is of another store"
        before, last = span.events
        assert last - before <= 6, "it reads little more than the period"
        empty = journal.span_of(tx, NOON - 9 * DAY, NOON - 8 * DAY)
        assert empty.events == (0, 0)
        assert journal.price_lines(tx, STORE, empty, after=0, most=9) == []


def test_a_judged_reduction_says_what_the_law_made_of_it(database: Database) -> None:
    claims = [a_change("sku-0", 95, was_minor=200), a_change("sku-1", 125, was_minor=130)]
    with database.writing.begin() as tx:
        apply_price_changes(tx, STORE, claims, NOON + 60 * DAY, actor="till")
    found = lines(database, NOON + 59 * DAY, NOON + 61 * DAY)
    till = [(one.kind, one.sku, one.new_minor) for one in found if one.kind is Kind.TILL]
    assert till == [(Kind.TILL, "sku-0", 95), (Kind.TILL, "sku-1", 125)]
    shelf = {str(one.sku): one.reason or "" for one in found if one.kind is Kind.SHELF}
    assert shelf["sku-0"].startswith("the till's reduction, as hr")
    assert "not below the lowest price" in shelf["sku-1"]


def test_a_proposal_that_a_person_let_out_of_quarantine_keeps_its_reason(
    database: Database,
) -> None:
    with database.writing.begin() as tx:
        apply_price_changes(
            tx, STORE, [a_change("sku-2", 77, source=TILL)], NOON + 60 * DAY, actor="ana"
        )
        rev = tx.execute(select(func.max(price_events.c.rev))).scalar_one()
        held = {"store_id": STORE, "sku": "sku-2", "source": "engine", "price_minor": 77}
        held |= {"currency": "EUR", "actor": "engine", "received_at": NOON}
        tx.execute(
            insert(quarantine).values(
                **held,
                quarantine_id=5,
                said="{}",
                reasons="drop",
                state="approved",
                rev=rev,
                expires_at=NOON,
            )
        )
        tx.execute(
            insert(proposals).values(**held, reason="few customers", state="held", quarantine_id=5)
        )
    [line] = lines(database, NOON + 59 * DAY, NOON + 61 * DAY)
    assert (line.new_minor, line.reason) == (77, "few customers")
    with database.read() as tx:
        [one] = list_proposals(tx, STORE, state=None, after=0, limit=10)
    assert (one.state, one.rev) == ("accepted", rev)
