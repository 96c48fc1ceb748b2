"""Health, readiness, metrics and names of requests, over real HTTP."""

import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families

from api import readiness
from api.metrics import snapshot
from esl.store.backup_state import note_backup
from tests.running_house import RunningHouse, check_headers, check_problem, running_house
from tests.served import wait_until

pytest_plugins = ["tests.shop_over_http"]

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(house: RunningHouse, **how: object) -> Samples:
    answer = house.ask("GET", "/metrics", token=None, **how)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=")
    check_headers(answer)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.fixture
def never_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each scrape and each question reads anew."""
    monkeypatch.setattr(snapshot, "FRESH_S", 0.0)
    monkeypatch.setattr(readiness, "FRESH_S", 0.0)


# ── Metrics ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("never_kept")
def test_metrics_tell_how_labels_stand_and_what_became_of_prices(shop: RunningHouse) -> None:
    first = scrape(shop)
    here = ("store", "main")
    assert first["esl_labels", (("phase", "unpaired"), here)] == 1
    assert first["esl_labels", (("phase", "unreachable"), here)] == 1
    assert first["esl_gateways", (here,)] == 1
    assert first["esl_gateways_online", (here,)] == 0
    assert first["esl_database_up", ()] == 1
    assert first["esl_database_bytes", ()] > 0
    prices = "/api/v1/stores/main/price-changes"
    shop.done("POST", prices, {"sku": "1001", "price": "1.35"})
    shop.done("POST", prices, [{"sku": "1001", "price": "1.35"}, {"sku": "nix", "price": "1.00"}])
    second = scrape(shop)
    accepted = "esl_price_changes_total", (("decision", "accepted"), here)
    unchanged = "esl_price_changes_total", (("decision", "unchanged"), here)
    assert second[accepted] - first[accepted] == 1
    assert second[unchanged] - first[unchanged] == 1
    assert second["esl_oldest_unsettled_seconds", (here,)] > 0
    assert second["esl_intake_seconds_count", ()] - first["esl_intake_seconds_count", ()] == 2
    route = ("route", "/api/v1/stores/{store}/price-changes")
    answered = "esl_http_requests_total", (("method", "POST"), route, ("status", "200"))
    assert second[answered] - first.get(answered, 0) == 2
    groups = "esl_writer_group_requests_count", ()
    assert second[groups] > first[groups]


@pytest.mark.usefixtures("never_kept")
def test_metrics_say_how_old_checkpoint_and_backup_are(shop: RunningHouse) -> None:
    missing = scrape(shop)
    assert ("esl_checkpoint_age_seconds", ()) not in missing
    assert ("esl_backup_age_seconds", ()) not in missing
    shop.house.audit._sealing.seal_all()
    shop.house.audit.checkpoint()
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    shop.write(lambda tx: note_backup(tx, hour_ago))
    found = scrape(shop)
    assert 0 <= found["esl_checkpoint_age_seconds", ()] < 60
    assert 3600 <= found["esl_backup_age_seconds", ()] < 3660


def test_what_senders_write_makes_no_new_metric(shop: RunningHouse) -> None:
    shop.ask("GET", "/nobody/knows-this-7", token=None)
    shop.ask("GET", "/api/v1/stores/secret-store-7/labels")
    shop.ask("BREW", "/healthz", token=None)
    text = shop.ask("GET", "/metrics", token=None).text
    assert "knows-this-7" not in text
    assert "secret-store-7" not in text
    assert "BREW" not in text
    assert 'route="other"' in text
    assert 'route="/api/v1/stores/{store}/labels"' in text


@pytest.mark.usefixtures("never_kept")
def test_stores_beyond_the_most_are_counted_together(
    shop: RunningHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "STORES_MOST", 0)
    stores = {dict(labels)["store"] for (_, labels) in scrape(shop) if "store" in dict(labels)}
    assert snapshot.OTHER_STORES in stores
    found = scrape(shop)
    assert found["esl_gateways", (("store", "_other"),)] == 1


@pytest.mark.parametrize(
    "headers",
    [{"X-Forwarded-For": "192.0.2.7"}, {"Forwarded": "for=192.0.2.7"}, {"Host": "esl.example"}],
    ids=["proxy", "forwarded", "name"],
)
def test_others_need_a_token_for_metrics(shop: RunningHouse, headers: dict[str, str]) -> None:
    check_problem(shop.ask("GET", "/metrics", token=None, headers=headers), 401)
    reads = shop.token("label:read")
    assert shop.ask("GET", "/metrics", token=reads, headers=headers).status_code == 200
    for wrong in (shop.token("price:write"), shop.token("label:read", stores=("main",))):
        check_problem(shop.ask("GET", "/metrics", token=wrong, headers=headers), 403)
    check_problem(shop.ask("GET", "/metrics", token="esl_00000000_x"), 401)


# ── Readiness ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[RunningHouse]:
    """A controller of this test's own, which delivers."""
    with running_house(tmp_path / "data", with_worker=True) as house:
        yield house


@pytest.mark.usefixtures("never_kept")
def test_a_running_controller_becomes_ready_and_names_what_fails(
    alone: RunningHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = lambda: alone.ask("GET", "/readyz", token=None)  # noqa: E731
    wait_until(lambda: ready().status_code == 200, "the broker", 60)
    names = {"database", "migrations", "writer", "broker", "disk"}
    assert set(ready().json()["checks"]) == names
    full = SimpleNamespace(free=7)
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda _: full)
        answer = ready()
    assert answer.status_code == 503
    assert [n for n, c in answer.json()["checks"].items() if not c["ok"]] == ["disk"]
    assert answer.json()["checks"]["disk"]["detail"]
    check_headers(answer)
    alone.write(lambda tx: tx.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'"))
    failing = [n for n, c in ready().json()["checks"].items() if not c["ok"]]
    assert failing == ["migrations"]
    alone.house.writer.close()
    assert not ready().json()["checks"]["writer"]["ok"]


# ── Names of requests ──────────────────────────────────────────────────────────────────────


def test_a_request_keeps_its_senders_name_in_answer_and_problem(shop: RunningHouse) -> None:
    answer = shop.ask(
        "GET", "/api/v1/stores", token=None, headers={"X-Request-Id": "till-7.2025-01"}
    )
    assert answer.headers["x-request-id"] == "till-7.2025-01"
    assert check_problem(answer, 401)["request_id"] == "till-7.2025-01"


@pytest.mark.parametrize(
    "name", ["short", "x" * 65, "with blank", "a\tb-cdefgh", "esl_4711_secret", "Bearer-abcdefg"]
)
def test_a_name_that_is_none_gets_one_of_ours(shop: RunningHouse, name: str) -> None:
    answer = shop.ask("GET", "/healthz", token=None, headers={"X-Request-Id": name})
    given = answer.headers["x-request-id"]
    assert given != name
    assert re.fullmatch(r"[0-9a-f]{16}", given)


def test_two_requests_have_two_names(shop: RunningHouse) -> None:
    names = {
        shop.ask("GET", "/healthz", headers={"X-Request-Id": ""}).headers["x-request-id"]
        for _ in range(5)
    }
    assert len(names) == 5


@pytest.mark.asvs("16.2.1")
def test_log_lines_of_a_request_say_its_name_and_no_secret(
    shop: RunningHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []

    def keep(_logger: object, _method: str, event: structlog.typing.EventDict) -> str:
        lines.append(json.dumps(event, default=repr))
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, keep],
        cache_logger_on_first_use=False,
    )
    secret = shop.token("price:write")
    try:

        def fail(*_: object, **__: object) -> None:
            raise RuntimeError("a fault of ours")

        shop.ask(
            "POST",
            "/api/v1/stores/main/price-changes",
            token=secret,
            content=b'{"sku": "canary-Zq7-name", "price": ',
        )
        shop.ask("GET", f"/sign-in?link={secret}", token=None)
        shop.ask("GET", f"/api/v1/{secret}", token=secret)
        monkeypatch.setattr("api.metrics.scrape.Scrape.text", fail)
        answer = shop.ask("GET", "/metrics", token=None, headers={"X-Request-Id": "fault-0001"})
        assert answer.status_code == 500
        assert "a fault of ours" not in answer.text.replace("a fault of ours; the log", "")
    finally:
        structlog.configure(**before)
    assert any('"fault-0001"' in line for line in lines), lines
    for line in lines:
        assert secret not in line
        assert "canary-Zq7" not in line


# ── Plain HTTP beyond this machine ─────────────────────────────────────────────────────────


def test_pages_say_when_what_is_typed_travels_readable(tmp_path: Path) -> None:
    words = "not protected"
    with running_house(tmp_path / "open", host="0.0.0.0", plain_http_allowed=True) as house:  # noqa: S104
        assert words in house.ask("GET", "/sign-in", token=None).text
    with running_house(tmp_path / "local") as house:
        assert words not in house.ask("GET", "/sign-in", token=None).text
