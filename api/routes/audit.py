"""The audit: who did what to what, and why."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors
from api.auth import Asker, TheHouse
from esl.domain.access import Scope
from esl.domain.audit import AuditEntry
from esl.domain.chain import RecordKind
from esl.domain.errors import InvalidInput, NotFound
from esl.domain.ids import StoreId
from esl.store import audit, chain
from esl.store.audit import Asked

router = APIRouter(prefix="/api/v1", tags=["audit"])

PAGE_MOST = 1000
_NUMBER_MOST = 2**62
_FIRST_YEAR, _LAST_YEAR = 2000, 2099
_FIX = "Send an instant with its offset, such as 2026-03-01T06:00:00Z."


class AuditPage(BaseModel, extra="forbid"):
    """Which entries; what is left out is not asked for."""

    store: str | None = Field(default=None, max_length=64, description="Of this store.")
    actor: str | None = Field(default=None, max_length=80, description="token:3, person:ana")
    action: str | None = Field(default=None, max_length=40, description="guards, approve, …")
    subject: str | None = Field(default=None, max_length=140, description="done to this")
    begins: str | None = Field(
        default=None, alias="from", max_length=40, description="2026-03-01T06:00:00Z"
    )
    ends: str | None = Field(
        default=None, alias="to", max_length=40, description="the first instant after it"
    )
    before: int | None = Field(
        default=None, ge=1, le=_NUMBER_MOST, description="“before” of the page before this one"
    )
    limit: int = Field(default=100, ge=1, le=PAGE_MOST)


@router.get("/audit")
async def list_audit(
    house: TheHouse, who: Asker, page: Annotated[AuditPage, Query()]
) -> dict[str, Any]:
    """List who did what, the newest first; ``before`` leads to the next page.

    Without ``store`` it is the whole installation's, and needs a right to all of it. ``sealed``
    says whether an entry is in the audit chain yet, which it comes to be within a minute or two.
    """
    store_id: StoreId | None = None
    if page.store is not None:
        store_id = await doors.enter(house, who, Scope.AUDIT_READ, page.store)
    else:
        who.require(Scope.AUDIT_READ)
    asked = Asked(
        store_id=store_id,
        actor=_text(page.actor, "actor"),
        action=_text(page.action, "action"),
        subject=_text(page.subject, "subject"),
        begins=instant_of(page.begins, "from"),
        ends=instant_of(page.ends, "to"),
    )

    def query(tx: Connection) -> dict[str, Any]:
        found = audit.entries_asked(tx, asked, before=page.before, most=page.limit)
        sealed_to = chain.sealed_to(tx, RecordKind.AUDIT)
        more = found[-1].entry_id if len(found) == page.limit else None
        return {"entries": [_view(one, sealed_to) for one in found], "before": more}

    return await doors.read(house, query)


@router.get("/audit/{entry}")
async def get_audit_entry(entry: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Return one entry: what was done, by whom, with what was before and after.

    One of another store answers as one that does not exist.
    """
    number = doors.number(entry, "entry")
    who.require_somewhere(Scope.AUDIT_READ)

    def query(tx: Connection) -> dict[str, Any]:
        found = audit.entry_named(tx, number)
        if found is not None and not who.may(Scope.AUDIT_READ, found.store_id):
            found = None
        if found is None:
            raise NotFound(f"no audit entry {number}; GET /api/v1/audit lists them")
        return _view(found, chain.sealed_to(tx, RecordKind.AUDIT))

    return await doors.read(house, query)


def instant_of(text: str | None, name: str) -> datetime | None:
    """Read an instant of a query, UTC.

    Raises:
        InvalidInput: It is none, or lacks its offset, or is of another century.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput.at(f"/{name}", "no instant", fix=_FIX) from None
    if moment.tzinfo is None:
        raise InvalidInput.at(f"/{name}", "an instant without an offset", fix=_FIX)
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise InvalidInput.at(f"/{name}", f"not within {_FIRST_YEAR} to {_LAST_YEAR}", fix=_FIX)
    return moment.astimezone(UTC)


def _text(text: str | None, name: str) -> str | None:
    """Refuse what no column can hold: PostgreSQL knows no NUL."""
    if text is not None and "\0" in text:
        raise InvalidInput.at(f"/{name}", "a NUL character", fix="Send printable text.")
    return text


def _view(entry: AuditEntry, sealed_to: int) -> dict[str, Any]:
    return {
        "id": entry.entry_id,
        "at": entry.at,
        "actor": entry.actor,
        "action": entry.action,
        "store": entry.store_id,
        "subject": entry.subject,
        "reason": entry.reason,
        "detail": entry.detail,
        "sealed": entry.entry_id <= sealed_to,
    }
