"""Tokens and secrets that end by themselves, and say when they were last used; over real HTTP."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from api.doctor.books import look_at_books
from api.doctor.finding import Finding, Result
from api.private_files import RuntimeFile, runtime_file
from esl.services import access_times
from esl.store import access_times as rows
from tests.running_house import Command, RunningHouse, check_problem
from tests.served import wait_until

pytest_plugins = ["tests.shop_over_http"]

STORES = "/api/v1/stores"
GRANT = {"name": "till 9", "scopes": ["price:read"], "stores": ["main"]}
FORM = "application/x-www-form-urlencoded"
FAR = "2090-01-01T00:00:00Z"


def _token(shop: RunningHouse, **more: Any) -> tuple[str, str]:
    text = str(shop.done("POST", "/api/v1/tokens", GRANT | more)["token"])
    return text, text.split("_")[1]


def _end(shop: RunningHouse, key: str, ends_in: timedelta) -> None:
    """Let time pass for one token or secret: as the books would have it then."""
    ends_at = shop.house.clock.now() + ends_in
    shop.write(lambda tx: rows.set_end(tx, key, ends_at))
    shop.app.state.tokens.forget_all()


def _used_at(shop: RunningHouse, token_id: str) -> str | None:
    found: str | None = shop.done("GET", f"/api/v1/tokens/{token_id}")["last_used_at"]
    return found


def _fetch(shop: RunningHouse, client: dict[str, Any]) -> Any:
    return _send(shop, {"grant_type": "client_credentials"}, client)


@pytest.fixture(autouse=True)
def _nobody_failed_lately(shop: RunningHouse) -> Iterator[None]:
    yield
    shop.write(lambda tx: tx.exec_driver_sql("DELETE FROM sign_in_throttle"))


# ── Tokens ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
def test_a_token_that_has_ended_is_refused_in_words_that_say_so(
    shop: RunningHouse, header: str
) -> None:
    text, token_id = _token(shop, expires_at=FAR)
    sent = {header: f"Bearer {text}" if header == "Authorization" else text}
    assert shop.ask("GET", STORES, token=None, headers=sent).status_code == 200
    _end(shop, f"token:{token_id}", -timedelta(seconds=1))
    problem = check_problem(shop.ask("GET", STORES, token=None, headers=sent), 401)
    assert problem["detail"].startswith("this token ended on 20")
    guess = {header: sent[header][:-1] + ("x" if text[-1] != "x" else "y")}
    told = check_problem(shop.ask("GET", STORES, token=None, headers=guess), 401)["detail"]
    assert told == "the token is not valid", "only who has it learns that it ended"


def test_a_token_is_not_believed_beyond_its_end(shop: RunningHouse) -> None:
    text, token_id = _token(shop)
    _end(shop, f"token:{token_id}", timedelta(seconds=2))
    asked = [shop.ask("GET", STORES, token=text).status_code for _ in range(3)]
    assert asked == [200] * 3
    wait_until(lambda: shop.ask("GET", STORES, token=text).status_code == 401, "its end", 4)


def test_an_ended_token_is_no_password_at_a_drop_in_door_either(shop: RunningHouse) -> None:
    text, token_id = _token(shop, scopes=["price:read", "label:read"])
    pair = base64.b64encode(f"{token_id}:{text}".encode()).decode()
    path, headers = "/compat/pricer/api/public/core/v1/items", {"Authorization": f"Basic {pair}"}
    assert shop.ask("GET", path, token=None, headers=headers).status_code == 200
    _end(shop, f"token:{token_id}", -timedelta(seconds=1))
    assert shop.ask("GET", path, token=None, headers=headers).status_code == 401


@pytest.mark.parametrize(
    "at", ["2020-01-01T00:00:00Z", "tomorrow", "2090-01-01T00:00:00", 7, "2090-13-01T00:00:00Z"]
)
def test_an_end_that_is_none_makes_nothing(untouched: RunningHouse, at: Any) -> None:
    body = GRANT | {"expires_at": at}
    for path in ("/api/v1/tokens", "/api/v1/clients"):
        check_problem(untouched.ask("POST", path, json=body), 422, "/expires_at")


def test_a_use_is_noted_once_a_minute_and_nothing_waits_for_it(
    shop: RunningHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, token_id = _token(shop, expires_at=FAR)
    assert _used_at(shop, token_id) is None
    notes: list[str] = []
    write_down = rows.note_used

    def noting(tx: Any, key: str, now: datetime) -> None:
        notes.append(key)
        write_down(tx, key, now)

    monkeypatch.setattr(rows, "note_used", noting)
    for _ in range(20):
        shop.done("GET", STORES, token=text)
        shop.app.state.tokens.forget_all()  # the books are asked each time
    wait_until(lambda: _used_at(shop, token_id) is not None, "the note", 20)
    assert notes == [f"token:{token_id}"]
    first = str(_used_at(shop, token_id))
    assert abs(datetime.fromisoformat(first) - shop.house.clock.now()) < timedelta(minutes=1)
    ago = shop.house.clock.now() - access_times.USE_NOTED_EVERY
    shop.write(lambda tx: write_down(tx, f"token:{token_id}", ago))
    shop.app.state.uses._noted.clear()  # another process
    shop.done("GET", STORES, token=text)
    wait_until(lambda: len(notes) == 2, "the second note", 20)
    assert shop.done("GET", f"/api/v1/tokens/{token_id}")["expires_at"] == FAR


# ── Clients ────────────────────────────────────────────────────────────────────────────────


def test_a_secret_that_has_ended_gets_no_token_and_ends_those_it_got(shop: RunningHouse) -> None:
    client = shop.done("POST", "/api/v1/clients", GRANT | {"expires_at": FAR})
    [secret] = client["secrets"]
    assert (secret["expires_at"], secret["last_used_at"]) == (FAR, None)
    token = _fetch(shop, client).json()["access_token"]
    assert shop.ask("GET", STORES, token=token).status_code == 200
    path = f"/api/v1/clients/{client['id']}"
    [used] = shop.done("GET", path)["secrets"]
    assert used["last_used_at"] is not None
    key = f"secret:{client['id']}:{secret['id']}"
    _end(shop, key, -timedelta(seconds=1))
    refused = _fetch(shop, client)
    assert refused.status_code == 401
    assert refused.json()["error"] == "invalid_client"
    assert refused.json()["error_description"].startswith("this secret ended on 20")
    check_problem(shop.ask("GET", STORES, token=token), 401)
    second = shop.done("POST", f"{path}/secrets", {"expires_at": FAR})
    assert second["expires_at"] == FAR
    assert _fetch(shop, client | {"secret": second["secret"]}).status_code == 200
    check_problem(shop.ask("POST", f"{path}/secrets", json={"expires_at": "x"}), 422, "/expires_at")


def test_a_use_changes_no_version_that_an_edit_names(shop: RunningHouse) -> None:
    client = shop.done("POST", "/api/v1/clients", GRANT)
    path = f"/api/v1/clients/{client['id']}"
    etag = shop.ask("GET", path).headers["etag"]
    assert _fetch(shop, client).status_code == 200
    after = shop.ask("GET", path)
    assert after.json()["secrets"][0]["last_used_at"] is not None
    assert after.headers["etag"] == etag
    assert shop.ask("PUT", path, json=GRANT, headers={"If-Match": etag}).status_code == 200
    check_problem(shop.ask("PUT", path, json=GRANT | {"expires_at": FAR}), 422, "/expires_at")


# ── What is shown of it ────────────────────────────────────────────────────────────────────


def _finding(shop: RunningHouse) -> Finding:
    findings = look_at_books(shop.house.settings, shop.house.clock.now())
    return {one.name: one for one in findings}["machines"]


def test_doctor_names_what_ends_within_two_weeks(shop: RunningHouse) -> None:
    shop.write(lambda tx: tx.exec_driver_sql("UPDATE access_time SET ends_at = NULL"))
    assert _finding(shop).result is Result.PASS
    _, soon = _token(shop)
    _, later = _token(shop)
    _, revoked = _token(shop)
    client = shop.done("POST", "/api/v1/clients", GRANT)
    for key, days in ((soon, 13.9), (later, 14.1), (revoked, 1)):
        _end(shop, f"token:{key}", timedelta(days=days))
    shop.done("DELETE", f"/api/v1/tokens/{revoked}")
    secret = client["secrets"][0]["id"]
    _end(shop, f"secret:{client['id']}:{secret}", -timedelta(days=1))
    found = _finding(shop)
    assert found.result is Result.WARN
    assert f"token:{soon} (till 9) ends on 20" in found.words
    assert f"secret:{client['id']}:{secret} (till 9) ended on 20" in found.words
    assert later not in found.words
    assert revoked not in found.words
    assert "esl clients rotate" in found.fix
    shop.done("DELETE", f"/api/v1/clients/{client['id']}")
    assert secret not in _finding(shop).words


def test_commands_let_things_end_and_list_when(shop: RunningHouse, command: Command) -> None:
    data_dir = shop.house.settings.data_dir
    grant = ("--name", "E", "--scope", "price:read", "--store", "main", "--days", "30")
    day = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"
    with runtime_file(data_dir, RuntimeFile(url=shop.url, token=shop.operator, pid=1)):
        made = command("clients", "add", *grant, "--data", data_dir)
        assert made.status == 0, made.stderr
        client_id, _, secret = made.stdout.strip().partition(":")
        rotated = command("clients", "rotate", client_id, "--days", "60", "--data", data_dir)
        assert rotated.status == 0, rotated.stderr
        assert _fetch(shop, {"id": client_id, "secret": secret}).status_code == 200
        listed = command("clients", "list", "--data", data_dir).stdout
        assert day in listed
        token = command("token", "create", *grant, "--data", data_dir).stdout.strip()
        tokens = command("token", "list", "--data", data_dir).stdout
    shown = next(line for line in tokens.splitlines() if token.split("_")[1] in line)
    assert day in shown
    assert command("token", "create", *grant[:-1], "0", "--data", data_dir).status != 0
    ends = {one["expires_at"][:10] for one in _secrets(shop, client_id)}
    assert ends == {day, f"{datetime.now(UTC) + timedelta(days=60):%Y-%m-%d}"}
    assert len([one for one in _secrets(shop, client_id) if one["last_used_at"]]) == 1


def _secrets(shop: RunningHouse, client_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shop.done("GET", f"/api/v1/clients/{client_id}")["secrets"]
    return found


# ── What the description says ──────────────────────────────────────────────────────────────


def test_fetching_is_described_as_it_is(shop: RunningHouse) -> None:
    described = shop.done("GET", "/api/v1/openapi.json")
    door = described["paths"]["/oauth/token"]["post"]
    assert described["components"]["securitySchemes"]["client"] == {
        "type": "http",
        "scheme": "basic",
    }
    client = shop.done("POST", "/api/v1/clients", GRANT)
    basic, in_form = door["requestBody"]["content"][FORM]["examples"].values()
    answers = [_send(shop, basic["value"], client)]
    own = {"client_id": client["id"], "client_secret": client["secret"]}
    answers += [_send(shop, in_form["value"] | own), _send(shop, in_form["value"])]
    answers += [_send(shop, {}, client), _send(shop, {"grant_type": "password"}, client)]
    answers += [_send(shop, basic["value"] | {"scope": "user:admin"}, client)]
    assert [answer.status_code for answer in answers] == [200, 200, 401, 400, 400, 400]
    for answer in answers:
        said = door["responses"][str(answer.status_code)]
        content = said["content"]["application/json"]
        assert set(content["schema"]["required"]) == answer.json().keys()
        assert {name.lower() for name in said["headers"]} <= set(answer.headers)
        if answer.status_code == 200:
            [example] = content["examples"].values()
            assert example["value"].keys() == answer.json().keys()
            assert (
                answer.json()["token_type"]
                == content["schema"]["properties"]["token_type"]["const"]
            )
        else:
            error = answer.json()["error"]
            assert error in content["schema"]["properties"]["error"]["enum"]
            assert content["examples"][error]["value"] == answer.json()


def _send(shop: RunningHouse, fields: dict[str, str], client: dict[str, Any] | None = None) -> Any:
    headers = {"Content-Type": FORM}
    if client is not None:
        pair = base64.b64encode(f"{client['id']}:{client['secret']}".encode()).decode()
        headers["Authorization"] = f"Basic {pair}"
    return shop.ask("POST", "/oauth/token", token=None, content=urlencode(fields), headers=headers)
