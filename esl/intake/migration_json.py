"""Labels of another system as JSON: rows to take over, and how."""

from dataclasses import dataclass, replace
from typing import Any

from esl.domain.errors import InvalidInput
from esl.domain.ids import GatewayId, LabelId, PanelId, Sku, check_sku, check_slug
from esl.domain.migration import PairingRow
from esl.domain.pricing import Keep
from esl.intake.fields import Fields
from esl.intake.place_json import parse_skus
from esl.intake.price_json import parse_each

ROWS_MOST = 1_000
"""Rows of one request; a file is sent in several, each of which may be sent again."""

PLACE_LONGEST = 80
_ROW_LAST = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingsToTake:
    """Rows, and how they are taken."""

    rows: tuple[PairingRow, ...]
    moves: bool
    panel_id: PanelId | None
    dry_run: bool


def parse_pairings(value: Any) -> PairingsToTake:
    """Read ``{"rows": [{"label": …, "sku": …, …}], "move": …, "panel": …, "dry_run": …}``.

    Raises:
        InvalidInput: With the path of each bad field. A label that stands there with two
            products is one.
    """
    fields = Fields(value)
    said = fields.take("rows")
    panel = fields.parsed("panel", lambda text, at: check_slug(text, path=at, what="panel"))
    moves, dry_run = _flag(fields, "move"), _flag(fields, "dry_run")
    if said is None or isinstance(said, Keep):
        fields.problem("rows", "missing", fix="Send an array of rows.")
        said = None
    fields.finish()
    try:
        rows = parse_each(said, _parse_row, most=ROWS_MOST)
    except InvalidInput as exc:
        raise InvalidInput(
            [replace(problem, path=f"/rows{problem.path}") for problem in exc.problems]
        ) from exc
    _check_once(rows)
    return PairingsToTake(
        rows=tuple(rows),
        moves=moves,
        panel_id=PanelId(panel) if isinstance(panel, str) else None,
        dry_run=dry_run,
    )


def row_json(row: PairingRow) -> dict[str, Any]:
    """Write a row as `parse_pairings` reads it."""
    said = {
        "row": row.row,
        "label": row.label_id,
        "sku": row.sku if not row.more else None,
        "skus": list(row.skus) if row.more else None,
        "panel": row.panel_id,
        "gateway": row.gateway_id,
        "place": row.place,
    }
    return {name: told for name, told in said.items() if told is not None}


def _parse_row(value: Any, path: str) -> PairingRow:
    fields = Fields(value, path=path)
    row = fields.integer("row", low=1, high=_ROW_LAST)
    label = fields.parsed(
        "label", lambda text, at: check_slug(text, path=at, what="label"), required=True
    )
    sku = fields.parsed("sku", lambda text, at: check_sku(text, path=at))
    skus: tuple[Sku, ...] = (Sku(sku),) if isinstance(sku, str) else ()
    several = fields.take("skus")
    if several is not None and not isinstance(several, Keep):
        if skus:
            fields.problem("skus", "beside sku", fix="Send one of the two.")
        try:
            skus = parse_skus(several, f"{path}/skus")
        except InvalidInput as exc:
            fields.problems.extend(exc.problems)
    panel = fields.parsed("panel", lambda text, at: check_slug(text, path=at, what="panel"))
    gateway = fields.parsed("gateway", lambda text, at: check_slug(text, path=at, what="gateway"))
    place = fields.text("place", longest=PLACE_LONGEST)
    fields.finish()
    return PairingRow(
        row=row if row is not None else int(path.rpartition("/")[2]) + 1,
        label_id=LabelId(str(label)),
        sku=skus[0] if skus else None,
        more=skus[1:],
        panel_id=PanelId(panel) if isinstance(panel, str) else None,
        gateway_id=GatewayId(gateway) if isinstance(gateway, str) else None,
        place=place if isinstance(place, str) else None,
    )


def _flag(fields: Fields, name: str) -> bool:
    value = fields.take(name)
    if isinstance(value, bool) or value is None or isinstance(value, Keep):
        return value is True
    fields.problem(name, "neither true nor false", fix="Send true or false.")
    return False


def _check_once(rows: list[PairingRow]) -> None:
    said: dict[LabelId, PairingRow] = {}
    for index, row in enumerate(rows):
        before = said.setdefault(row.label_id, row)
        if (before.skus, before.panel_id, before.gateway_id) != (
            row.skus,
            row.panel_id,
            row.gateway_id,
        ):
            raise InvalidInput.at(
                f"/rows/{index}/label",
                f"row {before.row} says something else of the same label",
                fix="Send each label once.",
            )
