"""How much is in a pack, from what its cell and the cell of its unit say."""

from esl.domain.product import NetContent
from esl.intake.mapping.bad_value import BadValue, shorten
from esl.intake.quantity import UnknownQuantity, parse_quantity


def read_content(text: str, *, decimal: str, unit: str | None) -> NetContent:
    """Read a net content.

    Raises:
        BadValue: It is unknown, with the reason.
    """
    read = parse_quantity(text, decimal=decimal, unit_hint=unit)
    if isinstance(read, UnknownQuantity):
        raise BadValue(f"{shorten(text)}: {read.reason}")
    return read
