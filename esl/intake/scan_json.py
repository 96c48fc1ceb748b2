"""Reading two scans that make a pairing."""

from typing import Any, Final

from esl.domain.errors import InvalidInput
from esl.domain.scan import read_scan
from esl.intake.fields import Fields

_TWO: Final = 2
_FIX: Final = "Send two: the label's code and the product's, in either order."


def parse_scans(value: Any) -> list[str]:
    """Read ``{"scans": ["l-00007", "3850104087301"]}``.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    scans = fields.take("scans")
    found: list[str] = []
    if not isinstance(scans, list) or len(scans) != _TWO:
        fields.problem("scans", "not a list of two texts", fix=_FIX)
    else:
        for place, text in enumerate(scans):
            try:
                found.append(_parse_text(text, f"/scans/{place}"))
            except InvalidInput as exc:
                fields.problems.extend(exc.problems)
    fields.finish()
    return found


def _parse_text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput.at(path, "not a text", fix=_FIX)
    read_scan(value, path=path)
    return value
