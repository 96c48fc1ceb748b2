"""Providers, people between them and us, and networks that do what they must not."""

import gzip
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from api.oidc import asking
from api.oidc.sealed_cookie import COOKIE
from tests.openid_provider import (
    Claims,
    OpenIdProvider,
    SigningKey,
    ec_key,
    rsa_key,
    running_provider,
)
from tests.provider_sign_in import Browser, query_of, set_up
from tests.running_house import RunningHouse

pytest_plugins = ["tests.shop_over_http"]

HERE = {"Sec-Fetch-Site": "same-origin"}
OTHER = rsa_key("first")  # by the same name, and not the provider's
WEAK = rsa_key("weak", bits=1024)


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    with running_provider() as running:
        running.add("ana", "shelf-admins")
        yield running


@pytest.fixture
def browsers(shop: RunningHouse, provider: OpenIdProvider) -> Iterator[Callable[[], Browser]]:
    """Open browsers of a shop that knows the provider."""
    set_up(shop, provider)
    opened: list[httpx2.Client] = []

    def fresh() -> Browser:
        opened.append(httpx2.Client(trust_env=False, timeout=20, headers=HERE))
        return Browser(shop, provider, opened[-1])

    yield fresh
    for one in opened:
        one.close()
    shop.app.state.provider = None


@pytest.fixture
def nobody_comes_in(shop: RunningHouse) -> Iterator[None]:
    """Whatever happens, nobody is signed in by it, and nobody is made or changed."""
    tables = ("person", "person_role", "person_identity", "person_session", "audit_entry")

    def stored() -> list[Any]:
        return [shop.read(f"SELECT * FROM {name} ORDER BY 1") for name in tables]  # noqa: S608

    before = stored()
    yield
    assert stored() == before


def signed(key: SigningKey, **header: Any) -> Callable[[str, Claims], str]:
    def sin(_token: str, claims: Claims) -> str:
        return jwt.encode(claims, key.private, key.algorithm, headers=header)

    return sin


def by_the_public_key(provider: OpenIdProvider) -> Callable[[str, Claims], str]:
    """HS256 under the text of the public key: what a verifier of any algorithm would take."""

    def sin(_token: str, claims: Claims) -> str:
        public = provider.key.private.public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        head, body = (
            jwt.utils.base64url_encode(json.dumps(part).encode())
            for part in ({"alg": "HS256", "typ": "JWT", "kid": "first"}, claims)
        )
        mac = jwt.get_algorithm_by_name("HS256").sign(head + b"." + body, pem)
        return b".".join([head, body, jwt.utils.base64url_encode(mac)]).decode()

    return sin


def unsigned(_token: str, claims: Claims) -> str:
    return jwt.encode(claims, None, "none", headers={"kid": "first"})


def cut_off(token: str, _claims: Claims) -> str:
    return token.rpartition(".")[0] + "."


def other_claims(token: str, claims: Claims) -> str:
    head, _, mac = token.split(".")
    body = jwt.utils.base64url_encode(json.dumps(claims | {"sub": "the boss"}).encode())
    return f"{head}.{body.decode()}.{mac}"


NOW_S = int(time.time())
SINS: dict[str, Claims] = {
    "another sign-in": {"nonce": "x" * 43},
    "no nonce": {"nonce": None},
    "a nonce that is no text": {"nonce": 7},
    "another client": {"aud": "somebody-else"},
    "other clients": {"aud": ["somebody-else", "and-another"]},
    "us among others, given to nobody": {"aud": ["esl", "somebody-else"]},
    "us among others, given to another": {"aud": ["esl", "else"], "azp": "else"},
    "us, given to another": {"azp": "else"},
    "an audience that is none": {"aud": {"esl": True}},
    "no audience": {"aud": None},
    "over": {"exp": NOW_S - 120, "iat": NOW_S - 300},
    "no end": {"exp": None},
    "an end that is a text": {"exp": "9999999999"},
    "an end that is true": {"exp": True},
    "an end beyond time": {"exp": 1e300},
    "not yet": {"nbf": NOW_S + 3600},
    "made in the future": {"iat": NOW_S + 3600, "exp": NOW_S + 7200},
    "made long ago": {"iat": NOW_S - 3600},
    "another issuer": {"iss": "https://login.evil.example"},
    "an issuer that is almost ours": {"iss": "http://127.0.0.1:1/realms/shop/"},
    "no issuer": {"iss": None},
    "about nobody": {"sub": None},
    "about an empty name": {"sub": ""},
    "about a number": {"sub": 7},
    "about somebody with too long a name": {"sub": "x" * 256},
    "a NUL in the name": {"sub": "a\0b"},
}


@pytest.mark.asvs("9.1.1", "9.2.1", "9.2.3", "10.5.1", "10.5.4")
@pytest.mark.usefixtures("nobody_comes_in")
@pytest.mark.parametrize("sin", SINS)
def test_an_id_token_counts_for_this_sign_in_alone(
    provider: OpenIdProvider, browsers: Callable[[], Browser], sin: str
) -> None:
    provider.sins_in_claims = SINS[sin]
    answer = browsers().sign_in("ana")
    assert answer.status_code == 502, sin
    assert "did not work" in answer.text


@pytest.mark.asvs("9.1.1", "9.1.2", "9.1.3")
@pytest.mark.usefixtures("nobody_comes_in")
@pytest.mark.parametrize(
    "sin",
    [
        pytest.param(lambda _: unsigned, id="none"),
        pytest.param(by_the_public_key, id="HS256 under the public key"),
        pytest.param(lambda _: signed(OTHER, kid="first"), id="another key by the same name"),
        pytest.param(lambda _: signed(OTHER, kid="second"), id="a key that is not shown"),
        pytest.param(lambda _: signed(ec_key("first"), kid="first"), id="a curve for RSA"),
        pytest.param(
            lambda _: signed(OTHER, kid="second", jwk=OTHER.jwk(), jku="http://127.0.0.1:1/"),
            id="a key that the token brings itself",
        ),
        pytest.param(lambda _: cut_off, id="without its signature"),
        pytest.param(lambda _: other_claims, id="with other claims"),
        pytest.param(lambda _: lambda *_: "not.a.token", id="no token"),
        pytest.param(lambda _: lambda *_: "", id="nothing"),
        pytest.param(lambda _: lambda *_: "é.é.é", id="letters beyond ASCII"),
        pytest.param(lambda _: lambda token, _c: token + "A" * 70_000, id="too long"),
    ],
)
def test_an_id_token_counts_only_under_a_key_of_the_provider(
    provider: OpenIdProvider,
    browsers: Callable[[], Browser],
    sin: Callable[[OpenIdProvider], Callable[[str, Claims], str]],
) -> None:
    provider.sins_in_token = sin(provider)
    assert browsers().sign_in("ana").status_code == 502


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.usefixtures("nobody_comes_in")
def test_a_weak_key_signs_nothing(
    provider: OpenIdProvider, browsers: Callable[[], Browser]
) -> None:
    provider.key, provider.shown = WEAK, [WEAK]
    assert browsers().sign_in("ana").status_code == 502


def test_the_same_token_without_a_sin_lets_in(
    provider: OpenIdProvider, browsers: Callable[[], Browser]
) -> None:
    """The control of the tests above: it is what they change that is refused."""
    provider.add("control", "shelf-managers", aud=["esl", "else"], azp="esl")
    assert browsers().sign_in("control").status_code == 303


def test_keys_may_change_and_strangers_do_not_make_us_ask_for_them(
    provider: OpenIdProvider, browsers: Callable[[], Browser]
) -> None:
    provider.add("bea", "shelf-managers")
    assert browsers().sign_in("bea").status_code == 303
    second = rsa_key("second")
    provider.key, provider.shown = second, [second]
    assert browsers().sign_in("bea").status_code == 303, "the new key was fetched at once"
    assert provider.asked.count("/keys") == 2
    provider.key = rsa_key("third")  # and is not shown
    for _ in range(3):
        assert browsers().sign_in("bea").status_code == 502
    assert provider.asked.count("/keys") == 2, "not again within half a minute"
    provider.key = second
    assert browsers().sign_in("bea").status_code == 303


# ── What the provider says of itself ──────────────────────────────────────────────────────────


@pytest.mark.asvs("10.5.3")
@pytest.mark.usefixtures("nobody_comes_in")
@pytest.mark.parametrize(
    "sins",
    [
        {"issuer": "https://login.evil.example"},
        {"issuer": None},
        {"token_endpoint": "http://login.evil.example/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://user:word@login.example/authorize"},
        {"authorization_endpoint": "https://login.example/authorize#x"},
        {"authorization_endpoint": None},
        {"jwks_uri": 7},
        {"jwks_uri": "file:///etc/passwd"},
        {"end_session_endpoint": "http://login.evil.example/out"},
        {"id_token_signing_alg_values_supported": ["HS256", "none"]},
    ],
    ids=str,
)
def test_a_description_that_is_not_the_providers_sends_nobody_anywhere(
    provider: OpenIdProvider, browsers: Callable[[], Browser], sins: Claims
) -> None:
    provider.sins_in_metadata = sins
    answer = browsers().get("/sign-in/oidc")
    assert answer.status_code == 502
    assert 'name="password"' in answer.text


def _huge(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(64):
        handler.wfile.write(b" " * 65_536)


def _answer(status: int, body: bytes, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.mark.usefixtures("nobody_comes_in")
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token"])
@pytest.mark.parametrize(
    ("sin", "status"),
    [
        (_huge, 502),
        (_answer(200, b"[]"), 502),
        (_answer(200, b"<html>"), 502),
        (_answer(200, b"\xff\xfe"), 502),
        (_answer(200, b"[" * 100_000), 502),
        (_answer(200, b"{}"), 502),
        (_answer(302, b"", location="http://127.0.0.1:1/elsewhere"), 502),
        (_answer(404, b"{}"), 502),
        (_answer(500, b"a fault"), 503),
        (_answer(200, gzip.compress(b" " * 10_000_000), **{"content-encoding": "gzip"}), 502),
    ],
    ids=[
        "huge",
        "a list",
        "a page",
        "no UTF-8",
        "deep",
        "empty",
        "away",
        "nothing",
        "a fault",
        "packed",
    ],
)
def test_answers_that_are_none_do_no_harm(
    provider: OpenIdProvider,
    browsers: Callable[[], Browser],
    path: str,
    sin: Callable[[BaseHTTPRequestHandler], None],
    status: int,
) -> None:
    provider.sins_by_path = {path: sin}
    browser = browsers()
    began = browser.get("/sign-in/oidc")
    if began.status_code == 303:
        began = browser.get(browser.agree(began.headers["location"], "ana"))
    assert began.status_code == status
    assert 'name="password"' in began.text


@pytest.mark.usefixtures("nobody_comes_in")
def test_a_provider_that_sleeps_or_is_gone_keeps_nobody_waiting(
    shop: RunningHouse,
    provider: OpenIdProvider,
    browsers: Callable[[], Browser],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asking, "LONGEST_S", 0.4)
    over = threading.Event()
    provider.sins_by_path = {"/.well-known/openid-configuration": lambda _: over.wait(20) and None}
    try:
        began_s = time.monotonic()
        answers = [browsers().get("/sign-in/oidc") for _ in range(5)]
        assert time.monotonic() - began_s < 5
    finally:
        over.set()
    for answer in answers:
        assert answer.status_code == 503
        assert "does not answer" in answer.text
        assert 'name="password"' in answer.text
    assert provider.asked.count("/.well-known/openid-configuration") == 1, "one waits for all"
    # And gone altogether.
    set_up(shop, provider, issuer="http://127.0.0.1:1")
    assert browsers().get("/sign-in/oidc").status_code == 503


def test_local_people_sign_in_while_the_provider_is_gone(
    shop: RunningHouse, provider: OpenIdProvider, browsers: Callable[[], Browser]
) -> None:
    body = {"name": "local", "roles": [{"store": "main", "role": "manager"}]}
    person = shop.done("POST", "/api/v1/people", body)["id"]
    link = query_of(shop.done("POST", f"/api/v1/people/{person}/invitation")["url"])["link"]
    password = "a heron stood by the weir"
    browser = browsers()
    form = {"link": link, "password": password, "again": password}
    assert browser.http.post(f"{shop.url}/welcome", data=form).status_code == 303
    set_up(shop, provider, issuer="http://127.0.0.1:1")
    other = browsers()
    assert other.get("/sign-in/oidc").status_code == 503
    words = {"name": "local", "password": password}
    assert other.http.post(f"{shop.url}/sign-in", data=words).status_code == 303
    assert other.roles() == {("main", "manager")}


# ── Between the browser and the provider ──────────────────────────────────────────────────────


@pytest.mark.asvs("10.1.2", "10.2.1")
@pytest.mark.usefixtures("nobody_comes_in")
def test_an_answer_counts_in_the_browser_that_asked_for_it(
    provider: OpenIdProvider, browsers: Callable[[], Browser]
) -> None:
    attacker, victim = browsers(), browsers()
    attackers = attacker.agree(attacker.begin(), "ana")
    assert victim.get(attackers).status_code == 401, "a browser that began nothing"
    victims = query_of(victim.begin())
    assert victim.get(attackers).status_code == 401, "one that began another sign-in"
    # The attacker's code under the victim's state: the provider is told another verifier.
    asked = provider.asked.count("/token")
    victims = query_of(victim.begin())
    code = query_of(attackers)["code"]
    mixed = {"code": code, "state": victims["state"], "iss": provider.issuer}
    assert victim.get("/sign-in/oidc/return", params=mixed).status_code == 502
    assert provider.asked.count("/token") == asked + 1


@pytest.mark.asvs("10.1.2")
def test_an_answer_counts_once(provider: OpenIdProvider, browsers: Callable[[], Browser]) -> None:
    provider.add("cleo", "shelf-managers")
    browser = browsers()
    back = browser.agree(browser.begin(), "cleo")
    cookie = str(browser.http.cookies.get(COOKIE))
    assert browser.get(back).status_code == 303
    assert browser.http.cookies.get(COOKIE) is None
    again = browsers()
    again.http.cookies.set(COOKIE, cookie)
    assert again.get(back).status_code == 502, "the provider takes no code twice"
    for grant in provider.grants.values():
        grant.used = False
    again.http.cookies.set(COOKIE, cookie)
    assert again.get(back).status_code == 401, "and if it did, we would not"
    assert again.me() is None


@pytest.mark.asvs("10.2.2")
@pytest.mark.usefixtures("nobody_comes_in")
@pytest.mark.parametrize(
    "sins",
    [
        {"iss": "https://login.evil.example"},
        {"iss": ""},
        {"state": "x" * 43},
        {"state": ""},
        {"code": ""},
        {"code": "x" * 5000},
        {"code": "é" * 100},
        {"error": "server_error\r\nSet-Cookie: a=b"},
    ],
    ids=str,
)
def test_an_answer_of_another_provider_or_of_none_is_refused(
    provider: OpenIdProvider, browsers: Callable[[], Browser], sins: dict[str, str]
) -> None:
    provider.sins_in_answer = sins
    answer = browsers().sign_in("ana")
    assert answer.status_code in (401, 403, 502)
    assert "a=b" not in str(answer.headers)


@pytest.mark.usefixtures("nobody_comes_in")
def test_a_provider_that_names_itself_must_do_so(
    provider: OpenIdProvider, browsers: Callable[[], Browser]
) -> None:
    browser = browsers()
    address = browser.begin()
    provider.names_itself = False
    assert browser.get(browser.agree(address, "ana")).status_code == 502


@pytest.mark.usefixtures("nobody_comes_in")
@pytest.mark.parametrize("twice", ["state", "code", "iss"])
def test_a_parameter_that_comes_twice_is_refused(
    browsers: Callable[[], Browser], twice: str
) -> None:
    browser = browsers()
    back = browser.agree(browser.begin(), "ana")
    assert browser.get(f"{back}&{twice}=x").status_code == 401


@pytest.mark.usefixtures("nobody_comes_in")
@pytest.mark.parametrize(
    "damage", [lambda c: c[:-1] + "0g"[c[-1] == "0"], lambda c: "9" + c, str.upper]
)
def test_a_cookie_that_is_not_ours_begins_nothing(
    browsers: Callable[[], Browser], damage: Callable[[str], str]
) -> None:
    browser = browsers()
    back = browser.agree(browser.begin(), "ana")
    cookie = str(browser.http.cookies.get(COOKIE))
    browser.http.cookies.clear()
    browser.http.cookies.set(COOKIE, damage(cookie))
    assert browser.get(back).status_code == 401


@pytest.mark.asvs("16.2.5")
def test_neither_page_nor_log_holds_codes_tokens_or_secrets(
    provider: OpenIdProvider,
    browsers: Callable[[], Browser],
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    seen: list[str] = []

    def keep(token: str, _claims: Claims) -> str:
        seen.append(token)
        return token

    provider.sins_in_token = keep
    provider.sins_in_claims = {"nonce": "x"}
    browser = browsers()
    back = browser.agree(browser.begin(), "ana")
    page = browser.get(back).text
    written = capfd.readouterr()
    ours = [one.getMessage() for one in caplog.records if one.name.startswith(("api.", "esl."))]
    said = "\n".join([page, *ours, written.out, written.err])
    assert "another sign-in (nonce)" in said, "the log says why"
    for secret in (*seen, query_of(back)["code"], query_of(back)["state"]):
        assert secret not in said
