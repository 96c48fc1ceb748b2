"""Verify a proof of what a shelf label showed. Needs Python and `cryptography`, no network.

    python verify_proof.py proof.zip [PUBLIC_KEY_HEX]

Name the shop's public key, as you know it from elsewhere; without it, the proof's own is believed.
"""

import hashlib
import json
import sys
import zipfile
import zlib
from datetime import datetime
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PRICE, DISPLAY, PUBLISHED = 2, 3, 4  # kinds of records: what a price was, what a label reported,
#                                      what was signed of the payload that told it to show that
FILES_MOST, BYTES_MOST = 16, 64 * 1024 * 1024  # of a bundle, unpacked: far more than any has


def plain(text: str) -> str:
    """Write a text so that a terminal shows it and obeys nothing in it."""
    return "".join(c if c.isprintable() or c == "\n" else f"\\u{ord(c):04x}" for c in text)


def stop(words: str) -> NoReturn:
    """Say what does not hold."""
    sys.exit(plain(f"NOT PROVEN: {words}").replace("\n", " ")[:500])


def verify(key: str, signature: str, signed: bytes, what: str) -> None:
    """Check an Ed25519 signature; key and signature are hex digits."""
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        public.verify(bytes.fromhex(signature), signed)
    except (InvalidSignature, ValueError):
        stop(f"the signature of {what} is wrong")


def up(leaf: bytes, path: list[list[str]]) -> str:
    """Climb from a leaf (what it is hashed of) to the root of its tree."""
    node = hashlib.sha256(b"\x00" + leaf).digest()
    for side, other in path:
        pair = bytes.fromhex(other) + node if side == "L" else node + bytes.fromhex(other)
        node = hashlib.sha256(b"\x01" + pair).digest()
    return node.hex()


def moment(text: str) -> datetime:
    """Read an instant, as answers (…Z) or as records (without a zone) have it."""
    text = text.replace("Z", "+00:00")
    return datetime.fromisoformat(text if "+" in text else text + "+00:00")


def climb(one: dict[str, Any], keys: list[str]) -> tuple[list[Any], str]:
    """Follow a record up its tree, its block and the chain to a signed checkpoint.

    Return it, and when it was sealed.
    """
    root = up(one["record"].encode(), one["path"])
    record: list[Any] = json.loads(one["record"])
    block = json.loads(one["contents"][0])
    roots = [part[6] for part in block[2] if part[0] == record[0]]
    if block[0] != one["block"] or roots != [root]:
        stop("a record is in no such block")
    chain = bytes.fromhex(one["before"])
    for content in one["contents"]:
        chain = hashlib.sha256(b"\x01" + chain + content.encode()).digest()
    point = one["checkpoint"]
    if chain.hex() != point["hash"] or json.loads(one["contents"][-1])[0] != point["number"]:
        stop("a block does not lead to its checkpoint")
    if point["public_key"] not in keys:
        stop("a checkpoint was signed with a key that is not the shop's")
    text = f"esl audit checkpoint 1\n{point['number']}\n{point['hash']}\n{point['at']}\n"
    verify(point["public_key"], point["signature"], text.encode(), "a checkpoint")
    return record, str(block[1])


def check_published(
    made: dict[str, Any], answer: dict[str, Any], keys: list[str], records: list[list[Any]]
) -> str:
    """Check what was signed of the payload that told the label to show its picture."""
    row = json.loads(made["record"])
    _, _, number, gateway, session, counter, key_id, sha256, root, count, signature, sent = row[:12]
    shown = answer["shown"]
    said = shown["published"]
    leaf = json.dumps([answer["label"], shown["rev"], shown["digest"]], separators=(",", ":"))
    if up(leaf.encode(), made["path"]) != root:
        stop("the published payload did not tell this label to show this picture")
    if said["signature"] != signature or said["key_id"] != key_id:
        stop("the answer names another signature or key than the published payload has")
    if said["sha256"] != sha256 or said["record"] != number or said["root"] != root:
        stop("the answer names another published payload")
    if moment(said["sent_at"]) != moment(sent):
        stop("the time at which the payload was sent is another than was signed")
    fitting = [k for k in keys if hashlib.sha256(bytes.fromhex(k)).hexdigest()[:8] == key_id]
    if not fitting:
        stop("the published payload was signed with a key that is not the shop's")
    lines = ("esl published 1", gateway, session, counter, sha256, root, count, sent)
    text = "".join(f"{line}\n" for line in lines)
    verify(fitting[0], signature, text.encode(), "the published payload")
    if any(r != row for r in records if r[0] == PUBLISHED):
        stop("the sealed record is of another payload")
    is_sealed = any(r == row for r in records)
    sealed = "sealed in the chain" if is_sealed else "NOT SEALED YET"
    return f"the payload that told it so was signed by key {key_id} and is {sealed}"


def check_records(answer: dict[str, Any], records: list[list[Any]]) -> bool:
    """Compare the answer with what is sealed; say whether the label's report is."""
    shown = answer["shown"]
    display = [r for r in records if r[0] == DISPLAY]
    for r in display:
        if r[2:6] != [shown["record"], answer["label"], shown["rev"], shown["digest"]]:
            stop("the record is of another label or picture")
        if moment(r[10]) != moment(shown["reported_at"]):
            stop("the time of the report is another than its record says")
    prices = {r[2]: r for r in records if r[0] == PRICE}
    for price in shown["prices"]:
        if price.get("event") not in prices:
            continue
        r = prices[price["event"]]
        for name, place in (("price", 8), ("was", 10), ("member_price", 19)):
            amount = price[name]
            if amount is not None and int("".join(filter(str.isdigit, amount))) != r[place]:
                stop(f"the price of {price['sku']} ({name}) is another than its record says")
        if (price["sku"], price["currency"]) != (r[4], r[9]):
            stop("a price is of another product or currency than its record says")
        if moment(price["received_at"]) != moment(r[16]):
            stop(f"the time of the price of {price['sku']} is another than its record says")
    return bool(display)


def check(files: dict[str, bytes], known_key: str) -> str:
    """Check everything, what can be named first; return what is proven."""
    key = files.pop("public_key.txt", b"").decode("ascii", "replace").strip()
    signature = files.pop("statement.sig", b"").decode("ascii", "replace").strip()
    statement = files.pop("statement.json", b"")
    if known_key and key != known_key.lower():
        stop("it is signed with another key")
    said = json.loads(statement)
    keys, answer = said["keys"], said["answer"]
    if key not in keys:
        stop("the key in it is not one of the shop's")
    if "frame.bin" in files:
        digest = hashlib.sha256(files["frame.bin"]).hexdigest()
        if digest != answer["shown"]["digest"]:
            stop("the picture is another than the label reported")
    climbed = [climb(one, keys) for one in json.loads(files["records.json"])]
    records = [record for record, _ in climbed]
    how = "NOT SEALED YET"
    if check_records(answer, records):
        at = next(at for record, at in climbed if record[0] == DISPLAY)
        how = f"sealed in the chain at {at} UTC"
    sent = "no signature of the payload that told it so is kept"
    if "published.json" in files:
        sent = check_published(json.loads(files["published.json"]), answer, keys, records)
    for name in sorted(files.keys() | said["files"].keys()):
        if name not in files:
            stop(f"{name} is missing")
        if hashlib.sha256(files[name]).hexdigest() != said["files"].get(name):
            stop(f"{name} is not the one that was signed")
    signed = f"esl proof 1\n{hashlib.sha256(statement).hexdigest()}\n"
    verify(key, signature, signed.encode(), "the statement")
    told = json.dumps(answer, indent=1, ensure_ascii=False)
    return f"PROVEN: signed by {key}; what the label said is {how}; {sent}.\n{told}\n"


def main(path: str, known_key: str = "") -> None:
    """Verify a bundle and say what it proves."""
    try:
        with zipfile.ZipFile(path) as bundle:
            entries = bundle.infolist()
            if len(entries) > FILES_MOST or sum(e.file_size for e in entries) > BYTES_MOST:
                stop(f"more than {FILES_MOST} files or {BYTES_MOST >> 20} MiB: no such bundle is")
            files = {entry.filename: bundle.read(entry) for entry in entries}
    except (OSError, EOFError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error) as exc:
        stop(f"the file is damaged: {exc}")
    if len(entries) != len(files):
        stop("a file is in it twice")
    try:
        proven = check(files, known_key)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as exc:
        stop(f"a part of it cannot be read: {type(exc).__name__}: {exc}")
    sys.stdout.write(plain(proven))


if __name__ == "__main__":
    main(*sys.argv[1:3])
