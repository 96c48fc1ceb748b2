"""Lines of an import's report: what became of each product, and what was wrong with each row."""

from dataclasses import replace

from sqlalchemy import Connection

from esl.domain.entry import RowProblem
from esl.domain.guards import WORDS
from esl.domain.ids import Sku, StoreId
from esl.domain.import_job import LEFT_OUT, ReportLine
from esl.domain.money import format_minor
from esl.domain.pricing import Decision
from esl.services.listening import EntryResult
from esl.store import quarantine
from esl.store.batches import Move, moves_of


def line_of(result: EntryResult) -> ReportLine:
    """Say what became of a product."""
    words = [WORDS[reason] for reason in result.reasons]
    if result.detail is not None:
        words.insert(0, result.detail)
    elif result.decision is Decision.SUPERSEDED and not words:
        words.append("the source has said something newer of this product")
    field, _, rest = (result.detail or "").partition(": ")
    has_field = result.decision is Decision.REJECTED and bool(rest) and " " not in field
    return ReportLine(
        row=result.rows[0] if result.rows else 0,
        decision=result.decision.value,
        field=field if has_field else ("" if result.decision is Decision.ACCEPTED else "price"),
        reason="; ".join([rest, *words[1:]] if has_field else words),
        store_id=result.store_id,
        sku=result.sku,
        rev=result.rev,
    )


def with_moves(tx: Connection, lines: list[ReportLine], batch_id: int) -> list[ReportLine]:
    """Say of prices that would change or wait from what to what: a trial keeps no history."""
    moves: dict[tuple[StoreId | None, Sku | None], Move] = {}
    for store_id in {one.store_id for one in lines if one.store_id is not None}:
        mine = [one for one in lines if one.store_id == store_id and one.sku is not None]
        taken = _skus_of(mine, Decision.ACCEPTED)
        waits = _skus_of(mine, Decision.QUARANTINED)
        for sku, made in moves_of(tx, store_id, batch_id, taken).items():
            moves[store_id, sku] = made
        for sku, doubted in quarantine.doubted_of(tx, store_id, batch_id, waits).items():
            moves[store_id, sku] = Move(*doubted)
    told = (Decision.ACCEPTED.value, Decision.QUARANTINED.value)
    return [
        replace(one, reason="; ".join(filter(None, (_words_of(move), one.reason))))
        if one.decision in told and (move := moves.get((one.store_id, one.sku)))
        else one
        for one in lines
    ]


def _skus_of(lines: list[ReportLine], decision: Decision) -> list[Sku]:
    return [one.sku for one in lines if one.decision == decision.value and one.sku is not None]


def _words_of(move: Move) -> str:
    before, after, currency = move
    was = "no price" if before is None else format_minor(before, currency)
    return f"{was} → {format_minor(after, currency)} {currency}"


def line_of_problem(problem: RowProblem) -> ReportLine:
    """Say what was wrong with a row."""
    return ReportLine(
        row=problem.row,
        decision=Decision.REJECTED.value if problem.rejects else LEFT_OUT,
        field=problem.field,
        reason=" ".join(filter(None, (sentence(problem.reason), problem.fix))),
        fix=problem.fix or "",
        store_id=problem.store_id,
        sku=problem.sku,
    )


def sentence(text: str) -> str:
    """End a sentence as one does."""
    return text if text.endswith((".", "?", "!")) else f"{text}."
