"""Reading inspections: how large a sample, and what was seen of an item."""

from dataclasses import dataclass
from typing import Any, Final

from esl.domain.errors import InvalidInput
from esl.domain.inspection import NOTE_LONGEST, Seen
from esl.domain.money import parse_price
from esl.intake.fields import Fields
from esl.intake.strict_json import MAX_INTEGER

SIZES: Final = (50, 100)
"""The examination procedure of NIST Handbook 130 knows these two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """Which sample; ``seed`` None: any."""

    size: int
    seed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen of an item; ``seen`` None takes back what was said."""

    seen: Seen | None
    seen_minor: int | None
    note: str | None


def parse_begin(value: Any) -> Begin:
    """Read ``{"size": 50, "seed": 7}``, or nothing: 50, and any seed.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    size = fields.integer("size")
    if size is not None and size not in SIZES:
        fields.problem("size", f"{size}", fix="Send 50 or 100.")
    seed = fields.integer("seed", high=MAX_INTEGER)
    fields.finish()
    return Begin(size=SIZES[0] if size is None else size, seed=seed)


def parse_look(value: Any, *, currency: str) -> Look:
    """Read ``{"seen": "wrong", "price": "1.29", "note": "…"}``; ``seen`` null takes it back.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    if not fields.has("seen"):
        fields.problem("seen", "missing", fix=_SEEN_FIX)
    seen = fields.parsed("seen", _parse_seen)
    price = fields.parsed("price", lambda text, at: parse_price(text, currency, path=at))
    note = fields.text("note", longest=NOTE_LONGEST)
    if isinstance(price, int) and seen is not Seen.WRONG:
        fields.problem("price", "beside something else than wrong", fix="Leave it out.")
    fields.finish()
    return Look(
        seen=seen if isinstance(seen, Seen) else None,
        seen_minor=price if isinstance(price, int) else None,
        note=note if isinstance(note, str) else None,
    )


_SEEN_FIX: Final = f"Send one of {', '.join(Seen)}, or null to take it back."


def _parse_seen(text: str, path: str) -> Seen:
    try:
        return Seen(text)
    except ValueError:
        raise InvalidInput.at(path, "not what one can see", fix=_SEEN_FIX) from None
