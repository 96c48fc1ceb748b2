"""What stands in the form of a promotion, made into a promotion, and back.

A promotion that came over the API may say more than the form can. What the form does not show
(hours, weekdays, priority, steps of a roll-out…) stays as it is when the rest is changed here.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from api.console.frame import Frame
from api.console.languages import mark

GIVES: Final[Mapping[str, str]] = {
    "percent": mark("per cent off"),
    "price": mark("a price of"),
    "amount": mark("off, in money"),
    "total": mark("several for a price"),
    "pay_for": mark("several, and pay for fewer"),
}
CHOOSES: Final[Mapping[str, str]] = {
    "skus": mark("These products"),
    "categories": mark("A category"),
    "brands": mark("A brand"),
    "tags": mark("A tag"),
    "everything": mark("Everything"),
}
FIELDS: Final = (
    *("name", "gives", "value", "quantity", "chooses", "picked", "which"),
    *("begins", "ends", "where", "first_area", "badge", "club", "of", "version"),
)
KEPT: Final = "kept"
"""In place of a choice that the form does not know: it stays as it is."""

_IN_MONEY: Final = ("price", "amount", "total")
_OF_SEVERAL: Final = ("total", "pay_for")
_GROUP: Final = "group:"


def lines_of(text: str) -> list[str]:
    """Take SKUs and bar codes apart that were pasted, however they are separated."""
    return list(dict.fromkeys(x.strip() for x in re.split(r"[\n;,\t]", text) if x.strip()))


def id_of(name: str, now: datetime) -> str:
    """Make a promotion's id of its name and day: ``weekend-coffee-20260307``."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-")
    return f"{slug or 'promotion'}-{now:%Y%m%d}"


def promotion_of(
    fields: Mapping[str, str],
    skus: Sequence[str],
    frame: Frame,
    now: datetime,
    base: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Make a promotion of the form; ``base`` is what is edited, whose other parts stay."""
    made: dict[str, Any] = dict(base or {"id": id_of(fields["name"], now)})
    made["name"] = fields["name"]
    made["gives"] = _gives(fields)
    if next(iter(made["gives"])) in _IN_MONEY and frame.store is not None:
        made.setdefault("currency", frame.store["currency"])
    if fields["chooses"] != KEPT or base is None:
        made["selection"] = _selection(fields, skus)
    if fields["where"] != KEPT or base is None:
        made["where"] = _where(fields["where"], frame, (base or {}).get("where") or {})
    window = dict((base or {}).get("window") or {})
    for name in ("begins", "ends"):
        window.pop(name, None)
        if fields[name]:
            window[name] = fields[name][:16]
    made["window"] = window
    for name in ("badge", "club"):
        made.pop(name, None)
        if fields[name]:
            made[name] = fields[name]
    if fields["first_area"] != _first_area((base or {}).get("rollout") or []):
        made.pop("rollout", None)
        if fields["first_area"]:
            made["rollout"] = [{"areas": [fields["first_area"]]}]
    return made


def fields_of(promotion: Mapping[str, Any], frame: Frame) -> dict[str, str]:
    """Write a promotion into the form."""
    fields = dict.fromkeys(FIELDS, "")
    fields["name"] = str(promotion["name"])
    gives = promotion["gives"]
    kind = next(name for name in GIVES if name in gives)
    fields |= {"gives": kind, "value": str(gives[kind]), "quantity": str(gives.get("quantity", ""))}
    selection = promotion["selection"]
    if len(selection) == 1 and (chooses := next(iter(selection))) in CHOOSES:
        fields["chooses"] = chooses
        if chooses == "skus":
            fields["picked"] = "\n".join(selection["skus"])
        elif chooses != "everything":
            fields["which"] = ", ".join(selection[chooses])
    else:
        fields["chooses"] = KEPT
    fields["where"] = _where_said(promotion.get("where") or {}, frame)
    window = promotion.get("window") or {}
    for name in ("begins", "ends"):
        fields[name] = str(window.get(name) or "")[:16]
    fields |= {name: str(promotion.get(name) or "") for name in ("badge", "club")}
    fields["first_area"] = _first_area(promotion.get("rollout") or [])
    return fields


def _gives(fields: Mapping[str, str]) -> dict[str, Any]:
    value = fields["value"].replace(",", ".")
    kind = fields["gives"] if fields["gives"] in GIVES else "percent"
    if kind not in _OF_SEVERAL:
        return {kind: value}
    worth = value if kind == "total" else _whole(value)
    return {kind: worth, "quantity": _whole(fields["quantity"])}


def _selection(fields: Mapping[str, str], skus: Sequence[str]) -> dict[str, Any]:
    chooses = fields["chooses"] if fields["chooses"] in CHOOSES else "skus"
    if chooses == "skus":
        return {"skus": list(skus)}
    if chooses == "everything":
        return {"everything": True}
    return {chooses: [one.strip() for one in fields["which"].split(",") if one.strip()]}


def _where(chosen: str, frame: Frame, base: Mapping[str, Any]) -> dict[str, Any]:
    where: dict[str, Any] = {"stores": [frame.store_id]}
    if chosen == "all":
        where = {"stores": sorted(one["store_id"] for one in frame.stores)}
    elif chosen.startswith(_GROUP):
        where = {"groups": [chosen.removeprefix(_GROUP)]}
    if base.get("areas"):
        where["areas"] = base["areas"]
    return where


def _where_said(where: Mapping[str, Any], frame: Frame) -> str:
    stores, groups = where.get("stores") or [], where.get("groups") or []
    if stores == [frame.store_id] and not groups:
        return "here"
    if not groups and stores == sorted(one["store_id"] for one in frame.stores):
        return "all"
    return f"{_GROUP}{groups[0]}" if len(groups) == 1 and not stores else KEPT


def _first_area(rollout: Sequence[Mapping[str, Any]]) -> str:
    """Return the aisle where a roll-out begins, of those that the form can make."""
    if len(rollout) != 1 or len(rollout[0].get("areas") or ()) != 1 or rollout[0].get("percent"):
        return ""
    return str(rollout[0]["areas"][0])


def _whole(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text  # noqa: PLR2004
