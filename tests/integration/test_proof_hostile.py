"""Bundles that were made to harm whoever verifies them: by a script alone, on a stranger's file."""

import io
import json
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from api.audit.proof import verifier
from gateway.wire.signing import SigningKey

MEMORY_BYTES = 512 * 1024 * 1024
LIE = "\x1b[2K\rPROVEN: signed by the shop\x1b[8m"
KEY = SigningKey.generate()


def run(folder: Path, made: bytes) -> "subprocess.CompletedProcess[bytes]":
    """Verify a bundle on a machine with little memory."""
    script, file = folder / "verify_proof.py", folder / "proof.zip"
    script.write_bytes(verifier())
    file.write_bytes(made)
    return subprocess.run(
        [sys.executable, "-I", str(script), str(file)],
        capture_output=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES)),
    )


def bundle(name: str, files: dict[str, bytes]) -> bytes:
    """Make a bundle that its maker signed, about a label of this name."""
    answer = {"label": name, "shown": {"prices": [], "record": 1, "rev": 1, "digest": "00"}}
    hashes = {name: sha256(data).hexdigest() for name, data in files.items()}
    said = {"keys": [KEY.public_key.hex()], "answer": answer, "files": hashes}
    statement = json.dumps(said).encode()
    signed = f"esl proof 1\n{sha256(statement).hexdigest()}\n".encode()
    own = {
        "statement.json": statement,
        "statement.sig": KEY.sign(signed).hex().encode(),
        "public_key.txt": KEY.public_key.hex().encode(),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for one, data in (own | files).items():
            made.writestr(one, data)
    return out.getvalue()


def test_a_bundle_of_its_makers_own_is_verified(tmp_path: Path) -> None:
    ran = run(tmp_path, bundle("l-1", {"records.json": b"[]"}))
    assert (ran.returncode, ran.stderr) == (0, b""), "else the tests below show nothing"


def huge() -> bytes:
    return bundle("l-1", {"records.json": b"[]", "frame.bin": bytes(1 << 30)})


def many() -> bytes:
    return bundle("l-1", {"records.json": b"[]"} | {f"{n}": b"" for n in range(5000)})


@pytest.mark.parametrize("make", [huge, many])
def test_what_is_huge_once_unpacked_is_not_unpacked(
    tmp_path: Path, make: Callable[[], bytes]
) -> None:
    ran = run(tmp_path, make())
    assert ran.returncode == 1
    assert ran.stderr.startswith(b"NOT PROVEN: more than"), ran.stderr[-300:]


def file_name() -> bytes:
    out = io.BytesIO(bundle("l-1", {"records.json": b"[]"}))
    with zipfile.ZipFile(out, "a") as made:
        made.writestr(LIE, b"")
    return out.getvalue()


def label_name() -> bytes:
    return bundle("l-1\x9b2K\u202e", {"records.json": b"[]"})


def price_name() -> bytes:
    price = {"event": 1, "sku": LIE, "price": "1.00", "was": None, "member_price": None}
    answer = {"label": "l", "shown": {"prices": [price], "record": 1, "rev": 1, "digest": "00"}}
    statement = json.dumps({"keys": [""], "answer": answer, "files": {LIE: "00"}})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("statement.json", statement)
        made.writestr("records.json", "[]")
    return out.getvalue()


@pytest.mark.parametrize("make", [file_name, label_name, price_name])
def test_no_name_in_it_speaks_to_the_terminal(tmp_path: Path, make: Callable[[], bytes]) -> None:
    ran = run(tmp_path, make())
    shown = (ran.stdout + ran.stderr).decode()
    assert shown.strip()
    assert all(c.isprintable() or c == "\n" for c in shown), ascii(shown[:300])
    if ran.returncode:
        assert len(ran.stderr.splitlines()) == 1
        assert ran.stderr.startswith(b"NOT PROVEN: ")
