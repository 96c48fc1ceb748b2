"""The table ``[oidc]``: what may stand in it, and what is said about the rest."""

import json
from pathlib import Path
from typing import Any

import pytest

from esl.domain.access import Role
from esl.domain.errors import SetupError
from esl.domain.provider import GroupRole
from esl.settings import read_settings
from tests.pages import ROOT, blocks_of

RIGHT = """
[oidc]
issuer = "https://login.shop.example/realms/shop"
client_id = "esl"
own_url = "https://esl.shop.example/"
[[oidc.roles]]
group = "shelf-managers"
role = "manager"
stores = ["zagreb-1", "*"]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, text: str) -> None:
    (folder / "esl.toml").write_text(text, "utf-8")


def test_a_table_says_it_all_and_the_environment_adds_the_secret(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, RIGHT)
    monkeypatch.setenv("ESL_OIDC__CLIENT_SECRET", "from the environment")
    settings = read_settings()
    assert settings.oidc is not None
    assert settings.oidc.return_address == "https://esl.shop.example/sign-in/oidc/return"
    assert settings.oidc.client_secret is not None
    assert settings.oidc.client_secret.get_secret_value() == "from the environment"
    assert "from the environment" not in repr(settings)
    assert settings.oidc.rules == (
        GroupRole(group="shelf-managers", role=Role.MANAGER, stores=frozenset({"zagreb-1", "*"})),
    )
    assert settings.oidc.creates_people
    assert not settings.oidc.links_by_name


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("issuer", "http://login.shop.example", "does not begin with https://"),
        ("issuer", "http://127.0.0.1.evil.example", "does not begin with https://"),
        ("issuer", "ftp://127.0.0.1", "does not begin with https://"),
        ("issuer", "https://a:b@login.shop.example", "a name or a password"),
        ("issuer", "https://login.shop.example/?a", "holds “?” or “#”"),
        ("issuer", "https://login.shop.example/ x", "not an address"),
        ("issuer", "https://login.shop.example:port", "not an address"),
        ("issuer", "https://", "not an address"),
        ("issuer", "login.shop.example", "not an address"),
        ("own_url", "https://esl.shop.example/wall", "holds a path"),
        ("own_url", "http://esl.shop.example", "does not begin with https://"),
        ("client_id", "", "at least 1"),
        ("scopes", ["profile"], "lack openid"),
        ("scopes", ["openid", "a b"], "not a scope"),
        ("roles", [], "at least 1"),
        ("roles", [{"group": "a", "role": "owner", "stores": ["*"]}], "oidc.roles.0.role"),
        ("roles", [{"group": "a", "role": "admin", "stores": ["Main!"]}], "oidc.roles.0.stores"),
        ("roles", [{"group": "a", "role": "admin", "stores": []}], "at least 1"),
        ("client_secret_file", "x", "keep one"),
        ("unknown", "x", "oidc.unknown"),
    ],
)
def test_what_may_not_stand_in_it_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: Any, words: str
) -> None:
    table: dict[str, Any] = {
        "issuer": "https://login.shop.example",
        "client_id": "esl",
        "client_secret": "a secret",
        "own_url": "https://esl.shop.example",
        "roles": [{"group": "a", "role": "admin", "stores": ["*"]}],
    }
    monkeypatch.setenv("ESL_OIDC", json.dumps(table))
    assert read_settings().oidc is not None
    monkeypatch.setenv("ESL_OIDC", json.dumps(table | {name: value}))
    with pytest.raises(SetupError) as refused:
        read_settings()
    assert words in str(refused.value)
    assert "oidc" in str(refused.value)
    assert "a secret" not in str(refused.value)


@pytest.mark.parametrize("address", ["http://localhost:9400", "http://127.0.0.1", "http://[::1]:1"])
def test_this_machine_needs_no_https(folder: Path, address: str) -> None:
    write(folder, RIGHT.replace("https://login.shop.example/realms/shop", address))
    settings = read_settings()
    assert settings.oidc is not None
    assert settings.oidc.issuer == address


def test_a_misspelt_table_in_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESL_OIDCS__CLIENT_ID", "x")
    with pytest.raises(SetupError, match="did you mean ESL_OIDC"):
        read_settings()
    monkeypatch.delenv("ESL_OIDCS__CLIENT_ID")
    monkeypatch.setenv("ESL_OIDC__CLIENT", "x")
    with pytest.raises(SetupError, match="oidc"):
        read_settings()


def test_the_example_of_the_page_is_one(folder: Path) -> None:
    (example,) = [b for b in blocks_of(ROOT / "docs" / "accounts.md") if b.kind == "toml"]
    write(folder, example.text)
    settings = read_settings()
    assert settings.oidc is not None
    assert settings.oidc.return_address in (ROOT / "docs" / "accounts.md").read_text("utf-8")
    assert {(rule.group, rule.role) for rule in settings.oidc.rules} == {
        ("shelf-managers", Role.MANAGER),
        ("shelf-admins", Role.ADMIN),
    }
