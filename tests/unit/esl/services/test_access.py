from datetime import timedelta

import pytest
from sqlalchemy import Connection

from esl.domain.access import ALL_STORES, Principal, Scope
from esl.domain.errors import InvalidInput, NotSignedIn, UnknownStore
from esl.services import access
from tests.builders import NOON, STORE, build_shelf

SECRET = "s3cret-with_underscores_in-it"


@pytest.fixture(autouse=True)
def shelf(tx: Connection) -> None:
    build_shelf(tx, labels_count=0)
    build_shelf(tx, labels_count=0, store_id="split-1", gateways=())  # type: ignore[arg-type]


def token(
    tx: Connection,
    scopes: tuple[Scope, ...] = (Scope.PRICE_WRITE,),
    stores: tuple[str, ...] = (STORE,),
    *,
    number: int = 1,
) -> str:
    return access.create_token(
        tx,
        token_id=f"t{number}",
        secret=SECRET,
        name="till",
        scopes=scopes,
        stores=stores,
        now=NOON,
    )


def test_a_token_stands_for_its_scopes_and_stores(tx: Connection) -> None:
    text = token(tx, scopes=(Scope.PRICE_WRITE, Scope.LABEL_READ))
    assert text == f"esl_t1_{SECRET}"
    assert access.principal_of_token(tx, text) == Principal(
        name="token:t1",
        scopes=frozenset({Scope.PRICE_WRITE, Scope.LABEL_READ}),
        stores=frozenset({STORE}),
    )


def test_only_a_hash_of_the_secret_is_stored(tx: Connection) -> None:
    token(tx)
    [row] = tx.exec_driver_sql("SELECT * FROM machine_token").all()
    assert SECRET not in str(row)
    [listed] = access.list_tokens(tx)
    assert SECRET not in repr(listed)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "esl",
        "esl_",
        "esl_t1",
        "esl_t1_",
        f"esl_t2_{SECRET}",
        f"ESL_t1_{SECRET}",
        f"t1_{SECRET}",
        "esl_t1_guess",
        f"esl_t1_{SECRET} ",
        f"esl_t1_{SECRET}x",
        "esl__",
        "_" * 100,
    ],
)
def test_what_is_no_token_of_ours_lets_nobody_in(tx: Connection, text: str) -> None:
    token(tx)
    with pytest.raises(NotSignedIn, match="the token is not valid"):
        access.principal_of_token(tx, text)


def test_a_revoked_token_is_worthless(tx: Connection) -> None:
    text = token(tx)
    assert access.revoke_token(tx, "t1", NOON)
    assert not access.revoke_token(tx, "t1", NOON), "there is none left to revoke"
    assert not access.revoke_token(tx, "nobody", NOON)
    with pytest.raises(NotSignedIn, match="the token is not valid"):
        access.principal_of_token(tx, text)
    assert [t.revoked_at for t in access.list_tokens(tx)] == [NOON]


def test_a_token_for_nothing_is_not_made(tx: Connection) -> None:
    for problem, scopes, stores in (
        ("/scopes", (), (STORE,)),
        ("/stores", (Scope.PRICE_READ,), ()),
    ):
        with pytest.raises(InvalidInput) as refused:
            token(tx, scopes=scopes, stores=stores)  # type: ignore[arg-type]
        assert [p.path for p in refused.value.problems] == [problem]
    with pytest.raises(UnknownStore):
        token(tx, stores=(STORE, "nowhere"))
    assert access.list_tokens(tx) == []


def test_a_principal_sees_its_own_stores(tx: Connection) -> None:
    own = access.principal_of_token(tx, token(tx))
    everywhere = access.principal_of_token(tx, token(tx, stores=(ALL_STORES,), number=2))
    assert access.stores_open_to(tx, own) == [STORE]
    assert access.stores_open_to(tx, everywhere) == ["split-1", STORE]


# ── People ──────────────────────────────────────────────────────────────────────────────────


def link(tx: Connection, uses: int = 1) -> None:
    access.make_sign_in_link(
        tx, secret="link", uses=uses, lasts=timedelta(minutes=15), now=NOON, actor="operator"
    )


def sign_in(tx: Connection, session: str = "cookie", *, after_s: float = 0) -> None:
    now = NOON + timedelta(seconds=after_s)
    ends = access.sign_in(tx, link_secret="link", session_secret=session, now=now)
    assert ends == now + access.SESSION_LASTS


def test_a_link_signs_its_person_in_once(tx: Connection) -> None:
    link(tx)
    sign_in(tx)
    who = access.principal_of_session(tx, "cookie", NOON)
    assert who.name == f"person:{access.OWNER}"
    assert who.scopes == frozenset(Scope)
    with pytest.raises(NotSignedIn):
        sign_in(tx, "another")
    with pytest.raises(NotSignedIn):
        access.principal_of_session(tx, "another", NOON)


def test_a_link_for_several_uses_counts_them(tx: Connection) -> None:
    link(tx, uses=2)
    sign_in(tx, "one")
    sign_in(tx, "two")
    with pytest.raises(NotSignedIn):
        sign_in(tx, "three")


def test_a_link_that_has_expired_or_was_never_made_signs_nobody_in(tx: Connection) -> None:
    link(tx)
    with pytest.raises(NotSignedIn):
        sign_in(tx, after_s=15 * 60)
    with pytest.raises(NotSignedIn):
        access.sign_in(tx, link_secret="guess", session_secret="cookie", now=NOON)
    sign_in(tx, after_s=15 * 60 - 1)


def test_a_session_ends_by_time_or_by_signing_out(tx: Connection) -> None:
    link(tx, uses=2)
    sign_in(tx, "one")
    sign_in(tx, "two")
    access.sign_out(tx, "one")
    with pytest.raises(NotSignedIn):
        access.principal_of_session(tx, "one", NOON)
    access.principal_of_session(tx, "two", NOON + access.SESSION_LASTS - timedelta(seconds=1))
    with pytest.raises(NotSignedIn, match="expired"):
        access.principal_of_session(tx, "two", NOON + access.SESSION_LASTS)


def test_sessions_that_have_expired_are_cleared_away(tx: Connection) -> None:
    link(tx, uses=2)
    tx.exec_driver_sql("UPDATE sign_in_link SET expires_at = '9999-01-01 00:00:00.000000'")
    sign_in(tx, "one")
    sign_in(tx, "two", after_s=access.SESSION_LASTS.total_seconds())
    assert len(tx.exec_driver_sql("SELECT * FROM person_session").all()) == 1
