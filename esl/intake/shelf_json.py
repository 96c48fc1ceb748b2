"""Places, walks and replacements as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from esl.domain.errors import FieldProblem, InvalidInput
from esl.domain.ids import LabelId, Sku, check_sku, check_slug
from esl.domain.planogram import PlaceRow
from esl.domain.pricing import KEEP, Keep
from esl.domain.shelf_place import (
    BELOW,
    FIRST_MOST,
    PART_LONGEST,
    PARTS,
    PLACE_LONGEST,
    Walk,
    check_place,
)
from esl.intake.fields import Fields
from esl.intake.price_json import parse_each
from esl.intake.strict_json import pointer

ROWS_MOST = 1_000
"""Rows of one request; a file is sent in several, each of which may be sent again."""

CODE_LONGEST = 80
_ROW_LAST = 2**31 - 1
ROW_FIELDS: Final = ("label", "sku", "place", *PARTS, "code")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacesToTake:
    """Rows, and whether they are only tried."""

    rows: tuple[PlaceRow, ...]
    dry_run: bool


def parse_places(value: Any) -> PlacesToTake:
    """Read ``{"rows": [{"label": …, "aisle": …, "bay": …}], "dry_run": …}``.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    said = fields.take("rows")
    dry_run = flag(fields, "dry_run")
    if said is None or isinstance(said, Keep):
        fields.problem("rows", "missing", fix="Send an array of rows.")
        said = None
    fields.finish()
    try:
        rows = parse_each(said, parse_place_row, most=ROWS_MOST)
    except InvalidInput as exc:
        raise InvalidInput(
            [replace(problem, path=f"/rows{problem.path}") for problem in exc.problems]
        ) from exc
    return PlacesToTake(rows=tuple(rows), dry_run=dry_run)


def parse_place_row(value: Any, path: str) -> PlaceRow:
    """Read a row: a label or a product, a place or its parts, and a shelf code.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value, path=path)
    row = fields.integer("row", low=1, high=_ROW_LAST)
    label = fields.parsed("label", lambda text, at: check_slug(text, path=at, what="label"))
    sku = fields.parsed("sku", lambda text, at: check_sku(text, path=at))
    code = fields.text("code", longest=CODE_LONGEST)
    place = read_place_of(fields)
    if place is None and not fields.problems:
        fields.problem("place", "missing", fix="Send place, or aisle, bay, shelf and position.")
    if not any(isinstance(one, str) for one in (label, sku, code)) and not fields.problems:
        fields.problem("label", "missing", fix="Send a label, a sku, or the code of a shelf.")
    fields.finish()
    return PlaceRow(
        row=row if row is not None else int(path.rpartition("/")[2]) + 1,
        place=str(place),
        label_id=LabelId(label) if isinstance(label, str) else None,
        sku=Sku(sku) if isinstance(sku, str) else None,
        code=code if isinstance(code, str) else None,
    )


def read_place_of(fields: Fields) -> str | None:
    """Read ``place``, or the parts of one; None where there is neither."""
    whole = fields.text("place", longest=PLACE_LONGEST)
    parts = [fields.text(name, longest=PART_LONGEST) for name in PARTS]
    told = [part for part in parts if isinstance(part, str)]
    if isinstance(whole, str):
        if told:
            fields.problem("place", "beside its parts", fix="Send one of the two.")
            return None
        return _checked(whole, pointer(fields.path, "place"), fields)
    if not told:
        return None
    for name, part, behind in zip(PARTS, parts, [*parts[1:], None], strict=True):
        if isinstance(part, str) and BELOW in part:
            fields.problem(name, f"holds {BELOW}", fix="Write another sign, such as -.")
            return None
        if not isinstance(part, str) and isinstance(behind, str):
            fields.problem(name, "missing before another part", fix="Send aisle, bay, shelf.")
            return None
    return _checked(BELOW.join(told), pointer(fields.path, PARTS[0]), fields)


def _checked(text: str, path: str, fields: Fields) -> str | None:
    try:
        return check_place(text, path)
    except InvalidInput as exc:
        fields.problems.extend(exc.problems)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class StandsAt:
    """Where somebody says that they stand: a place, a shelf code, or neither: nowhere."""

    place: str | None
    code: str | None


def parse_current_place(value: Any) -> StandsAt:
    """Read ``{"place": "3/2"}``, ``{"code": …}`` or ``{}``.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    code = fields.text("code", longest=CODE_LONGEST)
    place = read_place_of(fields)
    if place is not None and isinstance(code, str):
        fields.problem("code", "beside a place", fix="Send one of the two.")
    fields.finish()
    return StandsAt(place=place, code=code if isinstance(code, str) else None)


def parse_walk(value: Any) -> Walk:
    """Read ``{"serpentine": true, "first": ["entrance", "12", "3/2"]}``.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    is_serpentine = flag(fields, "serpentine")
    said = fields.take("first")
    first: list[str] = []
    if said is not KEEP and said is not None:
        if not isinstance(said, list) or len(said) > FIRST_MOST:
            fields.problem("first", f"not a list of at most {FIRST_MOST} places")
        else:
            for number, each in enumerate(said):
                at = f"/first/{number}"
                if not isinstance(each, str):
                    fields.problems.append(
                        FieldProblem(path=at, detail="not a text", fix="Send it in quotes.")
                    )
                elif (place := _checked(_seen(each, at, fields), at, fields)) is not None:
                    first.append(place)
    fields.finish()
    if len(set(first)) < len(first):
        raise InvalidInput.at("/first", "the same place twice", fix="Send each once.")
    return Walk(is_serpentine=is_serpentine, first=tuple(first))


def _seen(text: str, path: str, fields: Fields) -> str:
    one = Fields({"place": text})
    seen = one.text("place", longest=PLACE_LONGEST)
    fields.problems.extend(replace(problem, path=path) for problem in one.problems)
    return seen if isinstance(seen, str) else ""


def parse_replacement(value: Any) -> tuple[LabelId, LabelId]:
    """Read ``{"broken": …, "new": …}``, two labels.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    broken, new = (
        fields.parsed(name, lambda text, at: check_slug(text, path=at, what="label"), required=True)
        for name in ("broken", "new")
    )
    fields.finish()
    return LabelId(str(broken)), LabelId(str(new))


def flag(fields: Fields, name: str) -> bool:
    """Read true or false; left out or null is false."""
    value = fields.take(name)
    if isinstance(value, bool) or value is None or isinstance(value, Keep):
        return value is True
    fields.problem(name, "neither true nor false", fix="Send true or false.")
    return False


def row_json(row: PlaceRow) -> Mapping[str, Any]:
    """Write a row as `parse_places` reads it."""
    said = {
        "row": row.row,
        "label": row.label_id,
        "sku": row.sku,
        "place": row.place,
        "code": row.code,
    }
    return {name: told for name, told in said.items() if told is not None}
