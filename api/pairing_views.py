"""How steps of pairings and places look in JSON."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from esl.domain.migration import RowDecision
from esl.domain.pairing import Ended, Hanging, PairingEvent
from esl.domain.planogram import PlaceDone, PlaceOutcome
from esl.services.placing import PlacesTaken


def step_view(event: PairingEvent, ended: Ended) -> dict[str, Any]:
    """A step of a label's history, and how it ended on the glass."""
    return {
        "step": event.event_id,
        "label": event.label_id,
        "at": event.at,
        "actor": event.actor,
        "action": event.action.value,
        "before": hanging_view(event.before),
        "after": hanging_view(event.after),
        "beside": event.beside,
        "undone_by": event.undone_by,
        "ended": ended.ending.value,
        "ended_at": ended.at,
        "reason": ended.reason,
    }


def hanging_view(hanging: Hanging) -> dict[str, Any]:
    """What a label spoke for, and where it hung."""
    return {"skus": list(hanging.skus), "place": hanging.place, "retired": hanging.is_retired}


def taken_view(taken: PlacesTaken, *, dry_run: bool) -> dict[str, Any]:
    """The answer to rows of a planogram: what became of each, and how many did what."""
    return {
        "dry_run": dry_run,
        **counts_of([outcome_view(outcome) for outcome in taken.outcomes]),
        "results": [outcome_view(outcome) for outcome in taken.outcomes],
    }


def outcome_view(outcome: PlaceOutcome) -> dict[str, Any]:
    """A row: what it did or would do; why it was refused, only where it was."""
    view: dict[str, Any] = {
        "row": outcome.row,
        "label": outcome.label,
        "place": outcome.place,
        "decision": outcome.decision.value,
        "done": [done.value for done in outcome.done],
    }
    if outcome.before is not None:
        view["before"] = outcome.before
    if outcome.decision is RowDecision.REJECTED:
        view |= {"field": outcome.field, "reason": outcome.reason, "fix": outcome.fix}
    return view


def counts_of(views: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Count rows by what became of them, and by what they did."""
    decisions = Counter(view["decision"] for view in views)
    done = Counter(done for view in views for done in view["done"])
    return {
        "rows": len(views),
        **{decision.value: decisions[decision.value] for decision in RowDecision},
        **{one.value: done[one.value] for one in PlaceDone},
    }
