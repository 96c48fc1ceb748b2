"""Names, numbers of products, bar codes and the other texts of a row."""

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from esl.domain.entry import PromotionKind
from esl.domain.errors import InvalidInput
from esl.domain.face import Unit
from esl.domain.gtin import is_gtin
from esl.domain.ids import SKU_MAX_CHARACTERS, Sku, check_sku
from esl.domain.product import TAG_LONGEST, TAGS_MOST
from esl.intake.fields import visible
from esl.intake.mapping.bad_value import BadValue, shorten
from esl.intake.product_json import parse_link

_UNKNOWN = frozenset({"Cs", "Co", "Cn"})
_SCIENTIFIC = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]{1,3}")
_BETWEEN_CODES = re.compile(r"[;,|/\s]+")
_BETWEEN_TAGS = re.compile(r"[;,|]")
_QUOTES = "'\"=`´’ "
_EXCEL_TEXT = re.compile(r'="([^"]*)"')
_GTINS_MOST = 100
_GTIN_13 = 13
_ZEROS = "0" * _GTIN_13
_TAX_MOST = 1000


def read_sku(text: str) -> Sku:
    """Read the till's own number of a product."""
    if text.isascii() and text.isprintable() and len(text) <= SKU_MAX_CHARACTERS:
        if text.isdigit():
            return Sku(text)
        if text[0] == "=" or (text[0].isdigit() and _SCIENTIFIC.fullmatch(text)):
            return _read_spoilt_sku(text)
        return Sku(text)
    try:
        return check_sku(text, path="")
    except InvalidInput as exc:
        raise BadValue(f"{shorten(text)} is no SKU", fix=exc.problems[0].fix) from None


def _read_spoilt_sku(text: str) -> Sku:
    """Take ``="010102"``, with which spreadsheets keep zeros; refuse what they have spoilt."""
    if (kept := _EXCEL_TEXT.fullmatch(text)) is not None and kept[1].strip():
        return read_sku(kept[1].strip()) if kept[1][0] != "=" else _refuse_formula(text)
    if text[0] == "=":
        return _refuse_formula(text)
    raise BadValue(
        f"{shorten(text)} is a number that a spreadsheet has rounded",
        fix="Format the column as text, and export it again.",
    )


def _refuse_formula(text: str) -> Sku:
    raise BadValue(f"{shorten(text)} is a formula", fix="Export values, not formulas.")


def read_gtins(text: str) -> tuple[str, ...]:
    """Read bar codes; several may stand in one cell, between blanks or ``; , | /``."""
    if len(text) == _GTIN_13 and _is_gtin_13(text):
        return (text,)
    bare = text.strip(_QUOTES)
    if _SCIENTIFIC.fullmatch(bare):
        raise BadValue(
            f"{shorten(text)} is a number that a spreadsheet has rounded",
            fix="Format the column as text, and export it again.",
        )
    codes = [code.strip(_QUOTES) for code in _BETWEEN_CODES.split(bare)]
    codes = list(dict.fromkeys(code for code in codes if code))
    if not codes or len(codes) > _GTINS_MOST:
        raise BadValue(f"{shorten(text)} holds no bar code")
    for code in codes:
        if not is_gtin(code):
            raise BadValue(f"{shorten(code)} {_wrong_with(code)}", fix=_advise_on_code(code))
    return tuple(codes)


def read_tags(text: str) -> tuple[str, ...]:
    """Read tags; several may stand in one cell, with ``; , |`` between."""
    return read_tag_list(tuple(_BETWEEN_TAGS.split(visible(text))))


def read_tag_list(tags: tuple[Any, ...]) -> tuple[str, ...]:
    """Read a list of tags; of those said twice one is kept."""
    if not all(isinstance(tag, str) for tag in tags):
        raise BadValue("not a list of tags")
    said = (" ".join(visible(tag).split()) for tag in tags)
    found = tuple(dict.fromkeys(tag for tag in said if tag))
    if len(found) > TAGS_MOST:
        raise BadValue(f"{len(found)} tags; {TAGS_MOST} at most")
    for tag in found:
        if len(tag) > TAG_LONGEST:
            raise BadValue(f"{shorten(tag)} is longer than {TAG_LONGEST} characters")
    return found


def _is_gtin_13(text: str) -> bool:
    """Say what `is_gtin` says of 13 characters, in a third of the time.

    The sum is of characters, not of digits: 48 too much for each, which over 13 of them with
    weights 1 and 3 is 1,200, and so nothing to the last digit.
    """
    if not (text.isascii() and text.isdigit()):
        return False
    codes = text.encode()
    return (3 * sum(codes[1::2]) + sum(codes[::2])) % 10 == 0 and text != _ZEROS


def _wrong_with(code: str) -> str:
    if not (code.isascii() and code.isdigit()):
        return "is no bar code"
    if len(code) not in (8, 12, 13, 14):
        return f"has {len(code)} digits, and a GTIN has 8, 12, 13 or 14"
    if not code.strip("0"):
        return "is a bar code of zeros"
    return "has a wrong check digit"


def _advise_on_code(code: str) -> str:
    if code.isdigit() and any(is_gtin(code.zfill(length)) for length in (8, 12, 13)):
        return "Zeros at its begin are missing: format the column as text."
    return "Scan it again. Own codes of the shop are no GTIN; leave them out."


def text_reader(longest: int) -> Callable[[str], str]:
    """Make the function that reads a text for people, of up to ``longest`` characters."""

    def read(text: str) -> str:
        if not text.isprintable():  # of printable texts there is nothing to leave out or refuse
            text = visible(text).strip()
            if any(unicodedata.category(character) in _UNKNOWN for character in text):
                raise BadValue(
                    "private, unassigned or broken characters",
                    fix="Check the declared encoding; send letters that Unicode knows.",
                )
        if not text:
            raise BadValue("nothing but invisible characters")
        if len(text) > longest:
            raise BadValue(f"{len(text)} characters; {longest} at most", fix="Shorten it.")
        return text

    return read


def read_unit(text: str) -> Unit:
    """Read what a price is for, after the mapping's own words were applied."""
    try:
        return Unit(text.casefold())
    except ValueError:
        raise BadValue(
            f"{shorten(text)} is none of {', '.join(Unit)}",
            fix='Say map: {"KG": kg, "*": null}.',
        ) from None


def read_promotion_kind(text: str) -> PromotionKind:
    """Read the kind of a promotion, after the mapping's own words were applied."""
    try:
        return PromotionKind(text.casefold())
    except ValueError:
        raise BadValue(
            f"{shorten(text)} is none of {', '.join(PromotionKind)}",
            fix='Say map: {"A": price, "M": member}.',
        ) from None


def read_link(text: str) -> str:
    """Read an https address."""
    try:
        return parse_link(text, "")
    except InvalidInput as exc:
        raise BadValue(exc.problems[0].detail, fix=exc.problems[0].fix) from None


def whole_reader(decimal: str, *, low: int, high: int) -> Callable[[str], int]:
    """Make the function that reads a whole number; ``12,00`` is 12 where a comma is declared."""
    form = re.compile(rf"(-?)0*([0-9]{{1,16}})(?:{re.escape(decimal)}0*)?", re.ASCII)

    def read(text: str) -> int:
        found = form.fullmatch(text)
        if found is None:
            raise BadValue(f"{shorten(text)} is no whole number", fix="Send digits only.")
        number = int(found[1] + found[2])
        if not low <= number <= high:
            raise BadValue(f"{shorten(text)} is not within {low} to {high}")
        return number

    return read


def percent_reader(decimal: str) -> Callable[[str], int]:
    """Make the function that reads ``25``, ``5,5`` or ``25 %`` as permille."""
    form = re.compile(rf"([0-9]{{1,3}})(?:{re.escape(decimal)}([0-9])0*)?\s*%?", re.ASCII)

    def read(text: str) -> int:
        found = form.fullmatch(text)
        permille = int(found[1]) * 10 + int(found[2] or 0) if found is not None else _TAX_MOST + 1
        if permille > _TAX_MOST:
            raise BadValue(
                f"{shorten(text)} is no percentage of at most one decimal",
                fix="Send 25 for 25 %; codes of rates go with map:.",
            )
        return permille

    return read
