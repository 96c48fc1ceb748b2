"""What must hold of access: nothing is done for whom it was taken from, and nothing elsewhere.

Tokens, people, roles and sessions as they were committed, by rules of its own: who may what is
written out here once more. Of the office's stores it keeps what each product costs and which price
waits for another person; after each commit the books must say exactly that, so a request that was
let through in another store, or a price that nobody approved, stands out at once.
"""

import sqlite3
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.chaos.order_oracle import Check

OFFICE_STORES = ("annex", "depot")
"""Stores without labels, in which machines and people work who have no business in the shop."""

WRITE, APPROVE = "price:write", "price:approve"

_MAY = {
    "manager": frozenset({WRITE}),
    "technician": frozenset[str](),
    "approver": frozenset({APPROVE}),
    "admin": frozenset({WRITE, APPROVE}),
}
_IDLE, _LASTS = timedelta(minutes=30), timedelta(hours=12)
_PRICES = f"SELECT store_id, sku, price_minor FROM price WHERE store_id IN {OFFICE_STORES}"  # noqa: S608
_RISE, _FALL = 1.5, 0.6  # of what holds: beyond these a second person looks


@dataclass(slots=True, kw_only=True)
class Machine:
    """A token."""

    scopes: frozenset[str]
    stores: frozenset[str]
    revoked: bool = False

    def where(self, _now: datetime) -> dict[str, frozenset[str]] | None:
        """Say what it may in which store; None: nobody knows it."""
        return None if self.revoked else dict.fromkeys(self.stores, self.scopes)


@dataclass(slots=True, kw_only=True)
class Human:
    """A person, with at most one session that counts."""

    roles: dict[str, str] = field(default_factory=dict)  # by store
    closed: bool = False
    signed_in: datetime | None = None

    def where(self, now: datetime) -> dict[str, frozenset[str]] | None:
        """Say what the session may in which store; None: there is none any more."""
        began = self.signed_in
        if self.closed or began is None or now - began >= _IDLE or began + _LASTS <= now:
            return None
        return {store: _MAY[role] for store, role in self.roles.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A price that waits for another person."""

    price_minor: int
    sent_by: str


class AccessOracle:
    """Watches what tokens and people do. ``check`` asks a question."""

    def __init__(self, books: sqlite3.Connection, check: Check) -> None:
        self._books = books
        self._check = check
        self.machines: dict[str, Machine] = {}
        self.people: dict[str, Human] = {}
        self.prices: dict[tuple[str, str], int] = {}
        self.waiting: dict[tuple[str, str], Waiting] = {}
        self.refused = self.allowed = 0

    def gate(self, who: str, store: str, right: str, now: datetime) -> str:
        """Say what somebody who asks must hear at the door: "in", or why not."""
        asker = self.machines.get(who) or self.people.get(who)
        where = asker.where(now) if asker is not None else None
        if where is None:
            return "nobody"
        if store not in where:
            return "no such store"
        return "in" if right in where[store] else "forbidden"

    def judge(self, of: str, expected: str, given: str) -> bool:
        """Compare what was answered at the door; say whether the asker was let in."""
        was = given if given in ("nobody", "no such store", "forbidden") else "in"
        self._check("I13", was == expected, f"{of}: answered {given}, must be {expected}")
        if was == "in":
            self.allowed += 1
        else:
            self.refused += 1
        return was == "in"

    def take_price(self, of: str, at: tuple[str, str], price: int, who: str, given: str) -> None:
        """A price came in that its sender may send."""
        held = self.prices.get(at)
        if at in self.waiting:
            expected = "waits"
        elif held == price:
            expected = "unchanged"
        elif held is not None and not _FALL * held <= price <= _RISE * held:
            expected = "quarantined"
            self.waiting[at] = Waiting(price_minor=price, sent_by=who)
        else:
            expected = "accepted"
            self.prices[at] = price
        self._check("I9", given == expected, f"{of}: answered {given}, must be {expected}")

    def rule(self, of: str, at: tuple[str, str], verb: str, who: str, given: str) -> bool:
        """Somebody who may decided about a price that waits; say whether it was decided."""
        one = self.waiting.get(at)
        if one is None:
            expected = "nothing waits"
        elif one.sent_by == who:
            expected = "own"
        else:
            expected = verb
            del self.waiting[at]
            if verb == "approve":
                self.prices[at] = one.price_minor
        self._check("I9", given == expected, f"{of}: answered {given}, must be {expected}")
        return given == verb

    def check_books(self, of: str) -> None:
        """After a commit the books hold these prices of the office's stores, and no others."""
        for row in self._books.execute(_PRICES):
            at = (row["store_id"], row["sku"])
            one = self.waiting.get(at)
            unapproved = one is not None and row["price_minor"] == one.price_minor
            self._check(
                "I9" if unapproved else "I13",
                row["price_minor"] == self.prices[at],
                f"after {of} {at} costs {row['price_minor']}, must {self.prices[at]}",
            )
