"""``esl token`` and ``esl sign-in``, with a controller running and without; and every help page."""

import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from api.private_files import RuntimeFile, make_data_folder, runtime_file
from esl.domain.access import Scope
from esl.services.access import hash_secret
from tests.running_house import Command, RunningHouse, running_house
from tests.services import free_port

pytest_plugins = ["tests.shop_over_http"]

CREATE = ("token", "create", "--name", "till 3", "--scope", "price:read", "--store", "*")
TOKEN = re.compile(r"esl_[0-9a-f]{8}_[A-Za-z0-9_-]{43}")


@pytest.fixture(scope="module")
def data(shop: RunningHouse) -> Iterator[Path]:
    """The folder of a running controller, with the file by which commands find it."""
    data_dir = shop.house.settings.data_dir
    with runtime_file(data_dir, RuntimeFile(url=shop.url, token=shop.operator, pid=1)):
        yield data_dir


def _opens(shop: RunningHouse, token: str) -> bool:
    return shop.ask("GET", "/api/v1/stores", token=token).is_success


def _tokens(shop: RunningHouse) -> object:
    return [one["id"] for one in shop.done("GET", "/api/v1/tokens")["tokens"]]


def test_a_token_is_made_listed_and_revoked(
    shop: RunningHouse, data: Path, command: Command
) -> None:
    made = command(*CREATE, "--data", data)
    assert (made.status, made.stderr) == (0, "")
    token = made.stdout.strip()
    assert TOKEN.fullmatch(token)
    assert _opens(shop, token)
    identity, secret = token.split("_", 2)[1:]
    listed = command("token", "list", "--data", data)
    assert identity in listed.stdout
    assert "till 3" in listed.stdout
    assert "price:read" in listed.stdout
    assert secret not in listed.stdout
    assert command("token", "revoke", identity, "--data", data).status == 0
    assert not _opens(shop, token), "it was believed a moment ago, and is worthless now"
    entries = shop.done("GET", f"/api/v1/audit?subject=token/{identity}")["entries"]
    assert [one["action"] for one in entries] == ["revoke_token", "create_token"]
    assert all(one["actor"] for one in entries)
    assert entries[1]["detail"] == {"scopes": ["price:read"], "stores": ["*"], "expires_at": None}
    assert secret not in json.dumps(entries)
    for wrong in (identity, "00000000", "../stores", "a?b", "é"):
        again = command("token", "revoke", wrong, "--data", data)
        assert again.status == 1
        assert again.stderr.startswith("esl: the controller answered 404")
        assert re.search(r"\. (Check the id|See the list of addresses)", again.stderr)
        assert again.stderr.count("\n") == 1
    ended = shop.done("GET", f"/api/v1/audit?subject=token/{identity}")["entries"]
    assert len(ended) == 2, "what was refused did nothing to write down"


def test_a_token_is_written_to_a_file_of_its_owners_only(
    shop: RunningHouse, data: Path, command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "pos.token"
    out.write_text("an older one")
    out.chmod(0o666)
    (tmp_path / "pos.token.draft").write_text("a leftover")
    (tmp_path / "pos.token.draft").chmod(0o666)
    made = command(*CREATE, "--data", data, "--out", out)
    assert made.status == 0, made.stderr
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    token = out.read_text().strip()
    assert _opens(shop, token)
    assert token not in made.stdout + made.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pos.token"]


@pytest.mark.parametrize("out", ["nowhere/pos.token", "."])
def test_a_file_that_cannot_be_written_makes_no_token(
    shop: RunningHouse, data: Path, command: Command, out: str
) -> None:
    before = _tokens(shop)
    made = command(*CREATE, "--data", data, "--out", out)
    assert made.status == 1
    assert made.stderr.startswith("esl: ")
    assert made.stderr.count("\n") == 1
    assert _tokens(shop) == before


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("--name", "t", "--scope", "root", "--store", "*"), 2),
        (("--name", "t", "--store", "*"), 2),
        (("--name", "t", "--scope", "price:read"), 2),
        (("--name", "", "--scope", "price:read", "--store", "*"), 1),
        (("--name", "t", "--scope", "price:read", "--store", "nowhere"), 1),
        (("--name", "t", "--scope", "price:read", "--store", "A B"), 1),
    ],
)
def test_a_token_with_a_wrong_scope_store_or_name_is_refused(
    shop: RunningHouse, data: Path, command: Command, arguments: tuple[str, ...], status: int
) -> None:
    before = _tokens(shop)
    made = command("token", "create", *arguments, "--data", data)
    assert made.status == status, made.stderr
    assert made.stdout == ""
    assert "Traceback" not in made.stderr
    assert _tokens(shop) == before


def test_a_sign_in_link_is_printed_and_works_once(data: Path, command: Command) -> None:
    printed = command("sign-in", "--data", data)
    assert printed.status == 0, printed.stderr
    [link] = printed.stdout.splitlines()
    with httpx2.Client(trust_env=False) as browser:
        assert browser.get(link).status_code == 303
        assert browser.get(link.partition("/sign-in")[0] + "/").status_code == 200
    with httpx2.Client(trust_env=False) as other:
        assert other.get(link).status_code == 401


def test_without_a_controller_a_token_goes_straight_to_the_database(
    command: Command, tmp_path: Path
) -> None:
    data_dir = tmp_path / "data"
    lost = command(*CREATE, "--data", data_dir)
    assert lost.status == 1
    assert "esl serve" in lost.stderr
    assert not data_dir.exists(), "a mistyped folder is not made"
    data_dir.mkdir()
    made = command(*CREATE, "--data", data_dir)
    assert made.status == 0, made.stderr
    token = made.stdout.strip()
    assert TOKEN.fullmatch(token)
    secret = token.split("_", 2)[2]
    stored = b"".join(file.read_bytes() for file in data_dir.glob("esl.db*"))
    assert secret.encode() not in stored
    assert hash_secret(secret).encode() in stored
    for wrong in (("--name", ""), ("--store", "nowhere"), ("--store", "A B")):
        refused = command(*CREATE, *wrong, "--data", data_dir)
        assert refused.status == 1, wrong
        assert refused.stderr.count("\n") == 1
        assert refused.stderr.startswith("esl: ")
    with running_house(data_dir) as house:
        assert _opens(house, token)


def test_a_runtime_file_left_by_a_killed_controller_is_not_believed(
    command: Command, tmp_path: Path
) -> None:
    data_dir = tmp_path / "data"
    make_data_folder(data_dir)
    left = {"url": f"http://127.0.0.1:{free_port()}", "token": "esl_operator_x", "pid": 1}
    (data_dir / "run" / "controller.json").write_text(json.dumps(left))
    made = command(*CREATE, "--data", data_dir)
    assert made.status == 0, made.stderr
    assert TOKEN.fullmatch(made.stdout.strip())
    listed = command("token", "list", "--data", data_dir)
    assert listed.status == 1
    assert "no controller runs" in listed.stderr


def test_another_program_on_the_port_of_a_killed_controller_is_not_believed(
    shop: RunningHouse, command: Command, tmp_path: Path
) -> None:
    data_dir = tmp_path / "data"
    make_data_folder(data_dir)
    left = {"url": shop.url, "token": "esl_operator_of_another", "pid": 1}
    (data_dir / "run" / "controller.json").write_text(json.dumps(left))
    listed = command("token", "list", "--data", data_dir)
    assert listed.status == 1
    assert "no controller runs" in listed.stderr


# ── Help ───────────────────────────────────────────────────────────────────────────────────

HELP = {
    (): ["serve", "demo", "simulate", "token", "panels", "sign-in"],
    ("serve",): ["--data", "--host", "--port", "--database", "--mqtt", "--patience", "esl-data"],
    ("demo",): ["--once", "--json", "--labels", "--port", "--data"],
    ("simulate",): [
        "--list",
        "--scenario",
        "--labels",
        "--panel",
        "--panels-file",
        "--paint",
        "--lose",
        "--seed",
    ],
    ("panels",): ["--inks", "--json", "--panels-file", "show", "example"],
    ("panels", "show"): ["{panel}", "--json"],
    ("panels", "example"): ["a model of your own"],
    ("render",): ["--template", "--panel", "--data", "--png", "--bin", "--lint", "--scale"],
    ("templates",): ["list", "show", "schema", "check", "pictures"],
    ("templates", "list"): ["--json"],
    ("templates", "show"): ["{name}"],
    ("templates", "schema"): ["JSON Schema"],
    ("templates", "check"): ["{file}", "--panel", "--pictures", "status 1"],
    ("templates", "pictures"): ["{folder}", "--panel", "--template", "--scale"],
    ("token",): ["create", "list", "revoke"],
    ("token", "create"): ["--name", "--scope", "--store", "--out", "--data", *Scope],
    ("token", "list"): ["--data"],
    ("token", "revoke"): ["--data", "token list"],
    ("sign-in",): ["--data"],
    ("fleet",): ["--state", "--json", "--data", "synchronised"],
    ("keys",): ["show", "rotate", "undo", "accept"],
    ("keys", "show"): ["--json", "--data"],
    ("keys", "rotate"): ["--force", "--again", "--data"],
    ("keys", "accept"): ["--new", "--yes", "--data"],
}


@pytest.mark.parametrize("name", HELP, ids=lambda name: " ".join(["esl", *name]))
def test_every_command_explains_itself(command: Command, name: tuple[str, ...]) -> None:
    shown = command(*name, "--help")
    assert shown.status == 0, shown.stderr
    said = " ".join(shown.stdout.split())
    for word in HELP[name]:
        assert word in said, f"esl {' '.join(name)} --help does not mention {word}"
    for line in re.findall(r"^│ +\*? *(?:--|[a-z])[^│]*│", shown.stdout, re.MULTILINE):
        assert len(line.strip("│ *").split()) > 2, f"not explained: {line}"
    assert "--with-parent" not in said


def test_esl_alone_shows_its_help(command: Command) -> None:
    shown = command()
    assert "serve" in shown.stdout + shown.stderr
