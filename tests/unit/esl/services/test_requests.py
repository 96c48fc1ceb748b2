from datetime import timedelta

import pytest
from sqlalchemy import Connection

from esl.domain.errors import IdempotencyConflict, InvalidInput
from esl.services.requests import StoredAnswer, answer_once
from esl.store.answers import forget_answers
from tests.builders import NOON


class Counting:
    """Work that says how often it was done."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self, _tx: Connection) -> StoredAnswer:
        self.done += 1
        return StoredAnswer(request_sha256="a" * 64, status=200, answer=f'{{"n": {self.done}}}')


@pytest.fixture
def work() -> Counting:
    return Counting()


def once(
    tx: Connection,
    work: Counting,
    key: str | None = "key-1",
    sha256: str = "a" * 64,
    principal: str = "token:1",
) -> StoredAnswer:
    return answer_once(tx, work, principal=principal, key=key, request_sha256=sha256, now=NOON)


def test_the_same_request_is_done_once_and_answered_alike(tx: Connection, work: Counting) -> None:
    first = once(tx, work)
    assert once(tx, work) == first
    assert (work.done, first.answer) == (1, '{"n": 1}')


def test_another_request_under_the_same_key_is_a_conflict(tx: Connection, work: Counting) -> None:
    once(tx, work)
    with pytest.raises(IdempotencyConflict):
        once(tx, work, sha256="b" * 64)
    assert work.done == 1


def test_keys_belong_to_whoever_sent_them(tx: Connection, work: Counting) -> None:
    once(tx, work)
    once(tx, work, principal="token:2", sha256="b" * 64)
    once(tx, work, key="key-2", sha256="b" * 64)
    assert work.done == 3


def test_without_a_key_every_request_is_done(tx: Connection, work: Counting) -> None:
    once(tx, work, key=None)
    once(tx, work, key=None)
    assert work.done == 2


def test_work_that_fails_stores_nothing_and_its_key_is_free(tx: Connection, work: Counting) -> None:
    def fail(_tx: Connection) -> StoredAnswer:
        raise InvalidInput.at("/price", "no")

    with pytest.raises(InvalidInput):
        answer_once(tx, fail, principal="token:1", key="key-1", request_sha256="b", now=NOON)
    assert once(tx, work).answer == '{"n": 1}'


def test_old_answers_are_forgotten(tx: Connection, work: Counting) -> None:
    once(tx, work)
    assert forget_answers(tx, NOON) == 0
    assert forget_answers(tx, NOON + timedelta(seconds=1)) == 1
    once(tx, work)
    assert work.done == 2
