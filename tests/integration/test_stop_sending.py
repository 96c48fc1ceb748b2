"""``esl stop-sending`` and ``esl resume`` hold a store's labels, and let them go."""

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
