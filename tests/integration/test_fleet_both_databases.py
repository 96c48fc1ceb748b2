"""Tasks, verdicts, problems, batteries, flips and commands are the same on both databases."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select, update

from esl.domain.fleet import FleetState
from esl.domain.guards import Guards
from esl.domain.ids import GatewayId, Sku
from esl.domain.label import SlotState
from esl.domain.problem import ProblemKind
from esl.domain.staged import CommandState, FlipState
from esl.domain.verdict import TIMED_OUT, Outcome
from esl.services import (
    fleet,
    flips,
    guarding,
    neutral,
    pairing,
    problems,
    retirement,
    signals,
    staging,
    verdicts,
    withdrawals,
)
from esl.services.pricing import apply_price_changes
from esl.services.signals import Order
from esl.store import commands, flip_pictures, places, remove_tasks, staged
from esl.store import fleet as fleet_rows
from esl.store import flips as flip_rows
from esl.store import problems as problem_rows
from esl.store.database import Database
from esl.store.tables import gateways, labels
from tests.builders import GATEWAY, NOON, STORE, a_change, build_shelf, label_id
from tests.panels import PANELS

SILENT_AFTER = timedelta(minutes=3)
LABELS = 3


@pytest.fixture
def tx(either_database: Database) -> Iterator[Connection]:
    """A writing transaction on a database of either kind; three labels with prices."""
    with either_database.writing.begin() as opened:
        build_shelf(opened, labels_count=LABELS)
        heard = {"online": True, "heard_at": NOON, "level": "staged", "session": "boot-1"}
        opened.execute(update(gateways).values(**heard))
        yield opened


def settle(tx: Connection, **changes: object) -> None:
    """Let all labels show what they want, as if they had said so."""
    values = {
        "sent_rev": labels.c.wanted_rev,
        "shown_rev": labels.c.wanted_rev,
        "settled_rev": labels.c.wanted_rev,
        "shown_digest": "ab" * 32,
        "due_at": None,
        "seen_at": NOON,
    }
    tx.execute(update(labels).values(values | changes))


def test_a_task_is_opened_once_for_labels_that_may_show_something_and_ends_by_itself(
    tx: Connection,
) -> None:
    settle(tx)
    tx.execute(update(labels).where(labels.c.label_id == label_id(1)).values(sent_rev=0))
    tx.execute(update(labels).where(labels.c.label_id == label_id(1)).values(shown_digest=""))
    refused = [(label_id(n), 1, "unpaired", "it speaks for nothing") for n in (0, 1)]
    for _ in range(2):
        neutral.note_refusals(tx, refused=refused, replaced=[], now=NOON)
    [task] = remove_tasks.list_tasks(tx, STORE)
    assert task.label_id == label_id(0)
    tx.execute(update(labels).values(problem="unpaired"))
    assert neutral.close_needless_tasks(tx, NOON) == []
    tx.execute(update(labels).values(problem=None))
    assert neutral.close_needless_tasks(tx, NOON) == [label_id(0)]
    assert not neutral.has_open_tasks(tx)


def test_a_person_ends_a_task_by_name(tx: Connection) -> None:
    settle(tx)
    remove_tasks.open_tasks(tx, [(label_id(0), "gone")], NOON)
    [task] = remove_tasks.list_tasks(tx, STORE)
    ended = remove_tasks.end_task(tx, STORE, task.task_id, NOON, done_by="person:ana")
    assert (ended.done_by, ended.done_at) == ("person:ana", NOON)
    assert remove_tasks.list_tasks(tx, STORE) == []


def test_an_update_without_an_answer_fails_in_the_policy_time_once(tx: Connection) -> None:
    settle(tx)
    [result] = apply_price_changes(tx, STORE, [a_change("sku-0", 150)], NOON, actor="t").results
    assert result.rev is not None
    within = places.store_policies(tx)[STORE].verdict_within
    just_before, then = NOON + within - timedelta(seconds=1), NOON + within
    assert verdicts.find_overdue(tx, just_before) == []
    [pending] = verdicts.verdicts_of_change(tx, STORE, result.rev, just_before).verdicts
    assert pending.outcome is Outcome.PENDING
    [late] = verdicts.find_overdue(tx, then)
    verdicts.note_overdue(tx, [late], then)
    assert verdicts.find_overdue(tx, then) == []
    [failed] = verdicts.verdicts_of_change(tx, STORE, result.rev, then).verdicts
    assert (failed.outcome, failed.reason, failed.at) == (Outcome.FAILED, TIMED_OUT, then)
    # A newer price does not take the verdict back.
    apply_price_changes(tx, STORE, [a_change("sku-0", 151)], then, actor="t")
    [still] = verdicts.verdicts_of_change(tx, STORE, result.rev, then).verdicts
    assert still.outcome is Outcome.FAILED


def test_problems_are_opened_once_and_close_by_themselves(tx: Connection) -> None:
    settle(tx, battery_mv=2900)
    assert not problems.find_changes(tx, NOON, silent_after=SILENT_AFTER)
    tx.execute(
        update(labels).where(labels.c.label_id == label_id(0)).values(quarantine=1, battery_mv=2410)
    )
    tx.execute(update(labels).where(labels.c.label_id == label_id(1)).values(refresh_failures=3))
    tx.execute(update(gateways).values(clock_trusted=False))
    changes = problems.find_changes(tx, NOON, silent_after=SILENT_AFTER)
    assert {(f.kind, f.subject) for f in changes.opened} == {
        (ProblemKind.DUPLICATE_ID, label_id(0)),
        (ProblemKind.BATTERY_LOW, label_id(0)),
        (ProblemKind.HARDWARE_FAULT, label_id(1)),
        (ProblemKind.GATEWAY_CLOCK, GATEWAY),
    }
    for _ in range(2):
        problems.write_changes(tx, changes, NOON)
    found = problem_rows.list_problems(tx, STORE)
    assert len(found) == len(changes.opened)
    assert all(p.reason and p.what_to_do for p in found)
    tx.execute(update(labels).values(quarantine=0, battery_mv=2900, refresh_failures=0))
    tx.execute(update(gateways).values(clock_trusted=True))
    changes = problems.find_changes(tx, NOON, silent_after=SILENT_AFTER)
    assert (changes.opened, len(changes.closed)) == ((), len(found))
    problems.write_changes(tx, changes, NOON)
    assert problem_rows.list_problems(tx, STORE) == []
    assert len(problem_rows.list_problems(tx, STORE, also_ended=True)) == len(found)


def test_a_silent_gateway_is_one_problem_and_not_one_for_each_label(tx: Connection) -> None:
    settle(tx)
    later = NOON + timedelta(minutes=10)
    changes = problems.find_changes(tx, later, silent_after=SILENT_AFTER)
    assert [(f.kind, f.subject) for f in changes.opened] == [(ProblemKind.GATEWAY_AWAY, GATEWAY)]
    tx.execute(update(gateways).values(heard_at=later))
    changes = problems.find_changes(tx, later, silent_after=SILENT_AFTER)
    assert {f.kind for f in changes.opened} == {ProblemKind.LABEL_SILENT}
    assert len(changes.opened) == LABELS


def test_a_gateway_that_was_enrolled_and_is_never_heard_is_a_problem_after_a_while(
    tx: Connection,
) -> None:
    new = GatewayId("gw-new")
    settle(tx)
    tx.execute(update(gateways).values(heard_at=NOON + timedelta(minutes=20)))
    places.put_gateway(tx, new, STORE)
    places.note_enrolment(tx, new, ["k1"], NOON)
    later = NOON + timedelta(minutes=10)
    places.note_enrolment(tx, new, ["k1"], later)  # fetched again: the time runs on
    assert not problems.find_changes(tx, later, silent_after=timedelta(hours=1))
    later = NOON + timedelta(minutes=16)
    changes = problems.find_changes(tx, later, silent_after=timedelta(hours=1))
    assert [(f.kind, f.subject) for f in changes.opened] == [(ProblemKind.GATEWAY_UNHEARD, new)]
    assert "12:00" in changes.opened[0].reason
    problems.write_changes(tx, changes, later)
    places.note_gateway_heard(tx, new, later, session="boot-1")
    changes = problems.find_changes(tx, later, silent_after=timedelta(hours=1))
    assert (changes.opened, len(changes.closed)) == ((), 1)


def test_a_battery_is_sampled_once_a_day_and_its_end_foreseen(tx: Connection) -> None:
    settle(tx)
    for day in range(30):
        now = NOON + timedelta(days=day)
        tx.execute(update(labels).values(battery_mv=3000 - 10 * day, seen_at=now))
        for _ in range(2):
            fleet.sample_batteries(tx, now)
    samples = fleet_rows.batteries_of(tx, [label_id(0)], since=NOON.date())[label_id(0)]
    assert len(samples) == 30
    member = fleet.member_named(
        tx,
        STORE,
        label_id(0),
        NOON + timedelta(days=29),
        online={GATEWAY},
        silent_after=timedelta(days=1),
    )
    assert member.battery is not None
    assert member.battery.days_left == 31  # 2,710 mV, 10 a day, down to 2,400
    assert member.state is FleetState.SYNCHRONISED


def test_a_flip_is_planned_staged_and_begun(tx: Connection) -> None:
    settle(tx)
    said = json.dumps([{"sku": "sku-0", "price": "1.99"}, {"sku": "sku-1", "price": "2.99"}])
    at = NOON + timedelta(hours=1)
    planned = flips.plan_flip(
        tx,
        STORE,
        at,
        [a_change("sku-0", 199), a_change("sku-1", 299)],
        said,
        NOON,
        actor="t",
        panels=PANELS,
    )
    assert planned.staged == 2
    due = staged.puts_due(tx, {GATEWAY: 10}, NOON, limit=10)
    assert [one.label_id for one in due] == [label_id(0), label_id(1)]
    assert [one.label_id for one in staged.puts_due(tx, {GATEWAY: 1}, NOON, limit=10)] == [
        label_id(0)
    ]
    assert staged.puts_due(tx, {GATEWAY: 0}, NOON, limit=10) == []
    assert staged.shows_due(tx, [GATEWAY], [GATEWAY], NOON, limit=10) == []
    assert flip_rows.due_flips(tx, at - timedelta(seconds=1)) == []
    assert flip_rows.due_flips(tx, at) == [planned.flip_id]
    begun = flips.begin_flip(tx, planned.flip_id, at, grace=timedelta(seconds=60))
    assert begun is not None
    assert begun.labels == (label_id(0), label_id(1))
    flip = flip_rows.flip_named(tx, planned.flip_id)
    assert flip.state is FlipState.BEGUN
    assert flip.rev is not None
    assert not staged.any_staged(tx)
    assert flip_rows.forget_flips(tx, at + timedelta(days=1), most=10) == 1


def test_an_armed_flip_that_is_cancelled_makes_its_label_want_a_higher_revision(
    tx: Connection,
) -> None:
    settle(tx)
    said = json.dumps([{"sku": "sku-0", "price": "1.99"}])
    planned = flips.plan_flip(
        tx,
        STORE,
        NOON + timedelta(hours=1),
        [a_change("sku-0", 199)],
        said,
        NOON,
        actor="t",
        panels=PANELS,
    )
    arm = staged.ArmNoted(
        label_id=label_id(0),
        slot=1,
        show_rev=900,
        digest="cd" * 32,  # type: ignore[arg-type]
        gateway_id=GATEWAY,
        session="boot-1",
        template="standard",
    )
    staged.note_arms(tx, [arm], NOON)
    assert flip_pictures.count_states(tx, planned.flip_id) == {SlotState.ARMED: 1}
    assert flips.cancel_flip(tx, STORE, planned.flip_id, NOON) == (label_id(0),)
    [one] = staged.shows_due(tx, [GATEWAY], [], NOON, limit=10)
    assert (one.state, one.show_rev) == (SlotState.CANCELLED, 900)
    row = tx.execute(labels.select().where(labels.c.label_id == label_id(0))).one()
    assert row.sent_rev == 900
    assert row.due_at == NOON


def test_an_armed_show_that_comes_early_or_is_doubted_gives_way_to_what_holds(
    tx: Connection,
) -> None:
    settle(tx)
    at = NOON + timedelta(hours=1)
    said = json.dumps([{"sku": "sku-0", "price": "0.05"}, {"sku": "sku-1", "price": "0.05"}])
    changes = [a_change("sku-0", 5), a_change("sku-1", 5)]
    planned = flips.plan_flip(tx, STORE, at, changes, said, NOON, actor="t", panels=PANELS)
    arms = [
        staged.ArmNoted(
            label_id=label_id(n),
            slot=1,
            show_rev=900 + n,
            digest="cd" * 32,  # type: ignore[arg-type]
            gateway_id=GATEWAY,
            session="boot-1",
            template="standard",
        )
        for n in (0, 1)
    ]
    staged.note_arms(tx, arms, NOON)
    assert staged.armed_below(tx, [GATEWAY]) == {GATEWAY}
    tx.execute(update(labels).where(labels.c.label_id == label_id(0)).values(shown_rev=900))
    assert not staging.correct_early(tx, [label_id(0), label_id(1)], at - timedelta(seconds=2))
    assert staging.correct_early(tx, [label_id(0), label_id(1)], NOON)
    assert flip_pictures.count_states(tx, planned.flip_id) == {SlotState.ARMED: 1}
    guarding.put_guards(tx, STORE, Guards(), NOON, actor="boss", reason="on")
    before = tx.execute(
        select(labels.c.wanted_rev).where(labels.c.label_id == label_id(1))
    ).scalar()
    begun = flips.begin_flip(tx, planned.flip_id, at, grace=timedelta(seconds=60))
    assert begun is not None
    assert begun.failed is not None
    assert begun.labels == (label_id(1),)
    after = tx.execute(select(labels.c.wanted_rev).where(labels.c.label_id == label_id(1))).scalar()
    assert (before or 0) < (after or 0)
    assert flip_pictures.count_states(tx, planned.flip_id) == {SlotState.CANCELLED: 1}
    [failed] = flips.failures_untended(tx, STORE, at)
    assert "2 of 2 prices" in failed.detail
    later = at + timedelta(minutes=1)
    apply_price_changes(tx, STORE, changes, later, actor="b", is_approved=True)
    assert flips.failures_untended(tx, STORE, later) == []


def test_a_command_is_sent_answered_and_forgotten(tx: Connection) -> None:
    order = Order(
        gateway_id=GATEWAY, kind="time", body=b"\x00\xff", expires_after=timedelta(minutes=2)
    )
    first, second = signals.order(tx, STORE, [order, order], NOON)
    due = signals.look(tx, [GATEWAY], NOON)
    assert [c.command_key for c in due] == [first, second]
    assert due[0].body == b"\x00\xff"
    taken, counters = signals.claim(tx, due, {GATEWAY: 1}, NOON)
    assert taken == {first, second}
    assert counters[GATEWAY] >= 1
    assert signals.claim(tx, due, {GATEWAY: 1}, NOON)[0] == set(), "another took them"
    signals.note_answers(tx, [(first, CommandState.ACCEPTED, "")])
    signals.note_answers(tx, [(first, CommandState.FAILED, "too late")])
    assert commands.command_numbered(tx, STORE, first).state is CommandState.ACCEPTED
    later = NOON + timedelta(minutes=5)
    assert commands.expire_commands(tx, later) == 1
    assert commands.command_numbered(tx, STORE, second).state is CommandState.EXPIRED
    assert commands.forget_commands(tx, later, most=1) == 1


def test_a_label_leaves_when_it_shows_no_price(tx: Connection) -> None:
    settle(tx)
    pairing.retire_labels(tx, STORE, [label_id(0)], NOON)
    assert retirement.find_leaving(tx, NOON) == []
    settle(tx)
    [label] = retirement.find_leaving(tx, NOON)
    order = Order(gateway_id=GATEWAY, kind="forget", body=b"", expires_after=timedelta(hours=1))
    retirement.let_go(tx, [(label, order)], NOON)
    row = tx.execute(labels.select().where(labels.c.label_id == label_id(0))).one()
    assert (row.epoch, row.gateway_id) == (label.epoch + 1, None)
    assert retirement.find_leaving(tx, NOON) == []


def test_a_product_that_goes_takes_its_price_and_pairing_along(tx: Connection) -> None:
    settle(tx)
    sku = Sku("sku-0")
    assert withdrawals.delist_products(tx, STORE, [sku], NOON) == (label_id(0),)
    [gone] = tx.exec_driver_sql("SELECT count(*) FROM product WHERE sku = 'sku-0'").scalars()
    assert gone == 0
