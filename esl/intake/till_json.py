"""What is said about tills, as JSON: a store's setting, words of a till, labels that are gone."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from esl.domain.errors import InvalidInput
from esl.domain.ids import LabelId, Sku, StoreId, check_sku, check_slug
from esl.domain.till_channel import (
    ACKNOWLEDGE_WITHIN,
    SECRET_LONGEST,
    SECRET_SHORTEST,
    URL_LONGEST,
    PriceOwner,
    TillChannel,
    TillSetting,
)
from esl.intake.fields import Fields
from esl.intake.guard_json import read_flag

WORDS_MOST: Final = 1000
LABELS_MOST: Final = 200
REASON_LONGEST: Final = 300
WITHIN_LEAST_S: Final = 10
WITHIN_MOST_S: Final = 86_400
KEY_LEAST_BYTES: Final = 16
REV_MOST: Final = 2**53 - 1

Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class TillPut:
    """A store's setting as it was sent; the secret is sealed before it is kept."""

    setting: TillSetting
    secret: str | None


def parse_till_setting(value: Any, *, store_id: StoreId) -> TillPut:
    """Read how a store's tills are told.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    owner = _word(fields, "price_owner", PriceOwner, PriceOwner.TILL)
    channel = _word(fields, "channel", TillChannel, TillChannel.NONE)
    is_safe = read_flag(fields, "increase_safe", usual=False)
    url = fields.parsed("url", parse_url)
    allow_private = read_flag(fields, "allow_private", usual=False)
    secret = fields.parsed("secret", _parse_secret)
    within_s = fields.integer("acknowledge_within_s", low=WITHIN_LEAST_S, high=WITHIN_MOST_S)
    fields.finish()
    within = ACKNOWLEDGE_WITHIN if within_s is None else timedelta(seconds=within_s)
    setting = TillSetting(
        store_id=store_id,
        price_owner=owner,
        channel=channel,
        is_safe=is_safe,
        url=url if isinstance(url, str) else None,
        allow_private=allow_private,
        acknowledge_within=within,
    )
    return TillPut(setting=setting, secret=secret if isinstance(secret, str) else None)


def till_setting_view(setting: TillSetting) -> dict[str, Any]:
    """Write a setting as it is read; never the secret."""
    return {
        "price_owner": setting.price_owner.value,
        "channel": setting.channel.value,
        "increase_safe": setting.is_safe,
        "url": setting.url,
        "allow_private": setting.allow_private,
        "acknowledge_within_s": int(setting.acknowledge_within.total_seconds()),
    }


def parse_words(value: Any) -> list[tuple[Sku, int]]:
    """Read a till's words: ``{"prices": [{"sku": …, "rev": …}]}``.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    listed = _list(fields, "prices", WORDS_MOST)
    words: list[tuple[Sku, int]] = []
    for place, each in enumerate(listed):
        one = Fields(each, path=f"/prices/{place}")
        sku = one.parsed("sku", lambda text, at: check_sku(text, path=at), required=True)
        rev = one.integer("rev", low=1, high=REV_MOST)
        if rev is None and not one.problems:
            one.problem("rev", "missing", fix="Send the rev that the price was given with.")
        try:
            one.finish()
        except InvalidInput as exc:
            fields.problems.extend(exc.problems)
            continue
        if rev is not None:
            words.append((Sku(str(sku)), rev))
    fields.finish()
    return words


def parse_absent(value: Any) -> tuple[list[LabelId], str]:
    """Read which labels hang no more, and why a person says so.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    listed = _list(fields, "labels", LABELS_MOST)
    found: list[LabelId] = []
    for place, each in enumerate(listed):
        at = f"/labels/{place}"
        if not isinstance(each, str):
            raise InvalidInput.at(at, "not a text", fix="Send the id of the label in quotes.")
        found.append(LabelId(check_slug(each, path=at, what="label")))
    reason = fields.text("reason", longest=REASON_LONGEST, required=True)
    fields.finish()
    return found, str(reason)


def _list(fields: Fields, name: str, most: int) -> Sequence[Any]:
    value = fields.take(name)
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        fields.problem(name, "not a list of one or more", fix=f"Send 1 to {most} in a list.")
        return []
    return value


def _word(fields: Fields, name: str, words: type[Word], usual: Word) -> Word:
    found = fields.parsed(name, lambda text, at: _parse_word(text, at, words))
    return found if isinstance(found, words) else usual


def _parse_word(text: str, path: str, words: type[Word]) -> Word:
    try:
        return words(text)
    except ValueError:
        raise InvalidInput.at(
            path, "not one of the words for it", fix=f"Send one of: {', '.join(words)}."
        ) from None


def parse_url(text: str, path: str) -> str:
    """Read the address of a webhook.

    Raises:
        InvalidInput: It is none.
    """
    try:
        parts = urlsplit(text)
        is_good = (
            len(text) <= URL_LONGEST
            and text.isascii()
            and text.isprintable()
            and " " not in text
            and parts.scheme in ("https", "http")
            and bool(parts.hostname)
            and parts.username is None
            and not parts.fragment
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        is_good = False
    if not is_good:
        raise InvalidInput.at(
            path,
            "not the https address of a webhook",
            fix="Send it such as https://till.example/prices, without a name or password in it.",
        )
    return text


def _parse_secret(text: str, path: str) -> str:
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if not SECRET_SHORTEST <= len(text) <= SECRET_LONGEST or len(key) < KEY_LEAST_BYTES:
        raise InvalidInput.at(
            path,
            "not a secret of Standard Webhooks",
            fix=f"Send the base64 of {KEY_LEAST_BYTES} to 64 bytes of chance, with whsec_ before.",
        )
    return text
