import pytest

from esl.domain.access import ALL_STORES, ROLE_SCOPES, Principal, Role, Scope
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


# ── People, by their roles ──────────────────────────────────────────────────────────────────


def person(*roles: tuple[str, Role]) -> Principal:
    return Principal.of_roles("person:p1", roles)


def test_a_person_is_one_thing_here_and_another_there() -> None:
    who = person((STORE, Role.MANAGER), ("split-1", Role.TECHNICIAN))
    assert who.stores == {STORE, "split-1"}
    who.require(Scope.PRICE_WRITE, STORE)
    who.require(Scope.GATEWAY_ENROL, "split-1")  # type: ignore[arg-type]
    for scope, store in ((Scope.GATEWAY_ENROL, STORE), (Scope.PRICE_WRITE, "split-1")):
        with pytest.raises(Forbidden, match=f"the scope {scope}"):
            who.require(scope, store)  # type: ignore[arg-type]
    with pytest.raises(Forbidden, match="all stores"):
        who.require(Scope.PRICE_WRITE)
    with pytest.raises(UnknownStore):
        who.require(Scope.PRICE_WRITE, "nowhere")  # type: ignore[arg-type]


def test_roles_in_one_store_add_up_with_those_in_all() -> None:
    who = person((ALL_STORES, Role.TECHNICIAN), (STORE, Role.MANAGER), (STORE, Role.APPROVER))
    assert who.scopes_in(STORE) == (
        ROLE_SCOPES[Role.TECHNICIAN] | ROLE_SCOPES[Role.MANAGER] | ROLE_SCOPES[Role.APPROVER]
    )
    assert who.scopes_in("split-1") == ROLE_SCOPES[Role.TECHNICIAN]  # type: ignore[arg-type]
    assert who.scopes_in(None) == ROLE_SCOPES[Role.TECHNICIAN]
    who.require(Scope.GATEWAY_ENROL)
    with pytest.raises(Forbidden, match="the scope price:write"):
        who.require(Scope.PRICE_WRITE)


def test_nobody_without_a_role_knows_of_a_store() -> None:
    with pytest.raises(UnknownStore):
        person().require(Scope.PRICE_READ, STORE)
    with pytest.raises(Forbidden):
        person().require(Scope.PRICE_READ)
    assert not person().may(Scope.PRICE_READ, STORE)


def test_every_role_may_look_and_only_an_admin_makes_others() -> None:
    for role, scopes in ROLE_SCOPES.items():
        assert {Scope.PRICE_READ, Scope.LABEL_READ} <= scopes
        assert (Scope.USER_ADMIN in scopes) == (role is Role.ADMIN)
    both = {Scope.PRICE_WRITE, Scope.PRICE_APPROVE}
    assert [role for role, scopes in ROLE_SCOPES.items() if both <= scopes] == [Role.ADMIN]


def test_who_may_say_any_price_may_plan_promotions_and_not_the_other_way_round() -> None:
    principal(STORE).require(Scope.PROMOTION_WRITE, STORE)
    planner = Principal(
        name="token:2", scopes=frozenset({Scope.PROMOTION_WRITE}), stores=frozenset({STORE})
    )
    planner.require(Scope.PROMOTION_WRITE, STORE)
    with pytest.raises(Forbidden):
        planner.require(Scope.PRICE_WRITE, STORE)
