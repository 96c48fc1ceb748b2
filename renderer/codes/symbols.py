"""Bars and DataMatrix: which symbol a content becomes, and its modules.

zxing-cpp writes them, but for the EAN symbols (`renderer.codes.ean`), which every product has.

With ``auto`` the GTIN's own length decides: 13 digits EAN-13, 12 UPC-A, 8 EAN-8. Among 14 digits
the leading zeros say which of these it was; without one it names a carton, and a shelf label
shows none. EAN-13 and UPC-A of one GTIN have the same bars; quiet zones and digits differ.
"""

import re
from typing import NamedTuple

import numpy as np
import zxingcpp

from esl.domain.element_string import message_of, parse_element_string
from esl.domain.errors import CodeDoesNotFit, InvalidInput
from esl.domain.gtin import expand_upc_e, is_gtin, suppress_upc_e
from renderer.codes.ean import write_ean
from renderer.codes.modules import Modules
from renderer.codes.symbology import SYMBOLOGIES, Symbology

_MAX_CHARACTERS = {"gs1-128": 48, "code-128": 48, "data-matrix": 300}
"""48 is what GS1 allows (General Specifications, 5.4.1), and no label is wider than 30 of them;
300 bytes make 72 modules, which are 28 mm at the finest."""

_ELEMENTS_BEGIN = re.compile(r"\([0-9]{2,4}\)")

_GTIN_8, _GTIN_12, _GTIN_13, _GTIN_14 = 8, 12, 13, 14
_LENGTHS = {"ean-8": _GTIN_8, "upc-a": _GTIN_12, "ean-13": _GTIN_13}
_AUTO = {length: name for name, length in _LENGTHS.items()}
_FORMATS = {
    "upc-e": zxingcpp.BarcodeFormat.UPCE,
    "code-128": zxingcpp.BarcodeFormat.Code128,
    "gs1-128": zxingcpp.BarcodeFormat.Code128,
    "itf-14": zxingcpp.BarcodeFormat.ITF,
    "data-matrix": zxingcpp.BarcodeFormat.DataMatrix,
}


_KNOWN = ("ean-13", "ean-8", "upc-a", *_FORMATS)


class Symbol(NamedTuple):
    """A symbol without quiet zones, before anyone knows where it stands."""

    symbology: Symbology
    content: str  # what a scanner says; of element strings the form in brackets
    modules: Modules  # bars are one row
    digits: str  # as printed below the bars; "" for a DataMatrix


def symbol_of(content: str, symbology: str) -> Symbol | None:
    """Write a content as a symbol; None if ``auto`` meets the GTIN of a carton.

    Raises:
        CodeDoesNotFit: A content this symbology cannot hold, in words.
    """
    if symbology == "auto":
        content = _own_digits(_gtin_of(content))
        if len(content) == _GTIN_14:
            return None
        symbology = _AUTO[len(content)]
        return Symbol(SYMBOLOGIES[symbology], content, write_ean(content), content)
    limits = SYMBOLOGIES.get(symbology)
    if limits is None or symbology not in _KNOWN:
        raise CodeDoesNotFit(f"no bar code is called {symbology!r}; known: {', '.join(_KNOWN)}")
    digits = ""
    match symbology:
        case "gs1-128":
            if is_gtin(content):
                content = f"(01){content.zfill(_GTIN_14)}"
            content, modules = _write_elements(content, symbology)
            digits = content
        case "code-128":
            digits = _printable(content, symbology)
            modules = _write(content, symbology)
        case "data-matrix" if holds_elements(content):
            content, modules = _write_elements(content, symbology, force_square=True)
        case "data-matrix":
            modules = _write(_printable(content, symbology), symbology, force_square=True)
        case "ean-13" | "ean-8" | "upc-a":
            content, digits = _digits_for(content, symbology)
            modules = write_ean(digits)
        case _:
            content, digits = _digits_for(content, symbology)
            modules = _write(digits, symbology)
    return Symbol(symbology=limits, content=content, modules=modules, digits=digits)


def has_symbol(gtin: str) -> bool:
    """Say whether ``auto`` finds a symbol for a GTIN: those of cartons have none on a shelf."""
    return len(gtin) != _GTIN_14 or gtin.startswith("0")


def holds_elements(content: str) -> bool:
    """Say whether a DataMatrix content is written as GS1 elements and not as a text."""
    return _ELEMENTS_BEGIN.match(content) is not None


def _gtin_of(content: str) -> str:
    if not is_gtin(content):
        raise CodeDoesNotFit("the bar code's content is not a GTIN with a right check digit")
    return content


def _own_digits(gtin: str) -> str:
    """Undo the padding of 14 digits: six zeros before a GTIN-8, two before 12, one before 13."""
    if len(gtin) != _GTIN_14:
        return gtin
    for zeros in ("000000", "00", "0"):
        if gtin.startswith(zeros):
            return gtin[len(zeros) :]
    return gtin


def _digits_for(content: str, symbology: str) -> tuple[str, str]:
    """Return what a scanner says and what the symbol is written from and shows in print."""
    if symbology == "upc-e":
        short = _upc_e(content)
        return expand_upc_e(short), short
    gtin = _gtin_of(content)
    if symbology == "itf-14":
        return gtin.zfill(_GTIN_14), gtin.zfill(_GTIN_14)
    length = _LENGTHS[symbology]
    padded = gtin.zfill(_GTIN_14)
    digits = padded[_GTIN_14 - length :]
    # The zeros before a GTIN-8 belong to databases: as EAN-13 it would be another number.
    if padded[: _GTIN_14 - length].strip("0") or (len(gtin) == _GTIN_8 and length != _GTIN_8):
        raise CodeDoesNotFit(f"this GTIN of {len(gtin)} digits has no {symbology.upper()} symbol")
    return digits, digits


def _upc_e(content: str) -> str:
    """Return the 8 digits of UPC-E, from themselves or from a GTIN with zeros to leave out."""
    if len(content) == _GTIN_8:
        try:
            expand_upc_e(content)
        except InvalidInput as exc:
            raise CodeDoesNotFit(f"the bar code's content is {exc.problems[0].detail}") from exc
        return content
    gtin = _gtin_of(content)
    short = suppress_upc_e(gtin[-_GTIN_12:]) if not gtin[:-_GTIN_12].strip("0") else None
    if short is None:
        raise CodeDoesNotFit(
            "this GTIN has no UPC-E symbol: it needs 12 digits from 0 or 1 up, with four or five "
            "zeros in the places that UPC-E leaves out"
        )
    return short


def _write_elements(content: str, symbology: str, **options: bool) -> tuple[str, Modules]:
    try:
        elements = parse_element_string(content)
    except InvalidInput as exc:
        problem = exc.problems[0]
        raise CodeDoesNotFit(f"the bar code's content is {problem.detail}. {problem.fix}") from exc
    _check_length(message_of(elements), symbology)
    # In square brackets, because values may have round ones.
    bracketed = "".join(f"[{identifier}]{value}" for identifier, value in elements)
    return content, _write(bracketed, symbology, gs1=True, **options)


def _check_length(text: str, symbology: str) -> None:
    most = _MAX_CHARACTERS[symbology]
    if len(text) > most:
        raise CodeDoesNotFit(
            f"a {symbology} code may have {most} characters here, and this has {len(text)}"
        )


def _printable(content: str, symbology: str) -> str:
    """Let pass what every scanner sends as it is: no control characters, no accents."""
    if not content or not content.isascii() or not content.isprintable():
        raise CodeDoesNotFit(f"a {symbology} code holds printable ASCII characters only")
    _check_length(content, symbology)
    return content


def _write(content: str, symbology: str, **options: bool) -> Modules:
    try:
        code = zxingcpp.create_barcode(content, _FORMATS[symbology], **options)
    except ValueError as exc:  # a rule of zxing-cpp that we do not know
        raise CodeDoesNotFit(f"the content cannot be written as {symbology}") from exc
    picture = np.asarray(code.to_image(scale=1, add_quiet_zones=False))
    return Modules.of((picture if symbology == "data-matrix" else picture[:1]) == 0)
