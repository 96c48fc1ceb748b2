"""``esl stop-sending``, ``esl resume`` and ``esl neutral`` hold labels, and let them go."""

import io
from pathlib import Path

import pytest

from api.private_files import RuntimeFile, make_data_folder, runtime_file
from tests.running_house import Command, RunningHouse

pytest_plugins = ["tests.shop_over_http"]


@pytest.fixture
def data(tmp_path: Path, shop: RunningHouse) -> object:
    """A folder on which the shop's controller seems to run."""
    folder = tmp_path / "data"
    make_data_folder(folder)
    with runtime_file(folder, RuntimeFile(url=shop.url, token=shop.operator, pid=1)):
        yield folder


def _is_frozen(shop: RunningHouse, store: str = "main") -> bool:
    return bool(shop.done("GET", f"/api/v1/stores/{store}/freeze")["frozen"])


def test_a_store_is_stopped_with_a_reason_and_resumed(
    command: Command, shop: RunningHouse, data: Path
) -> None:
    stopped = command("stop-sending", "main", "--reason", "wrong price list", "--data", data)
    assert stopped.status == 0, stopped.stderr
    assert "esl resume main" in stopped.stdout
    assert _is_frozen(shop)
    [[reason, actor]] = shop.read(
        "SELECT reason, actor FROM audit_entry WHERE action = 'freeze' ORDER BY entry_id DESC"
        " LIMIT 1"
    )
    assert (reason, actor) == ("wrong price list", "operator")
    resumed = command("resume", "main", "--data", data)
    assert resumed.status == 0, resumed.stderr
    assert "sends again" in resumed.stdout
    assert not _is_frozen(shop)
    assert "all along" in command("resume", "main", "--data", data).stdout


def test_all_stores_at_once(command: Command, shop: RunningHouse, data: Path) -> None:
    assert command("stop-sending", "--all", "--reason", "drill", "--data", data).status == 0
    assert _is_frozen(shop)
    assert command("resume", "--all", "--data", data).status == 0
    assert not _is_frozen(shop)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--reason", "x"), "name a store"),
        (("main", "--all", "--reason", "x"), "name a store"),
        (("main", "--reason", " "), "--reason is empty"),
        (("nowhere", "--reason", "x"), "no store"),
    ],
)
def test_what_is_not_clear_stops_nothing(
    command: Command, shop: RunningHouse, data: Path, arguments: tuple[str, ...], words: str
) -> None:
    ran = command("stop-sending", *arguments, "--data", data)
    assert ran.status == 1
    assert words in ran.stderr
    assert not _is_frozen(shop)


def _is_neutral(shop: RunningHouse) -> bool:
    return bool(shop.done("GET", "/api/v1/stores/main/neutral")["neutral"])


def test_a_store_shows_no_prices_by_order_and_shows_them_again(
    command: Command, shop: RunningHouse, data: Path
) -> None:
    costs = command("neutral", "main", "--dry-run", "--data", data)
    assert costs.status == 0, costs.stderr
    assert "would show their neutral face" in costs.stdout
    assert not _is_neutral(shop), "nothing but a look"
    said = command("neutral", "main", "--reason", "wrong list", "--yes", "--data", data)
    assert said.status == 0, said.stderr
    assert "esl neutral main --end" in said.stdout
    assert _is_neutral(shop)
    [[reason, actor]] = shop.read(
        "SELECT reason, actor FROM audit_entry WHERE action = 'neutral' ORDER BY entry_id DESC"
        " LIMIT 1"
    )
    assert (reason, actor) == ("wrong list", "operator")
    standing = command("neutral", "main", "--data", data)
    assert "shows no prices since" in standing.stdout
    assert "wrong list" in standing.stdout
    again = command("neutral", "main", "--reason", "other", "--yes", "--data", data)
    assert "already" in again.stdout
    assert command("neutral", "main", "--end", "--yes", "--data", data).status == 0
    assert not _is_neutral(shop)
    assert "all along" in command("neutral", "main", "--end", "--yes", "--data", data).stdout
    assert "shows prices" in command("neutral", "main", "--data", data).stdout


def test_stop_sending_holds_the_neutral_face_back_and_the_command_says_so(
    command: Command, shop: RunningHouse, data: Path
) -> None:
    command("stop-sending", "main", "--reason", "drill", "--data", data)
    said = command("neutral", "main", "--reason", "drill", "--yes", "--data", data)
    assert "nothing happens until: esl resume main" in said.stdout
    assert shop.done("GET", "/api/v1/stores/main/neutral")["sending_stopped"]
    command("resume", "main", "--data", data)
    command("neutral", "main", "--end", "--yes", "--data", data)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("main", "--reason", "x"), "nothing was done"),  # asked, and the answer is no
        (("main", "--end", "--reason", "x"), "at once"),
        (("main", "--reason", " "), "--reason is empty"),
        (("nowhere", "--reason", "x", "--yes"), "no store"),
    ],
)
def test_what_is_not_confirmed_takes_no_price_off(
    command: Command,
    shop: RunningHouse,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    words: str,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    ran = command("neutral", *arguments, "--data", data)
    assert ran.status == 1
    assert words in ran.stderr
    assert not _is_neutral(shop)
