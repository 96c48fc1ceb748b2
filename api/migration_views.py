"""How what became of another system's rows looks in JSON."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from esl.domain.entry import RowProblem
from esl.domain.migration import Done, RowDecision, RowOutcome
from esl.services.migration import Moved


def outcome_view(outcome: RowOutcome) -> dict[str, Any]:
    """A row: what it did or would do; why it was refused, only where it was."""
    view: dict[str, Any] = {
        "row": outcome.row,
        "label": outcome.label,
        "decision": outcome.decision.value,
        "done": [done.value for done in outcome.done],
    }
    if outcome.sku is not None:
        view["sku"] = outcome.sku
    if outcome.more and outcome.sku is not None:
        view["skus"] = [outcome.sku, *outcome.more]
    if outcome.before:
        view["before"] = ", ".join(outcome.before)
    if outcome.decision is RowDecision.REJECTED:
        view |= {"field": outcome.field, "reason": outcome.reason, "fix": outcome.fix}
    return view


def problem_view(problem: RowProblem) -> dict[str, Any]:
    """A row that could not even be read, in the same form."""
    return {
        "row": problem.row,
        "label": "",
        "decision": RowDecision.REJECTED.value,
        "done": [],
        "field": problem.field,
        "reason": problem.reason,
        "fix": problem.fix or "",
    }


def moved_view(moved: Moved, *, dry_run: bool) -> dict[str, Any]:
    """The answer to rows: what became of each, and how many did what."""
    views = [outcome_view(outcome) for outcome in moved.outcomes]
    return {"dry_run": dry_run, **counts_of(views), "results": views}


def counts_of(views: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Count rows by what became of them, and by what they did."""
    decisions = Counter(view["decision"] for view in views)
    done = Counter(done for view in views for done in view["done"])
    return {
        "rows": len(views),
        **{decision.value: decisions[decision.value] for decision in RowDecision},
        **{one.value: done[one.value] for one in Done},
    }
