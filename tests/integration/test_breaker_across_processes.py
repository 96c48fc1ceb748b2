"""The circuit breaker counts what several processes take at the same moment together."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import Connection, text

from esl.domain.guards import Guards, Limits
from esl.domain.pricing import ChangeResult, Decision
from esl.services import guarding
from esl.services.pricing import apply_price_changes
from esl.store.database import Database
from esl.store.migrate import migrate
from tests.builders import NOON, STORE, a_change, build_shelf

pytestmark = pytest.mark.timeout(120)

PATIENCE_S = 60
LEAST = 4


def rise(tx: Connection, first: int) -> tuple[ChangeResult, ...]:
    """Let four products rise by 30 %, which is far and no more than a single change may."""
    changes = [a_change(f"sku-{n}", 130, source_seq=None) for n in range(first, first + LEAST)]
    return apply_price_changes(tx, STORE, changes, NOON, actor="till").results


def test_what_two_processes_take_at_once_is_counted_together(fresh_postgres_url: str) -> None:
    """Each of them would else let through as much as one may, before either has committed."""
    limits = Limits(bulk_least=LEAST, bulk_permille=100, changes_a_day=None)
    with closing(Database(fresh_postgres_url)) as one, closing(Database(fresh_postgres_url)) as two:
        migrate(one, NOON)
        with one.writing.begin() as tx:
            build_shelf(tx, labels_count=2 * LEAST, price_minor=100)
            guarding.put_guards(tx, STORE, Guards(limits=limits), NOON, actor="t", reason="")
        began = threading.Event()
        whose: list[int] = []

        def other() -> tuple[ChangeResult, ...]:
            with two.writing.begin() as tx:
                whose.append(tx.execute(text("SELECT pg_backend_pid()")).scalar_one())
                began.set()
                return rise(tx, LEAST)

        with ThreadPoolExecutor(1) as pool:
            with one.writing.begin() as tx:
                first = rise(tx, 0)
                theirs = pool.submit(other)
                assert began.wait(PATIENCE_S)
                blocked = text("SELECT cardinality(pg_blocking_pids(:pid))")
                for _ in range(PATIENCE_S * 100):  # it waits for us, or is through already
                    if theirs.done() or tx.execute(blocked, {"pid": whose[0]}).scalar_one():
                        break
                    threading.Event().wait(0.01)
            second = theirs.result(PATIENCE_S)
    assert [result.decision for result in first] == [Decision.ACCEPTED] * LEAST
    assert [result.decision for result in second] == [Decision.QUARANTINED] * LEAST
