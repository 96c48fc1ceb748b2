"""Requests about labels and gateways as JSON: policies, withdrawals, flips, lights, settings."""

import base64
import binascii
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from esl.domain.errors import InvalidInput
from esl.domain.ids import LabelId, Sku, StoreId, check_sku, check_slug
from esl.domain.place import Neutral, StorePolicy, UnknownLabels
from esl.domain.pricing import PriceChange
from esl.intake.fields import Fields
from esl.intake.price_json import MAX_CHANGES, parse_price_changes

LABELS_MOST = 1_000
VERDICT_LEAST_S = 30
VERDICT_MOST_S = 86_400
SECONDS_MOST = 86_400
LIGHT_MOST_S = 600
IMAGE_MOST_BYTES = 2 * 1024 * 1024
VERSION_LONGEST = 64


class Withdrawn(StrEnum):
    """What is taken away."""

    PRICE = "price"
    PRODUCT = "product"


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """Products, and whether they or only their prices go."""

    what: Withdrawn
    skus: tuple[Sku, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlipRequest:
    """Prices for a moment; ``said`` is them as JSON."""

    at: datetime
    changes: tuple[PriceChange, ...]
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LightRequest:
    """Labels to blink, in a colour, for some seconds; 0 switches them off."""

    labels: tuple[LabelId, ...]
    colour: str
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayOrder:
    """A command for a gateway: time, report, or settings of which None keeps its value."""

    kind: str
    beacon_s: int | None = None
    heartbeat_s: int | None = None
    window: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareRequest:
    """A firmware image for a gateway or a panel model."""

    target: str
    version: str
    image: bytes
    at: datetime | None


LIGHT_COLOURS = ("red", "green", "blue", "white", "yellow")
GATEWAY_ORDERS = ("time", "report", "config")


def parse_policy(value: Any) -> StorePolicy:
    """Read what a store does with labels in doubt; what is left out is as by default.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    neutral = fields.parsed("neutral", lambda text, at: _one_of(text, at, Neutral))
    unknown = fields.parsed("unknown_labels", lambda text, at: _one_of(text, at, UnknownLabels))
    adopt_until = fields.instant("adopt_until")
    within_s = fields.integer("verdict_within_s", low=VERDICT_LEAST_S, high=VERDICT_MOST_S)
    fields.finish()
    default = StorePolicy()
    return StorePolicy(
        neutral=neutral if isinstance(neutral, Neutral) else default.neutral,
        unknown_labels=unknown if isinstance(unknown, UnknownLabels) else default.unknown_labels,
        adopt_until=adopt_until,
        verdict_within=(
            timedelta(seconds=within_s) if within_s is not None else default.verdict_within
        ),
    )


def parse_withdrawal(value: Any) -> Withdrawal:
    """Read which products go, or only their prices.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    what = fields.parsed("what", lambda text, at: _one_of(text, at, Withdrawn), required=True)
    skus = _texts(fields, "skus", MAX_CHANGES, lambda text, at: check_sku(text, path=at))
    fields.finish()
    return Withdrawal(
        what=what if isinstance(what, Withdrawn) else Withdrawn.PRICE,
        skus=tuple(sorted({Sku(sku) for sku in skus})),
    )


def parse_flip(value: Any, *, store_id: StoreId, currency: str) -> FlipRequest:
    """Read prices for a moment: ``{"at": …, "changes": [{"sku": …, "price": …}, …]}``.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    at = fields.instant("at")
    if at is None and not fields.problems:
        fields.problem("at", "missing", fix='Send it as "2026-03-01T06:00:00Z".')
    said = fields.take("changes")
    if not isinstance(said, list):
        fields.problem("changes", "not an array")
    fields.finish()
    try:
        changes = parse_price_changes(said, store_id=store_id, currency=currency)
    except InvalidInput as exc:
        raise InvalidInput(
            [type(p)(path=f"/changes{p.path}", detail=p.detail, fix=p.fix) for p in exc.problems]
        ) from None
    if at is None:
        raise InvalidInput.at("/at", "missing")
    if any(c.source_seq is not None or c.source_time is not None for c in changes):
        raise InvalidInput.at(
            "/changes",
            "a price for later has no place in its source's order",
            fix="Leave source_seq and source_time out.",
        )
    placed = tuple(replace(c, path=f"/changes{c.path}") for c in changes)
    return FlipRequest(at=at, changes=placed, said=json.dumps(said))


def parse_light(value: Any) -> LightRequest:
    """Read which labels are to blink.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    labels = _texts(
        fields, "labels", LABELS_MOST, lambda text, at: check_slug(text, path=at, what="label")
    )
    colour = fields.parsed("colour", _colour)
    seconds = fields.integer("seconds", high=LIGHT_MOST_S)
    fields.finish()
    return LightRequest(
        labels=tuple(sorted({LabelId(label) for label in labels})),
        colour=colour if isinstance(colour, str) else "green",
        seconds=30 if seconds is None else seconds,
    )


def parse_gateway_order(value: Any) -> GatewayOrder:
    """Read a command for a gateway.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    kind = fields.parsed("kind", _kind, required=True)
    beacon_s = fields.integer("beacon_s", low=1, high=SECONDS_MOST)
    heartbeat_s = fields.integer("heartbeat_s", low=1, high=SECONDS_MOST)
    window = fields.integer("window", low=1, high=4096)
    given = [v for v in (beacon_s, heartbeat_s, window) if v is not None]
    if isinstance(kind, str) and not fields.problems and (kind == "config") != bool(given):
        fields.problem("kind", "settings go with config, and config with settings")
    fields.finish()
    return GatewayOrder(
        kind=kind if isinstance(kind, str) else "",
        beacon_s=beacon_s,
        heartbeat_s=heartbeat_s,
        window=window,
    )


def parse_firmware(value: Any) -> FirmwareRequest:
    """Read a firmware image, in base64.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    target = fields.parsed(
        "target", lambda text, at: check_slug(text, path=at, what="target"), required=True
    )
    version = fields.text("version", longest=VERSION_LONGEST, required=True)
    image = fields.parsed("image", _image, required=True)
    at = fields.instant("at")
    fields.finish()
    return FirmwareRequest(
        target=str(target),
        version=str(version),
        image=image if isinstance(image, bytes) else b"",
        at=at,
    )


def _image(text: str, path: str) -> bytes:
    try:
        image = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput.at(path, "not base64") from None
    if not 1 <= len(image) <= IMAGE_MOST_BYTES:
        raise InvalidInput.at(path, f"not 1 to {IMAGE_MOST_BYTES} bytes")
    return image


def _colour(text: str, path: str) -> str:
    if text not in LIGHT_COLOURS:
        raise InvalidInput.at(path, "no such colour", fix=f"One of {', '.join(LIGHT_COLOURS)}.")
    return text


def _kind(text: str, path: str) -> str:
    if text not in GATEWAY_ORDERS:
        raise InvalidInput.at(path, "no such command", fix=f"One of {', '.join(GATEWAY_ORDERS)}.")
    return text


def _one_of(text: str, path: str, kinds: type[StrEnum]) -> StrEnum:
    try:
        return kinds(text)
    except ValueError:
        fix = f"One of {', '.join(kinds)}."
        raise InvalidInput.at(path, "no such value", fix=fix) from None


def _texts(fields: Fields, name: str, most: int, check: Any) -> list[str]:
    value = fields.take(name)
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        fields.problem(name, f"not an array of 1 to {most} strings")
        return []
    found: list[str] = []
    for index, text in enumerate(value):
        at = f"{fields.path}/{name}/{index}"
        if not isinstance(text, str):
            fields.problem(f"{name}/{index}", "not a string")
            continue
        try:
            found.append(check(text, at))
        except InvalidInput as exc:
            fields.problems.extend(exc.problems)
    return found
