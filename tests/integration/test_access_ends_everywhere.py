"""A token that is revoked and a secret that is replaced end at once in every process."""

import base64
import hashlib
import hmac
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from sqlalchemy import text

from api.listeners.hook_sources import HookSource, RememberedSources
from api.private_files import RuntimeFile
from esl.intake.hooks.request import HookSecrets
from esl.intake.hooks.verifiers import HookKind
from esl.services.fetching import FAILURES_OF_CLIENT
from esl.store.database import Database
from tests.running_house import STORE_BODY, Command
from tests.served import Served, wait_until
from tests.services import Postgres

pytest_plugins = ["tests.shop_over_http"]

MQTT = ("--mqtt", "mqtt://u:p@127.0.0.1:1")
AT_ONCE_S = 2.0
"""Far below the five seconds a process would believe by itself, and far above what it takes."""

OLD, NEW = "an old secret of the shop", "a new secret of the shop"


class Two:
    """Two real controllers on one PostgreSQL: what is said to one, the other must know."""

    def __init__(self, one: RuntimeFile, two: RuntimeFile) -> None:
        self._bases = one.url, two.url
        self._operator = one.token
        self._http = httpx2.Client(trust_env=False, timeout=30)

    def ask(self, which: int, method: str, path: str, *, token: str = "", **how: Any) -> Any:
        headers = {"authorization": f"Bearer {token or self._operator}"} | how.pop("headers", {})
        return self._http.request(method, self._bases[which] + path, headers=headers, **how)

    def done(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.ask(0, method, path, **({"json": body} if body is not None else {}))
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def close(self) -> None:
        self._http.close()


@pytest.fixture(scope="module")
def database_url(postgres: Postgres) -> Iterator[str]:
    name = postgres.create_database()
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> Iterator[Two]:
    """Two processes of ``esl serve`` beside each other, with the keys of the first."""
    shared = ("--database", database_url, *MQTT, "--no-delivery")
    with (
        closing(Served(tmp_path_factory.mktemp("a") / "data", *shared)) as first,
        closing(Served(tmp_path_factory.mktemp("b") / "data", *shared)) as second,
    ):
        one = first.start()
        shutil.copytree(first.data_dir / "keys", second.data_dir / "keys")
        with closing(Two(one, second.start())) as both:
            both.done("PUT", "/api/v1/stores/main", STORE_BODY)
            yield both


def _took_s(refused: Callable[[], bool], longest_s: float = 20) -> float:
    began_s = time.monotonic()
    wait_until(refused, "the refusal", longest_s)
    return time.monotonic() - began_s


def test_a_token_revoked_in_one_process_opens_no_door_of_another(two: Two) -> None:
    scopes = {"name": "till", "stores": ["main"], "scopes": ["price:read"]}
    took: list[float] = []
    for _ in range(5):
        token = two.done("POST", "/api/v1/tokens", scopes)["token"]
        for _ in range(3):  # from here on it is believed
            assert two.ask(1, "GET", "/api/v1/stores", token=token).status_code == 200
        two.done("DELETE", f"/api/v1/tokens/{token.split('_')[1]}")
        path = "/api/v1/stores"
        took.append(
            _took_s(lambda: two.ask(1, "GET", path, token=token).status_code == 401)  # noqa: B023
        )
        assert two.ask(0, "GET", path, token=token).status_code == 401
    assert max(took) < AT_ONCE_S, took


def test_a_name_and_password_end_with_their_token_at_the_drop_in_doors(two: Two) -> None:
    scopes = {"name": "till", "stores": ["main"], "scopes": ["price:read", "label:read"]}
    token = two.done("POST", "/api/v1/tokens", scopes)["token"]
    basic = {"authorization": f"Basic {base64.b64encode(f'till:{token}'.encode()).decode()}"}
    path = "/compat/pricer/api/public/core/v1/items"
    assert two.ask(1, "GET", path, headers=basic).status_code == 200
    two.done("DELETE", f"/api/v1/tokens/{token.split('_')[1]}")
    took_s = _took_s(lambda: two.ask(1, "GET", path, headers=basic).status_code == 401)
    assert took_s < AT_ONCE_S


def _fetched(two: Two, which: int, client: str, secret: str) -> Any:
    basic = {"authorization": f"Basic {base64.b64encode(f'{client}:{secret}'.encode()).decode()}"}
    form = {"grant_type": "client_credentials"}
    return two.ask(which, "POST", "/oauth/token", data=form, headers=basic)


def test_what_a_client_fetched_in_one_process_opens_every_other_until_its_secret_ends(
    two: Two,
) -> None:
    grant = {"name": "ERP", "stores": ["main"], "scopes": ["price:read"]}
    client = two.done("POST", "/api/v1/clients", grant)
    answers = [_fetched(two, which, client["id"], client["secret"]) for which in (0, 1)]
    tokens = [answer.json()["access_token"] for answer in answers]
    path = "/api/v1/stores"
    for token in tokens:
        for which in (0, 1, 1):
            assert two.ask(which, "GET", path, token=token).status_code == 200
    [secret] = client["secrets"]
    two.done("DELETE", f"/api/v1/clients/{client['id']}/secrets/{secret['id']}")
    for token in tokens:
        assert two.ask(0, "GET", path, token=token).status_code == 401
        took_s = _took_s(lambda: two.ask(1, "GET", path, token=token).status_code == 401)  # noqa: B023
        assert took_s < 10
    assert _fetched(two, 1, client["id"], client["secret"]).status_code == 401


def _hook(two: Two, secret: str, event: str) -> int:
    body = b'{"id": 1, "title": "T-Shirt"}'
    signed = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    headers = {
        "x-shopify-hmac-sha256": signed,
        "x-shopify-webhook-id": event,
        "x-shopify-topic": "products/update",
    }
    answer = two.ask(1, "POST", "/api/v1/hooks/shop", content=body, headers=headers)
    return int(answer.status_code)


def test_a_secret_replaced_and_a_source_switched_off_in_one_process_end_in_another(
    two: Two,
) -> None:
    source = {"name": "Shop", "store": "main", "kind": "webhook", "settings": {"system": "shopify"}}
    two.done("PUT", "/api/v1/sources/shop", source)
    two.done("POST", "/api/v1/sources/shop/secrets", {"kind": "webhook", "secret": OLD})
    numbers = iter(range(10_000))
    wait_until(lambda: _hook(two, OLD, f"e{next(numbers)}") == 202, "the first event")
    two.done("POST", "/api/v1/sources/shop/secrets", {"kind": "webhook", "secret": NEW})
    refused = _took_s(lambda: _hook(two, OLD, f"e{next(numbers)}") != 202)
    assert refused < AT_ONCE_S
    assert _hook(two, NEW, "n1") == 202
    two.done("PUT", "/api/v1/sources/shop", source | {"disabled": True})
    off = _took_s(lambda: _hook(two, NEW, f"e{next(numbers)}") != 202)
    assert off < AT_ONCE_S


@pytest.mark.asvs("16.5.3")
def test_while_the_bell_is_silent_every_token_is_asked_for(two: Two, database_url: str) -> None:
    scopes = {"name": "till", "stores": ["main"], "scopes": ["price:read"]}
    token = two.done("POST", "/api/v1/tokens", scopes)["token"]
    path = "/api/v1/stores"
    assert two.ask(1, "GET", path, token=token).status_code == 200
    with closing(Database(database_url)) as database, database.writing.begin() as tx:
        # Not by the service: nothing is rung, and the lines that would hear it are cut.
        tx.execute(text("UPDATE machine_token SET revoked_at = now()"))
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        cut = tx.execute(
            text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")  # noqa: S608
        ).fetchall()
    assert len(cut) >= len(("one bell", "the other"))
    took_s = _took_s(lambda: two.ask(1, "GET", path, token=token).status_code == 401)
    assert took_s < AT_ONCE_S


def test_sqlite_has_one_process_that_could_believe_anything(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    with closing(Served(tmp_path / "a" / "data")) as first:
        first.start()
        same = ("--database", f"sqlite:///{first.data_dir / 'esl.db'}", "--port", "0")
        ran = command("serve", "--data", tmp_path / "b", *same)
        assert ran.status == 1
        assert len(ran.stderr.splitlines()) == 1, ran.stderr
        assert psutil.pid_exists(first.pid)


def test_what_was_looked_up_before_a_change_is_not_remembered_after_it() -> None:
    def with_secret(secret: str) -> HookSource:
        kind = HookKind.SHOPIFY
        return HookSource(source_id="shop", kind=kind, secrets=HookSecrets(secrets=[secret]))

    class Slow:
        secret = OLD

        def lookup(self, _source_id: str) -> HookSource:
            found = with_secret(self.secret)
            if self.secret == OLD:  # another request changes it, while this one has read
                self.secret = NEW
                sources.forget_all()
            return found

    sources = RememberedSources(Slow(), lambda: 100.0)
    assert sources.lookup("shop") == with_secret(OLD)
    assert sources.lookup("shop") == with_secret(NEW)


@pytest.mark.asvs("6.3.1")
def test_who_guesses_a_secret_in_one_process_waits_in_every_other(two: Two) -> None:
    grant = {"name": "ERP", "stores": ["main"], "scopes": ["price:read"]}
    client, other = (two.done("POST", "/api/v1/clients", grant) for _ in range(2))
    for number in range(FAILURES_OF_CLIENT):
        assert _fetched(two, number % 2, client["id"], "guess").status_code == 401
    for which in (0, 1):
        slowed = _fetched(two, which, client["id"], client["secret"])
        assert slowed.status_code == 429
        assert slowed.json()["error"] == "temporarily_unavailable"
        assert 1 <= int(slowed.headers["retry-after"]) <= 60
        assert _fetched(two, which, other["id"], other["secret"]).status_code == 200
