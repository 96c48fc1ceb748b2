"""Bodies of SoluM's interface (AIMS), in the forms that drivers send.

articles   [{"articleId", "articleName", "nfcUrl", "data": {…}}]
           {"dataList": [{"stationCode", "id", "name", "nfc", "data": {…}}]}
links      {"assignList": [{"labelCode", "articleIdList": […], "templateName"}]}
           {"labelCode", "articleId"}
lights     [{"labelCode", "color", "duration"}], {"ledBlinkList": […]}, {"labelCode"}
"""

from dataclasses import dataclass
from typing import Any

from esl.domain.errors import FieldProblem, InvalidInput, NotSignedIn
from esl.domain.ids import LabelId, Sku
from esl.domain.place import Pairing
from esl.intake.compat.items import ITEMS_MOST, Sent
from esl.intake.compat.members import (
    as_id,
    listed,
    member,
    read_article,
    read_articles,
    read_label,
    read_seconds,
)
from esl.intake.order_json import LABELS_MOST, LIGHT_COLOURS, LIGHT_MOST_S
from esl.intake.strict_json import pointer

_LIGHT_USUAL_S = 30
_OFF = "off"
_SAID_ELSEWHERE = frozenset(
    {"articleId", "id", "articleName", "name", "nfcUrl", "nfc", "data", "stationCode"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Articles:
    """Articles, and the one store that they name themselves; None where they name none."""

    sent: tuple[Sent, ...]
    station: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Blink:
    """A label that shall blink."""

    label_id: LabelId
    colour: str
    seconds: int


def parse_login(value: Any) -> tuple[str, str]:
    """Read ``{"username": …, "password": …}``.

    Raises:
        NotSignedIn: One of them is missing.
    """
    name, password = member(value, "username"), member(value, "password")
    if not (isinstance(name, str) and isinstance(password, str)):
        raise NotSignedIn("no username or no password was sent")
    return name, password


def parse_articles(value: Any) -> Articles:
    """Read articles, of the present form or the older one.

    Raises:
        InvalidInput: It is no list of objects, or they are of several stores.
    """
    name = "dataList" if member(value, "dataList") is not None else "articleList"
    items = listed(value, name, "", most=ITEMS_MOST)
    sent: list[Sent] = []
    stations: set[str] = set()
    for number, item in enumerate(items):
        if not isinstance(item, dict):
            raise InvalidInput.at(f"/{number}", "not an object")
        if station := as_id(member(item, "stationCode")):
            stations.add(station)
        sent.append(_article(item))
    if len(stations) > 1:
        raise InvalidInput.at("", "articles of several stores", fix="Send each store's alone.")
    return Articles(sent=tuple(sent), station=next(iter(stations), None))


def parse_article_ids(value: Any) -> list[Sku]:
    """Read ``{"articleDeleteList": […]}``.

    Raises:
        InvalidInput: It names none, or too many.
    """
    found = (
        member(value, "articleDeleteList", "articleIdList") if isinstance(value, dict) else value
    )
    if not isinstance(found, list):
        raise InvalidInput.at("/articleDeleteList", "no list", fix="Name the articles.")
    ids = listed(found, "", "/articleDeleteList", most=ITEMS_MOST)
    return [read_article(one, pointer("/articleDeleteList", n)) for n, one in enumerate(ids)]


def parse_links(value: Any) -> list[Pairing]:
    """Read which label shall speak for which articles, in their order on it.

    Raises:
        InvalidInput: With every bad one.
    """
    pairs: list[Pairing] = []
    problems: list[FieldProblem] = []
    for number, item in enumerate(listed(value, "assignList", "", most=LABELS_MOST)):
        at = pointer("/assignList", number)
        try:
            pairs.append(_link(item, at))
        except InvalidInput as exc:
            problems.extend(exc.problems)
    if problems:
        raise InvalidInput(problems[:50])
    return pairs


def names_a_template(value: Any) -> bool:
    """Say whether links that `parse_links` could read ask for a template of the driver's."""
    items = listed(value, "assignList", "", most=LABELS_MOST)
    return any(as_id(member(item, "templateName")) for item in items)


def parse_unlinks(value: Any) -> list[LabelId]:
    """Read ``{"unAssignList": ["code"]}``, or one ``{"labelCode"}``.

    Raises:
        InvalidInput: It names no label.
    """
    items = listed(value, "unAssignList", "", most=LABELS_MOST)
    return [
        read_label(
            item if isinstance(item, str) else member(item, "labelCode"),
            pointer("/unAssignList", number),
        )
        for number, item in enumerate(items)
    ]


def parse_blinks(value: Any) -> list[Blink]:
    """Read which labels shall blink, how long and in which colour.

    Raises:
        InvalidInput: A label, colour or duration that there is not.
    """
    blinks: list[Blink] = []
    for number, item in enumerate(listed(value, "ledBlinkList", "", most=LABELS_MOST)):
        at = f"/{number}"
        colour = str(as_id(member(item, "color", "colour")) or LIGHT_COLOURS[0]).lower()
        if colour not in (*LIGHT_COLOURS, _OFF):
            raise InvalidInput.at(
                f"{at}/color", "not a colour of our labels", fix=f"{', '.join(LIGHT_COLOURS)}."
            )
        seconds = read_seconds(
            member(item, "duration"), f"{at}/duration", usual=_LIGHT_USUAL_S, most=LIGHT_MOST_S
        )
        blinks.append(
            Blink(
                label_id=read_label(member(item, "labelCode"), f"{at}/labelCode"),
                colour=LIGHT_COLOURS[0] if colour == _OFF else colour,
                seconds=0 if colour == _OFF else seconds,
            )
        )
    return blinks


def _article(item: dict[str, Any]) -> Sent:
    key = as_id(member(item, "articleId", "id"))
    data = item.get("data")
    members: dict[str, Any] = {
        name: value for name, value in item.items() if name not in _SAID_ELSEWHERE
    }
    members["articleId"] = key or None
    for ours, theirs in (("articleName", "name"), ("nfcUrl", "nfc")):
        for name in (ours, theirs):
            if name in item:
                members[ours] = _or_none(item[name])
                break
    if isinstance(data, dict):
        members["data"] = {name: _or_none(inner) for name, inner in data.items()}
    return Sent(key=key, members=members)


def _or_none(value: Any) -> Any:
    """Take an empty text for null: SoluM keeps it as the new, empty value."""
    return None if isinstance(value, str) and not value.strip() else value


def _link(item: Any, at: str) -> Pairing:
    label_id = read_label(member(item, "labelCode"), f"{at}/labelCode")
    articles = member(item, "articleIdList", "articleId")
    skus = read_articles(articles, f"{at}/articleIdList")
    return Pairing(label_id=label_id, sku=skus[0], more=skus[1:])
