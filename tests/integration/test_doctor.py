"""``esl init`` and ``esl doctor``: what they make and find, with real brokers and databases."""

import json
import tomllib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.cli.init import settings_text
from api.doctor import machine
from api.tls.files import make_tls
from esl.services import guarding, neutral_orders
from esl.settings import Settings
from esl.store.backup_state import note_backup, note_failure
from esl.store.database import Database
from gateway.wire.enrolment import Enrolment, enrolment_keys, to_json
from gateway.wire.signing import PublicKeys, SigningKey
from tests.builders import NOON, STORE, build_shelf
from tests.openid_provider import SECRET, OpenIdProvider, running_provider
from tests.running_house import Command
from tests.served import Served
from tests.services import Mosquitto

pytest_plugins = ["tests.shop_over_http"]

RULES = """
user tests
topic write esl/v1/+/down
topic read esl/v1/+/up
topic read esl/v1/+/state
pattern write esl/v1/%u/up
pattern read esl/v1/%u/down
"""


def look(command: Command, *arguments: str | Path, **variables: str) -> dict[str, dict[str, Any]]:
    ran = command("doctor", "--json", *arguments, **variables)
    said = json.loads(ran.stdout)
    assert ran.status == (1 if said["result"] == "fail" else 0), ran.stderr
    for one in said["findings"]:
        assert one["fix"] or one["result"] in ("pass", "skip"), one
    return {one["name"]: one for one in said["findings"]}


# ── Init ───────────────────────────────────────────────────────────────────────────────────


def test_init_makes_what_a_start_needs_and_changes_nothing_the_second_time(
    command: Command, tmp_path: Path
) -> None:
    first = command("init", "--yes")
    assert first.status == 0, first.stderr
    assert "esl serve" in first.stdout
    key = tmp_path / "esl-data" / "keys" / "signing.pem"
    made = {path: path.read_bytes() for path in (key, tmp_path / "esl.toml")}
    assert all(path.stat().st_mode & 0o077 == 0 for path in made)
    assert tomllib.loads(made[tmp_path / "esl.toml"].decode()) == {"data_dir": "esl-data"}
    again = command("init", "--yes")
    assert again.status == 0, again.stderr
    assert {path: path.read_bytes() for path in made} == made


def test_every_setting_stands_in_the_file_and_its_default_is_one(tmp_path: Path) -> None:
    text = settings_text(tmp_path)
    for name in Settings.model_fields:
        assert f"{name} = " in text
    plain = "\n".join(
        line.removeprefix("# ")
        for line in text.splitlines()
        if " = " in line
        and not line.endswith('= ""')
        and line.split(" = ")[0].removeprefix("# ") in Settings.model_fields
    )
    read = Settings(**tomllib.loads(plain))
    assert read == Settings(data_dir=tmp_path)


# ── The machine ────────────────────────────────────────────────────────────────────────────


def test_a_folder_that_is_not_there_fails(command: Command) -> None:
    found = look(command)
    assert found["data folder"]["result"] == "fail"
    assert "esl init" in found["data folder"]["fix"]


def test_files_that_others_may_read_fail(command: Command, tmp_path: Path) -> None:
    command("init", "--yes")
    assert look(command)["data folder"]["result"] == "pass"
    (tmp_path / "esl-data" / "keys" / "signing.pem").chmod(0o640)
    assert look(command)["data folder"]["result"] == "fail"


@pytest.mark.parametrize(("days", "result"), [(0, "pass"), (380, "warn"), (398, "fail")])
def test_a_certificate_is_warned_of_before_it_ends(tmp_path: Path, days: int, result: str) -> None:
    now = datetime.now(UTC)
    make_tls(tmp_path, ["esl.example"], ["esl.example"], now - timedelta(days=days))
    settings = Settings(data_dir=tmp_path, tls=True)
    found = {one.name: one for one in machine.look_at_machine(settings, now)}
    assert found["certificate"].result == result


def test_an_open_port_without_tls_is_warned_of(command: Command) -> None:
    command("init", "--yes")
    outward = {"ESL_HOST": "0.0.0.0", "ESL_PLAIN_HTTP_ALLOWED": "true"}  # noqa: S104
    assert look(command, **outward)["http"]["result"] == "warn"


def test_a_full_disk_fails(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    command("init", "--yes")
    monkeypatch.setattr(machine, "DISK_LEAST_MIB", 10**12)
    assert look(command)["disk"]["result"] == "fail"


# ── The database ───────────────────────────────────────────────────────────────────────────


def test_the_backup_is_judged_by_its_age_and_its_trouble(
    command: Command, database: Database
) -> None:
    command("init", "--yes")
    url = database.writing.url.render_as_string(hide_password=False)

    def backup() -> dict[str, Any]:
        return look(command, ESL_DATABASE_URL=url)["backup"]

    assert backup()["result"] == "warn"
    with database.writing.begin() as tx:
        note_backup(tx, datetime.now(UTC))
    found = look(command, ESL_DATABASE_URL=url)
    assert found["backup"]["result"] == found["database"]["result"] == "pass"
    assert found["migrations"]["result"] == "pass"
    if not database.is_sqlite:
        assert found["postgresql"]["result"] in ("pass", "fail")  # a test's server may not fsync
    with database.writing.begin() as tx:
        note_backup(tx, datetime.now(UTC) - timedelta(days=3))
    assert backup()["result"] == "fail"
    with database.writing.begin() as tx:
        note_failure(tx, "the folder is full")
    assert "the folder is full" in backup()["words"]


def test_a_store_that_is_kept_from_showing_prices_is_not_forgotten(
    command: Command, database: Database
) -> None:
    command("init", "--yes")
    url = database.writing.url.render_as_string(hide_password=False)
    with database.writing.begin() as tx:
        build_shelf(tx)
    assert look(command, ESL_DATABASE_URL=url)["orders"]["result"] == "pass"
    with database.writing.begin() as tx:
        guarding.freeze_store(tx, STORE, NOON, actor="boss", reason="drill")
    stopped = look(command, ESL_DATABASE_URL=url)["orders"]
    assert (stopped["result"], f"esl resume {STORE}" in stopped["fix"]) == ("warn", True)
    with database.writing.begin() as tx:
        neutral_orders.order_neutral(tx, STORE, NOON, actor="boss", reason="drill")
    neutral = look(command, ESL_DATABASE_URL=url)["orders"]
    assert f"esl neutral {STORE} --end" in neutral["fix"]


def test_a_server_that_is_away_and_an_old_schema_are_named(
    command: Command, tmp_path: Path
) -> None:
    command("init", "--yes")
    away = look(command, ESL_DATABASE_URL="postgresql://esl:canary-Zq7@127.0.0.1:1/esl")
    assert away["database"]["result"] == "fail"
    assert "canary-Zq7" not in str(away)
    with closing(Database(f"sqlite:///{tmp_path / 'old.db'}")) as made, made.writing.begin() as tx:
        tx.exec_driver_sql("CREATE TABLE alembic_version (version_num TEXT)")
        tx.exec_driver_sql("INSERT INTO alembic_version VALUES ('0001')")
    old = look(command, ESL_DATABASE_URL=f"sqlite:///{tmp_path / 'old.db'}")
    assert old["migrations"]["result"] == "warn"


# ── The broker ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker with access rules, and a gateway's login."""
    broker = Mosquitto(tmp_path / "guarded", others=["gw-1"], acl=RULES)
    broker.start()
    yield broker
    broker.stop()


def _enrolment(broker: Mosquitto, folder: Path) -> Path:
    key = SigningKey.generate()
    enrolment = Enrolment(
        gateway="gw-1",
        store="main",
        host=broker.host,
        port=broker.port,
        tls=False,
        username="gw-1",
        password=broker.password,
        keys=enrolment_keys(PublicKeys({key.key_id: key.public_key})),
    )
    file = folder / "gw-1.json"
    file.write_text(to_json(enrolment))
    return file


def test_a_broker_with_rules_passes_and_one_without_fails(
    command: Command, guarded: Mosquitto, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    command("init", "--yes")
    file = _enrolment(guarded, tmp_path)
    found = look(command, "--as-gateway", file, ESL_MQTT_URL=guarded.url)
    parts = ("broker", "broker: nobody", "broker: controller", "broker: gateway", "broker: line")
    assert {name: found[name]["result"] for name in parts} == dict.fromkeys(parts, "pass")
    found = look(command, ESL_MQTT_URL=mosquitto.url)
    assert found["broker: controller"]["result"] == "fail"
    assert found["broker: gateway"]["result"] == "skip"
    mosquitto.stop()
    found = look(command, ESL_MQTT_URL=f"mqtt://tests:canary-Zq7@{guarded.host}:{guarded.port}")
    assert found["broker"]["result"] == "fail"
    assert "canary-Zq7" not in str(found)


def test_the_embedded_broker_is_warned_of(command: Command) -> None:
    command("init", "--yes")
    assert look(command)["broker"]["result"] == "warn"


# ── The controller ─────────────────────────────────────────────────────────────────────────


def test_a_running_controller_is_asked(command: Command, tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert look(command, "--data", data)["data folder"]["result"] == "fail"
    with closing(Served(data)) as served:
        served.start()
        found = look(command, "--data", data)
        assert found["migrations"]["result"] == "pass"
        assert found["clock of gateways"]["result"] == "pass"
        assert any(name.startswith("controller") for name in found)
        served.end(9)
    assert look(command, "--data", data)["controller"]["result"] == "fail"


# ── The provider by which people sign in ─────────────────────────────────────────────────────


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    with running_provider() as running:
        yield running


def with_provider(provider: OpenIdProvider, tmp_path: Path, **other: Any) -> None:
    settings = {"issuer": provider.issuer, "client_id": "esl", "client_secret": SECRET} | other
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    rules = '[[oidc.roles]]\ngroup = "a"\nrole = "manager"\nstores = ["*"]'
    own = 'own_url = "http://127.0.0.1:8080"'
    (tmp_path / "esl.toml").write_text("\n".join(["[oidc]", own, *lines, rules]))


def test_a_provider_is_asked_what_a_sign_in_would_ask(
    command: Command, provider: OpenIdProvider, tmp_path: Path
) -> None:
    command("init", "--yes")
    assert look(command)["sign-in provider"]["result"] == "skip"
    with_provider(provider, tmp_path)
    found = look(command)
    assert found["sign-in provider"]["result"] == "pass"
    assert found["sign-in provider: keys"]["words"] == "1 that may sign"
    assert found["sign-in provider: client"]["result"] == "pass"
    assert provider.grants == {}
    provider.shown = []
    with_provider(provider, tmp_path, client_secret="another")
    found = look(command)
    assert found["sign-in provider: keys"]["result"] == "fail"
    assert found["sign-in provider: client"]["result"] == "fail"
    assert "another" not in str(found)
    provider.sins_in_metadata = {"issuer": f"{provider.issuer}/"}
    assert f"{provider.issuer}/ and not" in look(command)["sign-in provider"]["words"]
    with_provider(provider, tmp_path, issuer="http://127.0.0.1:1")
    found = look(command)
    assert found["sign-in provider"]["result"] == "fail"
    assert "Passwords work" in found["sign-in provider"]["fix"]


def test_a_secret_that_others_may_read_is_refused(
    command: Command, provider: OpenIdProvider, tmp_path: Path
) -> None:
    command("init", "--yes")
    secret = tmp_path / "client-secret"
    secret.write_text(f"{SECRET}\n", encoding="utf-8")
    secret.chmod(0o644)
    with_provider(provider, tmp_path)
    text = (tmp_path / "esl.toml").read_text()
    line = f"client_secret = {json.dumps(SECRET)}"
    (tmp_path / "esl.toml").write_text(text.replace(line, f'client_secret_file = "{secret}"'))
    found = look(command)
    assert "others may read" in found["sign-in provider"]["words"]
    secret.chmod(0o600)
    assert look(command)["sign-in provider: client"]["result"] == "pass"
