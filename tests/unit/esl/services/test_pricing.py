from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, select

from esl.domain.errors import InvalidInput
from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.label import LabelState, Lane
from esl.domain.place import Pairing
from esl.domain.pricing import CurrentPrice, Decision, PriceChange
from esl.domain.source import Source
from esl.services import sources
from esl.services.pairing import pair_labels
from esl.services.pricing import Applied, apply_price_changes
from esl.store import labels, products
from esl.store.tables import price_events
from tests.builders import NOON, STORE, a_change, build_shelf, label_id

LATER = NOON + timedelta(minutes=1)


@pytest.fixture(autouse=True)
def shelf(tx: Connection) -> None:
    """Three products; label-0000 and label-0003 speak for sku-0, sku-2 has no label."""
    build_shelf(tx, labels_count=4, price_minor=None)
    pairs = [Pairing(label_id=label_id(n), sku=Sku(f"sku-{s}")) for n, s in ((3, 0), (2, 1))]
    pair_labels(tx, STORE, pairs, NOON, single=False)


def apply(tx: Connection, *changes: PriceChange) -> Applied:
    return apply_price_changes(tx, STORE, changes, LATER, actor="token:1")


def decisions(applied: Applied) -> list[Decision]:
    return [result.decision for result in applied.results]


def price(tx: Connection, sku: str = "sku-0") -> CurrentPrice:
    return products.current_prices(tx, STORE, [Sku(sku)])[Sku(sku)]


def state(tx: Connection, number: int = 0) -> LabelState:
    return labels.label_named(tx, label_id(number))


def events(tx: Connection) -> list[Any]:
    return list(tx.execute(select(price_events).order_by(price_events.c.event_id)))


# ── Accepted, unchanged, superseded ─────────────────────────────────────────────────────────


def test_an_accepted_change_holds_and_its_labels_want_it_now(tx: Connection) -> None:
    before = state(tx).wanted_rev
    applied = apply(tx, a_change("sku-0", 129))
    [result] = applied.results
    assert (result.decision, result.labels) == (Decision.ACCEPTED, 2)
    assert result.rev is not None
    assert result.rev > before
    assert price(tx).price_minor == 129
    assert price(tx).rev == result.rev
    assert set(applied.labels) == {label_id(0), label_id(3)}
    for number in (0, 3):
        label = state(tx, number)
        assert (label.wanted_rev, label.due_at, label.lane) == (result.rev, LATER, Lane.NORMAL)
    assert state(tx, 1).wanted_rev < result.rev, "labels of other products want nothing new"


def test_what_holds_already_changes_nothing(tx: Connection) -> None:
    first = apply(tx, a_change("sku-0", 129, badge="AKCIJA"))
    before = state(tx)
    again = apply(tx, a_change("sku-0", 129))
    [result] = again.results
    assert (result.decision, result.rev, result.labels) == (Decision.UNCHANGED, None, 0)
    assert again.labels == ()
    assert state(tx) == before
    assert price(tx).rev == first.results[0].rev


def test_a_product_without_a_label_may_have_a_price(tx: Connection) -> None:
    applied = apply(tx, a_change("sku-3", 129))
    assert (applied.results[0].decision, applied.results[0].labels) == (Decision.ACCEPTED, 0)
    assert applied.labels == ()


def test_a_change_wakes_a_label_that_was_given_up(tx: Connection) -> None:
    apply(tx, a_change())
    tx.exec_driver_sql("UPDATE label SET problem = 'price_does_not_fit', due_at = NULL")
    apply(tx, a_change(price_minor=200))
    label = state(tx)
    assert (label.problem, label.due_at, label.attempts) == (None, LATER, 0)


def test_a_label_stays_in_the_more_urgent_lane_while_it_waits(tx: Connection) -> None:
    labels.want(tx, [label_id(0)], 1, NOON, lane=Lane.CORRECTION)
    apply(tx, a_change())
    assert state(tx).lane is Lane.CORRECTION
    tx.exec_driver_sql("UPDATE label SET due_at = NULL")
    apply(tx, a_change(price_minor=200))
    assert state(tx).lane is Lane.NORMAL


# ── The order of a source ───────────────────────────────────────────────────────────────────


def test_a_source_with_numbers_is_ordered_by_them(tx: Connection) -> None:
    assert decisions(apply(tx, a_change(price_minor=300, source_seq=7))) == [Decision.ACCEPTED]
    late = apply(tx, a_change(price_minor=200, source_seq=6))
    assert decisions(late) == [Decision.SUPERSEDED]
    assert (late.results[0].rev, late.results[0].labels, late.labels) == (None, 0, ())
    assert price(tx).price_minor == 300
    assert decisions(apply(tx, a_change(price_minor=200, source_seq=8))) == [Decision.ACCEPTED]
    assert price(tx).price_minor == 200


def test_a_number_used_again_for_the_same_is_harmless(tx: Connection) -> None:
    change = a_change(price_minor=300, source_seq=7)
    apply(tx, change)
    assert decisions(apply(tx, change)) == [Decision.UNCHANGED]


@pytest.mark.parametrize(
    "other", [{"price_minor": 301}, {"was_minor": 400}, {"badge": "X"}, {"unit_price_minor": 5}]
)
def test_a_number_used_again_for_another_price_is_refused_with_its_path(
    tx: Connection, other: dict[str, Any]
) -> None:
    apply(tx, a_change(price_minor=300, source_seq=7))
    fields = {"price_minor": 300, "source_seq": 7, "path": "/4"} | other
    with pytest.raises(InvalidInput, match="used before with another price") as refused:
        apply(tx, a_change(**fields))
    assert [p.path for p in refused.value.problems] == ["/4/source_seq"]


def test_a_replay_after_another_source_spoke_is_no_contradiction(tx: Connection) -> None:
    sent = a_change(price_minor=300, source_seq=7, source="till")
    apply(tx, sent)
    apply(tx, a_change(price_minor=250, source="office"))
    assert decisions(apply(tx, sent)) == [Decision.SUPERSEDED]
    assert price(tx).price_minor == 250, "the later word of another source stays"


def test_a_replay_is_known_within_one_request_too(tx: Connection) -> None:
    sent = a_change(price_minor=300, source_seq=7, source="till")
    office = a_change(price_minor=250, source="office")
    unnumbered = a_change(price_minor=260, source="till")
    assert decisions(apply(tx, sent, office, unnumbered, sent)) == [
        Decision.ACCEPTED,
        Decision.ACCEPTED,
        Decision.ACCEPTED,
        Decision.SUPERSEDED,
    ]
    other = a_change(price_minor=301, source_seq=7, source="till", path="/1")
    with pytest.raises(InvalidInput) as refused:
        apply(tx, sent, other)
    assert [p.path for p in refused.value.problems] == ["/1/source_seq"]


def test_an_unchanged_price_moves_its_source_on(tx: Connection) -> None:
    apply(tx, a_change(price_minor=300, source_seq=7))
    apply(tx, a_change(price_minor=300, source_seq=9))
    assert decisions(apply(tx, a_change(price_minor=200, source_seq=8))) == [Decision.SUPERSEDED]


def test_a_superseded_change_moves_nothing_on(tx: Connection) -> None:
    apply(tx, a_change(price_minor=300, source_seq=7))
    apply(tx, a_change(price_minor=200, source_seq=5))
    assert decisions(apply(tx, a_change(price_minor=200, source_seq=6))) == [Decision.SUPERSEDED]
    assert decisions(apply(tx, a_change(price_minor=200, source_seq=8))) == [Decision.ACCEPTED]


def test_a_source_with_times_only_is_ordered_by_them(tx: Connection) -> None:
    assert decisions(apply(tx, a_change(price_minor=300, source_time=NOON))) == [Decision.ACCEPTED]
    early = NOON - timedelta(microseconds=1)
    assert decisions(apply(tx, a_change(price_minor=200, source_time=early))) == [
        Decision.SUPERSEDED
    ]
    # Two changes within the clock's step: the one that came later holds.
    assert decisions(apply(tx, a_change(price_minor=200, source_time=NOON))) == [Decision.ACCEPTED]


def test_numbers_go_before_times(tx: Connection) -> None:
    apply(tx, a_change(price_minor=300, source_seq=7, source_time=NOON))
    earlier = NOON - timedelta(hours=1)
    newer = a_change(price_minor=200, source_seq=8, source_time=earlier)
    assert decisions(apply(tx, newer)) == [Decision.ACCEPTED]


def test_a_source_of_lower_priority_yields_within_one_request_too(tx: Connection) -> None:
    for name, priority in (("high", 90), ("low", 10)):
        source = Source(source_id=SourceId(name), name=name, store_id=STORE, priority=priority)
        sources.put_source(tx, source, NOON, actor="test")
    before = a_change(price_minor=200, source=SourceId("high"))
    after = a_change(price_minor=300, source=SourceId("low"))
    applied = apply(tx, before, after)
    assert decisions(applied) == [Decision.ACCEPTED, Decision.SUPERSEDED]
    assert price(tx).price_minor == 200


def test_each_source_and_each_product_has_its_own_order(tx: Connection) -> None:
    apply(tx, a_change(price_minor=300, source_seq=7, source="till"))
    assert (
        decisions(
            apply(
                tx,
                a_change(price_minor=200, source_seq=1, source="office"),
                a_change("sku-1", 200, source_seq=1, source="till"),
                a_change(price_minor=250),  # names neither number nor time
            )
        )
        == [Decision.ACCEPTED] * 3
    )
    assert price(tx).price_minor == 250


# ── What is kept and what is cleared ────────────────────────────────────────────────────────


def test_what_a_change_leaves_out_is_kept(tx: Connection) -> None:
    apply(tx, a_change(was_minor=179, unit_price_minor=999, badge="AKCIJA"))
    apply(tx, a_change(badge="-20 %"))
    now = price(tx)
    assert (now.was_minor, now.unit_price_minor, now.badge) == (179, 999, "-20 %")


def test_null_clears(tx: Connection) -> None:
    apply(tx, a_change(was_minor=179, unit_price_minor=999, badge="AKCIJA"))
    cleared = a_change(was_minor=None, unit_price_minor=None, badge=None)
    assert decisions(apply(tx, cleared)) == [Decision.ACCEPTED]
    now = price(tx)
    assert (now.was_minor, now.unit_price_minor, now.badge) == (None, None, None)


def test_a_unit_price_is_never_kept_beside_a_new_price(tx: Connection) -> None:
    apply(tx, a_change(price_minor=129, unit_price_minor=999, was_minor=179))
    apply(tx, a_change(price_minor=119))
    now = price(tx)
    assert (now.price_minor, now.unit_price_minor, now.was_minor) == (119, None, 179)


# ── Requests of several changes ─────────────────────────────────────────────────────────────


def test_changes_of_one_product_in_one_request_hold_in_their_order(tx: Connection) -> None:
    applied = apply(
        tx,
        a_change(price_minor=100, source_seq=2, was_minor=150),
        a_change(price_minor=90, source_seq=1),  # late already within the request
        a_change(price_minor=80, source_seq=3),
        a_change(price_minor=80),
    )
    assert decisions(applied) == [
        Decision.ACCEPTED,
        Decision.SUPERSEDED,
        Decision.ACCEPTED,
        Decision.UNCHANGED,
    ]
    assert (price(tx).price_minor, price(tx).was_minor) == (80, 150)
    assert len({r.rev for r in applied.results if r.rev}) == 1, "one revision a request"
    assert sorted(applied.labels) == [label_id(0), label_id(3)]


def test_unknown_products_are_all_named_and_nothing_is_applied(tx: Connection) -> None:
    with pytest.raises(InvalidInput) as refused:
        apply(
            tx,
            a_change("nope", path="/0"),
            a_change("sku-0", path="/1"),
            a_change("neither", path="/2"),
        )
    assert [p.path for p in refused.value.problems] == ["/0/sku", "/2/sku"]
    assert events(tx) == []
    assert products.current_prices(tx, STORE, [Sku("sku-0")]) == {}


def test_a_product_of_another_store_is_unknown(tx: Connection) -> None:
    other = StoreId("split-1")
    build_shelf(tx, labels_count=0, store_id=other, gateways=())
    with pytest.raises(InvalidInput) as refused:
        apply_price_changes(tx, other, [a_change(store_id=other, path="/0")], NOON, actor="token:1")
    assert [p.path for p in refused.value.problems] == ["/0/sku"]


def test_every_change_is_written_down_once_with_what_became_of_it(tx: Connection) -> None:
    apply(tx, a_change(price_minor=300, source="till", source_seq=7, badge="A"))
    apply(
        tx,
        a_change(price_minor=200, source="till", source_seq=6, source_time=NOON),
        a_change(price_minor=300, source="till", source_seq=8),
    )
    written = events(tx)
    assert [(e.decision, e.price_minor, e.source_seq, e.badge) for e in written] == [
        ("accepted", 300, 7, "A"),
        ("superseded", 200, 6, "A"),
        ("unchanged", 300, 8, "A"),
    ]
    assert [e.rev is not None for e in written] == [True, False, False]
    assert {(e.actor, e.source, e.received_at) for e in written} == {("token:1", "till", LATER)}
    assert written[1].source_time == NOON


def test_a_request_of_thousands_takes_few_statements(tx: Connection) -> None:
    statements: list[str] = []
    event.listen(tx, "before_cursor_execute", lambda _c, _cur, sql, *_: statements.append(sql))
    apply(tx, *(a_change(f"sku-{n % 4}", 100 + n, source_seq=n) for n in range(400)))
    few = len(statements)
    statements.clear()
    apply(tx, a_change("sku-0", 999, source_seq=1000))
    assert few <= len(statements) + 2
