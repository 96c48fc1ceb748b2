"""Verify a proof of what a shelf label showed. Needs Python and `cryptography`, no network.

    python verify_proof.py proof.zip [PUBLIC_KEY_HEX]

Name the shop's public key, as you know it from elsewhere; without it, the proof's own is believed.
"""

import hashlib
import json
import sys
import zipfile
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

DISPLAY = 3  # the kind of a record that says what a label reported


def stop(words: str) -> NoReturn:
    """Say what does not hold."""
    sys.exit(f"NOT PROVEN: {words}")


def verify(key: str, signature: str, signed: bytes, what: str) -> None:
    """Check an Ed25519 signature; key and signature are hex digits."""
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        public.verify(bytes.fromhex(signature), signed)
    except (InvalidSignature, ValueError):
        stop(f"the signature of {what} is wrong")


def climb(one: dict[str, Any], keys: list[str]) -> list[Any]:
    """Follow a record up its tree, its block and the chain to a signed checkpoint; return it."""
    node = hashlib.sha256(b"\x00" + one["record"].encode()).digest()
    for side, other in one["path"]:
        pair = bytes.fromhex(other) + node if side == "L" else node + bytes.fromhex(other)
        node = hashlib.sha256(b"\x01" + pair).digest()
    record: list[Any] = json.loads(one["record"])
    block = json.loads(one["contents"][0])
    roots = [part[6] for part in block[2] if part[0] == record[0]]
    if block[0] != one["block"] or roots != [node.hex()]:
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
    return record


def main(path: str, known_key: str = "") -> None:
    """Verify a bundle and say what it proves."""
    try:
        with zipfile.ZipFile(path) as bundle:
            names = bundle.namelist()
            files = {name: bundle.read(name) for name in names}
    except (OSError, zipfile.BadZipFile) as exc:
        stop(f"the file is damaged: {exc}")
    if len(names) != len(files):
        stop("a file is in it twice")
    key = files.pop("public_key.txt", b"").decode("ascii", "replace").strip()
    signature = files.pop("statement.sig", b"").decode("ascii", "replace").strip()
    statement = files.pop("statement.json", b"")
    if known_key and key != known_key.lower():
        stop("it is signed with another key")
    digest = hashlib.sha256(statement).hexdigest()
    verify(key, signature, f"esl proof 1\n{digest}\n".encode(), "the statement")
    said = json.loads(statement)
    if {n: hashlib.sha256(data).hexdigest() for n, data in files.items()} != said["files"]:
        stop("a file is not the one that was signed")
    answer = said["answer"]
    shown = answer["shown"]
    if "frame.bin" in files and said["files"]["frame.bin"] != shown["digest"]:
        stop("the picture is another than the label reported")
    records = [climb(one, said["keys"]) for one in json.loads(files["records.json"])]
    display = [r for r in records if r[0] == DISPLAY]
    if any(r[2:6] != [shown["record"], answer["label"], shown["rev"], shown["digest"]]
           for r in display):  # fmt: skip
        stop("the record is of another label or picture")
    how = "its record is sealed in the chain" if display else "its record was NOT SEALED YET"
    sys.stdout.write(f"PROVEN: signed by {key}; {how}.\n")
    sys.stdout.write(json.dumps(answer, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
