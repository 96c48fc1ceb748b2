"""GS1 element strings: what GS1-128, GS1 DataMatrix and Digital Links carry.

    (01)09520123456788(10)ABC123(17)201225      as people read it
    01 09520123456788 10 ABC123 <FNC1> 17 201225    as a scanner sends it

Each element is an Application Identifier and its value. Where a value's length does not follow
from its identifier, FNC1 (0x1D in what a scanner sends) ends it unless it is the last one.
Formats: GS1 General Specifications, section 3; those of the identifiers a shop meets are here,
and others are refused rather than drawn unchecked.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from esl.domain.errors import InvalidInput
from esl.domain.gtin import check_digit

Element = tuple[str, str]
"""(Application Identifier, value)."""

GROUP_SEPARATOR = "\x1d"
"""How a scanner sends FNC1 between elements (GS1 General Specifications, 7.8)."""

_CSET_82 = r"""[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]"""
_DATE = r"\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])"  # day 00 is the last of the month

_PREDEFINED = frozenset("00 01 02 03 04 11 12 13 14 15 16 17 18 19 20 41".split()) | frozenset(
    str(first) for first in range(31, 37)
)
"""First two digits of the identifiers that never need FNC1 behind them (figure 7.8.5-2)."""


@dataclass(frozen=True, slots=True)
class _Format:
    pattern: re.Pattern[str]
    words: str
    checked: int = 0  # so many digits from the first end with a check digit


def _text(most: int) -> _Format:
    return _Format(re.compile(f"{_CSET_82}{{1,{most}}}"), f"1 to {most} letters, digits or signs")


def _digits(least: int, most: int = 0, *, checked: bool = False) -> _Format:
    most = most or least
    count = f"{least}" if least == most else f"{least} to {most}"
    words = f"{count} digits" + (", the last a check digit" if checked else "")
    return _Format(re.compile(f"[0-9]{{{least},{most}}}"), words, least if checked else 0)


_FORMATS: dict[str, _Format] = {
    "00": _digits(18, checked=True),
    **dict.fromkeys(["01", "02"], _digits(14, checked=True)),
    **dict.fromkeys(["10", "21", "22", "243", "254", "420", "7020", "8002"], _text(20)),
    **dict.fromkeys(
        ["11", "12", "13", "15", "16", "17"],
        _Format(re.compile(_DATE, re.ASCII), "a date as YYMMDD"),
    ),
    "20": _digits(2),
    "235": _text(28),
    **dict.fromkeys(["240", "241", "250", "251", "400", "401", "403", "90"], _text(30)),
    "242": _digits(1, 6),
    "253": _Format(
        re.compile(f"[0-9]{{13}}{_CSET_82}{{0,17}}"), "13 digits and up to 17 more signs", 13
    ),
    "255": _Format(re.compile("[0-9]{13,25}"), "13 to 25 digits", 13),
    **dict.fromkeys(["30", "37"], _digits(1, 8)),
    "402": _digits(17, checked=True),
    **{str(n): _digits(13, checked=True) for n in range(410, 418)},
    **dict.fromkeys(["422", "424", "426"], _digits(3)),
    "7003": _digits(10),
    "8003": _Format(
        re.compile(f"0[0-9]{{13}}{_CSET_82}{{0,16}}"), "0, 13 digits and up to 16 more signs", 14
    ),
    "8004": _text(30),
    "8005": _digits(6),
    "8006": _Format(re.compile("[0-9]{18}"), "14 digits, piece and total of 2 digits each", 14),
    **dict.fromkeys(["8010"], _text(30)),
    "8011": _Format(re.compile("[1-9][0-9]{0,11}"), "1 to 12 digits, not beginning with 0"),
    **dict.fromkeys(["8017", "8018"], _digits(18, checked=True)),
    "8019": _digits(1, 10),
    "8020": _text(25),
    **dict.fromkeys(["8110", "8112", "8200"], _text(70)),
    **{str(n): _text(90) for n in range(91, 100)},
    # Measures and amounts: the fourth digit says how many decimals the value has.
    **{f"{n}{d}": _digits(6) for n in (*range(310, 317), 395) for d in range(6)},
    **{f"{n}{d}": _digits(6) for n in (*range(320, 330), *range(330, 338)) for d in range(6)},
    **{f"{n}{d}": _digits(6) for n in (*range(340, 350), *range(350, 358)) for d in range(6)},
    **{f"{n}{d}": _digits(6) for n in range(360, 370) for d in range(6)},
    **{f"{n}{d}": _digits(1, 15) for n in (390, 392) for d in range(10)},
    **{f"{n}{d}": _digits(4, 18) for n in (391, 393) for d in range(10)},
    **{f"394{d}": _digits(4) for d in range(4)},
}

_ELEMENT = re.compile(r"\(([0-9]{2,4})\)((?:(?!\([0-9]{2,4}\)).)+)", re.DOTALL)


def is_known(identifier: str) -> bool:
    """Say whether we know an Application Identifier and its format."""
    return identifier in _FORMATS


def check_element(identifier: str, value: str, *, path: str) -> None:
    """Check one value against the format of its identifier.

    Raises:
        InvalidInput: An identifier we do not know, a wrong form, or a wrong check digit.
    """
    form = _FORMATS.get(identifier)
    if form is None:
        raise InvalidInput.at(
            path,
            "not a GS1 Application Identifier that we know",
            fix="Use those of the GS1 General Specifications, such as 01, 10, 17, 21 or 3103.",
        )
    if form.pattern.fullmatch(value) is None or (
        form.checked and check_digit(value[: form.checked - 1]) != int(value[form.checked - 1])
    ):
        raise InvalidInput.at(
            path,
            f"not a value for ({identifier})",
            fix=f"({identifier}) holds {form.words}"
            + (", with a right check digit." if form.checked else "."),
        )


def parse_element_string(text: str, *, path: str = "") -> tuple[Element, ...]:
    """Read an element string with its identifiers in brackets.

    Raises:
        InvalidInput: Anything outside the brackets' scheme, an identifier twice, a wrong value.
    """
    found = tuple((match[1], match[2]) for match in _ELEMENT.finditer(text))
    if not found or "".join(f"({name}){value}" for name, value in found) != text:
        raise InvalidInput.at(
            path,
            "not a GS1 element string",
            fix="Write each identifier in brackets before its value: (01)09520123456788(10)ABC1.",
        )
    check_elements(found, path=path)
    return found


def check_elements(elements: Iterable[Element], *, path: str) -> None:
    """Check several elements: each value, and that none is there twice.

    Raises:
        InvalidInput: The first thing that is wrong.
    """
    seen: set[str] = set()
    for identifier, value in elements:
        check_element(identifier, value, path=path)
        if identifier in seen:
            raise InvalidInput.at(path, f"({identifier}) is there twice", fix="Say it once.")
        seen.add(identifier)


def message_of(elements: Iterable[Element], *, separator: str = GROUP_SEPARATOR) -> str:
    """Write elements one after the other as a scanner sends them, without the first FNC1."""
    message = ""
    open_end = False
    for identifier, value in elements:
        if open_end:
            message += separator
        message += identifier + value
        open_end = identifier[:2] not in _PREDEFINED
    return message
