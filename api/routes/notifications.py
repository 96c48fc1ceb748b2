"""How the people of a store are told of its problems, and what became of the messages."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from api import doors, openapi_notifications
from api.auth import Asker, TheHouse
from api.edits import Edited, Read
from api.house import House
from api.listeners.notifier import new_message_id, open_settings, seal_secrets
from esl.domain.access import Scope
from esl.domain.errors import Conflict, InvalidInput
from esl.domain.ids import StoreId
from esl.domain.notification import NotificationSettings, Secrets
from esl.intake.notification_json import (
    message_view,
    parse_settings,
    parse_test,
    settings_view,
    shown_view,
)
from esl.services.notifying import test_message
from esl.store import audit, notifications, places
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1/stores/{store}/notifications", tags=["notifications"])

MESSAGES_SHOWN: Final = 50


@router.get("")
async def get_notifications(
    store: str, house: TheHouse, who: Asker, reading: Read
) -> dict[str, Any]:
    """Return who is told of what, without secrets, and the last messages."""
    store_id = await doors.enter(house, who, Scope.STORE_ADMIN, store)

    def query(tx: Connection) -> tuple[dict[str, Any], dict[str, Any]]:
        return _view(house, tx, store_id), _set_view(house, tx, store_id)

    return reading.part(*await doors.read(house, query))


@router.put("", openapi_extra=openapi_notifications.SETTINGS)
async def put_notifications(
    store: str, request: Request, house: TheHouse, who: Asker, edit: Edited
) -> Response:
    """Set who is told of what. A password and addresses of chats that are left out stay."""
    store_id = await doors.enter(house, who, Scope.STORE_ADMIN, store)
    if request.headers.get("idempotency-key") is not None:
        raise InvalidInput.at(
            "", "a PUT may be repeated as it is", fix="Leave the Idempotency-Key header out."
        )
    value, body = await doors.read_json(request)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        edit.check(tx, lambda: _set_view(house, tx, store_id))
        now = house.clock.now()
        kept = notifications.settings_of(tx, store_id, to_change=True)
        before = open_settings(house.settings.data_dir, kept) if kept is not None else None
        settings, secrets = parse_settings(value, before)
        sealed = seal_secrets(house.settings.data_dir, store_id, secrets)
        content = settings_view(settings)
        notifications.put_settings(tx, store_id, content, sealed, now, by=who.name)
        names = [one.name for one in settings.recipients]
        notifications.keep_recipients(tx, store_id, names)
        audit.note(
            tx,
            now,
            actor=who.name,
            action="notifications",
            subject=store_id,
            store_id=store_id,
            detail={"recipients": names, "mail": content["mail"]},
        )
        return _view(house, tx, store_id), Notice()

    return await doors.change(house, request, who, body, work)


@router.post("/test", openapi_extra=openapi_notifications.TEST)
async def test_notifications(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Send a test message to one recipient, or to all; the list says what becomes of each."""
    store_id = await doors.enter(house, who, Scope.STORE_ADMIN, store)
    value, body = await doors.read_fields(request)
    name = parse_test(value)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        settings, _ = _known(house, tx, store_id)
        names = [one.name for one in settings.recipients if name in (None, one.name)]
        if not names:
            raise Conflict("the store has no such recipient; set some: PUT …/notifications")
        subject, text = test_message(places.store_named(tx, store_id))
        now = house.clock.now()
        made = {
            one: notifications.put_message(
                tx,
                store_id,
                one,
                now,
                message_id=new_message_id(),
                subject=subject,
                body=text,
            )
            for one in names
        }
        notifications.hurry(tx, store_id, names)
        found = notifications.list_messages(tx, store_id, limit=len(made))
        return {"messages": [message_view(one) for one in found]}, Notice()

    return await doors.change(house, request, who, body, work)


def _known(house: House, tx: Connection, store_id: StoreId) -> tuple[NotificationSettings, Secrets]:
    kept = notifications.settings_of(tx, store_id)
    if kept is None:
        return NotificationSettings(), Secrets()
    return open_settings(house.settings.data_dir, kept)


def _view(house: House, tx: Connection, store_id: StoreId) -> dict[str, Any]:
    messages = notifications.list_messages(tx, store_id, limit=MESSAGES_SHOWN)
    return _set_view(house, tx, store_id) | {"messages": [message_view(one) for one in messages]}


def _set_view(house: House, tx: Connection, store_id: StoreId) -> dict[str, Any]:
    return shown_view(*_known(house, tx, store_id))
