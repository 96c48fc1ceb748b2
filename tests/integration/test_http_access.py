"""Nobody gets in without a token, nobody beyond its scopes, and nobody learns of foreign stores."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import product
from types import MappingProxyType
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import Connection
from starlette.routing import BaseRoute, Mount

from api.auth import SESSION_COOKIE
from esl.domain.access import COVERED_BY, ROLE_SCOPES, Role, Scope
from esl.domain.person import Person, PersonId, RoleHeld
from esl.services import access
from esl.store import people
from esl.store.access import add_session
from tests.builders import NOON
from tests.imports import add_ended_import
from tests.running_house import RunningHouse, check_headers, check_problem

pytest_plugins = ["tests.shop_over_http"]

OPEN = {
    *(("GET", "/healthz"), ("GET", "/sign-in"), ("POST", "/sign-out")),
    *(("POST", "/sign-in"), ("POST", "/sign-in/code"), ("GET", "/welcome"), ("POST", "/welcome")),
    # By a provider, where one is set up: test_provider_sign_in.py
    *(("GET", "/sign-in/oidc"), ("GET", "/sign-in/oidc/return"), ("GET", "/sign-out/oidc")),
    ("POST", "/preferences"),  # language and colours, kept by the browser: test_frame.py
    ("GET", "/readyz"),  # fit for work or not: test_http_operate.py
    ("GET", "/metrics"),  # to this machine, else with a token: test_http_operate.py
    ("GET", "/api/v1/openapi.json"),  # public knowledge, the same for everybody
    ("GET", "/s/{code}"),  # a shopper's phone: test_short_links_both_databases.py
    ("POST", "/api/v1/hooks/{source}"),  # signed, not signed in: test_http_hooks.py
    ("POST", "/api/v1/enrolments"),  # with a one-time token: test_http_enrolment.py
    ("POST", "/oauth/token"),  # with a client's secret: test_http_clients.py
}
"""What answers without credentials: alive or not, and the way in and out. And static files."""

_REQUEST_ID = re.compile(r'"request_id":"[0-9a-f]+"')
OFF = {"on": False, "reason": "tests invent prices"}
STORE = {"name": "Pula", "currency": "EUR", "locale": "hr_HR", "timezone": "Europe/Zagreb"}


@dataclass(frozen=True, slots=True)
class Door:
    """One endpoint: what it asks for, and a request that then succeeds."""

    method: str
    path: str
    scope: Scope | None  # None: any token
    body: Any = None
    whole: bool = False  # asks for a token of all stores
    behind: int = 200  # what awaits whoever gets through
    headers: tuple[tuple[str, str], ...] = ()
    query: str = ""
    routed: bool = False
    """It names no store: a file of its own holds it to those of the asker, such as
    test_routed_imports.py, test_http_audit_entries.py."""
    first: tuple[str, str, Any] | None = None  # what the operator does before it can succeed


PROMOTION = {
    "id": "main-weekend",
    "name": "Weekend",
    "gives": {"percent": 25},
    "selection": {"everything": True},
    "where": {"stores": ["main"]},
}
SUBSCRIPTION = {
    "store": "main",
    "url": "https://erp.example/esl",
    "events": ["price.changed"],
    "enabled": False,
}
SUBSCRIBE = ("PUT", "/api/v1/subscriptions/main-erp", SUBSCRIPTION)
CLIENT = {"name": "ERP", "scopes": ["price:read"], "stores": ["main"]}
GROUP = {"name": "North", "stores": ["main"]}
ZONE = {"name": "Main", "currency": "EUR", "stores": ["main"]}
DOORS = [
    Door("GET", "/api/v1/promotions/{promotion}/pictures/{label}.png", Scope.PRICE_READ),
    Door("GET", "/api/v1/stores", None),
    Door("GET", "/api/v1/clock", Scope.STORE_ADMIN, whole=True),
    Door("POST", "/api/v1/clock/confirm", Scope.STORE_ADMIN, {}, whole=True, behind=409),
    Door("GET", "/api/v1/stages", Scope.STORE_ADMIN, whole=True),
    Door("GET", "/api/v1/health", Scope.STORE_ADMIN, whole=True),
    Door("POST", "/api/v1/render", None, {"panel": "bwry-296x128"}),
    Door("PUT", "/api/v1/stores/{store}", Scope.STORE_ADMIN, STORE, whole=True),
    Door("GET", "/api/v1/stores/{store}", Scope.LABEL_READ),
    Door("GET", "/api/v1/stores/{store}/zone", Scope.PRICE_READ),
    Door("GET", "/api/v1/stores/{store}/gateways/{gateway}", Scope.LABEL_READ),
    Door("GET", "/api/v1/panels", None),
    Door("GET", "/api/v1/panels/{panel}", None),
    Door("PUT", "/api/v1/stores/{store}/gateways/{gateway}", Scope.GATEWAY_ENROL, {}),
    Door("GET", "/api/v1/stores/{store}/gateways", Scope.LABEL_READ),
    Door("POST", "/api/v1/stores/{store}/gateways/{gateway}/tokens", Scope.GATEWAY_ENROL, {}),
    Door(
        "DELETE",
        "/api/v1/stores/{store}/gateways/{gateway}/login",
        Scope.GATEWAY_ENROL,
        first=("PUT", "/api/v1/stores/main/gateways/gw-1", {}),
    ),
    Door(
        "POST",
        "/api/v1/sources/{source}/login",
        Scope.STORE_ADMIN,
        {},
        whole=True,
        behind=409,
        first=("PUT", "/api/v1/sources/till", {"name": "T"}),
    ),
    Door("PUT", "/api/v1/stores/{store}/products/{sku:path}", Scope.PRICE_WRITE, {"name": "Kruh"}),
    Door("GET", "/api/v1/stores/{store}/products", Scope.PRICE_READ),
    Door("POST", "/api/v1/stores/{store}/products", Scope.PRICE_WRITE, [{"sku": "1", "name": "a"}]),
    Door("GET", "/api/v1/stores/{store}/products/{sku:path}", Scope.PRICE_READ),
    Door("GET", "/api/v1/stores/{store}/price-history", Scope.PRICE_READ, query="sku=1001"),
    Door(
        "POST",
        "/api/v1/stores/{store}/hand-prices",
        Scope.PRICE_WRITE,
        {"sku": "1001", "price": "1.29", "reason": "asked the buyer"},
    ),
    Door("POST", "/api/v1/stores/{store}/hand-prices/{batch}/undo", Scope.PRICE_WRITE, behind=404),
    Door(
        "POST",
        "/api/v1/stores/{store}/price-changes",
        Scope.PRICE_WRITE,
        {"sku": "1001", "price": "1.29"},
    ),
    Door(
        "POST",
        "/api/v1/stores/{store}/labels",
        Scope.LABEL_PAIR,
        {"label": "l-1", "panel": "bwry-296x128"},
    ),
    Door("GET", "/api/v1/stores/{store}/labels", Scope.LABEL_READ),
    Door("GET", "/api/v1/stores/{store}/summary", Scope.LABEL_READ),
    Door(
        "POST",
        "/api/v1/stores/{store}/pairings",
        Scope.LABEL_PAIR,
        {"label": "l-1", "sku": "1001"},
    ),
    Door(
        "POST",
        "/api/v1/stores/{store}/replacements",
        Scope.LABEL_PAIR,
        {"broken": "l-8", "new": "l-9"},
        behind=404,
    ),
    Door("POST", "/api/v1/stores/{store}/photographed-codes", Scope.LABEL_PAIR, behind=422),
    Door("GET", "/api/v1/stores/{store}/scans", Scope.LABEL_READ, query="text=l-1"),
    Door(
        "POST",
        "/api/v1/stores/{store}/scanned-pairings",
        Scope.LABEL_PAIR,
        {"scans": ["l-1", "1001"]},
    ),
    Door("GET", "/api/v1/stores/{store}/pairing-steps", Scope.LABEL_READ),
    Door("GET", "/api/v1/stores/{store}/pairing-steps/{step}", Scope.LABEL_READ, behind=404),
    Door("GET", "/api/v1/labels/{label}/displays", Scope.LABEL_READ),
    Door("GET", "/api/v1/labels/{label}/batteries", Scope.LABEL_READ),
    Door("GET", "/api/v1/labels/{label}/refreshes", Scope.LABEL_READ),
    Door("GET", "/api/v1/stores/{store}/refreshes", Scope.LABEL_READ),
    Door("GET", "/api/v1/labels/{label}/wanted.png", Scope.LABEL_READ),
    Door("POST", "/api/v1/stores/{store}/labels/{label}/resend", Scope.LABEL_PAIR, {}),
    Door(
        "POST",
        "/api/v1/stores/{store}/pairing-steps/{step}/undo",
        Scope.LABEL_PAIR,
        {},
        behind=404,
    ),
    Door(
        "POST",
        "/api/v1/stores/{store}/places",
        Scope.LABEL_PAIR,
        {"rows": [{"label": "l-1", "place": "3/2"}]},
    ),
    Door(
        "POST",
        "/api/v1/stores/{store}/planograms",
        Scope.LABEL_PAIR,
        [{"label": "l-1", "place": "3/2"}],
    ),
    Door("GET", "/api/v1/stores/{store}/shelf-codes", Scope.LABEL_READ),
    Door("GET", "/api/v1/stores/{store}/walk-list", Scope.LABEL_READ),
    Door("POST", "/api/v1/stores/{store}/scans", Scope.LABEL_READ, {"texts": ["4711"]}),
    Door("GET", "/api/v1/stores/{store}/current-place", Scope.LABEL_PAIR),
    Door("PUT", "/api/v1/stores/{store}/current-place", Scope.LABEL_PAIR, {}),
    Door("GET", "/api/v1/stores/{store}/walk", Scope.LABEL_READ),
    Door("PUT", "/api/v1/stores/{store}/walk", Scope.LABEL_PAIR, {}),
    Door("GET", "/api/v1/stores/{store}/short-links", Scope.LABEL_READ),
    Door("PUT", "/api/v1/stores/{store}/short-links", Scope.STORE_ADMIN, {}, behind=422),
    Door("GET", "/api/v1/stores/{store}/short-link-redirects", Scope.LABEL_READ, behind=409),
    Door("GET", "/api/v1/stores/{store}/short-links/{sku:path}", Scope.LABEL_READ, behind=404),
    Door(
        "PUT",
        "/api/v1/stores/{store}/short-links/{sku:path}",
        Scope.TEMPLATE_WRITE,
        {"target": None},
        behind=409,
    ),
    Door("GET", "/api/v1/labels/{label}", Scope.LABEL_READ),
    Door("GET", "/api/v1/labels/{label}/frames/{digest}.png", Scope.LABEL_READ, behind=404),
    Door("GET", "/api/v1/labels/{label}/template", Scope.LABEL_READ),
    Door("GET", "/api/v1/stores/{store}/templates", Scope.LABEL_READ),
    Door("GET", "/api/v1/stores/{store}/templates/{template}", Scope.LABEL_READ),
    Door("GET", "/api/v1/stores/{store}/templates/{template}/preview.png", Scope.LABEL_READ),
    Door(
        "POST",
        "/api/v1/stores/{store}/templates/{template}/preview",
        Scope.LABEL_READ,
        {"text": "name: ["},
    ),
    Door(
        "PUT",
        "/api/v1/stores/{store}/templates/{template}",
        Scope.TEMPLATE_WRITE,
        {"text": "name: ["},
        behind=422,
    ),
    Door(
        "DELETE",
        "/api/v1/stores/{store}/templates/{template}",
        Scope.TEMPLATE_WRITE,
        behind=404,
    ),
    Door("GET", "/api/v1/stores/{store}/template-rules", Scope.LABEL_READ),
    Door(
        "PUT",
        "/api/v1/stores/{store}/template-rules",
        Scope.TEMPLATE_WRITE,
        {"rules": []},
        headers=(("If-Match", "*"),),
    ),
    Door(
        "POST",
        "/api/v1/stores/{store}/template-rules/preview",
        Scope.LABEL_READ,
        {"rules": []},
    ),
    Door("DELETE", "/api/v1/stores/{store}/pairings/{label}", Scope.LABEL_PAIR),
    Door("DELETE", "/api/v1/stores/{store}/labels/{label}", Scope.LABEL_PAIR),
    Door("GET", "/api/v1/stores/{store}/fleet", Scope.LABEL_READ),
    Door("GET", "/api/v1/stores/{store}/battery-forecast", Scope.LABEL_READ),
    Door("GET", "/api/v1/stores/{store}/problems", Scope.LABEL_READ),
    Door("GET", "/api/v1/stores/{store}/problems/{problem}", Scope.LABEL_READ, behind=404),
    Door("GET", "/api/v1/stores/{store}/touches", Scope.LABEL_READ),
    Door("GET", "/api/v1/stores/{store}/remove-tasks", Scope.LABEL_READ),
    Door(
        "POST", "/api/v1/stores/{store}/remove-tasks/{task}/done", Scope.LABEL_PAIR, {}, behind=404
    ),
    Door("GET", "/api/v1/stores/{store}/verdicts", Scope.LABEL_READ, behind=404, query="change=1"),
    Door("GET", "/api/v1/stores/{store}/policy", Scope.LABEL_READ),
    Door("PUT", "/api/v1/stores/{store}/policy", Scope.STORE_ADMIN, {}),
    Door("POST", "/api/v1/stores/{store}/flips", Scope.PRICE_WRITE, {}, behind=422),
    Door("GET", "/api/v1/stores/{store}/flips", Scope.PRICE_READ),
    Door("GET", "/api/v1/stores/{store}/flips/{flip}", Scope.PRICE_READ, behind=404),
    Door("DELETE", "/api/v1/stores/{store}/flips/{flip}", Scope.PRICE_WRITE, behind=404),
    Door(
        "POST",
        "/api/v1/stores/{store}/withdrawals",
        Scope.PRICE_WRITE,
        {"what": "price", "skus": ["1002"]},
    ),
    Door("POST", "/api/v1/stores/{store}/lights", Scope.LABEL_PAIR, {"labels": ["l-1"]}),
    Door(
        "POST",
        "/api/v1/stores/{store}/gateways/{gateway}/commands",
        Scope.GATEWAY_ENROL,
        {"kind": "time"},
    ),
    Door(
        "POST",
        "/api/v1/stores/{store}/gateways/{gateway}/firmware",
        Scope.GATEWAY_ENROL,
        {"target": "gateway", "version": "1", "image": "AA=="},
    ),
    Door("GET", "/api/v1/stores/{store}/commands/{command}", Scope.LABEL_READ, behind=404),
    Door("GET", "/api/v1/stores/{store}/pictures", Scope.LABEL_READ),
    Door("GET", "/api/v1/stores/{store}/pictures/{picture}", Scope.LABEL_READ, behind=404),
    Door("PUT", "/api/v1/stores/{store}/pictures/{picture}", Scope.TEMPLATE_WRITE, {}, behind=422),
    Door("DELETE", "/api/v1/stores/{store}/pictures/{picture}", Scope.TEMPLATE_WRITE, behind=404),
    Door(
        "POST",
        "/api/v1/tokens",
        Scope.USER_ADMIN,
        {"name": "t", "scopes": ["price:read"], "stores": ["*"]},
        whole=True,
    ),
    Door("GET", "/api/v1/tokens", Scope.USER_ADMIN, whole=True),
    Door("GET", "/api/v1/tokens/{token_id}", Scope.USER_ADMIN, whole=True, behind=404),
    Door("DELETE", "/api/v1/tokens/{token_id}", Scope.USER_ADMIN, whole=True, behind=404),
    Door("POST", "/api/v1/sign-in-links", Scope.USER_ADMIN, {}, whole=True),
    Door("GET", "/api/v1/clients", Scope.USER_ADMIN, whole=True),
    Door("POST", "/api/v1/clients", Scope.USER_ADMIN, CLIENT, whole=True),
    # Of one that is there: test_http_clients.py
    Door("GET", "/api/v1/clients/{client}", Scope.USER_ADMIN, whole=True, behind=404),
    Door("PUT", "/api/v1/clients/{client}", Scope.USER_ADMIN, CLIENT, whole=True, behind=404),
    Door("DELETE", "/api/v1/clients/{client}", Scope.USER_ADMIN, whole=True, behind=404),
    Door("POST", "/api/v1/clients/{client}/secrets", Scope.USER_ADMIN, whole=True, behind=404),
    Door(
        "DELETE",
        "/api/v1/clients/{client}/secrets/{secret}",
        Scope.USER_ADMIN,
        whole=True,
        behind=404,
    ),
    Door("GET", "/api/v1/stores/{store}/guards", Scope.PRICE_READ),
    Door("PUT", "/api/v1/stores/{store}/guards", Scope.STORE_ADMIN, OFF),
    Door("GET", "/api/v1/stores/{store}/quarantine", Scope.PRICE_READ),
    Door("GET", "/api/v1/stores/{store}/quarantine/{price}", Scope.PRICE_READ, behind=404),
    Door(
        "POST",
        "/api/v1/stores/{store}/quarantine/approve",
        Scope.PRICE_APPROVE,
        {"prices": [77]},
        behind=404,
    ),
    Door(
        "POST",
        "/api/v1/stores/{store}/quarantine/reject",
        Scope.PRICE_APPROVE,
        {"prices": [77]},
        behind=404,
    ),
    Door("GET", "/api/v1/stores/{store}/neutral", Scope.PRICE_READ),
    Door("PUT", "/api/v1/stores/{store}/neutral", Scope.PRICE_APPROVE, {"reason": "t"}),
    Door("DELETE", "/api/v1/stores/{store}/neutral", Scope.PRICE_APPROVE),
    Door("GET", "/api/v1/stores/{store}/freeze", Scope.PRICE_READ),
    Door("POST", "/api/v1/stores/{store}/freeze", Scope.PRICE_APPROVE, {"reason": "t"}),
    Door("POST", "/api/v1/stores/{store}/thaw", Scope.PRICE_APPROVE, {"reason": "t"}),
    Door(
        "POST",
        "/api/v1/stores/{store}/migrations/pairings",
        Scope.LABEL_PAIR,
        {"rows": [{"label": "l-1"}]},
    ),
    Door("GET", "/api/v1/stores/{store}/pairings", Scope.LABEL_READ),
    Door(
        "POST",
        "/api/v1/stores/{store}/inspections",
        Scope.LABEL_PAIR,
        {},
        first=("POST", "/api/v1/stores/main/pairings", {"label": "l-1", "sku": "1001"}),
    ),
    Door("GET", "/api/v1/stores/{store}/inspections", Scope.PRICE_READ),
    Door("POST", "/api/v1/stores/{store}/paper-tickets", Scope.LABEL_PAIR, {"labels": ["l-1"]}),
    Door("GET", "/api/v1/stores/{store}/paper-tickets", Scope.LABEL_READ),
    Door("GET", "/api/v1/stores/{store}/paper-tickets/{ticket}", Scope.LABEL_READ, behind=404),
    Door(
        "PUT",
        "/api/v1/stores/{store}/paper-tickets/{ticket}",
        Scope.LABEL_PAIR,
        {"hangs": False},
        behind=404,
    ),
    Door("GET", "/api/v1/stores/{store}/paper-sheets/{sheet}.pdf", Scope.LABEL_READ, behind=404),
    Door("GET", "/api/v1/stores/{store}/inspections/{inspection}", Scope.PRICE_READ, behind=404),
    Door(
        "PUT",
        "/api/v1/stores/{store}/inspections/{inspection}/items/{item}",
        Scope.LABEL_PAIR,
        {"seen": "right"},
        behind=404,
    ),
    Door(
        "POST",
        "/api/v1/stores/{store}/inspections/{inspection}/end",
        Scope.LABEL_PAIR,
        {},
        behind=404,
    ),
    Door("POST", "/api/v1/stores/{store}/imports", Scope.PRICE_WRITE, {"a": 1}, behind=422),
    Door("POST", "/api/v1/imports", Scope.PRICE_WRITE, {"a": 1}, behind=422, routed=True),
    Door("GET", "/api/v1/imports", Scope.PRICE_READ, query="store={store}"),
    Door("GET", "/api/v1/imports/{import_id}", Scope.PRICE_READ),
    Door("GET", "/api/v1/imports/{import_id}/report", Scope.PRICE_READ),
    Door("GET", "/api/v1/imports/{import_id}/lines", Scope.PRICE_READ),
    Door("POST", "/api/v1/imports/{import_id}/apply", Scope.PRICE_WRITE, {}, behind=409),
    Door("POST", "/api/v1/imports/{import_id}/cancel", Scope.PRICE_WRITE, {}, behind=409),
    Door("GET", "/api/v1/stores/{store}/import-choices", Scope.PRICE_WRITE),
    Door("GET", "/api/v1/stores/{store}/batches", Scope.PRICE_READ),
    Door("GET", "/api/v1/stores/{store}/batches/{batch}", Scope.PRICE_READ, behind=404),
    Door("GET", "/api/v1/stores/{store}/batches/{batch}/labels", Scope.LABEL_READ, behind=404),
    Door(
        "POST",
        "/api/v1/stores/{store}/batches/{batch}/roll-back",
        Scope.PRICE_APPROVE,
        {"reason": "t"},
        behind=404,
    ),
    Door(
        "POST",
        "/api/v1/stores/{store}/batches/{batch}/retire",
        Scope.PRICE_APPROVE,
        {"reason": "t"},
        behind=409,
    ),
    Door("GET", "/api/v1/price-changes/{change}", Scope.LABEL_READ),
    Door("GET", "/api/v1/sources", Scope.STORE_ADMIN, whole=True),
    Door("PUT", "/api/v1/sources/{source}", Scope.STORE_ADMIN, {"name": "T"}, whole=True),
    Door("GET", "/api/v1/sources/{source}", Scope.STORE_ADMIN, whole=True),
    Door(
        "POST",
        "/api/v1/sources/{source}/secrets",
        Scope.STORE_ADMIN,
        {"kind": "webhook"},
        whole=True,
    ),
    Door("GET", "/api/v1/sources/{source}/events", Scope.STORE_ADMIN, whole=True),
    Door(
        "GET",
        "/api/v1/sources/{source}/events/{event}",
        Scope.STORE_ADMIN,
        whole=True,
        behind=404,
    ),
    *(
        Door(
            "POST",
            f"/api/v1/sources/{{source}}/events/{what}",
            Scope.STORE_ADMIN,
            {"events": [77]},
            whole=True,
            behind=404,
        )
        for what in ("retry", "drop")
    ),
    Door("DELETE", "/api/v1/sources/{source}", Scope.STORE_ADMIN, whole=True),
    Door("GET", "/api/v1/refused-messages", Scope.STORE_ADMIN, whole=True),
    Door("GET", "/api/v1/refused-messages/{message}", Scope.STORE_ADMIN, whole=True, behind=404),
    Door(
        "POST",
        "/api/v1/refused-messages/take",
        Scope.STORE_ADMIN,
        {"messages": [77]},
        whole=True,
    ),
    Door(
        "POST", "/api/v1/refused-messages/drop", Scope.STORE_ADMIN, {"messages": [77]}, whole=True
    ),
    Door("GET", "/api/v1/stores/{store}/till", Scope.PRICE_READ),
    Door("PUT", "/api/v1/stores/{store}/till", Scope.STORE_ADMIN, {"channel": "own"}),
    Door("GET", "/api/v1/stores/{store}/till-prices", Scope.PRICE_READ),
    Door(
        "POST",
        "/api/v1/stores/{store}/till-prices/ack",
        Scope.PRICE_WRITE,
        {"prices": [{"sku": "1001", "rev": 1}]},
    ),
    Door("GET", "/api/v1/stores/{store}/till-prices/pending", Scope.PRICE_READ),
    Door(
        "POST",
        "/api/v1/stores/{store}/absent-labels",
        Scope.PRICE_APPROVE,
        {"labels": ["l-1"], "reason": "broken"},
    ),
    Door("GET", "/api/v1/promotions", Scope.PRICE_READ, routed=True),
    Door("POST", "/api/v1/promotions", Scope.PROMOTION_WRITE, PROMOTION, behind=409, routed=True),
    Door(
        "POST",
        "/api/v1/promotions/preview",
        Scope.PRICE_READ,
        {"promotion": PROMOTION},
        routed=True,
    ),
    Door("GET", "/api/v1/promotions/{promotion}", Scope.PRICE_READ),
    Door(
        "PUT",
        "/api/v1/promotions/{promotion}",
        Scope.PROMOTION_WRITE,
        {key: PROMOTION[key] for key in PROMOTION if key != "id"},
        headers=(("If-Match", "*"),),
        behind=409,
        routed=True,
    ),
    Door("GET", "/api/v1/promotions/{promotion}/preview", Scope.PRICE_READ),
    Door("GET", "/api/v1/promotions/{promotion}/progress", Scope.PRICE_READ),
    Door("GET", "/api/v1/promotions/{promotion}/events", Scope.PRICE_READ),
    *(
        Door(
            "POST",
            f"/api/v1/promotions/{{promotion}}/{what}",
            Scope.PROMOTION_WRITE,
            {},
            behind=409,
        )
        for what in ("schedule", "advance", "cancel", "end", "roll-back")
    ),
    Door("GET", "/api/v1/labels/{label}/explain", Scope.LABEL_READ),
    Door("GET", "/api/v1/audit", Scope.AUDIT_READ, whole=True),
    Door("GET", "/api/v1/audit/{entry}", Scope.AUDIT_READ, behind=404, routed=True),
    Door("GET", "/api/v1/labels/{label}/shown", Scope.LABEL_READ),
    Door("GET", "/api/v1/stores/{store}/shelf-report", Scope.PRICE_READ),
    Door("GET", "/api/v1/labels/{label}/shown/bundle", Scope.LABEL_READ, behind=404),
    Door(
        "POST",
        "/api/v1/stores/{store}/price-proposals",
        Scope.PRICE_PROPOSE,
        {"source": "engine", "proposals": [{"sku": "1001", "price": "1.19", "reason": "x"}]},
        behind=409,
    ),
    Door("GET", "/api/v1/stores/{store}/price-proposals", Scope.PRICE_READ),
    *(
        Door(
            "POST",
            f"/api/v1/stores/{{store}}/price-proposals/{what}",
            Scope.PRICE_APPROVE,
            {"proposals": [7]},
            behind=behind,
        )
        for what, behind in (("approve", 409), ("reject", 404))
    ),
    Door(
        "GET",
        "/api/v1/stores/{store}/journal",
        Scope.PRICE_READ,
        query="from=2026-01-01&to=2026-02-01",
    ),
    Door("GET", "/api/v1/stores/{store}/proposal-rules", Scope.PRICE_READ),
    Door("PUT", "/api/v1/stores/{store}/proposal-rules", Scope.STORE_ADMIN, {"engines": []}),
    Door(
        "POST",
        "/api/v1/stores/{store}/costs",
        Scope.PRICE_WRITE,
        [{"sku": "1001", "cost": "0.80"}],
    ),
    Door(
        "GET",
        "/api/v1/events",  # more of it: test_http_event_stream.py
        Scope.PRICE_READ,
        query="store={store}&types=price.changed&for_s=0",
    ),
    Door("GET", "/api/v1/stores/{store}/notifications", Scope.STORE_ADMIN),
    Door("PUT", "/api/v1/stores/{store}/notifications", Scope.STORE_ADMIN, {"recipients": []}),
    Door("POST", "/api/v1/stores/{store}/notifications/test", Scope.STORE_ADMIN, {}, behind=409),
    Door("GET", "/api/v1/subscriptions", Scope.STORE_ADMIN, query="store={store}"),
    Door(
        "PUT",
        "/api/v1/subscriptions/{subscription}",
        Scope.STORE_ADMIN,
        SUBSCRIPTION,
        routed=True,  # test_http_subscriptions.py
    ),
    *(
        Door(
            method,
            f"/api/v1/subscriptions/{{subscription}}{what}",
            Scope.STORE_ADMIN,
            body,
            behind=behind,
            first=SUBSCRIBE,
        )
        for method, what, body, behind in (
            ("GET", "", None, 200),
            ("POST", "/secret", {}, 200),
            ("POST", "/test", {}, 409),
            ("GET", "/deliveries", None, 200),
            ("GET", "/deliveries/{delivery}", None, 404),
            ("POST", "/deliveries/{delivery}/redeliver", {}, 404),
            ("DELETE", "", None, 200),
        )
    ),
    Door("GET", "/api/v1/groups", Scope.PRICE_READ, routed=True),
    Door("GET", "/api/v1/groups/{group}", Scope.PRICE_READ),
    Door("PUT", "/api/v1/groups/{group}", Scope.STORE_ADMIN, GROUP, whole=True),
    Door("DELETE", "/api/v1/groups/{group}", Scope.STORE_ADMIN, whole=True, behind=409),
    Door("GET", "/api/v1/zones", Scope.PRICE_READ, routed=True),
    Door("GET", "/api/v1/zones/{zone}", Scope.PRICE_READ),
    Door("PUT", "/api/v1/zones/{zone}", Scope.STORE_ADMIN, ZONE, whole=True),
    Door("DELETE", "/api/v1/zones/{zone}", Scope.STORE_ADMIN, whole=True, behind=409),
    Door(
        "PUT",
        "/api/v1/stores/{store}/zone",
        Scope.STORE_ADMIN,
        {"zone": "main-zone"},
        whole=True,
    ),
    Door(
        "POST",
        "/api/v1/zones/{zone}/price-changes",
        Scope.PRICE_WRITE,
        {"changes": [{"sku": "1001", "price": "1.29"}]},
    ),
    Door("POST", "/api/v1/zones/{zone}/cleared-prices", Scope.PRICE_WRITE, {"skus": ["nothing"]}),
    Door("GET", "/api/v1/zones/{zone}/prices", Scope.PRICE_READ),
    Door("GET", "/api/v1/zones/{zone}/price-changes/{change}", Scope.PRICE_READ, behind=404),
    Door("POST", "/api/v1/stores/{store}/cleared-prices", Scope.PRICE_WRITE, {"skus": ["nothing"]}),
    Door("GET", "/api/v1/stores/{store}/levels/{sku:path}", Scope.PRICE_READ),
    Door("GET", "/api/v1/people", Scope.USER_ADMIN, routed=True),
    Door("POST", "/api/v1/people", Scope.USER_ADMIN, {}, behind=422, routed=True),
    Door("POST", "/api/v1/people/set-up-link", Scope.USER_ADMIN, whole=True, behind=409),
    Door("GET", "/api/v1/people/{person}", Scope.USER_ADMIN, routed=True),
    Door("GET", "/api/v1/people/{person}/roles", Scope.USER_ADMIN, routed=True),
    Door(
        "PUT",
        "/api/v1/people/{person}/roles",
        Scope.USER_ADMIN,
        {"roles": [{"store": "main", "role": "manager"}]},
        routed=True,
    ),
    *(
        Door("POST", f"/api/v1/people/{{person}}/{what}", Scope.USER_ADMIN, routed=True)
        for what in ("disable", "enable", "end-sessions", "reset-second-factor", "invitation")
    ),
    # Whose account is open: test_people_both_databases.py has the others.
    Door("POST", "/api/v1/people/{person}/erase", Scope.USER_ADMIN, behind=409, routed=True),
    Door("GET", "/api/v1/me", None),
    # What only a person with an account has: test_http_people.py
    Door("POST", "/api/v1/me/password", None, {}, behind=403),
    Door("GET", "/api/v1/me/sessions", None, behind=403),
    Door("DELETE", "/api/v1/me/sessions/{session}", None, behind=403),
    *(
        Door("POST", f"/api/v1/me/{what}", None, {}, behind=403)
        for what in ("second-factor", "second-factor/confirm", "second-factor/off")
    ),
    Door("GET", "/api/v1/mappings", Scope.STORE_ADMIN, whole=True),
    Door("POST", "/api/v1/mappings/suggest", Scope.STORE_ADMIN, {"a": 1}, whole=True, behind=422),
    Door("POST", "/api/v1/mappings/try", Scope.STORE_ADMIN, {"a": 1}, whole=True, behind=422),
    Door("PUT", "/api/v1/mappings/{mapping}", Scope.STORE_ADMIN, {}, whole=True, behind=422),
    Door("GET", "/api/v1/mappings/{mapping}", Scope.STORE_ADMIN, whole=True, behind=404),
    Door("GET", "/api/v1/mappings/{mapping}/document", Scope.STORE_ADMIN, whole=True, behind=404),
]
HERE = {
    "store": "main",
    "gateway": "gw-1",
    "sku": "1001",
    "label": "l-1",
    "digest": "0" * 64,
    "template": "standard",
    "picture": "logo",
    "source": "till",
    "mapping": "till",
    "batch": "77",
    "change": "2",  # the prices of the shop's products
    "import_id": "1f",
    "promotion": "main-weekend",
    "group": "main-north",
    "zone": "main-zone",
    "person": "0a1b2c3d4e5f",
    "subscription": "main-erp",
    "delivery": "77",
    "step": "77",
    "code": "K7WQ2M9X",
    "panel": "bwry-296x128",
    "problem": "77",
    "price": "77",
    "inspection": "77",
    "item": "1",
    "entry": "77000",
    "ticket": "77000",
    "sheet": "00000000000000aa",
}
NOWHERE = HERE | {
    "import_id": "2f",
    "promotion": "nowhere-weekend",
    "zone": "nowhere-zone",
    "group": "nowhere-north",
    "subscription": "nowhere-erp",
    "store": "nowhere",
    "gateway": "gw-x",
    "label": "l-x",
    "change": "77000",
}

MANAGER = Person(
    person_id=PersonId(HERE["person"]),
    sign_in_name="mira",
    display_name="Mira",
    mail=None,
    language=None,
    has_password=False,
    has_second_factor=False,
    created_at=NOON,
    disabled_at=None,
    roles=frozenset({RoleHeld(store="main", role=Role.MANAGER)}),
)

each_door = pytest.mark.parametrize("door", DOORS, ids=lambda d: f"{d.method} {d.path}")
stores_doors = pytest.mark.parametrize(
    "door",
    [d for d in DOORS if d.scope is not None and not d.whole and not d.routed],
    ids=lambda d: f"{d.method} {d.path}",
)


def _routes(routes: list[BaseRoute]) -> Iterator[tuple[str, str]]:
    """Yield the method and path of every route, of included routers too."""
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from _routes(included.routes)
        elif isinstance(route, Mount):
            assert route.path.endswith("/static"), f"{route.path}: is it open or not?"
        else:
            for method in getattr(route, "methods", None) or ():
                yield method, str(getattr(route, "path", ""))


def _all_routes(app: FastAPI) -> set[tuple[str, str]]:
    found = set(_routes(app.routes))
    assert len(found) > 15, "the walk has lost its way"
    return found


def _filled(path: str, values: dict[str, str]) -> str:
    return re.sub(r"{(\w+)(?::path)?}", lambda m: values.get(m[1], "x-1"), path)


def _ask(
    shop: RunningHouse,
    door: Door,
    token: str | None,
    values: dict[str, str],
    *,
    prepares: bool = True,
) -> httpx2.Response:
    if prepares:
        _prepare(shop, door)
    path = _filled(door.path, values | {"token_id": "00000000"})
    path += f"?{_filled(door.query, values)}" if door.query else ""
    return shop.ask(door.method, path, json=door.body, token=token, headers=dict(door.headers))


def _prepare(shop: RunningHouse, door: Door) -> None:
    if door.first is not None:
        shop.done(*door.first)


def _said(answer: httpx2.Response) -> str:
    """Return an answer's words without the request's own name."""
    return _REQUEST_ID.sub("", answer.text)


def _headers(answer: httpx2.Response) -> dict[str, str]:
    """Return an answer's headers but those that differ between any two."""
    own = {"content-length", "date", "x-request-id"}
    return {name: value for name, value in answer.headers.items() if name not in own}


def _as_of_nowhere(answer: httpx2.Response) -> str:
    return _said(answer).replace("main", "nowhere").replace("l-1", "l-x")


def _went_through(door: Door, answer: httpx2.Response) -> bool:
    return answer.status_code == door.behind and "no store" not in answer.text


@pytest.fixture(scope="module", autouse=True)
def _an_import(shop: RunningHouse) -> None:
    """An import of store ``main`` that has ended."""
    shop.write(lambda tx: add_ended_import(tx, HERE["import_id"], "main"))


@pytest.fixture(autouse=True)
def _a_label_to_draw(request: pytest.FixtureRequest, shop: RunningHouse) -> None:
    """Pair the label again for the door that draws it: others let it go."""
    if "pictures/{label}.png" in request.node.name:
        main = "/api/v1/stores/main"
        product = {"name": "Kruh", "price": "1.29"}
        shop.done("PUT", f"{main}/products/{HERE['sku']}", product)
        label = {"label": HERE["label"], "panel": "bwry-296x128"}
        shop.done("POST", f"{main}/labels", label)
        shop.done("POST", f"{main}/pairings", {"label": HERE["label"], "sku": HERE["sku"]})


@pytest.fixture(scope="module", autouse=True)
def _a_person(shop: RunningHouse) -> None:
    """Somebody who manages store ``main`` and nothing else, and an admin."""
    admin = replace(
        MANAGER,
        person_id=PersonId("ad0000000000"),
        sign_in_name="ada",
        roles=frozenset({RoleHeld(store="*", role=Role.ADMIN)}),
    )
    shop.write(lambda tx: (people.add_person(tx, MANAGER), people.add_person(tx, admin)))


@pytest.fixture(scope="module", autouse=True)
def _a_promotion(shop: RunningHouse) -> None:
    """A promotion of store ``main`` that was cancelled."""
    shop.done("POST", "/api/v1/promotions", PROMOTION)
    shop.done("POST", f"/api/v1/promotions/{HERE['promotion']}/cancel", {})


@pytest.fixture(scope="module", autouse=True)
def _a_zone(shop: RunningHouse) -> None:
    """A zone of store ``main``, and a group that a promotion names."""
    shop.done("PUT", f"/api/v1/groups/{HERE['group']}", GROUP)
    shop.done("PUT", f"/api/v1/zones/{HERE['zone']}", ZONE)
    where = {"groups": [HERE["group"]]}
    shop.done("POST", "/api/v1/promotions", PROMOTION | {"id": "north-week", "where": where})


@pytest.fixture(scope="module")
def elsewhere(shop: RunningHouse) -> str:
    """Another store's id; tokens for it know nothing of ``main``."""
    shop.done("PUT", "/api/v1/stores/pula", STORE)
    return "pula"


@pytest.fixture(scope="module")
def single_scopes(shop: RunningHouse) -> dict[Scope, str]:
    """A token of store ``main`` for each scope alone."""
    return {scope: shop.token(scope, stores=("main",)) for scope in Scope}


@pytest.fixture(scope="module")
def single_scopes_everywhere(shop: RunningHouse) -> dict[Scope, str]:
    """A token of all stores for each scope alone."""
    return {scope: shop.token(scope) for scope in Scope}


# ── Every endpoint × {no token, wrong, each scope alone, another store's} ──────────────────


def test_every_api_endpoint_stands_in_the_matrix(shop: RunningHouse) -> None:
    api = {route for route in _all_routes(shop.app) if route[1].startswith("/api")} - OPEN
    assert api == {(door.method, door.path) for door in DOORS}


@pytest.mark.asvs("8.2.1")
def test_every_endpoint_but_those_named_refuses_strangers(shop: RunningHouse) -> None:
    before = shop.everything_stored()
    for method, path in sorted(_all_routes(shop.app) - OPEN):
        if "/static" in path:
            continue
        for token in (None, "x", "esl_00000000_x"):
            answer = shop.ask(method, _filled(path, HERE), token=token)
            assert answer.status_code == 401, f"{method} {path} as {token!r}"
            check_headers(answer)
    assert shop.everything_stored() == before


@each_door
@pytest.mark.asvs("7.2.1")
def test_no_token_and_wrong_tokens_are_refused(shop: RunningHouse, door: Door) -> None:
    right = shop.token(door.scope or Scope.PRICE_READ)
    revoked = shop.token(*Scope)
    shop.done("DELETE", f"/api/v1/tokens/{revoked.split('_')[1]}")
    identity, secret = right.split("_", 2)[1:]
    wrong = [
        None,
        "x",
        "esl",
        "esl_",
        "esl__",
        f"esl_{identity}",
        f"esl_{identity}_",
        f"esl_{identity}_{secret[:-1]}",
        f"esl_{identity}_{secret}x",
        f"esl_{identity}_{secret.swapcase()}",
        f"ESL_{identity}_{secret}",
        f"esl_00000000_{secret}",
        f"esl_{identity[:-1]}%_{secret}",
        access.hash_secret(secret),
        f"esl_{identity}_{access.hash_secret(secret)}",
        shop.operator[:-1],
        "a" * 20_000,
        "\xff\xfe",
        revoked,
    ]
    for token in wrong:
        answer = _ask(shop, door, token, HERE)
        check_problem(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert not token or len(token) < 4 or token not in answer.text
    for scheme in (f"Basic {right}", f"Token {right}", right, f"Bearer{right}", "Bearer", ""):
        path = _filled(door.path, HERE)
        headers = {"Authorization": scheme}
        assert shop.ask(door.method, path, token=None, headers=headers).status_code == 401
    assert _went_through(door, _ask(shop, door, right, HERE))


@each_door
@pytest.mark.asvs("8.2.1", "8.3.1")
def test_each_scope_alone_opens_its_own_doors_only(
    shop: RunningHouse,
    single_scopes: dict[Scope, str],
    single_scopes_everywhere: dict[Scope, str],
    door: Door,
) -> None:
    opening = set(Scope)
    if door.scope is not None:
        opening = {door.scope} | COVERED_BY.get(door.scope, frozenset())
    for scope in Scope:
        for_all, for_main = (
            _ask(shop, door, tokens[scope], HERE)
            for tokens in (single_scopes_everywhere, single_scopes)
        )
        if scope in opening:
            assert _went_through(door, for_all), f"{scope}: {for_all.text}"
        else:
            check_problem(for_all, 403)
        if scope in opening and not door.whole:
            assert _went_through(door, for_main), f"{scope}: {for_main.text}"
        else:
            check_problem(for_main, 403)


@pytest.fixture(scope="module")
def people_of(shop: RunningHouse, elsewhere: str) -> dict[tuple[Role, str], str]:
    """A session of somebody with each role alone, in ``main``, elsewhere and everywhere."""
    now = shop.house.clock.now()
    made = {}
    for number, (role, store) in enumerate(product(Role, ("main", elsewhere, "*"))):
        person_id = PersonId(f"{number:012x}")
        one = replace(
            MANAGER,
            person_id=person_id,
            sign_in_name=f"{role}-{number}",
            roles=frozenset({RoleHeld(store=store, role=role)}),
        )
        made[role, store] = secret = f"session-of-{role}-{number}"
        shop.write(partial(_sign_in_somebody, person=one, secret=secret, now=now))
    return made


def _sign_in_somebody(tx: Connection, *, person: Person, secret: str, now: datetime) -> None:
    people.add_person(tx, person)
    add_session(
        tx,
        secret_sha256=access.hash_secret(secret),
        person=person.person_id,
        now=now,
        expires_at=now + access.SESSION_LASTS,
    )


def _ask_as_person(
    shop: RunningHouse, door: Door, session: str, values: dict[str, str]
) -> httpx2.Response:
    path = _filled(door.path, values | {"token_id": "00000000"})
    path += f"?{_filled(door.query, values)}" if door.query else ""
    return _as_person(
        shop, session, door.method, path, "same-origin", json=door.body, more=dict(door.headers)
    )


@pytest.mark.parametrize(
    "door",
    [d for d in DOORS if not d.path.startswith("/api/v1/me/")],  # the asker's own account
    ids=lambda d: f"{d.method} {d.path}",
)
@pytest.mark.asvs("8.2.1", "8.2.2", "8.4.1")
def test_each_role_opens_what_its_scopes_say_and_only_in_its_store(
    shop: RunningHouse, elsewhere: str, people_of: dict[tuple[Role, str], str], door: Door
) -> None:
    for (role, store), session in people_of.items():
        held = ROLE_SCOPES[role]
        opening = door.scope is None or not held.isdisjoint(
            {door.scope} | COVERED_BY.get(door.scope, frozenset())
        )
        _prepare(shop, door)
        answer = _ask_as_person(shop, door, session, HERE)
        who = f"{role} of {store}: {answer.text}"
        if store != elsewhere or door.whole or door.scope is None:
            if opening and (store == "*" or not door.whole):
                assert _went_through(door, answer), who
            else:
                assert answer.status_code == 403, who
        elif door.routed:
            assert answer.status_code < 500, who  # lists what is the asker's own
            assert opening or answer.status_code in {403, 404}, who
        else:
            nowhere = _ask_as_person(shop, door, session, NOWHERE)
            assert (answer.status_code, nowhere.status_code) == (404, 404), who
            assert _as_of_nowhere(answer) == _said(nowhere), who


@pytest.fixture(scope="module")
def of_two_stores(shop: RunningHouse, elsewhere: str) -> str:
    """A session of somebody who hangs labels in ``main`` and is the admin elsewhere."""
    held = {("main", Role.TECHNICIAN), (elsewhere, Role.ADMIN)}
    one = replace(
        MANAGER,
        person_id=PersonId("2b0000000000"),
        sign_in_name="of-two-stores",
        roles=frozenset(RoleHeld(store=store, role=role) for store, role in held),
    )
    now = shop.house.clock.now()
    secret = "session-of-two-stores"
    shop.write(partial(_sign_in_somebody, person=one, secret=secret, now=now))
    return secret


@stores_doors
@pytest.mark.asvs("8.2.2")
def test_what_somebody_is_elsewhere_opens_nothing_here(
    shop: RunningHouse, of_two_stores: str, door: Door
) -> None:
    _prepare(shop, door)
    answer = _ask_as_person(shop, door, of_two_stores, HERE)
    if door.scope in ROLE_SCOPES[Role.TECHNICIAN]:
        assert _went_through(door, answer), answer.text
    else:
        check_problem(answer, 403)


@stores_doors
@pytest.mark.asvs("8.2.2", "8.4.1")
def test_a_foreign_store_looks_like_none_at_all(
    shop: RunningHouse, elsewhere: str, door: Door
) -> None:
    token = shop.token(*Scope, stores=(elsewhere,))
    without_scope = shop.token(
        *(scope for scope in Scope if scope != door.scope), stores=(elsewhere,)
    )
    _prepare(shop, door)
    made = shop.everything_stored()
    for asker in (token, without_scope):
        there = _ask(shop, door, asker, HERE, prepares=False)
        nowhere = _ask(shop, door, asker, NOWHERE, prepares=False)
        check_problem(there, 404)
        assert _as_of_nowhere(there) == _said(nowhere)
        assert _headers(there) == _headers(nowhere)
    assert shop.everything_stored() == made


@pytest.mark.asvs("8.2.2")
def test_a_list_of_stores_holds_only_those_of_the_token(shop: RunningHouse, elsewhere: str) -> None:
    def stores(*of: str) -> list[str]:
        answer = shop.done("GET", "/api/v1/stores", token=shop.token("price:read", stores=of))
        return [store["store_id"] for store in answer["stores"]]

    assert stores(elsewhere) == [elsewhere]
    assert stores("main", elsewhere) == ["main", elsewhere]
    assert stores("*") == ["main", elsewhere]


def test_a_token_of_one_store_may_not_administer_the_whole(shop: RunningHouse) -> None:
    token = shop.token(*Scope, stores=("main",))
    for door in DOORS:
        if door.whole:
            check_problem(_ask(shop, door, token, HERE), 403)


# ── Tokens ─────────────────────────────────────────────────────────────────────────────────


def test_an_old_till_sends_its_token_as_a_key(shop: RunningHouse) -> None:
    token = shop.token("price:write", stores=("main",))

    def sent(method: str, path: str, json: Any = None, **headers: str) -> httpx2.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return shop.ask(method, path, token=None, json=json, headers=named)

    change = {"sku": "1001", "price": "1.29"}
    changes = "/api/v1/stores/main/price-changes"
    assert sent("POST", changes, change, X_API_Key=token).is_success
    check_problem(sent("GET", "/api/v1/tokens", X_API_Key=token), 403)
    for wrong in ("", "x", f"{token}x", f"Bearer {token}", token.upper()):
        check_problem(sent("POST", changes, change, X_API_Key=wrong), 401)
    # An Authorization that is wrong is not made right by a key beside it.
    for authorization in ("", "Bearer x", f"Basic {token}", "Bearer"):
        both = sent("POST", changes, change, X_API_Key=token, Authorization=authorization)
        check_problem(both, 401)
    for where in ("api_key", "x-api-key", "key", "token", "access_token"):
        check_problem(sent("GET", f"/api/v1/stores?{where}={token}"), 401)
    shop.done("DELETE", f"/api/v1/tokens/{token.split('_')[1]}")
    check_problem(sent("POST", changes, change, X_API_Key=token), 401)


def test_the_database_never_holds_a_secret(shop: RunningHouse) -> None:
    token = shop.token("price:read")
    assert shop.ask("GET", "/api/v1/stores", token=token).is_success
    link = _link(shop)
    session = _sign_in(shop, link).cookies[SESSION_COOKIE]
    secrets = [token.split("_", 2)[2], link, session, shop.operator]
    for file in shop.house.settings.data_dir.glob("esl.db*"):
        content = file.read_bytes()
        for secret in secrets:
            assert secret.encode() not in content, file.name
            assert secret.encode("utf-16-le") not in content, file.name


@pytest.mark.asvs("15.3.1")
def test_a_token_is_shown_once_and_never_listed(shop: RunningHouse) -> None:
    token = shop.token("price:read", "label:read", stores=("main",))
    listed = shop.ask("GET", "/api/v1/tokens")
    identity, secret = token.split("_", 2)[1:]
    [entry] = [t for t in listed.json()["tokens"] if t["id"] == identity]
    assert entry["scopes"] == ["label:read", "price:read"]
    assert entry["stores"] == ["main"]
    assert entry["revoked_at"] is None
    assert secret not in listed.text
    assert access.hash_secret(secret) not in listed.text


def test_a_revoked_token_is_worthless_at_once(shop: RunningHouse) -> None:
    token = shop.token("price:read")
    identity = token.split("_")[1]
    for _ in range(3):  # remembered by now
        assert shop.ask("GET", "/api/v1/stores", token=token).is_success
    shop.done("DELETE", f"/api/v1/tokens/{identity}")
    check_problem(shop.ask("GET", "/api/v1/stores", token=token), 401)
    check_problem(shop.ask("DELETE", f"/api/v1/tokens/{identity}"), 404)
    [entry] = [t for t in shop.done("GET", "/api/v1/tokens")["tokens"] if t["id"] == identity]
    assert entry["revoked_at"]


@pytest.mark.asvs("7.2.3", "11.5.1")
def test_two_tokens_are_never_alike(shop: RunningHouse) -> None:
    tokens = {shop.token("price:read") for _ in range(20)}
    assert len(tokens) == 20
    assert all(len(token.split("_", 2)[2]) >= 43 for token in tokens)  # 256 bits


# ── People ─────────────────────────────────────────────────────────────────────────────────


def _link(shop: RunningHouse, **body: int) -> str:
    url = shop.done("POST", "/api/v1/sign-in-links", body)["url"]
    assert url.startswith(f"{shop.url}/sign-in?link=")
    return str(url.partition("link=")[2])


def _sign_in(shop: RunningHouse, link: str) -> httpx2.Response:
    with httpx2.Client(base_url=shop.url, trust_env=False) as browser:
        return browser.get("/sign-in", params={"link": link})


def _as_person(
    shop: RunningHouse,
    session: str,
    method: str,
    path: str,
    site: str | None = None,
    *,
    more: Mapping[str, str] = MappingProxyType({}),
    **how: Any,
) -> httpx2.Response:
    headers = {"Cookie": f"{SESSION_COOKIE}={session}", **more}
    if site is not None:
        headers["Sec-Fetch-Site"] = site
    return shop.ask(method, path, token=None, headers=headers, **how)


@pytest.fixture
def session(shop: RunningHouse) -> str:
    """A signed-in person's cookie."""
    return str(_sign_in(shop, _link(shop)).cookies[SESSION_COOKIE])


@pytest.mark.asvs("3.3.4", "6.5.1")
def test_a_sign_in_link_works_once_and_its_cookie_is_out_of_reach(shop: RunningHouse) -> None:
    link = _link(shop)
    answer = _sign_in(shop, link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    check_headers(answer)
    assert answer.headers["cache-control"] == "no-store"
    cookie = answer.headers["set-cookie"]
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= attributes
    assert any(a.startswith("max-age=") and 0 < int(a[8:]) <= 12 * 3600 for a in attributes)
    assert not any(a.startswith("domain=") for a in attributes)
    again = _sign_in(shop, link)
    check_problem(again, 401)
    assert "set-cookie" not in again.headers


@pytest.mark.parametrize("link", ["", "x", "a" * 5000, "é", "\0", "' OR 1=1"])
def test_a_wrong_sign_in_link_signs_nobody_in(shop: RunningHouse, link: str) -> None:
    answer = _sign_in(shop, link)
    assert answer.status_code in {401, 422}
    assert "set-cookie" not in answer.headers


def test_a_link_with_uses_works_that_often(shop: RunningHouse) -> None:
    link = _link(shop, uses=2)
    assert [_sign_in(shop, link).status_code for _ in range(3)] == [303, 303, 401]


def test_an_expired_link_signs_nobody_in(shop: RunningHouse) -> None:
    now = shop.house.clock.now()

    def old(tx: Any) -> None:
        access.make_sign_in_link(
            tx,
            secret="an old link",
            uses=1,
            lasts=timedelta(0),
            now=now - timedelta(seconds=1),
            actor="operator",
        )

    shop.write(old)
    check_problem(_sign_in(shop, "an old link"), 401)


@pytest.mark.asvs("7.3.2")
def test_an_expired_session_is_over(shop: RunningHouse) -> None:
    long_ago = shop.house.clock.now() - access.SESSION_LASTS - timedelta(seconds=1)

    def old(tx: Any) -> None:
        access.make_sign_in_link(
            tx, secret="long ago", uses=1, lasts=timedelta(hours=1), now=long_ago, actor="operator"
        )
        access.sign_in(tx, link_secret="long ago", session_secret="old session", now=long_ago)

    shop.write(old)
    check_problem(_as_person(shop, "old session", "GET", "/api/v1/stores"), 401)


@pytest.mark.asvs("3.5.1", "3.5.2")
def test_a_session_reads_freely_and_changes_only_from_our_own_pages(
    shop: RunningHouse, session: str
) -> None:
    assert _as_person(shop, session, "GET", "/api/v1/stores").is_success
    change = {"sku": "1001", "price": "4.44"}
    path = "/api/v1/stores/main/price-changes"
    before = shop.everything_stored()
    for site in (None, "cross-site", "same-site", "none", "", "SAME-ORIGIN", "same-origin, x"):
        answer = _as_person(shop, session, "POST", path, site, json=change)
        check_problem(answer, 403)
    assert shop.everything_stored() == before
    assert _as_person(shop, session, "POST", path, "same-origin", json=change).is_success


@pytest.mark.parametrize(
    "door", [d for d in DOORS if d.method != "GET"], ids=lambda d: f"{d.method} {d.path}"
)
@pytest.mark.asvs("3.5.1")
def test_no_foreign_page_changes_anything_with_a_cookie(
    shop: RunningHouse, session: str, door: Door
) -> None:
    path = _filled(door.path, HERE)
    check_problem(_as_person(shop, session, door.method, path, "cross-site", json=door.body), 403)


def test_a_cookie_does_not_make_a_wrong_token_right(shop: RunningHouse, session: str) -> None:
    headers = {"Cookie": f"{SESSION_COOKIE}={session}"}
    check_problem(shop.ask("GET", "/api/v1/stores", token="esl_x_y", headers=headers), 401)


@pytest.mark.asvs("7.4.1")
def test_signing_out_ends_the_session(shop: RunningHouse, session: str) -> None:
    assert _as_person(shop, session, "POST", "/sign-out", "same-origin").status_code == 303
    check_problem(_as_person(shop, session, "GET", "/api/v1/stores"), 401)


@pytest.mark.parametrize("cookie", ["", "x", "a" * 5000, "é", '"', ";;;", "esl_session=x"])
def test_a_wrong_cookie_is_refused(shop: RunningHouse, cookie: str) -> None:
    headers = {b"Cookie": f"{SESSION_COOKIE}={cookie}".encode()}
    with httpx2.Client(base_url=shop.url, trust_env=False) as browser:
        check_problem(browser.get("/api/v1/stores", headers=headers), 401)
