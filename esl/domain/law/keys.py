"""Every rule that a law profile has a place for, with the careful value where it is not known.

The careful value is the one that cannot mislead a customer: the longer look back, the refused
claim, the shown unit price. The parser, the JSON Schema and ``esl law show`` follow this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from esl.domain.face import Unit
from esl.domain.law.profile import Basis, Claims, Exemption, NewProducts, Position, Spoilage

DAYS_MOST: Final = 366
PROGRESSIVE_MOST: Final = 3660
TEXT_LONGEST: Final = 400
TOO_SMALL_MOST: Final = 1000


class Kind(StrEnum):
    """What a rule's value is."""

    BOOL = "bool"
    INT = "int"
    TEXT = "text"
    CHOICE = "choice"
    WORDS = "words"  # language → text
    DATE = "date"
    PROGRESSIVE = "progressive"  # "never", "always" or days
    BASES = "bases"
    EXEMPTIONS = "exemptions"


Value = (
    bool
    | int
    | str
    | date
    | StrEnum
    | Mapping[str, str]
    | tuple[Basis, ...]
    | tuple[Exemption, ...]
    | None
)
"""What a rule's field takes."""

_UNIT_TEXTS: Final = {Unit.SQUARE_METRE: "m²"}
_CAREFUL_BASES: Final = tuple(
    Basis(unit=unit, text=_UNIT_TEXTS.get(unit, unit.value), size_num=1000, size_den=1)
    for unit in Unit
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One rule of a section; ``name`` is also its field's in `profile`, or ``field`` is."""

    name: str
    kind: Kind
    about: str
    careful: bool | int | str
    enum: type[StrEnum] | None = None  # of a choice
    highest: int = 0
    field: str = ""
    holds: str = ""  # what each text must hold, such as "{amount}"

    @property
    def field_name(self) -> str:
        """Name of the field that takes the value."""
        return self.field or self.name

    @property
    def has_own_sources(self) -> bool:
        """Whether each entry of the value names its source itself."""
        return self.kind in (Kind.BASES, Kind.EXEMPTIONS)

    @property
    def careful_value(self) -> Value:
        """The value where the rule is not known, as its field takes it."""
        match self.kind:
            case Kind.WORDS:
                return {}
            case Kind.DATE:
                return None
            case Kind.EXEMPTIONS:
                return ()
            case Kind.BASES:
                return _CAREFUL_BASES
            case Kind.CHOICE if self.enum is not None:
                return self.enum(str(self.careful))
            case _:
                return self.careful


def _bool(name: str, about: str, *, careful: bool) -> Key:
    return Key(name=name, kind=Kind.BOOL, about=about, careful=careful)


def _choice(name: str, about: str, values: type[StrEnum], careful: StrEnum) -> Key:
    return Key(name=name, kind=Kind.CHOICE, about=about, careful=careful.value, enum=values)


def _words(name: str, about: str, *, holds: str = "") -> Key:
    return Key(name=name, kind=Kind.WORDS, about=about, careful="", holds=holds)


def _listed(name: str, kind: Kind, about: str) -> Key:
    return Key(name=name, kind=kind, about=about, careful="")


SECTIONS: Final[dict[str, tuple[Key, ...]]] = {
    "tax": (
        _bool("included", "Shelf prices hold all taxes.", careful=True),
        Key(
            name="words",
            kind=Kind.TEXT,
            about="Printed beside a price that does not hold them.",
            careful="",
        ),
    ),
    "unit_price": (
        _bool("required", "Labels must show a unit price.", careful=True),
        _bool("tenths_below_one", "Below 1.00 it has one decimal more.", careful=False),
        _bool(
            "same_may_be_left_out",
            "It may be left out where it is the same as the price.",
            careful=False,
        ),
        _bool("bulk_shows_it_alone", "Goods by weight show nothing else.", careful=True),
        _bool("drained_weight", "It counts the drained weight where declared.", careful=True),
        _bool("follows_reduction", "A reduced price has its own.", careful=True),
        _bool("for_multibuy", "The price of several together has its own.", careful=True),
        Key(
            name="too_small",
            field="too_small_milli",
            kind=Kind.INT,
            about="Contents of fewer grams or millilitres need none.",
            careful=0,
            highest=TOO_SMALL_MOST,
        ),
        Key(name="heading", kind=Kind.TEXT, about="Words above it.", careful=""),
        _choice("position", "Where it stands.", Position, Position.NEAR),
        _bool("two_colours", "It and the price are in two contrasting colours.", careful=False),
        _listed("bases", Kind.BASES, "What it counts."),
        _listed("exemptions", Kind.EXEMPTIONS, "Goods that need none."),
    ),
    "prior_price": (
        Key(
            name="days",
            kind=Kind.INT,
            about="How many days the lowest price is sought in; 0: the law has no such rule.",
            careful=30,
            highest=DAYS_MOST,
        ),
        Key(
            name="progressive",
            field="progressive_days",
            kind=Kind.PROGRESSIVE,
            about="Whether reductions that grow without a break count from before the first.",
            careful=0,
            highest=PROGRESSIVE_MOST,
        ),
        _choice("spoilage", "Reductions of goods about to spoil.", Spoilage, Spoilage.AS_OTHERS),
        _bool("spoilage_mark_required", "They must be marked as such.", careful=True),
        _bool("spoilage_counts", "Their price is one the lowest is sought among.", careful=True),
        _choice(
            "new_products",
            "Products sold for fewer days.",
            NewProducts,
            NewProducts.NONE_CLAIMED,
        ),
        _bool("percent_from_prior", "A percentage counts from the prior price.", careful=True),
        _bool("member_prices_count", "Members' prices are among those sought.", careful=False),
        _choice(
            "member_claims",
            "Whether a price for members is announced like others.",
            Claims,
            Claims.AS_OTHERS,
        ),
        _bool("channels_apart", "Each store and channel has its own.", careful=True),
        _words("words", "What stands before the amount."),
    ),
    "deposit": (
        _bool("outside_price", "A returnable deposit is not in the price.", careful=True),
        _bool("outside_unit_price", "Nor in the unit price.", careful=True),
        _words("words", "What shows it.", holds="{amount}"),
    ),
    "anchor": (
        _bool("required", "Labels show the price of a fixed day.", careful=False),
        Key(name="day", kind=Kind.DATE, about="The day.", careful=""),
        _words("words", "What stands before the amount."),
        _listed("categories", Kind.EXEMPTIONS, "Goods that need it; none listed: all do."),
    ),
}
"""The rules of each section, in the order in which they are shown."""
