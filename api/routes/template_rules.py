"""The rules that choose templates: read, tried out, replaced; and what they say of one label."""

from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from api import doors, edits, openapi
from api.auth import Asker, TheHouse
from api.edits import Read
from api.schemas import explained_view, preview_view, rule_view
from esl.domain.access import Scope
from esl.domain.template_rule import DEFAULT_RULES
from esl.intake.template_json import parse_rules
from esl.services import deliveries
from esl.services import templates as service
from esl.services.template_choice import explain_template, preview_rules
from esl.store import templates
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1", tags=["templates"])


@router.get("/stores/{store}/template-rules")
async def get_rules(store: str, house: TheHouse, who: Asker, reading: Read) -> dict[str, Any]:
    """Return a store's rules in their order, and ours that follow them; the first that fits counts.

    The ETag names them; send it as If-Match to replace them.
    """
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    rules = (await doors.read(house, lambda tx: templates.rules_of(tx, [store_id])))[store_id]
    view = {
        "rules": [rule_view(rule) for rule in rules],
        "defaults": [rule_view(rule) for rule in DEFAULT_RULES],
    }
    return reading.named(view, f'"{service.rules_version(rules)}"')


@router.put("/stores/{store}/template-rules", openapi_extra=openapi.TEMPLATE_RULES)
async def put_rules(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Replace a store's rules; the labels that get another template follow at once.

    If-Match must name the rules that were read, so that nobody overwrites what somebody else has
    just changed; ``*`` replaces whatever is there.
    """
    store_id = doors.store_id(store)
    who.require(Scope.TEMPLATE_WRITE, store_id)
    value, body = await doors.read_json(request)
    rules = parse_rules(value)
    seen = edits.demanded(request, "the rules")
    await doors.store_for(house, store_id)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        touched = service.put_rules(
            tx,
            store_id,
            rules,
            house.clock.now(),
            gallery=house.gallery.keys(),
            seen=seen,
        )
        answer = {
            "rules": len(rules),
            "labels": len(touched),
            "etag": f'"{service.rules_version(rules)}"',
        }
        return answer, Notice(labels=touched)

    return await doors.change(house, request, who, body, work)


@router.post("/stores/{store}/template-rules/preview", openapi_extra=openapi.TEMPLATE_RULES_PREVIEW)
async def preview(store: str, request: Request, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Say what rules would do: labels by template and by rule, and those that would change."""
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    value, _ = await doors.read_json(request)
    rules = parse_rules(value)

    def query(tx: Connection) -> dict[str, Any]:
        service.refuse_unknown_templates(tx, store_id, rules, gallery=house.gallery.keys())
        return preview_view(preview_rules(tx, store_id, rules))

    return await doors.read(house, query)


@router.get("/labels/{label}/template")
async def get_label_template(label: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Say which template a label is drawn with now, and what each rule said of it."""
    label_id = doors.label_id(label)

    def query(tx: Connection) -> dict[str, Any]:
        doors.label_for(tx, who, Scope.LABEL_READ, label_id)
        [due] = deliveries.load(tx, [label_id])
        return explained_view(explain_template(tx, due))

    return await doors.read(house, query)
