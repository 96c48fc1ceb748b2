"""Who may do what: scopes of machine tokens and the stores they hold for."""

from dataclasses import dataclass
from enum import StrEnum

from esl.domain.errors import Forbidden, UnknownStore
from esl.domain.ids import StoreId


class Scope(StrEnum):
    """A right; a token carries some of them."""

    PRICE_WRITE = "price:write"  #: products and prices in
    PRICE_APPROVE = "price:approve"  #: decide about held back prices, roll back, freeze
    PRICE_READ = "price:read"  #: products and prices out
    LABEL_READ = "label:read"  #: labels, what they want and show, the wall
    LABEL_PAIR = "label:pair"  #: register and pair labels
    TEMPLATE_WRITE = "template:write"  #: templates, their pictures and the rules that choose them
    GATEWAY_ENROL = "gateway:enrol"  #: add gateways, and get their enrolment files
    STORE_ADMIN = "store:admin"  #: add and change stores
    USER_ADMIN = "user:admin"  #: tokens and people


ALL_STORES = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Whoever stands behind a request: a machine or a signed-in person."""

    name: str  # for audit and idempotency: "token:3", "person:owner", "operator"
    scopes: frozenset[Scope]
    stores: frozenset[str]  # store ids, or `ALL_STORES` alone

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
        if scope not in self.scopes:
            raise Forbidden(f"this needs the scope {scope.value}")
        if store_id is None and not every_store:
            raise Forbidden("this needs a token for all stores")
