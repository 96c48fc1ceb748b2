"""Defects of promotions at their moments, and of the order in which till and labels follow."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Update, text, update

from esl.domain import till
from esl.domain.ids import LabelId
from esl.domain.promotion import places
from esl.domain.staged import Flip, FlipState
from esl.domain.till import Charge, Standing, cheapest, dearest
from esl.services.promotions import edges
from esl.store import flips, promotion_rows
from esl.store.tables import promotion_stores
from tests.chaos.controller import Controller
from tests.chaos.defects.defect import Patch, a_defect, replace_everywhere


def plant_edges_lost_at_restart(patch: Patch) -> None:
    """A process that starts takes moments that came meanwhile as dealt with."""
    due = promotion_stores.c.next_at
    _at_start(patch, lambda now: update(promotion_stores).where(due <= now).values(next_at=None))


def plant_edges_again_at_restart(patch: Patch) -> None:
    """A process that starts turns the last moment of each promotion again, to be sure."""
    turned = promotion_stores.c.turned_at
    _at_start(
        patch, lambda now: update(promotion_stores).where(turned <= now).values(next_at=turned)
    )


def plant_cancelled_edge_still_shows(patch: Patch) -> None:
    """A moment that is called off is crossed out, and labels that keep its show are not told."""

    def cross_out(tx: Connection, flip: Flip, now: datetime) -> tuple[LabelId, ...]:
        tx.execute(text("DELETE FROM staged WHERE flip_id = :flip"), {"flip": flip.flip_id})
        flips.end_flip(tx, flip.flip_id, FlipState.CANCELLED, now)
        return ()

    replace_everywhere(patch, edges.cancel_edge, cross_out)


def plant_cheapest_wins(patch: Patch) -> None:
    """Of promotions that overlap the cheapest wins, whatever priority they were given."""
    order = places._order

    def without_priority(candidate: places._Candidate) -> Any:
        return (0, *order(candidate)[1:])

    patch.setattr(places, "_order", without_priority)


def plant_end_by_the_plan_of_its_beginning(patch: Patch) -> None:
    """A promotion that has begun is turned no more: its end was planned with its beginning."""
    set_next = promotion_rows.set_next

    def but_no_more(
        tx: Connection, promotion_id: str, store_id: Any, next_at: datetime | None, **named: Any
    ) -> None:
        begun = named.get("turned_at") is not None
        set_next(tx, promotion_id, store_id, None if begun else next_at, **named)

    patch.setattr(promotion_rows, "set_next", but_no_more)


def plant_increase_not_held(patch: Patch) -> None:
    """The till may charge more as soon as labels are told of it, not when they show it."""

    def at_once(standing: Standing, truth: Charge, rev: int) -> Standing:
        now = standing
        if now.shelf != truth and now.most <= truth:
            now = replace(now, shelf=truth, shelf_rev=rev, least=truth)
        grant = truth if truth <= now.least else cheapest(truth, now.least)
        if grant != now.grant:
            now = replace(now, grant=grant, grant_rev=rev, most=dearest(now.most, grant))
        return now

    replace_everywhere(patch, till.settle, at_once)


def plant_decrease_before_acknowledgement(patch: Patch) -> None:
    """Labels show what is cheaper at once, before the till has said that it charges it."""
    settle = till.settle

    def unasked(standing: Standing, truth: Charge, rev: int) -> Standing:
        now = standing
        if now.shelf != truth and truth <= now.shelf:
            least = cheapest(now.least, truth)
            now = replace(now, shelf=truth, shelf_rev=rev, least=least)
        return settle(now, truth, rev)

    replace_everywhere(patch, till.settle, unasked)
    patch.setattr(Standing, "waits_for_till", lambda *_: False)


def _at_start(patch: Patch, statement: Callable[[datetime], Update]) -> None:
    begin = Controller.__init__

    def and_tidy(controller: Controller, *what: Any, **named: Any) -> None:
        begin(controller, *what, **named)
        now = controller.time.now()
        controller.writer.write(lambda tx: tx.execute(statement(now)))

    patch.setattr(Controller, "__init__", and_tidy)


DEFECTS = tuple(
    a_defect(plant, *caught_by, profile="promotions")
    for plant, *caught_by in (
        (plant_edges_lost_at_restart, "I10"),
        (plant_edges_again_at_restart, "I10"),
        (plant_cancelled_edge_still_shows, "I2", "I3", "I4", "I10"),
        (plant_cheapest_wins, "I2", "I3", "I4"),
        (plant_end_by_the_plan_of_its_beginning, "I10"),
        (plant_increase_not_held, "I15"),
        (plant_decrease_before_acknowledgement, "I15"),
    )
)
