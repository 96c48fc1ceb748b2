"""What became of a price, as every door tells its sender: the decision, why, and what to do.

::

    {"sku": "4711", "decision": "quarantined", "rev": null, "labels": 0, "price_id": 7,
     "reasons": [{"code": "rise", "words": "the price rises by more …", "fix": "If it is …"}]}
"""

from collections.abc import Iterable
from typing import Any

from esl.domain.guards import FIXES, WORDS, Reason
from esl.domain.pricing import ChangeResult, Decision


def result_view(result: ChangeResult) -> dict[str, Any]:
    """What became of a change; why, and under which number it waits, only where it does."""
    view: dict[str, Any] = {
        "sku": result.sku,
        "decision": result.decision,
        "rev": result.rev,
        "labels": result.labels,
    }
    if reasons := reasons_view(result.decision, result.reasons, field=result.path):
        view["reasons"] = reasons
    if result.quarantine_id is not None:
        view["price_id"] = result.quarantine_id
    return view


def reasons_view(
    decision: Decision, reasons: Iterable[Reason], *, field: str = ""
) -> list[dict[str, str]]:
    """Why a price was not simply taken: code, words, fix, and the field if it is one alone.

    What came late has no reason of its own in the books; its sender wants one all the same.
    """
    told = tuple(reasons)
    if decision is Decision.SUPERSEDED and not told:
        told = (Reason.LATE,)
    at = {"field": field} if field else {}
    return [{"code": r.value} | at | {"words": WORDS[r], "fix": FIXES[r]} for r in told]
