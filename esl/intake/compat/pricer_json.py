"""Bodies of Pricer's interface (Plaza and R3Server), in the forms that drivers send.

items   [{"itemId", "itemName", "price", "validFrom", "properties": {…}, "links": [{"barcode"}]}]
labels  [{"barcode", "links": [{"itemId", "displayPosition"}]}]

A body is an array or one object. What is null or empty is not said at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from esl.domain.errors import FieldProblem, InvalidInput
from esl.domain.ids import LabelId, Sku
from esl.domain.place import PRODUCTS_MOST, Pairing
from esl.intake.compat.items import ITEMS_MOST, Sent
from esl.intake.compat.members import as_id, listed, member, read_article, read_label
from esl.intake.order_json import LABELS_MOST
from esl.intake.strict_json import pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """Items, and the labels that they name to be linked with."""

    sent: tuple[Sent, ...]
    links: tuple[Pairing, ...]


def parse_items(value: Any) -> Items:
    """Read items.

    Raises:
        InvalidInput: It is no list of objects, or a link in it cannot be one.
    """
    sent: list[Sent] = []
    links: dict[LabelId, dict[Sku, int | None]] = {}
    for number, item in enumerate(listed(value, "items", "", most=ITEMS_MOST)):
        at = f"/{number}"
        if not isinstance(item, dict):
            raise InvalidInput.at(at, "not an object")
        members = {name: said for name, inner in item.items() if (said := _said(inner)) is not None}
        key = as_id(members.get("itemId"))
        if key:
            members["itemId"] = key
        sent.append(Sent(key=key, members=members))
        found = members.get("links")
        for place, link in enumerate(found if isinstance(found, list) else []):
            where = f"{at}/links/{place}"
            label_id = read_label(member(link, "barcode"), f"{where}/barcode")
            sku, position = read_article(key, f"{at}/itemId"), _position(link, where)
            links.setdefault(label_id, {})[sku] = position
    if len(links) > LABELS_MOST:
        raise InvalidInput.at("", f"{len(links)} links", fix=f"Send {LABELS_MOST} at most.")
    return Items(sent=tuple(sent), links=tuple(_linked(one, at) for one, at in links.items()))


def _linked(label_id: LabelId, items: Mapping[Sku, int | None]) -> Pairing:
    """Make one pairing of what items say of a label; without places the last word counts."""
    placed = [(place, sku) for sku, place in items.items()]
    if any(place is None for place, _ in placed):
        placed = placed[-1:]
    return _pairing(label_id, placed, "/links")


def parse_item_ids(value: Any) -> list[Sku]:
    """Read ids of items to be deleted: texts, numbers, or objects with ``itemId``.

    Raises:
        InvalidInput: It names none; an empty list never means all of them.
    """
    items = listed(value, "itemIds", "", most=ITEMS_MOST)
    return [
        read_article(member(item, "itemId") if isinstance(item, dict) else item, f"/{number}")
        for number, item in enumerate(items)
    ]


def parse_label_links(value: Any) -> tuple[list[Pairing], list[LabelId]]:
    """Read which labels speak for which items, and which for none any more (empty ``links``).

    Raises:
        InvalidInput: With every bad one.
    """
    pairs: list[Pairing] = []
    freed: list[LabelId] = []
    problems: list[FieldProblem] = []
    for number, item in enumerate(listed(value, "labels", "", most=LABELS_MOST)):
        try:
            pair = _label(item, f"/{number}")
        except InvalidInput as exc:
            problems.extend(exc.problems)
            continue
        if isinstance(pair, Pairing):
            pairs.append(pair)
        else:
            freed.append(pair)
    if problems:
        raise InvalidInput(problems[:50])
    return pairs, freed


def _label(item: Any, at: str) -> Pairing | LabelId:
    links = member(item, "links")
    found = links if isinstance(links, list) else [item]
    barcode = member(item, "barcode")
    if barcode is None and found:
        barcode = member(found[0], "barcode")
    label_id = read_label(barcode, f"{at}/barcode")
    if not found:
        return label_id
    placed = [
        (
            _position(link, f"{at}/links/{number}"),
            read_article(member(link, "itemId", "linkedItemId"), f"{at}/links/{number}/itemId"),
        )
        for number, link in enumerate(found)
    ]
    return _pairing(label_id, placed, f"{at}/links")


def _position(link: Any, at: str) -> int | None:
    """Read where on the label an item stands; None where nothing is said."""
    text = as_id(member(link, "displayPosition"))
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or len(text) > len(str(PRODUCTS_MOST)):
        raise InvalidInput.at(
            pointer(at, "displayPosition"), "not a place on a label", fix="Send 0, 1, 2, …"
        )
    return int(text)


def _pairing(label_id: LabelId, placed: Sequence[tuple[int | None, Sku]], at: str) -> Pairing:
    """Make one pairing of a label's items, in the order of their places, or as they stand.

    Raises:
        InvalidInput: Two have one place, one item has two, there are too many, or a first is
            missing: a driver that says a second place alone would lose the first by it.
    """
    places = [place for place, _ in placed if place is not None]
    if len(placed) > PRODUCTS_MOST:
        raise InvalidInput.at(
            at, f"{len(placed)} items on one label", fix=f"Link {PRODUCTS_MOST} at most."
        )
    if len(set(places)) < len(places) or len({sku for _, sku in placed}) < len(placed):
        raise InvalidInput.at(
            at, "one item or one place twice", fix="Give each item of the label its own place."
        )
    if places and min(places) > 1:
        raise InvalidInput.at(
            at,
            "a second place without the first",
            fix="Send all items of the label in one call.",
        )
    ordered = sorted(placed, key=lambda one: one[0] or 0) if len(places) == len(placed) else placed
    skus = tuple(sku for _, sku in ordered)
    return Pairing(label_id=label_id, sku=skus[0], more=skus[1:])


def _said(value: Any) -> Any:
    """Return what a member says; None where it is null or empty."""
    match value:
        case str():
            return value if value.strip() else None
        case dict():
            said = {
                name: found for name, inner in value.items() if (found := _said(inner)) is not None
            }
            return said or None
        case _:
            return value
