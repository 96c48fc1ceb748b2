"""People come in by the front door of a running controller: forms, cookies, accounts, commands."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection

from api.auth import SESSION_COOKIE, SESSION_COOKIE_OF_TLS, csrf_token
from api.password_desk import AT_ONCE, QUEUE_MOST, PasswordDesk
from esl.domain.errors import TooOften
from esl.domain.throttle import FREE_FAILURES
from esl.services.second_factor import STEP_S, code_at
from tests.hex_of_codes import hex_of_code_address
from tests.running_house import RunningHouse, check_headers, check_problem

pytest_plugins = ["tests.shop_over_http"]

PASSWORD = "a heron stood by the weir"
ANOTHER = "nine lamps over the canal"
HERE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(autouse=True)
def _nobody_waits(shop: RunningHouse) -> Iterator[None]:
    yield
    shop.write(lambda tx: tx.exec_driver_sql("DELETE FROM sign_in_throttle"))


@dataclass(slots=True)
class Browser:
    """A browser of somebody: keeps its cookie."""

    shop: RunningHouse
    session: str | None = None
    headers: dict[str, str] = field(default_factory=lambda: dict(HERE))

    def ask(self, method: str, path: str, **how: Any) -> httpx2.Response:
        cookie = {"Cookie": f"{SESSION_COOKIE}={self.session}"} if self.session else {}
        self.shop._http.cookies.clear()  # each browser keeps its own
        return self.shop.ask(method, path, token=None, headers=self.headers | cookie, **how)

    def send(self, path: str, **fields: str) -> httpx2.Response:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        kept = self.headers
        self.headers = kept | headers
        try:
            answer = self.ask("POST", path, content=str(httpx2.QueryParams(fields)))
        finally:
            self.headers = kept
        self.session = answer.cookies.get(SESSION_COOKIE) or self.session
        return answer

    def sign_in(self, name: str, password: str = PASSWORD) -> httpx2.Response:
        return self.send("/sign-in", name=name, password=password)


def add(shop: RunningHouse, name: str, *roles: tuple[str, str]) -> str:
    """Add somebody who chose `PASSWORD`; return the id."""
    body = {"name": name, "roles": [{"store": store, "role": role} for store, role in roles]}
    person = str(shop.done("POST", "/api/v1/people", body)["id"])
    assert welcome(shop, person).status_code == 303
    return person


def welcome(shop: RunningHouse, person: str, password: str = PASSWORD) -> httpx2.Response:
    url = shop.done("POST", f"/api/v1/people/{person}/invitation")["url"]
    assert url.startswith(f"{shop.url}/welcome?link=")
    link = url.partition("link=")[2]
    return Browser(shop).send("/welcome", link=link, password=password, again=password)


def signed_in(shop: RunningHouse, name: str, *roles: tuple[str, str]) -> Browser:
    add(shop, name, *roles)
    browser = Browser(shop)
    assert browser.sign_in(name).status_code == 303
    return browser


# ── In by name and password ─────────────────────────────────────────────────────────────────


@pytest.mark.asvs("3.3.2", "3.3.4")
def test_an_invitation_leads_to_a_password_and_the_password_to_a_session(
    shop: RunningHouse,
) -> None:
    person = shop.done(
        "POST",
        "/api/v1/people",
        {"name": "Ana.N", "display_name": "Ana", "roles": [{"store": "main", "role": "manager"}]},
    )
    assert (person["name"], person["has_password"]) == ("ana.n", False)
    assert Browser(shop).sign_in("ana.n").status_code == 401, "there is no password yet"
    refused = welcome(shop, person["id"], "password1234")
    assert refused.status_code == 422
    assert "tried first" in refused.text
    assert "password1234" not in refused.text
    assert welcome(shop, person["id"]).status_code == 303

    browser = Browser(shop)
    answer = browser.sign_in("ANA.N")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    attributes = {p.strip().lower() for p in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= attributes
    assert len(str(browser.session)) >= 43, "256 bits"
    me = browser.ask("GET", "/api/v1/me").json()
    assert me["name"] == f"person:{person['id']}"
    assert me["person"]["display_name"] == "Ana"
    assert "price:write" in me["scopes"]["main"]
    assert browser.ask("GET", "/api/v1/stores/main/labels").is_success
    check_problem(browser.ask("GET", "/api/v1/people"), 403)


@pytest.mark.asvs("6.3.8")
def test_strangers_and_wrong_passwords_get_one_answer(shop: RunningHouse) -> None:
    add(shop, "iva", ("main", "manager"))
    closed = add(shop, "zatvoren", ("main", "manager"))
    shop.done("POST", f"/api/v1/people/{closed}/disable")
    answers = [
        Browser(shop).sign_in("iva", "not the password"),
        Browser(shop).sign_in("nobody", "not the password"),
        Browser(shop).sign_in("zatvoren", PASSWORD),
        Browser(shop).sign_in("", ""),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    for answer in answers:
        check_headers_of_a_form(answer)
        assert "set-cookie" not in answer.headers
        assert "iva" not in answer.text


def check_headers_of_a_form(answer: httpx2.Response) -> None:
    """As of any answer, but that a browser may tell us where its form came from."""
    assert answer.headers["referrer-policy"] == "same-origin"
    check_headers(answer)


@pytest.mark.asvs("6.3.1")
def test_guessing_is_slowed_down_for_everybody_alike(shop: RunningHouse) -> None:
    add(shop, "eva", ("main", "manager"))
    waits = []
    for name in ("eva", "nobody-at-all"):
        browser = Browser(shop)
        for _ in range(FREE_FAILURES + 1):
            assert browser.sign_in(name, "not the password").status_code == 401
        answer = browser.sign_in(name)
        assert answer.status_code == 429
        assert "Too many attempts" in answer.text
        waits.append(int(answer.headers["retry-after"]))
    assert all(1 <= wait <= 5 for wait in waits)


async def test_passwords_are_looked_at_two_at_a_time_and_few_wait() -> None:
    desk = PasswordDesk()
    desk._here = AT_ONCE + QUEUE_MOST
    with pytest.raises(TooOften):
        await desk.fits("x", None)
    desk._here -= 1
    assert not await desk.fits("x", None)
    assert desk._here == AT_ONCE + QUEUE_MOST - 1, "whoever was served leaves the queue"


def test_many_who_sign_in_at_once_all_get_an_answer(shop: RunningHouse) -> None:
    add(shop, "mnogo", ("main", "manager"))
    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda _: Browser(shop).sign_in("mnogo").status_code, range(12)))
    assert set(answers) <= {303, 429}
    assert 303 in answers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "none", "Origin": "http://127.0.0.1"},
    ],
)
def test_no_foreign_page_signs_anybody_in(shop: RunningHouse, headers: dict[str, str]) -> None:
    browser = Browser(shop, headers=headers)
    for path in ("/sign-in", "/sign-in/code", "/welcome"):
        check_problem(browser.send(path, name="ana", password=PASSWORD, link="x", half="x"), 403)


def test_an_old_browser_says_by_origin_where_it_comes_from(shop: RunningHouse) -> None:
    add(shop, "stara", ("main", "manager"))
    browser = Browser(shop, headers={"Origin": shop.url})
    assert browser.sign_in("stara").status_code == 303


@pytest.mark.parametrize("content", [b"\xff\xfe", b"name", b"name=a&name=b", b"a=1&" * 50, b""])
def test_what_is_no_form_of_ours_is_no_fault_of_ours(shop: RunningHouse, content: bytes) -> None:
    for path in ("/sign-in", "/sign-in/code", "/welcome"):
        answer = shop.ask("POST", path, token=None, content=content, headers=HERE)
        assert answer.status_code in {401, 422}


@pytest.mark.asvs("3.3.3")
def test_over_tls_the_cookie_belongs_to_this_host_alone(shop: RunningHouse) -> None:
    add(shop, "tls", ("main", "manager"))
    browser = Browser(shop, headers=HERE | {"X-Forwarded-Proto": "https"})
    cookie = browser.sign_in("tls").headers["set-cookie"]
    assert cookie.startswith(f"{SESSION_COOKIE_OF_TLS}=")
    assert "; secure" in cookie.lower()
    session = cookie.partition("=")[2].partition(";")[0]
    for name, status in ((SESSION_COOKIE_OF_TLS, 200), (SESSION_COOKIE, 401)):
        headers = {"X-Forwarded-Proto": "https", "Cookie": f"{name}={session}"}
        answer = shop.ask("GET", "/api/v1/me", token=None, headers=headers)
        assert answer.status_code == status, name


# ── The first account ───────────────────────────────────────────────────────────────────────


def test_the_first_account_is_made_on_the_machine_itself(shop: RunningHouse) -> None:
    url = shop.done("POST", "/api/v1/people/set-up-link")["url"]
    link = url.partition("link=")[2]
    far = {"X-Forwarded-For": "203.0.113.9"}
    check_problem(shop.ask("GET", "/welcome", token=None, link=link, headers=far), 403)
    fields = {"link": link, "name": "Šef", "password": PASSWORD, "again": PASSWORD}
    check_problem(Browser(shop, headers=HERE | far).send("/welcome", **fields), 403)
    assert "The first account" in shop.ask("GET", "/welcome", token=None, link=link).text

    browser = Browser(shop)
    assert browser.send("/welcome", **(fields | {"again": ANOTHER})).status_code == 422
    assert browser.send("/welcome", **(fields | {"name": "š e f"})).status_code == 422
    assert browser.send("/welcome", **fields).status_code == 303
    me = browser.ask("GET", "/api/v1/me").json()
    assert me["person"]["roles"] == [{"store": "*", "role": "admin"}]
    assert "user:admin" in me["scopes"]["*"]
    check_problem(shop.ask("POST", "/api/v1/people/set-up-link"), 409)
    check_problem(Browser(shop).send("/welcome", **fields), 401)
    own = me["person"]["id"]
    check_problem(browser.ask("POST", f"/api/v1/people/{own}/disable"), 409)
    check_problem(browser.ask("PUT", f"/api/v1/people/{own}/roles", json={"roles": []}), 409)
    people = browser.ask("GET", "/api/v1/people", limit=1).json()
    assert people["after"] == people["people"][0]["id"]


# ── Codes ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.asvs("7.5.1")
def test_a_code_is_asked_for_beside_the_password(shop: RunningHouse) -> None:
    browser = signed_in(shop, "kod", ("main", "approver"))
    uri = browser.ask("POST", "/api/v1/me/second-factor").json()["uri"]
    secret = hex_of_code_address(uri)
    check_problem(
        browser.ask("POST", "/api/v1/me/second-factor/confirm", json={"code": "000000"}), 422
    )
    assert "set-cookie" in Browser(shop).sign_in("kod").headers, "not before it is confirmed"
    step = int(datetime.now(UTC).timestamp()) // STEP_S
    confirmed = browser.ask(
        "POST", "/api/v1/me/second-factor/confirm", json={"code": code_at(secret, step)}
    ).json()
    recovery = confirmed["recovery_codes"]
    check_problem(browser.ask("POST", "/api/v1/me/second-factor"), 409)

    fresh = Browser(shop)
    asked = fresh.sign_in("kod")
    assert (asked.status_code, fresh.session) == (200, None)
    half = asked.text.partition('name="half" value="')[2].partition('"')[0]
    check_problem(
        shop.ask("GET", "/api/v1/me", token=None, headers={"Cookie": f"{SESSION_COOKIE}={half}"}),
        401,
    )
    used = code_at(secret, step)
    assert fresh.send("/sign-in/code", half=half, code=used).status_code == 401, "used before"
    assert fresh.send("/sign-in/code", half=half, code=recovery[0]).status_code == 303
    assert fresh.ask("GET", "/api/v1/me").json()["person"]["has_second_factor"]
    assert fresh.send("/sign-in/code", half=half, code=recovery[1]).status_code == 401, "it is over"

    again = Browser(shop)
    half = again.sign_in("kod").text.partition('name="half" value="')[2].partition('"')[0]
    assert again.send("/sign-in/code", half=half, code=recovery[0]).status_code == 401
    assert again.session is None
    sealed = shop.read("SELECT totp_sealed FROM person WHERE sign_in_name = 'kod'")[0][0]
    assert bytes.fromhex(secret) not in sealed
    assert secret.encode() not in sealed

    off = "/api/v1/me/second-factor/off"
    check_problem(fresh.ask("POST", off, json={"password": ANOTHER}), 422)
    assert fresh.ask("POST", off, json={"password": PASSWORD}).status_code == 204
    assert Browser(shop).sign_in("kod").status_code == 303


# ── What ends a session ─────────────────────────────────────────────────────────────────────


@pytest.mark.asvs("7.2.2", "7.2.4")
def test_signing_in_again_ends_the_session_the_browser_had(shop: RunningHouse) -> None:
    browser = signed_in(shop, "dva", ("main", "manager"))
    former = Browser(shop, session=browser.session)
    assert browser.sign_in("dva").status_code == 303
    assert browser.session != former.session
    check_problem(former.ask("GET", "/api/v1/me"), 401)
    assert browser.ask("GET", "/api/v1/me").is_success


@pytest.mark.asvs("6.2.2", "6.2.3", "7.4.3", "7.5.1")
def test_a_new_password_ends_all_sessions_and_the_old_one_opens_nothing(
    shop: RunningHouse,
) -> None:
    browser, other = signed_in(shop, "nova", ("main", "manager")), Browser(shop)
    other.sign_in("nova")
    path = "/api/v1/me/password"
    check_problem(browser.ask("POST", path, json={"old": ANOTHER, "new": ANOTHER}), 422)
    short = browser.ask("POST", path, json={"old": PASSWORD, "new": "short"})
    check_problem(short, 422)
    assert short.json()["errors"][0]["pointer"] == "/new"
    done = browser.ask("POST", path, json={"old": PASSWORD, "new": ANOTHER})
    assert done.status_code == 204
    for one in (browser, other):
        check_problem(one.ask("GET", "/api/v1/me"), 401)
    assert Browser(shop).sign_in("nova").status_code == 401
    assert Browser(shop).sign_in("nova", ANOTHER).status_code == 303


def test_ones_own_sessions_are_listed_and_ended(shop: RunningHouse) -> None:
    browser, other = signed_in(shop, "tri", ("main", "manager")), Browser(shop)
    foreign = signed_in(shop, "tudji", ("main", "manager"))
    other.sign_in("tri")
    found = browser.ask("GET", "/api/v1/me/sessions").json()["sessions"]
    assert len(found) == 3, "with that of the invitation"
    assert sum(one["is_this"] for one in found) == 1
    assert str(browser.session) not in str(found)
    for one in found:
        path = f"/api/v1/me/sessions/{one['id']}"
        check_problem(foreign.ask("DELETE", path), 404)
        if not one["is_this"]:
            assert browser.ask("DELETE", path).status_code == 204
    check_problem(other.ask("GET", "/api/v1/me"), 401)
    assert browser.ask("GET", "/api/v1/me").is_success
    assert browser.send("/sign-out").status_code == 303
    check_problem(browser.ask("GET", "/api/v1/me"), 401)


@pytest.mark.asvs("6.5.6", "7.4.2", "7.4.5", "8.3.2")
def test_what_an_admin_takes_counts_at_once(shop: RunningHouse) -> None:
    browser = signed_in(shop, "uzeto", ("main", "manager"))
    person = browser.ask("GET", "/api/v1/me").json()["person"]["id"]
    for what in ("end-sessions", "reset-second-factor", "disable"):
        browser.sign_in("uzeto")
        assert browser.ask("GET", "/api/v1/me").is_success
        shop.done("POST", f"/api/v1/people/{person}/{what}")
        check_problem(browser.ask("GET", "/api/v1/me"), 401)
    shop.done("POST", f"/api/v1/people/{person}/enable")
    browser.sign_in("uzeto")
    shop.done("PUT", f"/api/v1/people/{person}/roles", {"roles": []})
    browser.sign_in("uzeto")
    check_problem(browser.ask("GET", "/api/v1/stores/main/labels"), 404)


def test_a_used_session_is_noted_within_a_minute(shop: RunningHouse) -> None:
    browser = signed_in(shop, "sat", ("main", "manager"))

    def age(tx: Connection) -> None:
        tx.exec_driver_sql("UPDATE person_session SET used_at = datetime(used_at, '-29 minutes')")

    shop.write(age)
    assert browser.ask("GET", "/api/v1/me").is_success
    shop.write(age)  # behind the note: one writer does all in order
    assert browser.ask("GET", "/api/v1/me").is_success, "it was used in between"
    shop.write(lambda tx: [age(tx), age(tx)])
    check_problem(browser.ask("GET", "/api/v1/me"), 401)


# ── Forms of the account's page ─────────────────────────────────────────────────────────────


@pytest.mark.asvs("3.5.1")
def test_forms_of_the_account_carry_a_token_of_their_session(shop: RunningHouse) -> None:
    browser, foreign = (signed_in(shop, name, ("main", "manager")) for name in ("f1", "f2"))
    page = browser.ask("GET", "/account")
    right = csrf_token(str(browser.session))
    assert right in page.text
    fields = {"old": PASSWORD, "new": ANOTHER, "again": ANOTHER}
    for wrong in ("", "x", csrf_token(str(foreign.session)), "é"):
        for path in ("password", "codes", "codes/confirm", "codes/off", "sessions"):
            check_problem(browser.send(f"/account/{path}", csrf=wrong, **fields), 403)
    bad = browser.send("/account/password", csrf=right, **(fields | {"again": "another"}))
    assert (bad.status_code, "not the same twice" in bad.text) == (422, True)
    assert browser.send("/account/password", csrf=right, **fields).status_code == 303
    assert Browser(shop).sign_in("f1", ANOTHER).status_code == 303
    header = {"X-CSRF-Token": csrf_token(str(browser.session))}
    foreign.headers |= header
    check_problem(foreign.ask("POST", "/api/v1/me/second-factor"), 403)


def test_tokens_and_owners_have_no_account(shop: RunningHouse) -> None:
    check_problem(shop.ask("GET", "/account"), 403)
    me = shop.done("GET", "/api/v1/me", token=shop.token("price:read", stores=("main",)))
    assert me["person"] is None
    assert me["scopes"] == {"main": ["price:read"]}


# ── What may be sent ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": "x"}, "/name"),
        ({"name": "with blank"}, "/name"),
        ({"name": "a" * 81}, "/name"),
        ({"name": "unseen\u200b"}, "/name"),
        ({"name": "ok", "mail": "none"}, "/mail"),
        ({"name": "ok", "roles": [{"store": "main", "role": "king"}]}, "/roles/0/role"),
        ({"name": "ok", "roles": [{"store": "NO", "role": "admin"}]}, "/roles/0/store"),
        ({"name": "ok", "roles": [{"store": "nowhere", "role": "admin"}]}, "/roles"),
        ({"name": "ok", "roles": {}}, "/roles"),
        ({"name": "ok", "password": PASSWORD}, "/password"),
    ],
)
@pytest.mark.asvs("6.4.6")
def test_a_bad_person_is_refused_by_its_field(
    shop: RunningHouse, body: dict[str, Any], pointer: str
) -> None:
    answer = shop.ask("POST", "/api/v1/people", json=body)
    check_problem(answer, 422)
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert PASSWORD not in answer.text
