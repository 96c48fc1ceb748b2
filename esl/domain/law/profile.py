"""A law profile: what one country's law asks of a price label, as data, with its sources.

::

    [prior_price]                     a section: one matter of law
    days = 30                         a rule that is known …
    [prior_price.source]
    days = "pid Art. 6a(2)"           … and which source says so
    [prior_price.unknown]
    member_prices_count = "…"         a rule that is not known, and in words what is done instead

Every rule of every section is either known, with a source, or unknown, with words: nothing is
invented and nothing is forgotten. Where a rule is unknown the careful value of `keys.py` holds.
The profiles are engineering's reading of the law and no legal advice; `Checked` says of each
source whether anybody read its text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from esl.domain.face import Unit


class Checked(StrEnum):
    """How well a source is known to those who wrote the profile."""

    TEXT = "text"  # its own words were read
    SUMMARY = "summary"  # an authority's or lawyer's account of it was read
    MEMORY = "memory"  # from general knowledge; read it before you rely on it


class Spoilage(StrEnum):
    """What a reduction of goods that are about to spoil needs."""

    EXEMPT = "exempt"  # no prior price
    AS_OTHERS = "as_others"


class NewProducts(StrEnum):
    """What may be claimed of a product that is sold for fewer days than the law looks back."""

    NONE_CLAIMED = "none_claimed"
    SINCE_SOLD = "since_sold"  # the lowest price since it is sold


class Claims(StrEnum):
    """Whether the price of a club's members is an announcement like any other."""

    AS_OTHERS = "as_others"
    EXEMPT = "exempt"


class Position(StrEnum):
    """Where the unit price stands."""

    NEAR = "near"  # in the same field of view as the selling price
    ABOVE_OR_LEFT = "above_or_left"


ALWAYS = -1
"""Value of `PriorPriceRule.progressive_days`: however long the reductions follow each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A law, judgment or guidance that rules rest on."""

    source_id: str
    title: str
    checked: Checked
    address: str = ""  # where it can be read; "" where nobody noted it


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a unit price counts for goods measured in ``unit``.

    The size is ``size_num`` / ``size_den`` thousandths of the unit: 100 g is 100 / 1 of kg, a
    pound 45359237 / 100000.
    """

    unit: Unit
    text: str  # as printed behind the amount: "kg", "100 g", "lb"
    size_num: int
    size_den: int
    is_loose: bool = False  # for goods that are weighed out before the customer
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """Goods that need no unit price, or goods that need an anchor price; the shop marks them."""

    code: str
    words: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRule:
    """Whether shelf prices hold the taxes."""

    included: bool
    words: str  # printed beside the price where they do not


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPriceRule:
    """How the price of a unit is computed and shown, and where it may be left out."""

    required: bool
    tenths_below_one: bool  # one decimal more below 1.00
    same_may_be_left_out: bool
    bulk_shows_it_alone: bool  # goods by weight: the unit price is the only price
    drained_weight: bool  # the content is the drained weight, where one is declared
    follows_reduction: bool  # a reduced price has its own
    for_multibuy: bool  # so has the price of several together
    too_small_milli: int  # contents below need none, in thousandths of kg or l
    heading: str
    position: Position
    two_colours: bool  # selling and unit price in two contrasting colours
    bases: tuple[Basis, ...]
    exemptions: tuple[Exemption, ...]

    def basis_for(self, unit: Unit, *, is_loose: bool = False) -> Basis | None:
        """Find what the unit price counts; for loose goods their own basis goes before."""
        found: Basis | None = None
        for basis in self.bases:
            if basis.unit is unit:
                if basis.is_loose is is_loose:
                    return basis
                if not basis.is_loose:
                    found = basis
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorPriceRule:
    """Which old price an announced reduction shows and is counted from."""

    days: int  # how far back; 0: the law has no such rule
    progressive_days: int  # 0: no rule for reductions that grow; `ALWAYS`; else that many days
    spoilage: Spoilage
    spoilage_mark_required: bool
    spoilage_counts: bool  # such a price is one of those that the lowest is sought among
    new_products: NewProducts
    percent_from_prior: bool
    member_prices_count: bool
    member_claims: Claims
    channels_apart: bool  # each store and channel has its own prior price
    words: Mapping[str, str]  # language → what stands before the amount

    def words_in(self, language: str) -> str:
        """Return the words in a language ("de" of "de_AT"), else in the profile's first."""
        return _in_language(self.words, language)


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositRule:
    """How a returnable deposit is shown."""

    outside_price: bool
    outside_unit_price: bool
    words: Mapping[str, str]  # language → text with {amount}

    def words_in(self, language: str) -> str:
        """Return the text in a language, else in the profile's first; it holds ``{amount}``."""
        return _in_language(self.words, language)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorRule:
    """A price of a fixed day that labels show beside today's."""

    required: bool
    day: date | None
    words: Mapping[str, str]  # language → what stands before the amount
    categories: tuple[Exemption, ...]  # goods that need one; the shop marks them

    def words_in(self, language: str) -> str:
        """Return the words in a language, else in the profile's first."""
        return _in_language(self.words, language)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What the law of one country, or one shop's own file, asks of a label."""

    name: str
    title: str
    version: int  # raised with every change of a rule
    in_force_since: date
    tax: TaxRule
    unit_price: UnitPriceRule
    prior_price: PriorPriceRule
    deposit: DepositRule
    anchor: AnchorRule
    sources: Mapping[str, Source]
    cites: Mapping[str, str]  # "prior_price.days" → "pid Art. 6a(2)"
    unknown: Mapping[str, str]  # "prior_price.new_products" → in words what is done instead


def _in_language(words: Mapping[str, str], language: str) -> str:
    if not words:
        return ""
    short = language.replace("-", "_").partition("_")[0]
    return words.get(short) or next(iter(words.values()))
