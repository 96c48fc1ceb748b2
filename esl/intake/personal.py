"""Personal offers have no place on a shelf that everybody reads: they are refused at the door.

A price for one customer, sent as any other, would hang there for all of them (field notes,
commercial N7 and R50).
"""

from typing import Final

PERSONAL: Final = frozenset(
    {
        *("customer", "customer_id", "customers", "person", "user", "user_id", "household"),
        *("loyalty", "loyalty_id", "card", "card_id", "card_number", "member_id"),
        *("segment", "audience", "email", "phone"),
    }
)
"""Names of fields that say for whom a price is."""

DETAIL: Final = "a price for single customers, and everybody reads a label"
FIX: Final = (
    "Leave it out and send prices for everybody; what every holder of a card pays is a promotion"
    " with a club, or a member's price."
)
