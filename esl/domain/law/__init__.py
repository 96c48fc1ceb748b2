"""What the law asks of a price label: profiles as data, and pure rules that follow them.

A profile (`profile`) is read once (`profile_file`); rules are called for each label:
`prior_price`, `claim`, `unit_price`, `beside` (deposit, tax, anchor price).
"""

from esl.domain.law.beside import Anchor, DepositLine, anchor_price, deposit_line, tax_words
from esl.domain.law.claim import Claim, ClaimCode, highest_price_for, may_claim
from esl.domain.law.prior_price import PriorPrice, Reason, Step, StepKind, lowest_price
from esl.domain.law.profile import Profile
from esl.domain.law.profile_file import (
    PROFILE_NAMES,
    load_profile,
    parse_profile,
    read_profile_file,
)
from esl.domain.law.unit_price import (
    Measure,
    UnitPrice,
    UnitPriceCode,
    measure_of,
    multibuy_unit_price,
    unit_price,
)

__all__ = [
    "PROFILE_NAMES",
    "Anchor",
    "Claim",
    "ClaimCode",
    "DepositLine",
    "Measure",
    "PriorPrice",
    "Profile",
    "Reason",
    "Step",
    "StepKind",
    "UnitPrice",
    "UnitPriceCode",
    "anchor_price",
    "deposit_line",
    "highest_price_for",
    "load_profile",
    "lowest_price",
    "may_claim",
    "measure_of",
    "multibuy_unit_price",
    "parse_profile",
    "read_profile_file",
    "tax_words",
    "unit_price",
]
