"""Records with an old date, which a writer into the database has the controller seal."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, insert, select

from esl.domain.chain import RecordKind
from esl.store import audit
from esl.store.tables import audit_entries, audit_gaps, display_log
from tests.builders import NOON
from tests.integration.test_audit_chain_both_databases import DAY, Books, a_display, books

__all__ = ["books"]  # a fixture
LONG_AGO = NOON - 30 * DAY


def _forge_entry(tx: Connection, entry_id: int, at: datetime) -> None:
    forged = {"actor": "person:7", "action": "approve", "subject": "held-price/1"}
    tx.execute(insert(audit_entries).values(entry_id=entry_id, at=at, **forged))


def _forge_gap(tx: Connection, first: int, last: int, since: datetime) -> None:
    gap = {"kind": RecordKind.AUDIT, "first_id": first, "last_id": last, "since": since}
    tx.execute(insert(audit_gaps).values(**gap))


@pytest.mark.parametrize("gap", ["young", "old"])
def test_a_record_below_all_others_is_found_though_a_gap_was_forged_for_it(
    books: Books, gap: str
) -> None:
    books.fill(3)
    books.checkpoint()
    since = books.clock.wall() if gap == "young" else LONG_AGO

    def forge(tx: Connection) -> None:
        _forge_gap(tx, -9, 0, since)
        _forge_entry(tx, -5, LONG_AGO)

    books.write(forge)
    assert books.verify().wrong == "audit_entry -5: no block sealed it; it was put there later"


def test_a_record_that_the_sealing_took_from_a_forged_gap_is_found(books: Books) -> None:
    books.fill(3)

    def forge(tx: Connection) -> None:
        _forge_gap(tx, -9, 0, books.clock.wall())
        _forge_entry(tx, -5, LONG_AGO)

    books.write(forge)
    books.fill(1, start=3)
    books.clock.pass_s(301)
    books.checkpoint()
    wrong = books.verify().wrong
    assert wrong is not None
    assert "it was put there later" in wrong


def test_an_old_report_that_was_sealed_today_is_found(books: Books) -> None:
    """Else the proof of what a label showed then would be of our own making."""
    books.fill(3)
    books.checkpoint()
    books.write(lambda tx: tx.execute(insert(display_log).values(**a_display(1, 9999, LONG_AGO))))
    books.fill(2, start=3)
    books.clock.pass_s(301)
    assert books.checkpoint() is not None
    wrong = books.verify().wrong
    assert wrong is not None
    assert wrong.startswith("block 4: of what it holds, display_log ")
    assert str(LONG_AGO.date()) in wrong


@pytest.mark.parametrize("behind", [timedelta(minutes=59), timedelta(hours=23)])
def test_clocks_that_differ_by_less_than_a_day_are_no_forgery(
    books: Books, behind: timedelta
) -> None:
    books.fill(3)
    at = books.clock.wall() - behind
    books.write(lambda tx: audit.note(tx, at, actor="a", action="of another machine", subject="c"))
    books.sealing.seal_all()
    books.clock.pass_s(301)
    books.checkpoint()
    assert books.verify().wrong is None
    with books.database.read() as tx:
        assert tx.execute(select(audit_entries.c.at).order_by(audit_entries.c.at)).first() == (at,)
