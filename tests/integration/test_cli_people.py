"""``esl people``: accounts from the machine itself, with a controller running and without."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api.private_files import RuntimeFile, runtime_file
from esl.domain.access import ALL_STORES
from tests.running_house import Command, RunningHouse, running_house

pytest_plugins = ["tests.shop_over_http"]

PASSWORD = "a heron stood by the weir"
HERE = {"Sec-Fetch-Site": "same-origin"}


@contextmanager
def found_by_commands(running: RunningHouse) -> Iterator[Path]:
    data_dir = running.house.settings.data_dir
    with runtime_file(data_dir, RuntimeFile(url=running.url, token=running.operator, pid=1)):
        yield data_dir


def choose_password(running: RunningHouse, url: str, **fields: str) -> int:
    """Use a link as a browser would, wherever the link says the controller listens."""
    form = {"link": url.strip().partition("link=")[2], "password": PASSWORD, "again": PASSWORD}
    content = "&".join(f"{k}={v.replace(' ', '+')}" for k, v in (form | fields).items())
    answer = running.ask("POST", "/welcome", token=None, content=content, headers=HERE)
    return answer.status_code


def sign_in(running: RunningHouse, name: str) -> int:
    content = f"name={name}&password={PASSWORD.replace(' ', '+')}"
    return running.ask("POST", "/sign-in", token=None, content=content, headers=HERE).status_code


def test_a_forgotten_password_is_replaced_whether_a_controller_runs_or_not(
    tmp_path: Path, command: Command
) -> None:
    data = tmp_path / "data"
    assert "there is no controller's data" in command("people", "list", "--data", data).stderr

    with running_house(data) as running, found_by_commands(running):
        made = command("people", "set-up", "--data", data)
        assert (made.status, made.stderr) == (0, "")
        assert choose_password(running, made.stdout, name="ana") == 303
        assert sign_in(running, "ana") == 303
        added = command(
            *("people", "add", "ivo", "--role", "manager", "--store", ALL_STORES, "--data", data)
        )
        assert choose_password(running, added.stdout) == 303
        again = command("people", "set-up", "--data", data)
        assert (again.status, "admin already" in again.stderr) == (1, True)

    # Nobody runs: the commands write to the books themselves.
    refused = command("people", "disable", "ana", "--data", data)
    assert (refused.status, "last admin" in refused.stderr) == (1, True)
    granted = command(
        *("people", "grant", "ivo", "--role", "admin", "--store", ALL_STORES, "--data", data)
    )
    assert (granted.status, granted.stderr) == (0, "")
    assert command("people", "disable", "ANA", "--data", data).status == 0
    listed = command("people", "list", "--data", data).stdout
    assert "admin@*" in listed
    assert "manager@*" in listed
    link = command("people", "reset-password", "ivo", "--codes", "--data", data).stdout
    assert "/welcome?link=" in link
    gone = command("people", "reset-password", "nobody", "--data", data)
    assert (gone.status, "nobody signs in" in gone.stderr) == (1, True)

    with running_house(data) as running, found_by_commands(running):
        assert sign_in(running, "ana") == 401
        assert choose_password(running, link) == 303
        assert sign_in(running, "ivo") == 303
        assert command("people", "enable", "ana", "--data", data).status == 0
        assert sign_in(running, "ana") == 303
        revoked = command(
            *("people", "revoke", "ivo", "--role", "admin", "--store", ALL_STORES, "--data", data)
        )
        assert revoked.status == 0
        early = command("people", "erase", "ana", "--yes", "--data", data)
        assert (early.status, "close it first" in early.stderr) == (1, True)
        added = command("people", "add", "eva", "--role", "manager", "--store", "*", "--data", data)
        assert added.status == 0
        assert command("people", "disable", "eva", "--data", data).status == 0
        erased = command("people", "erase", "eva", "--yes", "--data", data)
        assert (erased.status, erased.stderr) == (0, "")
        assert "is forgotten" in erased.stdout
        people = running.done("GET", "/api/v1/people")["people"]
        assert {one["name"]: one["roles"][0]["role"] for one in people} == {
            "ana": "admin",
            "ivo": "manager",
        }


@pytest.mark.parametrize("arguments", [("grant", "ivo"), ("add", "x"), ("set-up", "ivo")])
def test_what_is_not_said_is_asked_for(command: Command, arguments: tuple[str, ...]) -> None:
    assert command("people", *arguments).status == 2
