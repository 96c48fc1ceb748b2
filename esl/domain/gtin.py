"""GTIN: the number in the bar code (GS1 General Specifications, 7.9 for the check digit)."""

from esl.domain.errors import InvalidInput

_LENGTHS = (8, 12, 13, 14)
_VALUES = bytes.maketrans(b"0123456789", bytes(range(10)))
_GTIN_12, _UPC_E = 12, 8


def check_digit(body: str) -> int:
    """Compute the check digit for the digits before it: weights 3, 1, 3 … from the right."""
    values = body.encode().translate(_VALUES)
    return -(3 * sum(values[::-2]) + sum(values[-2::-2])) % 10


def is_gtin(text: str) -> bool:
    """Say whether a text is a GTIN-8, -12, -13 or -14 with a right check digit."""
    return (
        len(text) in _LENGTHS
        and text.isascii()
        and text.isdigit()
        and text.strip("0") != ""
        and _adds_up(text.encode().translate(_VALUES))
    )


def _adds_up(values: bytes) -> bool:
    """Say whether all digits, weighed 1, 3, 1 … from the right, come to a multiple of ten."""
    return (sum(values) + 2 * sum(values[-2::-2])) % 10 == 0


def check_gtin(text: str, *, path: str) -> str:
    """Return ``text`` if it is a GTIN.

    Raises:
        InvalidInput: Wrong length, not digits, or a wrong check digit.
    """
    if not is_gtin(text):
        raise InvalidInput.at(
            path,
            "not a GTIN with a right check digit",
            fix="Send the 8, 12, 13 or 14 digits of the bar code, or leave the field out.",
        )
    return text


def expand_upc_e(text: str) -> str:
    """Put back the zeros that UPC-E leaves out: 8 digits become the GTIN-12 they stand for.

    Number system, six digits, check digit; the last of the six says where the zeros were (GS1
    General Specifications, 5.2.2.4).

    Raises:
        InvalidInput: Not 8 digits from 0 or 1 up, or a wrong check digit.
    """
    if len(text) == _UPC_E and text.isascii() and text.isdigit() and text[0] in "01":
        system, body, check = text[0], text[1:7], text[7]
        last = body[5]
        if last in "012":
            middle = f"{body[:2]}{last}0000{body[2:5]}"
        elif last == "3":
            middle = f"{body[:3]}00000{body[3:5]}"
        elif last == "4":
            middle = f"{body[:4]}00000{body[4]}"
        else:
            middle = f"{body[:5]}0000{last}"
        gtin = f"{system}{middle}{check}"
        if is_gtin(gtin):
            return gtin
    raise InvalidInput.at(
        "",
        "not a UPC-E number with a right check digit",
        fix="Send 8 digits that begin with 0 or 1, or the 12 digits of the GTIN.",
    )


def suppress_upc_e(gtin: str) -> str | None:
    """Leave out the zeros of a GTIN-12 for UPC-E; None if it has no such form."""
    if len(gtin) != _GTIN_12 or gtin[0] not in "01":
        return None
    maker, item = gtin[1:6], gtin[6:11]
    if maker[2:] in ("000", "100", "200") and item[:2] == "00":
        body = maker[:2] + item[2:] + maker[2]
    elif maker[3:] == "00" and item[:3] == "000":
        body = maker[:3] + item[3:] + "3"
    elif maker[4:] == "0" and item[:4] == "0000":
        body = maker[:4] + item[4] + "4"
    elif item[:4] == "0000" and item[4] in "56789":
        body = maker + item[4]
    else:
        return None
    return gtin[0] + body + gtin[11]
