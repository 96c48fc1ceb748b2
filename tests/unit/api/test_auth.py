"""Tokens are believed for a moment, and a revoked one for none."""

from api.token_memory import TokenMemory
from esl.domain.access import Principal, Scope

TILL = Principal(name="token:1", scopes=frozenset({Scope.PRICE_WRITE}), stores=frozenset({"*"}))


def test_a_token_is_remembered_for_a_moment_and_then_asked_for_again() -> None:
    memory = TokenMemory()
    memory.remember("esl_1_a", TILL, 100.0, revocations=0)
    assert memory.recall("esl_1_a", 104.9) == TILL
    assert memory.recall("esl_1_a", 105.0) is None
    assert memory.recall("esl_1_b", 100.0) is None


def test_a_revocation_forgets_every_token() -> None:
    memory = TokenMemory()
    memory.remember("esl_1_a", TILL, 100.0, revocations=0)
    memory.forget_all()
    assert memory.recall("esl_1_a", 100.0) is None


def test_what_was_read_before_a_revocation_is_not_remembered_after_it() -> None:
    memory = TokenMemory()
    before = memory.revocations  # a request reads the token from the database
    memory.forget_all()  # another revokes it, and answers
    memory.remember("esl_1_a", TILL, 100.0, revocations=before)
    assert memory.recall("esl_1_a", 100.0) is None
    memory.remember("esl_1_b", TILL, 100.0, revocations=memory.revocations)
    assert memory.recall("esl_1_b", 100.0) == TILL


def test_strangers_cannot_fill_the_memory_without_end() -> None:
    memory = TokenMemory()
    for number in range(1500):
        memory.remember(f"esl_{number}_x", TILL, 100.0, revocations=0)
    assert memory.recall("esl_0_x", 100.0) is None
    assert memory.recall("esl_1499_x", 100.0) == TILL


def test_the_memory_holds_no_secret() -> None:
    memory = TokenMemory()
    memory.remember("esl_1_secret", TILL, 100.0, revocations=0)
    assert "secret" not in repr(vars(memory))
