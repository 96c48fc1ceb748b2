"""GTIN: the number in the bar code (GS1 General Specifications, 7.9 for the check digit)."""

from esl.domain.errors import InvalidInput

_LENGTHS = (8, 12, 13, 14)


def check_digit(body: str) -> int:
    """Compute the check digit for the digits before it: weights 3, 1, 3 … from the right."""
    return -sum(int(d) * (1 if i % 2 else 3) for i, d in enumerate(reversed(body))) % 10


def is_gtin(text: str) -> bool:
    """Say whether a text is a GTIN-8, -12, -13 or -14 with a right check digit."""
    return (
        len(text) in _LENGTHS
        and text.isascii()
        and text.isdigit()
        and any(c != "0" for c in text)
        and check_digit(text[:-1]) == int(text[-1])
    )


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


def digital_link(gtin: str, *, base: str = "HTTPS://ID.GS1.ORG") -> str:
    """Build the product's GS1 Digital Link (URI Syntax 1.6): always with 14 digits.

    Scheme and host may be upper case, which lets a QR code use its smaller alphanumeric mode:
    36 characters then fit version 2 at level M instead of 3 (field notes, standards D.4).
    """
    return f"{base}/01/{gtin.zfill(14)}"
