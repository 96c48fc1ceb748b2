r"""What a label showed at a moment, as an answer, and as a bundle that proves itself offline.

::

    statement.json    the answer, the keys that count, and the SHA-256 of every other file
    statement.sig     Ed25519 over "esl proof 1\n" + SHA-256 of the statement in hex + "\n"
    public_key.txt    of that signature
    records.json      sealed records with their way to a signed checkpoint
    published.json    what the shop's key signed of the payload that told the label to show it
    frame.bin         the picture as the label has it: its SHA-256 is the digest it reported
    picture.png       the same for people
    verify_proof.py   checks all of this, alone
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from api.audit.files import AuditFolder
from api.house import House
from api.schemas import face_view, money
from esl.domain.chain import Checkpoint, RecordKind
from esl.domain.ids import Digest, LabelId
from esl.domain.instants import instant_or_none
from esl.domain.label import LabelState
from esl.services import deliveries
from esl.services.shown import (
    Certainty,
    Sealed,
    ShownThen,
    record_text,
    sealed_record,
    shown_then,
)
from esl.store.published import KeptPayload
from esl.store.shown_at import PriceThen, Reported, Told
from gateway.bases import load_bases
from renderer.preview import png_bytes

_TITLE: Final = "esl proof 1"
_OLDEST: Final = (1980, 1, 1, 0, 0, 0)  # of a file in a zip: the same answer is the same bundle

_NOTES: Final[Mapping[Certainty, str]] = {
    Certainty.REPORTED: "The label had reported this and had been told nothing else by then.",
    Certainty.BETWEEN: "The label had been told something newer, which it had not reported by "
    "then: it showed what it had reported, or one of “maybe”.",
    Certainty.UNKNOWN: "The label had reported nothing by then that is still written down.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The answer, and what proves it."""

    answer: dict[str, Any]
    records: tuple[Sealed, ...]
    pixels: bytes | None
    png: bytes | None
    published: dict[str, Any] | None  # None: no signature is kept


def prove(tx: Connection, house: House, state: LabelState, at: datetime) -> Proof:
    """Gather what is known of a label at a moment."""
    found = shown_then(tx, state.label_id, at, house.clock.now())
    pixels: bytes | None = None
    png: bytes | None = None
    records: list[Sealed] = []
    display: Sealed | None = None
    if found.reported is not None:
        base = load_bases(tx, [found.reported.digest], house.panels).get(found.reported.digest)
        if base is not None:
            pixels = base.pixels
            png = png_bytes(pixels, house.panels.named(base.panel_id))
        display = sealed_record(tx, RecordKind.DISPLAY, found.reported.entry_id)
        of_prices = [
            sealed_record(tx, RecordKind.PRICE, price.event_id)
            for price in found.prices
            if price.event_id is not None and _was_paired(price, found.told)
        ]
        records = [one for one in (display, *of_prices) if one is not None]
    answer = _answer(tx, found, state, display, has_picture=png is not None)
    published: dict[str, Any] | None = None
    if (sent := found.published) is not None:
        record = record_text(tx, RecordKind.PUBLISHED, sent.payload_id)
        published = {"record": record, "path": [list(step) for step in sent.path]}
        sealed = sealed_record(tx, RecordKind.PUBLISHED, sent.payload_id)
        records += [sealed] if sealed is not None else []
        answer["shown"]["published"] = _published_view(sent, sealed)
    return Proof(answer=answer, records=tuple(records), pixels=pixels, png=png, published=published)


def signed_answer(house: House, proof: Proof) -> dict[str, Any]:
    """Return the answer with a signature over it, without its own member."""
    text = json.dumps(proof.answer, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return proof.answer | {
        "signature": {
            "public_key": house.key.public_key.hex(),
            "sha256": digest,
            "value": house.key.sign(f"esl shown 1\n{digest}\n".encode()).hex(),
        }
    }


def bundle(house: House, proof: Proof) -> bytes:
    """Make the bundle: a zip."""
    files = {
        "records.json": _json([_record_view(one) for one in proof.records if one.checkpoint]),
        "verify_proof.py": verifier(),
    }
    if proof.pixels is not None and proof.png is not None:
        files |= {"frame.bin": proof.pixels, "picture.png": proof.png}
    if proof.published is not None:
        files["published.json"] = _json(proof.published)
    trusted = AuditFolder(house.settings.data_dir).trusted() | {house.key.public_key.hex()}
    statement = _json(
        {
            "title": _TITLE,
            "made_at": instant_or_none(house.clock.now()),
            "answer": proof.answer,
            "keys": sorted(trusted),
            "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
        }
    )
    signed = f"{_TITLE}\n{hashlib.sha256(statement).hexdigest()}\n".encode()
    all_files = {
        "statement.json": statement,
        "statement.sig": house.key.sign(signed).hex().encode() + b"\n",
        "public_key.txt": house.key.public_key.hex().encode() + b"\n",
        **files,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in all_files.items():
            made.writestr(zipfile.ZipInfo(name, _OLDEST), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


@cache
def verifier() -> bytes:
    """Return the script that verifies a bundle alone."""
    return Path(__file__).with_name("verify_proof.py").read_bytes()


def _answer(
    tx: Connection,
    found: ShownThen,
    state: LabelState,
    display: Sealed | None,
    *,
    has_picture: bool,
) -> dict[str, Any]:
    note = _NOTES[found.certainty]
    if found.may_be_pruned:
        note += " Reports of so long ago are pruned, but for each label's newest."
    answer: dict[str, Any] = {
        "label": found.label_id,
        "store": state.store_id,
        "at": instant_or_none(found.at),
        "certainty": found.certainty.value,
        "note": note,
        "may_be_pruned": found.may_be_pruned,
        "shown": None,
        "shown_from": None,
        "shown_until": None,
        "maybe": [_told_view(found.label_id, told) for told in found.maybe],
    }
    if found.reported is not None:
        answer["shown"] = _shown_view(tx, found, found.reported, state, display, has_picture)
        answer["shown_from"] = _interval(found.told, found.reported)
    if found.following is not None:
        answer["shown_until"] = _interval(found.following_told, found.following)
    return answer


def _shown_view(
    tx: Connection,
    found: ShownThen,
    reported: Reported,
    state: LabelState,
    display: Sealed | None,
    has_picture: bool,  # noqa: FBT001
) -> dict[str, Any]:
    told = found.told
    face = None
    is_current = state.shown_rev == reported.rev and state.wanted_rev == reported.rev
    if is_current:
        [due] = deliveries.load(tx, [found.label_id])
        face = face_view(due.face) if due.face is not None else None
    checkpoint = display.checkpoint if display is not None else None
    return {
        "record": reported.entry_id,
        "rev": reported.rev,
        "digest": reported.digest,
        "template": told.template if told is not None else None,
        "face": face,
        "prices": [_price_view(price, told) for price in found.prices],
        "picture": _picture(found.label_id, reported.digest) if has_picture else None,
        "gateway": reported.gateway_id,
        "sent_at": instant_or_none(told.sent_at) if told is not None else None,
        "reported_at": instant_or_none(reported.reported_at),
        "painted_at": instant_or_none(reported.painted_at),  # by the gateway's clock
        "chain": {"record": reported.entry_id, "block": display.block} if display else None,
        "checkpoint": _checkpoint_view(checkpoint) if checkpoint is not None else None,
        "published": None,  # unless its signature is kept
    }


def _published_view(sent: KeptPayload, sealed: Sealed | None) -> dict[str, Any]:
    """Say what was signed of the payload that told a label to show a picture."""
    return {
        "record": sent.payload_id,
        "gateway": sent.gateway_id,
        "session": sent.session,
        "counter": sent.counter,
        "sha256": sent.sha256,
        "root": sent.root,
        "commands": sent.commands,
        "sent_at": instant_or_none(sent.sent_at),
        "written_at": instant_or_none(sent.written_at),
        "key_id": sent.key_id,
        "signature": sent.signature,
        "chain": {"record": sent.payload_id, "block": sealed.block} if sealed else None,
    }


def _checkpoint_view(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "number": checkpoint.number,
        "hash": checkpoint.hash,
        "at": checkpoint.at,
        "public_key": checkpoint.public_key,
        "signature": checkpoint.signature,
    }


def _was_paired(price: PriceThen, told: Told | None) -> bool:
    return told is not None and price.paired_at <= told.sent_at


def _price_view(price: PriceThen, told: Told | None) -> dict[str, Any]:
    """Say what a product cost by the shown revision; unknown where it was paired only later."""
    view: dict[str, Any] = {"sku": price.sku, "paired_at": instant_or_none(price.paired_at)}
    if told is None or not _was_paired(price, told):
        why = "its pairing then is not known" if told is None else "it was paired later"
        return view | {"price": None, "why_unknown": why}
    if price.is_forgotten:
        return view | {"price": None, "why_unknown": "prices of that time are forgotten"}
    currency = price.currency or ""
    is_priced = price.price_minor is not None and price.decision != "withdrawn"
    return view | {
        "price": money(price.price_minor, currency) if is_priced else None,
        "was": money(price.was_minor, currency) if is_priced else None,
        "member_price": money(price.member_minor, currency) if is_priced else None,
        "currency": price.currency,
        "badge": price.badge,
        "event": price.event_id,
        "rev": price.rev,
        "received_at": instant_or_none(price.received_at),
    }


def _told_view(label_id: LabelId, told: Told) -> dict[str, Any]:
    return {
        "rev": told.rev,
        "digest": told.digest,
        "template": told.template,
        "gateway": told.gateway_id,
        "sent_at": instant_or_none(told.sent_at),
        "picture": _picture(label_id, told.digest),
    }


def _interval(told: Told | None, reported: Reported) -> dict[str, Any]:
    return {
        "not_before": instant_or_none(told.sent_at) if told is not None else None,
        "not_after": instant_or_none(reported.reported_at),
    }


def _record_view(one: Sealed) -> dict[str, Any]:
    checkpoint = one.checkpoint
    if checkpoint is None:
        raise ValueError("only what a checkpoint vouches for leaves the house")
    return {
        "record": one.record,
        "path": [list(step) for step in one.path],
        "block": one.block,
        "before": one.before,
        "contents": list(one.contents),
        "checkpoint": _checkpoint_view(checkpoint),
    }


def _picture(label_id: LabelId, digest: Digest) -> str:
    return f"/api/v1/labels/{label_id}/frames/{digest}.png"


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"
