"""The table: how each system signs, and where it names its events.

    kind         proof                                               event id
    shopify      X-Shopify-Hmac-Sha256: base64 HMAC-SHA256           X-Shopify-Webhook-Id
    woocommerce  X-WC-Webhook-Signature: base64 HMAC-SHA256          X-WC-Webhook-Delivery-ID
    bigcommerce  Standard Webhooks with the app's client secret      webhook-id
    square       x-square-hmacsha256-signature: of address and body  event_id in the body
    erpnext      X-Frappe-Webhook-Signature: base64 HMAC-SHA256      a body that has `modified`
    odoo         the secret in the address: Odoo signs nothing       none: it sends once
    clover       X-Clover-Auth: a shared text                        the body; it has its times
    loyverse     X-Loyverse-Signature: hex HMAC-SHA1, or address     the body; it has its time
    lightspeed   X-Signature: hex HMAC-SHA256, or the address        none
    standard     Standard Webhooks 1.0.0, v1 and v1a                 webhook-id
    generic      ESL-Signature: t=,v1=                               event_id in the body, or
                                                                     time and body together

Where a system names no event, each call is one: its times are of whole seconds, and two changes
within one would look like one sent twice. A repeat then changes nothing, a late one is superseded
by the time in it.

Which headers an event keeps is said here too: what its reader needs, never a signature.
Facts: field notes, ux 5 and standards F; Lightspeed's and Loyverse's signatures are as their
users report them, so both may use the address instead.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from esl.intake.hooks.request import Genuine, Greeting, HookRequest, HookSecrets, Verdict
from esl.intake.hooks.schemes import (
    BodyHmac,
    Scheme,
    SharedText,
    StandardWebhooks,
    TimedHmac,
    after_the_address,
)

EVENT_ID_LONGEST = 200
TOPIC_LONGEST = 120
_WC_PING = re.compile(rb"webhook_id=[0-9]{1,10}")
_CLOVER_CODE = re.compile(rb'\{\s*"verificationCode"\s*:\s*"([0-9A-Za-z-]{1,64})"\s*\}')
_LIGHTSPEED = re.compile(r"signature=([0-9a-f]{64}),\s*algorithm=HMAC-SHA256")


class HookKind(StrEnum):
    """A system that calls us."""

    SHOPIFY = "shopify"
    WOOCOMMERCE = "woocommerce"
    BIGCOMMERCE = "bigcommerce"
    SQUARE = "square"
    ERPNEXT = "erpnext"
    ODOO = "odoo"
    CLOVER = "clover"
    LOYVERSE = "loyverse"
    LIGHTSPEED = "lightspeed"
    STANDARD = "standard"
    GENERIC = "generic"


Name = Callable[[HookRequest], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """One row of the table.

    ``event_id`` and ``topic`` read a request that is genuine already; ``greeting`` one that is
    not signed, and says None unless it is the system's own way to say hello.
    """

    scheme: Scheme
    event_id: Name | None = None
    topic: Name | None = None
    keep: tuple[str, ...] = ()  # headers that its reader needs
    greeting: Callable[[HookRequest], Greeting | None] | None = None


def verify(kind: HookKind, request: HookRequest, secrets: HookSecrets, now: datetime) -> Verdict:
    """Say who sent a request, before anything of its body is believed."""
    row = VERIFIERS[kind]
    checked = row.scheme(request, secrets, now)
    if not isinstance(checked, Genuine):
        greeting = row.greeting(request) if row.greeting is not None else None
        return greeting or checked
    event_id = row.event_id(request) if row.event_id is not None else None
    topic = row.topic(request) if row.topic is not None else None
    event_id = event_id if event_id is not None else checked.event_id
    if event_id is not None and (len(event_id) > EVENT_ID_LONGEST or not event_id.isprintable()):
        name = event_id.encode(errors="surrogatepass")
        event_id = f"sha256:{hashlib.sha256(name).hexdigest()}"
    readable = "".join(c for c in topic or "" if c.isprintable())
    return replace(checked, event_id=event_id, topic=readable[:TOPIC_LONGEST])


def _header(name: str) -> Name:
    return lambda request: request.headers.get(name) or None


def _json(request: HookRequest) -> Any:
    """Read a body only to find a name in it; whether it is any good is its reader's business."""
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError):
        return None


def _in_body(*path: str) -> Name:
    def read(request: HookRequest) -> str | None:
        value = _json(request)
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        return value if isinstance(value, str) and value else None

    return read


def _body_digest(request: HookRequest) -> str:
    return f"sha256:{hashlib.sha256(request.body).hexdigest()}"


def _if_it_has(*path: str) -> Name:
    """Name an event by its body, if the body says when: only then is an equal one a repeat."""
    find = _in_body(*path)
    return lambda request: None if find(request) is None else _body_digest(request)


def _lightspeed_signature(header: str) -> str:
    found = _LIGHTSPEED.fullmatch(header.strip())
    return found[1] if found else ""


def _signed_or_addressed(signed: BodyHmac) -> Scheme:
    """Check the signature where there is one, else the address.

    Both need the secret, so leaving the signature out wins nothing.
    """
    addressed = SharedText()

    def check(request: HookRequest, secrets: HookSecrets, now: datetime) -> Any:
        scheme = signed if signed.header in request.headers else addressed
        return scheme(request, secrets, now)

    return check


def _woocommerce_ping(request: HookRequest) -> Greeting | None:
    return Greeting() if _WC_PING.fullmatch(request.body) else None


def _clover_code(request: HookRequest) -> Greeting | None:
    found = _CLOVER_CODE.fullmatch(request.body.strip())
    return Greeting(code=found[1].decode()) if found else None


VERIFIERS: Mapping[HookKind, Verifier] = MappingProxyType(
    {
        HookKind.SHOPIFY: Verifier(
            scheme=BodyHmac(header="x-shopify-hmac-sha256"),
            event_id=_header("x-shopify-webhook-id"),
            topic=_header("x-shopify-topic"),
            keep=("x-shopify-topic", "x-shopify-shop-domain", "x-shopify-triggered-at"),
        ),
        HookKind.WOOCOMMERCE: Verifier(
            scheme=BodyHmac(header="x-wc-webhook-signature"),
            event_id=_header("x-wc-webhook-delivery-id"),
            topic=_header("x-wc-webhook-topic"),
            keep=("x-wc-webhook-topic", "x-wc-webhook-source"),
            greeting=_woocommerce_ping,
        ),
        HookKind.BIGCOMMERCE: Verifier(
            scheme=StandardWebhooks(plain=True), topic=_in_body("scope")
        ),
        HookKind.SQUARE: Verifier(
            scheme=BodyHmac(header="x-square-hmacsha256-signature", signed=after_the_address),
            event_id=_in_body("event_id"),
            topic=_in_body("type"),
        ),
        HookKind.ERPNEXT: Verifier(
            scheme=BodyHmac(header="x-frappe-webhook-signature"),
            event_id=_if_it_has("modified"),
            topic=_in_body("doctype"),
        ),
        HookKind.ODOO: Verifier(scheme=SharedText(), topic=_in_body("_model")),
        HookKind.CLOVER: Verifier(
            scheme=SharedText(header="x-clover-auth"),
            event_id=_body_digest,
            greeting=_clover_code,
        ),
        HookKind.LOYVERSE: Verifier(
            scheme=_signed_or_addressed(
                BodyHmac(header="x-loyverse-signature", digest="sha1", write=bytes.hex)
            ),
            event_id=_if_it_has("created_at"),
            topic=_in_body("type"),
        ),
        HookKind.LIGHTSPEED: Verifier(
            scheme=_signed_or_addressed(
                BodyHmac(header="x-signature", write=bytes.hex, read=_lightspeed_signature)
            ),
            keep=("content-type",),
        ),
        HookKind.STANDARD: Verifier(scheme=StandardWebhooks(), topic=_in_body("type")),
        HookKind.GENERIC: Verifier(
            scheme=TimedHmac(), event_id=_in_body("event_id"), topic=_in_body("type")
        ),
    }
)
