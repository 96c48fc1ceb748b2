"""Every door that takes or gives a secret is used, and the log of level debug holds none of them.

The log is that of a controller process: ours, the web server's, warnings and tracebacks. Each
secret that is sent is marked, and each that is answered is taken from its answer.
"""

import json
import logging
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.demo.controller import ControllerProcess
from api.private_files import make_data_folder
from esl.services.second_factor import STEP_S, code_at
from gateway.wire.enrolment import from_json
from tests.hex_of_codes import hex_of_code_address
from tests.running_house import STORE_BODY
from tests.services import free_port

MARKED = "Mk7vQ2"
PASSWORD = f"four {MARKED} words upon water"
LATER = f"nine {MARKED} lamps over canals"
HERE = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
LEAST_LONG = 6
"""Shorter texts, such as a status, are found in any log."""


class Visitor:
    """Asks, and keeps what must not be logged."""

    def __init__(self, url: str, token: str) -> None:
        self.http = httpx2.Client(base_url=url, trust_env=False, timeout=30)
        self.token = token
        self.secrets: set[str] = {MARKED, token}
        self.statuses: list[int] = []

    def ask(self, method: str, path: str, json: Any = None, **how: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.token}"} | how.pop("headers", {})
        answer = self.http.request(method, path, json=json, headers=headers, **how)
        self.statuses.append(answer.status_code)
        return answer

    def done(self, method: str, path: str, json: Any = None) -> Any:
        answer = self.ask(method, path, json)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content else None

    def form(self, path: str, cookie: str = "", **fields: str) -> httpx2.Response:
        headers = HERE | ({"Cookie": f"esl_session={cookie}"} if cookie else {})
        self.http.cookies.clear()
        content = str(httpx2.QueryParams(fields))
        return self.http.post(path, content=content, headers=headers)

    def keep(self, *secrets: str) -> None:
        """Note what was given: it must be a secret of some length."""
        for secret in secrets:
            assert len(secret) >= LEAST_LONG, "no secret"
            self.secrets.add(secret)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.txt"


@pytest.fixture
def visitor(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    """A controller of its own, whose log is of level debug."""
    monkeypatch.setenv("ESL_LOG_LEVEL", logging.getLevelName(logging.DEBUG))
    monkeypatch.setenv("ESL_LOG_FORMAT", "json")
    make_data_folder(tmp_path / "data")
    controller = ControllerProcess(tmp_path / "data", log=log)
    runtime = controller.start()
    found = Visitor(runtime.url, runtime.token)
    try:
        with closing(found.http):
            found.done("PUT", "/api/v1/stores/main", STORE_BODY)
            yield found
    finally:
        controller.stop()


def _use_tokens(visitor: Visitor) -> None:
    made = visitor.done(
        "POST", "/api/v1/tokens", {"name": "till", "scopes": ["price:write"], "stores": ["main"]}
    )
    visitor.keep(made["token"])
    for token in (made["token"], made["token"][:-1] + "x", MARKED):
        visitor.ask("GET", "/api/v1/stores", headers={"Authorization": f"Bearer {token}"})
        visitor.ask("GET", "/api/v1/stores", headers={"X-Request-Id": token})
        visitor.ask("GET", f"/api/v1/stores?token={token}")
    body = {"name": "erp", "scopes": ["price:read"], "stores": ["main"]}
    client = visitor.done("POST", "/api/v1/clients", body)
    visitor.keep(client["secret"])
    for secret in (client["secret"], MARKED):
        answer = visitor.form(
            "/oauth/token",
            grant_type="client_credentials",
            client_id=client["id"],
            client_secret=secret,
        )
        if answer.is_success:
            visitor.keep(answer.json()["access_token"])
        auth = httpx2.BasicAuth(client["id"], secret)
        fetch = {"grant_type": "client_credentials"}
        visitor.http.post("/oauth/token", data=fetch, auth=auth)
    second = visitor.done("POST", f"/api/v1/clients/{client['id']}/secrets", {})
    visitor.keep(second["secret"])


def _use_an_account(visitor: Visitor) -> None:
    link = visitor.done("POST", "/api/v1/sign-in-links", {})["url"].partition("link=")[2]
    visitor.keep(link)
    visitor.http.get(f"/sign-in?link={link}")
    person = visitor.done("POST", "/api/v1/people", {"name": "ana", "roles": []})["id"]
    invitation = visitor.done("POST", f"/api/v1/people/{person}/invitation")["url"]
    welcome = invitation.partition("link=")[2]
    visitor.keep(welcome)
    visitor.http.get(f"/welcome?link={welcome}")
    visitor.form("/welcome", link=welcome, password="short", again="short")
    visitor.form("/welcome", link=welcome, password=PASSWORD, again=PASSWORD)
    visitor.form("/sign-in", name="ana", password=LATER)
    session = visitor.form("/sign-in", name="ana", password=PASSWORD).cookies["esl_session"]
    visitor.keep(session)
    mine = {
        "Cookie": f"esl_session={session}",
        "Authorization": "",
        "Sec-Fetch-Site": "same-origin",
    }

    def me(path: str, json: Any = None) -> httpx2.Response:
        return visitor.ask("POST", f"/api/v1/me/{path}", json, headers=mine)

    secret_address = me("second-factor").json()["uri"]
    shared = hex_of_code_address(secret_address)
    visitor.keep(secret_address, shared, secret_address.partition("secret=")[2].partition("&")[0])
    code = code_at(shared, int(datetime.now(UTC).timestamp()) // STEP_S)
    me("second-factor/confirm", {"code": "000000"})
    confirmed = me("second-factor/confirm", {"code": code})
    assert confirmed.is_success, confirmed.text
    visitor.keep(*confirmed.json()["recovery_codes"])
    half = visitor.form("/sign-in", name="ana", password=PASSWORD).text
    half = half.partition('name="half" value="')[2].partition('"')[0]
    visitor.keep(half)
    recovery = confirmed.json()["recovery_codes"][0]
    visitor.form("/sign-in/code", half=half, code=recovery)
    me("second-factor/off", {"password": LATER})
    me("password", {"old": LATER, "new": LATER})
    assert me("password", {"old": PASSWORD, "new": LATER}).is_success


def _use_machines(visitor: Visitor) -> None:
    visitor.done("PUT", "/api/v1/sources/till", {"name": "Till", "store": "main"})
    for kind in ("webhook", "url"):
        body = {"kind": kind, "secret": f"{MARKED}-{kind}-secret-of-a-source"}
        visitor.ask("POST", "/api/v1/sources/till/secrets", body)
    made = visitor.ask("POST", "/api/v1/sources/till/secrets", {"kind": "webhook"}).json()
    visitor.keep(made["secret"])
    for secret in (made["secret"], MARKED):
        visitor.ask("POST", f"/api/v1/hooks/till?secret={secret}", {"a": secret})
        headers = {"X-Signature": secret, "Authorization": f"Bearer {secret}"}
        visitor.ask("POST", "/api/v1/hooks/till", {"a": 1}, headers=headers)
    visitor.ask("POST", "/api/v1/hooks/nobody?secret=" + MARKED, {"a": 1})
    token = visitor.done("PUT", "/api/v1/stores/main/gateways/gw-1", {})
    visitor.secrets |= {x for x in _secrets_in(token) if len(x) >= LEAST_LONG}
    enrol = visitor.done("POST", "/api/v1/stores/main/gateways/gw-1/tokens", {})["token"]
    visitor.keep(enrol)
    answer = visitor.ask("POST", "/api/v1/enrolments", {"token": enrol})
    if answer.is_success and (password := from_json(answer.content).password):
        visitor.keep(password)
    visitor.ask("POST", "/api/v1/enrolments", {"token": enrol})
    visitor.ask("POST", "/api/v1/enrolments", {"token": MARKED})


def _use_outgoing(visitor: Visitor) -> None:
    """A subscription and people's messages whose other sides are not there."""
    away = f"http://127.0.0.1:{free_port()}"
    body = {
        "store": "main",
        "url": f"{away}/{MARKED}",
        "events": ["price.changed"],
        "allow_private": True,
    }
    made = visitor.done("PUT", "/api/v1/subscriptions/erp", body)
    visitor.keep(made["secret"])
    turned = visitor.done("POST", "/api/v1/subscriptions/erp/secret", {"overlap_h": 1})
    visitor.keep(turned["secret"])
    visitor.ask("POST", "/api/v1/subscriptions/erp/test", {})
    settings = {
        "mail": {
            "host": "127.0.0.1",
            "port": free_port(),
            "from": "esl@shop.example",
            "login": "esl",
            "password": f"{MARKED}-of-the-mail-server",
            "security": "starttls",
        },
        "recipients": [
            {"name": "boss", "channel": "mail", "to": "ana@shop.example"},
            {"name": "chat", "channel": "slack", "url": f"{away}/services/{MARKED}"},
        ],
        "allow_private": True,
    }
    answer = visitor.ask("PUT", "/api/v1/stores/main/notifications", settings)
    assert answer.is_success, answer.text
    for recipient in ("boss", "chat"):
        visitor.ask("POST", "/api/v1/stores/main/notifications/test", {"recipient": recipient})


def _secrets_in(told: Any) -> set[str]:
    """Find the members of an answer that are secrets by their names."""
    if not isinstance(told, dict):
        return set()
    named = {str(v) for k, v in told.items() if re.search("password|secret|token", k) and v}
    return named.union(*(_secrets_in(v) for v in told.values()))


@pytest.mark.asvs("16.2.5")
def test_no_secret_reaches_the_log_at_any_level(visitor: Visitor, log: Path) -> None:
    for use in (_use_tokens, _use_an_account, _use_machines, _use_outgoing):
        use(visitor)
    body = [{"sku": "1", "name": "Kruh", "price": "1.29"}]
    visitor.done("POST", "/api/v1/stores/main/products", body)
    visitor.done("POST", "/api/v1/stores/main/price-changes", {"sku": "1", "price": "1.39"})
    visitor.ask("POST", "/api/v1/stores/main/price-changes", {"sku": MARKED, "price": MARKED})
    logged = log.read_text()
    assert "price taken" in logged, "it is the log of level debug"
    assert [json.loads(line) for line in logged.splitlines() if line.startswith("{")]
    assert len(visitor.secrets) >= 18
    found = sorted(secret for secret in visitor.secrets if secret in logged)
    assert found == [], [line for line in logged.splitlines() if any(x in line for x in found)][:5]
