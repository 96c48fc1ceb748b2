"""Bodies of Pricer's interface (Plaza and R3Server), in the forms that drivers send.

items   [{"itemId", "itemName", "price", "validFrom", "properties": {…}, "links": [{"barcode"}]}]
labels  [{"barcode", "links": [{"itemId", "displayPosition"}]}]

A body is an array or one object. What is null or empty is not said at all.
"""

from dataclasses import dataclass
from typing import Any

from esl.domain.errors import FieldProblem, InvalidInput
from esl.domain.ids import LabelId, Sku
from esl.domain.place import Pairing
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
    links: list[Pairing] = []
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
            links.append(Pairing(label_id=label_id, sku=read_article(key, f"{at}/itemId")))
    if len(links) > LABELS_MOST:
        raise InvalidInput.at("", f"{len(links)} links", fix=f"Send {LABELS_MOST} at most.")
    return Items(sent=tuple(sent), links=tuple(links))


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
        InvalidInput: With every bad one; a label with several items is bad, too.
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
    if len(found) > 1:
        raise InvalidInput.at(
            f"{at}/links",
            "several items, and a label here speaks for one",
            fix="Link one item to each label.",
        )
    barcode = member(item, "barcode")
    if barcode is None and found:
        barcode = member(found[0], "barcode")
    label_id = read_label(barcode, f"{at}/barcode")
    if not found:
        return label_id
    place = member(found[0], "displayPosition")
    if as_id(place) not in {"", "0", "1"}:
        raise InvalidInput.at(
            pointer(f"{at}/links/0", "displayPosition"),
            "a second place, and a label here speaks for one item",
            fix="Leave it out, or send 0.",
        )
    sku = read_article(member(found[0], "itemId", "linkedItemId"), f"{at}/links/0/itemId")
    return Pairing(label_id=label_id, sku=sku)


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
