"""Stores, labels and pairings as JSON."""

import re
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from esl.domain.errors import InvalidInput
from esl.domain.ids import GatewayId, LabelId, PanelId, Sku, StoreId, check_sku, check_slug
from esl.domain.money import check_currency
from esl.domain.panel import Panels
from esl.domain.place import NewLabel, Pairing, Store
from esl.domain.shop_link import check_shop_pattern
from esl.intake.fields import Fields
from esl.intake.price_json import parse_each

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
    )


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
    """Read a pairing: ``{"label": …, "sku": …}``; the label may come from the URL instead.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value, path=path)
    label: object = label_id
    if label_id is None:
        label = fields.parsed(
            "label", lambda text, at: check_slug(text, path=at, what="label"), required=True
        )
    sku = fields.parsed("sku", lambda text, at: check_sku(text, path=at), required=True)
    fields.finish()
    return Pairing(label_id=LabelId(str(label)), sku=Sku(str(sku)))


def _parse_locale(text: str, path: str) -> str:
    if not _LOCALE.fullmatch(text):
        raise InvalidInput.at(
            path, "not a locale", fix='Send a language and a country, such as "hr_HR".'
        )
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
