"""Reading two scans that make a pairing, and texts that are to be looked up."""

from typing import Any, Final

from esl.domain.errors import InvalidInput
from esl.domain.scan import read_scan
from esl.intake.fields import Fields

TEXTS_MOST: Final = 5000
_TEXTS_FIX: Final = "Send the codes as texts in a list; more than these in several requests."
_TWO_FIX: Final = "Send two: the label's code and the product's, in either order."


def parse_scans(value: Any) -> list[str]:
    """Read ``{"scans": ["l-00007", "3850104087301"]}``.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    return _parse_list(value, "scans", range(2, 3), "not a list of two texts", _TWO_FIX)


def parse_texts(value: Any) -> list[str]:
    """Read ``{"texts": ["4711", "3850104087301"]}``: up to 5,000.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    words = f"not a list of 1 to {TEXTS_MOST} texts"
    return _parse_list(value, "texts", range(1, TEXTS_MOST + 1), words, _TEXTS_FIX)


def _parse_list(value: Any, name: str, sizes: range, words: str, fix: str) -> list[str]:
    fields = Fields(value)
    texts = fields.take(name)
    found: list[str] = []
    if not isinstance(texts, list) or len(texts) not in sizes:
        fields.problem(name, words, fix=fix)
    else:
        for place, text in enumerate(texts):
            try:
                found.append(_parse_text(text, f"/{name}/{place}", fix))
            except InvalidInput as exc:
                fields.problems.extend(exc.problems)
    fields.finish()
    return found


def _parse_text(value: Any, path: str, fix: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput.at(path, "not a text", fix=fix)
    read_scan(value, path=path)
    return value
