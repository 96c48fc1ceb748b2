"""Stores, labels and pairings as JSON."""

import re
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError

from esl.domain.errors import InvalidInput
from esl.domain.ids import GatewayId, LabelId, PanelId, Sku, StoreId, check_sku, check_slug
from esl.domain.law.chosen import check_law
from esl.domain.money import check_currency
from esl.domain.panel import Panels
from esl.domain.place import PRODUCTS_MOST, NewLabel, Pairing, Store
from esl.domain.pricing import KEEP
from esl.domain.shop_link import check_shop_pattern
from esl.intake.fields import Fields
from esl.intake.law_goods_json import law_goods_view, parse_law_goods
from esl.intake.price_json import parse_each
from esl.intake.shelf_json import read_place_of
from esl.intake.strict_json import pointer

_LOCALE = re.compile(r"[a-z]{2,3}(?:_[A-Z][a-z]{3})?(?:_[A-Z]{2})?")
_LINK_BASE = re.compile(r"[Hh][Tt][Tt][Pp][Ss]://[A-Za-z0-9.-]{1,80}(?::[0-9]{1,5})?")


def parse_store(value: Any, *, store_id: StoreId) -> Store:
    """Read a store: name, currency, locale, timezone, and what it may leave out.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    name = fields.text("name", longest=120, required=True)
    currency = fields.parsed(
        "currency", lambda text, at: check_currency(text, path=at), required=True
    )
    locale = fields.parsed("locale", _parse_locale, required=True)
    timezone = fields.parsed("timezone", _parse_timezone, required=True)
    link_base = fields.parsed("link_base", _parse_link_base)
    read_back_percent = fields.integer("read_back_percent", high=100)
    shop_link = fields.parsed(
        "shop_link", lambda text, at: check_shop_pattern(text, store=store_id, path=at)
    )
    law = fields.parsed("law", lambda text, at: check_law(text, path=at))
    law_goods = _read_law_goods(fields, law, locale)
    fields.finish()
    return Store(
        store_id=store_id,
        name=str(name),
        currency=str(currency),
        locale=str(locale),
        timezone=str(timezone),
        link_base=link_base if isinstance(link_base, str) else None,
        read_back_percent=1 if read_back_percent is None else read_back_percent,
        shop_link=shop_link if isinstance(shop_link, str) else None,
        law=law if isinstance(law, str) else None,
        law_goods=law_goods,
    )


def store_view(store: Store) -> dict[str, Any]:
    """Write a store as it is read."""
    return asdict(store) | {"law_goods": law_goods_view(store.law_goods)}


def _read_law_goods(fields: Fields, law: object, locale: object) -> str | None:
    value = fields.take("law_goods")
    if value is KEEP or value is None:
        return None
    try:
        return parse_law_goods(
            value,
            pointer(fields.path, "law_goods"),
            law=law if isinstance(law, str) else None,
            locale=str(locale),
        )
    except InvalidInput as exc:
        fields.problems.extend(exc.problems)
        return None


def parse_new_labels(value: Any, *, store_id: StoreId, panels: Panels) -> list[NewLabel]:
    """Read labels to register: one ``{"label": …, "panel": …, "gateway": … or left out}``, or many.

    Raises:
        InvalidInput: With the path of each bad field; a label that stands there twice is one.
    """
    if isinstance(value, dict):
        return [_parse_new_label(value, "", store_id=store_id, panels=panels)]
    new = parse_each(
        value, lambda item, path: _parse_new_label(item, path, store_id=store_id, panels=panels)
    )
    seen: set[LabelId] = set()
    for index, label in enumerate(new):
        if label.label_id in seen:
            raise InvalidInput.at(
                f"/{index}/label", "the same label twice", fix="Send each label once."
            )
        seen.add(label.label_id)
    return new


def _parse_new_label(value: Any, path: str, *, store_id: StoreId, panels: Panels) -> NewLabel:
    fields = Fields(value, path=path)
    label = fields.parsed(
        "label", lambda text, at: check_slug(text, path=at, what="label"), required=True
    )
    panel = fields.parsed("panel", lambda text, at: _parse_panel(text, at, panels), required=True)
    gateway = fields.parsed("gateway", lambda text, at: check_slug(text, path=at, what="gateway"))
    fields.finish()
    return NewLabel(
        label_id=LabelId(str(label)),
        store_id=store_id,
        panel_id=PanelId(str(panel)),
        gateway_id=GatewayId(gateway) if isinstance(gateway, str) else None,
    )


def parse_pairing(value: Any, path: str, *, label_id: LabelId | None = None) -> Pairing:
    """Read a pairing: ``{"label": …, "sku": …}``, or ``skus`` for several products on one label.

    The label may come from the URL instead. ``place`` says where it hangs, or its parts do.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value, path=path)
    label: object = label_id
    if label_id is None:
        label = fields.parsed(
            "label", lambda text, at: check_slug(text, path=at, what="label"), required=True
        )
    several = fields.take("skus") if fields.has("skus") else None
    skus: tuple[Sku, ...] = ()
    if several is not None:
        try:
            skus = parse_skus(several, f"{path}/skus")
        except InvalidInput as exc:
            fields.problems.extend(exc.problems)
        if fields.take("sku") is not KEEP:
            fields.problem("sku", "beside skus", fix="Send one of the two.")
    else:
        sku = fields.parsed("sku", lambda text, at: check_sku(text, path=at), required=True)
        skus = (Sku(str(sku)),)
    place = read_place_of(fields)
    fields.finish()
    return Pairing(label_id=LabelId(str(label)), sku=skus[0], more=skus[1:], place=place)


def parse_skus(value: Any, path: str) -> tuple[Sku, ...]:
    """Read the products of one label, in their order on it.

    Raises:
        InvalidInput: There is none, too many, or one twice.
    """
    if not isinstance(value, list) or not value:
        raise InvalidInput.at(path, "not a list of SKUs", fix="Send them in their order.")
    if len(value) > PRODUCTS_MOST:
        raise InvalidInput.at(
            path, f"{len(value)} products on one label", fix=f"Send {PRODUCTS_MOST} at most."
        )
    skus: list[Sku] = []
    for place, each in enumerate(value):
        if not isinstance(each, str):
            raise InvalidInput.at(f"{path}/{place}", "not a text", fix="Send the SKU in quotes.")
        sku = Sku(check_sku(each, path=f"{path}/{place}"))
        if sku in skus:
            raise InvalidInput.at(f"{path}/{place}", "the same product twice", fix="Send it once.")
        skus.append(sku)
    return tuple(skus)


def _parse_locale(text: str, path: str) -> str:
    if not _LOCALE.fullmatch(text):
        raise InvalidInput.at(
            path, "not a locale", fix='Send a language and a country, such as "hr_HR".'
        )
    language = text.partition("_")[0]
    try:
        Locale.parse(language)
    except (UnknownLocaleError, ValueError):  # its prices would be written as in English
        raise InvalidInput.at(
            path,
            f"no language is known as {language!r}",
            fix='Send the language\'s ISO 639 code and a country, such as "hr_HR".',
        ) from None
    return text


def _parse_timezone(text: str, path: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput.at(
            path, "not a known time zone", fix='Send an IANA name, such as "Europe/Zagreb".'
        ) from None
    return text


def _parse_link_base(text: str, path: str) -> str:
    if not _LINK_BASE.fullmatch(text):
        raise InvalidInput.at(
            path,
            "not the start of an https address",
            fix='Send scheme and host alone, such as "https://shop.example".',
        )
    return text


def _parse_panel(text: str, path: str, panels: Panels) -> PanelId:
    if text not in panels:
        near = panels.near(text)
        hint = f"Perhaps {' or '.join(near)}? " if near else ""
        raise InvalidInput.at(
            path, "not a known panel model", fix=f"{hint}All of them: esl panels."
        )
    return PanelId(text)
