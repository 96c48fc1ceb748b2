"""Marks of product layers: equal marks, equal pixels, in every process of one release.

    mark = 12 bytes of BLAKE2 over release, template, panel and all that the layer prints,
           and the heights its texts need, two bytes each: they settle the arrangement

A release is known by the renderer's own files and the libraries that draw, so that a picture drawn
before an upgrade has the mark of nothing that is drawn after it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import astuple, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path

from esl.domain.panel import Panel

_DIGEST_BYTES = 12
_HEIGHT_BYTES = 2
_DRAWN_BY = ("babel", "numpy", "pillow", "python-bidi", "qrcode", "uharfbuzz", "zxing-cpp")
"""Libraries whose next release may draw the same face otherwise."""

_FILES = {".py", ".ttf", ".toml"}


def mark_of(identity: bytes, said: tuple[object, ...], heights: Sequence[int]) -> bytes:
    """Mark a product layer.

    ``identity`` is a design's, ``said`` all that its product layer prints, as `repr` tells it.
    """
    digest = hashlib.blake2b(repr(said).encode(), key=identity, digest_size=_DIGEST_BYTES).digest()
    return digest + b"".join([height.to_bytes(_HEIGHT_BYTES) for height in heights])


def heights_in(mark: bytes) -> tuple[int, ...]:
    """Return the heights at the end of a mark."""
    ends = range(_DIGEST_BYTES, len(mark), _HEIGHT_BYTES)
    return tuple(int.from_bytes(mark[at : at + _HEIGHT_BYTES]) for at in ends)


def design_identity(template_digest: str, panel: Panel) -> bytes:
    """Name a template on a panel as this release draws it, 32 bytes."""
    # Which facts are nominal changes no pixel, and a set has another order in each process.
    drawn_on = astuple(replace(panel, nominal=frozenset()))
    told = f"{template_digest}\0{drawn_on!r}".encode()
    return hashlib.blake2b(told, key=_release(), digest_size=32).digest()


@cache
def _release() -> bytes:
    """Name this release of the renderer by its own files and the libraries that draw."""
    digest = hashlib.blake2b(digest_size=32)
    folder = Path(__file__).parent
    for path in sorted(folder.rglob("*")):
        if path.suffix in _FILES:
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    for library in _DRAWN_BY:
        digest.update(f"{library} {version(library)}\0".encode())
    return digest.digest()
