"""Clients fetch tokens of ten minutes; each classic forgery of one is refused."""

import base64
import hashlib
import hmac
import json
import re
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import jwt
import pytest

from api.access_tokens import AccessTokens
from api.private_files import RuntimeFile, runtime_file
from api.secret_box import derive_key
from esl.domain.errors import NotSignedIn
from esl.services.clients import Fetched
from esl.services.fetching import FAILURES_OF_CLIENT
from tests.running_house import Command, RunningHouse, check_problem, running_house

pytest_plugins = ["tests.shop_over_http"]

FORM = "application/x-www-form-urlencoded"
STORES = "/api/v1/stores"
GRANT = {"name": "ERP", "scopes": ["price:write", "price:read"], "stores": ["main"]}


@pytest.fixture(autouse=True)
def _nobody_failed_lately(shop: RunningHouse) -> Iterator[None]:
    yield
    shop.write(lambda tx: tx.exec_driver_sql("DELETE FROM sign_in_throttle"))


def _client(shop: RunningHouse, **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = shop.done("POST", "/api/v1/clients", GRANT | changes)
    return made


def _basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{client_id}:{secret}'.encode()).decode()}"}


def _post(
    shop: RunningHouse, body: str, headers: dict[str, str] | None = None, query: str = ""
) -> httpx2.Response:
    sent = {"Content-Type": FORM} | (headers or {})
    return shop.ask("POST", f"/oauth/token{query}", token=None, content=body, headers=sent)


def _fetch(shop: RunningHouse, client: dict[str, Any], **fields: str) -> httpx2.Response:
    form = {"grant_type": "client_credentials"} | fields
    return _post(shop, urlencode(form), _basic(client["id"], client["secret"]))


def _token(shop: RunningHouse, client: dict[str, Any], **fields: str) -> str:
    answer = _fetch(shop, client, **fields)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def _refused(answer: httpx2.Response, error: str, status: int) -> None:
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    if status == 401:
        assert answer.headers["www-authenticate"] == 'Basic realm="esl"'


def _opens(shop: RunningHouse, token: str) -> bool:
    answer = shop.ask("GET", STORES, token=token)
    assert answer.status_code in {200, 401}, answer.text
    return answer.status_code == 200


# ── The way that is meant ──────────────────────────────────────────────────────────────────


def test_a_client_fetches_a_token_and_sets_a_price(shop: RunningHouse) -> None:
    client = _client(shop)
    answer = _fetch(shop, client)
    said = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert (said["token_type"], said["expires_in"]) == ("Bearer", 600)
    assert said["scope"] == "price:read price:write"
    token = said["access_token"]
    change = {"sku": "1001", "price": "1.19"}
    done = shop.done("POST", f"{STORES}/main/price-changes", change, token=token)
    assert done["results"][0]["decision"] == "accepted"
    check_problem(shop.ask("GET", "/api/v1/clients", token=token), 403)
    assert shop.done("GET", "/api/v1/me", token=token)["name"] == f"client:{client['id']}"
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 600
    assert (claims["iss"], claims["aud"], claims["sub"]) == ("esl", "esl-api", client["id"])
    assert len(claims["jti"]) == 32


def test_the_secret_in_the_body_does_as_well(shop: RunningHouse) -> None:
    client = _client(shop)
    form = {
        "grant_type": "client_credentials",
        "client_id": client["id"],
        "client_secret": client["secret"],
        "scope": "",
    }
    assert _opens(shop, _post(shop, urlencode(form)).json()["access_token"])
    both = _post(shop, urlencode(form), _basic(client["id"], client["secret"]))
    _refused(both, "invalid_request", 400)


@pytest.mark.asvs("10.4.11")
def test_a_narrower_scope_is_given_and_a_wider_one_refused(shop: RunningHouse) -> None:
    client = _client(shop)
    answer = _fetch(shop, client, scope="price:read")
    assert answer.json()["scope"] == "price:read"
    change = {"sku": "1001", "price": "1.39"}
    token = answer.json()["access_token"]
    check_problem(shop.ask("POST", f"{STORES}/main/price-changes", json=change, token=token), 403)
    assert _opens(shop, token)
    for wider in ("user:admin", "price:read user:admin", "price:read  price:write", "all", "*"):
        _refused(_fetch(shop, client, scope=wider), "invalid_scope", 400)


def test_a_secret_reads_so_that_scanners_find_it(shop: RunningHouse) -> None:
    client = _client(shop)
    found = re.fullmatch(r"(esl_live_([0-9a-f]{12})_[0-9a-f]{64})_([0-9a-f]{8})", client["secret"])
    assert found is not None
    assert found[2] == client["id"]
    assert int(found[3], 16) == zlib.crc32(found[1].encode())
    check_problem(shop.ask("GET", STORES, token=client["secret"]), 401)  # it is no token
    listed = shop.ask("GET", "/api/v1/clients").text
    hashed = hashlib.sha256(client["secret"].encode()).hexdigest()
    assert found[1] not in listed
    assert hashed not in listed
    for file in shop.house.settings.data_dir.glob("esl.db*"):
        assert found[1].encode() not in file.read_bytes(), file.name
    assert (hashed,) in shop.read("SELECT sha256 FROM client_secret")


# ── What is not as the RFC says ────────────────────────────────────────────────────────────


@pytest.mark.asvs("10.4.4")
def test_other_requests_get_no_token(shop: RunningHouse) -> None:
    client = _client(shop)
    basic = _basic(client["id"], client["secret"])
    grant = "grant_type=client_credentials"
    in_body = f"client_id={client['id']}&client_secret={client['secret']}"
    as_json = json.dumps({"grant_type": "client_credentials", **client})
    _refused(_post(shop, as_json, basic | {"Content-Type": "application/json"}), *BAD)
    for body, headers, query in (
        ("", basic, ""),
        ("scope=price:read", basic, ""),
        (f"{grant}&{grant}", basic, ""),
        (f"{grant}&{in_body}", {}, "?x=1"),
        (grant, basic, f"?client_secret={client['secret']}"),
        ("", {}, f"?{grant}&{in_body}"),
        (f"{grant}&client_id=0a1b2c3d4e5f", basic, ""),
        (f"{grant}&x=%ff", basic, ""),
        (f"{grant}&x=ž", basic, ""),
        ("&".join(f"a{n}=1" for n in range(50)), basic, ""),
    ):
        _refused(_post(shop, body, headers, query), *BAD)
    for kind in ("password", "refresh_token", "authorization_code", "CLIENT_CREDENTIALS"):
        _refused(_post(shop, f"grant_type={kind}", basic), "unsupported_grant_type", 400)
    assert shop.ask("GET", "/oauth/token", token=None).status_code == 405


BAD = ("invalid_request", 400)


@pytest.mark.asvs("10.4.10")
def test_who_is_unknown_and_whose_secret_is_wrong_hear_the_same(shop: RunningHouse) -> None:
    client, other = _client(shop), _client(shop)
    right = client["secret"]
    pairs = [
        (client["id"], f"{right[:-1]}{'0' if right[-1] != '0' else '1'}"),
        (client["id"], other["secret"]),
        (client["id"], ""),
        ("0a1b2c3d4e5f", right),
        ("nobody", right),
        ("", ""),
        (client["id"].upper() + "\0", right),
    ]
    answers = [_post(shop, "grant_type=client_credentials", _basic(*pair)) for pair in pairs]
    for answer in answers:
        _refused(answer, "invalid_client", 401)
    assert len({answer.text for answer in answers}) == 1
    for header in ("Basic", "Basic ?", "Basic YQ==", f"Bearer {right}", "", "Basic \xff"):
        answer = _post(shop, "grant_type=client_credentials", {"Authorization": header})
        _refused(answer, "invalid_client", 401)


def test_who_guesses_has_to_wait_and_keeps_nobody_else_out(shop: RunningHouse) -> None:
    client, other = _client(shop), _client(shop)
    for _ in range(FAILURES_OF_CLIENT):
        _refused(_fetch(shop, client | {"secret": "guess"}), "invalid_client", 401)
    slowed = _fetch(shop, client)
    _refused(slowed, "temporarily_unavailable", 429)
    assert 1 <= int(slowed.headers["retry-after"]) <= 61
    assert _opens(shop, _token(shop, other))


# ── What ends a token ──────────────────────────────────────────────────────────────────────


def test_two_secrets_hold_at_once_and_a_third_is_refused(shop: RunningHouse) -> None:
    client = _client(shop)
    path = f"/api/v1/clients/{client['id']}"
    [first] = [one["id"] for one in client["secrets"]]
    second = shop.done("POST", f"{path}/secrets", {})
    check_problem(shop.ask("POST", f"{path}/secrets", json={}), 409)
    of_first = _token(shop, client)
    of_second = _token(shop, client | {"secret": second["secret"]})
    for _ in range(3):  # believed by now
        assert _opens(shop, of_first)
        assert _opens(shop, of_second)
    shop.done("DELETE", f"{path}/secrets/{first}")
    assert not _opens(shop, of_first)
    assert _opens(shop, of_second)
    _refused(_fetch(shop, client), "invalid_client", 401)
    check_problem(shop.ask("DELETE", f"{path}/secrets/{first}"), 404)
    third = shop.done("POST", f"{path}/secrets", {})
    assert _opens(shop, _token(shop, client | {"secret": third["secret"]}))
    assert not _opens(shop, of_first)
    kept = [one["id"] for one in shop.done("GET", path)["secrets"]]
    assert sorted(kept) == sorted([second["id"], third["id"]])


def test_a_disabled_client_is_out_at_once_and_for_good(shop: RunningHouse) -> None:
    client = _client(shop)
    path = f"/api/v1/clients/{client['id']}"
    token = _token(shop, client)
    assert _opens(shop, token)
    shop.done("DELETE", path)
    assert not _opens(shop, token)
    _refused(_fetch(shop, client), "invalid_client", 401)
    check_problem(shop.ask("DELETE", path), 404)
    check_problem(shop.ask("PUT", path, json=GRANT), 404)
    check_problem(shop.ask("POST", f"{path}/secrets", json={}), 404)
    assert shop.done("GET", path)["disabled_at"]


@pytest.mark.asvs("10.3.2")
def test_what_a_client_loses_its_tokens_lose(shop: RunningHouse) -> None:
    client = _client(shop, stores=["*"])
    path = f"/api/v1/clients/{client['id']}"
    token = _token(shop, client)
    change = {"sku": "1001", "price": "1.39"}
    changes = f"{STORES}/main/price-changes"
    shop.done("POST", changes, change, token=token)
    shop.done("PUT", path, GRANT | {"scopes": ["price:read", "label:read"]})
    check_problem(shop.ask("POST", changes, json=change, token=token), 403)
    check_problem(shop.ask("GET", f"{STORES}/main/labels", token=token), 403)  # not what it gained
    assert _opens(shop, token)
    shop.done("PUT", path, GRANT | {"scopes": ["label:read"]})
    assert not _opens(shop, token)  # nothing of it is left


def test_clients_are_listed_a_page_at_a_time_and_all_of_it_is_audited(shop: RunningHouse) -> None:
    made = {_client(shop, name=f"till {n}")["id"] for n in range(3)}
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = shop.done("GET", f"/api/v1/clients?limit=2&after={after}")
        found += [one["id"] for one in page["clients"]]
        after = page["after"]
    assert found == sorted(set(found))
    assert made <= set(found)
    one = min(made)
    shop.done("PUT", f"/api/v1/clients/{one}", GRANT)
    second = shop.done("POST", f"/api/v1/clients/{one}/secrets", {})
    shop.done("DELETE", f"/api/v1/clients/{one}/secrets/{second['id']}")
    shop.done("DELETE", f"/api/v1/clients/{one}")
    entries = shop.read(
        "SELECT action, actor, detail FROM audit_entry WHERE subject = ? ORDER BY entry_id",
        f"client/{one}",
    )
    assert [entry[0] for entry in entries] == [
        "client_added",
        "client_changed",
        "client_rotated",
        "client_secret_revoked",
        "client_disabled",
    ]
    assert {entry[1] for entry in entries} == {"operator"}
    assert second["secret"] not in str(entries)
    key = {"Idempotency-Key": "once"}
    check_problem(shop.ask("POST", "/api/v1/clients", json=GRANT, headers=key), 422)
    nowhere = GRANT | {"stores": ["nowhere"]}
    check_problem(shop.ask("POST", "/api/v1/clients", json=nowhere), 422, "/stores")
    check_problem(shop.ask("GET", "/api/v1/clients/x%00"), 404)


# ── Forgeries ──────────────────────────────────────────────────────────────────────────────


def _part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _signed(header: Any, claims: Any, key: bytes) -> str:
    text = f"{_part(header)}.{_part(claims)}"
    return f"{text}.{_part(hmac.new(key, text.encode(), hashlib.sha256).digest())}"


HEADER = {"alg": "HS256", "typ": "at+jwt"}


def _key(shop: RunningHouse) -> bytes:
    return derive_key(shop.house.settings.data_dir, b"esl access tokens of clients, HS256")


def _claims(shop: RunningHouse, client: dict[str, Any]) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(_token(shop, client), options={"verify_signature": False})
    return claims


@pytest.mark.asvs("9.1.1", "9.1.2", "9.1.3")
def test_a_token_of_another_algorithm_key_or_header_is_refused(shop: RunningHouse) -> None:
    claims, key = _claims(shop, _client(shop)), _key(shop)
    assert _opens(shop, _signed(HEADER, claims, key)), "the forger's tools work"
    none = f"{_part({'alg': 'none', 'typ': 'at+jwt'})}.{_part(claims)}."
    algorithms = ("none", "None", "HS384", "HS512", "RS256", "ES256", "EdDSA", "", "hs256", None, 1)
    others = ({"kid": "../../dev/null"}, {"jwk": {"kty": "oct", "k": ""}}, {"crit": ["x"]})
    forged = [
        *(none, f"{none}AA", none[:-1]),
        *(_signed(HEADER | {"alg": alg}, claims, key) for alg in algorithms),
        *(_signed(HEADER | other, claims, key) for other in others),
        jwt.encode(claims, key + key, "HS512", headers={"typ": "at+jwt"}),
        _signed({"typ": "at+jwt"}, claims, key),
        _signed(HEADER | {"typ": "JWT"}, claims, key),
        _signed(HEADER, claims, b""),
        _signed(HEADER, claims, b"\0" * 32),
        _signed(HEADER, claims, derive_key(shop.house.settings.data_dir, b"another purpose")),
        _signed([], claims, key),
        _signed(HEADER, [claims], key),
        _signed(HEADER, b"not json", key),
        _signed(HEADER, b"[" * 2000, key),
        "..",
        "a.b.c",
        "." * 5000,
    ]
    for token in forged:
        check_problem(shop.ask("GET", STORES, token=token), 401)


@pytest.mark.asvs("9.2.1", "9.2.2", "9.2.3", "10.3.1")
def test_a_token_of_another_time_or_addressee_is_refused(shop: RunningHouse) -> None:
    client = _client(shop)
    claims, key = _claims(shop, client), _key(shop)
    now_s = int(shop.house.clock.now().timestamp())
    for changed in (
        {"aud": "another"},
        {"aud": ["esl-api", "another"]},
        {"aud": None},
        {"iss": "another"},
        {"iss": ["esl"]},
        {"nbf": now_s - 1000, "exp": now_s - 400},
        {"nbf": now_s + 300, "exp": now_s + 600},
        {"exp": now_s + 100_000},
        {"exp": 10**30},
        {"exp": -(10**30)},
        {"exp": str(now_s + 100)},
        {"exp": float(now_s + 100)},
        {"exp": True},
        {"exp": None},
        {"nbf": None},
        {"sub": "0a1b2c3d4e5f"},
        {"sub": None},
        {"sub": "\0"},
        {"sec": "00000000"},
        {"scope": ""},
        {"scope": "user:admin"},
        {"scope": []},
        {"stores": ["pula"]},
        {"stores": []},
        {"stores": 1},
        {"stores": None},
    ):
        token = _signed(HEADER, claims | changed, key)
        check_problem(shop.ask("GET", STORES, token=token), 401)
    for name in claims:
        lacking = {field: value for field, value in claims.items() if field != name}
        check_problem(shop.ask("GET", STORES, token=_signed(HEADER, lacking, key)), 401)
    token, tokens = _signed(HEADER, claims, key), AccessTokens(shop.house.settings.data_dir)
    begins_at, ends_at = (datetime.fromtimestamp(claims[name], UTC) for name in ("nbf", "exp"))
    almost, beyond = timedelta(seconds=29), timedelta(seconds=31)
    for now in (begins_at - almost, begins_at, ends_at, ends_at + almost):
        assert tokens.read(token, now).fetched.client_id == client["id"]
    for now in (begins_at - beyond, ends_at + beyond):
        with pytest.raises(NotSignedIn):
            tokens.read(token, now)


def test_no_flipped_bit_and_no_cut_leaves_a_token_right(shop: RunningHouse) -> None:
    good = _token(shop, _client(shop))
    tokens = AccessTokens(shop.house.settings.data_dir)
    now = shop.house.clock.now()
    read: Fetched = tokens.read(good, now).fetched
    assert read.scopes
    raw = good.encode()
    changed = [raw[:length] for length in range(0, len(raw), 7)]
    for place in range(len(raw)):
        for bit in range(7):
            flipped = bytearray(raw)
            flipped[place] ^= 1 << bit
            changed.append(bytes(flipped))
    changed += [raw + b"A", raw + b"=", b" " + raw, raw + b".", raw.replace(b".", b"..", 1)]
    for one in changed:
        with pytest.raises(NotSignedIn):
            tokens.read(one.decode("latin-1"), now)
    for one in (raw[:-1], raw[:-1] + bytes([raw[-1] ^ 1]), raw + b"A"):
        check_problem(shop.ask("GET", STORES, token=one.decode()), 401)


@pytest.mark.asvs("14.2.1")
def test_a_token_opens_no_drop_in_door_and_is_not_taken_from_the_address(
    shop: RunningHouse,
) -> None:
    token = _token(shop, _client(shop))
    items = "/compat/pricer/api/public/core/v1/items"
    assert shop.ask("GET", items, token=token).status_code == 401
    check_problem(shop.ask("GET", f"{STORES}?access_token={token}", token=None), 401)


def test_commands_make_rotate_and_end_clients(tmp_path: Path, command: Command) -> None:
    data, file = tmp_path / "data", tmp_path / "till.client"
    with running_house(data) as running:
        runtime = RuntimeFile(url=running.url, token=running.operator, pid=1)
        with runtime_file(running.house.settings.data_dir, runtime):
            grant = ("--name", "till", "--scope", "price:read", "--store", "*")
            made = command("clients", "add", *grant, "--out", file, "--data", data)
            assert (made.status, made.stderr) == (0, "")
            assert file.stat().st_mode & 0o777 == 0o600
            client_id, _, secret = file.read_text().strip().partition(":")
            token = _token(running, {"id": client_id, "secret": secret})
            assert _opens(running, token)
            rotated = command("clients", "rotate", client_id, "--data", data)
            new = rotated.stdout.strip().partition(":")[2]
            [old_id, _] = [
                one["id"] for one in running.done("GET", f"/api/v1/clients/{client_id}")["secrets"]
            ]
            listed = command("clients", "list", "--data", data)
            assert (listed.status, client_id in listed.stdout) == (0, True)
            assert command("clients", "revoke", client_id, old_id, "--data", data).status == 0
            assert not _opens(running, token)
            other = _token(running, {"id": client_id, "secret": new})
            assert command("clients", "disable", client_id, "--data", data).status == 0
            assert not _opens(running, other)
            again = command("clients", "disable", client_id, "--data", data)
            assert (again.status, "no such client" in again.stderr) == (1, True)
