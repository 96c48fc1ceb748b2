"""Who may do what: scopes, the roles of people that stand for some of them, and where they hold.

::

    a machine     its token's scopes, the same in each of its stores
    a person      a role in a store, or in all: manager here, technician there
                  └ each role stands for scopes; several in one store add up
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from esl.domain.errors import Forbidden, UnknownStore
from esl.domain.ids import StoreId


class Scope(StrEnum):
    """A right; a token carries some of them."""

    PRICE_WRITE = "price:write"  #: products and prices in
    PRICE_PROPOSE = "price:propose"  #: prices within a store's rules for engines, and no others
    PRICE_APPROVE = "price:approve"  #: decide about held back prices, roll back, freeze
    PRICE_READ = "price:read"  #: products and prices out
    PROMOTION_WRITE = "promotion:write"  #: plan, change, end promotions; `PRICE_WRITE` covers it
    LABEL_READ = "label:read"  #: labels, what they want and show, the wall
    LABEL_PAIR = "label:pair"  #: register and pair labels
    TEMPLATE_WRITE = "template:write"  #: templates, their pictures and the rules that choose them
    GATEWAY_ENROL = "gateway:enrol"  #: add gateways, and get their enrolment files
    AUDIT_READ = "audit:read"  #: who did what, and the proof of it
    STORE_ADMIN = "store:admin"  #: add and change stores
    USER_ADMIN = "user:admin"  #: tokens and people


COVERED_BY: Final[Mapping[Scope, frozenset[Scope]]] = MappingProxyType(
    {Scope.PROMOTION_WRITE: frozenset({Scope.PRICE_WRITE})}
)
"""Scopes that a wider one includes: who may say any price may say one for a time."""


class Role(StrEnum):
    """What a person is in a store, or in all of them."""

    MANAGER = "manager"  #: runs the shop: prices, promotions, templates, labels
    TECHNICIAN = "technician"  #: hangs labels and gateways, and changes no price
    APPROVER = "approver"  #: decides about what managers and tills sent, and sends nothing
    ADMIN = "admin"  #: all of it, and the accounts of the others


_READING: Final = frozenset({Scope.PRICE_READ, Scope.LABEL_READ})

ROLE_SCOPES: Final[Mapping[Role, frozenset[Scope]]] = MappingProxyType(
    {
        Role.MANAGER: _READING
        | {
            Scope.PRICE_WRITE,
            Scope.PROMOTION_WRITE,
            Scope.LABEL_PAIR,
            Scope.TEMPLATE_WRITE,
        },
        Role.TECHNICIAN: _READING | {Scope.LABEL_PAIR, Scope.GATEWAY_ENROL},
        Role.APPROVER: _READING | {Scope.PRICE_APPROVE, Scope.AUDIT_READ},
        Role.ADMIN: frozenset(Scope),
    }
)
"""Every role reads prices and labels of its store: whoever is in a list of stores may look."""


ALL_STORES = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Whoever stands behind a request: a machine or a signed-in person.

    ``scopes`` hold in each of ``stores``; where ``where`` is given, they are what is held
    anywhere, and ``where`` says what is held in which store, or in `ALL_STORES`.
    """

    name: str  # for audit and idempotency: "token:3", "person:owner", "operator"
    scopes: frozenset[Scope]
    stores: frozenset[str]  # store ids, or `ALL_STORES`
    where: Mapping[str, frozenset[Scope]] | None = field(default=None, hash=False)

    @classmethod
    def of_roles(cls, name: str, roles: Iterable[tuple[str, Role]]) -> "Principal":
        """Make a person's principal from pairs of a store, or `ALL_STORES`, and a role in it."""
        where: dict[str, frozenset[Scope]] = {}
        for store, role in roles:
            where[store] = where.get(store, frozenset()) | ROLE_SCOPES[role]
        return cls(
            name=name,
            scopes=frozenset[Scope]().union(*where.values()),
            stores=frozenset(where),
            where=where,
        )

    def scopes_in(self, store_id: StoreId | None) -> frozenset[Scope]:
        """Return what is held in a store; of None, what is held in the whole installation."""
        if self.where is None:
            held = ALL_STORES in self.stores or store_id in self.stores
            return self.scopes if held else frozenset()
        everywhere = self.where.get(ALL_STORES, frozenset())
        return (
            everywhere if store_id is None else everywhere | self.where.get(store_id, frozenset())
        )

    def may(self, scope: Scope, store_id: StoreId | None = None) -> bool:
        """Say whether `require` would let the request pass."""
        held = self.scopes_in(store_id)
        return scope in held or not held.isdisjoint(COVERED_BY.get(scope, frozenset()))

    def require_somewhere(self, scope: Scope) -> None:
        """Let the request pass where the scope is held in any store, or raise.

        Raises:
            Forbidden: It is held in none.
        """
        if not any(self.may(scope, StoreId(store)) for store in self.stores):
            self.require(scope)

    def require(self, scope: Scope, store_id: StoreId | None = None) -> None:
        """Let the request pass, or raise.

        Raises:
            UnknownStore: The principal holds nothing in this store, and may not learn of it.
            Forbidden: It lacks the scope; or the request is for the whole installation and the
                principal is for some stores only.
        """
        every_store = ALL_STORES in self.stores
        if store_id is not None and not every_store and store_id not in self.stores:
            raise UnknownStore(f"no store {store_id!r}")
        if self.may(scope, store_id):
            return
        held = self.scopes if store_id is None and not every_store else self.scopes_in(store_id)
        if scope in held or not held.isdisjoint(COVERED_BY.get(scope, frozenset())):
            raise Forbidden("this needs a token for all stores")
        raise Forbidden(f"this needs the scope {scope.value}")
