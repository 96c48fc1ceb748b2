import pytest

from esl.domain.access import ALL_STORES, Principal, Scope
from esl.domain.errors import EslError, Forbidden, UnknownStore
from tests.builders import STORE


def principal(*stores: str) -> Principal:
    return Principal(
        name="token:1", scopes=frozenset({Scope.PRICE_WRITE}), stores=frozenset(stores)
    )


def test_a_scope_in_ones_own_store_is_enough() -> None:
    principal(STORE).require(Scope.PRICE_WRITE, STORE)
    principal(ALL_STORES).require(Scope.PRICE_WRITE, STORE)
    principal(ALL_STORES).require(Scope.PRICE_WRITE)


@pytest.mark.parametrize(
    ("stores", "scope", "store", "error"),
    [
        ((STORE,), Scope.PRICE_READ, STORE, Forbidden),
        ((ALL_STORES,), Scope.PRICE_READ, STORE, Forbidden),
        ((ALL_STORES,), Scope.STORE_ADMIN, None, Forbidden),
        # Another's store does not exist for it, whatever scope it lacks.
        (("split-1",), Scope.PRICE_WRITE, STORE, UnknownStore),
        (("split-1",), Scope.PRICE_READ, STORE, UnknownStore),
        ((), Scope.PRICE_WRITE, STORE, UnknownStore),
        # Of the whole installation, with some stores only.
        ((STORE,), Scope.PRICE_WRITE, None, Forbidden),
    ],
)
def test_anything_less_is_refused(
    stores: tuple[str, ...], scope: Scope, store: str | None, error: type[EslError]
) -> None:
    with pytest.raises(error):
        principal(*stores).require(scope, store)  # type: ignore[arg-type]
